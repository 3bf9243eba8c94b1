//! Tables of PostgreSQL with PostGIS: who asks them, what they hold, and their rows.
//!
//! The distribution's libpq speaks, so that a connection is what QGIS and psql make of the same words: a service file, a
//! password file, the environment. This house holds a service's name and nothing of what it stands for.

mod connection;
mod database;
mod describe;
mod rows;
mod table;

pub use crate::postgis::connection::Connection;
pub use crate::postgis::connection::Row;
pub use crate::postgis::database::CONNECTIONS_MAX;
pub use crate::postgis::database::Database;
pub use crate::postgis::describe::describe;
pub use crate::postgis::rows::Rows;
pub use crate::postgis::table::Column;
pub use crate::postgis::table::ColumnKind;
pub use crate::postgis::table::GeometryOfTable;
pub use crate::postgis::table::Table;
pub use crate::postgis::table::in_table;

/// The name of a connection in the service file; empty: what the environment says (`PGSERVICE`, `PGHOST`…).
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Service(pub String);

impl std::fmt::Display for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() { f.write_str("PG:") } else { write!(f, "PG:service={}", self.0) }
    }
}

#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum PostgisError {
    /// Nothing was asked, or no answer came.
    #[error("la base « {service} » {reason}")]
    Away { service: Service, reason: &'static str },
    /// It was stopped, here and in the database.
    #[error("la base a mis plus de {seconds} s à répondre : la question a été arrêtée")]
    TooLong { seconds: u64 },
    /// `state`: the five signs of SQLSTATE.
    #[error("la base refuse ({state}) : {message}")]
    Refused { state: String, message: String },
    #[error("« {schema}.{name} » n'existe pas dans la base, ou le rôle de « {service} » ne peut pas la lire (GRANT SELECT)")]
    NoTable { service: Service, schema: String, name: String },
}
