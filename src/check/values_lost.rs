//! Values that did not fit their field, or lost signs in decoding.

use crate::check::Afterwards;
use crate::check::Check;
use crate::check::Context;
use crate::check::Inspection;
use crate::check::french::agree;
use crate::check::french::counted;
use crate::check::place_list::finding;
use crate::model::finding::Finding;
use crate::model::finding::PLACES_MAX;
use crate::model::finding::Place;
use crate::model::finding::Severity;
use crate::model::reading::Outcome;

pub struct ValuesLost;

impl Check for ValuesLost {
    fn code(&self) -> &'static str {
        "values-lost"
    }

    fn explanation(&self) -> &'static str {
        "Certaines valeurs n'ont pas pu être lues telles que la colonne les annonce : un texte dans une colonne de nombres, une date \
         impossible, des signes illisibles. La ligne est publiée, mais la valeur est vide ou incomplète, et un lecteur ne peut pas le \
         deviner. Corrigez les valeurs aux lignes indiquées, ou changez le type de la colonne dans le logiciel d'origine."
    }

    fn begin<'a>(&self, context: &'a Context<'a>) -> Box<dyn Inspection + 'a> {
        Box::new(Afterwards { context, verdict: report })
    }
}

fn report(_context: &Context<'_>, outcome: &Outcome) -> Option<Finding> {
    let count = outcome.values_lost;
    if count == 0 {
        return None;
    }
    let mut columns: Vec<String> = outcome.values_lost_places.iter().map(|(_, field)| format!("« {field} »")).collect();
    columns.sort();
    columns.dedup();
    let place = if columns.is_empty() { String::new() } else { format!(" ({})", columns.join(", ")) };
    let message = format!(
        "{}{place} {} lisible{} ou ne {} pas dans {} colonne ; corrigez aux lignes indiquées",
        counted(count, "valeur", "valeurs"),
        agree(count, "n'est pas", "ne sont pas"),
        agree(count, "", "s"),
        agree(count, "tient", "tiennent"),
        agree(count, "sa", "leur"),
    );
    let places = outcome.values_lost_places.iter().take(PLACES_MAX);
    Some(Finding {
        places: places.map(|(row, field)| Place { row: Some(*row), field: Some(field.clone()), position: None }).collect(),
        ..finding("values-lost", Severity::Warning, count, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::trial;

    #[test]
    fn lost_values_are_named_by_row_and_column() {
        let source = trial::table(&[]);
        let outcome = Outcome { values_lost: 2, values_lost_places: vec![(4, "pop".into()), (9, "pop".into())], ..Outcome::default() };
        let found = report(&trial::context(&source), &outcome).expect("a finding");
        assert_eq!((found.places[0].row, found.severity), (Some(4), Severity::Warning));
        assert!(found.message.starts_with("2 valeurs (« pop ») ne sont pas lisibles"), "{}", found.message);
    }

    #[test]
    fn nothing_lost_is_nothing_said() {
        let source = trial::table(&[]);
        assert_eq!(report(&trial::context(&source), &Outcome::default()), None);
    }
}
