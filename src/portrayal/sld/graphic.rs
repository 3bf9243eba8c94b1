//! Graphics: marks and pictures, alone or as the pattern of a fill.

use crate::portrayal::colour::Colour;
use crate::portrayal::losses::shown;
use crate::portrayal::scale::Length;
use crate::portrayal::sld::reader::Reader;
use crate::portrayal::sld::symbolizer::GREY;
use crate::portrayal::sld::symbolizer::Unit;
use crate::portrayal::sld::symbolizer::colour;
use crate::portrayal::sld::symbolizer::line;
use crate::portrayal::sld::symbolizer::number_in;
use crate::portrayal::symbol::Fill;
use crate::portrayal::symbol::Hatch;
use crate::portrayal::symbol::Mark;
use crate::portrayal::symbol::Marker;
use crate::portrayal::symbol::Paint;
use crate::portrayal::symbol::Shape;
use crate::portrayal::symbol::Stroke;
use crate::xml::Element;

/// SE 1.1 §11.3.2: a mark without a size.
const MARK_SIZE: f64 = 6.0;

/// A picture's own size is not known, for it is not opened.
const PICTURE_SIZE: f64 = 16.0;

/// From line to line of a hatch without a size, as GeoServer draws it.
const HATCH_SIZE: f64 = 16.0;

/// The first alternative that a graphic offers and this model knows.
pub fn markers(graphic: &Element, unit: Unit, reader: &mut Reader) -> Vec<Marker> {
    let opacity = number_in(graphic, "Opacity", reader).unwrap_or(1.0);
    let size = number_in(graphic, "Size", reader);
    let angle_deg = number_in(graphic, "Rotation", reader).unwrap_or(0.0);
    if graphic.child("AnchorPoint").is_some() {
        reader.lose("le point d'ancrage du symbole n'est pas repris");
    }
    let shift =
        |name: &str, reader: &mut Reader| graphic.child("Displacement").and_then(|shift| number_in(shift, name, reader)).unwrap_or(0.0);
    // Upwards there, downwards here.
    let displacement = (unit.length(shift("DisplacementX", reader)), unit.length(-shift("DisplacementY", reader)));
    let mark = graphic.child("Mark");
    let picture = graphic.at(&["ExternalGraphic"]);
    let marker = match (mark, picture) {
        (Some(mark), _) => marked(mark, unit, reader),
        (None, Some(picture)) => {
            let path = picture.child("OnlineResource").and_then(|resource| resource.attribute("href")).unwrap_or_default();
            let shape = Shape::Picture(path.to_owned());
            Marker { shape, ..Marker::circle(unit.length(PICTURE_SIZE), Colour::BLACK) }
        }
        (None, None) => Marker { shape: Shape::Mark(Mark::Square), ..Marker::circle(unit.length(MARK_SIZE), GREY) },
    };
    let size = size.map_or(marker.size, |size| unit.length(size));
    vec![Marker { size, angle_deg: marker.angle_deg + angle_deg, displacement, ..marker }.faded(opacity)]
}

/// A mark without fill and stroke is grey with a black rim (SE 1.1 §11.3.2).
fn marked(mark: &Element, unit: Unit, reader: &mut Reader) -> Marker {
    let name = mark.text_at(&["WellKnownName"]).unwrap_or_else(|| "square".to_owned());
    let (shape, angle_deg) = shape(&name, mark.child("Fill").is_some(), reader);
    let is_bare = mark.child("Fill").is_none() && mark.child("Stroke").is_none();
    let fill = match mark.child("Fill") {
        Some(fill) if fill.child("GraphicFill").is_some() => {
            reader.lose("le motif dans le symbole devient un gris");
            Some(GREY)
        }
        Some(fill) => Some(colour(fill, "fill", GREY, reader)),
        None => is_bare.then_some(GREY),
    };
    let outline = match mark.child("Stroke") {
        Some(stroke) => Some(line(stroke, unit, reader)),
        None => is_bare.then(|| Stroke::solid(Colour::BLACK, unit.length(1.0))),
    };
    let (fill, outline) = (fill.filter(|fill| fill.is_visible()), outline.filter(Stroke::is_visible));
    Marker { shape, fill, outline, angle_deg, ..Marker::circle(unit.length(MARK_SIZE), GREY) }
}

/// A cross or an x with a fill is one with an inside, which QGIS calls `cross_fill`; without, it is lines.
fn shape(name: &str, is_filled: bool, reader: &mut Reader) -> (Shape, f64) {
    let found = match name.trim().to_ascii_lowercase().as_str() {
        "cross" if is_filled => Some((Mark::CrossFill, 0.0)),
        "x" if is_filled => Some((Mark::CrossFill, 45.0)),
        "shape://dot" => Some((Mark::Circle, 0.0)),
        "shape://horline" | "horline" => Some((Mark::Line, 90.0)),
        "shape://slash" | "slash" => Some((Mark::Line, 45.0)),
        "shape://backslash" | "backslash" => Some((Mark::Line, -45.0)),
        other => Mark::from_word(other).map(|mark| (mark, 0.0)),
    };
    let (mark, angle_deg) = found.unwrap_or_else(|| {
        reader.lose(&format!("la forme « {} » devient un carré", shown(name)));
        (Mark::Square, 0.0)
    });
    (Shape::Mark(mark), angle_deg)
}

/// Angles of the lines that a mark draws when it repeats, counter-clockwise from the east.
fn hatched(name: &str) -> &'static [f64] {
    match name.trim().to_ascii_lowercase().as_str() {
        "horline" | "shape://horline" => &[0.0],
        "vertline" | "shape://vertline" => &[90.0],
        "slash" | "shape://slash" => &[45.0],
        "backslash" | "shape://backslash" => &[135.0],
        "shape://plus" => &[0.0, 90.0],
        "shape://times" => &[45.0, 135.0],
        _ => &[],
    }
}

/// A graphic fill: lines, or its marks side by side.
pub fn pattern(graphic: &Element, unit: Unit, reader: &mut Reader) -> Vec<Paint> {
    let name = graphic.text_at(&["Mark", "WellKnownName"]).unwrap_or_default();
    let angles = hatched(&name);
    if angles.is_empty() {
        let tile = |marker: Marker| Fill::Markers { step_x: marker.size, step_y: marker.size, marker: Box::new(marker) };
        return markers(graphic, unit, reader).into_iter().map(tile).map(Paint::Fill).collect();
    }
    let stroke = graphic
        .at(&["Mark", "Stroke"])
        .map_or_else(|| Stroke::solid(Colour::BLACK, Length::Pixels(1.0)), |stroke| line(stroke, unit, reader));
    let size = number_in(graphic, "Size", reader).unwrap_or(HATCH_SIZE);
    let turned = number_in(graphic, "Rotation", reader).unwrap_or(0.0);
    let hatch = |angle: &f64| {
        // A diagonal from corner to corner of a square repeats at half the other diagonal. Documents have few decimals.
        let is_diagonal = *angle % 90.0 != 0.0;
        let across = (size * std::f64::consts::FRAC_1_SQRT_2 * 1000.0).round() / 1000.0;
        let spacing = unit.length(if is_diagonal { across } else { size });
        let angle_deg = (angle - turned).rem_euclid(180.0);
        Paint::Fill(Fill::Hatch(Hatch { colour: stroke.colour, width: stroke.width, spacing, angle_deg }))
    };
    angles.iter().map(hatch).collect()
}
