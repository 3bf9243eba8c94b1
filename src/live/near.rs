//! Pages of what lies in a box, where it is not much.
//!
//! The index gives what comes near the box, each row with its key alone: what lies well inside is sure, and what lies on the
//! edge brings its geometry, on which this program decides in lon, lat, as for a version. That is exact, tells how many there
//! are at no further cost, and takes a tenth of what PostGIS takes to transform and to relate. Then the rows of the page are
//! fetched from where they lay a moment ago, which spares a search for each key; by their keys where one moved meanwhile.

use std::fmt::Write;
use std::ops::ControlFlow;

use crate::crs::Transform;
use crate::live::LiveError;
use crate::live::LivePage;
use crate::live::LiveReader;
use crate::live::columns::Columns;
use crate::live::conditions;
use crate::live::filter_sql::Translator;
use crate::live::order::Key;
use crate::live::order::Order;
use crate::live::select::Chosen;
use crate::live::select::PAGE_ROWS_MAX;
use crate::live::select::Read;
use crate::live::select::texts;
use crate::model::crs::CRS84;
use crate::model::feature::FeatureId;
use crate::model::geometry::Envelope;
use crate::model::wkb;
use crate::model::wkb_box;
use crate::query::After;
use crate::query::Query;

/// Rows near a box that are looked at so; where there are more, the table is asked in one question.
const NEAR_MAX: usize = 5_000;

/// Bytes of a geometry on the edge of a box that is fetched to be looked at, as the table keeps it: all of them together stay
/// some hundred megabytes at the very worst.
const GEOMETRY_BYTES_MAX: usize = 32 << 10;

/// A row that comes near the box.
struct Near {
    key: Key,
    /// Where it lay, in PostgreSQL's binary form of a `tid`.
    place: Option<[u8; 6]>,
    is_behind: bool,
    /// On the edge of the box.
    geometry: Option<Vec<u8>>,
}

/// Key, place, and the geometry of what lies on the edge.
type Found = (i64, Option<[u8; 6]>, Option<Vec<u8>>);

