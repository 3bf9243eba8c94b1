//! A column of the source that stands in neither list.

use crate::check::Afterwards;
use crate::check::Check;
use crate::check::Context;
use crate::check::Inspection;
use crate::check::french::agree;
use crate::check::french::counted;
use crate::check::names_field;
use crate::check::place_list::finding;
use crate::check::place_list::place_of_field;
use crate::model::finding::Finding;
use crate::model::finding::PLACES_MAX;
use crate::model::finding::Severity;
use crate::model::reading::Outcome;

pub struct ColumnLeftOut;

impl Check for ColumnLeftOut {
    fn code(&self) -> &'static str {
        "column-left-out"
    }

    fn explanation(&self) -> &'static str {
        "Le fichier contient une colonne qui n'est ni sous [fields] ni dans left_out : elle est sans doute apparue depuis. Elle \
         n'est pas publiée, car seules les colonnes que vous avez choisies sortent ; le reste de la couche n'attend pas. \
         Inscrivez-la sous [fields] pour la publier, ou dans left_out pour ne plus voir cette remarque."
    }

    fn begin<'a>(&self, context: &'a Context<'a>) -> Box<dyn Inspection + 'a> {
        Box::new(Afterwards { context, verdict: judge })
    }
}

fn judge(context: &Context<'_>, _outcome: &Outcome) -> Option<Finding> {
    let listed = context.listed.filter(|_| !context.source.is_tileset)?;
    let became_geometry = &context.source.position_fields;
    let decided = |field: &_| [listed, context.left_out, became_geometry].iter().any(|names| names_field(names, field));
    let unknown: Vec<&str> = context.source.fields.iter().filter(|field| !decided(field)).map(|field| field.source_name.as_str()).collect();
    if unknown.is_empty() {
        return None;
    }
    let count = unknown.len() as u64;
    let names: Vec<String> = unknown.iter().map(|name| format!("« {name} »")).collect();
    let message = format!(
        "{} du fichier {} : {} ; inscrivez sous [fields] ce qui doit sortir",
        counted(count, "colonne", "colonnes"),
        agree(count, "n'est pas publiée", "ne sont pas publiées"),
        names.join(", ")
    );
    let places = unknown.iter().take(PLACES_MAX).map(|name| place_of_field(name)).collect();
    Some(Finding { places, ..finding("column-left-out", Severity::Notice, count, message) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::trial;

    use crate::model::layer::FieldType;

    #[test]
    fn a_new_column_is_left_out_and_holds_nothing() {
        let source = trial::table(&[("nom", FieldType::Text), ("nouveau", FieldType::Text)]);
        let listed = ["nom".to_owned()];
        let found = judge(&Context { listed: Some(&listed), ..trial::context(&source) }, &Outcome::default()).expect("a finding");
        assert_eq!((found.severity, found.places[0].field.as_deref()), (Severity::Notice, Some("nouveau")));
    }

    #[test]
    fn columns_that_are_the_geometry_are_published_as_such() {
        let mut source = trial::table(&[("nom", FieldType::Text), ("lon", FieldType::Real), ("lat", FieldType::Real)]);
        source.position_fields = vec!["lon".to_owned(), "lat".to_owned()];
        let listed = ["nom".to_owned()];
        assert_eq!(judge(&Context { listed: Some(&listed), ..trial::context(&source) }, &Outcome::default()), None);
    }

    #[test]
    fn a_column_in_either_list_and_an_ad_hoc_site_say_nothing() {
        let source = trial::table(&[("nom", FieldType::Text), ("tel", FieldType::Text)]);
        let (listed, left_out) = (["nom".to_owned()], ["tel".to_owned()]);
        assert_eq!(judge(&Context { listed: Some(&listed), left_out: &left_out, ..trial::context(&source) }, &Outcome::default()), None);
        assert_eq!(judge(&trial::context(&source), &Outcome::default()), None);
    }
}
