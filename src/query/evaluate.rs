//! The reference meaning of a filter, feature by feature: what every translation of it must agree with.
//!
//! A resolved filter (`filter::resolve`) on a row in lon, lat. Numbers are compared exactly, texts by their code points,
//! times by the instant.

use std::borrow::Cow;
use std::cmp::Ordering;

use geo_types::Geometry;

use crate::model::batch::FeatureBatch;
use crate::model::feature::FeatureId;
use crate::model::feature::Value;
use crate::model::layer::Layer;
use crate::query::filter::Arithmetic;
use crate::query::filter::Comparison;
use crate::query::filter::Filter;
use crate::query::filter::GEOMETRY;
use crate::query::filter::ID;
use crate::query::filter::fold;
use crate::query::filter::kind;
use crate::query::filter::kind::Kind;
use crate::query::filter::moment;
use crate::query::filter::relate;
use crate::query::filter::shape::Shape;

/// One feature: a row of a batch that holds all fields of its layer.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    pub layer: &'a Layer,
    pub batch: &'a FeatureBatch,
    pub row: usize,
}

/// What an expression is worth; `None` stands for an absent value, and for the truth of what is compared with one.
#[derive(Clone, Debug, PartialEq)]
enum Worth<'a> {
    Text(Cow<'a, str>),
    Integer(i64),
    Real(f64),
    Boolean(bool),
    /// Microseconds since 1970, UTC.
    Micros(i64),
    Geometry(Cow<'a, Geometry<f64>>),
}

/// Whether the feature matches; `None`: unknown, which leaves it out.
pub fn evaluate(filter: &Filter, row: Row<'_>) -> Option<bool> {
    match filter {
        Filter::And(all) => all.iter().map(|part| evaluate(part, row)).reduce(and)?,
        Filter::Or(all) => all.iter().map(|part| evaluate(part, row)).reduce(or)?,
        Filter::Not(one) => evaluate(one, row).map(|truth| !truth),
        Filter::Compare(operator, a, b) => {
            let (a, b) = (worth(a, row)?, worth(b, row)?);
            Some(holds(*operator, compare(&a, &b)?))
        }
        Filter::Like(text, pattern) => match (worth(text, row)?, worth(pattern, row)?) {
            (Worth::Text(text), Worth::Text(pattern)) => Some(fold::like(&text, &pattern)),
            _ => None,
        },
        Filter::Between(value, least, greatest) => {
            let at_least = Filter::Compare(Comparison::GreaterOrEqual, value.clone(), least.clone());
            let at_most = Filter::Compare(Comparison::LessOrEqual, value.clone(), greatest.clone());
            and(evaluate(&at_least, row), evaluate(&at_most, row))
        }
        Filter::In(value, items) => {
            let value = worth(value, row)?;
            let equals = items.iter().map(|item| Some(compare(&value, &worth(item, row)?)? == Ordering::Equal));
            equals.reduce(or)?
        }
        Filter::IsNull(value) => Some(is_null(value, row)),
        Filter::Spatial(relation, a, b) => match (worth(a, row)?, worth(b, row)?) {
            (Worth::Geometry(a), Worth::Geometry(b)) => Some(relate::holds(*relation, &a, &b)),
            _ => None,
        },
        Filter::Temporal(relation, a, b) => {
            let mixed = is_mixed(a, b, row.layer);
            Some(moment::holds(*relation, span(a, mixed, row)?, span(b, mixed, row)?))
        }
        value => match worth(value, row)? {
            Worth::Boolean(truth) => Some(truth),
            _ => None,
        },
    }
}

fn is_null(value: &Filter, row: Row<'_>) -> bool {
    match value {
        Filter::Interval(start, end) => is_null(start, row) || is_null(end, row),
        Filter::Open => false,
        condition if kind::of(condition, row.layer) == Kind::Boolean => evaluate(condition, row).is_none(),
        value => worth(value, row).is_none(),
    }
}

fn and(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

fn or(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        _ => None,
    }
}

fn worth<'a>(filter: &'a Filter, row: Row<'a>) -> Option<Worth<'a>> {
    Some(match filter {
        Filter::Property(name) => return property(name, row),
        Filter::Text(text) => Worth::Text(Cow::Borrowed(text)),
        Filter::Integer(whole) => Worth::Integer(*whole),
        Filter::Real(real) => Worth::Real(*real),
        Filter::Boolean(value) => Worth::Boolean(*value),
        Filter::Moment(moment) => Worth::Micros(moment.micros()),
        Filter::Shape(Shape::Placed(geometry)) => Worth::Geometry(Cow::Borrowed(geometry)),
        Filter::Casei(text) => Worth::Text(Cow::Owned(fold::casei(&text_of(text, row)?))),
        Filter::Accenti(text) => Worth::Text(Cow::Owned(fold::accenti(&text_of(text, row)?))),
        Filter::Arithmetic(operator, a, b) => Worth::Real(compute(*operator, number(a, row)?, number(b, row)?)?),
        // Resolved filters hold none of these as values.
        Filter::Open | Filter::Interval(..) | Filter::Shape(_) | Filter::List(_) | Filter::Function(..) | Filter::Array(..) => return None,
        condition => Worth::Boolean(evaluate(condition, row)?),
    })
}

fn property<'a>(name: &str, row: Row<'a>) -> Option<Worth<'a>> {
    match name {
        ID => row.batch.id(row.row).map(|id| match id {
            FeatureId::Integer(id) => Worth::Integer(id),
            FeatureId::Text(id) => Worth::Text(Cow::Owned(id)),
        }),
        GEOMETRY => row.batch.wkb(row.row).and_then(relate::of_wkb).map(|geometry| Worth::Geometry(Cow::Owned(geometry))),
        name => {
            let column = row.layer.fields.iter().position(|field| field.name == name)?;
            match row.batch.value(row.row, column) {
                Value::Null => None,
                Value::Text(text) => Some(Worth::Text(Cow::Borrowed(text))),
                Value::Integer(whole) => Some(Worth::Integer(whole)),
                Value::Real(real) => Some(Worth::Real(real)),
                Value::Boolean(value) => Some(Worth::Boolean(value)),
                Value::Date(text) | Value::DateTime(text) => moment::micros_of(text).map(Worth::Micros),
            }
        }
    }
}

