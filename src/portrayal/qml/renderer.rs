//! Renderers as rules.

use crate::portrayal::losses::shown;
use crate::portrayal::qml::Reader;
use crate::portrayal::qml::expression;
use crate::portrayal::qml::number;
use crate::portrayal::qml::symbol;
use crate::portrayal::rule;
use crate::portrayal::rule::Rule;
use crate::portrayal::rule::both;
use crate::portrayal::scale::ScaleRange;
use crate::portrayal::symbol::Part;
use crate::query::filter::Comparison;
use crate::query::filter::Filter;
use crate::xml::Element;

/// Renderers in renderers: QGIS wraps one in another, and no more.
const WRAPPERS_MAX: usize = 4;

pub fn read(renderer: &Element, reader: &mut Reader) -> Vec<Rule> {
    wrapped(renderer, 0, reader)
}

fn wrapped(renderer: &Element, depth: usize, reader: &mut Reader) -> Vec<Rule> {
    let kind = renderer.attribute("type").unwrap_or_default();
    if renderer.attribute("enableorderby") == Some("1") {
        reader.lose("l'ordre de dessin des objets n'est pas repris");
    }
    if number(renderer, "referencescale").is_some_and(|scale| scale > 0.0) {
        reader.lose("l'échelle de référence n'est pas reprise, les symboles gardent leur taille à l'écran");
    }
    let mut rules = match kind {
        "singleSymbol" => single(renderer, reader),
        "categorizedSymbol" => categories(renderer, reader),
        "graduatedSymbol" => ranges(renderer, reader),
        "RuleRenderer" => rules(renderer, reader),
        "nullSymbol" => Vec::new(),
        other => {
            let inner = renderer.child("renderer-v2").filter(|_| depth < WRAPPERS_MAX);
            let (kept, fate) = match inner {
                Some(inner) => (wrapped(inner, depth + 1, reader), "n'est pas repris, les objets sont dessinés un par un"),
                None => (Vec::new(), "n'est pas repris, il n'a pas d'équivalent"),
            };
            reader.who.clear();
            reader.lose(&format!("le rendu « {} » {fate}", shown(other)));
            kept
        }
    };
    if renderer.attribute("symbollevels") != Some("1") {
        rules.iter_mut().flat_map(|rule| &mut rule.symbol).for_each(|part| part.level = 0);
    }
    rules
}

fn named(renderer: &Element, name: &str, reader: &mut Reader) -> Vec<Part> {
    let symbols = renderer.child("symbols").into_iter().flat_map(Element::children);
    match symbols.into_iter().find(|symbol| symbol.attribute("name") == Some(name)) {
        Some(found) => symbol::read(found, reader),
        None => {
            reader.lose("son symbole manque au fichier");
            Vec::new()
        }
    }
}

fn single(renderer: &Element, reader: &mut Reader) -> Vec<Rule> {
    vec![Rule::every(named(renderer, "0", reader))]
}

/// The field or expression that classes are told by: a name as it stands, unless it can only be an expression.
fn classified(renderer: &Element, reader: &mut Reader) -> Option<Filter> {
    let text = renderer.attribute("attr").unwrap_or_default();
    if !text.contains(['"', '\'', '(', ')', '+', '*', '/', '|', '[', '$', '@']) {
        return Some(Filter::property(text));
    }
    match expression::value(text) {
        Ok(value) => Some(value),
        Err(reason) => {
            reader.lose(&format!("le classement par « {} » n'est pas repris ({reason}) : ses classes ne sont pas dessinées", shown(text)));
            None
        }
    }
}

/// A value as the category says its type; without a type, as it is written.
fn literal(element: &Element) -> Filter {
    let text = element.attribute("value").unwrap_or_default();
    let whole = || text.parse().ok().map(Filter::Integer);
    let real = || text.parse().ok().filter(|value: &f64| value.is_finite()).map(Filter::Real);
    let found = match element.attribute("type").unwrap_or_default().to_ascii_lowercase().as_str() {
        "integer" | "int" | "uint" | "long" | "longlong" | "ulonglong" => whole(),
        "double" => real(),
        "bool" => text.parse().ok().map(Filter::Boolean),
        "" => whole().filter(|_| text.parse::<i64>().is_ok_and(|value| value.to_string() == text)),
        _ => None,
    };
    found.unwrap_or_else(|| Filter::Text(text.to_owned()))
}

