//! MapLibre documents as a style.
//!
//! A style file is for one layer: that of the first vector source layer (`…_label` counts as the layer that it labels).
//! Layers of one filter in a row are parts of one symbol; `match`, `case` and `step` become rules. What changes with the
//! zoom in other ways than lengths on the ground is taken as it is in a village, and said.

mod condition;
mod paint;
mod value;

use serde_json::Value;

use crate::portrayal::Style;
use crate::portrayal::StyleError;
use crate::portrayal::label::Label;
use crate::portrayal::losses::shown;
use crate::portrayal::maplibre::reader::value::Choice;
use crate::portrayal::maplibre::write::CLASSES_KEY;
use crate::portrayal::maplibre::write::TITLE_KEY;
use crate::portrayal::rule;
use crate::portrayal::rule::Budget;
use crate::portrayal::rule::Rule;
use crate::portrayal::rule::both;
use crate::portrayal::scale::Latitude;
use crate::portrayal::scale::ScaleRange;
use crate::portrayal::symbol::Paint;
use crate::query::filter::Comparison;
use crate::query::filter::Filter;
use crate::xml::SIZE_BYTES_MAX;

/// Layers of a document; a style for one layer has some dozen.
const LAYERS_MAX: usize = 2_000;

/// Classes of a layer; work grows with their square.
const CASES_MAX: usize = 1_000;

pub fn read(bytes: &[u8], latitude: Latitude) -> Result<Style, StyleError> {
    if bytes.len() > SIZE_BYTES_MAX {
        return Err(StyleError::TooLarge { size_bytes_max: SIZE_BYTES_MAX });
    }
    let text = String::from_utf8_lossy(bytes);
    // serde_json stops at a depth of 128 by itself.
    let document: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(StyleError::Json)?;
    let layers = document["layers"].as_array().ok_or(StyleError::Missing { element: "layers" })?;
    let mut reader = Reader { latitude, style: Style::default(), who: String::new(), budget: Budget::default() };
    reader.style.title = document["name"].as_str().filter(|name| !name.is_empty()).map(str::to_owned);
    let named = |layer: &Value| layer["source-layer"].as_str().map(|name| name.strip_suffix("_label").unwrap_or(name).to_owned());
    let own = layers.iter().find_map(named).ok_or(StyleError::Missing { element: "source-layer" })?;
    for layer in layers.iter().take(LAYERS_MAX) {
        match named(layer) {
            Some(name) if name == own => reader.layer(layer),
            Some(name) => {
                reader.style.losses.note(format!("le style parle aussi de la couche « {} », qui n'est pas reprise", shown(&name)))
            }
            None => reader.style.losses.note(format!("l'élément « {} » n'est pas repris", shown(layer["id"].as_str().unwrap_or_default()))),
        }
    }
    Ok(reader.style)
}

pub struct Reader {
    pub latitude: Latitude,
    pub style: Style,
    /// The layer that is read.
    who: String,
    budget: Budget,
}

impl Reader {
    pub fn lose(&mut self, sentence: &str) {
        self.style.losses.note(format!("couche « {} » : {sentence}", shown(&self.who)));
    }

    fn layer(&mut self, layer: &Value) {
        layer["id"].as_str().unwrap_or_default().clone_into(&mut self.who);
        if layer["layout"]["visibility"] == "none" {
            return;
        }
        let zoom = |name: &str| layer[name].as_f64().map(|zoom| self.latitude.denominator(zoom));
        let scale = ScaleRange::new(zoom("maxzoom"), zoom("minzoom"));
        let (filter, unless) = match condition::filter(&layer["filter"]) {
            Ok(found) => found,
            Err(word) => {
                return self.lose(&format!("son filtre n'est pas repris (« {} » sans équivalent) : elle n'est pas dessinée", shown(&word)));
            }
        };
        let titles = titles(layer);
        let cases = match self.cases(layer) {
            cases if cases.is_empty() => alternatives(filter.as_ref(), titles.len()),
            cases => cases,
        };
        let mut rules = Vec::new();
        if !(0..=cases.len()).all(|_| self.budget.takes(1)) {
            return self.style.losses.note(rule::TOO_MANY);
        }
        for (filter, unless, case) in self.known(&titles, scale, &cases).unwrap_or_else(|| whens(filter, unless, &cases)) {
            let title = titles.get(rules.len()).cloned().unwrap_or_default();
            let paints = paint::paints(layer, &case, self);
            if let Some(label) = paint::label(layer, &case, self) {
                self.style.labels.push(Label { filter: filter.clone(), unless: unless.clone(), scale, ..label });
            }
            rules.push((Rule { title, filter, unless, scale, symbol: Vec::new() }, paints));
        }
        self.add(rules);
    }

    /// The classes of the layer before, where this one draws all of them alike: it has their titles.
    fn known(&self, titles: &[String], scale: ScaleRange, cases: &[Filter]) -> Option<Vec<When>> {
        let before = self.style.rules.get(self.style.rules.len().checked_sub(titles.len())?..)?;
        let is_same = cases.is_empty()
            && titles.len() > 1
            && before.iter().zip(titles).all(|(rule, title)| rule.title == *title && rule.scale == scale);
        is_same.then(|| before.iter().map(|rule| (rule.filter.clone(), rule.unless.clone(), None)).collect())
    }

