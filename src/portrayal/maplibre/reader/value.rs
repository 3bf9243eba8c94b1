//! Values of a layer's properties: constants, choices by the data, stops by the zoom.

use serde_json::Value;

use crate::portrayal::maplibre::reader::Reader;
use crate::portrayal::maplibre::reader::condition;
use crate::portrayal::scale::Length;
use crate::query::filter::Comparison;
use crate::query::filter::Filter;

/// Where people look at a village.
const ZOOM: f64 = 14.0;

/// A value for each condition, and one where none holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    pub cases: Vec<(Filter, Value)>,
    pub default: Value,
}

/// What the data decide; a constant is a choice without cases. Stops of zooms are left as they are.
///
/// # Errors
/// The word that has no equal.
pub fn choice(value: &Value) -> Result<Choice, String> {
    let constant = || Choice { cases: Vec::new(), default: value.clone() };
    let Some(all) = value.as_array() else { return Ok(constant()) };
    let word = all.first().and_then(Value::as_str).unwrap_or_default();
    let mut cases = Vec::new();
    match word {
        "match" if all.len() >= 3 => {
            let input = condition::value(&all[1], 0)?;
            for pair in all[2..all.len() - 1].chunks_exact(2) {
                cases.push((condition::equals(input.clone(), &pair[0])?, pair[1].clone()));
            }
        }
        "case" if all.len() >= 2 => {
            for pair in all[1..all.len() - 1].chunks_exact(2) {
                cases.push((condition::condition(&pair[0], &[], 0)?, pair[1].clone()));
            }
        }
        "step" if all.len() >= 3 && !is_zoom(&all[1]) => return stepped(condition::value(&all[1], 0)?, &all[2..]),
        "interpolate" if all.len() >= 5 && !is_zoom(&all[2]) => return Err("interpolate".to_owned()),
        "interpolate" | "step" => return zoomed(all),
        _ => return Ok(constant()),
    }
    Ok(Choice { cases, default: all[all.len() - 1].clone() })
}

fn is_zoom(input: &Value) -> bool {
    input.as_array().is_some_and(|all| all.first().is_some_and(|word| word == "zoom"))
}

/// Below the first stop, between stops, from the last stop on.
fn stepped(input: Filter, outputs: &[Value]) -> Result<Choice, String> {
    let mut cases = Vec::new();
    let stops: Vec<(&Value, &Value)> = outputs[1..].chunks_exact(2).map(|pair| (&pair[0], &pair[1])).collect();
    let bound = |operator, stop: &Value| -> Result<Filter, String> {
        Ok(Filter::Compare(operator, Box::new(input.clone()), Box::new(condition::literal(stop)?)))
    };
    if let Some((first, _)) = stops.first() {
        cases.push((bound(Comparison::Less, first)?, outputs[0].clone()));
    }
    for (at, (stop, output)) in stops.iter().enumerate() {
        let from = bound(Comparison::GreaterOrEqual, stop)?;
        let filter = match stops.get(at + 1) {
            Some((next, _)) => Filter::And(vec![from, bound(Comparison::Less, next)?]),
            None => from,
        };
        cases.push((filter, (*output).clone()));
    }
    Ok(Choice { cases, default: outputs[0].clone() })
}

/// Choices inside stops of the zoom: the whole expression for each case, with that case's outputs.
fn zoomed(all: &[Value]) -> Result<Choice, String> {
    let start = if all[0] == "step" { 2 } else { 3 };
    let outputs: Vec<usize> =
        if all[0] == "step" { (start..all.len()).step_by(2).collect() } else { (start + 1..all.len()).step_by(2).collect() };
    let choices =
        outputs.iter().map(|at| choice(&all[*at]).map(|choice| (*at, choice))).collect::<Result<Vec<(usize, Choice)>, String>>()?;
    let with = |pick: &dyn Fn(&Choice) -> Value| {
        let mut whole = all.to_vec();
        choices.iter().for_each(|(at, choice)| whole[*at] = pick(choice));
        Value::Array(whole)
    };
    let mut conditions: Vec<Filter> = Vec::new();
    for (filter, _) in choices.iter().flat_map(|(_, choice)| &choice.cases) {
        if !conditions.contains(filter) {
            conditions.push(filter.clone());
        }
    }
    let of = |filter: &Filter, choice: &Choice| choice.value(Some(filter)).clone();
    let cases = conditions.into_iter().map(|filter| (filter.clone(), with(&|choice| of(&filter, choice)))).collect();
    Ok(Choice { cases, default: with(&|choice| choice.default.clone()) })
}

