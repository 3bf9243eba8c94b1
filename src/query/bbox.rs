//! `bbox` and `bbox-crs` (OGC API - Features `/req/core/fc-bbox-definition`, `/req/crs/bbox-crs-action`).

use crate::crs::Transform;
use crate::model::crs::AxisOrder;
use crate::model::crs::CRS84;
use crate::model::crs::Crs;
use crate::model::geometry::Envelope;

/// Reads four or six numbers in the axis order of `crs` into lon, lat envelopes: two where the box crosses the
/// antimeridian. Heights are read and not asked: layers are flat.
///
/// # Errors
/// What was expected, for the client: `expected 4 or 6 numbers, found 3`.
pub fn parse(text: &str, crs: Crs) -> Result<Vec<Envelope>, String> {
    let numbers = text.split(',').map(|number| parse_number(number.trim())).collect::<Result<Vec<f64>, String>>()?;
    let [first, second, third, fourth] = match numbers[..] {
        [a, b, c, d] => [a, b, c, d],
        [a, b, low, c, d, high] if low <= high => [a, b, c, d],
        [_, _, low, _, _, high] => return Err(format!("expected the lower height first, found {low} and {high}")),
        _ => return Err(format!("expected 4 or 6 numbers, found {}", numbers.len())),
    };
    let (west, south, east, north) = match crs.axis_order() {
        AxisOrder::EastNorth => (first, second, third, fourth),
        AxisOrder::NorthEast => (second, first, fourth, third),
    };
    if south > north {
        return Err(format!("expected the southern edge before the northern one, found {south} and {north}"));
    }
    if crs.is_geographic() {
        return geographic(west, south, east, north);
    }
    if west > east {
        return Err(format!("expected the western edge before the eastern one, found {west} and {east}"));
    }
    let envelope = Envelope { west, south, east, north };
    let transform = Transform::new(crs, CRS84).map_err(|_| format!("{crs} is not a known reference system"))?;
    // A box that reaches beyond what the projection can show has no image: nothing lies in it.
    Ok(transform.envelope(&envelope).map_or_else(|_| vec![NOWHERE], |image| vec![image]))
}

/// A box that no feature meets.
const NOWHERE: Envelope = Envelope { west: 400.0, south: 400.0, east: 400.0, north: 400.0 };

fn geographic(west: f64, south: f64, east: f64, north: f64) -> Result<Vec<Envelope>, String> {
    for (value, limit) in [(west, 180.0), (east, 180.0), (south, 90.0), (north, 90.0)] {
        if value.abs() > limit {
            return Err(format!("expected degrees within {limit}, found {value}"));
        }
    }
    if west <= east {
        return Ok(vec![Envelope { west, south, east, north }]);
    }
    Ok(vec![Envelope { west, south, east: 180.0, north }, Envelope { west: -180.0, south, east, north }])
}

fn parse_number(text: &str) -> Result<f64, String> {
    let shaped = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
    match text.parse::<f64>() {
        Ok(number) if shaped && number.is_finite() => Ok(number),
        _ => Err(format!("expected numbers separated by commas, found `{}`", text.chars().take(40).collect::<String>())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::crs::WGS_84;

    #[test]
    fn numbers_may_lack_a_leading_zero_and_carry_a_sign() {
        let boxes = parse("-.5000000,.3,+1,1e1", CRS84).expect("four numbers");
        assert_eq!(boxes, [Envelope { west: -0.5, south: 0.3, east: 1.0, north: 10.0 }]);
    }

    #[test]
    fn axes_follow_the_reference_system() {
        assert_eq!(parse("48,-2,49,-1", WGS_84), parse("-2,48,-1,49", CRS84));
    }

    #[test]
    fn a_box_across_the_antimeridian_is_two() {
        let boxes = parse("177,65,-177,70", CRS84).expect("a box");
        assert_eq!((boxes.len(), boxes[0].east, boxes[1].west), (2, 180.0, -180.0));
    }

    #[test]
    fn a_projected_box_becomes_degrees() {
        let boxes = parse("1318450,7218220,1340195,7237474", Crs::Epsg(3948)).expect("a box");
        assert!(boxes[0].west > -2.2 && boxes[0].east < -1.7 && boxes[0].south > 48.0 && boxes[0].north < 48.3, "{boxes:?}");
    }

    #[test]
    fn wrong_boxes_are_refused_with_what_was_expected() {
        for (text, expected) in [
            ("1,2,3", "expected 4 or 6 numbers, found 3"),
            ("1,2,3,x", "expected numbers separated by commas, found `x`"),
            ("1,2,3,NaN", "expected numbers separated by commas, found `NaN`"),
            ("1,2,3,inf", "expected numbers separated by commas, found `inf`"),
            ("1,3,2,2", "expected the southern edge before the northern one, found 3 and 2"),
            ("1,2,200,3", "expected degrees within 180, found 200"),
            ("", "expected numbers separated by commas, found ``"),
        ] {
            assert_eq!(parse(text, CRS84), Err(expected.to_owned()), "{text}");
        }
        assert!(parse("2,1,1,2", Crs::Epsg(2154)).is_err());
    }
}
