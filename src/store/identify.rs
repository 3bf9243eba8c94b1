//! Which feature is which, from one version to the next.
//!
//! A source's row number is no identity: delete the first row of a Shapefile and every number moves. So rows are matched
//! in four passes, each over what the passes before left: the same row with the same content; the same content anywhere;
//! the same geometry anywhere; the same row. What is left gets a new number. A number is never issued twice. A feature
//! that left comes back under its number only with its very content: another one may lie at its place, or in its row.

use std::collections::HashSet;
use std::path::Path;

use crate::store::StoreError;
use crate::store::disk;
use crate::store::spool::Key;
use crate::store::spool::NO_SOURCE_ROW;

/// Ids that a layer ever issued, with what they named last.
#[derive(Debug, Default, PartialEq)]
pub struct Ids {
    /// The greatest number ever issued.
    last: i64,
    known: Vec<Known>,
    /// The first so many of `known` are in the newest version; the others left before it.
    present: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Known {
    id: i64,
    source_row: i64,
    content: u64,
    geometry: u64,
}

/// Bytes of an entry on disk (four little-endian numbers) and of the head (`last`, `present`).
const ENTRY: usize = 32;
const HEAD: usize = 16;

impl Ids {
    /// # Errors
    /// `Io`, `Corrupt`.
    pub fn read(path: &Path) -> Result<Ids, StoreError> {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Ids::default()),
            Err(error) => return Err(disk::fault(path)(error)),
        };
        let corrupt = || StoreError::Corrupt { path: path.to_owned(), reason: "la liste des identifiants est coupée".to_owned() };
        let (head, entries) = bytes.split_first_chunk::<HEAD>().ok_or_else(corrupt)?;
        if entries.len() % ENTRY != 0 {
            return Err(corrupt());
        }
        let number = |entry: &[u8], n: usize| -> [u8; 8] { entry[n * 8..n * 8 + 8].try_into().expect("eight bytes") };
        let known: Vec<Known> = entries
            .chunks_exact(ENTRY)
            .map(|entry| Known {
                id: i64::from_le_bytes(number(entry, 0)),
                source_row: i64::from_le_bytes(number(entry, 1)),
                content: u64::from_le_bytes(number(entry, 2)),
                geometry: u64::from_le_bytes(number(entry, 3)),
            })
            .collect();
        let present = usize::try_from(u64::from_le_bytes(number(head, 1))).ok().filter(|present| *present <= known.len());
        Ok(Ids { last: i64::from_le_bytes(number(head, 0)), present: present.ok_or_else(corrupt)?, known })
    }

    /// # Errors
    /// `Io`.
    pub fn write(&self, path: &Path) -> Result<(), StoreError> {
        let mut bytes = Vec::with_capacity(HEAD + self.known.len() * ENTRY);
        bytes.extend_from_slice(&self.last.to_le_bytes());
        bytes.extend_from_slice(&(self.present as u64).to_le_bytes());
        for known in &self.known {
            bytes.extend_from_slice(&known.id.to_le_bytes());
            bytes.extend_from_slice(&known.source_row.to_le_bytes());
            bytes.extend_from_slice(&known.content.to_le_bytes());
            bytes.extend_from_slice(&known.geometry.to_le_bytes());
        }
        disk::replace(path, &bytes)
    }

    /// The id of each row, in the rows' order; `self` then knows them, and forgets none that is gone. `is_keyed`: the source's
    /// own numbers are a key that it holds to be unique, and nothing is matched.
    pub fn identify(&mut self, rows: &[Key], is_keyed: bool) -> Vec<i64> {
        let is_first = self.known.is_empty() && self.last == 0;
        let mut issued = if is_first || is_keyed { own_numbers(rows, is_keyed) } else { vec![None; rows.len()] };
        let mut used = vec![false; self.known.len()];
        let (all, present) = (self.known.len(), self.present);
        let passes: [(usize, Mark); 4] = [
            (all, |row, content, _| (row != NO_SOURCE_ROW).then_some((row.cast_unsigned(), content))),
            (all, |_, content, _| Some((content, 0))),
            (present, |_, _, geometry| (geometry != 0).then_some((geometry, 0))),
            (present, |row, _, _| (row != NO_SOURCE_ROW).then_some((row.cast_unsigned(), 0))),
        ];
        for (among, mark) in passes {
            self.pass(rows, &mut issued, &mut used[..among], mark);
        }
        let ids: Vec<i64> = issued
            .into_iter()
            .map(|id| {
                let id = id.unwrap_or(self.last + 1);
                self.last = self.last.max(id);
                id
            })
            .collect();
        // What is gone keeps its number, should it come back.
        let gone = self.known.iter().zip(&used).filter(|(_, used)| !**used).map(|(known, _)| *known);
        let named: HashSet<i64> = ids.iter().copied().collect();
        let gone: Vec<Known> = gone.filter(|known| !named.contains(&known.id)).collect();
        self.known = ids
            .iter()
            .zip(rows)
            .map(|(id, row)| Known { id: *id, source_row: row.source_row, content: row.content, geometry: row.geometry })
            .collect();
        self.present = self.known.len();
        self.known.extend(gone);
        ids
    }

    /// Gives the ids of unused entries to rows of the same mark: both sorted, then walked together.
    fn pass(&self, rows: &[Key], issued: &mut [Option<i64>], used: &mut [bool], mark: Mark) {
        let marked = |known: &Known| mark(known.source_row, known.content, known.geometry);
        // By mark, then in the order of the list: ties are broken by age, and equal input gives equal ids.
        let mut open: Vec<((u64, u64), usize)> =
            (0..used.len()).filter(|at| !used[*at]).filter_map(|at| marked(&self.known[at]).map(|mark| (mark, at))).collect();
        let mut asking: Vec<((u64, u64), usize)> = (0..rows.len())
            .filter(|at| issued[*at].is_none())
            .filter_map(|at| mark(rows[at].source_row, rows[at].content, rows[at].geometry).map(|mark| (mark, at)))
            .collect();
        open.sort_unstable();
        asking.sort_unstable();
        let mut open = open.into_iter().peekable();
        for (mark, row) in asking {
            while open.next_if(|(known, _)| *known < mark).is_some() {}
            if let Some((_, at)) = open.next_if(|(known, _)| *known == mark) {
                used[at] = true;
                issued[row] = Some(self.known[at].id);
            }
        }
    }
}

