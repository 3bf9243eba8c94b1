//! A column of the list that the source does not have.

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
use crate::model::layer::Field;
use crate::model::reading::Outcome;

pub struct FieldMissing;

impl Check for FieldMissing {
    fn code(&self) -> &'static str {
        "field-missing"
    }

    fn explanation(&self) -> &'static str {
        "Une colonne inscrite sous [fields] n'existe pas dans le fichier : elle a été renommée, supprimée, ou mal écrite. Si \
         elle est déjà en ligne, la publier sans elle casserait les usages des lecteurs, et la couche attend votre réponse. \
         Rétablissez la colonne dans le fichier, ou corrigez ou retirez sa ligne sous [fields]."
    }

    fn begin<'a>(&self, context: &'a Context<'a>) -> Box<dyn Inspection + 'a> {
        Box::new(Afterwards { context, verdict: judge })
    }
}

fn judge(context: &Context<'_>, _outcome: &Outcome) -> Option<Finding> {
    let listed = context.listed?;
    let fields = &context.source.fields;
    let missing: Vec<&String> =
        listed.iter().filter(|name| !fields.iter().any(|field| names_field(std::slice::from_ref(*name), field))).collect();
    if missing.is_empty() {
        return None;
    }
    let served = |name: &String| {
        let before: &[Field] = context.fields_before.unwrap_or_default();
        before.iter().any(|field| names_field(std::slice::from_ref(name), field))
    };
    let is_served = missing.iter().any(|name| served(name));
    let severity = if is_served { Severity::Question } else { Severity::Warning };
    let count = missing.len() as u64;
    let names: Vec<String> = missing.iter().map(|name| format!("« {name} »")).collect();
    let message = format!(
        "{} sous [fields] {} dans le fichier : {}{} ; rétablissez dans le fichier, ou corrigez sous [fields]",
        counted(count, "colonne inscrite", "colonnes inscrites"),
        agree(count, "manque", "manquent"),
        names.join(", "),
        if is_served { ", en ligne aujourd'hui" } else { "" },
    );
    let places = missing.iter().take(PLACES_MAX).map(|name| place_of_field(name)).collect();
    Some(Finding { places, ..finding("field-missing", severity, count, message) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::trial;

    use crate::model::layer::FieldType;

    #[test]
    fn a_listed_column_that_the_source_lacks_is_a_question_once_it_is_served() {
        let source = trial::table(&[("NOM_COM", FieldType::Text)]);
        let listed = ["nom_com".to_owned(), "insee".to_owned()];
        let before = [trial::field("insee", FieldType::Text)];
        let mut context = Context { listed: Some(&listed), ..trial::context(&source) };
        assert_eq!(judge(&context, &Outcome::default()).map(|found| found.severity), Some(Severity::Warning));
        context.fields_before = Some(&before);
        let found = judge(&context, &Outcome::default()).expect("a finding");
        assert_eq!((found.severity, found.count), (Severity::Question, 1));
        assert!(found.message.starts_with("1 colonne inscrite sous [fields] manque dans le fichier : « insee »"), "{}", found.message);
    }

    #[test]
    fn source_names_and_safe_names_are_both_understood() {
        let source = trial::table(&[("NOM_COM", FieldType::Text)]);
        for name in ["NOM_COM", "nom_com"] {
            let listed = [name.to_owned()];
            assert_eq!(judge(&Context { listed: Some(&listed), ..trial::context(&source) }, &Outcome::default()), None);
        }
    }
}
