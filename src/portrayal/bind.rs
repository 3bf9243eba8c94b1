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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::portrayal::symbol::Part;
    use crate::query::cql2_text;

    /// `INSEE` of the source is `code_insee` here; `prix` and `date` are not texts.
    fn layer() -> Layer {
        let field =
            |name: &str, source: &str, kind: &str| json!({ "name": name, "source_name": source, "title": name, "field_type": kind });
        let fields = [
            field("code_insee", "INSEE", "text"),
            field("prix", "PRIX", "real"),
            field("n", "n", "integer"),
            field("le", "DATE", "date"),
            field("actif", "actif", "boolean"),
        ];
        let layer = json!({ "id": "zones", "title": "", "abstract": "", "fields": fields, "geometry": null, "crs": CRS84, "id_kind": "integer", "features": 0, "extent": null });
        serde_json::from_value(layer).expect("a layer")
    }

    fn rule(filter: &str, unless: &[&str]) -> Rule {
        let parse = |text: &str| cql2_text::parse(text).expect("CQL2");
        let unless = unless.iter().map(|text| parse(text)).collect();
        Rule { title: filter.to_owned(), filter: Some(parse(filter)), unless, ..Rule::every(Vec::<Part>::new()) }
    }

    fn bound(rules: Vec<Rule>) -> (Vec<String>, Vec<String>) {
        let style = bind(Style { rules, ..Style::default() }, &layer());
        (style.rules.iter().filter_map(|rule| rule.filter.as_ref()).map(cql2_text::write).collect(), style.losses.sentences())
    }

    #[test]
    fn names_are_those_published_and_values_those_of_the_fields() {
        for (written, expected) in [
            ("INSEE = 35188", "code_insee = '35188'"),
            ("insee IN (35188, '35023')", "code_insee IN ('35188', '35023')"),
            ("n = '3' AND prix > '2.50'", "n = 3 AND prix > 2.5"),
            ("actif = '1'", "actif = TRUE"),
            ("DATE >= '2026-06-30'", "le >= DATE('2026-06-30')"),
            ("prix / n BETWEEN '1' AND 2", "(prix / n) BETWEEN 1 AND 2"),
        ] {
            assert_eq!(bound(vec![rule(written, &[])]), (vec![expected.to_owned()], vec![]), "{written}");
        }
    }

    #[test]
    fn what_asks_for_a_column_that_stays_in_is_not_drawn() {
        let (rules, losses) = bound(vec![rule("telephone = 'x'", &[]), rule("n = 1", &["telephone = 'x'"]), rule("n = 2", &[])]);
        assert_eq!(rules, ["n = 2"]);
        assert_eq!(losses[0], "règle « telephone = 'x' » : le champ « telephone » n'est pas publié : elle n'est pas dessinée");
        assert_eq!(losses.len(), 2);
        assert!(bound(vec![rule("n = 'abc'", &[])]).1[0].contains("ne convient pas"));
    }

    #[test]
    fn labels_are_bound_too() {
        let label = |name: &str| Label::plain(vec![Piece::Field(name.to_owned())]);
        let style = bind(Style { labels: vec![label("INSEE"), label("telephone")], ..Style::default() }, &layer());
        assert_eq!(style.labels.iter().map(|label| label.text.clone()).collect::<Vec<_>>(), [[Piece::Field("code_insee".into())]]);
        assert!(style.losses.sentences()[0].contains("« telephone »"));
    }
}
