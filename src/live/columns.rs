//! The names of a layer as SQL of its table.

use crate::crs::Transform;
use crate::live::filter_sql::Translator;
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
    /// The image of the box itself, ISO WKB; its edges bend by so many positions that it is true to a tenth of a millimetre.
    pub image: Vec<u8>,
}

/// Positions of an edge of an image at most: a box of a continent is true to a metre or so.
const EDGE_POSITIONS_MAX: usize = 1_000;

/// How far an edge of an image may be from the bend that it stands for, in metres; in degrees far less than is ever served.
const BEND_M: f64 = 1e-4;
const BEND_DEG: f64 = 1e-9;

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
        let linear = format!("ST_Force2D({})", self.related());
        let placed = if self.is_lon_lat() {
            format!("ST_SetSRID({linear}, 4326)")
        } else {
            format!("ST_Transform(ST_SetSRID({linear}, {}), 4326)", self.srid_of_layer())
        };
        format!("(CASE WHEN NOT ST_IsEmpty({}) THEN {placed} END)", in_table(&geometry.column))
    }

    /// The geometry as it lies in the table, without arcs.
    pub fn native(&self) -> String {
        self.table.geometry.as_ref().map_or_else(|| "NULL::geometry".to_owned(), |geometry| geometry.linear())
    }

    /// The same as it is related to others.
    pub fn related(&self) -> String {
        if self.is_mending { format!("ST_MakeValid({})", self.native()) } else { self.native() }
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
    fn srid_of_layer(&self) -> i32 {
        let declared = i32::try_from(self.layer.crs.epsg()).unwrap_or_default();
        Some(self.srid()).filter(|srid| *srid != 0).unwrap_or(declared)
    }

    fn is_lon_lat(&self) -> bool {
        matches!(self.layer.crs, Crs::Crs84 | Crs::Epsg(4326))
    }

    /// What the geometry column itself says of its CRS.
    pub fn srid(&self) -> i32 {
        self.table.geometry.as_ref().map_or(0, |geometry| geometry.srid)
    }

    /// An envelope as the geometry column compares it.
    pub fn envelope(&self, envelope: &Envelope, translator: &mut Translator<'_>) -> String {
        let Envelope { west, south, east, north } = *envelope;
        let corners = [(west, south), (east, south), (east, north), (west, north)];
        translator.shape(&polygon(corners.to_vec()), self.srid())
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
        Some(Placed { around, inside: inside(), image: self.image(envelope, &transform)? })
    }

    fn image(&self, envelope: &Envelope, transform: &Transform) -> Option<Vec<u8>> {
        let Envelope { west, south, east, north } = *envelope;
        let tolerance = if self.layer.crs.is_geographic() { BEND_DEG } else { BEND_M };
        let corners = [(west, south), (east, south), (east, north), (west, north)];
        let mut positions = Vec::new();
        for (at, (x, y)) in corners.into_iter().enumerate() {
            let (next_x, next_y) = corners[(at + 1) % corners.len()];
            let part = |share: f64| transform.position(x + (next_x - x) * share, y + (next_y - y) * share).ok();
            let (start, middle, end) = (part(0.0)?, part(0.5)?, part(1.0)?);
            // A chord of an nth of an edge is off by an nth squared of what the whole chord is.
            let bend = f64::hypot(middle.0 - (start.0 + end.0) / 2.0, middle.1 - (start.1 + end.1) / 2.0);
            let steps = ((bend / tolerance).sqrt().ceil() as usize).clamp(1, EDGE_POSITIONS_MAX);
            for step in 0..steps {
                positions.push(part(step as f64 / steps as f64)?);
            }
        }
        Some(polygon(positions))
    }
}

/// ISO WKB of an area, its ring open.
fn polygon(ring: Vec<(f64, f64)>) -> Vec<u8> {
    let mut wkb = vec![1];
    let count = u32::try_from(ring.len() + 1).unwrap_or(u32::MAX);
    [3, 1, count].into_iter().for_each(|number: u32| wkb.extend_from_slice(&number.to_le_bytes()));
    for (x, y) in ring.iter().chain(ring.first()) {
        wkb.extend_from_slice(&x.to_le_bytes());
        wkb.extend_from_slice(&y.to_le_bytes());
    }
    wkb
}
