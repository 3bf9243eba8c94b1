//! A style as a document of either version.

use crate::portrayal::Style;
use crate::portrayal::label::Label;
use crate::portrayal::losses;
use crate::portrayal::losses::Losses;
use crate::portrayal::losses::shown;
use crate::portrayal::rule::Rule;
use crate::portrayal::scale::ScaleRange;
use crate::portrayal::sld::SldVersion;
use crate::portrayal::sld::write_symbol;
use crate::query::fes;
use crate::query::filter::Filter;
use crate::xml;
use crate::xml::Element;

#[derive(Clone, Debug)]
pub struct Written {
    pub document: String,
    /// What the version cannot say; the reader's losses are not among them.
    pub losses: Losses,
}

/// `name`: of the layer that the style is for, and of the style.
pub fn write(style: &Style, name: &str, version: SldVersion) -> Written {
    let mut writer = Writer { version, losses: Losses::default(), title: String::new() };
    let root = writer.root();
    let mut user_style = Element::new("UserStyle").with(writer.text("Name", name));
    if let Some(title) = &style.title {
        user_style = user_style.with(writer.titled(title));
    }
    let passes = writer.passes(style);
    let layer = Element::new("NamedLayer").with(writer.text("Name", name)).with(user_style.with_all(passes));
    Written { document: xml::write(&root.with(layer)), losses: writer.losses }
}

pub struct Writer {
    pub version: SldVersion,
    losses: Losses,
    /// Of the rule that is written.
    title: String,
}

impl Writer {
    pub fn lose(&mut self, sentence: &str) {
        self.losses.note(format!("{} : {sentence}", losses::rule(&self.title)));
    }

    /// Elements of Symbology Encoding have a namespace of their own since 1.1.
    pub fn element(&self, name: &str) -> Element {
        match self.version {
            SldVersion::V1_0 => Element::new(name),
            SldVersion::V1_1 => Element::new(&format!("se:{name}")),
        }
    }

    pub fn text(&self, name: &str, text: impl Into<String>) -> Element {
        Element { nodes: vec![xml::Node::Text(text.into())], ..self.element(name) }
    }

    fn titled(&self, title: &str) -> Element {
        match self.version {
            SldVersion::V1_0 => self.text("Title", title),
            SldVersion::V1_1 => self.element("Description").with(self.text("Title", title)),
        }
    }

    fn root(&self) -> Element {
        let version = match self.version {
            SldVersion::V1_0 => "1.0.0",
            SldVersion::V1_1 => "1.1.0",
        };
        let schema = format!("http://www.opengis.net/sld http://schemas.opengis.net/sld/{version}/StyledLayerDescriptor.xsd");
        let root = Element::new("StyledLayerDescriptor")
            .with_attribute("version", version)
            .with_attribute("xmlns", "http://www.opengis.net/sld")
            .with_attribute("xmlns:ogc", "http://www.opengis.net/ogc")
            .with_attribute("xmlns:xlink", "http://www.w3.org/1999/xlink")
            .with_attribute("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance");
        let root = match self.version {
            SldVersion::V1_0 => root,
            SldVersion::V1_1 => root.with_attribute("xmlns:se", "http://www.opengis.net/se"),
        };
        root.with_attribute("xsi:schemaLocation", schema)
    }

    /// A pass a level, so that what lies below of every feature lies below what lies above; labels last.
    fn passes(&mut self, style: &Style) -> Vec<Element> {
        let mut levels: Vec<i32> = style.rules.iter().flat_map(|rule| &rule.symbol).map(|part| part.level).collect();
        levels.sort_unstable();
        levels.dedup();
        let mut passes = Vec::new();
        for level in &levels {
            let rules: Vec<Element> = style.rules.iter().filter_map(|rule| self.rule(rule, *level, style, levels.len() == 1)).collect();
            if !rules.is_empty() {
                passes.push(self.element("FeatureTypeStyle").with_all(rules));
            }
        }
        let labels: Vec<Element> = style.labels.iter().filter_map(|label| self.label(label)).collect();
        if !labels.is_empty() || passes.is_empty() {
            // A pass wants a rule, and a rule a symbolizer: one that draws nothing.
            let nothing = || vec![self.element("Rule").with(self.element("PolygonSymbolizer"))];
            let labels = if labels.is_empty() { nothing() } else { labels };
            passes.push(self.element("FeatureTypeStyle").with_all(labels));
        }
        passes
    }

