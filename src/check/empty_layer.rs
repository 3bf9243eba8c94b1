//! A layer without a single row: a file emptied by accident must not replace data.

use crate::check::Afterwards;
use crate::check::Check;
use crate::check::Context;
use crate::check::Inspection;
use crate::check::place_list::finding;
use crate::model::finding::Finding;
use crate::model::reading::Outcome;

pub struct EmptyLayer;

impl Check for EmptyLayer {
    fn code(&self) -> &'static str {
        "empty-layer"
    }

    fn explanation(&self) -> &'static str {
        "Une couche sans aucune ligne vient presque toujours d'un accident : export interrompu, filtre oublié, fichier vidé. La \
         publier effacerait, pour ceux qui s'en servent, les données de la version précédente ; la couche attend donc votre \
         réponse. Réexportez le fichier, ou, si la couche est vraiment vide, écrivez empty-layer dans la liste ignore sous \
         [checks]."
    }

    fn begin<'a>(&self, context: &'a Context<'a>) -> Box<dyn Inspection + 'a> {
        Box::new(Afterwards { context, verdict: judge })
    }
}

fn judge(context: &Context<'_>, outcome: &Outcome) -> Option<Finding> {
    if outcome.rows_read > 0 || context.source.is_tileset {
        return None;
    }
    let message = "la couche ne contient aucune ligne ; exportez-la de nouveau, ou confirmez qu'elle est vide".to_owned();
    let remedies = vec!["[checks]\nignore = [\"empty-layer\"]".to_owned()];
    Some(Finding { remedies, ..finding("empty-layer", context.question("empty-layer"), 1, message) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::trial;
    use crate::model::finding::Severity;

    #[test]
    fn an_empty_layer_waits_until_the_officer_confirms_it() {
        let source = trial::table(&[]);
        let mut context = trial::context(&source);
        assert_eq!(judge(&context, &Outcome::default()).map(|found| found.severity), Some(Severity::Question));
        let ignored = ["empty-layer".to_owned()];
        context.ignored = &ignored;
        assert_eq!(judge(&context, &Outcome::default()).map(|found| found.severity), Some(Severity::Warning));
    }

    #[test]
    fn one_row_is_enough() {
        let source = trial::table(&[]);
        assert_eq!(judge(&trial::context(&source), &Outcome { rows_read: 1, ..Outcome::default() }), None);
    }
}
