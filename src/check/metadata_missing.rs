//! The least that a record must say: a title of its own, a description, a licence, a producer.

use crate::check::Afterwards;
use crate::check::Check;
use crate::check::Context;
use crate::check::Inspection;
use crate::check::place_list::finding;
use crate::model::finding::Finding;
use crate::model::finding::Severity;
use crate::model::reading::Outcome;

pub struct MetadataMissing;

impl Check for MetadataMissing {
    fn code(&self) -> &'static str {
        "metadata-missing"
    }

    fn explanation(&self) -> &'static str {
        "La fiche doit au moins porter un titre lisible, un résumé, une licence et un producteur. Sans eux, personne ne trouve \
         la couche dans un catalogue, et personne ne sait s'il a le droit de s'en servir ; un nom de fichier n'est pas un \
         titre. Écrivez title, abstract, licence ou producer dans le fichier de la couche."
    }

    fn begin<'a>(&self, context: &'a Context<'a>) -> Box<dyn Inspection + 'a> {
        Box::new(Afterwards { context, verdict: judge })
    }
}

fn judge(context: &Context<'_>, _outcome: &Outcome) -> Option<Finding> {
    let record = context.record?;
    let title = record.title.trim();
    let file_name = [context.source.name.as_str(), context.layer_id].iter().any(|name| title.eq_ignore_ascii_case(name));
    let gaps = [
        (title.is_empty(), "titre manquant", "title = \"…\""),
        (!title.is_empty() && file_name, "titre égal au nom du fichier", "title = \"…\""),
        (record.description.trim().is_empty(), "résumé manquant", "abstract = \"…\""),
        (record.licence.id.trim().is_empty(), "licence manquante", "licence = \"etalab-2.0\""),
        (record.producer.name.trim().is_empty(), "producteur manquant", "producer = \"SIREN\""),
    ];
    let gaps: Vec<_> = gaps.iter().filter(|(is_missing, ..)| *is_missing).collect();
    // A record is found by its title and used by its licence; the summary alone is a wish.
    let only_summary = gaps.iter().all(|(_, gap, _)| *gap == "résumé manquant");
    let names: Vec<&str> = gaps.iter().map(|(_, gap, _)| *gap).collect();
    let message = format!("{} ; complétez le fichier de la couche", names.join(", "));
    let remedies = gaps.iter().map(|(_, _, line)| (*line).to_owned()).collect();
    let severity = if only_summary { Severity::Notice } else { Severity::Warning };
    (!gaps.is_empty()).then(|| Finding { remedies, ..finding("metadata-missing", severity, gaps.len() as u64, message) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::trial;

    use crate::model::record::Contact;
    use crate::model::record::Licence;
    use crate::model::record::Record;

    fn verdict(title: &str, description: &str) -> Option<Finding> {
        let record = Record {
            title: title.into(),
            description: description.into(),
            producer: Contact { name: "Bédée".into(), siren: None, email: None, homepage: None },
            licence: Licence::from_spdx("etalab-2.0"),
            keywords: Vec::new(),
            theme: None,
            frequency: None,
            lineage: None,
            attribution: None,
            limits: None,
        };
        let source = trial::table(&[]);
        judge(&Context { record: Some(&record), ..trial::context(&source) }, &Outcome::default())
    }

    #[test]
    fn a_missing_title_or_one_that_is_the_file_name_is_a_warning() {
        for title in ["", " ", "Essai", "essai"] {
            assert_eq!(verdict(title, "x").map(|found| found.severity), Some(Severity::Warning), "{title}");
        }
    }

    #[test]
    fn a_missing_summary_is_a_notice_and_a_full_record_is_fine() {
        assert_eq!(verdict("Arbres de Bédée", "").map(|found| found.severity), Some(Severity::Notice));
        assert_eq!(verdict("Arbres de Bédée", "Les arbres."), None);
    }
}
