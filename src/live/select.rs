//! From a question to a page of features.

use std::ops::ControlFlow;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;

use crate::crs::Transform;
use crate::crs::batch;
use crate::live::LiveError;
use crate::live::LivePage;
use crate::live::LiveReader;
use crate::live::columns::Columns;
use crate::live::conditions;
use crate::live::filter_sql::Translator;
use crate::live::order::Order;
use crate::model::batch::FeatureBatch;
use crate::model::crs::CRS84;
use crate::model::feature::FeatureId;
use crate::postgis::PostgisError;
use crate::postgis::Row;
use crate::postgis::Rows;
use crate::postgis::in_table;
use crate::query::After;
use crate::query::Query;
use crate::query::filter::ID;

/// Rows of one batch.
const CHUNK_ROWS: usize = 1_000;

/// Rows of a page where nobody says, and at most.
pub(super) const PAGE_ROWS_MAX: u64 = 10_000;

/// A page ends early where its geometries and texts take so much, and the next one goes on behind it: memory stays bounded
/// however large the features are.
const PAGE_BYTES_MAX: usize = 64 << 20;

/// Rows that are counted: a tenth of a second at most, where a filter does not make them dear.
const COUNT_MAX: u64 = 1_000_000;

/// How long a count is believed, and how many are: a client that pages asks for the same one with each page.
const COUNT_KEPT: Duration = Duration::from_secs(10);
const COUNTS_MAX: usize = 32;

/// SQLSTATE of what PostGIS meets in an invalid geometry: asked again of mended ones.
const INTERNAL: &str = "XX000";

impl LiveReader {
    /// One page, as `query` asks. `query.crs` is not applied here.
    ///
    /// # Errors
    /// `Closed`; those of the database.
    pub fn page(&self, query: &Query) -> Result<LivePage, LiveError> {
        self.open()?;
        let columns = self.columns();
        match self.page_of(query, &columns) {
            Err(LiveError::Postgis(PostgisError::Refused { state, .. })) if state == INTERNAL => {
                self.page_of(query, &Columns { is_mending: true, ..columns })
            }
            found => found,
        }
    }

    /// One feature, as a batch of one row; `None` where there is none.
    ///
    /// # Errors
    /// As [`LiveReader::page`].
    pub fn feature(&self, id: &FeatureId) -> Result<Option<FeatureBatch>, LiveError> {
        self.open()?;
        let columns = self.columns();
        let mut translator = Translator::new(&columns);
        let published = conditions::published(self.rows.as_ref(), &columns, &mut translator);
        let Some(is_it) = conditions::equal(ID, &id.to_string(), &columns, &mut translator) else { return Ok(None) };
        let list = self.list(&Query::all(CRS84), &columns).join(", ");
        let sql = format!("SELECT {list} FROM {} WHERE {published} AND {is_it} LIMIT 1", self.source.table.relation());
        let values = texts(&translator.values);
        let batch = self.database.ask(|connection| {
            let mut rows = self.rows_of(&Query::all(CRS84), &columns);
            connection.query_often(&sql, &values, &mut |row| {
                rows.push(&row);
                ControlFlow::Continue(())
            })?;
            Ok((!rows.is_empty()).then(|| rows.take().0))
        })?;
        batch.map(|batch| self.placed(batch)).transpose()
    }

    fn open(&self) -> Result<(), LiveError> {
        self.source.closed.as_ref().map_or(Ok(()), |since| Err(LiveError::Closed { since: since.clone() }))
    }

    fn page_of(&self, query: &Query, columns: &Columns<'_>) -> Result<LivePage, LiveError> {
        if let Some(page) = self.page_near(query, columns)? {
            return Ok(page);
        }
        let nothing = LivePage { batches: Vec::new(), matched: Some(0), next: None };
        let mut translator = Translator::new(columns);
        let Some(mut conditions) = conditions::of(query, self.rows.as_ref(), columns, &mut translator) else { return Ok(nothing) };
        let Some(order) = Order::of(query, columns) else { return Ok(nothing) };
        let all = (conditions.join(" AND "), translator.values.clone());
        let is_first = query.page.after.is_none();
        if let Some(after) = &query.page.after {
            let behind = match after {
                After::Values(values) => order.behind(values, &mut translator),
                After::Row(_) => None,
            };
            conditions.push(behind.ok_or(LiveError::OtherOrder)?);
        }
        let limit = query.page.limit.unwrap_or(PAGE_ROWS_MAX).min(PAGE_ROWS_MAX);
        let chosen = format!("{} ORDER BY {} LIMIT {} OFFSET {}", conditions.join(" AND "), order.clause(), limit + 1, query.page.offset);
        let Read { batches, last, more } = self.read(query, columns, &order, limit, &Chosen::Once(chosen), &translator.values)?;
        let returned: u64 = batches.iter().map(|batch| batch.rows() as u64).sum();
        let before = query.page.offset + returned;
        let matched = match (is_first, more, returned) {
            // The page holds the last of them.
            (true, false, 1..) => Some(before),
            (true, false, 0) if query.page.offset == 0 => Some(0),
            // Those of the page need no second look.
            (true, true, _) => match order.behind(&last, &mut translator) {
                Some(behind) => {
                    let rest = (format!("{} AND {behind}", conditions.join(" AND ")), translator.values.clone());
                    self.counted(all, |own| Ok(own.count(&rest)?.map(|rest| before + rest).filter(|all| *all <= COUNT_MAX)))?
                }
                None => None,
            },
            _ => self.counted(all.clone(), |own| own.count(&all))?,
        };
        Ok(LivePage { batches, matched, next: more.then_some(last) })
    }

