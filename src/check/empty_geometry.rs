//! Rows without a geometry, or with an empty one, in a layer that has geometry.

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

pub struct EmptyGeometry;

impl Check for EmptyGeometry {
    fn code(&self) -> &'static str {
        "empty-geometry"
    }

    fn explanation(&self) -> &'static str {
        "Certaines lignes n'ont pas de géométrie, ou une géométrie vide. Elles sont publiées avec leurs attributs, mais \
         n'apparaissent pas sur les cartes ; ce sont souvent des objets saisis puis jamais dessinés. Dessinez-les, ou supprimez \
         les lignes si elles sont de trop."
    }

    fn begin<'a>(&self, context: &'a Context<'a>) -> Box<dyn Inspection + 'a> {
        Box::new(Afterwards { context, verdict: judge })
    }
}

/// When a quarter of the rows is not on the map, the join or the export that made the file deserves a look.
const SHARE_WARNED: f64 = 0.25;

fn judge(context: &Context<'_>, outcome: &Outcome) -> Option<Finding> {
    context.source.geometry?;
    let count = outcome.null_geometries + outcome.empty_geometries;
    if count == 0 {
        return None;
    }
    let share = count as f64 / outcome.rows_read.max(1) as f64;
    let severity = if share > SHARE_WARNED { Severity::Warning } else { Severity::Notice };
    let message = format!(
        "{} {} ({} sans géométrie, {} vide{}) ; dessinez ces objets ou supprimez les lignes",
        counted(count, "ligne", "lignes"),
        agree(count, "ne se voit pas sur la carte", "ne se voient pas sur la carte"),
        outcome.null_geometries,
        outcome.empty_geometries,
        agree(outcome.empty_geometries, "", "s"),
    );
    let mut rows = [outcome.null_rows.as_slice(), &outcome.empty_rows].concat();
    rows.sort_unstable();
    Some(Finding { places: places_of_rows(&rows), ..finding("empty-geometry", severity, count, message) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::trial;

    #[test]
    fn null_and_empty_geometries_are_counted_together() {
        let source = trial::points(&[]);
        let outcome = Outcome {
            rows_read: 100,
            null_geometries: 1,
            empty_geometries: 2,
            null_rows: vec![5],
            empty_rows: vec![3, 8],
            ..Outcome::default()
        };
        let found = judge(&trial::context(&source), &outcome).expect("a finding");
        assert_eq!((found.severity, found.count, found.places[1].row), (Severity::Notice, 3, Some(5)));
        assert!(found.message.starts_with("3 lignes ne se voient pas"), "{}", found.message);
        let most = Outcome { rows_read: 4, ..outcome };
        assert_eq!(judge(&trial::context(&source), &most).map(|found| found.severity), Some(Severity::Warning));
    }

    #[test]
    fn a_table_needs_no_geometry() {
        let source = trial::table(&[]);
        assert_eq!(judge(&trial::context(&source), &Outcome { null_geometries: 4, ..Outcome::default() }), None);
    }
}
