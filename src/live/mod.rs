//! ASK: a layer that is answered by its table, at this moment.
//!
//! The same questions as `store`'s, in PostGIS's SQL: the table's indexes find, this program transforms and writes. What comes
//! back is binary WKB, because SQL that transforms and formats costs five times as much.

mod arithmetic;
mod columns;
mod conditions;
mod filter_sql;
mod near;
mod order;
mod select;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Instant;

use serde::Deserialize;
use serde::Serialize;

use crate::crs::CrsError;
use crate::live::columns::Columns;
use crate::model::batch::FeatureBatch;
use crate::model::crs::CRS84;
use crate::model::layer::Field;
use crate::model::layer::Layer;
use crate::postgis::Database;
use crate::postgis::PostgisError;
use crate::postgis::Service;
use crate::postgis::Table;
use crate::query::cql2_text;
use crate::query::filter::Filter;
use crate::query::filter::resolve;

/// What the register keeps of a layer that its table answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LiveSource {
    pub service: Service,
    pub table: Table,
    /// Of every column of the table, in its order, under the names of the layer; unlisted ones serve `rows` alone.
    pub fields: Vec<Field>,
    /// The officer's `where`, in CQL2 text with the names of `fields`.
    pub rows: Option<String>,
    /// Checks found what may not go out, at this moment (RFC 3339, UTC): nothing is answered until they find nothing.
    pub closed: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    #[error(transparent)]
    Postgis(#[from] PostgisError),
    #[error(transparent)]
    Crs(#[from] CrsError),
    #[error("la couche est fermée depuis {since} : ses contrôles ont trouvé ce qui ne peut pas être publié")]
    Closed { since: String },
    /// What a page begins behind belongs to another order.
    #[error("la page suivante est d'une autre question")]
    OtherOrder,
    /// Of the register's own word.
    #[error("{reason}")]
    Unusable { reason: String },
}

/// A layer's table, and who asks it. `Send + Sync`.
pub struct LiveReader {
    source: LiveSource,
    layer: Layer,
    database: Arc<Database>,
    rows: Option<Filter>,
    counts: Mutex<VecDeque<Counted>>,
}

/// How many rows a question found a moment ago.
struct Counted {
    question: (String, Vec<String>),
    found: Option<u64>,
    at: Instant,
}

/// A page: found and read.
pub struct LivePage {
    /// Lon, lat geometry, ids, columns as `query.fields`; in the order asked.
    pub batches: Vec<FeatureBatch>,
    /// Rows that match in all; `None` where they are more than are counted.
    pub matched: Option<u64>,
    /// Where the next page begins: the values of the last row in the order asked, its key last. `None` behind the last page.
    pub next: Option<Vec<Option<String>>>,
}

impl LiveReader {
    /// # Errors
    /// `Unusable` where `rows` does not fit the columns: the register holds what was checked when the layer was published.
    pub fn new(source: LiveSource, layer: Layer, database: Arc<Database>) -> Result<LiveReader, LiveError> {
        let unusable = |reason: String| LiveError::Unusable { reason };
        let rows = match &source.rows {
            None => None,
            Some(text) => {
                let whole = Layer { fields: source.fields.clone(), ..layer.clone() };
                let read = cql2_text::parse(text).map_err(unusable)?;
                Some(resolve::resolve(read, &whole, CRS84).map_err(unusable)?)
            }
        };
        Ok(LiveReader { source, layer, database, rows, counts: Mutex::default() })
    }

    /// Who answers.
    pub fn service(&self) -> &Service {
        &self.source.service
    }

    fn columns(&self) -> Columns<'_> {
        Columns { table: &self.source.table, fields: &self.source.fields, layer: &self.layer, is_mending: false }
    }
}

/// Why a table cannot be asked as it changes; `None` where it can.
pub fn obstacle(table: &Table, has_id_field: bool) -> Option<&'static str> {
    if !table.is_utf8 {
        return Some("la base ne garde pas ses textes en UTF-8 : seul mode = \"snapshot\" la lit");
    }
    (!has_id_field && table.integer_key().is_none())
        .then_some("il lui faut un identifiant : une clé primaire entière, ou id = \"…\", une colonne sans doublon")
}