impl LiveReader {
    /// `None` where no box is asked, or too much comes near it.
    pub(super) fn page_near(&self, query: &Query, columns: &Columns<'_>) -> Result<Option<LivePage>, LiveError> {
        let placed: Option<Vec<_>> = query.bbox.iter().map(|envelope| columns.placed(envelope)).collect();
        let Some(placed) = placed.filter(|placed| !placed.is_empty()) else { return Ok(None) };
        let mut translator = Translator::new(columns);
        let anywhere = Query { bbox: Vec::new(), ..query.clone() };
        let (Some(mut all), Some(order)) =
            (conditions::of(&anywhere, self.rows.as_ref(), columns, &mut translator), Order::of(query, columns))
        else {
            return Ok(None);
        };
        if !order.is_by_an_indexed_key() {
            return Ok(None);
        }
        let column = columns.indexed();
        let any = |boxes: Vec<String>| if boxes.is_empty() { "FALSE".to_owned() } else { format!("({})", boxes.join(" OR ")) };
        let mut each = |sign: &str, envelope: &Envelope| format!("{column} {sign} {}", columns.envelope(envelope, &mut translator));
        all.push(any(placed.iter().map(|placed| each("&&", &placed.around)).collect()));
        let inside = any(placed.iter().filter_map(|placed| placed.inside.as_ref()).map(|inside| each("@", inside)).collect());
        // What is large stays where it is, and is related there.
        let is_large = format!("pg_column_size({column}) > {GEOMETRY_BYTES_MAX}");
        let meets = any(query.bbox.iter().map(|envelope| conditions::in_box(envelope, columns, &mut translator)).collect());
        all.push(format!("(NOT {is_large} OR {meets})"));
        let edge = format!("CASE WHEN {inside} OR {is_large} THEN NULL ELSE ST_AsBinary({}, 'NDR') END", columns.native());
        let chosen = format!("FROM {} WHERE {}", self.source.table.relation(), all.join(" AND "));
        let after = match &query.page.after {
            None => None,
            Some(After::Values(values)) => Some(values),
            Some(After::Row(_)) => return Err(LiveError::OtherOrder),
        };
        let mut found = if order.is_by_whole_numbers() {
            let after = after.map(|values| order.whole_number(values).ok_or(LiveError::OtherOrder)).transpose()?;
            let Some(found) = self.numbered(&edge, &chosen, &order, after, &translator.values)? else { return Ok(None) };
            found
        } else {
            let behind = match after {
                None => "TRUE".to_owned(),
                Some(values) => order.behind(values, &mut translator).ok_or(LiveError::OtherOrder)?,
            };
            self.ordered(&edge, &chosen, &order, &behind, &translator.values)?
        };
        if found.len() > NEAR_MAX {
            return Ok(None);
        }
        let transform = Transform::new(self.layer.crs, CRS84)?;
        found.retain_mut(|near| {
            let Some(geometry) = &mut near.geometry else { return true };
            transform.wkb(geometry).is_ok() && query.bbox.iter().any(|asked| wkb_box::meets(geometry, asked))
        });
        let matched = Some(found.len() as u64);
        let limit = query.page.limit.unwrap_or(PAGE_ROWS_MAX).min(PAGE_ROWS_MAX);
        let offset = usize::try_from(query.page.offset).unwrap_or(usize::MAX);
        let mut following = found.iter().filter(|near| near.is_behind).skip(offset);
        let page: Vec<&Near> = following.by_ref().take(usize::try_from(limit).unwrap_or(usize::MAX)).collect();
        let more = following.next().is_some();
        if page.is_empty() {
            return Ok(Some(LivePage { batches: Vec::new(), matched, next: None }));
        }
        let read = match self.rows_in_place(query, columns, &order, &page)? {
            Some(read) => read,
            None => {
                let among = |translator: &mut Translator<'_>| order.among(page.iter().map(|near| &near.key), translator);
                self.rows_where(among, query, columns, &order, page.len())?
            }
        };
        if more && read.last.is_empty() {
            // A row of the page was deleted a moment ago, and nothing says where the next one begins.
            return Ok(None);
        }
        let next = (more || read.more).then_some(read.last);
        Ok(Some(LivePage { batches: read.batches, matched, next }))
    }

    /// The rows of a page where they lay; `None` where one of them is not there any more.
    fn rows_in_place(&self, query: &Query, columns: &Columns<'_>, order: &Order, page: &[&Near]) -> Result<Option<Read>, LiveError> {
        let places: Option<Vec<[u8; 6]>> = page.iter().map(|near| near.place).collect();
        let Some(places) = places.filter(|_| self.source.table.has_places && order.is_by_ids()) else { return Ok(None) };
        let lay = |translator: &mut Translator<'_>| format!("t.ctid = ANY ({})", translator.bind(tids(&places), "tid[]"));
        let read = self.rows_where(lay, query, columns, order, page.len())?;
        let mut expected = page.iter();
        let is_it = |found: FeatureId| match (expected.next().map(|near| &near.key), found) {
            (Some(Key::Number(key)), FeatureId::Integer(id)) => *key == id,
            _ => false,
        };
        let mut found = read.batches.iter().flat_map(|batch| (0..batch.rows()).filter_map(|row| batch.id(row)));
        let is_as_it_was = found.all(is_it) && (read.more || expected.next().is_none());
        Ok(is_as_it_was.then_some(read))
    }

