//! `layer_styles`: where QGIS keeps the styles of layers inside a GeoPackage. Only a table is read, never a view, which
//! could compute for ever.

use std::path::Path;

use rusqlite::Connection;
use rusqlite::OpenFlags;
use rusqlite::OptionalExtension;
use rusqlite::config::DbConfig;

use crate::geopackage::GeoPackageError;

/// Its default first, then the newest; QML before SLD, which says less of what QGIS draws.
const QUESTION: &str = "
SELECT styleQML, styleSLD FROM layer_styles
WHERE f_table_name = ?1 AND (length(coalesce(styleQML, '')) > 0 OR length(coalesce(styleSLD, '')) > 0)
ORDER BY CASE WHEN useAsDefault IN (1, 'true', 't') THEN 0 ELSE 1 END, update_time DESC, id DESC LIMIT 1";

/// The style that QGIS would draw a table with, as it was stored; `None` where the file keeps none for it. A style beyond
/// `size_bytes_max` is cut behind it, so that its reader refuses it.
///
/// # Errors
/// `Sqlite`, also where the table is not the one of QGIS.
pub fn read(path: &Path, table: &str, size_bytes_max: usize) -> Result<Option<Vec<u8>>, GeoPackageError> {
    let fault = |source| GeoPackageError::Sqlite { path: path.to_owned(), source };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(fault)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false).map_err(fault)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false).map_err(fault)?;
    let is_kept = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'layer_styles'";
    if connection.query_row(is_kept, [], |_| Ok(())).optional().map_err(fault)?.is_none() {
        return Ok(None);
    }
    let said = connection.query_row(QUESTION, [table], |row| {
        let bytes = |column: usize| row.get_ref(column).map(|cell| cell.as_bytes().map(<[u8]>::to_vec).unwrap_or_default());
        let qml = bytes(0)?;
        if qml.is_empty() { bytes(1) } else { Ok(qml) }
    });
    let style = said.optional().map_err(fault)?;
    Ok(style.map(|mut style| {
        style.truncate(size_bytes_max + 1);
        style
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As QGIS 3 makes it.
    const TABLE: &str = "CREATE TABLE layer_styles (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT(256),
        f_table_schema TEXT(256), f_table_name TEXT(256), f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT, styleSLD TEXT,
        useAsDefault BOOLEAN, description TEXT, owner TEXT(30), ui TEXT(30), update_time DATETIME DEFAULT CURRENT_TIMESTAMP)";

    fn style(rows: &str, table: &str) -> Option<String> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.gpkg");
        Connection::open(&path).expect("created").execute_batch(rows).expect("filled");
        let found = read(&path, table, 100).expect("read");
        found.map(|bytes| String::from_utf8(bytes).expect("text"))
    }

    fn rows(values: &str) -> String {
        format!("{TABLE}; INSERT INTO layer_styles (f_table_name, styleQML, styleSLD, useAsDefault, update_time) VALUES {values}")
    }

    #[test]
    fn the_default_comes_first_then_the_newest() {
        let two = rows("('a', '<one/>', '', 0, '2026-01-02'), ('a', '<two/>', NULL, 1, '2025-01-01'), ('b', '<b/>', '', 1, '2026-01-01')");
        assert_eq!(style(&two, "a").as_deref(), Some("<two/>"));
        assert_eq!(style(&two, "c"), None);
        let none = rows("('a', '<one/>', '', 0, '2026-01-02'), ('a', '<two/>', NULL, 0, '2025-01-01')");
        assert_eq!(style(&none, "a").as_deref(), Some("<one/>"));
        let words = rows("('a', '<one/>', '', 'false', '2026-01-02'), ('a', '<two/>', NULL, 'true', '2025-01-01')");
        assert_eq!(style(&words, "a").as_deref(), Some("<two/>"));
    }

    #[test]
    fn sld_is_read_where_there_is_no_qml() {
        assert_eq!(style(&rows("('a', NULL, '<sld/>', 1, NULL)"), "a").as_deref(), Some("<sld/>"));
        assert_eq!(style(&rows("('a', '', '', 1, NULL)"), "a"), None);
    }

    #[test]
    fn what_is_no_table_of_styles_gives_none() {
        assert_eq!(style("CREATE TABLE t (a)", "t"), None);
        assert_eq!(style("CREATE VIEW layer_styles AS SELECT 'a' AS f_table_name, '<x/>' AS styleQML", "a"), None);
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.gpkg");
        Connection::open(&path).expect("created").execute_batch("CREATE TABLE layer_styles (a)").expect("made");
        assert!(read(&path, "a", 100).is_err());
    }

    #[test]
    fn a_style_without_end_is_cut() {
        let long = rows(&format!("('a', '{}', '', 1, NULL)", "x".repeat(1_000)));
        assert_eq!(style(&long, "a").map(|style| style.len()), Some(101));
    }
}
