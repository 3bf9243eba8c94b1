//! The shapes of marks, in a square of side one around the point, y downwards: as QGIS draws them.

use std::f64::consts::PI;

use crate::portrayal::symbol::Mark;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    Move(f64, f64),
    Line(f64, f64),
    /// Two control points and the end.
    Curve((f64, f64), (f64, f64), (f64, f64)),
    Close,
}

/// From the middle to the sides.
const HALF: f64 = 0.5;

/// Inner to outer radius of a star whose points lie on five straight lines.
const STAR_INNER: f64 = 0.381_966;

pub fn outline(mark: Mark) -> Vec<Step> {
    match mark {
        Mark::Circle => arc(-PI, 2.0 * PI, false),
        Mark::SemiCircle => arc(-PI, PI, false),
        Mark::QuarterCircle => arc(-PI, PI / 2.0, true),
        Mark::Square => closed(&[(-HALF, -HALF), (HALF, -HALF), (HALF, HALF), (-HALF, HALF)]),
        Mark::HalfSquare => closed(&[(-HALF, -HALF), (0.0, -HALF), (0.0, HALF), (-HALF, HALF)]),
        Mark::QuarterSquare => closed(&[(-HALF, -HALF), (0.0, -HALF), (0.0, 0.0), (-HALF, 0.0)]),
        Mark::DiagonalHalfSquare => closed(&[(-HALF, -HALF), (HALF, HALF), (-HALF, HALF)]),
        Mark::Diamond => closed(&[(0.0, -HALF), (HALF, 0.0), (0.0, HALF), (-HALF, 0.0)]),
        Mark::Triangle => closed(&[(0.0, -HALF), (HALF, HALF), (-HALF, HALF)]),
        Mark::LeftHalfTriangle => closed(&[(0.0, -HALF), (HALF, HALF), (0.0, HALF)]),
        Mark::RightHalfTriangle => closed(&[(0.0, -HALF), (0.0, HALF), (-HALF, HALF)]),
        Mark::EquilateralTriangle => closed(&regular(3, 1.0)),
        Mark::Pentagon => closed(&regular(5, 1.0)),
        Mark::Hexagon => closed(&regular(6, 1.0)),
        Mark::Star => closed(&regular(5, STAR_INNER)),
        Mark::Octagon => {
            let cut = HALF * (PI / 8.0).tan();
            closed(&[(-cut, -HALF), (cut, -HALF), (HALF, -cut), (HALF, cut), (cut, HALF), (-cut, HALF), (-HALF, cut), (-HALF, -cut)])
        }
        Mark::Arrow => closed(&[(0.0, -0.5), (0.25, -0.25), (0.125, -0.25), (0.125, 0.5), (-0.125, 0.5), (-0.125, -0.25), (-0.25, -0.25)]),
        Mark::FilledArrowHead => closed(&[(-HALF, -HALF), (0.0, 0.0), (-HALF, HALF)]),
        Mark::CrossFill => closed(&plus(0.1)),
        Mark::ArrowHead => open(&[&[(-HALF, -HALF), (0.0, 0.0), (-HALF, HALF)]]),
        Mark::Cross => open(&[&[(-HALF, 0.0), (HALF, 0.0)], &[(0.0, -HALF), (0.0, HALF)]]),
        Mark::X => open(&[&[(-HALF, -HALF), (HALF, HALF)], &[(HALF, -HALF), (-HALF, HALF)]]),
        Mark::Line => open(&[&[(0.0, -HALF), (0.0, HALF)]]),
    }
}

fn open(lines: &[&[(f64, f64)]]) -> Vec<Step> {
    let step = |(at, (x, y)): (usize, &(f64, f64))| if at == 0 { Step::Move(*x, *y) } else { Step::Line(*x, *y) };
    lines.iter().flat_map(|line| line.iter().enumerate().map(step)).collect()
}

fn closed(ring: &[(f64, f64)]) -> Vec<Step> {
    let mut steps = open(&[ring]);
    steps.push(Step::Close);
    steps
}

/// Corners on the circle, the first above; between them corners on a smaller one, where `inner` is below 1.
fn regular(corners: u32, inner: f64) -> Vec<(f64, f64)> {
    let count = if inner < 1.0 { corners * 2 } else { corners };
    let corner = |at: u32| {
        let (sine, cosine) = (2.0 * PI * f64::from(at) / f64::from(count)).sin_cos();
        let radius = if inner < 1.0 && at % 2 == 1 { HALF * inner } else { HALF };
        (radius * sine, -radius * cosine)
    };
    (0..count).map(corner).collect()
}

/// A cross of two bars, half as wide as `arm`.
fn plus(arm: f64) -> [(f64, f64); 12] {
    [
        (-arm, -HALF),
        (arm, -HALF),
        (arm, -arm),
        (HALF, -arm),
        (HALF, arm),
        (arm, arm),
        (arm, HALF),
        (-arm, HALF),
        (-arm, arm),
        (-HALF, arm),
        (-HALF, -arm),
        (-arm, -arm),
    ]
}

/// A part of the circle, clockwise from `start` (0 is east), in quarters; a sector where it goes through the middle.
fn arc(start: f64, sweep: f64, is_sector: bool) -> Vec<Step> {
    let quarters = (sweep / (PI / 2.0)).ceil() as u32;
    let step = sweep / f64::from(quarters);
    // The control points of a quarter circle.
    let pull = 4.0 / 3.0 * (step / 4.0).tan() * HALF;
    let at = |angle: f64| (HALF * angle.cos(), HALF * angle.sin());
    let (x, y) = at(start);
    let mut steps = if is_sector { vec![Step::Move(0.0, 0.0), Step::Line(x, y)] } else { vec![Step::Move(x, y)] };
    for quarter in 0..quarters {
        let (from, to) = (start + step * f64::from(quarter), start + step * f64::from(quarter + 1));
        let ((ax, ay), (bx, by)) = (at(from), at(to));
        let first = (ax - pull * from.sin(), ay + pull * from.cos());
        let second = (bx + pull * to.sin(), by - pull * to.cos());
        steps.push(Step::Curve(first, second, (bx, by)));
    }
    steps.push(Step::Close);
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mark_lies_in_its_square() {
        for mark in Mark::ALL {
            let steps = outline(*mark);
            assert!(matches!(steps[0], Step::Move(..)), "{mark:?}");
            assert_eq!(steps.contains(&Step::Close), !mark.is_open(), "{mark:?}");
            for step in steps {
                let (x, y) = match step {
                    Step::Move(x, y) | Step::Line(x, y) | Step::Curve(_, _, (x, y)) => (x, y),
                    Step::Close => continue,
                };
                assert!(x.abs() < 0.5001 && y.abs() < 0.5001, "{mark:?} {x} {y}");
            }
        }
    }

    #[test]
    fn a_half_circle_lies_above() {
        let Some(Step::Curve(.., (x, y))) = outline(Mark::SemiCircle).get(1).copied() else { panic!("a curve") };
        assert!(x.abs() < 1e-9 && (y + 0.5).abs() < 1e-9, "{x} {y}");
    }
}
