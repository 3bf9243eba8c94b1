//! The names of a layer as SQL of its table.

use crate::crs::Transform;
use crate::model::crs::CRS84;
use crate::model::crs::Crs;
use crate::model::geometry::Envelope;
use crate::model::layer::Field;
use crate::model::layer::IdKind;
use crate::model::layer::Layer;
use crate::postgis::Column;
use crate::postgis::ColumnKind;
use crate::postgis::Table;
use crate::postgis::in_table;

/// A table, with what its layer calls its columns.
pub struct Columns<'a> {
    pub table: &'a Table,
    /// Of every column of the table, in its order.
    pub fields: &'a [Field],
    pub layer: &'a Layer,
    /// Geometries are made valid before they are related.
    pub is_mending: bool,
}

/// A lon, lat box in the table's own CRS: nothing of it lies outside `around`, nothing of `inside` outside it.
pub struct Placed {
    pub around: Envelope,
    pub inside: Option<Envelope>,
}

/// PostGIS keeps the boxes of an index in single precision: half a metre at the north of Lambert-93, and as much in degrees.
const SLACK_M: f64 = 1.0;
const SLACK_DEG: f64 = 1e-4;

impl Columns<'_> {
    /// A column by its field's name.
    pub fn named(&self, name: &str) -> Option<&Column> {
        self.table.columns.get(self.fields.iter().position(|field| field.name == name)?)
    }

    /// The column that tells features apart: the declared one, else the primary key.
    pub fn key(&self) -> Option<&Column> {
        match &self.layer.id_field {
            Some(name) => self.named(name),
            None => self.table.integer_key(),
        }
    }

    /// The feature's id: `int8`, or `text` where the officer declared a column.
    pub fn id(&self) -> String {
        let Some(key) = self.key() else { return "NULL".to_owned() };
        let value = key.kind.exact(&in_table(&key.name));
        match self.layer.id_kind {
            IdKind::Integer => format!("{value}::int8"),
            IdKind::Text if key.kind == ColumnKind::Text => value,
            IdKind::Text => format!("{value}::text"),
        }
    }

    /// The geometry in lon, lat and two dimensions; null where it is empty.
    pub fn geometry(&self) -> String {
        let Some(geometry) = &self.table.geometry else { return "NULL::geometry".to_owned() };
        let mended = if self.is_mending { format!("ST_MakeValid({})", self.native()) } else { self.native() };
        let linear = format!("ST_Force2D({mended})");
        let placed = if self.is_lon_lat() {
            format!("ST_SetSRID({linear}, 4326)")
        } else {
            format!("ST_Transform(ST_SetSRID({linear}, {}), 4326)", self.srid())
        };
        format!("(CASE WHEN NOT ST_IsEmpty({}) THEN {placed} END)", in_table(&geometry.column))
    }

    /// The geometry as it lies in the table, without arcs.
    pub fn native(&self) -> String {
        self.table.geometry.as_ref().map_or_else(|| "NULL::geometry".to_owned(), |geometry| geometry.linear())
    }

    /// The column itself, which the spatial index knows.
    pub fn indexed(&self) -> String {
        match &self.table.geometry {
            Some(geometry) if geometry.is_geography => format!("{}::geometry", in_table(&geometry.column)),
            Some(geometry) => in_table(&geometry.column),
            None => "NULL::geometry".to_owned(),
        }
    }

    /// What the database transforms from: its own number of the layer's CRS.
    fn srid(&self) -> i32 {
        let declared = i32::try_from(self.layer.crs.epsg()).unwrap_or_default();
        self.table.geometry.as_ref().map(|geometry| geometry.srid).filter(|srid| *srid != 0).unwrap_or(declared)
    }

    fn is_lon_lat(&self) -> bool {
        matches!(self.layer.crs, Crs::Crs84 | Crs::Epsg(4326))
    }

    /// An envelope as the geometry column compares it.
    pub fn envelope(&self, envelope: &Envelope) -> String {
        let Envelope { west, south, east, north } = envelope;
        let srid = self.table.geometry.as_ref().map_or(0, |geometry| geometry.srid);
        format!("ST_MakeEnvelope({west:?}, {south:?}, {east:?}, {north:?}, {srid})")
    }

    /// `None`: the box has no image in the table's CRS, and nothing can be said of it by an index.
    pub fn placed(&self, envelope: &Envelope) -> Option<Placed> {
        let transform = Transform::new(CRS84, self.layer.crs).ok()?;
        let slack = if self.layer.crs.is_geographic() { SLACK_DEG } else { SLACK_M };
        let Envelope { west, south, east, north } = *envelope;
        let image = transform.envelope(envelope).ok()?;
        // An edge bends between the positions that were looked at, least where they are near to each other.
        let bend = 1e-3 * (image.east - image.west).max(image.north - image.south);
        let margin = slack + if self.is_lon_lat() { 0.0 } else { bend };
        let around =
            Envelope { west: image.west - margin, south: image.south - margin, east: image.east + margin, north: image.north + margin };
        // Each side of what is inside: the innermost image of that edge.
        let edge = |a: (f64, f64), b: (f64, f64)| {
            let low = Envelope { west: a.0.min(b.0), south: a.1.min(b.1), east: a.0.max(b.0), north: a.1.max(b.1) };
            transform.envelope(&low).ok()
        };
        let inside = || {
            let (left, right) = (edge((west, south), (west, north))?, edge((east, south), (east, north))?);
            let (below, above) = (edge((west, south), (east, south))?, edge((west, north), (east, north))?);
            let inner =
                Envelope { west: left.east + margin, south: below.north + margin, east: right.west - margin, north: above.south - margin };
            (inner.west < inner.east && inner.south < inner.north).then_some(inner)
        };
        Some(Placed { around, inside: inside() })
    }
}