    fn rule(&mut self, rule: &Rule, level: i32, style: &Style, is_alone: bool) -> Option<Element> {
        self.title.clone_from(&rule.title);
        let paints: Vec<_> = rule.symbol.iter().filter(|part| part.level == level).map(|part| &part.paint).collect();
        let symbolizers = write_symbol::symbolizers(&paints, self);
        if symbolizers.is_empty() {
            return None;
        }
        let condition = if is_alone && is_rest(rule, style) {
            Some(self.element("ElseFilter"))
        } else {
            self.condition(rule.filter.as_ref(), &rule.unless, "elle n'y est pas dessinée")?
        };
        let mut element = self.element("Rule");
        if !rule.title.is_empty() {
            element = element.with(self.text("Name", rule.title.as_str())).with(self.titled(&rule.title));
        }
        Some(element.with_all(condition).with_all(self.scale(rule.scale)).with_all(symbolizers))
    }

    fn label(&mut self, label: &Label) -> Option<Element> {
        "étiquettes".clone_into(&mut self.title);
        let condition = self.condition(label.filter.as_ref(), &label.unless, "elles n'y sont pas écrites")?;
        let symbolizer = write_symbol::text(label, self);
        Some(self.element("Rule").with_all(condition).with_all(self.scale(label.scale)).with(symbolizer))
    }

    /// `Some(None)`: every feature; `None`: what the version cannot say, which is a loss.
    fn condition(&mut self, filter: Option<&Filter>, unless: &[Filter], fate: &str) -> Option<Option<Element>> {
        let version = self.version.fes();
        let mut parts: Vec<Filter> = filter.cloned().into_iter().chain(unless.iter().map(untrue)).collect();
        let whole = match parts.len() {
            0 => return Some(None),
            1 => parts.remove(0),
            _ => Filter::And(parts),
        };
        match fes::write(&whole, version) {
            Ok(condition) => Some(Some(Element::new("ogc:Filter").with(condition))),
            Err(error) => {
                self.lose(&format!("son filtre ({}) n'a pas d'équivalent en SLD : {fate}", shown(&error.what)));
                None
            }
        }
    }

    fn scale(&self, scale: ScaleRange) -> Vec<Element> {
        let end = |name: &str, end: f64| (end > 0.0 && end.is_finite()).then(|| self.text(name, short(end)));
        [end("MinScaleDenominator", scale.min), end("MaxScaleDenominator", scale.max)].into_iter().flatten().collect()
    }
}

/// False or unknown. Whether a negation takes features along whose property is absent, programs do not agree on.
fn untrue(filter: &Filter) -> Filter {
    let not = Filter::Not(Box::new(filter.clone()));
    let mut names = Vec::new();
    if !needs_all(filter, &mut names) {
        return not;
    }
    let absent = names.into_iter().map(|name| Filter::IsNull(Box::new(Filter::Property(name))));
    Filter::Or(std::iter::once(not).chain(absent).collect())
}

/// Whether the filter cannot be true where one of the properties in it is absent; they are collected.
fn needs_all(filter: &Filter, names: &mut Vec<String>) -> bool {
    match filter {
        Filter::Or(_) | Filter::Not(_) | Filter::IsNull(_) => false,
        Filter::Property(name) => {
            if !names.contains(name) {
                names.push(name.clone());
            }
            true
        }
        other => other.children().into_iter().all(|child| needs_all(child, names)),
    }
}

/// Whether the rule takes exactly what the other rules of the style leave, at the same scales: `ElseFilter`.
fn is_rest(rule: &Rule, style: &Style) -> bool {
    let others: Vec<&Rule> = style.rules.iter().filter(|other| *other != rule).collect();
    let filters: Option<Vec<&Filter>> = others.iter().map(|other| other.filter.as_ref().filter(|_| other.unless.is_empty())).collect();
    let Some(filters) = filters else { return false };
    let is_alike = others.iter().all(|other| other.scale == rule.scale && !other.symbol.is_empty());
    let is_written = |filter: &Filter| fes::write(filter, fes::FesVersion::V1_0).is_ok();
    rule.filter.is_none()
        && !rule.unless.is_empty()
        && is_alike
        && rule.unless.iter().all(|filter| filters.contains(&filter) && is_written(filter))
        && filters.iter().all(|filter| rule.unless.contains(filter))
}

/// Four decimals at most.
pub fn short(value: f64) -> String {
    let rounded = (value * 10_000.0).round() / 10_000.0;
    if rounded == 0.0 { "0".to_owned() } else { rounded.to_string() }
}
