//! Filters as MapLibre expressions.
//!
//! MapLibre knows two truths, filters three: a condition is written so that it is true where the filter is, and false
//! where the filter is false or unknown. So a negation goes down to the comparisons, each of which says that its
//! properties are there. An absent property of a vector tile is one that the feature does not have.

use serde_json::Value;
use serde_json::json;

use crate::query::filter::Arithmetic;
use crate::query::filter::Comparison;
use crate::query::filter::Filter;
use crate::query::filter::GEOMETRY;
use crate::query::filter::ID;
use crate::query::filter::moment::Moment;

/// What has no equal in a web map, as the filter calls it.
pub type Written = Result<Value, String>;

/// True where the filter is true.
///
/// # Errors
/// The word of the filter that has no equal.
pub fn truth(filter: &Filter) -> Written {
    match filter {
        Filter::And(all) => joined("all", all, truth),
        Filter::Or(all) => joined("any", all, truth),
        Filter::Not(one) => falsity(one),
        Filter::Compare(operator, a, b) => compare(*operator, a, b),
        Filter::Between(value, least, greatest) => {
            both("all", compare(Comparison::GreaterOrEqual, value, least)?, compare(Comparison::LessOrEqual, value, greatest)?)
        }
        Filter::In(value, items) => guarded(&[value], within(value, items)?),
        Filter::Like(text, pattern) => guarded(&[text], like(text, pattern)?),
        Filter::IsNull(of) => Ok(json!(["==", value(of)?, null])),
        Filter::Boolean(truth) => Ok(json!(truth)),
        Filter::Property(_) => compare(Comparison::Equal, filter, &Filter::Boolean(true)),
        other => Err(word(other).to_owned()),
    }
}

/// True where the filter is false.
fn falsity(filter: &Filter) -> Written {
    match filter {
        Filter::And(all) => joined("any", all, falsity),
        Filter::Or(all) => joined("all", all, falsity),
        Filter::Not(one) => truth(one),
        Filter::Compare(operator, a, b) => compare(inverse(*operator), a, b),
        Filter::Between(value, least, greatest) => {
            both("any", compare(Comparison::Less, value, least)?, compare(Comparison::Greater, value, greatest)?)
        }
        Filter::In(value, items) => guarded(&[value], json!(["!", within(value, items)?])),
        Filter::Like(text, pattern) => guarded(&[text], json!(["!", like(text, pattern)?])),
        Filter::IsNull(of) => Ok(json!(["!=", value(of)?, null])),
        Filter::Boolean(truth) => Ok(json!(!truth)),
        Filter::Property(_) => compare(Comparison::Equal, filter, &Filter::Boolean(false)),
        other => Err(word(other).to_owned()),
    }
}

fn joined(operator: &str, filters: &[Filter], each: fn(&Filter) -> Written) -> Written {
    let parts = filters.iter().map(each).collect::<Result<Vec<Value>, String>>()?;
    Ok(all(operator, parts).unwrap_or_else(|| json!([operator])))
}

/// Several conditions as one, `None` for none: without conditions that say the same again.
pub fn all(operator: &str, parts: Vec<Value>) -> Option<Value> {
    let mut flat: Vec<Value> = Vec::new();
    for part in parts {
        let inner = match part {
            Value::Array(inner) if inner.first().is_some_and(|first| first == operator) => inner[1..].to_vec(),
            other => vec![other],
        };
        let new: Vec<Value> = inner.into_iter().filter(|part| !flat.contains(part)).collect();
        flat.extend(new);
    }
    match flat.len() {
        0 | 1 => flat.pop(),
        _ => Some(Value::Array(std::iter::once(json!(operator)).chain(flat).collect())),
    }
}

fn both(operator: &str, a: Value, b: Value) -> Written {
    Ok(all(operator, vec![a, b]).unwrap_or_else(|| json!([operator])))
}

