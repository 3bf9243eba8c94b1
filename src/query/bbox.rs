//! `bbox` and `bbox-crs` (OGC API - Features `/req/core/fc-bbox-definition`, `/req/crs/bbox-crs-action`).

use crate::crs::Transform;
use crate::model::crs::AxisOrder;
use crate::model::crs::CRS84;
use crate::model::crs::Crs;
use crate::model::geometry::Envelope;

/// Reads four or six numbers in the axis order of `crs` into lon, lat envelopes (two across the antimeridian).
///
/// Heights of a box of six numbers are read and have no effect: the systems served are of two dimensions.
///
/// # Errors
/// What was expected, for the client: `expected 4 or 6 numbers, found 3`.
pub fn parse(text: &str, crs: Crs) -> Result<Vec<Envelope>, String> {
    let (low, high) = corners(&numbers(text)?)?;
    let ((west, south), (east, north)) = match crs.axis_order() {
        AxisOrder::EastNorth => (low, high),
        AxisOrder::NorthEast => ((low.1, low.0), (high.1, high.0)),
    };
    if south > north {
        return Err(format!("expected south before north in the axis order of {crs}, found {south} and {north}"));
    }
    let boxes = if west <= east {
        vec![Envelope { west, south, east, north }]
    } else if is_round(crs) {
        vec![Envelope { west, south, east: 180.0, north }, Envelope { west: -180.0, south, east, north }]
    } else {
        return Err(format!("expected west before east in {crs}, found {west} and {east}"));
    };
    let way = Transform::new(crs, CRS84).map_err(|_| format!("expected a CRS that is served, found {crs}"))?;
    if way.is_identity() {
        return Ok(boxes);
    }
    let outside = |_| format!("expected positions inside the area of {crs}");
    boxes.iter().map(|envelope| way.envelope(envelope).map(slackened).map_err(outside)).collect()
}

/// Positions are shown in millimetres or a hundred-millionth of a degree: a box drawn from what was shown, in another CRS
/// than the data's, must hold what it was drawn around.
const SLACK_DEG: f64 = 1e-8;

fn slackened(envelope: Envelope) -> Envelope {
    Envelope {
        west: envelope.west - SLACK_DEG,
        south: envelope.south - SLACK_DEG,
        east: envelope.east + SLACK_DEG,
        north: envelope.north + SLACK_DEG,
    }
}

/// Whether longitudes are degrees from Greenwich, so that 180 and -180 are one meridian.
fn is_round(crs: Crs) -> bool {
    crs.is_geographic() && crs != Crs::Epsg(4807)
}

fn numbers(text: &str) -> Result<Vec<f64>, String> {
    let number = |part: &str| match part.trim().parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        _ => Err(format!("expected numbers separated by commas, found `{}`", part.chars().take(40).collect::<String>())),
    };
    text.split(',').map(number).collect()
}

type Corner = (f64, f64);

fn corners(numbers: &[f64]) -> Result<(Corner, Corner), String> {
    match *numbers {
        [a, b, c, d] => Ok(((a, b), (c, d))),
        [a, b, low, c, d, high] if low <= high => Ok(((a, b), (c, d))),
        [_, _, low, _, _, high] => Err(format!("expected the lower height first, found {low} and {high}")),
        _ => Err(format!("expected 4 or 6 numbers, found {}", numbers.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAMBERT: Crs = Crs::Epsg(2154);

    fn one(text: &str, crs: Crs) -> [f64; 4] {
        let boxes = parse(text, crs).expect(text);
        assert_eq!(boxes.len(), 1, "{text}");
        [boxes[0].west, boxes[0].south, boxes[0].east, boxes[0].north]
    }

    #[test]
    fn numbers_are_read_in_every_spelling_and_heights_dropped() {
        assert_eq!(one("-.3,.5000000,+1,1e1", CRS84), [-0.3, 0.5, 1.0, 10.0]);
        assert_eq!(one("1,2,-100,3,4,100", CRS84), [1.0, 2.0, 3.0, 4.0]);
        assert_eq!(one("1,2,1,2", CRS84), [1.0, 2.0, 1.0, 2.0]);
    }

    #[test]
    fn axes_follow_the_crs() {
        assert_eq!(one("48,-2,49,-1", Crs::Epsg(4326)), [-2.0, 48.0, -1.0, 49.0]);
        assert_eq!(one("-2,48,-1,49", CRS84), [-2.0, 48.0, -1.0, 49.0]);
    }

    #[test]
    fn a_box_across_the_antimeridian_is_two() {
        let boxes = parse("177,-20,-178,-10", CRS84).expect("valid");
        assert_eq!(boxes.iter().map(|b| (b.west, b.east)).collect::<Vec<_>>(), [(177.0, 180.0), (-180.0, -178.0)]);
        assert!(parse("701000,6600000,700000,6601000", LAMBERT).is_err(), "a projected box has no antimeridian");
    }

    #[test]
    fn a_projected_box_is_transformed_with_its_edges() {
        let [west, south, east, north] = one("600000,6600000,800000,6700000", LAMBERT);
        assert!(west < 1.7 && east > 4.2 && south > 46.4 && north > 47.3, "{west} {south} {east} {north}");
    }

    #[test]
    fn what_is_no_box_is_refused() {
        for text in [
            "",
            "1,2,3",
            "1,2,3,4,5",
            "1,2,3,4,5,6,7",
            "1,2,3,x",
            "1,2,3,NaN",
            "1,2,3,inf",
            "1,2,,4",
            "1 2 3 4",
            "0,5,1,4",
            "1,2,9,3,4,8",
            "1e999,0,1,1",
        ] {
            assert!(parse(text, CRS84).is_err(), "{text}");
        }
        assert_eq!(parse("1,2,3", CRS84), Err("expected 4 or 6 numbers, found 3".to_owned()));
    }
}
