//! Markers of QGIS.

use crate::portrayal::colour::Colour;
use crate::portrayal::losses::shown;
use crate::portrayal::qml::Reader;
use crate::portrayal::qml::options::Options;
use crate::portrayal::qml::symbol;
use crate::portrayal::scale::Length;
use crate::portrayal::symbol::Mark;
use crate::portrayal::symbol::Marker;
use crate::portrayal::symbol::Shape;
use crate::portrayal::symbol::Stroke;

/// What QGIS draws where a file says nothing.
const SIZE_MM: f64 = 2.0;
const RED: Colour = Colour::rgb(255, 0, 0);

/// `None` for a symbol layer that is no marker.
pub fn read(class: &str, options: &Options<'_>, depth: usize, reader: &mut Reader) -> Option<Marker> {
    Some(match class {
        "SimpleMarker" => simple(options, reader),
        "SvgMarker" => picture(options, reader),
        "EllipseMarker" => ellipse(options, reader),
        "FilledMarker" => {
            let fill = symbol::inner_colour(options, depth, reader);
            Marker { fill, outline: None, ..placed(shape(options.text("name"), reader), "size", options, reader) }
        }
        "FontMarker" => {
            let sign = options.text("chr").unwrap_or_default();
            reader.lose(&format!("le caractère « {} » devient un rond", shown(sign)));
            replaced(options, reader)
        }
        "RasterMarker" | "AnimatedMarker" => {
            reader.lose("l'image devient un rond");
            replaced(options, reader)
        }
        _ => return None,
    })
}

fn simple(options: &Options<'_>, reader: &mut Reader) -> Marker {
    let shape = shape(options.text("name"), reader);
    let is_open = matches!(&shape, Shape::Mark(mark) if mark.is_open());
    let outline = outline(is_open, options, reader);
    let fill = (!is_open).then(|| options.colour("color", RED)).filter(|colour| colour.is_visible());
    Marker { fill, outline, ..placed(shape, "size", options, reader) }
}

fn shape(name: Option<&str>, reader: &mut Reader) -> Shape {
    let name = name.unwrap_or("circle");
    Shape::Mark(Mark::from_word(name).unwrap_or_else(|| {
        reader.lose(&format!("la forme « {} » devient un rond", shown(name)));
        Mark::Circle
    }))
}

fn outline(is_open: bool, options: &Options<'_>, reader: &mut Reader) -> Option<Stroke> {
    let style = options.text("outline_style").unwrap_or("solid");
    let width = symbol::pen(options.length("outline_width", 0.0, reader));
    let outline = symbol::outline(style, width, is_open, options);
    (style != "no" && outline.is_visible()).then_some(outline)
}

/// Size, angle and displacement, which all markers have.
fn placed(shape: Shape, size: &str, options: &Options<'_>, reader: &mut Reader) -> Marker {
    let size = options.length(size, SIZE_MM, reader);
    let mut displacement = options.pair("offset", reader);
    displacement.0 = anchored(displacement.0, size, options.text("horizontal_anchor_point"), reader);
    displacement.1 = anchored(displacement.1, size, options.text("vertical_anchor_point"), reader);
    Marker { shape, size, fill: None, outline: None, angle_deg: options.number("angle").unwrap_or(0.0), displacement }
}

/// The point touches the left or upper side (0) of the marker, its middle (1) or the other side (2).
fn anchored(displacement: Length, size: Length, anchor: Option<&str>, reader: &mut Reader) -> Length {
    let share = match anchor {
        Some("0") => 0.5,
        Some("2") => -0.5,
        _ => return displacement,
    };
    match (displacement, size) {
        (Length::Pixels(own), Length::Pixels(size)) => Length::Pixels(own + size * share),
        (Length::GroundMetres(own), Length::GroundMetres(size)) => Length::GroundMetres(own + size * share),
        (own, size) if own.is_zero() => size.times(share),
        (own, _) => {
            reader.lose("le point d'ancrage du symbole n'est pas repris");
            own
        }
    }
}

/// The path is kept: whether there is a picture to it, the writer knows.
fn picture(options: &Options<'_>, reader: &mut Reader) -> Marker {
    let shape = Shape::Picture(options.text("name").unwrap_or_default().to_owned());
    let fill = Some(options.colour("color", Colour::BLACK));
    Marker { fill, outline: outline(false, options, reader), ..placed(shape, "size", options, reader) }
}

fn ellipse(options: &Options<'_>, reader: &mut Reader) -> Marker {
    let shape = shape(options.text("symbol_name"), reader);
    if options.text("symbol_width") != options.text("symbol_height") {
        reader.lose("la forme étirée est dessinée aussi haute que large");
    }
    let outline = outline(false, options, reader);
    Marker { fill: Some(options.colour("color", RED)), outline, ..placed(shape, "symbol_width", options, reader) }
}

fn replaced(options: &Options<'_>, reader: &mut Reader) -> Marker {
    let fill = Some(options.colour("color", symbol::DARK));
    Marker { fill, ..placed(Shape::Mark(Mark::Circle), "size", options, reader) }
}