    /// The rows that are chosen: `limit` at most.
    pub(super) fn read(
        &self,
        query: &Query,
        columns: &Columns<'_>,
        order: &Order,
        limit: u64,
        chosen: &Chosen,
        values: &[String],
    ) -> Result<Read, LiveError> {
        let mut list = self.list(query, columns);
        let own = list.len();
        list.extend(order.values());
        let sql = format!("SELECT {} FROM {} WHERE {}", list.join(", "), self.source.table.relation(), chosen.text());
        let values = texts(values);
        let read = self.database.ask(|connection| {
            let mut rows = self.rows_of(query, columns);
            let mut read = Read { batches: Vec::new(), last: Vec::new(), more: false };
            let (mut returned, mut bytes) = (0, 0);
            let mut see = |row: Row<'_>| {
                let is_full = bytes + rows.bytes() > PAGE_BYTES_MAX;
                if returned == limit || is_full {
                    read.more = true;
                    // The row that says that there are more is the last but where the page ends early.
                    return if is_full { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
                }
                rows.push(&row);
                returned += 1;
                if returned == limit || bytes + rows.bytes() > PAGE_BYTES_MAX {
                    read.last = match order.is_by_ids() {
                        true => vec![row.whole(0).map(|id| id.to_string())],
                        false => (own..list.len()).map(|column| row.text(column).map(str::to_owned)).collect(),
                    };
                }
                if rows.len() == CHUNK_ROWS {
                    bytes += rows.bytes();
                    read.batches.push(rows.take().0);
                }
                ControlFlow::Continue(())
            };
            match chosen {
                Chosen::Once(_) => connection.query(&sql, &values, &mut see),
                Chosen::Often(_) => connection.query_often(&sql, &values, &mut see),
            }?;
            if !rows.is_empty() {
                read.batches.push(rows.take().0);
            }
            Ok(read)
        })?;
        let placed = read.batches.into_iter().map(|batch| self.placed(batch)).collect::<Result<_, _>>()?;
        Ok(Read { batches: placed, ..read })
    }

    /// What was counted a moment ago, or is counted now.
    fn counted(
        &self,
        question: (String, Vec<String>),
        count: impl FnOnce(&Self) -> Result<Option<u64>, LiveError>,
    ) -> Result<Option<u64>, LiveError> {
        let counts = || self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = counts().iter().find(|known| known.question == question && known.at.elapsed() < COUNT_KEPT) {
            return Ok(known.found);
        }
        let found = count(self)?;
        let mut counts = counts();
        if counts.len() == COUNTS_MAX {
            counts.pop_front();
        }
        counts.push_back(super::Counted { question, found, at: Instant::now() });
        Ok(found)
    }

    /// `None` where they are more than are counted.
    fn count(&self, (conditions, values): &(String, Vec<String>)) -> Result<Option<u64>, LiveError> {
        let relation = self.source.table.relation();
        let sql = format!("SELECT count(*) FROM (SELECT 1 FROM {relation} WHERE {conditions} LIMIT {}) AS matched", COUNT_MAX + 1);
        let values = texts(values);
        let found = self.database.ask(|connection| {
            let mut found = 0;
            connection.query(&sql, &values, &mut |row| {
                found = row.whole(0).unwrap_or_default().unsigned_abs();
                ControlFlow::Continue(())
            })?;
            Ok(found)
        })?;
        Ok((found <= COUNT_MAX).then_some(found))
    }

    /// Id, geometry, columns.
    fn list(&self, query: &Query, columns: &Columns<'_>) -> Vec<String> {
        let mut list = vec![columns.id()];
        if self.layer.geometry.is_some() {
            list.push(format!("ST_AsBinary({}, 'NDR')", columns.native()));
        }
        list.extend(self.chosen(query, columns).map(|column| column.kind.sent(&in_table(&column.name))));
        list
    }

    fn rows_of(&self, query: &Query, columns: &Columns<'_>) -> Rows {
        let kinds = self.chosen(query, columns).map(|column| column.kind).collect();
        Rows::new(self.layer.id_kind, kinds, self.layer.geometry.is_some(), self.layer.geometry)
    }

    /// The columns that go out: on the officer's list, and asked for.
    fn chosen<'c>(&'c self, query: &'c Query, columns: &'c Columns<'_>) -> impl Iterator<Item = &'c crate::postgis::Column> {
        let asked = |name: &String| query.fields.as_ref().is_none_or(|names| names.contains(name));
        self.layer.fields.iter().filter(move |field| asked(&field.name)).filter_map(|field| columns.named(&field.name))
    }

    /// In lon, lat.
    fn placed(&self, found: FeatureBatch) -> Result<FeatureBatch, LiveError> {
        Ok(batch::transform(found, &Transform::new(self.layer.crs, CRS84)?).0)
    }
}

/// What stands behind WHERE.
pub(super) enum Chosen {
    /// In words that hardly come again.
    Once(String),
    /// In words that are the same for every page.
    Often(String),
}

impl Chosen {
    fn text(&self) -> &str {
        match self {
            Chosen::Once(text) | Chosen::Often(text) => text,
        }
    }
}

/// Rows of a page, in lon, lat.
pub(super) struct Read {
    pub batches: Vec<FeatureBatch>,
    /// What the last of them is found again by; empty where none follows it.
    pub last: Vec<Option<String>>,
    pub more: bool,
}

pub(super) fn texts(values: &[String]) -> Vec<Option<&str>> {
    values.iter().map(|value| Some(value.as_str())).collect()
}
