//! A layer: what OGC API calls a collection, WFS a feature type and GDAL an OGRLayer.

use serde::Deserialize;
use serde::Serialize;
use unicode_normalization::UnicodeNormalization;

use crate::model::crs::Crs;
use crate::model::geometry::Envelope;
use crate::model::tiling::Tiling;

/// Name of a layer in every address: `[a-z][a-z0-9_]{0,62}`, never changed once published.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LayerId(String);

/// Longest layer id, so that file names, schema names and addresses stay within every system's limits.
pub const LAYER_ID_LENGTH_MAX: usize = 63;

/// Ids that addresses of our own use.
const RESERVED: [&str; 2] = ["records", "site"];

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "« {id} » ne peut pas nommer une couche : attendu une minuscule puis jusqu'à 62 minuscules, chiffres ou « _ » ; « records », « site » et les noms en « _label » sont réservés"
)]
pub struct InvalidLayerId {
    pub id: String,
}

impl LayerId {
    /// # Errors
    /// `InvalidLayerId` where the text breaks the pattern or is reserved.
    pub fn new(id: &str) -> Result<LayerId, InvalidLayerId> {
        let mut bytes = id.bytes();
        let shaped = bytes.next().is_some_and(|first| first.is_ascii_lowercase())
            && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
            && id.len() <= LAYER_ID_LENGTH_MAX;
        if !shaped || RESERVED.contains(&id) || id.ends_with("_label") {
            return Err(InvalidLayerId { id: id.to_owned() });
        }
        Ok(LayerId(id.to_owned()))
    }

    /// The id that a name gets: NFKD without marks, lower case, other signs to one `_`, `l_` before a digit, cut at 63.
    /// `None` where nothing usable is left.
    pub fn from_name(name: &str) -> Option<LayerId> {
        let mut id = String::new();
        for sign in name.nfkd().filter(|c| !unicode_normalization::char::is_combining_mark(*c)) {
            let plain = match sign {
                'œ' | 'Œ' => "oe",
                'æ' | 'Æ' => "ae",
                'ß' => "ss",
                _ => "",
            };
            if !plain.is_empty() {
                id.push_str(plain);
            } else if sign.is_ascii_alphanumeric() {
                id.push(sign.to_ascii_lowercase());
            } else if !id.is_empty() && !id.ends_with('_') {
                id.push('_');
            }
        }
        if id.starts_with(|c: char| c.is_ascii_digit()) {
            id.insert_str(0, "l_");
        }
        id.truncate(LAYER_ID_LENGTH_MAX);
        let id = id.trim_matches('_');
        let id = if RESERVED.contains(&id) || id.ends_with("_label") { format!("l_{id}_1") } else { id.to_owned() };
        LayerId::new(&id).ok()
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for LayerId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for LayerId {
    type Error = InvalidLayerId;
    fn try_from(id: String) -> Result<LayerId, InvalidLayerId> {
        LayerId::new(&id)
    }
}

impl From<LayerId> for String {
    fn from(id: LayerId) -> String {
        id.0
    }
}

/// What a field holds. Dates and instants travel as RFC 3339 text, proven on the way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    Text,
    Integer,
    Real,
    Boolean,
    /// `2026-06-30`
    Date,
    /// `2026-06-30T10:11:12+02:00`, `…Z`, or without a zone where the source has none.
    DateTime,
}

/// A property of features: an attribute, a column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// Safe and unique in its layer: letters, digits and `_`, no leading digit, none of `id`, `fid`, `geom`, `geometry`
    /// (in any letter case). Accents are kept; it is what every output names.
    pub name: String,
    /// The column's name as the source writes it; the title for people until the officer gives one.
    pub source_name: String,
    pub title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    pub field_type: FieldType,
    /// Code and meaning, in the officer's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<(String, String)>,
}

impl Field {
    /// Whether the officer means this column: by its name in the source or its safe name, in any letter case.
    pub fn is_named(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        self.source_name.to_lowercase() == name || self.name.to_lowercase() == name
    }
}

/// OGC 06-103r4 geometry types; `Geometry` where a layer mixes dimensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum GeometryType {
    Point,
    LineString,
    Polygon,
    MultiPoint,
    MultiLineString,
    MultiPolygon,
    GeometryCollection,
    Geometry,
}

impl GeometryType {
    /// ISO 19125 code, as WKB and FlatGeobuf number them; 0 for any.
    pub fn wkb_code(self) -> u8 {
        match self {
            GeometryType::Geometry => 0,
            GeometryType::Point => 1,
            GeometryType::LineString => 2,
            GeometryType::Polygon => 3,
            GeometryType::MultiPoint => 4,
            GeometryType::MultiLineString => 5,
            GeometryType::MultiPolygon => 6,
            GeometryType::GeometryCollection => 7,
        }
    }

    /// The name that OGC, GeoPackage and GeoJSON share (`MultiPolygon`).
    pub fn name(self) -> &'static str {
        match self {
            GeometryType::Point => "Point",
            GeometryType::LineString => "LineString",
            GeometryType::Polygon => "Polygon",
            GeometryType::MultiPoint => "MultiPoint",
            GeometryType::MultiLineString => "MultiLineString",
            GeometryType::MultiPolygon => "MultiPolygon",
            GeometryType::GeometryCollection => "GeometryCollection",
            GeometryType::Geometry => "Geometry",
        }
    }
}

/// The geometry column of a layer: one a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GeometryColumn {
    pub geometry_type: GeometryType,
    pub has_z: bool,
    pub has_m: bool,
}

/// How features of a layer are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdKind {
    /// Integers that bocage issues.
    Integer,
    /// The declared field's value as text.
    Text,
}

/// A published layer as every output sees it: only columns on the list, in the officer's order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Layer {
    pub id: LayerId,
    pub title: String,
    #[serde(rename = "abstract")]
    pub description: String,
    pub fields: Vec<Field>,
    /// `None`: a table without geometry.
    pub geometry: Option<GeometryColumn>,
    /// The CRS of the source; downloads marked "the source's own" are in it, and it is the collection's `storageCrs`.
    pub crs: Crs,
    pub id_kind: IdKind,
    /// The field whose text is the feature id, where one is declared. It stays among `fields` too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_field: Option<String>,
    /// The field, or the pair of fields (from, to), that `datetime` asks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub time_fields: Vec<String>,
    pub features: u64,
    /// Lon, lat of all geometries, rounded outward at the sixth decimal; `None` where there is none.
    pub extent: Option<Envelope>,
    /// Earliest and latest value of `time_fields`, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<(Option<String>, Option<String>)>,
    #[serde(default)]
    pub tiling: Tiling,
    /// Published as tiles alone, as somebody cut them: there are no features to ask.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_tileset: bool,
}

impl Layer {
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_ids_as_the_contract_says() {
        for (name, id) in [
            ("Équipements publics (màj 2026)", "equipements_publics_maj_2026"),
            ("35331_ZONE_URBA", "l_35331_zone_urba"),
            ("COMMUNES_LII", "communes_lii"),
            ("bœufs", "boeufs"),
        ] {
            assert_eq!(LayerId::from_name(name).map(String::from).as_deref(), Some(id), "{name}");
        }
        assert_eq!(LayerId::from_name("…"), None);
    }

    #[test]
    fn a_reserved_or_misshapen_id_is_refused() {
        for id in ["records", "site", "communes_label", "", "Communes", "1er", "a b", "é"] {
            assert!(LayerId::new(id).is_err(), "{id}");
        }
        assert!(LayerId::new(&"a".repeat(64)).is_err());
    }
}