fn inverse(operator: Comparison) -> Comparison {
    match operator {
        Comparison::Equal => Comparison::NotEqual,
        Comparison::NotEqual => Comparison::Equal,
        Comparison::Less => Comparison::GreaterOrEqual,
        Comparison::GreaterOrEqual => Comparison::Less,
        Comparison::Greater => Comparison::LessOrEqual,
        Comparison::LessOrEqual => Comparison::Greater,
    }
}

fn compare(operator: Comparison, a: &Filter, b: &Filter) -> Written {
    let sign = match operator {
        Comparison::Equal => "==",
        Comparison::NotEqual => "!=",
        other => other.word(),
    };
    let compared = json!([sign, value(a)?, value(b)?]);
    // A property that is absent equals no literal: nothing to guard.
    let is_plain = |one: &Filter, other: &Filter| matches!(one, Filter::Property(_)) && is_literal(other);
    if operator == Comparison::Equal && (is_plain(a, b) || is_plain(b, a)) { Ok(compared) } else { guarded(&[a, b], compared) }
}

pub fn is_literal(filter: &Filter) -> bool {
    matches!(filter, Filter::Text(_) | Filter::Integer(_) | Filter::Real(_) | Filter::Boolean(_) | Filter::Moment(_))
}

fn within(needle: &Filter, items: &[Filter]) -> Written {
    let items = items.iter().map(value).collect::<Result<Vec<Value>, String>>()?;
    Ok(json!(["in", value(needle)?, ["literal", items]]))
}

/// A literal text with `%` before it, behind it, or both.
fn like(text: &Filter, pattern: &Filter) -> Written {
    let written = match pattern {
        Filter::Text(written) => written.clone(),
        Filter::Casei(inner) => match &**inner {
            Filter::Text(written) => written.to_lowercase(),
            other => return Err(word(other).to_owned()),
        },
        other => return Err(word(other).to_owned()),
    };
    let (is_open_before, rest) = written.strip_prefix('%').map_or((false, written.as_str()), |rest| (true, rest));
    let is_open_after = rest.ends_with('%') && !rest.ends_with("\\%");
    let Some(literal) = unescaped(if is_open_after { &rest[..rest.len() - 1] } else { rest }) else {
        return Err(format!("LIKE '{written}'"));
    };
    // MapLibre counts as JavaScript does.
    let length = literal.encode_utf16().count();
    let text = value(text)?;
    Ok(match (is_open_before, is_open_after) {
        (true, true) => json!(["in", literal, text]),
        (false, true) => json!(["==", ["slice", text, 0, length], literal]),
        (true, false) => {
            json!(["all", [">=", ["length", text], length], ["==", ["slice", text, ["-", ["length", text], length]], literal]])
        }
        (false, false) => json!(["==", text, literal]),
    })
}

/// `None` where wildcards are left.
fn unescaped(pattern: &str) -> Option<String> {
    let mut literal = String::new();
    let mut signs = pattern.chars();
    while let Some(sign) = signs.next() {
        match sign {
            '%' | '_' => return None,
            '\\' => literal.push(signs.next()?),
            sign => literal.push(sign),
        }
    }
    Some(literal)
}

/// Where every property of the operands is there, and nothing is divided by zero.
fn guarded(operands: &[&Filter], condition: Value) -> Written {
    let mut guards = Vec::new();
    for operand in operands {
        needs(operand, &mut guards)?;
    }
    guards.push(condition);
    Ok(all("all", guards).unwrap_or_else(|| json!(true)))
}

fn needs(operand: &Filter, guards: &mut Vec<Value>) -> Result<(), String> {
    for child in operand.children() {
        needs(child, guards)?;
    }
    let guard = match operand {
        Filter::Property(name) if name != ID => json!(["has", name]),
        Filter::Arithmetic(Arithmetic::Divide | Arithmetic::Remainder, _, divisor) if !is_literal(divisor) => {
            json!(["!=", value(divisor)?, 0])
        }
        _ => return Ok(()),
    };
    if !guards.contains(&guard) {
        guards.push(guard);
    }
    Ok(())
}

