//! Pictures of markers and hatches, and the sprite sheets that web maps take them from (MapLibre sprite specification).

mod sheet;

use tiny_skia::FillRule;
use tiny_skia::LineCap;
use tiny_skia::LineJoin;
use tiny_skia::Paint;
use tiny_skia::Path;
use tiny_skia::PathBuilder;
use tiny_skia::Pixmap;
use tiny_skia::Stroke;
use tiny_skia::StrokeDash;
use tiny_skia::Transform;

use crate::portrayal::colour::Colour;
use crate::portrayal::outline::Step;
use crate::portrayal::outline::outline;
pub use crate::portrayal::sprite::sheet::Sheet;
pub use crate::portrayal::sprite::sheet::sheet;
use crate::portrayal::symbol;
use crate::portrayal::symbol::Cap;
use crate::portrayal::symbol::Fill;
use crate::portrayal::symbol::Hatch;
use crate::portrayal::symbol::Join;
use crate::portrayal::symbol::Mark;
use crate::portrayal::symbol::Marker;
use crate::portrayal::symbol::Shape;

/// A picture that layers name.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    pub name: String,
    pub picture: Picture,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Picture {
    /// In pixels, the point in the middle.
    Marker(Marker),
    /// Repeats without a seam.
    Tile(Fill),
}

/// A side of a picture before it is enlarged for sharp screens: more is no marker, and a style may ask for anything.
pub const SIDE_PX_MAX: f64 = 256.0;

/// Ground lengths in a pattern are drawn as if a pixel were a metre.
const METRES_PER_PIXEL: f64 = 1.0;

/// Draws at `ratio` pixels to one of the style; transparent where nothing is.
pub fn draw(picture: &Picture, ratio: f64) -> Pixmap {
    match picture {
        Picture::Marker(marker) => marker_alone(marker, ratio),
        Picture::Tile(Fill::Hatch(hatch)) => hatch_tile(hatch, ratio),
        Picture::Tile(Fill::Markers { marker, step_x, step_y }) => {
            markers_tile(marker, step_x.px(METRES_PER_PIXEL), step_y.px(METRES_PER_PIXEL), ratio)
        }
        Picture::Tile(Fill::Solid(colour)) => {
            let mut pixmap = blank(1.0, 1.0, 1.0);
            pixmap.fill(paint_colour(*colour));
            pixmap
        }
    }
}

fn blank(width: f64, height: f64, ratio: f64) -> Pixmap {
    let side = |length: f64| ((length.clamp(0.0, SIDE_PX_MAX) * ratio).round() as u32).max(1);
    Pixmap::new(side(width), side(height)).expect("sides are neither zero nor huge")
}

fn paint_colour(colour: Colour) -> tiny_skia::Color {
    let opacity = (colour.opacity.clamp(0.0, 1.0) * 255.0).round() as u8;
    tiny_skia::Color::from_rgba8(colour.red, colour.green, colour.blue, opacity)
}

fn paint(colour: Colour) -> Paint<'static> {
    let mut paint = Paint::default();
    paint.set_color(paint_colour(colour));
    paint
}

/// The mark of that size around the origin, turned.
fn path(mark: Mark, size: f64, angle_deg: f64) -> Option<Path> {
    let mut builder = PathBuilder::new();
    for step in outline(mark) {
        match step {
            Step::Move(x, y) => builder.move_to(x as f32, y as f32),
            Step::Line(x, y) => builder.line_to(x as f32, y as f32),
            Step::Curve((ax, ay), (bx, by), (x, y)) => builder.cubic_to(ax as f32, ay as f32, bx as f32, by as f32, x as f32, y as f32),
            Step::Close => builder.close(),
        }
    }
    builder.finish()?.transform(Transform::from_scale(size as f32, size as f32).post_rotate(angle_deg as f32))
}

fn stroke(line: &symbol::Stroke, ratio: f64) -> Stroke {
    let px = |length: crate::portrayal::scale::Length| (length.px(METRES_PER_PIXEL) * ratio).clamp(0.0, SIDE_PX_MAX * ratio) as f32;
    Stroke {
        width: px(line.width),
        line_cap: match line.cap {
            Cap::Butt => LineCap::Butt,
            Cap::Round => LineCap::Round,
            Cap::Square => LineCap::Square,
        },
        line_join: match line.join {
            Join::Mitre => LineJoin::Miter,
            Join::Round => LineJoin::Round,
            Join::Bevel => LineJoin::Bevel,
        },
        dash: StrokeDash::new(line.dashes.iter().map(|dash| px(*dash)).collect(), px(line.dash_offset)),
        ..Stroke::default()
    }
}

/// A mark without a picture of its own is a diamond.
pub fn mark_of(shape: &Shape) -> Mark {
    match shape {
        Shape::Mark(mark) => *mark,
        Shape::Picture(_) => Mark::Diamond,
    }
}

