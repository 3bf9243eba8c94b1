//! A file that names no CRS we know: it is never guessed, candidates are offered.

use crate::check::Afterwards;
use crate::check::Check;
use crate::check::Context;
use crate::check::Inspection;
use crate::check::french::number;
use crate::check::place_list::finding;
use crate::crs::registry;
use crate::model::crs::Crs;
use crate::model::finding::Finding;
use crate::model::finding::Severity;
use crate::model::geometry::Envelope;
use crate::model::reading::ClaimedCrs;
use crate::model::reading::Outcome;

pub struct CrsMissing;

impl Check for CrsMissing {
    fn code(&self) -> &'static str {
        "crs-missing"
    }

    fn explanation(&self) -> &'static str {
        "Le fichier ne dit pas dans quel système de coordonnées il est, ou le dit d'une façon inconnue. Deviner placerait \
         parfois les objets à des centaines de kilomètres, ou à quelques mètres sans que personne ne le voie : la couche attend \
         donc votre réponse. Copiez dans le fichier de la couche la ligne crs proposée qui convient ; en cas de doute, demandez \
         au producteur, ou superposez la couche à un fond de plan dans QGIS."
    }

    fn begin<'a>(&self, context: &'a Context<'a>) -> Box<dyn Inspection + 'a> {
        Box::new(Afterwards { context, verdict: judge })
    }
}

fn judge(context: &Context<'_>, outcome: &Outcome) -> Option<Finding> {
    ask(context, outcome, registry::candidates)
}

/// `candidates` gives the CRS that put an extent on a territory, likeliest first.
fn ask(context: &Context<'_>, outcome: &Outcome, candidates: impl Fn(&Envelope, &Envelope) -> Vec<Crs>) -> Option<Finding> {
    context.source.geometry?;
    let said = match &context.source.crs {
        ClaimedCrs::Missing => "le fichier ne dit pas son système de coordonnées".to_owned(),
        ClaimedCrs::Unknown(text) => format!("le système de coordonnées annoncé par le fichier est inconnu (« {} »)", shortened(text)),
        ClaimedCrs::Known(_) | ClaimedCrs::NotApplicable => return None,
    };
    if context.declared_crs.is_some() {
        return None;
    }
    let (remedies, advice) = match (outcome.native_extent, context.territory) {
        (None, _) => (Vec::new(), "aucune géométrie ne permet d'en proposer un : indiquez crs = \"EPSG:…\"".to_owned()),
        (Some(_), None) => {
            let likely = context.likely_crs.map(line).into_iter().collect();
            (likely, "le territoire du site n'est pas connu, rien ne permet de vérifier : indiquez crs = \"EPSG:…\"".to_owned())
        }
        (Some(native), Some(territory)) => {
            let mut found = candidates(&native, &territory);
            // A stable sort: the producer's usual CRS first where it is a candidate, the others as they came.
            found.sort_by_key(|crs| Some(*crs) != context.likely_crs);
            (found.iter().copied().map(line).collect(), advise(&found))
        }
    };
    let message = format!("{said} ; {advice}");
    Some(Finding { remedies, ..finding("crs-missing", Severity::Question, outcome.rows_read, message) })
}

fn advise(found: &[Crs]) -> String {
    let names: Vec<String> = found.iter().map(|crs| name(*crs)).collect();
    match names.as_slice() {
        [] => "aucun système connu ne place les données sur le territoire : demandez-le au producteur".to_owned(),
        [only] => format!("seul {only} place les données sur le territoire : confirmez-le par la ligne proposée"),
        _ => format!(
            "{} systèmes placent les données sur le territoire : {} ; choisissez l'une des lignes proposées",
            number(names.len() as u64),
            names.join(", ")
        ),
    }
}

/// Signs of a foreign name that a report shows; WKT can run over pages.
const NAME_LENGTH_MAX: usize = 60;

fn shortened(text: &str) -> String {
    text.chars().take(NAME_LENGTH_MAX).collect()
}

fn line(crs: Crs) -> String {
    format!("crs = \"{crs}\"")
}

fn name(crs: Crs) -> String {
    registry::find(crs).map_or_else(|| crs.to_string(), |row| format!("{} ({crs})", row.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::trial;

    use crate::model::crs::LAMBERT_93;
    use crate::model::reading::SourceLayer;

    const LAMBERT_2E: Crs = Crs::Epsg(27572);

    fn outcome() -> Outcome {
        let extent = Envelope { west: 267_630.0, south: 2_348_535.0, east: 289_350.0, north: 2_367_797.0 };
        Outcome { rows_read: 8, native_extent: Some(extent), ..Outcome::default() }
    }

    #[test]
    fn each_candidate_is_offered_as_a_line_and_the_usual_one_first() {
        let source = SourceLayer { crs: ClaimedCrs::Missing, ..trial::points(&[]) };
        let context = Context { likely_crs: Some(LAMBERT_2E), ..trial::context(&source) };
        let found = ask(&context, &outcome(), |_, _| vec![LAMBERT_93, LAMBERT_2E]).expect("a finding");
        assert_eq!(found.severity, Severity::Question);
        assert_eq!(found.remedies, ["crs = \"EPSG:27572\"", "crs = \"EPSG:2154\""]);
    }

    #[test]
    fn an_unknown_crs_without_a_candidate_says_so() {
        let source = SourceLayer { crs: ClaimedCrs::Unknown("LOCAL_CS".into()), ..trial::points(&[]) };
        let found = ask(&trial::context(&source), &outcome(), |_, _| Vec::new()).expect("a finding");
        assert!(found.remedies.is_empty() && found.message.contains("LOCAL_CS") && found.message.contains("aucun système"));
    }

    #[test]
    fn a_declared_crs_a_known_one_and_a_table_ask_nothing() {
        let none = |_: &Envelope, _: &Envelope| Vec::new();
        let missing = SourceLayer { crs: ClaimedCrs::Missing, ..trial::points(&[]) };
        assert_eq!(ask(&Context { declared_crs: Some(LAMBERT_93), ..trial::context(&missing) }, &outcome(), none), None);
        let known = trial::points(&[]);
        assert_eq!(ask(&trial::context(&known), &outcome(), none), None);
        let table = trial::table(&[]);
        assert_eq!(ask(&trial::context(&table), &outcome(), none), None);
    }
}
