//! Features that lie beyond the territory.

use crate::check::Check;
use crate::check::Context;
use crate::check::Inspection;
use crate::check::french::agree;
use crate::check::french::counted;
use crate::check::french::number;
use crate::check::place_list::PlaceList;
use crate::check::place_list::finding;
use crate::model::batch::FeatureBatch;
use crate::model::finding::Finding;
use crate::model::finding::Place;
use crate::model::finding::Severity;
use crate::model::geometry::Envelope;
use crate::model::reading::ClaimedCrs;
use crate::model::reading::Outcome;
use crate::model::wkb;

const CODE: &str = "outside-territory";

/// Around the territory, as a share of its width and height: roads and rivers run on, and the box is drawn by hand.
const SLACK_SHARE: f64 = 0.1;

/// Half of the features elsewhere is no stray feature: the CRS is wrong, or the file is another town's.
const OUTSIDE_SHARE_ASKED: f64 = 0.5;

pub struct OutsideTerritory;

impl Check for OutsideTerritory {
    fn code(&self) -> &'static str {
        CODE
    }

    fn explanation(&self) -> &'static str {
        "Chaque objet est comparé au territoire du site, élargi d'un dixième. Quelques objets dehors sont souvent une faute de saisie ; la \
         moitié ou plus trahit un mauvais système de coordonnées, et la couche attend votre réponse. Corrigez les objets indiqués ou le \
         système de coordonnées du fichier ; si la couche dépasse vraiment le territoire, écrivez outside-territory dans la liste ignore \
         sous [checks]."
    }

    fn begin<'a>(&self, context: &'a Context<'a>) -> Box<dyn Inspection + 'a> {
        // Without a CRS coordinates are not lon, lat; without a territory there is nothing to compare with.
        let bounds = context.territory.filter(|_| context.crs.is_some()).map(|territory| widened(&territory));
        Box::new(Strays { context, bounds, row: 0, placed: 0, outside: PlaceList::default() })
    }
}

/// The territory and the slack around it.
pub fn widened(territory: &Envelope) -> Envelope {
    let (east, north) = ((territory.east - territory.west) * SLACK_SHARE, (territory.north - territory.south) * SLACK_SHARE);
    Envelope { west: territory.west - east, south: territory.south - north, east: territory.east + east, north: territory.north + north }
}

struct Strays<'a> {
    context: &'a Context<'a>,
    bounds: Option<Envelope>,
    row: u64,
    /// Features with a place.
    placed: u64,
    outside: PlaceList,
}

impl Inspection for Strays<'_> {
    fn see(&mut self, batch: &FeatureBatch) {
        let Some(bounds) = self.bounds else { return };
        for row in 0..batch.rows() {
            self.row += 1;
            let Some(Ok(Some(envelope))) = batch.wkb(row).map(wkb::envelope) else { continue };
            self.placed += 1;
            if !envelope.intersects(&bounds) {
                let position = ((envelope.west + envelope.east) / 2.0, (envelope.south + envelope.north) / 2.0);
                let row = self.row;
                self.outside.add(|| Place { row: Some(row), field: None, position: Some(position) });
            }
        }
    }

    fn finish(self: Box<Self>, _outcome: &Outcome) -> Vec<Finding> {
        let count = self.outside.count;
        if count == 0 {
            return Vec::new();
        }
        let asked = count as f64 >= self.placed as f64 * OUTSIDE_SHARE_ASKED;
        // The officer who writes the file's own CRS down confirms it.
        let confirmed = matches!((&self.context.source.crs, self.context.declared_crs), (ClaimedCrs::Known(a), Some(b)) if *a == b);
        let (severity, advice) = match asked {
            true if confirmed => (Severity::Warning, "le système de coordonnées est confirmé par vous ; vérifiez que c'est le bon fichier"),
            true => (self.context.question(CODE), "le système de coordonnées est sans doute faux, ou la couche dépasse le territoire"),
            false => (Severity::Warning, "vérifiez ces objets"),
        };
        let message = format!(
            "{} sur {} {} hors du territoire ; {advice}",
            counted(count, "objet", "objets"),
            number(self.placed),
            agree(count, "se trouve", "se trouvent")
        );
        let remedies = if severity.holds() { vec![format!("[checks]\nignore = [\"{CODE}\"]")] } else { Vec::new() };
        vec![Finding { places: self.outside.places, remedies, ..finding(CODE, severity, count, message) }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::trial;
    use crate::model::wkb::point;

    const INSIDE: (f64, f64) = (-1.96, 48.12);
    const PARIS: (f64, f64) = (2.35, 48.85);

    fn judge(positions: &[(f64, f64)]) -> Vec<Finding> {
        let source = trial::points(&[]);
        let rows: Vec<_> = positions.iter().map(|(x, y)| (Vec::new(), Some(point(*x, *y)))).collect();
        trial::judge(&OutsideTerritory, &trial::context(&source), &rows, &Outcome::default())
    }

    #[test]
    fn one_stray_feature_is_a_warning_with_its_row() {
        let found = judge(&[INSIDE, INSIDE, INSIDE, PARIS]);
        assert_eq!((found[0].severity, found[0].places[0].row), (Severity::Warning, Some(4)));
        assert!(found[0].message.starts_with("1 objet sur 4 se trouve hors du territoire"), "{}", found[0].message);
    }

    #[test]
    fn most_features_elsewhere_are_a_question() {
        assert_eq!(judge(&[PARIS, PARIS, INSIDE])[0].severity, Severity::Question);
    }

    #[test]
    fn features_on_the_territory_its_border_and_without_geometry_are_fine() {
        assert_eq!(judge(&[INSIDE, (-1.79, 48.12), (f64::NAN, f64::NAN)]), []);
    }

    #[test]
    fn without_a_territory_nothing_is_outside() {
        let source = trial::points(&[]);
        let context = Context { territory: None, ..trial::context(&source) };
        assert_eq!(trial::judge(&OutsideTerritory, &context, &[(Vec::new(), Some(point(2.0, 48.0)))], &Outcome::default()), []);
    }
}
