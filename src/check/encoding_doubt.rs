//! Text that was, or may have been, read in the wrong encoding.

use arrow_array::cast::AsArray;

use crate::check::Check;
use crate::check::Context;
use crate::check::Inspection;
use crate::check::french::counted;
use crate::check::place_list::PlaceList;
use crate::check::place_list::finding;
use crate::model::batch::FeatureBatch;
use crate::model::finding::Finding;
use crate::model::finding::Place;
use crate::model::finding::Severity;
use crate::model::layer::FieldType;
use crate::model::reading::Outcome;

const CODE: &str = "encoding-doubt";

/// UTF-8 read as CP1252: `é` becomes `Ã©`, `’` becomes `â€™`. The second sign is one that no French word has after the first.
const BROKEN: [&str; 16] = ["Ã©", "Ã¨", "Ãª", "Ã«", "Ã§", "Ã´", "Ã®", "Ã¯", "Ã»", "Ã¹", "Ã¢", "Ã\u{a0}", "Ã‰", "â€™", "â€“", "Å“"];

pub struct EncodingDoubt;

impl Check for EncodingDoubt {
    fn code(&self) -> &'static str {
        CODE
    }

    fn explanation(&self) -> &'static str {
        "Les textes ont été lus dans un encodage que le fichier ne confirme pas, ou contiennent des signes qui trahissent une lecture \
         fausse, comme « Ã© » à la place de « é ». Les accents seraient alors faux chez tous les lecteurs. Regardez les mots cités : s'ils \
         sont justes, inscrivez l'encodage dans le fichier de la couche ; sinon, indiquez le bon (CP1252, UTF-8, ISO-8859-1 ou CP850), ou \
         corrigez les valeurs à la source."
    }

    fn begin<'a>(&self, context: &'a Context<'a>) -> Box<dyn Inspection + 'a> {
        Box::new(BrokenTexts { context, row: 0, broken: PlaceList::default() })
    }
}

struct BrokenTexts<'a> {
    context: &'a Context<'a>,
    row: u64,
    broken: PlaceList,
}

/// Whether the text shows a wrong reading.
fn is_broken(text: &str) -> bool {
    // Plain ASCII, most values, cannot be broken; nor can text without the bytes that begin Ã, â, Å or U+FFFD.
    let suspicious = |pair: &[u8]| matches!(pair, [0xC3, 0x83 | 0x85 | 0xA2] | [0xEF, 0xBF]);
    !text.is_ascii()
        && text.as_bytes().windows(2).any(suspicious)
        && (text.contains('\u{fffd}') || BROKEN.iter().any(|signs| text.contains(signs)))
}

impl Inspection for BrokenTexts<'_> {
    fn see(&mut self, batch: &FeatureBatch) {
        for ((field_type, column), field) in batch.columns.iter().zip(&self.context.source.fields) {
            if *field_type != FieldType::Text {
                continue;
            }
            for (row, text) in column.as_string::<i32>().iter().enumerate() {
                if text.is_some_and(is_broken) {
                    let row = self.row + row as u64 + 1;
                    self.broken.add(|| Place { row: Some(row), field: Some(field.source_name.clone()), position: None });
                }
            }
        }
        self.row += batch.rows() as u64;
    }

    fn finish(self: Box<Self>, _outcome: &Outcome) -> Vec<Finding> {
        let mut findings = Vec::new();
        if let Some(evidence) = self.context.source.encoding.as_ref().filter(|evidence| evidence.doubt) {
            let claim = evidence.claimed.as_ref().map(|claimed| format!(", alors que le fichier annonce {claimed}")).unwrap_or_default();
            let message = format!("les textes ont été lus en {}{claim} ; confirmez l'encodage ou indiquez le bon", evidence.used);
            let remedies = vec![format!("encoding = \"{}\"", evidence.used)];
            findings.push(Finding { remedies, ..finding(CODE, Severity::Warning, 1, message) });
        }
        if self.broken.count > 0 {
            let values = counted(self.broken.count, "valeur montre", "valeurs montrent");
            let message = format!("{values} des accents mal lus (comme « Ã© » pour « é ») ; indiquez l'encodage ou corrigez à la source");
            findings.push(Finding { places: self.broken.places, ..finding(CODE, Severity::Warning, self.broken.count, message) });
        }
        findings
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::trial;
    use crate::model::reading::EncodingEvidence;
    use crate::model::reading::SourceLayer;

    #[test]
    fn broken_accents_are_found_with_row_and_column() {
        let source = trial::table(&[("nom", FieldType::Text)]);
        let found = trial::judge_texts(&EncodingDoubt, &trial::context(&source), &["Bédée", "Iffendic", "BÃ©dÃ©e", "L\u{fffd}on"]);
        assert_eq!((found[0].count, found[0].places[0].row, found[0].places[0].field.as_deref()), (2, Some(3), Some("nom")));
        assert!(found[0].message.starts_with("2 valeurs montrent"));
    }

    #[test]
    fn a_doubt_of_the_reader_is_passed_on() {
        let evidence = EncodingEvidence { used: "CP1252".into(), claimed: Some("UTF-8".into()), doubt: true, samples: Vec::new() };
        let source = SourceLayer { encoding: Some(evidence), ..trial::table(&[("nom", FieldType::Text)]) };
        let found = trial::judge_texts(&EncodingDoubt, &trial::context(&source), &["Bédée"]);
        assert_eq!(found[0].remedies, ["encoding = \"CP1252\""]);
    }

    #[test]
    fn right_accents_are_fine() {
        let source = trial::table(&[("nom", FieldType::Text)]);
        let texts = ["Bédée", "œuvre d’art", "São Paulo", "SÃO TOMÉ", "forêt"];
        assert_eq!(trial::judge_texts(&EncodingDoubt, &trial::context(&source), &texts), []);
    }
}
