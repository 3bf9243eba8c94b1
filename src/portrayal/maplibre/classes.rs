//! Rules that tell classes apart, drawn as one layer whose colours and sizes depend on the feature.
//!
//! A layer a category would be hundreds of layers, each with its own pass over the tiles; and one layer keeps the
//! features in their order, as QGIS draws them.

use std::collections::HashSet;

use serde_json::Value;
use serde_json::json;

use crate::portrayal::maplibre::expression;
use crate::portrayal::maplibre::paint::is_circle;
use crate::portrayal::rule::Rule;
use crate::portrayal::symbol::Paint;
use crate::portrayal::symbol::Part;
use crate::portrayal::symbol::Stroke;
use crate::query::filter::Comparison;
use crate::query::filter::Filter;

/// A rule, and what its features meet; `None`: every feature.
#[derive(Clone, Debug)]
pub struct Drawn<'a> {
    pub rule: &'a Rule,
    pub condition: Option<Value>,
}

/// Rules of one kind of symbol at the same scales, at most one of which draws a feature.
#[derive(Clone, Debug)]
pub struct Run<'a> {
    pub all: Vec<Drawn<'a>>,
    /// What tells the classes apart, where there is more than one.
    by: Option<&'a Filter>,
}

/// Values that are looked up, and the rule that they lead to.
type Labelled<'a> = (Vec<Value>, &'a Rule);

/// What one rule of a classification takes.
enum Class<'a> {
    Values(Vec<&'a Filter>),
    Range(Range),
    Rest,
}

#[derive(Clone, Copy)]
struct Range {
    lower: f64,
    is_lower_in: bool,
    upper: f64,
    is_upper_in: bool,
}

impl Range {
    const ALL: Range = Range { lower: f64::NEG_INFINITY, is_lower_in: false, upper: f64::INFINITY, is_upper_in: false };

    fn is_apart(self, other: Range) -> bool {
        let below = |a: Range, b: Range| a.upper < b.lower || (a.upper == b.lower && !(a.is_upper_in && b.is_lower_in));
        below(self, other) || below(other, self)
    }
}

/// Consecutive rules together where they can be.
pub fn runs<'a>(drawn: Vec<Drawn<'a>>) -> Vec<Run<'a>> {
    let mut runs: Vec<Run<'a>> = Vec::new();
    let mut taken = HashSet::new();
    for one in drawn {
        let class = class(one.rule);
        let by = class.as_ref().map(|(by, _)| *by);
        let fits = runs.last().is_some_and(|run| run.by.is_some() && run.by == by && run.is_like(one.rule));
        match (class, runs.last_mut()) {
            (Some((_, class)), Some(run)) if fits && run.is_apart(&class, one.rule, &taken) => {
                taken.extend(keys(&class));
                run.all.push(one);
            }
            (class, _) => {
                taken = class.iter().flat_map(|(_, class)| keys(class)).collect();
                runs.push(Run { all: vec![one], by });
            }
        }
    }
    runs
}

fn keys(class: &Class<'_>) -> Vec<String> {
    match class {
        Class::Values(values) => values.iter().filter_map(|value| expression::value(value).ok()).map(|value| value.to_string()).collect(),
        _ => Vec::new(),
    }
}

/// The expression that classes are told by, and the class; `None` for a rule of another kind.
fn class(rule: &Rule) -> Option<(&Filter, Class<'_>)> {
    match &rule.filter {
        Some(filter) if rule.unless.is_empty() => class_of(filter),
        None if !rule.unless.is_empty() => {
            let by = class_of(&rule.unless[0])?.0;
            rule.unless.iter().all(|filter| class_of(filter).is_some_and(|(own, _)| own == by)).then_some((by, Class::Rest))
        }
        _ => None,
    }
}

fn class_of(filter: &Filter) -> Option<(&Filter, Class<'_>)> {
    match filter {
        Filter::Compare(Comparison::Equal, by, value) if expression::is_literal(value) => Some((by, Class::Values(vec![value]))),
        Filter::In(by, values) if values.iter().all(expression::is_literal) => Some((by, Class::Values(values.iter().collect()))),
        Filter::And(ends) => {
            let (by, mut range) = (bound(ends.first()?, Range::ALL)?.0, Range::ALL);
            for end in ends {
                let (own, narrowed) = bound(end, range)?;
                (own == by).then_some(())?;
                range = narrowed;
            }
            Some((by, Class::Range(range)))
        }
        end => bound(end, Range::ALL).map(|(by, range)| (by, Class::Range(range))),
    }
}

/// The range within one comparison with a number.
fn bound(filter: &Filter, range: Range) -> Option<(&Filter, Range)> {
    let Filter::Compare(operator, by, end) = filter else { return None };
    let end = match **end {
        Filter::Integer(whole) => whole as f64,
        Filter::Real(real) => real,
        _ => return None,
    };
    let range = match operator {
        Comparison::Less => Range { upper: end, is_upper_in: false, ..range },
        Comparison::LessOrEqual => Range { upper: end, is_upper_in: true, ..range },
        Comparison::Greater => Range { lower: end, is_lower_in: false, ..range },
        Comparison::GreaterOrEqual => Range { lower: end, is_lower_in: true, ..range },
        Comparison::Equal | Comparison::NotEqual => return None,
    };
    Some((by, range))
}

