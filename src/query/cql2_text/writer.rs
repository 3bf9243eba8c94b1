//! A filter as CQL2 text. What is written is read again as the same filter, but for a text that ends in a backslash,
//! which the grammar cannot spell.

use std::fmt::Write;

use geojson::GeometryValue;
use geojson::Position;

use crate::query::cql2_text::lexer::continues_a_word;
use crate::query::cql2_text::lexer::starts_a_word;
use crate::query::cql2_text::operand::RESERVED;
use crate::query::filter::Filter;
use crate::query::filter::shape::Shape;

/// How tightly an expression holds together: a looser one inside a tighter one stands in brackets.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Hold {
    Or,
    And,
    Not,
    Predicate,
    Value,
}

pub fn write(filter: &Filter) -> String {
    let mut text = String::new();
    expression(&mut text, filter);
    text
}

fn hold(filter: &Filter) -> Hold {
    match filter {
        Filter::Or(_) => Hold::Or,
        Filter::And(_) => Hold::And,
        Filter::Not(_) => Hold::Not,
        Filter::Compare(..) | Filter::Like(..) | Filter::Between(..) | Filter::In(..) | Filter::IsNull(_) | Filter::Arithmetic(..) => {
            Hold::Predicate
        }
        _ => Hold::Value,
    }
}

fn inside(out: &mut String, filter: &Filter, least: Hold) {
    let is_looser = hold(filter) < least;
    out.push_str(if is_looser { "(" } else { "" });
    expression(out, filter);
    out.push_str(if is_looser { ")" } else { "" });
}

fn joined(out: &mut String, all: &[Filter], between: &str, least: Hold) {
    for (at, part) in all.iter().enumerate() {
        out.push_str(if at > 0 { between } else { "" });
        inside(out, part, least);
    }
}

fn call(out: &mut String, name: &str, arguments: &[&Filter]) {
    out.push_str(name);
    out.push('(');
    for (at, argument) in arguments.iter().enumerate() {
        out.push_str(if at > 0 { ", " } else { "" });
        expression(out, argument);
    }
    out.push(')');
}

/// Left, a word, right.
fn infix(out: &mut String, left: &Filter, word: &str, right: &Filter) {
    inside(out, left, Hold::Value);
    let _ = write!(out, " {word} ");
    inside(out, right, Hold::Value);
}

fn expression(out: &mut String, filter: &Filter) {
    match filter {
        Filter::And(all) => joined(out, all, " AND ", Hold::Not),
        Filter::Or(all) => joined(out, all, " OR ", Hold::And),
        Filter::Not(one) => {
            out.push_str("NOT ");
            inside(out, one, Hold::Not);
        }
        Filter::Compare(operator, a, b) => infix(out, a, operator.word(), b),
        Filter::Arithmetic(operator, a, b) => infix(out, a, operator.word(), b),
        Filter::Like(text, pattern) => infix(out, text, "LIKE", pattern),
        Filter::Between(value, least, greatest) => {
            infix(out, value, "BETWEEN", least);
            out.push_str(" AND ");
            inside(out, greatest, Hold::Value);
        }
        Filter::In(value, items) => {
            inside(out, value, Hold::Value);
            out.push_str(" IN (");
            joined(out, items, ", ", Hold::Or);
            out.push(')');
        }
        Filter::IsNull(value) => {
            inside(out, value, Hold::Value);
            out.push_str(" IS NULL");
        }
        Filter::Spatial(relation, a, b) => call(out, relation.word(), &[a, b]),
        Filter::Temporal(relation, a, b) => call(out, relation.word(), &[a, b]),
        Filter::Array(relation, a, b) => call(out, relation.word(), &[a, b]),
        value => self::value(out, value),
    }
}

fn value(out: &mut String, filter: &Filter) {
    match filter {
        Filter::Property(property) => name(out, property),
        Filter::Text(text) => quoted(out, text),
        Filter::Integer(whole) => {
            let _ = write!(out, "{whole}");
        }
        Filter::Real(real) => number(out, *real),
        Filter::Boolean(value) => out.push_str(if *value { "TRUE" } else { "FALSE" }),
        Filter::Moment(moment) => {
            let _ = write!(out, "{}('{moment}')", if moment.is_day() { "DATE" } else { "TIMESTAMP" });
        }
        Filter::Open => out.push_str("'..'"),
        Filter::Interval(start, end) => {
            out.push_str("INTERVAL(");
            interval_end(out, start);
            out.push_str(", ");
            interval_end(out, end);
            out.push(')');
        }
        Filter::Shape(shape) => self::shape(out, shape),
        Filter::List(items) => {
            out.push('(');
            joined(out, items, ", ", Hold::Or);
            out.push(')');
        }
        Filter::Casei(text) => call(out, "CASEI", &[text]),
        Filter::Accenti(text) => call(out, "ACCENTI", &[text]),
        Filter::Function(name, arguments) => call(out, name, &arguments.iter().collect::<Vec<_>>()),
        condition => expression(out, condition),
    }
}

