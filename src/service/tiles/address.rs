//! Words of a path as a tile's address.

use crate::http::fault::Fault;
use crate::model::tile_matrix_set::TileAddress;
use crate::service::state::shown;

/// `None` where they are no whole numbers, or the matrix set has no such tile.
pub fn parse(matrix: &str, row: &str, col: &str) -> Option<TileAddress> {
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u32>().ok()).flatten();
    TileAddress::within(u8::try_from(number(matrix)?).ok()?, number(row)?, number(col)?)
}

/// The last word of an XYZ address without its ending.
pub fn bare(word: &str) -> &str {
    word.strip_suffix(".mvt").or_else(|| word.strip_suffix(".pbf")).unwrap_or(word)
}

/// `/req/core/tc-error`: outside the limits.
pub fn nothing(matrix: &str, row: &str, col: &str) -> Fault {
    Fault::NotFound { what: "tile (matrix/row/column)", id: shown(&format!("{matrix}/{row}/{col}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tiles_of_the_matrix_set_are_addresses() {
        assert_eq!(parse("1", "0", "1"), Some(TileAddress { zoom: 1, row: 0, col: 1 }));
        assert!(parse("20", "1048575", "1048575").is_some());
        for (matrix, row, col) in [
            ("1", "2", "0"),
            ("21", "0", "0"),
            ("0", "2147483647", "0"),
            ("1", "+1", "0"),
            ("1", "-1", "0"),
            ("", "0", "0"),
            ("256", "0", "0"),
        ] {
            assert_eq!(parse(matrix, row, col), None, "{matrix}/{row}/{col}");
        }
        assert_eq!(["3.mvt", "3.pbf", "3", "3.png"].map(bare), ["3", "3", "3", "3.png"]);
    }
}
