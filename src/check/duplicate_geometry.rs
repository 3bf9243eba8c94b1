//! Features whose geometry is the same to the last bit.

use crate::check::Check;
use crate::check::Context;
use crate::check::Inspection;
use crate::check::french::agree;
use crate::check::french::counted;
use crate::check::place_list::PlaceList;
use crate::check::place_list::finding;
use crate::check::print::PrintSet;
use crate::check::print::print;
use crate::model::batch::FeatureBatch;
use crate::model::finding::Finding;
use crate::model::finding::Place;
use crate::model::finding::Severity;
use crate::model::reading::Outcome;
use crate::model::wkb;

/// Prints kept: 16 bytes each, some 150 MB of the 768 MB that a publication may take. Later features are compared with
/// these only.
const PRINTS_MAX: usize = 4_000_000;

pub struct DuplicateGeometry;

impl Check for DuplicateGeometry {
    fn code(&self) -> &'static str {
        "duplicate-geometry"
    }

    fn explanation(&self) -> &'static str {
        "Plusieurs objets ont exactement la même géométrie. C'est parfois voulu (plusieurs adresses au même point), mais souvent le reste \
         d'un copier-coller ou d'une fusion faite deux fois, et les surfaces ou les longueurs sont alors comptées en double. Vérifiez les \
         lignes indiquées et supprimez les doublons ; s'ils sont voulus, écrivez duplicate-geometry dans la liste ignore sous [checks]."
    }

    fn begin<'a>(&self, _context: &'a Context<'a>) -> Box<dyn Inspection + 'a> {
        Box::new(Prints { seen: PrintSet::default(), row: 0, repeated: PlaceList::default() })
    }
}

struct Prints {
    seen: PrintSet,
    row: u64,
    repeated: PlaceList,
}

/// A geometry without a position is told by `empty-geometry`.
fn has_position(bytes: &[u8]) -> bool {
    /// Byte order, type and an x that may be NaN.
    const POINT_X: std::ops::Range<usize> = 5..13;
    match wkb::head(bytes) {
        Ok(head) if head.code == 1 => bytes.get(POINT_X).is_some_and(|x| !wkb::double(x, 0).is_nan()),
        Ok(_) => bytes.len() > 9,
        Err(_) => false,
    }
}

impl Inspection for Prints {
    fn see(&mut self, batch: &FeatureBatch) {
        for row in 0..batch.rows() {
            self.row += 1;
            let Some(bytes) = batch.wkb(row).filter(|bytes| has_position(bytes)) else { continue };
            let print = print(bytes);
            let is_new = if self.seen.len() < PRINTS_MAX { self.seen.insert(print) } else { !self.seen.contains(&print) };
            if !is_new {
                let row = self.row;
                self.repeated.add(|| Place { row: Some(row), ..Place::default() });
            }
        }
    }

    fn finish(self: Box<Self>, _outcome: &Outcome) -> Vec<Finding> {
        let count = self.repeated.count;
        if count == 0 {
            return Vec::new();
        }
        let message = format!(
            "{} {} exactement la géométrie d'un objet précédent ; supprimez les doublons, s'ils ne sont pas voulus",
            counted(count, "objet", "objets"),
            agree(count, "a", "ont")
        );
        vec![Finding { places: self.repeated.places, ..finding("duplicate-geometry", Severity::Warning, count, message) }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::trial;
    use crate::model::wkb::point;

    fn judge(geometries: &[Option<Vec<u8>>]) -> Vec<Finding> {
        let source = trial::points(&[]);
        let rows: Vec<_> = geometries.iter().map(|geometry| (Vec::new(), geometry.clone())).collect();
        trial::judge(&DuplicateGeometry, &trial::context(&source), &rows, &Outcome::default())
    }

    #[test]
    fn the_second_of_two_equal_geometries_is_told() {
        let found = judge(&[Some(point(1.0, 2.0)), Some(point(3.0, 2.0)), Some(point(1.0, 2.0))]);
        assert_eq!((found[0].count, found[0].places[0].row, found[0].severity), (1, Some(3), Severity::Warning));
    }

    #[test]
    fn near_null_and_empty_geometries_are_no_duplicates() {
        let empty = Some(point(f64::NAN, f64::NAN));
        assert_eq!(judge(&[Some(point(1.0, 2.0)), Some(point(1.0, 2.000_000_1)), None, None, empty.clone(), empty]), []);
    }
}