fn text_of<'a>(filter: &'a Filter, row: Row<'a>) -> Option<Cow<'a, str>> {
    match worth(filter, row)? {
        Worth::Text(text) => Some(text),
        _ => None,
    }
}

fn number(filter: &Filter, row: Row<'_>) -> Option<f64> {
    match worth(filter, row)? {
        Worth::Integer(whole) => Some(whole as f64),
        Worth::Real(real) => Some(real),
        _ => None,
    }
}

/// In doubles; what is no number (a division by zero) is absent.
pub fn compute(operator: Arithmetic, a: f64, b: f64) -> Option<f64> {
    let found = match operator {
        Arithmetic::Add => a + b,
        Arithmetic::Subtract => a - b,
        Arithmetic::Multiply => a * b,
        Arithmetic::Divide if b == 0.0 => return None,
        Arithmetic::Divide => a / b,
        Arithmetic::Remainder => a % b,
        Arithmetic::WholeDivide if b == 0.0 => return None,
        Arithmetic::WholeDivide => (a / b).trunc(),
        Arithmetic::Power => a.powf(b),
    };
    (!found.is_nan()).then_some(found)
}

fn holds(operator: Comparison, ordering: Ordering) -> bool {
    match operator {
        Comparison::Equal => ordering == Ordering::Equal,
        Comparison::NotEqual => ordering != Ordering::Equal,
        Comparison::Less => ordering == Ordering::Less,
        Comparison::Greater => ordering == Ordering::Greater,
        Comparison::LessOrEqual => ordering != Ordering::Greater,
        Comparison::GreaterOrEqual => ordering != Ordering::Less,
    }
}

