//! MapLibre's conditions as filters: expressions, and the older filters without `get`.
//!
//! MapLibre knows two truths: what is not true is false, also where a property is absent. So a negation takes the absent
//! along, unless the condition asks for the property beside it.

use serde_json::Value;

use crate::query::filter::Arithmetic;
use crate::query::filter::Comparison;
use crate::query::filter::Filter;
use crate::query::filter::ID;
use crate::query::filter::cost;

type Found = Result<Filter, String>;

/// A layer's filter, and what it leaves out. The kind of geometry goes without saying in a layer of one kind.
///
/// # Errors
/// The word that has no equal.
pub fn filter(filter: &Value) -> Result<(Option<Filter>, Vec<Filter>), String> {
    let parts: Vec<&Value> = match filter {
        Value::Null | Value::Bool(true) => return Ok((None, Vec::new())),
        Value::Array(all) if all.first().is_some_and(|first| first == "all") => all[1..].iter().collect(),
        one => vec![one],
    };
    let (known, beside) = (present(&parts), parts.clone());
    let (mut own, mut unless) = (Vec::new(), Vec::new());
    for part in parts {
        match part.as_array().map(Vec::as_slice) {
            Some([word, inner]) if word == "!" && !is_comparison(part) => unless.push(condition(inner, &[], 0)?),
            Some([word, inner]) if word == "!" && known.is_empty() => unless.push(condition(inner, &[], 0)?),
            _ if is_geometry(part) || is_guard(part, &beside) => {}
            _ => own.push(condition(part, &known, 0)?),
        }
    }
    let own = match own.len() {
        0 => None,
        1 => own.pop(),
        _ => Some(Filter::And(own)),
    };
    own.iter().chain(&unless).try_for_each(cost::check).map_err(|_| "filtre trop long".to_owned())?;
    Ok((own, unless))
}

fn is_geometry(part: &Value) -> bool {
    part.as_array().is_some_and(|all| {
        all.iter()
            .any(|item| item == "$type" || item.as_array().is_some_and(|inner| inner.first().is_some_and(|word| word == "geometry-type")))
    })
}

/// Properties that the conditions beside each other ask to be there.
fn present<'a>(parts: &[&'a Value]) -> Vec<&'a str> {
    parts.iter().filter_map(|part| asked(part)).collect()
}

/// The property that `["has", name]` asks for.
fn asked(part: &Value) -> Option<&str> {
    match part.as_array()?.as_slice() {
        [word, name] if word == "has" => name.as_str(),
        _ => None,
    }
}

/// Whether a comparison beside it needs the property anyway: it is asked for because MapLibre knows no unknown.
fn is_guard(part: &Value, beside: &[&Value]) -> bool {
    asked(part).is_some_and(|name| beside.iter().any(|other| is_comparison(other) && names(other, name)))
}

fn is_comparison(part: &Value) -> bool {
    let Some(all) = part.as_array() else { return false };
    match all.first().and_then(Value::as_str).unwrap_or_default() {
        "==" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "match" => !all.contains(&Value::Null),
        "!" => all.get(1).is_some_and(is_comparison),
        _ => false,
    }
}

/// Whether the expression takes the property, in the newer or the older way.
fn names(part: &Value, name: &str) -> bool {
    let Some(all) = part.as_array() else { return false };
    let is_named = all.get(1).is_some_and(|second| second == name) && all.first().is_some_and(|word| word != "literal");
    is_named || all.iter().any(|inner| names(inner, name))
}

