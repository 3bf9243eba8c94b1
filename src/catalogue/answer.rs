//! What a layer answers: a page that was found, its features from the store, cut from the GeoJSON download, or from a table.

use std::sync::Arc;

use arrow_array::Array;
use bytes::Bytes;
use xxhash_rust::xxh3::Xxh3;

use crate::catalogue::CatalogueError;
use crate::catalogue::open::Opened;
use crate::crs::Transform;
use crate::crs::batch;
use crate::encode::geojson_lines;
use crate::live::LivePage;
use crate::model::batch::FeatureBatch;
use crate::model::batch::Ids;
use crate::model::crs::CRS84;
use crate::model::crs::Crs;
use crate::query::After;
use crate::query::Query;
use crate::store::RowPage;
use crate::store::Selection;

/// A page of an answer: found, not yet written.
pub struct FoundPage {
    /// Features that match in all; `None` where they are more than are counted.
    pub matched: Option<u64>,
    pub returned: u64,
    /// Where the next page begins; `None` behind the last.
    pub next: Option<After>,
    found: Found,
}

enum Found {
    Stored {
        rows: Vec<i64>,
        opened: Arc<Opened>,
    },
    /// Lon, lat.
    Live(Vec<FeatureBatch>),
}

impl FoundPage {
    pub(super) fn stored(page: RowPage, opened: Arc<Opened>) -> FoundPage {
        let next = page.rows.last().copied().filter(|_| page.more).map(After::Row);
        let returned = page.rows.len() as u64;
        FoundPage { matched: Some(page.matched), returned, next, found: Found::Stored { rows: page.rows, opened } }
    }

    pub(super) fn live(page: LivePage) -> FoundPage {
        let returned = page.batches.iter().map(|batch| batch.rows() as u64).sum();
        FoundPage { matched: page.matched, returned, next: page.next.map(After::Values), found: Found::Live(page.batches) }
    }

    /// Its features in CRS84 with all properties as pieces of GeoJSON text, which joined are features with `,\n` between
    /// them. Neighbours in the download are one piece; nothing is formatted or copied. `None`: they are in no download.
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn fragments(&self) -> Result<Option<Vec<Bytes>>, CatalogueError> {
        let Found::Stored { rows, opened } = &self.found else { return Ok(None) };
        let mut pieces = Vec::new();
        let mut runs = rows.chunk_by(|row, next| row + 1 == *next).peekable();
        while let Some(run) = runs.next() {
            let (first, last) = (run[0], run[run.len() - 1]);
            let more = runs.peek().is_some();
            // Behind the last feature of the file no other stands; in another order one may stand behind it in the page.
            let ends_the_file = last.unsigned_abs() == opened.reader.layer.features;
            pieces.push(opened.fragments(first, last, more && !ends_the_file)?);
            if more && ends_the_file {
                pieces.push(Bytes::from_static(geojson_lines::BETWEEN));
            }
        }
        Ok(Some(pieces))
    }

    /// Of a page whose features change: a text that is another one when they are others. `None` where the version tells.
    pub fn digest(&self) -> Option<String> {
        let Found::Live(batches) = &self.found else { return None };
        Some(digest(batches, &format!("{:?} {:?}", self.matched, self.next)))
    }

    /// Its features in `query.crs`, with `query.fields`.
    pub fn features(self, query: &Query) -> Features {
        let source = match self.found {
            Found::Stored { rows, opened } => {
                let page = RowPage { rows, matched: 0, more: false };
                Source::Stored(opened.reader.rows(page, query))
            }
            Found::Live(batches) => Source::Live(batches.into_iter()),
        };
        Features { source, crs: query.crs }
    }
}

/// Short, of everything in the batches and of `beside`.
pub(super) fn digest(batches: &[FeatureBatch], beside: &str) -> String {
    let mut hash = Xxh3::new();
    hash.update(beside.as_bytes());
    let mut see = |array: &dyn Array| {
        let data = array.to_data();
        for buffer in data.buffers() {
            hash.update(buffer.as_slice());
        }
        for row in data.nulls().into_iter().flat_map(|nulls| (0..nulls.len()).filter(|row| nulls.is_null(*row))) {
            hash.update(&row.to_le_bytes());
        }
    };
    for batch in batches {
        match &batch.ids {
            Ids::Integer(ids) => see(ids),
            Ids::Text(ids) => see(ids),
        }
        batch.columns.iter().for_each(|(_, column)| see(column));
        batch.geometry.iter().for_each(|geometry| see(geometry));
    }
    format!("{:016x}", hash.digest())
}

/// Features of an answer, pulled in chunks.
pub struct Features {
    source: Source,
    crs: Crs,
}

enum Source {
    Stored(Selection),
    Live(std::vec::IntoIter<FeatureBatch>),
}

impl Iterator for Features {
    type Item = Result<FeatureBatch, CatalogueError>;

    fn next(&mut self) -> Option<Self::Item> {
        let found = match &mut self.source {
            Source::Stored(selection) => match selection.next()? {
                Ok(chunk) => chunk.batch,
                Err(error) => return Some(Err(error.into())),
            },
            Source::Live(batches) => batches.next()?,
        };
        // Taken anew for each chunk: a transformation belongs to its thread, and the next chunk may be pulled on another.
        match Transform::new(CRS84, self.crs) {
            Ok(transform) => Some(Ok(batch::transform(found, &transform).0)),
            Err(error) => Some(Err(error.into())),
        }
    }
}
