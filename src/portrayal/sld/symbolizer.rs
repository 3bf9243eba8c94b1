//! Symbolizers as paints.

use crate::portrayal::colour::Colour;
use crate::portrayal::losses::shown;
use crate::portrayal::scale::Length;
use crate::portrayal::sld::graphic;
use crate::portrayal::sld::reader::Reader;
use crate::portrayal::symbol::Cap;
use crate::portrayal::symbol::Fill;
use crate::portrayal::symbol::Join;
use crate::portrayal::symbol::Marker;
use crate::portrayal::symbol::Paint;
use crate::portrayal::symbol::Place;
use crate::portrayal::symbol::Stroke;
use crate::xml::Element;

/// SE 1.1 §11.2.2: fifty per cent grey.
pub const GREY: Colour = Colour::rgb(128, 128, 128);

/// How many units of a symbolizer a length is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Unit {
    Pixel,
    Metre,
    Foot,
}

impl Unit {
    pub fn of(symbolizer: &Element) -> Unit {
        match symbolizer.attribute("uom").map(|uom| uom.rsplit('/').next().unwrap_or(uom)) {
            Some("metre") => Unit::Metre,
            Some("foot") => Unit::Foot,
            _ => Unit::Pixel,
        }
    }

    pub fn length(self, value: f64) -> Length {
        const FOOT_M: f64 = 0.3048;
        match self {
            _ if value == 0.0 => Length::ZERO,
            Unit::Pixel => Length::Pixels(value),
            Unit::Metre => Length::GroundMetres(value),
            Unit::Foot => Length::GroundMetres(value * FOOT_M),
        }
    }
}

/// What a symbolizer draws; nothing for an element that is none.
pub fn paints(symbolizer: &Element, reader: &mut Reader) -> Vec<Paint> {
    let unit = Unit::of(symbolizer);
    options(symbolizer, reader);
    match symbolizer.local() {
        "PolygonSymbolizer" => {
            let mut paints = symbolizer.child("Fill").map(|fill| filled(fill, unit, reader)).unwrap_or_default();
            paints.extend(symbolizer.child("Stroke").map(|stroke| stroked(symbolizer, stroke, unit, reader)).unwrap_or_default());
            paints
        }
        // A line symbolizer without a stroke draws nothing (SE 1.1 §11.1.3).
        "LineSymbolizer" => symbolizer.child("Stroke").map(|stroke| stroked(symbolizer, stroke, unit, reader)).unwrap_or_default(),
        "PointSymbolizer" => {
            let place = place(symbolizer, reader);
            let markers = symbolizer.child("Graphic").map(|graphic| graphic::markers(graphic, unit, reader)).unwrap_or_default();
            markers.into_iter().map(|marker| Paint::Marker(marker, place)).collect()
        }
        _ => Vec::new(),
    }
}

/// What GeoServer adds has no equal here.
pub fn options(symbolizer: &Element, reader: &mut Reader) {
    let names: Vec<&str> = symbolizer.children_named("VendorOption").filter_map(|option| option.attribute("name")).collect();
    if !names.is_empty() {
        reader.lose(&format!("les options de GeoServer ne sont pas reprises ({})", shown(&names.join(", "))));
    }
}

fn place(symbolizer: &Element, reader: &mut Reader) -> Place {
    let Some(function) = symbolizer.at(&["Geometry", "Function"]) else { return Place::Point };
    match function.attribute("name").unwrap_or_default() {
        "startPoint" => Place::First { is_turned: false },
        "endPoint" => Place::Last { is_turned: false },
        "vertices" => Place::Vertices { is_turned: false },
        "centroid" | "interiorPoint" => Place::Point,
        other => {
            reader.lose(&format!("la fonction « {} » sur la géométrie n'est pas reprise", shown(other)));
            Place::Point
        }
    }
}

/// The text of a `CssParameter` or `SvgParameter`; a value that the data define is a loss.
pub fn parameter(element: &Element, name: &str, reader: &mut Reader) -> Option<String> {
    let all = element.children().filter(|child| child.is("CssParameter") || child.is("SvgParameter"));
    let found = all.filter(|child| child.attribute("name") == Some(name)).last()?;
    literal(found, name, reader)
}

