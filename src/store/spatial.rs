//! Rows that lie somewhere: in boxes, in a commune.
//!
//! The packed tree proves most of them inside a box and counts them by the node; only what lies on its edge is looked at,
//! in the WKB itself.

use std::ops::ControlFlow;
use std::ops::Range;

use geo::Intersects;
use geo_traits::to_geo::ToGeoGeometry;
use geo_types::Geometry;
use rusqlite::CachedStatement;
use rusqlite::Connection;
use rusqlite::MAIN_DB;
use rusqlite::blob::Blob;
use rusqlite::params_from_iter;
use rusqlite::types::Value as SqlValue;

use crate::geopackage::header;
use crate::geopackage::quoted;
use crate::geopackage::writer::GEOMETRY;
use crate::model::geometry::Envelope;
use crate::model::wkb_box;
use crate::query::Query;
use crate::store::StoreError;
use crate::store::reader::LayerReader;
use crate::store::select::Conditions;
use crate::store::select::RowPage;

/// Rows whose geometry meets the boxes and the area, and whose fields meet the conditions. `reach`: where they lie at all.
///
/// # Errors
/// `Sqlite`.
pub fn page(reader: &LayerReader, query: &Query, reach: &[Envelope], conditions: &Conditions) -> Result<RowPage, StoreError> {
    let mut pager = Pager::new(query);
    reader.with(|connection| {
        let mut judge = Judge::new(connection, reader.layer.id.as_str(), query, conditions)?;
        let mut fault = None;
        let _ = reader.boxes.visit(reach, &mut |rows, inside| match judge.take(rows, inside, &mut pager) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                fault = Some(error);
                ControlFlow::Break(())
            }
        });
        fault.map_or(Ok(()), Err)
    })?;
    Ok(pager.page)
}

/// Cuts the page out of the matches, and counts them all.
struct Pager {
    page: RowPage,
    after: i64,
    skip: u64,
    limit: u64,
}

impl Pager {
    fn new(query: &Query) -> Pager {
        let page = RowPage { rows: Vec::new(), matched: 0, more: false };
        Pager { page, after: query.page.after_row(), skip: query.page.offset, limit: query.page.limit.unwrap_or(u64::MAX) }
    }

    /// Matching rows, ascending and after those of the calls before.
    fn take(&mut self, rows: Range<i64>) {
        let length = |rows: &Range<i64>| rows.end.saturating_sub(rows.start).max(0) as u64;
        self.page.matched += length(&rows);
        let mut rest = rows.start.max(self.after + 1)..rows.end;
        let skipped = self.skip.min(length(&rest));
        self.skip -= skipped;
        rest.start += skipped as i64;
        let room = self.limit - self.page.rows.len() as u64;
        if length(&rest) > room {
            self.page.more = true;
            rest.end = rest.start + room as i64;
        }
        self.page.rows.extend(rest);
    }
}

/// Looks at what the tree leaves open.
struct Judge<'c> {
    query: &'c Query,
    conditions: &'c Conditions,
    /// `None` where no field is asked.
    fields: Option<CachedStatement<'c>>,
    connection: &'c Connection,
    table: &'c str,
    geometry: Option<Blob<'c>>,
    buffer: Vec<u8>,
}

impl<'c> Judge<'c> {
    fn new(connection: &'c Connection, table: &'c str, query: &'c Query, conditions: &'c Conditions) -> rusqlite::Result<Judge<'c>> {
        let fields = match conditions.values.is_empty() {
            true => None,
            false => {
                let sql = format!("SELECT 1 FROM {} WHERE {} AND fid = ?", quoted(table), conditions.sql.join(" AND "));
                Some(connection.prepare_cached(&sql)?)
            }
        };
        Ok(Judge { query, conditions, fields, connection, table, geometry: None, buffer: Vec::new() })
    }

    fn take(&mut self, rows: Range<i64>, inside: bool, pager: &mut Pager) -> rusqlite::Result<()> {
        // Where neither box nor area is asked, the conditions alone say who matches.
        let is_located = !self.query.bbox.is_empty() || self.query.area.is_some();
        let inside = (inside && self.query.area.is_none()) || !is_located;
        if inside && self.fields.is_none() {
            pager.take(rows);
            return Ok(());
        }
        for row in rows {
            if (inside || self.meets(row)?) && self.suits(row)? {
                pager.take(row..row + 1);
            }
        }
        Ok(())
    }

    fn suits(&mut self, row: i64) -> rusqlite::Result<bool> {
        let Some(fields) = &mut self.fields else { return Ok(true) };
        fields.exists(params_from_iter(self.conditions.values.iter().cloned().chain([SqlValue::Integer(row)])))
    }

    /// Whether the row's geometry meets the boxes (touching counts) and the area.
    fn meets(&mut self, row: i64) -> rusqlite::Result<bool> {
        // A handle that moves from row to row costs a third of a statement.
        match &mut self.geometry {
            Some(geometry) => geometry.reopen(row)?,
            None => self.geometry = Some(self.connection.blob_open(MAIN_DB, self.table, GEOMETRY, row, true)?),
        }
        let Some(geometry) = &self.geometry else { return Ok(false) };
        self.buffer.resize(geometry.len(), 0);
        geometry.read_at_exact(&mut self.buffer, 0)?;
        let Some((wkb, _)) = header::decode(&self.buffer) else { return Ok(false) };
        let in_box = self.query.bbox.is_empty() || self.query.bbox.iter().any(|asked| wkb_box::meets(wkb, asked));
        let Some(area) = self.query.area.as_ref().filter(|_| in_box) else { return Ok(in_box) };
        let geometry: Option<Geometry<f64>> = ::wkb::reader::read_wkb(wkb).ok().and_then(|geometry| geometry.try_to_geometry());
        Ok(geometry.is_some_and(|geometry| geometry.intersects(area.as_ref())))
    }
}