    /// The rows of a page that go out at all now: the officer's `where` is asked again, because a row may have changed since
    /// its key was read.
    fn rows_where(
        &self,
        chosen: impl FnOnce(&mut Translator<'_>) -> String,
        query: &Query,
        columns: &Columns<'_>,
        order: &Order,
        rows: usize,
    ) -> Result<Read, LiveError> {
        let mut translator = Translator::new(columns);
        let chosen = chosen(&mut translator);
        let published = conditions::published(self.rows.as_ref(), columns, &mut translator);
        let chosen = Chosen::Often(format!("{chosen} AND {published} ORDER BY {}", order.clause()));
        self.read(query, columns, order, rows as u64, &chosen, &translator.values)
    }

    /// In the order asked, a row each.
    fn ordered(&self, edge: &str, chosen: &str, order: &Order, behind: &str, values: &[String]) -> Result<Vec<Near>, LiveError> {
        let key = order.key_text();
        let sql = format!("SELECT {key}, {behind}, {edge} {chosen} ORDER BY {} LIMIT {}", order.clause(), NEAR_MAX + 1);
        let values = texts(values);
        let found = self.database.ask(|connection| {
            let mut found = Vec::new();
            connection.query_often(&sql, &values, &mut |row| {
                let key = Key::Text(row.text(0).unwrap_or_default().to_owned());
                found.push(Near { key, place: None, is_behind: row.truth(1) == Some(true), geometry: row.get(2).map(<[u8]>::to_vec) });
                ControlFlow::Continue(())
            })?;
            Ok(found)
        })?;
        Ok(found)
    }

    /// In the order of keys that are whole numbers: three lists instead of thousands of rows, sorted here. `None` where one of
    /// the geometries is of a kind that this program does not read.
    fn numbered(
        &self,
        edge: &str,
        chosen: &str,
        order: &Order,
        after: Option<i64>,
        values: &[String],
    ) -> Result<Option<Vec<Near>>, LiveError> {
        let key = order.key_number();
        // Arrays are read without nulls.
        let place = if self.source.table.has_places { "t.ctid" } else { "'(0,0)'::tid" };
        let of = |what: &str, edge: &str| format!("array_agg({what}) FILTER (WHERE g IS {edge})");
        let sql = format!(
            "SELECT {}, {}, {}, {}, string_agg(g, '') \
             FROM (SELECT {key} AS k, {place} AS c, {edge} AS g {chosen} LIMIT {}) AS near",
            of("k", "NULL"),
            of("c", "NULL"),
            of("k", "NOT NULL"),
            of("c", "NOT NULL"),
            NEAR_MAX + 1
        );
        let values = texts(values);
        let found = self.database.ask(|connection| {
            let mut found: Vec<Found> = Vec::new();
            let mut is_known = true;
            connection.query_often(&sql, &values, &mut |row| {
                let keys =
                    |keys: usize, places: usize| row.list(keys).filter_map(whole).zip(row.list(places).map(|place| place.try_into().ok()));
                found.extend(keys(0, 1).map(|(key, place)| (key, place, None)));
                // One behind the other: each says where it ends.
                let mut rest = row.get(4).unwrap_or_default();
                for (key, place) in keys(2, 3) {
                    let length = wkb::length(rest);
                    is_known &= length.is_ok();
                    let (geometry, behind) = rest.split_at(length.unwrap_or(rest.len()));
                    found.push((key, place, Some(geometry.to_vec())));
                    rest = behind;
                }
                ControlFlow::Continue(())
            })?;
            Ok(is_known.then_some(found))
        })?;
        let Some(mut found) = found else { return Ok(None) };
        found.sort_unstable_by_key(|(key, ..)| *key);
        let near = |(key, place, geometry): Found| Near {
            key: Key::Number(key),
            place,
            is_behind: after.is_none_or(|after| key > after),
            geometry,
        };
        Ok(Some(found.into_iter().map(near).collect()))
    }
}

/// A list of places as PostgreSQL reads one: each is the number of a page, then of a row on it.
fn tids(places: &[[u8; 6]]) -> String {
    let mut list = String::from("{");
    for [a, b, c, d, e, f] in places {
        if list.len() > 1 {
            list.push(',');
        }
        let (page, row) = (u32::from_be_bytes([*a, *b, *c, *d]), u16::from_be_bytes([*e, *f]));
        // Writing into a text cannot fail.
        let _ = write!(list, "\"({page},{row})\"");
    }
    list.push('}');
    list
}

fn whole(bytes: &[u8]) -> Option<i64> {
    Some(i64::from_be_bytes(bytes.try_into().ok()?))
}
