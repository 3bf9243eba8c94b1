//! `datetime` (OGC API - Features `/req/core/fc-time-definition`, `/req/core/fc-time-response`).

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Instants in UTC, both ends belonging to it; an open end is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interval {
    pub start: Option<Timestamp>,
    pub end: Option<Timestamp>,
}

/// An RFC 3339 instant, a date (its whole day), or two of them around `/`, one of which may be `..` or empty.
///
/// # Errors
/// What was expected, for the client.
pub fn parse(text: &str) -> Result<Interval, String> {
    let interval = match text.split_once('/') {
        None => moment(text).map(|(start, end)| Interval { start: Some(start), end: Some(end) }),
        Some((start, end)) => {
            let open = |text: &str| text.is_empty() || text == "..";
            if open(start) && open(end) && text != "../.." && text != "/" {
                None
            } else {
                let first = if open(start) { Some(None) } else { moment(start).map(|(first, _)| Some(first)) };
                let last = if open(end) { Some(None) } else { moment(end).map(|(_, last)| Some(last)) };
                first.zip(last).map(|(start, end)| Interval { start, end })
            }
        }
    };
    let shown: String = text.chars().take(60).collect();
    let interval = interval.ok_or_else(|| format!("expected an RFC 3339 date or instant, or two around `/`, found `{shown}`"))?;
    match (interval.start, interval.end) {
        (Some(start), Some(end)) if start > end => Err(format!("expected the earlier end first, found `{shown}`")),
        _ => Ok(interval),
    }
}

/// First and last instant that a text means: a date is its whole day, a time without a zone is taken for UTC.
fn moment(text: &str) -> Option<(Timestamp, Timestamp)> {
    if let Ok(date) = text.parse::<Date>()
        && text.len() == 10
    {
        let start = date.to_zoned(TimeZone::UTC).ok()?.timestamp();
        let end = date.tomorrow().ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp() - jiff::SignedDuration::from_nanos(1);
        return Some((start, end));
    }
    let instant = text.parse::<Timestamp>().ok().or_else(|| {
        let local = text.contains(['T', 't', ' ']).then(|| text.parse::<DateTime>().ok()).flatten()?;
        local.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    })?;
    Some((instant, instant))
}

impl Interval {
    /// Whether a feature meets the interval. One value stands for both ends; a feature without a value meets none; an
    /// absent end of a pair is open.
    pub fn meets(&self, start: Option<&str>, end: Option<&str>) -> bool {
        let first = start.and_then(moment).map(|(first, _)| first);
        let last = end.and_then(moment).map(|(_, last)| last);
        if first.is_none() && last.is_none() {
            return false;
        }
        let begins_in_time = self.end.is_none_or(|end| first.is_none_or(|first| first <= end));
        let ends_in_time = self.start.is_none_or(|start| last.is_none_or(|last| last >= start));
        begins_in_time && ends_in_time
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meets(interval: &str, value: &str) -> bool {
        parse(interval).expect("an interval").meets(Some(value), Some(value))
    }

    #[test]
    fn a_day_holds_its_instants_and_the_other_way_round() {
        assert!(meets("2026-06-30", "2026-06-30T23:59:59.5Z"));
        assert!(meets("2026-06-30T12:00:00Z", "2026-06-30"));
        assert!(!meets("2026-06-30", "2026-07-01"));
        assert!(!meets("2026-06-30", "2026-07-01T00:00:00Z"));
        assert!(meets("2026-06-30T10:00:00Z", "2026-06-30T12:00:00+02:00"));
    }

    #[test]
    fn ends_may_be_open() {
        assert!(meets("../2026-01-01", "1998-05-02") && meets("/2026-01-01", "1998-05-02"));
        assert!(meets("2026-01-01/..", "2031-05-02") && meets("2026-01-01/", "2031-05-02"));
        assert!(!meets("2026-01-01/..", "2025-12-31"));
        assert!(meets("../..", "2025-12-31"));
    }

    #[test]
    fn a_pair_is_met_where_it_overlaps() {
        let asked = parse("2026-02-01/2026-02-28").expect("an interval");
        assert!(asked.meets(Some("2026-01-01"), Some("2026-03-01")));
        assert!(asked.meets(Some("2026-01-01"), None));
        assert!(!asked.meets(Some("2026-03-01"), None));
        assert!(!asked.meets(None, None));
    }

    #[test]
    fn wrong_times_are_refused() {
        for text in ["", "hier", "2026", "2026-13-01", "2026-06-31", "2026-02-02/2026-01-01", "a/b", "2026-01-01/2026-01-02/2026-01-03", "..", "10:00:00Z"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
