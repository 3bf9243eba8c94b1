//! `datetime` (OGC API - Features `/req/core/fc-time-definition`).

use jiff::Timestamp;
use jiff::civil::Date;

/// Instants as RFC 3339 text in UTC; open ends are `None`. An instant is an interval of which both ends are equal.
///
/// Compare by [`Interval::meets`], not by text: fractions of seconds are written only where there are any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interval {
    pub start: Option<String>,
    pub end: Option<String>,
}

const EXPECTED: &str = "expected an RFC 3339 instant or date, or an interval such as 2024-01-01/2024-12-31, ../2024-12-31 or 2024-01-01/..";

/// Reads an instant, a date (the whole day, in UTC) or an interval of them, half open at most.
///
/// # Errors
/// What was expected, for the client.
pub fn parse(text: &str) -> Result<Interval, String> {
    let refusal = || EXPECTED.to_owned();
    let Some((first, last)) = text.split_once('/') else {
        let (start, end) = span(text).ok_or_else(refusal)?;
        return Ok(Interval { start: Some(start.to_string()), end: Some(end.to_string()) });
    };
    let bound = |part: &str| match part {
        "" | ".." => Ok(None),
        part => span(part).map(Some).ok_or_else(refusal),
    };
    let (start, end) = (bound(first)?.map(|(start, _)| start), bound(last)?.map(|(_, end)| end));
    match (start, end) {
        // The grammar of `/req/core/fc-time-definition` leaves one end open, never both.
        (None, None) => Err(refusal()),
        (Some(start), Some(end)) if end < start => Err("expected the end of the interval after its start".to_owned()),
        _ => Ok(Interval { start: start.map(|start| start.to_string()), end: end.map(|end| end.to_string()) }),
    }
}

impl Interval {
    /// Whether a feature that lasts from `start` to `end` meets this interval (touching counts).
    ///
    /// Values are dates (the whole day), instants, or instants without a zone (taken as UTC). A feature with one time
    /// value passes it twice. Of a pair, an absent end is open; a feature without any time, or with one that cannot be
    /// read, meets nothing.
    pub fn meets(&self, start: Option<&str>, end: Option<&str>) -> bool {
        if start.is_none() && end.is_none() {
            return false;
        }
        let (Ok(first), Ok(last)) = (value(start), value(end)) else { return false };
        let (from, to) = (own(self.start.as_deref()), own(self.end.as_deref()));
        let begins_in_time = first.is_none_or(|(first, _)| to.is_none_or(|to| first <= to));
        let ends_in_time = last.is_none_or(|(_, last)| from.is_none_or(|from| last >= from));
        begins_in_time && ends_in_time
    }
}

fn own(text: Option<&str>) -> Option<Timestamp> {
    text.and_then(|text| text.parse().ok())
}

struct Unreadable;

fn value(text: Option<&str>) -> Result<Option<(Timestamp, Timestamp)>, Unreadable> {
    let Some(text) = text else { return Ok(None) };
    span(text).or_else(|| span(&format!("{text}Z"))).map(Some).ok_or(Unreadable)
}

/// First and last instant of a date or an instant.
fn span(text: &str) -> Option<(Timestamp, Timestamp)> {
    if is_shaped(text, "dddd-dd-dd") {
        let date: Date = text.parse().ok()?;
        let start: Timestamp = format!("{date}T00:00:00Z").parse().ok()?;
        let end: Timestamp = format!("{date}T23:59:59.999999999Z").parse().ok()?;
        return Some((start, end));
    }
    let instant = instant(text)?;
    Some((instant, instant))
}

/// An RFC 3339 instant, and no other form of ISO 8601.
pub fn instant(text: &str) -> Option<Timestamp> {
    is_instant(text).then(|| text.to_ascii_uppercase().parse().ok())?
}

/// RFC 3339 and no more: jiff reads other forms of ISO 8601 too.
fn is_instant(text: &str) -> bool {
    let Some((seconds, rest)) = text.split_at_checked(19) else { return false };
    let zone = match rest.strip_prefix('.') {
        Some(fraction) => {
            let zone = fraction.trim_start_matches(|sign: char| sign.is_ascii_digit());
            if zone.len() == fraction.len() {
                return false;
            }
            zone
        }
        None => rest,
    };
    is_shaped(seconds, "dddd-dd-ddtdd:dd:dd") && (zone.eq_ignore_ascii_case("z") || is_shaped(zone, "+dd:dd") || is_shaped(zone, "-dd:dd"))
}

/// `d` is a digit, anything else itself in either case.
fn is_shaped(text: &str, shape: &str) -> bool {
    text.len() == shape.len()
        && text
            .bytes()
            .zip(shape.bytes())
            .all(|(sign, wanted)| if wanted == b'd' { sign.is_ascii_digit() } else { sign.eq_ignore_ascii_case(&wanted) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(text: &str) -> (Option<String>, Option<String>) {
        let interval = parse(text).expect(text);
        (interval.start, interval.end)
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn instants_come_out_in_utc_and_a_date_is_its_whole_day() {
        assert_eq!(ends("2018-02-12t23:20:50+02:00"), (some("2018-02-12T21:20:50Z"), some("2018-02-12T21:20:50Z")));
        assert_eq!(ends("2018-02-12"), (some("2018-02-12T00:00:00Z"), some("2018-02-12T23:59:59.999999999Z")));
        assert_eq!(ends("2018-02-12/.."), (some("2018-02-12T00:00:00Z"), None));
        assert_eq!(ends("/2018-02-12T00:00:00.5Z"), (None, some("2018-02-12T00:00:00.5Z")));
        assert!(parse("2018-02-12/2018-02-12").is_ok());
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "..",
            "/",
            "../..",
            "hier",
            "2018",
            "2018-02",
            "2018-02-30",
            "2018-02-12T25:00:00Z",
            "2018-02-12T10:00:00",
            "20180212T100000Z",
            "2018-02-12 10:00:00Z",
            "2018-02-12T10:00:00.Z",
            "2018-02-12/2018-02-11",
            "2018-01-01/2018-01-02/2018-01-03",
            "2018-02-12T10:00:00Z[UTC]",
            "2018-02-12T10:00:00é",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn features_meet_by_instants_days_and_pairs() {
        let day = parse("2020-06-01/2020-06-30").expect("valid");
        assert!(day.meets(Some("2020-06-30"), Some("2020-06-30")));
        assert!(day.meets(Some("2020-06-30T23:59:59.5Z"), Some("2020-06-30T23:59:59.5Z")));
        assert!(day.meets(Some("2019-01-01"), None) && day.meets(None, Some("2020-06-01")));
        assert!(day.meets(Some("2020-06-15T10:00:00"), Some("2020-06-15T10:00:00")), "without a zone");
        assert!(!day.meets(Some("2020-07-01T01:00:00Z"), None) && !day.meets(None, Some("2020-05-31")));
        assert!(day.meets(Some("2020-07-01T01:00:00+02:00"), None), "still June in UTC");
        assert!(!day.meets(None, None) && !day.meets(Some("hier"), Some("hier")));
        let instant = parse("2020-06-01T12:00:00Z").expect("valid");
        assert!(instant.meets(Some("2020-06-01"), Some("2020-06-01")), "an instant lies in its day");
    }
}