/// A category without a value is for all others.
fn categories(renderer: &Element, reader: &mut Reader) -> Vec<Rule> {
    let Some(classified) = classified(renderer, reader) else { return Vec::new() };
    let categories: Vec<&Element> = renderer.child("categories").map(|all| all.children_named("category").collect()).unwrap_or_default();
    let filters: Vec<Option<Filter>> = categories.iter().map(|category| of_category(category, &classified)).collect();
    let mut found = Vec::new();
    for (category, filter) in categories.iter().zip(&filters) {
        if category.attribute("render") == Some("false") {
            continue;
        }
        if !reader.takes(if filter.is_none() { filters.len() } else { 1 }) {
            break;
        }
        let title = category.attribute("label").unwrap_or_default();
        reader.about("catégorie", if title.is_empty() { category.attribute("value").unwrap_or_default() } else { title });
        let unless = if filter.is_none() { filters.iter().flatten().cloned().collect() } else { Vec::new() };
        let symbol = named(renderer, category.attribute("symbol").unwrap_or_default(), reader);
        found.push(Rule { title: title.to_owned(), filter: filter.clone(), unless, scale: ScaleRange::ALL, symbol });
    }
    reader.who.clear();
    found
}

fn of_category(category: &Element, classified: &Filter) -> Option<Filter> {
    let values: Vec<Filter> = category.children_named("val").map(literal).collect();
    if !values.is_empty() {
        return Some(Filter::In(Box::new(classified.clone()), values));
    }
    let is_rest = category.attribute("value").unwrap_or_default().is_empty();
    (!is_rest).then(|| Filter::Compare(Comparison::Equal, Box::new(classified.clone()), Box::new(literal(category))))
}

/// A value on the border of two ranges belongs to the one that is listed first.
fn ranges(renderer: &Element, reader: &mut Reader) -> Vec<Rule> {
    let Some(classified) = classified(renderer, reader) else { return Vec::new() };
    let ranges: Vec<&Element> = renderer.child("ranges").map(|all| all.children_named("range").collect()).unwrap_or_default();
    let mut before: Vec<(f64, f64)> = Vec::new();
    let mut found = Vec::new();
    for range in ranges {
        let title = range.attribute("label").unwrap_or_default().trim();
        reader.about("classe", title);
        let (Some(lower), Some(upper)) = (number(range, "lower"), number(range, "upper")) else {
            reader.lose("ses bornes ne sont pas des nombres, elle n'est pas dessinée");
            continue;
        };
        let filter = of_range(&classified, lower, upper, &before);
        before.push((lower, upper));
        if range.attribute("render") == Some("false") {
            continue;
        }
        if !reader.takes(1) {
            break;
        }
        let symbol = named(renderer, range.attribute("symbol").unwrap_or_default(), reader);
        found.push(Rule { title: title.to_owned(), filter: Some(filter), unless: Vec::new(), scale: ScaleRange::ALL, symbol });
    }
    reader.who.clear();
    found
}

fn of_range(classified: &Filter, lower: f64, upper: f64, before: &[(f64, f64)]) -> Filter {
    let value = || Box::new(classified.clone());
    let taken = |bound: f64| before.iter().any(|(least, greatest)| *least <= bound && bound <= *greatest);
    let bound = |bound: f64| Box::new(whole(bound));
    let from = if taken(lower) { Comparison::Greater } else { Comparison::GreaterOrEqual };
    let to = if taken(upper) { Comparison::Less } else { Comparison::LessOrEqual };
    Filter::And(vec![Filter::Compare(from, value(), bound(lower)), Filter::Compare(to, value(), bound(upper))])
}

/// A whole number is written as one.
fn whole(value: f64) -> Filter {
    // Beyond it a double no longer holds every whole number.
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() <= EXACT_MAX { Filter::Integer(value as i64) } else { Filter::Real(value) }
}

