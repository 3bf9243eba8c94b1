//! Documents as rules.

use crate::portrayal::Style;
use crate::portrayal::StyleError;
use crate::portrayal::label::Label;
use crate::portrayal::losses;
use crate::portrayal::losses::shown;
use crate::portrayal::rule;
use crate::portrayal::rule::Budget;
use crate::portrayal::rule::Cover;
use crate::portrayal::rule::Rule;
use crate::portrayal::rule::otherwise;
use crate::portrayal::scale::ScaleRange;
use crate::portrayal::sld::symbolizer;
use crate::portrayal::sld::text;
use crate::portrayal::symbol::Part;
use crate::query::fes;
use crate::query::filter::Filter;
use crate::xml::Element;

#[derive(Default)]
pub struct Reader {
    pub style: Style,
    /// The title of the rule that is read.
    pub title: String,
    budget: Budget,
}

/// When a rule draws: its filter, what it leaves out, its scales.
type When = (Option<Filter>, Vec<Filter>, ScaleRange);

impl Reader {
    pub fn lose(&mut self, sentence: &str) {
        self.style.losses.note(format!("{} : {sentence}", losses::rule(&self.title)));
    }

    pub fn read(mut self, root: &Element) -> Result<Style, StyleError> {
        let Some(user_style) = self.chosen(root) else { return Err(StyleError::Missing { element: "FeatureTypeStyle" }) };
        self.style.title = title(user_style);
        for (level, pass) in user_style.children_named("FeatureTypeStyle").enumerate() {
            self.pass(pass, level as i32);
        }
        Ok(self.style)
    }

    /// The default style of the first layer that has one; the document itself where it is a bare `FeatureTypeStyle`'s parent.
    fn chosen<'a>(&mut self, root: &'a Element) -> Option<&'a Element> {
        if root.child("FeatureTypeStyle").is_some() {
            return Some(root);
        }
        let layers = root.children().filter(|child| child.is("NamedLayer") || child.is("UserLayer"));
        let styles: Vec<&Element> = layers.flat_map(|layer| layer.children_named("UserStyle")).collect();
        if styles.len() > 1 {
            self.style.losses.note(format!("le fichier contient {} styles, un seul est repris", styles.len()));
        }
        let is_default = |style: &&&Element| style.text_at(&["IsDefault"]).is_some_and(|flag| flag == "1" || flag == "true");
        styles.iter().find(is_default).or(styles.first()).copied()
    }

    fn pass(&mut self, pass: &Element, level: i32) {
        let rules: Vec<&Element> = pass.children_named("Rule").collect();
        let filters: Vec<Result<Option<Filter>, ()>> = rules.iter().map(|rule| self.filter(rule)).collect();
        let plain = rules.iter().zip(&filters).filter(|(rule, _)| !is_else(rule));
        let cover =
            |(rule, filter): (&&Element, &Result<Option<Filter>, ()>)| Some(Cover { filter: filter.clone().ok()?, scale: scale(rule) });
        let covers: Option<Vec<Cover>> = plain.map(cover).collect();
        for (element, filter) in rules.iter().zip(&filters) {
            self.title = title(element).unwrap_or_default();
            let whens = match filter {
                _ if is_else(element) => match self.others(element, covers.as_deref()) {
                    Some(whens) => whens,
                    None => return self.style.losses.note(rule::TOO_MANY),
                },
                Ok(filter) => vec![(filter.clone(), Vec::new(), scale(element))],
                Err(()) => Vec::new(),
            };
            if !whens.iter().all(|(_, unless, _)| self.budget.takes(1 + unless.len())) {
                return self.style.losses.note(rule::TOO_MANY);
            }
            self.drawn(element, &whens, level);
        }
    }

    /// When an `ElseFilter` draws, `None` where that is too much to say; `covers`: what the other rules of the pass draw,
    /// where that is known.
    fn others(&mut self, element: &Element, covers: Option<&[Cover]>) -> Option<Vec<When>> {
        let Some(covers) = covers else {
            self.lose("elle vaut pour tous les autres objets, qu'une règle non reprise empêche de connaître : elle n'est pas dessinée");
            return Some(Vec::new());
        };
        let stretches = otherwise(covers, scale(element))?;
        Some(stretches.into_iter().map(|(scale, unless)| (None, unless, scale)).collect())
    }

    fn filter(&mut self, rule: &Element) -> Result<Option<Filter>, ()> {
        let Some(filter) = rule.child("Filter") else { return Ok(None) };
        self.title = title(rule).unwrap_or_default();
        fes::read(filter).map(Some).map_err(|error| {
            self.lose(&format!("son filtre n'est pas repris (« {} » sans équivalent) : elle n'est pas dessinée", shown(&error.what)));
        })
    }

    fn drawn(&mut self, rule: &Element, whens: &[When], level: i32) {
        if whens.is_empty() {
            return;
        }
        let mut symbol: Vec<Part> = Vec::new();
        let mut labels = Vec::new();
        for symbolizer in rule.children() {
            match symbolizer.local() {
                "TextSymbolizer" => labels.extend(text::label(symbolizer, self)),
                "RasterSymbolizer" => self.lose("le style d'image (RasterSymbolizer) n'est pas repris"),
                _ => symbol.extend(symbolizer::paints(symbolizer, self).into_iter().map(|paint| paint.at_level(level))),
            }
        }
        for (filter, unless, scale) in whens {
            let conditions = || (filter.clone(), unless.clone());
            if !symbol.is_empty() {
                let (filter, unless) = conditions();
                self.style.rules.push(Rule { title: self.title.clone(), filter, unless, scale: *scale, symbol: symbol.clone() });
            }
            for label in &labels {
                let (filter, unless) = conditions();
                self.style.labels.push(Label { filter, unless, scale: *scale, ..label.clone() });
            }
        }
    }
}

fn is_else(rule: &Element) -> bool {
    rule.child("ElseFilter").is_some()
}

fn title(element: &Element) -> Option<String> {
    let paths: [&[&str]; 3] = [&["Description", "Title"], &["Title"], &["Name"]];
    paths.iter().find_map(|path| element.text_at(path))
}

fn scale(rule: &Element) -> ScaleRange {
    let end = |name: &str| rule.text_at(&[name]).and_then(|text| text.parse::<f64>().ok());
    ScaleRange::new(end("MinScaleDenominator"), end("MaxScaleDenominator"))
}