fn marker_path(marker: &Marker, ratio: f64) -> Option<Path> {
    path(mark_of(&marker.shape), marker.size.px(METRES_PER_PIXEL).clamp(0.0, SIDE_PX_MAX) * ratio, marker.angle_deg)
}

fn marker_alone(marker: &Marker, ratio: f64) -> Pixmap {
    let Some(path) = marker_path(marker, ratio) else { return blank(1.0, 1.0, 1.0) };
    let outlined = marker.outline.as_ref().and_then(|line| path.stroke(&Stroke { dash: None, ..stroke(line, ratio) }, 1.0));
    let bounds = [Some(path.bounds()), outlined.map(|path| path.bounds())];
    let reach = |near: fn(&tiny_skia::Rect) -> f32, far: fn(&tiny_skia::Rect) -> f32| {
        bounds.iter().flatten().map(|rect| near(rect).abs().max(far(rect).abs())).fold(0.0f32, f32::max)
    };
    // A pixel of air for smooth edges.
    let side = |reach: f32| 2.0 * (f64::from(reach) / ratio + 1.0).ceil();
    let mut pixmap = blank(side(reach(|r| r.left(), |r| r.right())), side(reach(|r| r.top(), |r| r.bottom())), ratio);
    let (x, y) = (pixmap.width() as f32 / 2.0, pixmap.height() as f32 / 2.0);
    draw_marker(marker, &path, (x, y), ratio, &mut pixmap);
    pixmap
}

fn draw_marker(marker: &Marker, path: &Path, (x, y): (f32, f32), ratio: f64, pixmap: &mut Pixmap) {
    let place = Transform::from_translate(x, y);
    if let Some(fill) = marker.fill.filter(|_| !mark_of(&marker.shape).is_open()) {
        pixmap.fill_path(path, &paint(fill), FillRule::Winding, place, None);
    }
    if let Some(line) = &marker.outline {
        pixmap.stroke_path(path, &paint(line.colour), &stroke(line, ratio), place, None);
    }
}

/// Lines at an angle repeat from left to right and from top to bottom, with other periods:
///
/// ```text
///  ┌──╱───┐     width  = spacing / sin
///  │ ╱    │     height = spacing / cos
///  │╱     ╱
/// ```
fn hatch_tile(hatch: &Hatch, ratio: f64) -> Pixmap {
    let spacing = hatch.spacing.px(METRES_PER_PIXEL).clamp(1.0, SIDE_PX_MAX);
    let width = hatch.width.px(METRES_PER_PIXEL) * ratio;
    let (sine, cosine) = hatch.angle_deg.to_radians().sin_cos();
    let (across, along) = (spacing / sine.abs(), spacing / cosine.abs());
    let mut builder = PathBuilder::new();
    let mut line = |from: (f64, f64), to: (f64, f64)| {
        builder.move_to(from.0 as f32, from.1 as f32);
        builder.line_to(to.0 as f32, to.1 as f32);
    };
    // A line of whole pixels lies on whole pixels.
    let middle = |side: u32| (f64::from(side) / 2.0).floor() + (width.round() % 2.0) / 2.0;
    // Nearly level or upright lines, whose picture would be endless, are drawn level or upright.
    let mut pixmap = if across > SIDE_PX_MAX {
        let pixmap = blank(spacing, spacing, ratio);
        let y = middle(pixmap.height());
        line((-1.0, y), (f64::from(pixmap.width()) + 1.0, y));
        pixmap
    } else if along > SIDE_PX_MAX {
        let pixmap = blank(spacing, spacing, ratio);
        let x = middle(pixmap.width());
        line((x, -1.0), (x, f64::from(pixmap.height()) + 1.0));
        pixmap
    } else {
        let pixmap = blank(across, along, ratio);
        let (w, h) = (f64::from(pixmap.width()), f64::from(pixmap.height()));
        let rises = sine * cosine > 0.0;
        for shift in [-w, 0.0, w] {
            let (top, bottom) = if rises { (shift + 2.0 * w, shift - w) } else { (shift - w, shift + 2.0 * w) };
            line((bottom, 2.0 * h), (top, -h));
        }
        pixmap
    };
    if let Some(path) = builder.finish() {
        // Filled, for strokes thinner than a pixel are drawn with less care.
        let stroke = Stroke { width: width as f32, ..Stroke::default() };
        let band = path.stroke(&stroke, 1.0).unwrap_or(path);
        pixmap.fill_path(&band, &paint(hatch.colour), FillRule::Winding, Transform::identity(), None);
    }
    pixmap
}

