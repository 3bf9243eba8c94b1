//! QML, the style files of QGIS 3, read.
//!
//! Renderers: single, categorised, graduated, rule-based; what wraps one of them is taken off. Both spellings of a symbol's
//! properties are understood (`<prop>` before 3.26, `<Option>` since). Properties that an expression defines are losses.

mod expression;
mod label;
mod marker;
mod options;
mod renderer;
mod symbol;

use crate::portrayal::Style;
use crate::portrayal::StyleError;
use crate::portrayal::StyleFormat;
use crate::portrayal::losses::Losses;
use crate::portrayal::losses::shown;
use crate::portrayal::rule;
use crate::portrayal::rule::Budget;
use crate::portrayal::rule::Rule;
use crate::portrayal::scale::Latitude;
use crate::portrayal::scale::ScaleRange;
use crate::xml;
use crate::xml::Element;

pub struct Qml;

impl StyleFormat for Qml {
    fn id(&self) -> &'static str {
        "qml"
    }

    fn extension(&self) -> &'static str {
        "qml"
    }

    fn recognises(&self, head: &str) -> bool {
        head.contains("<qgis")
    }

    fn read(&self, bytes: &[u8], _: Latitude) -> Result<Style, StyleError> {
        let root = xml::parse(bytes)?;
        if !root.is("qgis") {
            return Err(StyleError::Missing { element: "qgis" });
        }
        let mut reader = Reader { losses: Losses::default(), who: String::new(), budget: Budget::default() };
        let mut rules = match root.child("renderer-v2") {
            Some(renderer) => renderer::read(renderer, &mut reader),
            None => Vec::new(),
        };
        let mut labels = label::read(&root, &mut reader);
        let scale = scale(&root);
        rules = rules.into_iter().filter_map(|rule| within(rule, scale)).collect();
        labels.retain_mut(|label| label.scale.and(scale).map(|both| label.scale = both).is_some());
        veil(&root, &mut rules, &mut reader);
        Ok(Style { title: None, rules, labels, losses: reader.losses })
    }
}

/// What is collected on the way, and of what is being read.
struct Reader {
    losses: Losses,
    /// For sentences: « la règle « Forêt » ».
    who: String,
    budget: Budget,
}

impl Reader {
    /// « la règle « Forêt » : » and the sentence.
    fn lose(&mut self, sentence: &str) {
        let sentence = if self.who.is_empty() { sentence.to_owned() } else { format!("{} : {sentence}", self.who) };
        self.losses.note(sentence);
    }

    /// Whether one more rule with that many filters is read.
    fn takes(&mut self, filters: usize) -> bool {
        let fits = self.budget.takes(filters);
        if !fits {
            self.losses.note(rule::TOO_MANY);
        }
        fits
    }

    fn about(&mut self, kind: &str, name: &str) {
        self.who = format!("{kind} « {} »", shown(name));
    }
}

fn number(element: &Element, name: &str) -> Option<f64> {
    element.attribute(name)?.trim().parse().ok().filter(|value: &f64| value.is_finite())
}

/// QGIS calls the closest look the maximum scale.
fn scale(root: &Element) -> ScaleRange {
    match root.attribute("hasScaleBasedVisibilityFlag") {
        Some("1") => ScaleRange::of_qgis(number(root, "maxScale"), number(root, "minScale")),
        _ => ScaleRange::ALL,
    }
}

fn within(rule: Rule, scale: ScaleRange) -> Option<Rule> {
    let scale = rule.scale.and(scale)?;
    Some(Rule { scale, ..rule })
}

/// The opacity of the whole layer, and how it mixes with what lies below.
fn veil(root: &Element, rules: &mut [Rule], reader: &mut Reader) {
    reader.who.clear();
    let mode = |name: &str| root.text_at(&[name]).is_some_and(|mode| mode != "0");
    if mode("blendMode") || mode("featureBlendMode") {
        reader.lose("le mode de fusion de la couche n'est pas repris, elle est dessinée normalement");
    }
    let opacity = root.text_at(&["layerOpacity"]).and_then(|text| text.parse::<f64>().ok()).filter(|value| (0.0..1.0).contains(value));
    let Some(opacity) = opacity else { return };
    if rules.iter().any(|rule| rule.symbol.len() > 1) {
        reader.lose("l'opacité de la couche est appliquée à chaque élément des symboles, qui se voient l'un sous l'autre");
    }
    for part in rules.iter_mut().flat_map(|rule| &mut rule.symbol) {
        part.paint = part.paint.clone().faded(opacity);
    }
}

#[cfg(test)]
mod tests;