    /// A layer over the same features as the one before it is one more part of the same symbols.
    fn add(&mut self, rules: Vec<(Rule, Vec<Paint>)>) {
        if rules.iter().all(|(_, paints)| paints.is_empty()) {
            return;
        }
        let start = self.style.rules.len().saturating_sub(rules.len());
        let before = &mut self.style.rules[start..];
        let is_same = |(own, (new, _)): (&Rule, &(Rule, Vec<Paint>))| {
            (&own.title, &own.filter, &own.unless, own.scale) == (&new.title, &new.filter, &new.unless, new.scale)
        };
        if before.len() == rules.len() && before.iter().zip(&rules).all(is_same) {
            for (own, (_, paints)) in before.iter_mut().zip(rules) {
                own.symbol.extend(paints.into_iter().map(|paint| paint.at_level(0)));
            }
            return;
        }
        for (rule, paints) in rules {
            self.style.rules.push(Rule { symbol: paints.into_iter().map(|paint| paint.at_level(0)).collect(), ..rule });
        }
    }

    /// Every condition that a property of the layer depends on, once.
    fn cases(&mut self, layer: &Value) -> Vec<Filter> {
        let mut found: Vec<Filter> = Vec::new();
        for part in ["layout", "paint"] {
            for value in layer[part].as_object().into_iter().flat_map(serde_json::Map::values) {
                match value::choice(value) {
                    Ok(choice) if choice.cases.len() > CASES_MAX => {
                        self.lose(&format!("elle distingue plus de {CASES_MAX} classes, qui ne sont pas reprises"))
                    }
                    Ok(choice) => found.extend(new(&choice, &found)),
                    Err(word) => {
                        self.lose(&format!(
                            "une propriété qui dépend des données n'est pas reprise (« {} » sans équivalent)",
                            shown(&word)
                        ));
                    }
                }
            }
        }
        found
    }
}

fn new(choice: &Choice, known: &[Filter]) -> Vec<Filter> {
    choice.cases.iter().map(|(filter, _)| filter).filter(|filter| !known.contains(filter)).cloned().collect()
}

/// As the writer leaves them; the legend needs names.
fn titles(layer: &Value) -> Vec<String> {
    let metadata = &layer["metadata"];
    match (&metadata[CLASSES_KEY], &metadata[TITLE_KEY]) {
        (Value::Array(titles), _) => titles.iter().map(|title| title.as_str().unwrap_or_default().to_owned()).collect(),
        (_, Value::String(title)) => vec![title.clone()],
        _ => Vec::new(),
    }
}

/// Filter, what is left out, and the case whose values hold; `None`: no case.
type When = (Option<Filter>, Vec<Filter>, Option<Filter>);

/// A rule a case, and one for all others where the layer's filter lets any through.
fn whens(filter: Option<Filter>, unless: Vec<Filter>, cases: &[Filter]) -> Vec<When> {
    if cases.is_empty() {
        return vec![(filter, unless, None)];
    }
    let is_covered = filter.as_ref().is_some_and(|filter| covers(filter, cases));
    let outer = filter.filter(|_| !is_covered);
    let mut whens: Vec<When> = cases.iter().map(|case| (both(outer.clone(), Some(case.clone())), Vec::new(), Some(case.clone()))).collect();
    if !is_covered {
        let others: Vec<Filter> = cases.iter().chain(unless.iter().filter(|filter| !cases.contains(filter))).cloned().collect();
        whens.push((outer, others, None));
    }
    whens
}

/// The classes that a layer draws alike, where it has a title for each.
fn alternatives(filter: Option<&Filter>, count: usize) -> Vec<Filter> {
    match filter {
        Some(Filter::Or(all)) if count > 1 && all.len() == count => all.clone(),
        Some(Filter::In(by, items)) if count > 1 && items.len() == count => {
            items.iter().map(|item| Filter::Compare(Comparison::Equal, by.clone(), Box::new(item.clone()))).collect()
        }
        _ => Vec::new(),
    }
}

/// Whether the filter says no more and no less than that one of the cases holds.
fn covers(filter: &Filter, cases: &[Filter]) -> bool {
    let same = |all: &[Filter]| all.len() == cases.len() && all.iter().all(|one| cases.contains(one));
    match filter {
        Filter::Or(all) => same(all),
        Filter::In(by, items) => {
            let values = |case: &Filter| match case {
                Filter::In(own, items) if own == by => Some(items.clone()),
                Filter::Compare(Comparison::Equal, own, item) if own == by => Some(vec![(**item).clone()]),
                _ => None,
            };
            cases.iter().map(values).collect::<Option<Vec<_>>>().is_some_and(|values| values.concat() == *items)
        }
        one => cases.len() == 1 && cases[0] == *one,
    }
}