/// # Errors
/// The word that has no equal.
pub fn condition(value: &Value, known: &[&str], depth: usize) -> Found {
    if depth > cost::DEPTH_MAX {
        return Err("filtre trop profond".to_owned());
    }
    let (word, arguments) = match value {
        Value::Bool(truth) => return Ok(Filter::Boolean(*truth)),
        Value::Array(all) => (all.first().and_then(Value::as_str).unwrap_or_default(), all.get(1..).unwrap_or_default()),
        other => return Err(other.to_string()),
    };
    let all = |negated: bool| -> Result<Vec<Filter>, String> {
        let parts: Vec<&Value> = arguments.iter().collect();
        let inner: Vec<&str> =
            if word == "all" { present(&parts).into_iter().chain(known.iter().copied()).collect() } else { known.to_vec() };
        let kept = |part: &&Value| !(is_geometry(part) || (word == "all" && is_guard(part, &parts)));
        let part = |part: &&Value| {
            if negated { Ok(not(condition(part, &[], depth + 1)?, known)) } else { condition(part, &inner, depth + 1) }
        };
        parts.iter().filter(|part| kept(part)).map(part).collect()
    };
    Ok(match (word, arguments) {
        ("all", _) => joined(Filter::And, all(false)?),
        ("any", _) => joined(Filter::Or, all(false)?),
        ("none", _) => joined(Filter::And, all(true)?),
        ("!", [inner]) => not(condition(inner, &[], depth + 1)?, known),
        ("has", [Value::String(name)]) => Filter::Not(Box::new(Filter::IsNull(Box::new(named(name))))),
        ("!has", [Value::String(name)]) => Filter::IsNull(Box::new(named(name))),
        ("in" | "!in", [Value::String(name), items @ ..]) if !is_expression(items) => {
            let found = Filter::In(Box::new(named(name)), items.iter().map(literal).collect::<Result<Vec<Filter>, String>>()?);
            if word == "in" { found } else { not(found, known) }
        }
        ("in", [needle, haystack]) => within(needle, haystack, depth)?,
        ("match", [input, labels, Value::Bool(true), Value::Bool(false)]) => equals(self::value(input, depth + 1)?, labels)?,
        ("match", [input, labels, Value::Bool(false), Value::Bool(true)]) => not(equals(self::value(input, depth + 1)?, labels)?, known),
        (_, [a, b]) => compare(word, a, b, known, depth)?,
        _ => return Err(word.to_owned()),
    })
}

/// An older filter's list holds literals alone.
fn is_expression(items: &[Value]) -> bool {
    matches!(items, [Value::Array(_)])
}

fn joined(join: fn(Vec<Filter>) -> Filter, mut parts: Vec<Filter>) -> Filter {
    if parts.len() == 1 { parts.remove(0) } else { join(parts) }
}

/// Not true: false, or unknown because something is absent that nobody asked for.
fn not(filter: Filter, known: &[&str]) -> Filter {
    let mut names = Vec::new();
    if let Filter::Not(inner) = &filter
        && matches!(**inner, Filter::IsNull(_))
    {
        return (**inner).clone();
    }
    if !matches!(filter, Filter::IsNull(_)) {
        collect(&filter, &mut names);
    }
    names.retain(|name| !known.contains(&name.as_str()));
    let negated = Filter::Not(Box::new(filter));
    let absent = names.into_iter().map(|name| Filter::IsNull(Box::new(Filter::Property(name))));
    joined(Filter::Or, std::iter::once(negated).chain(absent).collect())
}

fn collect(filter: &Filter, names: &mut Vec<String>) {
    match filter {
        Filter::Property(name) if !names.contains(name) => names.push(name.clone()),
        other => other.children().into_iter().for_each(|child| collect(child, names)),
    }
}

fn named(name: &str) -> Filter {
    if name == "$id" { Filter::property(ID) } else { Filter::property(name) }
}

/// # Errors
/// What is no literal.
pub fn literal(value: &Value) -> Found {
    match value {
        Value::String(text) => Ok(Filter::Text(text.clone())),
        Value::Bool(truth) => Ok(Filter::Boolean(*truth)),
        Value::Number(number) => {
            number.as_i64().map(Filter::Integer).or_else(|| number.as_f64().map(Filter::Real)).ok_or_else(|| number.to_string())
        }
        other => Err(other.to_string()),
    }
}

/// One label or several.
///
/// # Errors
/// What is no literal.
pub fn equals(input: Filter, labels: &Value) -> Found {
    match labels {
        Value::Array(labels) => Ok(Filter::In(Box::new(input), labels.iter().map(literal).collect::<Result<Vec<Filter>, String>>()?)),
        label => Ok(Filter::Compare(Comparison::Equal, Box::new(input), Box::new(literal(label)?))),
    }
}