/// The text of an element, or of the one literal in it.
pub fn literal(element: &Element, name: &str, reader: &mut Reader) -> Option<String> {
    let mut children = element.children();
    match (children.next(), children.next()) {
        (None, _) => Some(element.text()).filter(|text| !text.is_empty()),
        (Some(only), None) if only.is("Literal") => Some(only.text()).filter(|text| !text.is_empty()),
        _ => {
            reader.lose(&format!("la valeur de « {} » définie par des données n'est pas reprise", shown(name)));
            None
        }
    }
}

pub fn number(element: &Element, name: &str, reader: &mut Reader) -> Option<f64> {
    parameter(element, name, reader)?.parse().ok().filter(|value: &f64| value.is_finite())
}

/// A number that a child element holds.
pub fn number_in(element: &Element, name: &str, reader: &mut Reader) -> Option<f64> {
    literal(element.child(name)?, name, reader)?.parse().ok().filter(|value: &f64| value.is_finite())
}

/// A colour and its opacity, which are two parameters.
pub fn colour(element: &Element, name: &str, default: Colour, reader: &mut Reader) -> Colour {
    let found = match parameter(element, name, reader) {
        Some(text) => Colour::from_css(&text).unwrap_or_else(|| {
            reader.lose(&format!("la couleur « {} » n'est pas comprise", shown(&text)));
            default
        }),
        None => default,
    };
    found.faded(number(element, &format!("{name}-opacity"), reader).unwrap_or(1.0))
}

/// A graphic fill covers what a plain colour beside it would say.
fn filled(fill: &Element, unit: Unit, reader: &mut Reader) -> Vec<Paint> {
    if let Some(graphic) = fill.at(&["GraphicFill", "Graphic"]) {
        return graphic::pattern(graphic, unit, reader);
    }
    vec![Paint::Fill(Fill::Solid(colour(fill, "fill", GREY, reader)))]
}

fn stroked(symbolizer: &Element, stroke: &Element, unit: Unit, reader: &mut Reader) -> Vec<Paint> {
    if let Some(graphic_stroke) = stroke.child("GraphicStroke") {
        let gap = number_in(graphic_stroke, "Gap", reader);
        let markers = graphic_stroke.child("Graphic").map(|graphic| graphic::markers(graphic, unit, reader)).unwrap_or_default();
        let along = |marker: Marker| {
            let interval = gap.map_or(marker.size, |gap| unit.length(marker.size.value() + gap));
            Paint::Marker(marker, Place::Along { interval, is_turned: true })
        };
        return markers.into_iter().map(along).collect();
    }
    if stroke.child("GraphicFill").is_some() {
        reader.lose("le trait rempli d'un motif est dessiné d'une couleur");
    }
    // To the left (SE 1.1 §11.1.4), where this model counts to the right.
    let offset = number_in(symbolizer, "PerpendicularOffset", reader).map_or(Length::ZERO, |offset| unit.length(-offset));
    let line = line(stroke, unit, reader);
    if line.is_visible() { vec![Paint::Stroke(Stroke { offset, ..line })] } else { Vec::new() }
}

pub fn line(stroke: &Element, unit: Unit, reader: &mut Reader) -> Stroke {
    let dashes = parameter(stroke, "stroke-dasharray", reader).unwrap_or_default();
    let dashes: Vec<f64> = dashes.split([' ', ',']).filter_map(|part| part.trim().parse().ok()).filter(|dash| *dash >= 0.0).collect();
    // Dashes without gaps are a line.
    let has_gaps = dashes.len() == 1 || dashes.iter().skip(1).step_by(2).any(|gap| *gap > 0.0);
    let cap = match parameter(stroke, "stroke-linecap", reader).as_deref() {
        Some("round") => Cap::Round,
        Some("square") => Cap::Square,
        _ => Cap::Butt,
    };
    let join = match parameter(stroke, "stroke-linejoin", reader).as_deref() {
        Some("round") => Join::Round,
        Some("bevel") => Join::Bevel,
        _ => Join::Mitre,
    };
    Stroke {
        colour: colour(stroke, "stroke", Colour::BLACK, reader),
        width: unit.length(number(stroke, "stroke-width", reader).unwrap_or(1.0)),
        dashes: if has_gaps { dashes.into_iter().map(|dash| unit.length(dash)).collect() } else { Vec::new() },
        dash_offset: unit.length(number(stroke, "stroke-dashoffset", reader).unwrap_or(0.0)),
        offset: Length::ZERO,
        cap,
        join,
    }
}
