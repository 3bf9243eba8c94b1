//! What is said of a layer: the officer's word, then the file's, then the site's.

use crate::config::LayerFile;
use crate::config::Site;
use crate::model::reading::SourceLayer;
use crate::model::record::Contact;
use crate::model::record::Licence;
use crate::model::record::Record;

pub fn record_of(site: &Site, file: &LayerFile, source: &SourceLayer, producer: Contact) -> Record {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
    Record {
        title: given(&file.title).or_else(|| given(&source.title)).unwrap_or_else(|| title_from_id(file.id.as_str())),
        description: given(&file.description).or_else(|| given(&source.description)).unwrap_or_default(),
        producer,
        licence: file.licence.as_deref().map_or_else(|| site.licence.clone(), Licence::from_spdx),
        keywords: file.keywords.clone(),
        theme: file.theme.clone(),
        frequency: file.frequency.clone(),
        lineage: file.lineage.clone(),
        attribution: file.attribution.clone().or_else(|| file.origin.clone()),
        limits: file.limits.clone(),
    }
}

/// `voies_cyclables` → `Voies cyclables`: a makeshift that the checks report until the officer writes a title.
pub fn title_from_id(id: &str) -> String {
    let words = id.strip_prefix("l_").unwrap_or(id).replace('_', " ");
    let mut signs = words.chars();
    match signs.next() {
        Some(first) => first.to_uppercase().chain(signs).collect(),
        None => words,
    }
}