fn rules(renderer: &Element, reader: &mut Reader) -> Vec<Rule> {
    let mut found = Vec::new();
    if let Some(root) = renderer.child("rules") {
        let mut branch = Branch { renderer, reader, found: &mut found };
        branch.children(root, None, &[], ScaleRange::ALL);
    }
    reader.who.clear();
    found
}

/// A rule of QGIS draws within the rules that it hangs on.
struct Branch<'a> {
    renderer: &'a Element,
    reader: &'a mut Reader,
    found: &'a mut Vec<Rule>,
}

/// Features that rules take, which "all others" leaves out: each filter's; `None`: every feature. QGIS 3 counts a rule
/// among them also where its scale or its switch keeps it from drawing.
type Taken = Vec<Option<Filter>>;

impl Branch<'_> {
    /// Writes the rules below `parent`; gives what they take, without `filter`.
    fn children(&mut self, parent: &Element, filter: Option<&Filter>, unless: &[Filter], scale: ScaleRange) -> Taken {
        let is_else = |rule: &&Element| rule.attribute("filter").is_some_and(|filter| filter.trim().eq_ignore_ascii_case("else"));
        let mut taken = Taken::new();
        let mut is_known = true;
        for rule in parent.children_named("rule").filter(|rule| !is_else(rule)) {
            match self.rule(rule, filter, unless, scale) {
                Some(more) => taken.extend(more),
                None => is_known = false,
            }
        }
        let others: Option<Vec<Filter>> = taken.iter().cloned().collect();
        for rule in parent.children_named("rule").filter(is_else) {
            self.reader.about("règle", title(rule));
            match &others {
                _ if !is_known => self
                    .reader
                    .lose("elle vaut pour tous les autres objets, qu'une règle non reprise empêche de connaître : elle n'est pas dessinée"),
                Some(others) if !self.reader.budget.has_room(1 + unless.len() + others.len()) => {
                    self.reader.losses.note(rule::TOO_MANY);
                    break;
                }
                Some(others) => {
                    let unless: Vec<Filter> = unless.iter().chain(others).cloned().collect();
                    self.drawn(rule, filter, &unless, scale);
                    taken.push(None);
                }
                None => {}
            }
        }
        taken
    }

    /// What the rule takes; `None` where that cannot be known.
    fn rule(&mut self, rule: &Element, outer: Option<&Filter>, unless: &[Filter], scale: ScaleRange) -> Option<Taken> {
        self.reader.about("règle", title(rule));
        let own = match rule.attribute("filter").map(str::trim).filter(|text| !text.is_empty()) {
            None => None,
            Some(text) => match expression::condition(text) {
                Ok(filter) => Some(filter),
                Err(reason) => {
                    self.reader.lose(&format!("son filtre « {} » n'est pas repris ({reason}) : elle n'est pas dessinée", shown(text)));
                    return None;
                }
            },
        };
        let filter = both(outer.cloned(), own.clone());
        let taken = self.drawn(rule, filter.as_ref(), unless, scale);
        Some(taken.into_iter().map(|inner| both(own.clone(), inner)).collect())
    }

    /// Draws with the symbol of the rule, then with the rules below it.
    fn drawn(&mut self, rule: &Element, filter: Option<&Filter>, unless: &[Filter], scale: ScaleRange) -> Taken {
        let everything = vec![None];
        let own = ScaleRange::of_qgis(number(rule, "scalemindenom"), number(rule, "scalemaxdenom"));
        let Some(scale) = own.and(scale).filter(|_| rule.attribute("checkstate") != Some("0")) else { return everything };
        if !self.reader.takes(1 + unless.len()) {
            return everything;
        }
        let symbol = rule.attribute("symbol").map(|name| named(self.renderer, name, self.reader));
        let has_symbol = symbol.is_some();
        if let Some(symbol) = symbol {
            self.found.push(Rule { title: title(rule).to_owned(), filter: filter.cloned(), unless: unless.to_vec(), scale, symbol });
        }
        let below = self.children(rule, filter, unless, scale);
        if has_symbol { everything } else { below }
    }
}

fn title(rule: &Element) -> &str {
    let label = rule.attribute("label").unwrap_or_default();
    if label.is_empty() { rule.attribute("filter").unwrap_or_default() } else { label }
}