fn interval_end(out: &mut String, filter: &Filter) {
    match filter {
        Filter::Moment(moment) => {
            let _ = write!(out, "'{moment}'");
        }
        other => expression(out, other),
    }
}

/// Bare where the grammar lets it, as people write it.
fn name(out: &mut String, property: &str) {
    let mut signs = property.chars();
    let is_bare = signs.next().is_some_and(starts_a_word)
        && signs.all(continues_a_word)
        && !RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(property));
    if is_bare {
        out.push_str(property);
    } else {
        let _ = write!(out, "\"{}\"", property.replace('"', "\"\""));
    }
}

/// A quotation mark is doubled, or behind a backslash where one stands before it already.
fn quoted(out: &mut String, text: &str) {
    out.push('\'');
    let mut before = ' ';
    for sign in text.chars() {
        if sign == '\'' {
            out.push(if before == '\\' { '\\' } else { '\'' });
        }
        out.push(sign);
        before = sign;
    }
    out.push('\'');
}

/// With a point, so that it is read as no whole number.
fn number(out: &mut String, real: f64) {
    let text = format!("{real:?}");
    out.push_str(&text);
    if !text.contains(['.', 'e', 'E']) {
        out.push_str(".0");
    }
}

fn shape(out: &mut String, shape: &Shape) {
    match shape {
        Shape::Box(numbers) => {
            out.push_str("BBOX(");
            for (at, number) in numbers.iter().enumerate() {
                let _ = write!(out, "{}{number}", if at > 0 { ", " } else { "" });
            }
            out.push(')');
        }
        Shape::Written(value) => geometry(out, value),
        Shape::Placed(placed) => geometry(out, &GeometryValue::from(placed)),
    }
}

fn geometry(out: &mut String, value: &GeometryValue) {
    let mut tagged = |name: &str, first: Option<&Position>, body: &dyn Fn(&mut String)| {
        let z = if first.is_some_and(|position| position.as_slice().len() > 2) { " Z" } else { "" };
        let _ = write!(out, "{name}{z} ");
        body(out);
    };
    match value {
        GeometryValue::Point { coordinates: c } => tagged("POINT", Some(c), &|out| list(out, std::slice::from_ref(c), position)),
        GeometryValue::LineString { coordinates: c } => tagged("LINESTRING", c.first(), &|out| line(out, c)),
        GeometryValue::Polygon { coordinates: c } => tagged("POLYGON", c.iter().flatten().next(), &|out| area(out, c)),
        GeometryValue::MultiPoint { coordinates: c } => {
            tagged("MULTIPOINT", c.first(), &|out| list(out, c, |out, at| list(out, std::slice::from_ref(at), position)));
        }
        GeometryValue::MultiLineString { coordinates: c } => {
            tagged("MULTILINESTRING", c.iter().flatten().next(), &|out| area(out, c));
        }
        GeometryValue::MultiPolygon { coordinates: c } => {
            tagged("MULTIPOLYGON", c.iter().flatten().flatten().next(), &|out| list(out, c, |out, part| area(out, part)));
        }
        GeometryValue::GeometryCollection { geometries } => {
            tagged("GEOMETRYCOLLECTION", None, &|out| list(out, geometries, |out, part| geometry(out, &part.value)));
        }
    }
}

fn list<T>(out: &mut String, all: &[T], write: impl Fn(&mut String, &T)) {
    out.push('(');
    for (at, part) in all.iter().enumerate() {
        out.push_str(if at > 0 { ", " } else { "" });
        write(out, part);
    }
    out.push(')');
}

fn line(out: &mut String, positions: &[Position]) {
    list(out, positions, position);
}

fn area(out: &mut String, rings: &[Vec<Position>]) {
    list(out, rings, |out, ring| line(out, ring));
}

fn position(out: &mut String, at: &Position) {
    for (place, number) in at.as_slice().iter().enumerate() {
        let _ = write!(out, "{}{number}", if place > 0 { " " } else { "" });
    }
}
