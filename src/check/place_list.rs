//! Counts every place of a finding and keeps the first ones.

use crate::model::finding::Finding;
use crate::model::finding::PLACES_MAX;
use crate::model::finding::Place;
use crate::model::finding::Severity;

#[derive(Default)]
pub struct PlaceList {
    pub count: u64,
    pub places: Vec<Place>,
}

impl PlaceList {
    /// `place` is made only while there is room for it.
    pub fn add(&mut self, place: impl FnOnce() -> Place) {
        self.count += 1;
        if self.places.len() < PLACES_MAX {
            self.places.push(place());
        }
    }
}

/// The first of `rows`, which are counted from 1.
pub fn places_of_rows(rows: &[u64]) -> Vec<Place> {
    rows.iter().take(PLACES_MAX).map(|&row| Place { row: Some(row), ..Place::default() }).collect()
}

/// A place that is a column.
pub fn place_of_field(source_name: &str) -> Place {
    Place { field: Some(source_name.to_owned()), ..Place::default() }
}

/// A finding without places and remedies.
pub fn finding(code: &str, severity: Severity, count: u64, message: String) -> Finding {
    Finding { code: code.to_owned(), severity, message, count, places: Vec::new(), remedies: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_places_are_counted_and_only_the_first_kept() {
        let mut list = PlaceList::default();
        for row in 1..=9 {
            list.add(|| Place { row: Some(row), ..Place::default() });
        }
        assert_eq!((list.count, list.places.len(), list.places[0].row), (9, PLACES_MAX, Some(1)));
    }
}