fn compare(a: &Worth<'_>, b: &Worth<'_>) -> Option<Ordering> {
    match (a, b) {
        (Worth::Text(a), Worth::Text(b)) => Some(a.cmp(b)),
        (Worth::Integer(a), Worth::Integer(b)) => Some(a.cmp(b)),
        (Worth::Real(a), Worth::Real(b)) => a.partial_cmp(b),
        (Worth::Integer(a), Worth::Real(b)) => Some(whole_to_real(*a, *b)),
        (Worth::Real(a), Worth::Integer(b)) => Some(whole_to_real(*b, *a).reverse()),
        (Worth::Boolean(a), Worth::Boolean(b)) => Some(a.cmp(b)),
        (Worth::Micros(a), Worth::Micros(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

/// Exactly, also beyond 2⁵³, where a double holds no longer every whole number.
fn whole_to_real(whole: i64, real: f64) -> Ordering {
    // The first double above every i64.
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    if real >= BEYOND {
        return Ordering::Less;
    }
    if real < -BEYOND {
        return Ordering::Greater;
    }
    let below = real.floor();
    whole.cmp(&(below as i64)).then(if real > below { Ordering::Less } else { Ordering::Equal })
}

/// Whether a relation has days on one side and instants on the other: then a day lasts from its first to its last.
pub fn is_mixed(a: &Filter, b: &Filter, layer: &Layer) -> bool {
    let kinds = |filter: &Filter| match filter {
        Filter::Interval(start, end) => vec![(**start).clone(), (**end).clone()],
        other => vec![other.clone()],
    };
    let kinds: Vec<Kind> =
        kinds(a).iter().chain(&kinds(b)).filter(|end| !matches!(end, Filter::Open)).map(|end| kind::of(end, layer)).collect();
    kinds.contains(&Kind::Day) && kinds.contains(&Kind::Instant)
}

fn span(filter: &Filter, mixed: bool, row: Row<'_>) -> Option<(i64, i64)> {
    match filter {
        Filter::Interval(start, end) => {
            let first = if matches!(**start, Filter::Open) { moment::BEGINNING } else { micros(start, row)? };
            let last = if matches!(**end, Filter::Open) { moment::END } else { last(end, mixed, row)? };
            Some((first, last))
        }
        instant => Some((micros(instant, row)?, last(instant, mixed, row)?)),
    }
}

fn micros(filter: &Filter, row: Row<'_>) -> Option<i64> {
    match worth(filter, row)? {
        Worth::Micros(micros) => Some(micros),
        _ => None,
    }
}

fn last(filter: &Filter, mixed: bool, row: Row<'_>) -> Option<i64> {
    let micros = micros(filter, row)?;
    Some(if mixed && kind::of(filter, row.layer) == Kind::Day { moment::last_of_day(micros) } else { micros })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_and_doubles_are_compared_exactly() {
        let beyond = (1i64 << 53) + 1;
        assert_eq!(whole_to_real(beyond, (1i64 << 53) as f64), Ordering::Greater);
        assert_eq!(whole_to_real(3, 3.0), Ordering::Equal);
        assert_eq!(whole_to_real(3, 3.5), Ordering::Less);
        assert_eq!(whole_to_real(-3, -3.5), Ordering::Greater);
        assert_eq!(whole_to_real(i64::MAX, 1e300), Ordering::Less);
        assert_eq!(whole_to_real(i64::MIN, f64::NEG_INFINITY), Ordering::Greater);
    }

    #[test]
    fn truth_has_three_values() {
        assert_eq!(
            [and(None, Some(false)), and(None, Some(true)), or(None, Some(true)), or(None, Some(false))],
            [Some(false), None, Some(true), None]
        );
    }

    #[test]
    fn what_is_no_number_is_absent() {
        assert_eq!(compute(Arithmetic::Divide, 1.0, 0.0), None);
        assert_eq!(compute(Arithmetic::Remainder, 1.0, 0.0), None);
        assert_eq!(compute(Arithmetic::WholeDivide, -7.0, 2.0), Some(-3.0));
        assert_eq!(compute(Arithmetic::Remainder, -7.0, 2.0), Some(-1.0));
        assert_eq!(compute(Arithmetic::Power, -8.0, 0.5), None);
    }
}