fn within(needle: &Value, haystack: &Value, depth: usize) -> Found {
    match (needle, haystack.as_array().map(Vec::as_slice)) {
        (_, Some([word, items @ Value::Array(_)])) if word == "literal" => equals(value(needle, depth + 1)?, items),
        (Value::String(text), Some(_)) => {
            Ok(Filter::Like(Box::new(value(haystack, depth + 1)?), Box::new(Filter::Text(format!("%{}%", escaped(text))))))
        }
        _ => Err("in".to_owned()),
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

fn compare(word: &str, a: &Value, b: &Value, known: &[&str], depth: usize) -> Found {
    let operator = match word {
        "==" => Comparison::Equal,
        "!=" => Comparison::NotEqual,
        other => Comparison::from_word(other).ok_or_else(|| other.to_owned())?,
    };
    if let Some([slice, text, Value::Number(start), _]) = a.as_array().map(Vec::as_slice)
        && slice == "slice"
        && start.as_i64() == Some(0)
        && let (Comparison::Equal, Value::String(begins)) = (operator, b)
    {
        return Ok(Filter::Like(Box::new(value(text, depth + 1)?), Box::new(Filter::Text(format!("{}%", escaped(begins))))));
    }
    let left = match a {
        // An older filter names its property by a bare text.
        Value::String(name) if !b.is_array() => named(name),
        other => value(other, depth + 1)?,
    };
    if b.is_null() {
        let is_null = Filter::IsNull(Box::new(left));
        return if operator == Comparison::Equal { Ok(is_null) } else { Ok(Filter::Not(Box::new(is_null))) };
    }
    let absent = match (&left, operator) {
        (Filter::Property(name), Comparison::NotEqual) if !known.contains(&name.as_str()) => Some(Filter::IsNull(Box::new(left.clone()))),
        _ => None,
    };
    let compared = Filter::Compare(operator, Box::new(left), Box::new(value(b, depth + 1)?));
    Ok(joined(Filter::Or, std::iter::once(compared).chain(absent).collect()))
}

/// # Errors
/// The word that has no equal.
pub fn value(value: &Value, depth: usize) -> Found {
    if depth > cost::DEPTH_MAX {
        return Err("expression trop profonde".to_owned());
    }
    let Some(all) = value.as_array() else { return literal(value) };
    let inner = |at: usize| all.get(at).ok_or_else(|| "expression".to_owned()).and_then(|part| self::value(part, depth + 1));
    let word = all.first().and_then(Value::as_str).unwrap_or_default();
    match (word, all.len()) {
        ("get", 2) => all[1].as_str().map(named).ok_or_else(|| "get".to_owned()),
        ("id", 1) => Ok(Filter::property(ID)),
        ("to-string" | "to-number" | "number" | "string" | "to-boolean" | "boolean", 2) => inner(1),
        ("downcase", 2) => Ok(Filter::Casei(Box::new(inner(1)?))),
        (word, 3) => {
            let operator = Arithmetic::from_word(word).ok_or_else(|| word.to_owned())?;
            Ok(Filter::Arithmetic(operator, Box::new(inner(1)?), Box::new(inner(2)?)))
        }
        _ => Err(word.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::query::cql2_text;

    fn check(expression: Value, own: &str, others: &[&str]) {
        let (found, unless) = filter(&expression).expect("a filter");
        assert_eq!(found.as_ref().map(cql2_text::write).unwrap_or_default(), own, "{expression}");
        assert_eq!(unless.iter().map(cql2_text::write).collect::<Vec<String>>(), others, "{expression}");
    }

    #[test]
    fn what_is_not_true_takes_the_absent_along() {
        check(json!(["!=", ["get", "a"], 1]), "a <> 1 OR a IS NULL", &[]);
        check(json!(["all", ["has", "a"], ["!=", ["get", "a"], 1]]), "a <> 1", &[]);
        check(json!(["!", ["==", ["get", "a"], 1]]), "", &["a = 1"]);
        check(json!(["all", ["has", "a"], ["!", ["in", ["get", "a"], ["literal", [1, 2]]]]]), "NOT a IN (1, 2)", &[]);
        check(json!(["any", ["!", ["==", ["get", "a"], 1]], ["has", "b"]]), "(NOT a = 1 OR a IS NULL) OR NOT b IS NULL", &[]);
    }

    #[test]
    fn what_is_asked_to_be_there_is_no_guard_beside_other_properties() {
        check(json!(["all", ["has", "a"], ["==", ["get", "b"], 1]]), "NOT a IS NULL AND b = 1", &[]);
        check(json!(["all", ["has", "a"], ["any", ["==", "a", 1], ["==", "b", 2]]]), "NOT a IS NULL AND (a = 1 OR b = 2)", &[]);
        check(json!(["has", "a"]), "NOT a IS NULL", &[]);
    }

    #[test]
    fn older_filters_are_read() {
        check(json!(["in", "a", "x", "y"]), "a IN ('x', 'y')", &[]);
        check(json!(["all", ["==", "$type", "Polygon"], [">=", "n", 2]]), "n >= 2", &[]);
        check(json!(["none", ["has", "a"], ["==", "b", 1]]), "a IS NULL AND (NOT b = 1 OR b IS NULL)", &[]);
    }

    #[test]
    fn what_has_no_equal_is_named() {
        for (expression, word) in
            [(json!(["within", {}]), "within"), (json!(["==", ["var", "a"], 1]), "var"), (json!([">", ["zoom"], 3]), "zoom")]
        {
            assert_eq!(filter(&expression), Err(word.to_owned()), "{expression}");
        }
    }
}
