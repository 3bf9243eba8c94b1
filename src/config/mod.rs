//! What the officer writes: `layers/site.toml` and `layers/<id>.toml`. The only room that reads the environment.

pub mod draft;
pub mod edit;
pub mod environment;
mod layer_file;
mod reader;
mod site;
pub mod starter;

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::model::code_insee::CodeInsee;
use crate::model::crs::Crs;
use crate::model::geometry::Envelope;
use crate::model::layer::LayerId;
use crate::model::reading::TableOptions;
use crate::model::record::Contact;
use crate::model::record::Licence;
use crate::model::tiling::Tiling;
use crate::postgis::Service;
use crate::query::filter::Filter;

/// Faults of a file that a person wrote, in French, with file and line.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("« {root} » n'est pas un site : layers/site.toml y manque ; « bocage init {root} » en crée un, --site en désigne un autre")]
    NoSite { root: PathBuf },
    #[error("« {path} » ne peut pas être lu")]
    Io { path: PathBuf, source: std::io::Error },
    #[error("{path}, ligne {line} : {reason}")]
    Invalid { path: PathBuf, line: usize, reason: String },
}

/// A site folder, read and checked.
#[derive(Clone, Debug)]
pub struct Site {
    /// The folder that holds `layers/`, `styles/`, `var/`.
    pub root: PathBuf,
    pub title: String,
    pub description: String,
    /// Without a trailing slash; `None`: loopback only, and links are made from the listening address.
    pub public_url: Option<String>,
    pub identity: Option<String>,
    pub language: String,
    pub licence: Licence,
    pub crs: Option<Crs>,
    /// Lon, lat.
    pub extent: Option<Envelope>,
    /// `territory = "communes"`: a published layer whose area is the territory and whose features `commune=` names.
    pub territory_layer: Option<LayerId>,
    /// Absolute.
    pub depot: PathBuf,
    pub auto_accept: bool,
    pub keep: usize,
    pub publisher: Contact,
    pub producers: Vec<Producer>,
    /// Every column goes out and nothing waits: `serve FILE…`.
    pub ad_hoc: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Producer {
    pub contact: Contact,
    pub insee: Option<CodeInsee>,
    /// Relative to the depot, `/` separated, with a trailing slash.
    pub folder: Option<String>,
    pub crs: Option<Crs>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeclaredState {
    Proposed,
    Published,
    Withdrawn,
}

/// `[fields]`: what the officer says of a column that goes out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FieldEntry {
    pub title: Option<String>,
    pub description: Option<String>,
    pub unit: Option<String>,
    /// The first zoom of tiles that have it.
    pub min_zoom: Option<u8>,
    pub values: Vec<(String, String)>,
}

/// What a layer is read from.
#[derive(Clone, Debug, PartialEq)]
pub enum SourceRef {
    /// A path below the depot, `/` separated.
    File(String),
    Table(TableRef),
}

/// `source = "PG:service=sig"`, `table = "schema.table"`: who knows how to reach the database is libpq, by the service's name.
#[derive(Clone, Debug, PartialEq)]
pub struct TableRef {
    pub service: Service,
    pub schema: String,
    pub name: String,
    pub mode: Mode,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Published like a file.
    Snapshot,
    /// Published like a file, and answered by the table itself.
    Live,
}

impl std::fmt::Display for SourceRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            SourceRef::File(path) => f.write_str(path),
            SourceRef::Table(TableRef { service, schema, name, .. }) => write!(f, "{service} {schema}.{name}"),
        }
    }
}

impl TableRef {
    /// `schema.table`, or a table of the schema `public`; of `PG:service=sig`, or of what the environment says (`PG:`).
    ///
    /// # Errors
    /// In French: what else stands there, such as a password.
    pub fn parse(source: &str, table: &str, mode: Mode) -> Result<TableRef, String> {
        let said = source.strip_prefix("PG:").unwrap_or(source).trim();
        let service = match said.split_once('=') {
            None if said.is_empty() => "",
            Some(("service", name)) if !name.is_empty() && !name.contains(|sign: char| sign.is_whitespace() || sign == '=') => name,
            _ => {
                return Err(
                    "attendu \"PG:service=sig\" : l'adresse, le rôle et le mot de passe s'écrivent dans le fichier de services de \
                            PostgreSQL (PGSERVICEFILE, ou ~/.pg_service.conf), jamais ici"
                        .to_owned(),
                );
            }
        };
        let (schema, name) = table.split_once('.').unwrap_or(("public", table));
        if schema.is_empty() || name.is_empty() {
            return Err(format!("« {table} » ne nomme pas une table : attendu « schema.table »"));
        }
        Ok(TableRef { service: Service(service.to_owned()), schema: schema.to_owned(), name: name.to_owned(), mode })
    }
}

/// `layers/<id>.toml`, read and checked.
#[derive(Clone, Debug)]
pub struct LayerFile {
    pub path: PathBuf,
    pub id: LayerId,
    pub source: SourceRef,
    pub layer: Option<String>,
    pub state: DeclaredState,
    pub title: Option<String>,
    pub description: Option<String>,
    pub producer: Option<String>,
    pub theme: Option<String>,
    pub topic: Option<String>,
    pub keywords: Vec<String>,
    pub licence: Option<String>,
    pub frequency: Option<String>,
    pub lineage: Option<String>,
    pub origin: Option<String>,
    pub attribution: Option<String>,
    pub limits: Option<String>,
    pub aliases: Vec<LayerId>,
    pub crs: Option<Crs>,
    pub encoding: Option<String>,
    pub table: Option<TableOptions>,
    pub id_field: Option<String>,
    pub time: Vec<String>,
    pub left_out: Vec<String>,
    /// `where`: the rows that go out; `None`: all.
    pub rows: Option<Filter>,
    /// In the officer's order. `None` in an ad hoc site: every column goes out.
    pub fields: Option<Vec<(String, FieldEntry)>>,
    pub ignored_checks: Vec<String>,
    /// `importance` and the fields of `fields_from` as the officer names them.
    pub tiling: Tiling,
    /// Keys of the contract that are read, checked and kept for later rooms (`style`, `schema`, …).
    pub reserved: BTreeMap<String, toml::Value>,
}
