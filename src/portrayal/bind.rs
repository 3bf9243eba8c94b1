//! A style bound to the layer that it draws: the names that the layer publishes, values of its fields' kinds.
//!
//! Styles name the columns of the source, and write numbers as texts and texts as numbers. A rule that asks for a column
//! which is not published cannot be known: it is not drawn, and neither is what stands for "all others" beside it.

use crate::model::crs::CRS84;
use crate::model::layer::FieldType;
use crate::model::layer::Layer;
use crate::portrayal::Style;
use crate::portrayal::label::Label;
use crate::portrayal::label::Piece;
use crate::portrayal::losses;
use crate::portrayal::losses::Losses;
use crate::portrayal::losses::shown;
use crate::portrayal::rule::Rule;
use crate::query::filter::Filter;
use crate::query::filter::resolve;

/// The style as the layer can be drawn with it. What is left out joins the losses.
pub fn bind(style: Style, layer: &Layer) -> Style {
    let mut losses = style.losses;
    let rules = style.rules.into_iter().filter_map(|rule| bound_rule(rule, layer, &mut losses)).collect();
    let labels = style.labels.into_iter().filter_map(|label| bound_label(label, layer, &mut losses)).collect();
    Style { title: style.title, rules, labels, losses }
}

fn bound_rule(rule: Rule, layer: &Layer, losses: &mut Losses) -> Option<Rule> {
    match conditions(rule.filter, rule.unless, layer) {
        Ok((filter, unless)) => Some(Rule { filter, unless, ..rule }),
        Err(reason) => {
            losses.note(format!("{} : {reason} : elle n'est pas dessinée", losses::rule(&rule.title)));
            None
        }
    }
}

fn bound_label(label: Label, layer: &Layer, losses: &mut Losses) -> Option<Label> {
    let fields = label.text.into_iter().map(|piece| match piece {
        Piece::Field(name) => named(&name, layer).map(Piece::Field),
        literal => Ok(literal),
    });
    let bound = fields.collect::<Result<Vec<Piece>, String>>().and_then(|text| Ok((text, conditions(label.filter, label.unless, layer)?)));
    match bound {
        Ok((text, (filter, unless))) => Some(Label { text, filter, unless, ..label }),
        Err(reason) => {
            losses.note(format!("étiquettes : {reason} : elles ne sont pas écrites"));
            None
        }
    }
}

type Conditions = (Option<Filter>, Vec<Filter>);

fn conditions(filter: Option<Filter>, unless: Vec<Filter>, layer: &Layer) -> Result<Conditions, String> {
    let filter = filter.map(|filter| condition(filter, layer)).transpose()?;
    let unless = unless.into_iter().map(|filter| condition(filter, layer)).collect::<Result<Vec<Filter>, String>>()?;
    Ok((filter, unless))
}

fn named(name: &str, layer: &Layer) -> Result<String, String> {
    let field = layer.fields.iter().find(|field| field.is_named(name));
    field.map(|field| field.name.clone()).ok_or_else(|| format!("le champ « {} » n'est pas publié", shown(name)))
}

fn condition(filter: Filter, layer: &Layer) -> Result<Filter, String> {
    let fitted = fitted(filter, layer)?;
    // What resolves can be evaluated: the map that is drawn here and the one that a browser draws agree.
    resolve::resolve(fitted.clone(), layer, CRS84).map_err(|_| "son filtre ne convient pas aux champs de la couche".to_owned())
}

/// Names as published, literals of the kind of the field that they are compared with.
fn fitted(filter: Filter, layer: &Layer) -> Result<Filter, String> {
    let of = |side: &Filter| match side {
        Filter::Property(name) => layer.fields.iter().find(|field| field.is_named(name)).map(|field| field.field_type),
        Filter::Arithmetic(..) => Some(FieldType::Real),
        Filter::Casei(_) | Filter::Accenti(_) => Some(FieldType::Text),
        _ => None,
    };
    let filter = match filter {
        Filter::Property(name) => return Ok(Filter::Property(named(&name, layer)?)),
        Filter::Compare(operator, a, b) => {
            let (a_type, b_type) = (of(&a), of(&b));
            Filter::Compare(operator, Box::new(as_type(*a, b_type)), Box::new(as_type(*b, a_type)))
        }
        Filter::Between(value, least, greatest) => {
            let kind = of(&value);
            Filter::Between(value, Box::new(as_type(*least, kind)), Box::new(as_type(*greatest, kind)))
        }
        Filter::In(value, items) => {
            let kind = of(&value);
            Filter::In(value, items.into_iter().map(|item| as_type(item, kind)).collect())
        }
        other => other,
    };
    filter.try_map(&mut |part| fitted(part, layer))
}

/// A literal as the field would hold it; as it stands where it is no such thing.
fn as_type(literal: Filter, kind: Option<FieldType>) -> Filter {
    let Some(kind) = kind else { return literal };
    let text = match &literal {
        Filter::Text(text) => text.trim().to_owned(),
        Filter::Integer(whole) => whole.to_string(),
        Filter::Real(real) => real.to_string(),
        Filter::Boolean(truth) => truth.to_string(),
        _ => return literal,
    };
    let found = match kind {
        FieldType::Text if matches!(literal, Filter::Text(_)) => None,
        FieldType::Text => Some(Filter::Text(text)),
        FieldType::Integer => text.parse().map(Filter::Integer).ok().or_else(|| real(&text)),
        FieldType::Real => text.parse().map(Filter::Integer).ok().or_else(|| real(&text)),
        FieldType::Boolean => match text.to_ascii_lowercase().as_str() {
            "true" | "t" | "1" | "oui" | "vrai" => Some(Filter::Boolean(true)),
            "false" | "f" | "0" | "non" | "faux" => Some(Filter::Boolean(false)),
            _ => None,
        },
        FieldType::Date | FieldType::DateTime => None,
    };
    found.unwrap_or(literal)
}

fn real(text: &str) -> Option<Filter> {
    text.parse().ok().filter(|real: &f64| real.is_finite()).map(Filter::Real)
}