impl Choice {
    pub fn value(&self, case: Option<&Filter>) -> &Value {
        self.cases.iter().find(|(filter, _)| Some(filter) == case).map_or(&self.default, |(_, value)| value)
    }
}

impl Reader {
    /// The property of the layer in that case; `Null` where it has none, or none that is understood.
    pub fn property(&mut self, layer: &Value, part: &str, name: &str, case: &Option<Filter>) -> Value {
        let value = choice(&layer[part][name]).map_or(Value::Null, |choice| choice.value(case.as_ref()).clone());
        match stops(&value) {
            Some(stops) if ground_metres(&stops, self.latitude).is_none() => {
                self.lose(&format!("« {name} » change avec le zoom, sa valeur au zoom {ZOOM} est reprise"));
                at_zoom(&stops)
            }
            _ => value,
        }
    }

    pub fn text(&mut self, layer: &Value, part: &str, name: &str, case: &Option<Filter>) -> Option<String> {
        self.property(layer, part, name, case).as_str().map(str::to_owned)
    }

    pub fn number(&mut self, layer: &Value, part: &str, name: &str, case: &Option<Filter>) -> Option<f64> {
        self.property(layer, part, name, case).as_f64()
    }

    pub fn length(&mut self, layer: &Value, part: &str, name: &str, case: &Option<Filter>) -> Option<Length> {
        let value = self.property(layer, part, name, case);
        match stops(&value) {
            Some(stops) => ground_metres(&stops, self.latitude).map(Length::GroundMetres),
            None => value.as_f64().map(Length::Pixels),
        }
    }
}

/// Zooms and outputs of an expression, or of an older function of the zoom.
fn stops(value: &Value) -> Option<Vec<(f64, Value)>> {
    if let Some(older) = value.get("stops") {
        return older.as_array()?.iter().map(|stop| Some((stop.get(0)?.as_f64()?, stop.get(1)?.clone()))).collect();
    }
    let all = value.as_array()?;
    let pairs = match all.first()?.as_str()? {
        "interpolate" if is_zoom(all.get(2)?) => &all[3..],
        "step" if is_zoom(all.get(1)?) => {
            let rest = stops_of(all.get(3..)?)?;
            return Some(std::iter::once((0.0, all.get(2)?.clone())).chain(rest).collect());
        }
        _ => return None,
    };
    stops_of(pairs)
}

fn stops_of(pairs: &[Value]) -> Option<Vec<(f64, Value)>> {
    pairs.chunks_exact(2).map(|pair| Some((pair[0].as_f64()?, pair[1].clone()))).collect()
}

/// Doubling from zoom to zoom: a length on the ground. The last stop has the most digits.
fn ground_metres(stops: &[(f64, Value)], latitude: crate::portrayal::scale::Latitude) -> Option<f64> {
    // Four decimals at zoom 0 are coarse: the last stop says the length, the first that it grows.
    let ((first_zoom, first), (last_zoom, last)) = (stops.first()?, stops.last()?);
    let (first, last) = (first.as_f64()?, last.as_f64()?);
    let expected = last / (last_zoom - first_zoom).exp2();
    let is_doubling = stops.len() == 2 && last_zoom - first_zoom >= 4.0 && (first - expected).abs() <= 1e-4;
    is_doubling.then(|| last * latitude.metres_per_pixel(*last_zoom))
}

fn at_zoom(stops: &[(f64, Value)]) -> Value {
    let below = stops.iter().rev().find(|(zoom, _)| *zoom <= ZOOM).or(stops.first());
    below.map_or(Value::Null, |(_, value)| value.clone())
}
