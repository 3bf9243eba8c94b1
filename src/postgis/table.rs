//! A table or a view as the database describes it, and how its columns are written in SQL.

use serde::Deserialize;
use serde::Serialize;

use crate::model::layer::FieldType;
use crate::model::layer::GeometryColumn;

/// Columns that can be published, in the table's order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Table {
    pub schema: String,
    pub name: String,
    pub columns: Vec<Column>,
    /// The primary key, where it is one column.
    pub key: Option<String>,
    pub geometry: Option<GeometryOfTable>,
    /// COMMENT ON TABLE.
    pub comment: Option<String>,
    /// Columns of kinds that no output shows (`bytea`, further geometries).
    pub left_out: Vec<String>,
    /// The database keeps its texts in UTF-8.
    pub is_utf8: bool,
    /// A table of PostgreSQL's own, or what a view made of one: each row lies in a place (`ctid`).
    #[serde(default)]
    pub has_places: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Column {
    pub name: String,
    pub kind: ColumnKind,
    /// COMMENT ON COLUMN.
    pub comment: Option<String>,
}

/// What PostgreSQL keeps, by what it takes to make a value of ours of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    /// `text`, `varchar` with a collation that tells every two texts apart.
    Text,
    Uuid,
    /// Any other type, as PostgreSQL writes it: enumerations, `json`, arrays, `char(n)`, `time`…
    Written,
    /// `int2`, `int4`, `int8`.
    Integer,
    /// `numeric` of at most 18 digits without decimals.
    WholeNumeric,
    Numeric,
    /// `float4`: 0.1 is 0.1, as PostgreSQL and people write it, and not the double beside it.
    Single,
    Double,
    Boolean,
    Date,
    /// Without a zone.
    Timestamp,
    /// An instant.
    TimestampZone,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GeometryOfTable {
    pub column: String,
    /// As `spatial_ref_sys` numbers it; 0: not said, or several in one column.
    pub srid: i32,
    /// EPSG's code of it.
    pub epsg: Option<u32>,
    /// What the column is declared to hold; `None` where it may hold anything.
    pub declared: Option<GeometryColumn>,
    /// The column may hold arcs.
    pub has_curves: bool,
    pub is_geography: bool,
}

/// An identifier of SQL.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A column of [`Table::relation`].
pub fn in_table(column: &str) -> String {
    format!("t.{}", quoted(column))
}

/// The range of finite doubles, and of days and instants that RFC 3339 writes: what is outside is no value.
const REALS: &str = "BETWEEN '-1.7976931348623157e308' AND '1.7976931348623157e308'";
const DAYS: &str = "BETWEEN '0001-01-01' AND '9999-12-31'";
const INSTANTS: &str = "BETWEEN '0001-01-01 00:00:00' AND '9999-12-31 23:59:59.999999'";

impl ColumnKind {
    pub fn field_type(self) -> FieldType {
        match self {
            ColumnKind::Text | ColumnKind::Uuid | ColumnKind::Written => FieldType::Text,
            ColumnKind::Integer | ColumnKind::WholeNumeric => FieldType::Integer,
            ColumnKind::Numeric | ColumnKind::Single | ColumnKind::Double => FieldType::Real,
            ColumnKind::Boolean => FieldType::Boolean,
            ColumnKind::Date => FieldType::Date,
            ColumnKind::Timestamp | ColumnKind::TimestampZone => FieldType::DateTime,
        }
    }

    /// The column's value where [`ColumnKind::guard`] holds: `text`, `int8`, `float8`, `bool`, `date`, `timestamp` or
    /// `timestamptz`. An index on the column serves what is compared with it wherever no other word stands around it.
    pub fn plain(self, column: &str) -> String {
        match self {
            ColumnKind::Uuid | ColumnKind::Written => format!("{column}::text"),
            ColumnKind::WholeNumeric => format!("NULLIF({column}, 'NaN')::int8"),
            ColumnKind::Numeric => format!("(CASE WHEN {column} {REALS} THEN {column}::float8 END)"),
            ColumnKind::Single => format!("{column}::text::float8"),
            _ => column.to_owned(),
        }
    }

    /// The column as an order by it and its index take it, and its type: any order that stays the same.
    pub fn key(self, column: &str) -> (String, &'static str) {
        match self {
            ColumnKind::Uuid => (column.to_owned(), "uuid"),
            other => (other.plain(column), other.sql_type()),
        }
    }

    /// What is true where the column holds a value of ours, beside null; `None` where it always does.
    pub fn guard(self, column: &str) -> Option<String> {
        match self {
            ColumnKind::Double => Some(format!("{column} {REALS}")),
            ColumnKind::Single => Some(format!("{column}::float8 {REALS}")),
            ColumnKind::Date => Some(format!("{column} {DAYS}")),
            ColumnKind::Timestamp | ColumnKind::TimestampZone => Some(format!("{column} {INSTANTS}")),
            _ => None,
        }
    }

    /// The value, or null where it is none of ours.
    pub fn exact(self, column: &str) -> String {
        match self.guard(column) {
            Some(guard) => format!("(CASE WHEN {guard} THEN {} END)", self.plain(column)),
            None => self.plain(column),
        }
    }

    /// The type of [`ColumnKind::plain`] in SQL.
    pub fn sql_type(self) -> &'static str {
        match self {
            ColumnKind::Text | ColumnKind::Uuid | ColumnKind::Written => "text",
            ColumnKind::Integer | ColumnKind::WholeNumeric => "int8",
            ColumnKind::Numeric | ColumnKind::Single | ColumnKind::Double => "float8",
            ColumnKind::Boolean => "bool",
            ColumnKind::Date => "date",
            ColumnKind::Timestamp => "timestamp",
            ColumnKind::TimestampZone => "timestamptz",
        }
    }

    /// As an answer carries it: what is no value of ours becomes null when it is read.
    pub fn sent(self, column: &str) -> String {
        match self {
            ColumnKind::Integer => format!("{column}::int8"),
            other => other.plain(column),
        }
    }
}

impl Table {
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The table in a statement, where [`in_table`] names its columns.
    pub fn relation(&self) -> String {
        format!("{}.{} AS t", quoted(&self.schema), quoted(&self.name))
    }

    /// Whether the primary key is a whole number: the features' ids.
    pub fn integer_key(&self) -> Option<&Column> {
        self.column(self.key.as_ref()?).filter(|column| column.kind.field_type() == FieldType::Integer)
    }
}

impl GeometryOfTable {
    /// The geometry in SQL, without arcs.
    pub fn linear(&self) -> String {
        let column = in_table(&self.column);
        let geometry = if self.is_geography { format!("{column}::geometry") } else { column };
        if self.has_curves { format!("ST_CurveToLine({geometry})") } else { geometry }
    }
}