/// What two rows must share: of source row, content, geometry. `None`: nothing to go by.
type Mark = fn(i64, u64, u64) -> Option<(u64, u64)>;

/// The source's own row ids, where every row has one of its own; below zero only where they are a key.
fn own_numbers(rows: &[Key], is_keyed: bool) -> Vec<Option<i64>> {
    let mut seen = HashSet::with_capacity(rows.len());
    let own = rows.iter().all(|row| (row.source_row >= 0 || (is_keyed && row.source_row != NO_SOURCE_ROW)) && seen.insert(row.source_row));
    rows.iter().map(|row| own.then_some(row.source_row)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(source_row: i64, content: u64, geometry: u64) -> Key {
        Key { offset: 0, content, geometry, source_row, centre: (0.0, 0.0), length: 0 }
    }

    fn first(rows: &[Key]) -> Ids {
        let mut ids = Ids::default();
        ids.identify(rows, false);
        ids
    }

    #[test]
    fn at_first_the_sources_own_numbers_are_taken() {
        assert_eq!(Ids::default().identify(&[row(5, 1, 1), row(9, 2, 2)], false), [5, 9]);
        assert_eq!(Ids::default().identify(&[row(5, 1, 1), row(5, 2, 2)], false), [1, 2]);
        assert_eq!(Ids::default().identify(&[row(NO_SOURCE_ROW, 1, 1), row(NO_SOURCE_ROW, 2, 2)], false), [1, 2]);
    }

    #[test]
    fn deleting_the_first_row_of_a_shapefile_moves_no_id() {
        let mut ids = first(&[row(0, 10, 1), row(1, 20, 2), row(2, 30, 3)]);
        assert_eq!(ids.identify(&[row(0, 20, 2), row(1, 30, 3)], false), [1, 2]);
    }

    #[test]
    fn an_edit_in_place_keeps_the_id() {
        let mut ids = first(&[row(0, 10, 1), row(1, 20, 2)]);
        assert_eq!(ids.identify(&[row(0, 11, 1), row(1, 20, 2)], false), [0, 1], "an attribute");
        assert_eq!(ids.identify(&[row(0, 12, 9), row(1, 20, 2)], false), [0, 1], "attribute and geometry");
    }

    #[test]
    fn a_number_is_never_issued_twice_and_comes_back_with_its_feature() {
        let mut ids = first(&[row(1, 10, 1), row(2, 20, 2)]);
        assert_eq!(ids.identify(&[row(1, 10, 1)], false), [1]);
        assert_eq!(ids.identify(&[row(1, 10, 1), row(3, 30, 3)], false), [1, 3]);
        assert_eq!(ids.identify(&[row(1, 10, 1), row(3, 30, 3), row(4, 20, 2)], false), [1, 3, 2]);
    }

    #[test]
    fn a_stranger_in_the_row_or_place_of_one_that_left_gets_a_number_of_its_own() {
        let mut ids = first(&[row(1, 10, 1), row(2, 20, 2)]);
        assert_eq!(ids.identify(&[row(1, 10, 1)], false), [1]);
        assert_eq!(ids.identify(&[row(1, 10, 1), row(2, 99, 2)], false), [1, 3]);
    }

    #[test]
    fn the_numbers_of_a_key_are_taken_in_every_version() {
        let mut ids = first(&[row(5, 10, 1), row(9, 20, 2)]);
        assert_eq!(ids.identify(&[row(9, 10, 1), row(-4, 20, 2), row(70, 20, 2)], true), [9, -4, 70]);
        assert_eq!(ids.identify(&[row(71, 30, 3)], false), [71], "a file in the table's place goes on behind the last");
    }

    #[test]
    fn twins_keep_their_order() {
        let mut ids = first(&[row(1, 10, 1), row(2, 10, 1), row(3, 10, 1)]);
        assert_eq!(ids.identify(&[row(7, 10, 1), row(8, 10, 1)], false), [1, 2]);
    }

    #[test]
    fn what_is_written_is_read_again_and_a_cut_file_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ids");
        assert_eq!(Ids::read(&path).expect("absent is empty"), Ids::default());
        let ids = first(&[row(5, 1, 1), row(9, 2, 2)]);
        ids.write(&path).expect("written");
        assert_eq!(Ids::read(&path).expect("read"), ids);
        std::fs::write(&path, [0; 20]).expect("cut");
        assert!(matches!(Ids::read(&path), Err(StoreError::Corrupt { .. })));
    }
}
