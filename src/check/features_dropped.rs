//! Far fewer rows than in the version being served.

use crate::check::Afterwards;
use crate::check::Check;
use crate::check::Context;
use crate::check::Inspection;
use crate::check::french::counted;
use crate::check::french::number;
use crate::check::place_list::finding;
use crate::model::finding::Finding;
use crate::model::finding::Severity;
use crate::model::reading::Outcome;

pub struct FeaturesDropped;

impl Check for FeaturesDropped {
    fn code(&self) -> &'static str {
        "features-dropped"
    }

    fn explanation(&self) -> &'static str {
        "Le nombre de lignes est comparé à celui de la version en ligne. Une forte baisse est parfois voulue, mais trahit \
         souvent un export filtré ou incomplet : au-delà du dixième, elle est signalée ; au-delà de la moitié, la couche attend \
         votre réponse et l'ancienne version reste servie. Vérifiez le fichier, ou confirmez la baisse en écrivant \
         features-dropped dans la liste ignore sous [checks]."
    }

    fn begin<'a>(&self, context: &'a Context<'a>) -> Box<dyn Inspection + 'a> {
        Box::new(Afterwards { context, verdict: judge })
    }
}

/// Updates remove a few percent; a tenth at once is worth a look.
const DROP_WARNED: f64 = 0.1;

/// Losing more than half is what a filter left on in QGIS looks like.
const DROP_ASKED: f64 = 0.5;

fn judge(context: &Context<'_>, outcome: &Outcome) -> Option<Finding> {
    let before = context.features_before.filter(|before| *before > 0)?;
    let lost = before.checked_sub(outcome.rows_read)?;
    let share = lost as f64 / before as f64;
    // An empty layer has a check of its own.
    if share <= DROP_WARNED || outcome.rows_read == 0 {
        return None;
    }
    let asked = share > DROP_ASKED;
    let severity = if asked { context.question("features-dropped") } else { Severity::Warning };
    let message = format!(
        "{} contre {} dans la version en ligne ({} de moins) ; vérifiez que l'export est complet",
        counted(outcome.rows_read, "ligne", "lignes"),
        number(before),
        number(lost)
    );
    let remedies = if asked { vec!["[checks]\nignore = [\"features-dropped\"]".to_owned()] } else { Vec::new() };
    Some(Finding { remedies, ..finding("features-dropped", severity, lost, message) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::trial;

    fn severity(before: Option<u64>, rows_read: u64) -> Option<Severity> {
        let source = trial::table(&[]);
        let context = Context { features_before: before, ..trial::context(&source) };
        judge(&context, &Outcome { rows_read, ..Outcome::default() }).map(|found| found.severity)
    }

    #[test]
    fn a_strong_drop_is_asked_about_and_a_mild_one_said() {
        assert_eq!(severity(Some(100), 49), Some(Severity::Question));
        assert_eq!(severity(Some(100), 80), Some(Severity::Warning));
    }

    #[test]
    fn growth_small_drops_and_first_publications_are_fine() {
        assert_eq!(severity(Some(100), 95), None);
        assert_eq!(severity(Some(100), 300), None);
        assert_eq!(severity(None, 3), None);
    }
}
