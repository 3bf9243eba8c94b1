//! From a filter as a client wrote it to a filter of a layer: every name known, every operand of its kind, every geometry
//! in lon, lat. What passes here can be evaluated and translated without a fault.

use crate::model::crs::Crs;
use crate::model::layer::Layer;
use crate::query::filter::Filter;
use crate::query::filter::GEOMETRY;
use crate::query::filter::ID;
use crate::query::filter::Temporal;
use crate::query::filter::cost;
use crate::query::filter::kind;
use crate::query::filter::kind::Kind;
use crate::query::filter::moment::Moment;
use crate::query::filter::shape::Shape;

/// `crs`: what the geometries are written in (`filter-crs`).
///
/// # Errors
/// What was expected, for the client (`/req/features-filter/response` E, `/req/queryables/expression-construction`).
pub fn resolve(filter: Filter, layer: &Layer, crs: Crs) -> Result<Filter, String> {
    cost::check(&filter)?;
    Resolver { layer, crs }.wanted(filter, Kind::Boolean, "a filter")
}

/// Names that a filter may use, in the order of the layer.
pub fn names(layer: &Layer) -> Vec<&str> {
    let own = layer.fields.iter().map(|field| field.name.as_str());
    std::iter::once(ID).chain(layer.geometry.map(|_| GEOMETRY)).chain(own).collect()
}

struct Resolver<'a> {
    layer: &'a Layer,
    crs: Crs,
}

type Found = Result<(Filter, Kind), String>;

