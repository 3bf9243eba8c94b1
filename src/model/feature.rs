//! One row: its id and the value of a field.

/// Identity of a feature in every output, the same from one version to the next.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FeatureId {
    Integer(i64),
    Text(String),
}

impl std::fmt::Display for FeatureId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            FeatureId::Integer(id) => write!(f, "{id}"),
            FeatureId::Text(id) => f.write_str(id),
        }
    }
}

/// A value where it lies. Reals are finite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    Null,
    Text(&'a str),
    Integer(i64),
    Real(f64),
    Boolean(bool),
    Date(&'a str),
    DateTime(&'a str),
}
