//! `datetime` (OGC API - Features `/req/core/fc-time-definition`).

/// Instants as RFC 3339 text in UTC; open ends are `None`. An instant is an interval of which both ends are equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interval {
    pub start: Option<String>,
    pub end: Option<String>,
}

/// # Errors
/// What was expected, for the client.
pub fn parse(_text: &str) -> Result<Interval, String> {
    unimplemented!()
}
