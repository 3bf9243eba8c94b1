//! Geometries that GEOS mended on the way in.

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

pub struct InvalidGeometry;

impl Check for InvalidGeometry {
    fn code(&self) -> &'static str {
        "invalid-geometry"
    }

    fn explanation(&self) -> &'static str {
        "Certaines géométries ne respectent pas les règles communes, par exemple un contour qui se croise lui-même. Elles ont \
         été réparées à la lecture, sinon cartes et calculs de surface échoueraient chez les lecteurs ; une réparation qui \
         change nettement la surface mérite un contrôle. Ouvrez la couche dans QGIS, lancez « Vérifier la validité » et \
         corrigez les lignes indiquées."
    }

    fn begin<'a>(&self, context: &'a Context<'a>) -> Box<dyn Inspection + 'a> {
        Box::new(Afterwards { context, verdict: judge })
    }
}

/// A repair that changes more than a thousandth of the area is more than the removal of a spike or a rounding.
const AREA_CHANGE_WARNED: f64 = 0.001;

fn judge(context: &Context<'_>, outcome: &Outcome) -> Option<Finding> {
    let count = outcome.repaired;
    if count == 0 {
        return None;
    }
    let mut repairs: Vec<_> = outcome.repairs.iter().map(|repair| (share(repair.area_change, repair.area_before), repair)).collect();
    repairs.sort_by(|a, b| b.0.total_cmp(&a.0));
    let largest = repairs.first().map_or(0.0, |(share, _)| *share);
    let mut reasons: Vec<&str> = repairs.iter().map(|(_, repair)| repair.reason.as_str()).collect();
    reasons.sort_unstable();
    reasons.dedup();
    let severity = if largest > AREA_CHANGE_WARNED { Severity::Warning } else { Severity::Notice };
    let change = if severity == Severity::Warning {
        format!("la surface de l'une d'elles change de {} % ; contrôlez-la", format!("{:.1}", largest * 100.0).replace('.', ","))
    } else {
        "la surface n'en change pas sensiblement".to_owned()
    };
    let message = format!(
        "{} {} et {} ({}) : {change}",
        counted(count, "géométrie", "géométries"),
        agree(count, "n'était pas valide", "n'étaient pas valides"),
        agree(count, "a été réparée", "ont été réparées"),
        reasons.join(", ")
    );
    // Positions of repairs are in the source's CRS: they are lon, lat for a geographic one only.
    let lon_lat = context.crs.is_some_and(|crs| crs.is_geographic());
    let places = repairs.iter().take(PLACES_MAX);
    let places = places.map(|(_, repair)| Place { row: Some(repair.row), field: None, position: repair.position.filter(|_| lon_lat) });
    Some(Finding { places: places.collect(), ..finding("invalid-geometry", severity, count, message) })
}

/// Change of area as a share; a geometry that had none and gains some has changed wholly.
fn share(change: f64, before: f64) -> f64 {
    if before > 0.0 {
        change / before
    } else if change > 0.0 {
        1.0
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::trial;

    use crate::model::reading::Repair;

    fn outcome(area_change: f64) -> Outcome {
        let repair = Repair { row: 7, reason: "Self-intersection".into(), position: Some((1.0, 2.0)), area_change, area_before: 100.0 };
        Outcome { repaired: 1, repairs: vec![repair], ..Outcome::default() }
    }

    #[test]
    fn a_repair_that_changes_the_area_is_a_warning() {
        let source = trial::points(&[]);
        let found = judge(&trial::context(&source), &outcome(12.5)).expect("a finding");
        assert_eq!((found.severity, found.places[0].row, found.places[0].position), (Severity::Warning, Some(7), None));
        assert!(found.message.contains("12,5 %") && found.message.starts_with("1 géométrie n'était"), "{}", found.message);
    }

    #[test]
    fn a_harmless_repair_is_a_notice_and_none_is_nothing() {
        let source = trial::points(&[]);
        assert_eq!(judge(&trial::context(&source), &outcome(0.0)).map(|found| found.severity), Some(Severity::Notice));
        assert_eq!(judge(&trial::context(&source), &Outcome::default()), None);
    }
}
