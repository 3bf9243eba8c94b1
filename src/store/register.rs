//! The register: states, versions, notes and decisions. SQLite with a rollback journal and full syncing.

use std::path::Path;
use std::path::PathBuf;

use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::params;

use crate::model::layer::LayerId;
use crate::model::version::Version;
use crate::store::LayerState;
use crate::store::StoreError;
use crate::store::VersionEntry;

pub struct Register {
    path: PathBuf,
    connection: Connection,
}

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS layer (id TEXT PRIMARY KEY, state TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS version (layer TEXT NOT NULL, version TEXT NOT NULL, published TEXT NOT NULL, features INTEGER NOT NULL,
  content TEXT NOT NULL, purged INTEGER NOT NULL DEFAULT 0, number INTEGER PRIMARY KEY AUTOINCREMENT, UNIQUE (layer, version)) STRICT;
CREATE TABLE IF NOT EXISTS note (layer TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (layer, key)) STRICT;
CREATE TABLE IF NOT EXISTS history (number INTEGER PRIMARY KEY, layer TEXT NOT NULL, at TEXT NOT NULL, what TEXT NOT NULL) STRICT;
";

/// A reader waits for the moment that a writer's commit takes.
const BUSY_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);

impl Register {
    /// # Errors
    /// `Sqlite`.
    pub fn open(path: &Path) -> Result<Register, StoreError> {
        let fault = |source| StoreError::Sqlite { path: path.to_owned(), source };
        let connection = Connection::open(path).map_err(fault)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(fault)?;
        let register = Register { path: path.to_owned(), connection };
        if !register.has_tables()? {
            register.connection.execute_batch(TABLES).map_err(fault)?;
        }
        Ok(register)
    }

    fn has_tables(&self) -> Result<bool, StoreError> {
        self.ask(|connection| {
            connection.query_row("SELECT count(*) = 4 FROM sqlite_master WHERE name IN ('layer','version','note','history')", [], |row| {
                row.get(0)
            })
        })
    }

    fn ask<T>(&self, question: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        question(&self.connection).map_err(|source| StoreError::Sqlite { path: self.path.clone(), source })
    }

    /// Sorted by id.
    pub fn layers(&self) -> Result<Vec<(LayerId, LayerState)>, StoreError> {
        let rows: Vec<(String, String)> = self.ask(|connection| {
            let mut select = connection.prepare("SELECT id, state FROM layer ORDER BY id")?;
            select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        })?;
        rows.into_iter()
            .map(|(id, state)| {
                let corrupt = |reason: String| StoreError::Corrupt { path: self.path.clone(), reason };
                let id = LayerId::new(&id).map_err(|error| corrupt(error.to_string()))?;
                let state = state_from(&state).ok_or_else(|| corrupt(format!("état « {state} » inconnu")))?;
                Ok((id, state))
            })
            .collect()
    }

    pub fn versions(&self, layer: &LayerId, current: Option<&Version>) -> Result<Vec<VersionEntry>, StoreError> {
        self.ask(|connection| {
            let mut select = connection.prepare(
                "SELECT version, published, features, purged FROM version WHERE layer = ?1 ORDER BY published DESC, number DESC",
            )?;
            let rows = select.query_map([layer.as_str()], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?, row.get::<_, bool>(3)?))
            })?;
            let entries = rows.filter_map(|row| match row {
                Ok((version, published, features, purged)) => {
                    let version = Version::try_from(version).ok()?;
                    let current = current == Some(&version);
                    Some(Ok(VersionEntry { version, published, features: features.unsigned_abs(), current, purged }))
                }
                Err(error) => Some(Err(error)),
            });
            entries.collect()
        })
    }

    /// A version and the layer's state in one transaction.
    pub fn add_version(&self, layer: &LayerId, version: &Version, published: &str, features: u64) -> Result<(), StoreError> {
        self.ask(|connection| {
            connection.execute_batch("BEGIN IMMEDIATE")?;
            let count = i64::try_from(features).unwrap_or(i64::MAX);
            connection.execute(
                "INSERT INTO version(layer, version, published, features, content) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (layer, version) DO UPDATE SET purged = 0, published = ?3",
                params![layer.as_str(), version.as_str(), published, count, version.content()],
            )?;
            connection.execute(
                "INSERT INTO layer VALUES (?1, 'published') ON CONFLICT (id) DO UPDATE SET state = 'published'",
                [layer.as_str()],
            )?;
            connection.execute_batch("COMMIT")
        })
    }

    pub fn set_purged(&self, layer: &LayerId, version: &Version) -> Result<(), StoreError> {
        self.ask(|connection| {
            connection
                .execute("UPDATE version SET purged = 1 WHERE layer = ?1 AND version = ?2", params![layer.as_str(), version.as_str()])
                .map(|_| ())
        })
    }

    pub fn forget_version(&self, layer: &LayerId, version: &Version) -> Result<(), StoreError> {
        self.ask(|connection| {
            connection
                .execute("DELETE FROM version WHERE layer = ?1 AND version = ?2", params![layer.as_str(), version.as_str()])
                .map(|_| ())
        })
    }

    pub fn set_state(&self, layer: &LayerId, state: LayerState) -> Result<(), StoreError> {
        self.ask(|connection| {
            let sql = "INSERT INTO layer VALUES (?1, ?2) ON CONFLICT (id) DO UPDATE SET state = ?2";
            connection.execute(sql, params![layer.as_str(), state_name(state)]).map(|_| ())
        })
    }

    pub fn note(&self, layer: &LayerId, key: &str) -> Result<Option<String>, StoreError> {
        self.ask(|connection| {
            connection
                .query_row("SELECT value FROM note WHERE layer = ?1 AND key = ?2", params![layer.as_str(), key], |row| row.get(0))
                .optional()
        })
    }

    pub fn set_note(&self, layer: &LayerId, key: &str, value: Option<&str>) -> Result<(), StoreError> {
        self.ask(|connection| match value {
            Some(value) => {
                let sql = "INSERT INTO note VALUES (?1, ?2, ?3) ON CONFLICT (layer, key) DO UPDATE SET value = ?3";
                connection.execute(sql, params![layer.as_str(), key, value]).map(|_| ())
            }
            None => connection.execute("DELETE FROM note WHERE layer = ?1 AND key = ?2", params![layer.as_str(), key]).map(|_| ()),
        })
    }

    pub fn remember(&self, layer: &LayerId, at: &str, what: &str) -> Result<(), StoreError> {
        self.ask(|connection| {
            connection.execute("INSERT INTO history(layer, at, what) VALUES (?1, ?2, ?3)", params![layer.as_str(), at, what]).map(|_| ())
        })
    }

    pub fn history(&self, layer: &LayerId) -> Result<Vec<(String, String)>, StoreError> {
        self.ask(|connection| {
            let mut select = connection.prepare("SELECT at, what FROM history WHERE layer = ?1 ORDER BY number")?;
            select.query_map([layer.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        })
    }
}

fn state_name(state: LayerState) -> &'static str {
    match state {
        LayerState::Published => "published",
        LayerState::Withdrawn => "withdrawn",
        LayerState::Quarantined => "quarantined",
        LayerState::Gone => "gone",
    }
}

fn state_from(name: &str) -> Option<LayerState> {
    [LayerState::Published, LayerState::Withdrawn, LayerState::Quarantined, LayerState::Gone]
        .into_iter()
        .find(|state| state_name(*state) == name)
}
