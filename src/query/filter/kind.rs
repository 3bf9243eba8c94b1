//! What an expression of a resolved filter is.

use crate::model::layer::FieldType;
use crate::model::layer::IdKind;
use crate::model::layer::Layer;
use crate::query::filter::Filter;
use crate::query::filter::GEOMETRY;
use crate::query::filter::ID;
use crate::query::filter::moment::Moment;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    Number,
    /// A condition is one.
    Boolean,
    Day,
    Instant,
    Interval,
    Geometry,
    List,
}

impl Kind {
    /// For a refusal.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Text => "a text",
            Kind::Number => "a number",
            Kind::Boolean => "a boolean",
            Kind::Day => "a date",
            Kind::Instant => "a timestamp",
            Kind::Interval => "an interval",
            Kind::Geometry => "a geometry",
            Kind::List => "an array",
        }
    }

    pub fn is_moment(self) -> bool {
        matches!(self, Kind::Day | Kind::Instant)
    }
}

/// What a property of the layer holds; `None` for a name that it does not have.
pub fn of_property(name: &str, layer: &Layer) -> Option<Kind> {
    match name {
        GEOMETRY => layer.geometry.map(|_| Kind::Geometry),
        ID => Some(if layer.id_kind == IdKind::Integer { Kind::Number } else { Kind::Text }),
        name => layer.field(name).map(|field| match field.field_type {
            FieldType::Text => Kind::Text,
            FieldType::Integer | FieldType::Real => Kind::Number,
            FieldType::Boolean => Kind::Boolean,
            FieldType::Date => Kind::Day,
            FieldType::DateTime => Kind::Instant,
        }),
    }
}

/// Of a resolved filter: what it holds is known to fit.
pub fn of(filter: &Filter, layer: &Layer) -> Kind {
    match filter {
        Filter::Property(name) => of_property(name, layer).unwrap_or(Kind::Text),
        Filter::Text(_) | Filter::Casei(_) | Filter::Accenti(_) | Filter::Function(..) => Kind::Text,
        Filter::Integer(_) | Filter::Real(_) | Filter::Arithmetic(..) => Kind::Number,
        Filter::Moment(Moment::Day(_)) => Kind::Day,
        Filter::Moment(Moment::Instant(_)) | Filter::Open => Kind::Instant,
        Filter::Interval(..) => Kind::Interval,
        Filter::Shape(_) => Kind::Geometry,
        Filter::List(_) => Kind::List,
        Filter::Boolean(_)
        | Filter::And(_)
        | Filter::Or(_)
        | Filter::Not(_)
        | Filter::Compare(..)
        | Filter::Like(..)
        | Filter::Between(..)
        | Filter::In(..)
        | Filter::IsNull(_)
        | Filter::Spatial(..)
        | Filter::Temporal(..)
        | Filter::Array(..) => Kind::Boolean,
    }
}