impl Resolver<'_> {
    fn wanted(&self, filter: Filter, wanted: Kind, where_: &str) -> Result<Filter, String> {
        match self.any(filter)? {
            (filter, found) if found == wanted => Ok(filter),
            (_, found) => Err(format!("expected {} in {where_}, found {}", wanted.word(), found.word())),
        }
    }

    fn boxed(&self, filter: Filter, wanted: Kind, where_: &str) -> Result<Box<Filter>, String> {
        self.wanted(filter, wanted, where_).map(Box::new)
    }

    fn any(&self, filter: Filter) -> Found {
        Ok(match filter {
            Filter::Property(name) => self.property(name)?,
            Filter::Text(_) => (filter, Kind::Text),
            Filter::Real(number) if !number.is_finite() => return Err("expected numbers that are finite".to_owned()),
            Filter::Integer(_) | Filter::Real(_) => (filter, Kind::Number),
            Filter::Boolean(_) => (filter, Kind::Boolean),
            Filter::Moment(moment) => (filter, if moment.is_day() { Kind::Day } else { Kind::Instant }),
            Filter::Interval(start, end) => (Filter::Interval(self.end(*start)?, self.end(*end)?), Kind::Interval),
            Filter::Shape(shape) => (Filter::Shape(Shape::Placed(shape.placed(self.crs)?)), Kind::Geometry),
            Filter::Open => return Err("expected `..` inside an interval alone".to_owned()),
            Filter::List(_) | Filter::Array(..) => return Err("expected no array: no property of this collection is one".to_owned()),
            Filter::Function(name, _) => return Err(unknown_function(&name)),
            Filter::Casei(text) => (Filter::Casei(self.boxed(*text, Kind::Text, "CASEI")?), Kind::Text),
            Filter::Accenti(text) => (Filter::Accenti(self.boxed(*text, Kind::Text, "ACCENTI")?), Kind::Text),
            Filter::Arithmetic(operator, a, b) => {
                let place = operator.word();
                let both = (self.boxed(*a, Kind::Number, place)?, self.boxed(*b, Kind::Number, place)?);
                (Filter::Arithmetic(operator, both.0, both.1), Kind::Number)
            }
            condition => (self.condition(condition)?, Kind::Boolean),
        })
    }

    fn condition(&self, filter: Filter) -> Result<Filter, String> {
        let all = |conditions: Vec<Filter>, place: &str| -> Result<Vec<Filter>, String> {
            conditions.into_iter().map(|condition| self.wanted(condition, Kind::Boolean, place)).collect()
        };
        Ok(match filter {
            Filter::And(conditions) => Filter::And(all(conditions, "AND")?),
            Filter::Or(conditions) => Filter::Or(all(conditions, "OR")?),
            Filter::Not(condition) => Filter::Not(self.boxed(*condition, Kind::Boolean, "NOT")?),
            Filter::Compare(operator, a, b) => {
                let (a, b) = self.pair(*a, *b, operator.word())?;
                Filter::Compare(operator, Box::new(a), Box::new(b))
            }
            Filter::Like(text, pattern) => {
                Filter::Like(self.boxed(*text, Kind::Text, "LIKE")?, self.boxed(*pattern, Kind::Text, "the pattern of LIKE")?)
            }
            Filter::Between(value, least, greatest) => {
                let (least, _) = self.pair((*least).clone(), (*value).clone(), "BETWEEN")?;
                let (value, greatest) = self.pair(*value, *greatest, "BETWEEN")?;
                Filter::Between(Box::new(value), Box::new(least), Box::new(greatest))
            }
            Filter::In(value, items) => {
                let pairs = items.into_iter().map(|item| self.pair((*value).clone(), item, "IN"));
                let (mut values, items): (Vec<Filter>, Vec<Filter>) = pairs.collect::<Result<Vec<_>, String>>()?.into_iter().unzip();
                let value = values.pop().ok_or("expected at least one value in the list of IN")?;
                Filter::In(Box::new(value), items)
            }
            Filter::IsNull(value) => Filter::IsNull(Box::new(self.any(*value)?.0)),
            Filter::Spatial(relation, a, b) => {
                let place = relation.word();
                Filter::Spatial(relation, self.boxed(*a, Kind::Geometry, place)?, self.boxed(*b, Kind::Geometry, place)?)
            }
            Filter::Temporal(relation, a, b) => Filter::Temporal(relation, self.time(*a, relation)?, self.time(*b, relation)?),
            other => other,
        })
    }

    fn property(&self, name: String) -> Found {
        match kind::of_property(&name, self.layer) {
            Some(found) => Ok((Filter::Property(name), found)),
            None => {
                let known = names(self.layer);
                let shown: String = name.chars().take(40).collect();
                Err(format!("unknown property `{shown}`, expected one of {}", known.join(", ")))
            }
        }
    }

    /// Two values that can be compared. A text is taken for a date where the other is one, as clients write it.
    fn pair(&self, a: Filter, b: Filter, place: &str) -> Result<(Filter, Filter), String> {
        let ((a, a_kind), (b, b_kind)) = (self.any(a)?, self.any(b)?);
        let fits = a_kind == b_kind || (a_kind.is_moment() && b_kind.is_moment());
        match (fits, &a, &b) {
            (true, ..) if !matches!(a_kind, Kind::Geometry | Kind::Interval) => Ok((a, b)),
            (false, Filter::Text(text), _) if b_kind.is_moment() => Ok((moment(text)?, b)),
            (false, _, Filter::Text(text)) if a_kind.is_moment() => Ok((a, moment(text)?)),
            _ => Err(format!("expected two values of one kind at {place}, found {} and {}{}", a_kind.word(), b_kind.word(), hint(&a, &b))),
        }
    }

    /// An end of an interval: a moment, a property that holds one, or open.
    fn end(&self, filter: Filter) -> Result<Box<Filter>, String> {
        let filter = match filter {
            Filter::Open => filter,
            Filter::Text(text) if text == ".." => Filter::Open,
            Filter::Text(text) => moment(&text)?,
            other => match self.any(other)? {
                (other, found) if found.is_moment() => other,
                (_, found) => return Err(format!("expected a date, a timestamp or `..` in an interval, found {}", found.word())),
            },
        };
        Ok(Box::new(filter))
    }

    fn time(&self, filter: Filter, relation: Temporal) -> Result<Box<Filter>, String> {
        let filter = match filter {
            Filter::Text(text) => moment(&text)?,
            other => other,
        };
        match self.any(filter)? {
            (filter, Kind::Interval) => Ok(Box::new(filter)),
            (filter, found) if found.is_moment() && relation.takes_instants() => Ok(Box::new(filter)),
            (_, found) => {
                let expected = if relation.takes_instants() { "a date, a timestamp or an interval" } else { "an interval" };
                Err(format!("expected {expected} in {}, found {}", relation.word(), found.word()))
            }
        }
    }
}

fn moment(text: &str) -> Result<Filter, String> {
    let shown = || text.chars().take(40).collect::<String>();
    Moment::parse(text).map(Filter::Moment).ok_or_else(|| format!("expected an RFC 3339 date or timestamp, found `{}`", shown()))
}

/// The slip that is made most: a code without its quotation marks, or a number inside them.
fn hint(a: &Filter, b: &Filter) -> &'static str {
    match (a, b) {
        (Filter::Property(_), Filter::Integer(_) | Filter::Real(_)) => " (texts stand between quotation marks: 'text')",
        (Filter::Property(_), Filter::Text(_)) => " (numbers and booleans stand without quotation marks)",
        _ => "",
    }
}

fn unknown_function(name: &str) -> String {
    let shown: String = name.chars().take(40).collect();
    format!("unknown function `{shown}`, expected CASEI, ACCENTI or one of the spatial and temporal functions of CQL2")
}
