//! A filter as CQL2 JSON.

use geojson::GeometryValue;
use serde_json::Value;
use serde_json::json;

use crate::query::filter::Filter;
use crate::query::filter::shape::Shape;

pub fn write(filter: &Filter) -> Value {
    let op = |op: &str, arguments: &[&Filter]| operation(op, arguments.iter().map(|argument| write(argument)).collect());
    match filter {
        Filter::Property(name) => json!({ "property": name }),
        Filter::Text(text) => json!(text),
        Filter::Integer(whole) => json!(whole),
        Filter::Real(real) => json!(real),
        Filter::Boolean(value) => json!(value),
        Filter::Moment(moment) if moment.is_day() => json!({ "date": moment.to_string() }),
        Filter::Moment(moment) => json!({ "timestamp": moment.to_string() }),
        Filter::Open => json!(".."),
        Filter::Interval(start, end) => json!({ "interval": [interval_end(start), interval_end(end)] }),
        Filter::Shape(Shape::Box(numbers)) => json!({ "bbox": numbers }),
        Filter::Shape(Shape::Written(value)) => json!(value),
        Filter::Shape(Shape::Placed(geometry)) => json!(GeometryValue::from(geometry)),
        Filter::List(items) => Value::Array(items.iter().map(write).collect()),
        Filter::Casei(text) => op("casei", &[text]),
        Filter::Accenti(text) => op("accenti", &[text]),
        Filter::Arithmetic(operator, a, b) => op(operator.word(), &[a, b]),
        Filter::Function(name, arguments) => operation(name, arguments.iter().map(write).collect()),
        Filter::And(all) => operation("and", all.iter().map(write).collect()),
        Filter::Or(all) => operation("or", all.iter().map(write).collect()),
        Filter::Not(one) => op("not", &[one]),
        Filter::Compare(operator, a, b) => op(operator.word(), &[a, b]),
        Filter::Like(text, pattern) => op("like", &[text, pattern]),
        Filter::Between(value, least, greatest) => op("between", &[value, least, greatest]),
        Filter::In(value, items) => operation("in", vec![write(value), Value::Array(items.iter().map(write).collect())]),
        Filter::IsNull(value) => op("isNull", &[value]),
        Filter::Spatial(relation, a, b) => op(&lower(relation.word()), &[a, b]),
        Filter::Temporal(relation, a, b) => op(&lower(relation.word()), &[a, b]),
        Filter::Array(relation, a, b) => op(&lower(relation.word()), &[a, b]),
    }
}

/// `t_metBy` of `T_METBY`: the schema writes a relation's second word with a capital.
fn lower(word: &str) -> String {
    let lower = word.to_ascii_lowercase();
    lower.strip_suffix("by").map_or(lower.clone(), |first| format!("{first}By"))
}

fn operation(op: &str, arguments: Vec<Value>) -> Value {
    json!({ "op": op, "args": arguments })
}

fn interval_end(filter: &Filter) -> Value {
    match filter {
        Filter::Moment(moment) => json!(moment.to_string()),
        other => write(other),
    }
}
