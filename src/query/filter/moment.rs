//! Instants and days of filters, and how two spans of time lie to each other (OWL-Time; CQL2 `/req/temporal-functions`).

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::query::datetime;
use crate::query::filter::Temporal;

/// `DATE('2026-06-30')` or `TIMESTAMP('2026-06-30T10:00:00Z')`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    Day(Date),
    Instant(Timestamp),
}

/// Microseconds of a day but one: from its first to its last.
const DAY_US: i64 = 86_400_000_000 - 1;

/// Ends of spans that are open.
pub const BEGINNING: i64 = i64::MIN;
pub const END: i64 = i64::MAX;

impl Moment {
    /// An RFC 3339 date or instant, and no other form of ISO 8601. An instant without a zone, which data have, is UTC.
    pub fn parse(text: &str) -> Option<Moment> {
        let text = text.trim();
        match text.len() {
            10 => text.parse().ok().map(Moment::Day),
            _ => datetime::instant(text).or_else(|| datetime::instant(&format!("{text}Z"))).map(Moment::Instant),
        }
    }

    /// Microseconds since 1970 in UTC; of a day, its first.
    pub fn micros(self) -> i64 {
        match self {
            Moment::Day(day) => day.to_zoned(TimeZone::UTC).map_or(BEGINNING, |start| start.timestamp().as_microsecond()),
            Moment::Instant(instant) => instant.as_microsecond(),
        }
    }

    pub fn is_day(self) -> bool {
        matches!(self, Moment::Day(_))
    }
}

impl std::fmt::Display for Moment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Moment::Day(day) => write!(f, "{day}"),
            Moment::Instant(instant) => write!(f, "{instant}"),
        }
    }
}

/// Microseconds of a text that a column of dates or instants holds; `None` for what is neither.
pub fn micros_of(text: &str) -> Option<i64> {
    Moment::parse(text).map(Moment::micros)
}

/// The last microsecond of what begins at `micros`: days last, where they meet instants.
pub fn last_of_day(micros: i64) -> i64 {
    micros.saturating_add(DAY_US)
}

/// Whether the relation holds between two spans, both ends of which belong to them.
pub fn holds(relation: Temporal, (start, end): (i64, i64), (other_start, other_end): (i64, i64)) -> bool {
    match relation {
        Temporal::After => start > other_end,
        Temporal::Before => end < other_start,
        Temporal::Disjoint => start > other_end || end < other_start,
        Temporal::Intersects => start <= other_end && end >= other_start,
        Temporal::Equals => start == other_start && end == other_end,
        Temporal::Contains => start < other_start && end > other_end,
        Temporal::During => start > other_start && end < other_end,
        Temporal::FinishedBy => start < other_start && end == other_end,
        Temporal::Finishes => start > other_start && end == other_end,
        Temporal::Meets => end == other_start,
        Temporal::MetBy => start == other_end,
        Temporal::OverlappedBy => start > other_start && start < other_end && end > other_end,
        Temporal::Overlaps => start < other_start && end > other_start && end < other_end,
        Temporal::StartedBy => start == other_start && end > other_end,
        Temporal::Starts => start == other_start && end < other_end,
    }
}

impl Temporal {
    /// The others hold between intervals alone (CQL2 §7.6.2).
    pub fn takes_instants(self) -> bool {
        matches!(self, Temporal::After | Temporal::Before | Temporal::Disjoint | Temporal::Equals | Temporal::Intersects)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_instants_are_read_and_nothing_else() {
        assert!(Moment::parse("2026-06-30").is_some_and(Moment::is_day));
        assert_eq!(micros_of("1970-01-01T00:00:01.5Z"), Some(1_500_000));
        assert_eq!(micros_of("1970-01-01T01:00:00+01:00"), Some(0));
        assert_eq!(micros_of("1970-01-01T00:00:01"), Some(1_000_000), "without a zone, as a Shapefile has it");
        assert_eq!(micros_of("1970-01-02"), Some(86_400_000_000));
        for text in ["2026-02-30", "hier", "20260630", "2026-06-30 10:00", "", "2026-06-30T25:00:00Z"] {
            assert_eq!(Moment::parse(text), None, "{text}");
        }
    }

    #[test]
    fn every_relation_of_two_intervals_is_one_of_thirteen() {
        let exclusive = [
            Temporal::Before,
            Temporal::After,
            Temporal::Meets,
            Temporal::MetBy,
            Temporal::Overlaps,
            Temporal::OverlappedBy,
            Temporal::Starts,
            Temporal::StartedBy,
            Temporal::During,
            Temporal::Contains,
            Temporal::Finishes,
            Temporal::FinishedBy,
            Temporal::Equals,
        ];
        // Proper intervals on a line of seven places: Allen's thirteen relations, exactly one each.
        for (a, b) in (0..7).flat_map(|a| (a + 1..7).map(move |b| (a, b))) {
            for (c, d) in (0..7).flat_map(|c| (c + 1..7).map(move |d| (c, d))) {
                let held: Vec<_> = exclusive.iter().filter(|relation| holds(**relation, (a, b), (c, d))).collect();
                assert_eq!(held.len(), 1, "({a}, {b}) ({c}, {d}): {held:?}");
                assert_ne!(holds(Temporal::Disjoint, (a, b), (c, d)), holds(Temporal::Intersects, (a, b), (c, d)));
            }
        }
    }
}
