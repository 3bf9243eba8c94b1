//! What a layer answers: a page that was found, its features from the store, or cut from the GeoJSON download.

use std::sync::Arc;

use bytes::Bytes;

use crate::catalogue::CatalogueError;
use crate::catalogue::open::Opened;
use crate::crs::Transform;
use crate::crs::batch;
use crate::encode::geojson_lines;
use crate::model::crs::CRS84;
use crate::model::crs::Crs;
use crate::query::Query;
use crate::store::Chunk;
use crate::store::RowPage;
use crate::store::Selection;

/// A page of an answer: found, not yet written.
pub struct FoundPage {
    pub page: RowPage,
    pub(super) opened: Arc<Opened>,
}

impl FoundPage {
    /// Its features in CRS84 with all properties as pieces of GeoJSON text, which joined are features with `,\n` between
    /// them. Neighbours in the download are one piece; nothing is formatted or copied.
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn fragments(&self) -> Result<Vec<Bytes>, CatalogueError> {
        let mut pieces = Vec::new();
        let mut runs = self.page.rows.chunk_by(|row, next| row + 1 == *next).peekable();
        while let Some(run) = runs.next() {
            let (first, last) = (run[0], run[run.len() - 1]);
            let more = runs.peek().is_some();
            // Behind the last feature of the file no other stands; in another order one may stand behind it in the page.
            let ends_the_file = last.unsigned_abs() == self.opened.reader.layer.features;
            pieces.push(self.opened.fragments(first, last, more && !ends_the_file)?);
            if more && ends_the_file {
                pieces.push(Bytes::from_static(geojson_lines::BETWEEN));
            }
        }
        Ok(pieces)
    }

    /// Its features from the store, in `query.crs` and with `query.fields`.
    pub fn features(self, query: &Query) -> Features {
        Features { selection: self.opened.reader.rows(self.page, query), crs: query.crs }
    }
}

/// Features of an answer, pulled in chunks.
pub struct Features {
    selection: Selection,
    crs: Crs,
}

impl Iterator for Features {
    type Item = Result<Chunk, CatalogueError>;

    fn next(&mut self) -> Option<Self::Item> {
        let chunk = match self.selection.next()? {
            Ok(chunk) => chunk,
            Err(error) => return Some(Err(error.into())),
        };
        // Taken anew for each chunk: a transformation belongs to its thread, and the next chunk may be pulled on another.
        let transform = match Transform::new(CRS84, self.crs) {
            Ok(transform) => transform,
            Err(error) => return Some(Err(error.into())),
        };
        let (batch, _) = batch::transform(chunk.batch, &transform);
        Some(Ok(Chunk { rows: chunk.rows, batch }))
    }
}