/// A marker in the middle of its step; what sticks out of it comes in on the other side.
fn markers_tile(marker: &Marker, step_x: f64, step_y: f64, ratio: f64) -> Pixmap {
    let mut pixmap = blank(step_x.max(1.0), step_y.max(1.0), ratio);
    let Some(path) = marker_path(marker, ratio) else { return pixmap };
    let (w, h) = (pixmap.width() as f32, pixmap.height() as f32);
    for column in [-1.0, 0.0, 1.0] {
        for row in [-1.0, 0.0, 1.0] {
            draw_marker(marker, &path, (w * (0.5 + column), h * (0.5 + row)), ratio, &mut pixmap);
        }
    }
    pixmap
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::portrayal::scale::Length;

    fn opacity(pixmap: &Pixmap, x: u32, y: u32) -> u8 {
        pixmap.pixel(x, y).map_or(0, |pixel| pixel.alpha())
    }

    fn hatch(angle_deg: f64) -> Pixmap {
        let hatch = Hatch { colour: Colour::BLACK, width: Length::Pixels(1.0), spacing: Length::Pixels(8.0), angle_deg };
        draw(&Picture::Tile(Fill::Hatch(hatch)), 1.0)
    }

    #[test]
    fn a_marker_lies_in_the_middle_of_its_picture() {
        let marker = Marker { shape: Shape::Mark(Mark::Square), ..Marker::circle(Length::Pixels(8.0), Colour::BLACK) };
        for ratio in [1.0, 2.0] {
            let pixmap = draw(&Picture::Marker(marker.clone()), ratio);
            assert_eq!((pixmap.width(), pixmap.height()), ((10.0 * ratio) as u32, (10.0 * ratio) as u32));
            assert_eq!((opacity(&pixmap, pixmap.width() / 2, pixmap.height() / 2), opacity(&pixmap, 0, 0)), (255, 0));
        }
    }

    #[test]
    fn markers_turn_clockwise() {
        let marker = Marker { shape: Shape::Mark(Mark::HalfSquare), angle_deg: 90.0, ..Marker::circle(Length::Pixels(8.0), Colour::BLACK) };
        let pixmap = draw(&Picture::Marker(marker), 1.0);
        let middle = pixmap.width() / 2;
        assert_eq!((opacity(&pixmap, middle, middle - 3), opacity(&pixmap, middle, middle + 2)), (255, 0), "the left half lies above");
    }

    #[test]
    fn hatches_rise_with_their_angle_and_repeat() {
        let rising = hatch(45.0);
        // 8 / sin 45°.
        assert_eq!((rising.width(), rising.height()), (11, 11));
        assert!(opacity(&rising, 0, 10) > 200 && opacity(&rising, 10, 0) > 200 && opacity(&rising, 0, 0) > 0);
        let falling = hatch(135.0);
        assert!(opacity(&falling, 0, 0) > 200 && opacity(&falling, 10, 10) > 200 && opacity(&falling, 5, 0) == 0);
        let level = hatch(0.0);
        assert_eq!((0..8).map(|y| opacity(&level, 3, y)).collect::<Vec<u8>>(), [0, 0, 0, 0, 255, 0, 0, 0]);
        let upright = hatch(90.0);
        assert_eq!((0..8).map(|x| opacity(&upright, x, 3)).collect::<Vec<u8>>(), [0, 0, 0, 0, 255, 0, 0, 0]);
    }

    #[test]
    fn thin_hatches_are_as_dark_as_they_are_wide() {
        for (width, ratio) in [(0.4, 1.0), (0.7, 1.0), (0.7, 2.0), (2.0, 1.0)] {
            let hatch = Hatch { colour: Colour::BLACK, width: Length::Pixels(width), spacing: Length::Pixels(8.0), angle_deg: 45.0 };
            let pixmap = draw(&Picture::Tile(Fill::Hatch(hatch)), ratio);
            let ink: f64 = pixmap.pixels().iter().map(|pixel| f64::from(pixel.alpha()) / 255.0).sum();
            let share = ink / f64::from(pixmap.width() * pixmap.height());
            assert!((share - width / 8.0).abs() < 0.02, "{width} at {ratio}: {share}");
        }
    }

    #[test]
    fn no_style_asks_for_a_huge_picture() {
        let marker = Marker::circle(Length::Pixels(1e12), Colour::BLACK);
        assert!(f64::from(draw(&Picture::Marker(marker.clone()), 2.0).width()) <= 2.0 * SIDE_PX_MAX);
        let tile = Fill::Markers { marker: Box::new(marker), step_x: Length::Pixels(1e12), step_y: Length::Pixels(-5.0) };
        let tile = draw(&Picture::Tile(tile), 2.0);
        assert_eq!((f64::from(tile.width()), tile.height()), (2.0 * SIDE_PX_MAX, 2));
        let never = Marker::circle(Length::Pixels(f64::NAN), Colour::BLACK);
        draw(&Picture::Marker(never), 1.0);
    }
}