/// # Errors
/// The word of the filter that has no equal.
pub fn value(filter: &Filter) -> Written {
    Ok(match filter {
        Filter::Property(name) if name == ID => json!(["id"]),
        Filter::Property(name) if name == GEOMETRY => return Err(GEOMETRY.to_owned()),
        Filter::Property(name) => json!(["get", name]),
        Filter::Text(text) => json!(text),
        Filter::Integer(whole) => json!(whole),
        Filter::Real(real) => json!(real),
        Filter::Boolean(truth) => json!(truth),
        // Tiles carry a day as its text, whose order is that of days; instants have more than one spelling.
        Filter::Moment(day @ Moment::Day(_)) => json!(day.to_string()),
        Filter::Moment(instant) => return Err(instant.to_string()),
        Filter::Casei(inner) => match &**inner {
            Filter::Text(text) => json!(text.to_lowercase()),
            other => json!(["downcase", value(other)?]),
        },
        Filter::Arithmetic(Arithmetic::WholeDivide, ..) => return Err(Arithmetic::WholeDivide.word().to_owned()),
        Filter::Arithmetic(operator, a, b) => json!([operator.word(), value(a)?, value(b)?]),
        other => return Err(word(other).to_owned()),
    })
}

fn word(filter: &Filter) -> &str {
    match filter {
        Filter::Function(name, _) => name,
        Filter::Spatial(relation, ..) => relation.word(),
        Filter::Temporal(relation, ..) => relation.word(),
        Filter::Array(relation, ..) => relation.word(),
        Filter::Accenti(_) => "ACCENTI",
        _ => "expression",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::cql2_text;

    fn check(cql2: &str, expected: Value) {
        assert_eq!(truth(&cql2_text::parse(cql2).expect("CQL2")), Ok(expected), "{cql2}");
    }

    #[test]
    fn conditions_are_written() {
        check("a = 'x'", json!(["==", ["get", "a"], "x"]));
        check("a <> 'x'", json!(["all", ["has", "a"], ["!=", ["get", "a"], "x"]]));
        check("NOT (a = 1 OR b < 2)", json!(["all", ["has", "a"], ["!=", ["get", "a"], 1], ["has", "b"], [">=", ["get", "b"], 2]]));
        check("a IN (1, 2)", json!(["all", ["has", "a"], ["in", ["get", "a"], ["literal", [1, 2]]]]));
        check("a IS NULL", json!(["==", ["get", "a"], null]));
        check("a LIKE 'rue%'", json!(["all", ["has", "a"], ["==", ["slice", ["get", "a"], 0, 3], "rue"]]));
        check("CASEI(a) LIKE CASEI('%É\\%%')", json!(["all", ["has", "a"], ["in", "é%", ["downcase", ["get", "a"]]]]));
        check(
            "a / b > 2",
            json!(["all", ["has", "a"], ["has", "b"], ["!=", ["get", "b"], 0], [">", ["/", ["get", "a"], ["get", "b"]], 2]]),
        );
        check("d >= DATE('2026-06-30')", json!(["all", ["has", "d"], [">=", ["get", "d"], "2026-06-30"]]));
    }

    #[test]
    fn what_has_no_equal_is_named() {
        for (cql2, name) in [
            ("a LIKE 'x%y'", "LIKE 'x%y'"),
            ("S_INTERSECTS(geometry, POINT(0 0))", "S_INTERSECTS"),
            ("ACCENTI(a) = 'x'", "ACCENTI"),
            ("a div 2 = 1", "div"),
            ("t > TIMESTAMP('2026-06-30T10:00:00Z')", "2026-06-30T10:00:00Z"),
        ] {
            assert_eq!(truth(&cql2_text::parse(cql2).expect("CQL2")), Err(name.to_owned()), "{cql2}");
        }
    }
}
