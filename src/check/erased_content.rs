//! Data that were erased and would come back with the next publication.

use crate::check::Check;
use crate::check::Context;
use crate::check::Inspection;
use crate::check::place_list::finding;
use crate::check::question;
use crate::model::batch::FeatureBatch;
use crate::model::finding::Finding;
use crate::model::reading::Outcome;
use crate::model::version::Version;

const CODE: &str = "erased-content";

pub struct ErasedContent;

impl Check for ErasedContent {
    fn code(&self) -> &'static str {
        CODE
    }

    fn explanation(&self) -> &'static str {
        "La source donne exactement les données d'une version que quelqu'un a effacée, par exemple parce qu'elle contenait le nom \
         d'une personne. Les publier de nouveau déferait cet effacement sans que personne l'ait décidé ; la couche attend donc votre \
         réponse. Corrigez la source, ou, si ces données peuvent revenir, écrivez erased-content dans la liste ignore sous [checks]."
    }

    /// Nothing to see in the rows: what they are worth together is known to the store, which asks by [`erased_content`].
    fn begin<'a>(&self, _context: &'a Context<'a>) -> Box<dyn Inspection + 'a> {
        struct Nothing;
        impl Inspection for Nothing {
            fn see(&mut self, _batch: &FeatureBatch) {}
            fn finish(self: Box<Self>, _outcome: &Outcome) -> Vec<Finding> {
                Vec::new()
            }
        }
        Box::new(Nothing)
    }
}

/// For data that are those of the erased `version`. `ignored`: codes of `[checks] ignore`.
pub fn erased_content(version: &Version, ignored: &[String]) -> Finding {
    let message =
        format!("ces données sont celles de la version {version}, qui a été effacée ; corrigez la source, ou confirmez leur retour");
    let remedies = vec![format!("[checks]\nignore = [\"{CODE}\"]")];
    Finding { remedies, ..finding(CODE, question(ignored, CODE), 1, message) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::finding::Severity;

    #[test]
    fn what_was_erased_comes_back_by_a_persons_word_only() {
        let version = Version::new("20260630", &[1, 2, 3, 4]);
        assert_eq!(erased_content(&version, &[]).severity, Severity::Question);
        assert_eq!(erased_content(&version, &[CODE.to_owned()]).severity, Severity::Warning);
    }
}
