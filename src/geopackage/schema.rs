//! The tables that every GeoPackage has, and the triggers that keep an R*Tree true while QGIS edits.

use crate::geopackage::quoted;
use crate::model::layer::FieldType;

/// `GPKG`, and version 1.3.0.
pub const APPLICATION_ID: i32 = 0x4750_4B47;
pub const USER_VERSION: i32 = 10_300;

/// Required tables and rows (`/req/core` 10, 11, 13, 21, 58).
pub const TABLES: &str = r#"
CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT NOT NULL, srs_id INTEGER PRIMARY KEY, organization TEXT NOT NULL,
  organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
INSERT INTO gpkg_spatial_ref_sys VALUES
  ('Undefined Cartesian SRS', -1, 'NONE', -1, 'undefined', 'undefined Cartesian coordinate reference system'),
  ('Undefined geographic SRS', 0, 'NONE', 0, 'undefined', 'undefined geographic coordinate reference system'),
  ('WGS 84', 4326, 'EPSG', 4326, 'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563,AUTHORITY["EPSG","7030"]],AUTHORITY["EPSG","6326"]],PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],UNIT["degree",0.0174532925199433,AUTHORITY["EPSG","9122"]],AUTHORITY["EPSG","4326"]]', 'longitude/latitude coordinates in decimal degrees on the WGS 84 spheroid');
CREATE TABLE gpkg_contents (table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE,
  description TEXT DEFAULT '', last_change DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE, srs_id INTEGER,
  CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id));
CREATE TABLE gpkg_geometry_columns (table_name TEXT NOT NULL, column_name TEXT NOT NULL, geometry_type_name TEXT NOT NULL,
  srs_id INTEGER NOT NULL, z TINYINT NOT NULL, m TINYINT NOT NULL, CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name),
  CONSTRAINT uk_gc_table_name UNIQUE (table_name), CONSTRAINT fk_gc_tn FOREIGN KEY (table_name) REFERENCES gpkg_contents(table_name),
  CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys (srs_id));
CREATE TABLE gpkg_extensions (table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL, definition TEXT NOT NULL,
  scope TEXT NOT NULL, CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name));
"#;

/// The declared type of a column (`/req/core` 5, table 1).
pub fn column_type(field_type: FieldType) -> &'static str {
    match field_type {
        FieldType::Text => "TEXT",
        FieldType::Integer => "INTEGER",
        FieldType::Real => "REAL",
        FieldType::Boolean => "BOOLEAN",
        FieldType::Date => "DATE",
        FieldType::DateTime => "DATETIME",
    }
}

/// Triggers of the R*Tree extension (annex F.3), for one table. They call ST_ functions that the editing program brings.
pub fn rtree_triggers(table: &str, geometry: &str, key: &str) -> String {
    let index = format!("rtree_{table}_{geometry}");
    let (t, g, k, r) = (quoted(table), quoted(geometry), quoted(key), quoted(&index));
    let name = |suffix: &str| quoted(&format!("{index}_{suffix}"));
    let bounds = format!("NEW.{k}, ST_MinX(NEW.{g}), ST_MaxX(NEW.{g}), ST_MinY(NEW.{g}), ST_MaxY(NEW.{g})");
    let there = format!("NEW.{g} NOT NULL AND NOT ST_IsEmpty(NEW.{g})");
    let absent = format!("(NEW.{g} ISNULL OR ST_IsEmpty(NEW.{g}))");
    format!(
        r#"
CREATE TRIGGER {insert} AFTER INSERT ON {t} WHEN (new.{g} NOT NULL AND NOT ST_IsEmpty(NEW.{g}))
BEGIN INSERT OR REPLACE INTO {r} VALUES ({bounds}); END;
CREATE TRIGGER {update2} AFTER UPDATE OF {g} ON {t} WHEN OLD.{k} = NEW.{k} AND {absent}
BEGIN DELETE FROM {r} WHERE id = OLD.{k}; END;
CREATE TRIGGER {update4} AFTER UPDATE ON {t} WHEN OLD.{k} != NEW.{k} AND {absent}
BEGIN DELETE FROM {r} WHERE id IN (OLD.{k}, NEW.{k}); END;
CREATE TRIGGER {update5} AFTER UPDATE ON {t} WHEN OLD.{k} != NEW.{k} AND ({there})
BEGIN DELETE FROM {r} WHERE id = OLD.{k}; INSERT OR REPLACE INTO {r} VALUES ({bounds}); END;
CREATE TRIGGER {update6} AFTER UPDATE OF {g} ON {t} WHEN OLD.{k} = NEW.{k} AND ({there}) AND (OLD.{g} NOT NULL AND NOT ST_IsEmpty(OLD.{g}))
BEGIN UPDATE {r} SET minx = ST_MinX(NEW.{g}), maxx = ST_MaxX(NEW.{g}), miny = ST_MinY(NEW.{g}), maxy = ST_MaxY(NEW.{g}) WHERE id = NEW.{k}; END;
CREATE TRIGGER {update7} AFTER UPDATE OF {g} ON {t} WHEN OLD.{k} = NEW.{k} AND ({there}) AND (OLD.{g} ISNULL OR ST_IsEmpty(OLD.{g}))
BEGIN INSERT INTO {r} VALUES ({bounds}); END;
CREATE TRIGGER {delete} AFTER DELETE ON {t} WHEN old.{g} NOT NULL
BEGIN DELETE FROM {r} WHERE id = OLD.{k}; END;
"#,
        insert = name("insert"),
        update2 = name("update2"),
        update4 = name("update4"),
        update5 = name("update5"),
        update6 = name("update6"),
        update7 = name("update7"),
        delete = name("delete"),
    )
}
