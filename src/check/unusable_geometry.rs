//! Geometries that could not be mended: their rows go out without one.

use crate::check::Afterwards;
use crate::check::Check;
use crate::check::Context;
use crate::check::Inspection;
use crate::check::french::agree;
use crate::check::french::counted;
use crate::check::place_list::finding;
use crate::check::place_list::places_of_rows;
use crate::model::finding::Finding;
use crate::model::finding::Severity;
use crate::model::reading::Outcome;

pub struct UnusableGeometry;

impl Check for UnusableGeometry {
    fn code(&self) -> &'static str {
        "unusable-geometry"
    }

    fn explanation(&self) -> &'static str {
        "Certaines géométries n'ont pas pu être réparées, ou contiennent des coordonnées qui ne sont pas des nombres. La ligne \
         est publiée avec ses attributs mais sans géométrie : elle n'apparaîtra sur aucune carte. Redessinez les objets des \
         lignes indiquées dans votre logiciel, puis publiez de nouveau."
    }

    fn begin<'a>(&self, context: &'a Context<'a>) -> Box<dyn Inspection + 'a> {
        Box::new(Afterwards { context, verdict: judge })
    }
}

fn judge(_context: &Context<'_>, outcome: &Outcome) -> Option<Finding> {
    let count = outcome.unusable;
    let message = format!(
        "{} {} sans géométrie, la leur étant illisible ou irréparable ; redessinez ou corrigez les objets de ces lignes",
        counted(count, "ligne", "lignes"),
        agree(count, "est publiée", "sont publiées")
    );
    let places = places_of_rows(&outcome.unusable_rows);
    (count > 0).then(|| Finding { places, ..finding("unusable-geometry", Severity::Warning, count, message) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::trial;

    #[test]
    fn unusable_geometries_are_a_warning_with_rows() {
        let source = trial::points(&[]);
        let outcome = Outcome { unusable: 9, unusable_rows: (1..=9).collect(), ..Outcome::default() };
        let found = judge(&trial::context(&source), &outcome).expect("a finding");
        assert_eq!((found.severity, found.count, found.places.len()), (Severity::Warning, 9, 5));
    }

    #[test]
    fn usable_geometries_say_nothing() {
        let source = trial::points(&[]);
        assert_eq!(judge(&trial::context(&source), &Outcome::default()), None);
    }
}
