//! Rows that the container announces and the reading did not give.

use crate::check::Afterwards;
use crate::check::Check;
use crate::check::Context;
use crate::check::Inspection;
use crate::check::french::agree;
use crate::check::french::counted;
use crate::check::french::number;
use crate::check::place_list::finding;
use crate::model::finding::Finding;
use crate::model::finding::Severity;
use crate::model::reading::Outcome;

pub struct RowsLost;

impl Check for RowsLost {
    fn code(&self) -> &'static str {
        "rows-lost"
    }

    fn explanation(&self) -> &'static str {
        "Le nombre de lignes lues est comparé à celui que le fichier annonce. Une différence veut dire qu'une partie des données \
         n'arriverait pas chez les lecteurs, souvent parce que le fichier est abîmé ou que sa copie n'était pas terminée : la couche \
         n'est donc jamais publiée dans cet état. Copiez de nouveau le fichier depuis sa source, ou réexportez-le depuis le logiciel \
         qui l'a produit, puis relancez la publication."
    }

    fn begin<'a>(&self, context: &'a Context<'a>) -> Box<dyn Inspection + 'a> {
        Box::new(Afterwards { context, verdict: compare })
    }
}

fn compare(context: &Context<'_>, outcome: &Outcome) -> Option<Finding> {
    let claimed = context.source.rows_claimed?;
    let read = outcome.rows_read;
    let message = match claimed.checked_sub(read) {
        Some(0) => return None,
        Some(lost) => format!(
            "{} sur {} {} à la lecture ({} {}) ; le fichier est sans doute abîmé ou incomplet : copiez-le ou exportez-le de nouveau",
            counted(lost, "ligne", "lignes"),
            number(claimed),
            agree(lost, "manque", "manquent"),
            number(read),
            agree(read, "lue", "lues"),
        ),
        None => format!(
            "le fichier annonce {} et en donne {} ; il est sans doute abîmé : exportez-le de nouveau",
            counted(claimed, "ligne", "lignes"),
            number(read)
        ),
    };
    Some(finding("rows-lost", Severity::Blocking, claimed.abs_diff(read), message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::trial;

    fn verdict(claimed: Option<u64>, rows_read: u64) -> Option<Finding> {
        let source = crate::model::reading::SourceLayer { rows_claimed: claimed, ..trial::table(&[]) };
        compare(&trial::context(&source), &Outcome { rows_read, ..Outcome::default() })
    }

    #[test]
    fn one_lost_row_blocks() {
        let found = verdict(Some(820), 819).expect("a finding");
        assert_eq!((found.severity, found.count), (Severity::Blocking, 1));
        assert!(found.message.starts_with("1 ligne sur 820 manque à la lecture (819 lues)"), "{}", found.message);
        assert!(verdict(Some(2), 5).is_some());
    }

    #[test]
    fn a_whole_reading_and_a_silent_container_are_fine() {
        assert_eq!(verdict(Some(3), 3), None);
        assert_eq!(verdict(None, 3), None);
    }
}
