//! CQL2 JSON (`/req/cql2-json`, OGC 21-065r2 §8.3): read into a [`Filter`], and written from one.

mod writer;

use geojson::GeometryValue;
use serde_json::Map;
use serde_json::Value;

pub use crate::query::cql2_json::writer::write;
use crate::query::filter::Arithmetic;
use crate::query::filter::ArrayRelation;
use crate::query::filter::Comparison;
use crate::query::filter::Filter;
use crate::query::filter::Spatial;
use crate::query::filter::Temporal;
use crate::query::filter::cost;
use crate::query::filter::moment::Moment;
use crate::query::filter::shape::Shape;

/// # Errors
/// What was expected, for the client.
pub fn parse(text: &str) -> Result<Filter, String> {
    if text.len() > cost::LENGTH_MAX {
        return Err(format!("expected at most {} bytes, found {}", cost::LENGTH_MAX, text.len()));
    }
    // The reader itself goes no deeper than 128 levels.
    let value: Value = serde_json::from_str(text).map_err(|error| format!("expected JSON: {error}"))?;
    read(value)
}

/// # Errors
/// What was expected, for the client.
pub fn read(value: Value) -> Result<Filter, String> {
    match value {
        Value::Bool(value) => Ok(Filter::Boolean(value)),
        Value::String(text) => Ok(Filter::Text(text)),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Ok(Filter::Integer(whole)),
            (None, Some(real)) => Ok(Filter::Real(real)),
            _ => Err(format!("expected a number that fits, found {number}")),
        },
        Value::Array(items) => Ok(Filter::List(all(items)?)),
        Value::Object(object) => object_of(object),
        Value::Null => Err("expected a value, found null (`isNull` asks for absent values)".to_owned()),
    }
}

fn all(items: Vec<Value>) -> Result<Vec<Filter>, String> {
    items.into_iter().map(read).collect()
}

/// An object is known by its one telling member.
fn object_of(mut object: Map<String, Value>) -> Result<Filter, String> {
    if let Some(op) = object.remove("op") {
        let Value::String(op) = op else { return Err("expected a text in `op`".to_owned()) };
        let Some(Value::Array(arguments)) = object.remove("args") else { return Err(format!("expected an array `args` beside `{op}`")) };
        return operation(&op, arguments);
    }
    if let Some(name) = object.remove("property") {
        return match name {
            Value::String(name) => Ok(Filter::Property(name)),
            _ => Err("expected a text in `property`".to_owned()),
        };
    }
    for (member, is_date) in [("date", true), ("timestamp", false)] {
        if let Some(text) = object.remove(member) {
            let moment = text.as_str().and_then(Moment::parse).filter(|moment| moment.is_day() == is_date);
            return moment.map(Filter::Moment).ok_or_else(|| format!("expected an RFC 3339 {member} in `{member}`"));
        }
    }
    if let Some(ends) = object.remove("interval") {
        return interval(ends);
    }
    if let Some(numbers) = object.remove("bbox").filter(|_| !object.contains_key("type")) {
        let numbers: Result<Vec<f64>, _> = serde_json::from_value(numbers);
        return numbers.map(|numbers| Filter::Shape(Shape::Box(numbers))).map_err(|_| "expected numbers in `bbox`".to_owned());
    }
    if object.contains_key("type") {
        let geometry: Result<GeometryValue, _> = serde_json::from_value(Value::Object(object));
        return geometry.map(|value| Filter::Shape(Shape::Written(value))).map_err(|error| format!("expected a GeoJSON geometry: {error}"));
    }
    Err("expected an object with `op`, `property`, `date`, `timestamp`, `interval`, `bbox` or a GeoJSON geometry".to_owned())
}

fn interval(ends: Value) -> Result<Filter, String> {
    let Value::Array(ends) = ends else { return Err("expected an array of two in `interval`".to_owned()) };
    let end = |end: Value| match end {
        Value::String(text) if text == ".." => Ok(Filter::Open),
        Value::String(text) => Ok(Moment::parse(&text).map_or(Filter::Text(text), Filter::Moment)),
        other => read(other),
    };
    let ends: Result<[Value; 2], _> = ends.try_into();
    let [start, last] = ends.map_err(|ends: Vec<Value>| format!("expected two ends in `interval`, found {}", ends.len()))?;
    Ok(Filter::Interval(Box::new(end(start)?), Box::new(end(last)?)))
}

fn operation(op: &str, arguments: Vec<Value>) -> Result<Filter, String> {
    let one = |filters: Vec<Filter>| fixed::<1>(op, filters).map(|[only]| Box::new(only));
    let two = |filters: Vec<Filter>| fixed::<2>(op, filters).map(|[a, b]| (Box::new(a), Box::new(b)));
    let filters = all(arguments)?;
    Ok(match op.to_ascii_lowercase().as_str() {
        "and" => Filter::And(at_least_two(op, filters)?),
        "or" => Filter::Or(at_least_two(op, filters)?),
        "not" => Filter::Not(one(filters)?),
        "isnull" => Filter::IsNull(one(filters)?),
        "casei" => Filter::Casei(one(filters)?),
        "accenti" => Filter::Accenti(one(filters)?),
        "like" => two(filters).map(|(text, pattern)| Filter::Like(text, pattern))?,
        "between" => fixed::<3>(op, filters).map(|[a, b, c]| Filter::Between(Box::new(a), Box::new(b), Box::new(c)))?,
        "in" => match fixed::<2>(op, filters)? {
            [value, Filter::List(items)] => Filter::In(Box::new(value), items),
            _ => return Err("expected an array as second argument of `in`".to_owned()),
        },
        lower => return relation(lower, op, filters),
    })
}

fn relation(lower: &str, op: &str, filters: Vec<Filter>) -> Result<Filter, String> {
    let two = |filters: Vec<Filter>| fixed::<2>(op, filters).map(|[a, b]| (Box::new(a), Box::new(b)));
    if let Some(operator) = Comparison::from_word(lower) {
        return two(filters).map(|(a, b)| Filter::Compare(operator, a, b));
    }
    if let Some(operator) = Arithmetic::from_word(lower) {
        return two(filters).map(|(a, b)| Filter::Arithmetic(operator, a, b));
    }
    if let Some(relation) = Spatial::from_word(lower) {
        return two(filters).map(|(a, b)| Filter::Spatial(relation, a, b));
    }
    if let Some(relation) = Temporal::from_word(lower) {
        return two(filters).map(|(a, b)| Filter::Temporal(relation, a, b));
    }
    if let Some(relation) = ArrayRelation::from_word(lower) {
        return two(filters).map(|(a, b)| Filter::Array(relation, a, b));
    }
    Ok(Filter::Function(op.to_owned(), filters))
}

fn fixed<const N: usize>(op: &str, filters: Vec<Filter>) -> Result<[Filter; N], String> {
    filters.try_into().map_err(|filters: Vec<Filter>| format!("expected {N} arguments of `{op}`, found {}", filters.len()))
}

fn at_least_two(op: &str, filters: Vec<Filter>) -> Result<Vec<Filter>, String> {
    if filters.len() < 2 {
        return Err(format!("expected at least two arguments of `{op}`, found {}", filters.len()));
    }
    Ok(filters)
}
