//! A CRS that the file says and the officer or the data deny.

use crate::check::Check;
use crate::check::Context;
use crate::check::Inspection;
use crate::check::outside_territory::widened;
use crate::check::place_list::finding;
use crate::crs::registry;
use crate::model::batch::FeatureBatch;
use crate::model::crs::Crs;
use crate::model::finding::Finding;
use crate::model::finding::Severity;
use crate::model::geometry::Envelope;
use crate::model::reading::ClaimedCrs;
use crate::model::reading::Outcome;
use crate::model::wkb;

const CODE: &str = "crs-contradicted";

pub struct CrsContradicted;

impl Check for CrsContradicted {
    fn code(&self) -> &'static str {
        CODE
    }

    fn explanation(&self) -> &'static str {
        "Le fichier annonce un système de coordonnées que le fichier de la couche contredit, ou qui place toutes les données loin du \
         territoire alors qu'un autre système les y place. L'une des deux affirmations est fausse, et publier placerait les objets au \
         mauvais endroit : la couche attend donc votre réponse. Corrigez le système dans le fichier lui-même (dans QGIS : « Définir la \
         projection de la couche », puis réexport), ou retirez la ligne crs de la couche si c'est elle qui se trompe."
    }

    fn begin<'a>(&self, context: &'a Context<'a>) -> Box<dyn Inspection + 'a> {
        Box::new(Contradiction { context, on_territory: false, placed: false })
    }
}

struct Contradiction<'a> {
    context: &'a Context<'a>,
    on_territory: bool,
    placed: bool,
}

impl Inspection for Contradiction<'_> {
    fn see(&mut self, batch: &FeatureBatch) {
        let Some(territory) = self.context.territory.filter(|_| self.context.crs.is_some()) else { return };
        let bounds = widened(&territory);
        for row in 0..batch.rows() {
            // One feature in its place is enough: the rest is told by `outside-territory`.
            if self.on_territory {
                return;
            }
            if let Some(Ok(Some(envelope))) = batch.wkb(row).map(wkb::envelope) {
                self.placed = true;
                self.on_territory = envelope.intersects(&bounds);
            }
        }
    }

    fn finish(self: Box<Self>, outcome: &Outcome) -> Vec<Finding> {
        self.judge(outcome, registry::candidates)
    }
}

impl Contradiction<'_> {
    /// `candidates` gives the CRS that put an extent on a territory, likeliest first.
    fn judge(&self, outcome: &Outcome, candidates: impl Fn(&Envelope, &Envelope) -> Vec<Crs>) -> Vec<Finding> {
        let ClaimedCrs::Known(claimed) = self.context.source.crs else { return Vec::new() };
        if let Some(declared) = self.context.declared_crs.filter(|declared| declared.epsg() != claimed.epsg()) {
            let message = format!(
                "le fichier annonce {claimed} et le fichier de la couche écrit {declared} ; retirez la ligne crs, ou corrigez le fichier"
            );
            // The line answers by saying what the file says.
            let remedies = vec![format!("crs = \"{claimed}\"")];
            return vec![Finding { remedies, ..finding(CODE, Severity::Question, outcome.rows_read, message) }];
        }
        let (Some(native), Some(territory)) = (outcome.native_extent, self.context.territory) else { return Vec::new() };
        if self.on_territory || !self.placed {
            return Vec::new();
        }
        let names = |found: Vec<Crs>| found.iter().map(Crs::to_string).collect::<Vec<_>>().join(", ");
        let others: Vec<Crs> = candidates(&native, &territory).into_iter().filter(|crs| crs.epsg() != claimed.epsg()).collect();
        let swapped = Envelope { west: native.south, south: native.west, east: native.north, north: native.east };
        let advice = if !others.is_empty() {
            format!("{} les y placerait : corrigez le système de coordonnées du fichier", names(others))
        } else {
            let found = candidates(&swapped, &territory);
            if found.is_empty() {
                return Vec::new();
            }
            format!("x et y semblent échangés ({} les y placerait alors) : corrigez le fichier", names(found))
        };
        let message = format!("en {claimed}, annoncé par le fichier, aucun objet n'est sur le territoire ; {advice}");
        let remedies = vec![format!("[checks]\nignore = [\"{CODE}\"]")];
        vec![Finding { remedies, ..finding(CODE, self.context.question(CODE), outcome.rows_read, message) }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::trial;
    use crate::model::crs::LAMBERT_93;
    use crate::model::crs::WGS_84;

    const EXTENT: Envelope = Envelope { west: -2.0, south: 48.1, east: -1.9, north: 48.2 };

    fn judge(declared: Option<Crs>, on_territory: bool, candidates: impl Fn(&Envelope, &Envelope) -> Vec<Crs>) -> Vec<Finding> {
        let source = trial::points(&[]);
        let context = Context { declared_crs: declared, ..trial::context(&source) };
        let outcome = Outcome { native_extent: Some(EXTENT), ..Outcome::default() };
        Contradiction { context: &context, on_territory, placed: true }.judge(&outcome, candidates)
    }

    #[test]
    fn two_words_for_one_file_are_a_question() {
        let found = judge(Some(Crs::Epsg(3948)), true, |_, _| Vec::new());
        assert_eq!(found[0].severity, Severity::Question);
        assert!(found[0].message.contains("EPSG:2154") && found[0].message.contains("EPSG:3948"));
    }

    #[test]
    fn degrees_in_a_lambert_file_are_told() {
        let found = judge(None, false, |_, _| vec![WGS_84]);
        assert!(found[0].severity.holds() && found[0].message.contains("EPSG:4326"), "{found:?}");
    }

    #[test]
    fn swapped_axes_are_told() {
        let found = judge(None, false, |extent, _| if extent.west > 40.0 { vec![LAMBERT_93] } else { Vec::new() });
        assert!(found[0].message.contains("échangés"), "{found:?}");
    }

    #[test]
    fn agreement_a_place_on_the_territory_and_no_candidate_say_nothing() {
        assert_eq!(judge(Some(LAMBERT_93), true, |_, _| Vec::new()), []);
        assert_eq!(judge(None, true, |_, _| vec![WGS_84]), []);
        assert_eq!(judge(None, false, |_, _| Vec::new()), []);
    }
}
