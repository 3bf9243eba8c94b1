//! What is said about a layer beside its data (ISO 19115-1, the part that this house fills today).

use serde::Deserialize;
use serde::Serialize;

use crate::model::siren::Siren;

/// An organisation that answers for data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Contact {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub siren: Option<Siren>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub homepage: Option<String>,
}

/// A licence by its SPDX id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Licence {
    /// `etalab-2.0`, `ODbL-1.0`.
    pub id: String,
    pub title: String,
    pub url: String,
}

impl Licence {
    /// Licences that French law lets a public body choose without approval (CRPA D323-2-1), and those met in the wild.
    pub fn from_spdx(id: &str) -> Licence {
        let (title, url) = match id.to_ascii_lowercase().as_str() {
            "etalab-2.0" => ("Licence Ouverte 2.0", "https://www.etalab.gouv.fr/licence-ouverte-open-licence".to_owned()),
            "odbl-1.0" => ("Open Database License 1.0", "https://opendatacommons.org/licenses/odbl/1-0/".to_owned()),
            _ => (id, format!("https://spdx.org/licenses/{id}.html")),
        };
        Licence { id: id.to_owned(), title: title.to_owned(), url }
    }
}

/// Metadata of a layer: given by the officer, completed from the site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub title: String,
    #[serde(rename = "abstract")]
    pub description: String,
    pub producer: Contact,
    pub licence: Licence,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keywords: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub theme: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frequency: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lineage: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribution: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<String>,
}