impl<'a> Run<'a> {
    pub fn first(&self) -> &'a Rule {
        self.all[0].rule
    }

    fn is_like(&self, rule: &Rule) -> bool {
        let (own, other) = (&self.first().symbol, &rule.symbol);
        self.first().scale == rule.scale && own.len() == other.len() && own.iter().zip(other).all(|(a, b)| are_alike(a, b))
    }

    /// Whether no feature of the class is drawn by the run so far.
    fn is_apart(&self, class: &Class<'_>, rule: &Rule, taken: &HashSet<String>) -> bool {
        let others = || self.all.iter().filter_map(|drawn| Some((drawn.rule, self::class(drawn.rule)?.1)));
        let is_rest_of = |rest: &Rule, rule: &Rule| rule.filter.as_ref().is_some_and(|filter| rest.unless.contains(filter));
        match class {
            Class::Values(_) => {
                let is_free = keys(class).iter().all(|key| !taken.contains(key));
                is_free
                    && others().all(|(own, other)| match other {
                        Class::Values(_) => true,
                        Class::Rest => is_rest_of(own, rule),
                        Class::Range(_) => false,
                    })
            }
            Class::Range(range) => others().all(|(own, other)| match other {
                Class::Range(other) => range.is_apart(other),
                Class::Rest => is_rest_of(own, rule),
                Class::Values(_) => false,
            }),
            Class::Rest => others().all(|(own, other)| !matches!(other, Class::Rest) && is_rest_of(rule, own)),
        }
    }

    /// Which features the run draws; `None`: every feature.
    pub fn filter(&self) -> Option<Value> {
        if let Some(rest) = self.rest() {
            let drawn: Vec<&Filter> = self.all.iter().filter_map(|drawn| drawn.rule.filter.as_ref()).collect();
            let left_out =
                rest.rule.unless.iter().filter(|filter| !drawn.contains(filter)).filter_map(|filter| expression::truth(filter).ok());
            let parts: Vec<Value> = left_out.map(|truth| json!(["!", truth])).collect();
            return expression::all("all", parts);
        }
        let conditions = self.all.iter().map(|drawn| drawn.condition.clone()).collect::<Option<Vec<Value>>>()?;
        match self.matched() {
            Some((by, labels)) if self.all.len() > 1 => {
                let labels: Vec<Value> = labels.into_iter().flat_map(|(labels, _)| labels).collect();
                Some(json!(["match", by, labels, true, false]))
            }
            _ => expression::all("any", conditions),
        }
    }

    fn rest(&self) -> Option<&Drawn<'a>> {
        self.all.iter().filter(|_| self.all.len() > 1).find(|drawn| drawn.rule.filter.is_none())
    }

    /// A value that depends on the class; the value itself where all classes have the same.
    pub fn pick(&self, mut value: impl FnMut(&'a Rule) -> Value) -> Value {
        let values: Vec<Value> = self.all.iter().map(|drawn| value(drawn.rule)).collect();
        let last = self.rest().map(|rest| value(rest.rule)).or_else(|| values.last().cloned()).unwrap_or(Value::Null);
        if values.iter().all(|value| *value == last) {
            return last;
        }
        if let Some((by, labels)) = self.matched() {
            let mut parts = vec![json!("match"), by];
            for (labels, rule) in labels {
                let label = if labels.len() == 1 { labels[0].clone() } else { Value::Array(labels) };
                parts.extend([label, value(rule)]);
            }
            parts.push(last);
            return Value::Array(parts);
        }
        let mut parts = vec![json!("case")];
        for (drawn, value) in self.all.iter().zip(values) {
            parts.extend(
                drawn
                    .condition
                    .clone()
                    .filter(|_| drawn.rule.filter.is_some())
                    .into_iter()
                    .flat_map(|condition| [condition, value.clone()]),
            );
        }
        parts.push(last);
        Value::Array(parts)
    }

    /// The property and its values, rule by rule, where MapLibre can look them up: whole numbers or texts.
    fn matched(&self) -> Option<(Value, Vec<Labelled<'a>>)> {
        let by = self.by.filter(|by| matches!(by, Filter::Property(_)))?;
        let (mut texts, mut numbers) = (0, 0);
        let mut found = Vec::new();
        for drawn in self.all.iter().filter(|drawn| drawn.rule.filter.is_some()) {
            let Some((_, Class::Values(values))) = class(drawn.rule) else { return None };
            for value in &values {
                match value {
                    Filter::Text(_) => texts += 1,
                    Filter::Integer(_) => numbers += 1,
                    _ => return None,
                }
            }
            found.push((values.into_iter().filter_map(|value| expression::value(value).ok()).collect(), drawn.rule));
        }
        (texts == 0 || numbers == 0).then_some(())?;
        Some((expression::value(by).ok()?, found))
    }
}

/// Whether the parts differ at most in what may depend on the feature.
fn are_alike(a: &Part, b: &Part) -> bool {
    a.level == b.level
        && match (&a.paint, &b.paint) {
            (Paint::Fill(a), Paint::Fill(b)) => std::mem::discriminant(a) == std::mem::discriminant(b),
            (Paint::Stroke(a), Paint::Stroke(b)) => {
                let dashes =
                    |stroke: &Stroke| -> Vec<f64> { stroke.dashes.iter().map(|dash| dash.value() / stroke.width.value()).collect() };
                a.cap == b.cap && a.join == b.join && dashes(a) == dashes(b)
            }
            (Paint::Marker(a, a_place), Paint::Marker(b, b_place)) => {
                // The interval of markers on a line cannot depend on the feature, either.
                is_circle(a) == is_circle(b) && a_place == b_place
            }
            _ => false,
        }
}
