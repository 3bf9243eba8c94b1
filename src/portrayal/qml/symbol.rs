//! Symbols of QGIS as parts: lines and fills here, markers beside.

use crate::portrayal::colour::Colour;
use crate::portrayal::losses::shown;
use crate::portrayal::qml::Reader;
use crate::portrayal::qml::marker;
use crate::portrayal::qml::number;
use crate::portrayal::qml::options::Options;
use crate::portrayal::qml::options::defined;
use crate::portrayal::scale::Length;
use crate::portrayal::symbol::Cap;
use crate::portrayal::symbol::Fill;
use crate::portrayal::symbol::Hatch;
use crate::portrayal::symbol::Join;
use crate::portrayal::symbol::Mark;
use crate::portrayal::symbol::Marker;
use crate::portrayal::symbol::Paint;
use crate::portrayal::symbol::Part;
use crate::portrayal::symbol::Place;
use crate::portrayal::symbol::Shape;
use crate::portrayal::symbol::Stroke;
use crate::xml::Element;

/// Symbols inside symbols; more is a file that no QGIS wrote.
const DEPTH_MAX: usize = 8;

/// What QGIS draws with where a file says nothing.
pub const DARK: Colour = Colour::rgb(35, 35, 35);
const LINE_MM: f64 = 0.26;

pub fn read(symbol: &Element, reader: &mut Reader) -> Vec<Part> {
    nested(symbol, 0, reader)
}

/// The parts of a symbol that stands in another.
pub fn nested(symbol: &Element, depth: usize, reader: &mut Reader) -> Vec<Part> {
    if depth > DEPTH_MAX {
        reader.lose("ses symboles sont imbriqués trop profondément et ne sont pas repris");
        return Vec::new();
    }
    if !defined(symbol).is_empty() {
        reader.lose("l'opacité définie par des données n'est pas reprise");
    }
    let opacity = number(symbol, "alpha").unwrap_or(1.0).clamp(0.0, 1.0);
    let layers = symbol.children_named("layer").filter(|layer| layer.attribute("enabled") != Some("0"));
    let mut parts = Vec::new();
    for layer in layers {
        let level = number(layer, "pass").map_or(0, |pass| pass as i32);
        let paints = paints(layer, depth, reader);
        parts.extend(
            paints.into_iter().map(|paint| if opacity < 1.0 { paint.faded(opacity) } else { paint }).map(|paint| paint.at_level(level)),
        );
        let defined = defined(layer);
        if !defined.is_empty() {
            reader.lose(&format!("les propriétés définies par des données ne sont pas reprises ({})", shown(&defined.join(", "))));
        }
        if layer.child("effect").is_some_and(|effect| effect.attribute("enabled") == Some("1")) {
            reader.lose("les effets (ombre, lueur, flou…) ne sont pas repris");
        }
    }
    parts
}

fn paints(layer: &Element, depth: usize, reader: &mut Reader) -> Vec<Paint> {
    let options = Options::of(layer);
    let class = layer.attribute("class").unwrap_or_default();
    match class {
        "SimpleFill" => simple_fill(&options, reader),
        "SimpleLine" => simple_line(&options, reader).map(Paint::Stroke).into_iter().collect(),
        "LinePatternFill" => line_pattern(&options, depth, reader),
        "PointPatternFill" => point_pattern(&options, depth, reader),
        "CentroidFill" => inner_markers(&options, depth, reader).into_iter().map(|marker| Paint::Marker(marker, Place::Point)).collect(),
        "MarkerLine" => marker_line(&options, depth, reader),
        "HashLine" => hash_line(&options, depth, reader),
        "GradientFill" | "ShapeburstFill" => gradient(&options, reader),
        _ => match marker::read(class, &options, depth, reader) {
            Some(marker) => vec![Paint::Marker(marker, Place::Point)],
            None => {
                reader.lose(&format!("l'élément de symbole « {} » n'a pas d'équivalent et n'est pas dessiné", shown(class)));
                Vec::new()
            }
        },
    }
}

pub fn join(options: &Options<'_>) -> Join {
    match options.text("joinstyle") {
        Some("miter") => Join::Mitre,
        Some("round") => Join::Round,
        _ => Join::Bevel,
    }
}

fn cap(word: Option<&str>) -> Cap {
    match word {
        Some("flat") => Cap::Butt,
        Some("round") => Cap::Round,
        _ => Cap::Square,
    }
}

/// A pen without a width draws one pixel.
pub fn pen(width: Length) -> Length {
    if width.is_zero() { Length::Pixels(1.0) } else { width }
}

/// Qt's dashes count widths of the pen.
pub fn dashes(style: &str, width: Length) -> Vec<Length> {
    let counts: &[f64] = match style {
        "dash" => &[4.0, 2.0],
        "dot" => &[1.0, 2.0],
        "dash dot" => &[4.0, 2.0, 1.0, 2.0],
        "dash dot dot" => &[4.0, 2.0, 1.0, 2.0, 1.0, 2.0],
        _ => &[],
    };
    counts.iter().map(|count| width.times(*count)).collect()
}

/// The pen of a shape. Qt's pens have square caps where nobody says otherwise: dashes have them, and the ends of open marks.
pub fn outline(style: &str, width: Length, is_open: bool, options: &Options<'_>) -> Stroke {
    let dashes = dashes(style, width);
    let cap = if is_open || !dashes.is_empty() { cap(options.text("cap_style")) } else { Cap::Butt };
    Stroke { dashes, cap, join: join(options), ..Stroke::solid(options.colour("outline_color", DARK), width) }
}

fn simple_line(options: &Options<'_>, reader: &mut Reader) -> Option<Stroke> {
    let style = options.text("line_style").unwrap_or("solid");
    let width = pen(options.length("line_width", LINE_MM, reader));
    let cap = cap(options.text("capstyle"));
    let is_custom = options.is_set("use_custom_dash");
    let dashes = if is_custom { options.lengths("customdash", reader) } else { dashes(style, width) };
    for (name, what) in [
        ("ring_filter", "le choix des anneaux"),
        ("trim_distance_start", "le rognage des bouts"),
        ("trim_distance_end", "le rognage des bouts"),
    ] {
        if options.number(name).is_some_and(|value| value != 0.0) {
            reader.lose(&format!("{what} de la ligne n'est pas repris"));
        }
    }
    if options.is_set("draw_inside_polygon") {
        reader.lose("le trait dessiné seulement à l'intérieur du polygone l'est aussi à l'extérieur");
    }
    let stroke = Stroke {
        colour: options.colour("line_color", DARK),
        width,
        dash_offset: if dashes.is_empty() { Length::ZERO } else { options.length("dash_pattern_offset", 0.0, reader) },
        dashes,
        offset: options.length("offset", 0.0, reader),
        cap,
        join: join(options),
    };
    (style != "no").then_some(stroke)
}

fn simple_fill(options: &Options<'_>, reader: &mut Reader) -> Vec<Paint> {
    let colour = options.colour("color", Colour::rgb(0, 0, 255));
    let mut paints = brush(options.text("style").unwrap_or("solid"), colour, reader);
    let (x, y) = options.pair("offset", reader);
    if !x.is_zero() || !y.is_zero() {
        reader.lose("le décalage du remplissage n'est pas repris");
    }
    let style = options.text("outline_style").unwrap_or("solid");
    let width = pen(options.length("outline_width", LINE_MM, reader));
    let outline = outline(style, width, false, options);
    if style != "no" && outline.is_visible() {
        paints.push(Paint::Stroke(outline));
    }
    paints
}

/// Qt's brushes: patterns of eight pixels, lines of one. A diagonal sets one pixel of each row, which is a thinner line.
fn brush(style: &str, colour: Colour, reader: &mut Reader) -> Vec<Paint> {
    const STEP_PX: f64 = 8.0;
    let across = STEP_PX * std::f64::consts::FRAC_1_SQRT_2;
    let lines: &[(f64, f64)] = match style {
        "no" => return Vec::new(),
        "horizontal" => &[(0.0, STEP_PX)],
        "vertical" => &[(90.0, STEP_PX)],
        "cross" => &[(0.0, STEP_PX), (90.0, STEP_PX)],
        "b_diagonal" => &[(45.0, across)],
        "f_diagonal" => &[(135.0, across)],
        "diagonal_x" => &[(45.0, across), (135.0, across)],
        dense => match dense.strip_prefix("dense").and_then(|level| level.parse::<usize>().ok()) {
            Some(level @ 1..=7) => {
                // The share of pixels that each of Qt's dense patterns sets.
                const SHARES: [f64; 7] = [0.94, 0.88, 0.63, 0.5, 0.37, 0.12, 0.06];
                reader.lose(&format!("la trame « {dense} » devient un aplat translucide"));
                return vec![Paint::Fill(Fill::Solid(colour.faded(SHARES[level - 1])))];
            }
            _ if colour.is_visible() => return vec![Paint::Fill(Fill::Solid(colour))],
            _ => return Vec::new(),
        },
    };
    let hatch = |(angle_deg, spacing): &(f64, f64)| {
        let width = Length::Pixels(spacing / STEP_PX);
        Paint::Fill(Fill::Hatch(Hatch { colour, width, spacing: Length::Pixels(*spacing), angle_deg: *angle_deg }))
    };
    lines.iter().map(hatch).collect()
}

fn gradient(options: &Options<'_>, reader: &mut Reader) -> Vec<Paint> {
    reader.lose("le dégradé devient un aplat de sa couleur moyenne");
    let (first, last) = (options.colour("color", Colour::WHITE), options.colour("gradient_color2", Colour::WHITE));
    vec![Paint::Fill(Fill::Solid(first.between(last, 0.5)))]
}

fn inner(options: &Options<'_>, depth: usize, reader: &mut Reader) -> Vec<Part> {
    options.inner().map(|symbol| nested(symbol, depth + 1, reader)).unwrap_or_default()
}

pub fn inner_markers(options: &Options<'_>, depth: usize, reader: &mut Reader) -> Vec<Marker> {
    let parts = inner(options, depth, reader).into_iter();
    parts.filter_map(|part| if let Paint::Marker(marker, _) = part.paint { Some(marker) } else { None }).collect()
}

/// The first plain colour of the fill inside.
pub fn inner_colour(options: &Options<'_>, depth: usize, reader: &mut Reader) -> Option<Colour> {
    let parts = inner(options, depth, reader).into_iter();
    parts.filter_map(|part| if let Paint::Fill(Fill::Solid(colour)) = part.paint { Some(colour) } else { None }).next()
}

fn inner_strokes(options: &Options<'_>, depth: usize, reader: &mut Reader) -> Vec<Stroke> {
    let parts = inner(options, depth, reader).into_iter();
    parts.filter_map(|part| if let Paint::Stroke(stroke) = part.paint { Some(stroke) } else { None }).collect()
}

fn line_pattern(options: &Options<'_>, depth: usize, reader: &mut Reader) -> Vec<Paint> {
    let spacing = options.length("distance", 5.0, reader);
    let angle_deg = options.number("angle").or_else(|| options.number("lineangle")).unwrap_or(45.0).rem_euclid(180.0);
    if options.number("offset").is_some_and(|offset| offset != 0.0) {
        reader.lose("le décalage des hachures n'est pas repris");
    }
    let mut strokes = inner_strokes(options, depth, reader);
    if strokes.is_empty() {
        strokes.push(Stroke::solid(options.colour("color", Colour::BLACK), pen(options.length("line_width", 0.5, reader))));
    }
    if strokes.iter().any(|stroke| !stroke.dashes.is_empty()) {
        reader.lose("les hachures en tirets sont dessinées d'un trait continu");
    }
    let hatch = |stroke: Stroke| Paint::Fill(Fill::Hatch(Hatch { colour: stroke.colour, width: stroke.width, spacing, angle_deg }));
    strokes.into_iter().map(hatch).collect()
}

fn point_pattern(options: &Options<'_>, depth: usize, reader: &mut Reader) -> Vec<Paint> {
    let step_x = options.length("distance_x", 15.0, reader);
    let step_y = options.length("distance_y", 15.0, reader);
    let shifts = ["displacement_x", "displacement_y", "offset_x", "offset_y"];
    if shifts.iter().any(|name| options.number(name).is_some_and(|shift| shift != 0.0)) {
        reader.lose("le décalage du semis de points n'est pas repris");
    }
    let markers = inner_markers(options, depth, reader).into_iter();
    markers.map(|marker| Paint::Fill(Fill::Markers { marker: Box::new(marker), step_x, step_y })).collect()
}

/// Where the markers of a line stand: one name before QGIS 3.24, several since.
fn places(options: &Options<'_>, interval: Length, is_turned: bool, reader: &mut Reader) -> Vec<Place> {
    let names = options.text("placements").or_else(|| options.text("placement")).unwrap_or("interval").to_ascii_lowercase();
    let mut places = Vec::new();
    for name in names.split('|') {
        places.push(match name {
            "interval" => Place::Along { interval, is_turned },
            "vertex" | "innervertices" | "curvepoint" => Place::Vertices { is_turned },
            "firstvertex" => Place::First { is_turned },
            "lastvertex" => Place::Last { is_turned },
            "centralpoint" | "segmentcenter" => {
                if is_turned {
                    reader.lose("le symbole au milieu de la ligne n'est pas tourné dans son sens");
                }
                Place::Point
            }
            other => {
                reader.lose(&format!("l'emplacement « {} » sur la ligne n'est pas repris", shown(other)));
                continue;
            }
        });
    }
    places
}

fn marker_line(options: &Options<'_>, depth: usize, reader: &mut Reader) -> Vec<Paint> {
    let interval = options.length("interval", 3.0, reader);
    let is_turned = options.text("rotate") != Some("0") && options.text("rotate_symbols") != Some("0");
    if options.number("offset").is_some_and(|offset| offset != 0.0) {
        reader.lose("le décalage des symboles le long de la ligne n'est pas repris");
    }
    let markers = inner_markers(options, depth, reader);
    let places = places(options, interval, is_turned, reader);
    markers.into_iter().flat_map(|marker| places.iter().map(move |place| Paint::Marker(marker.clone(), *place))).collect()
}

/// Hashes are markers: short lines across the line.
fn hash_line(options: &Options<'_>, depth: usize, reader: &mut Reader) -> Vec<Paint> {
    let interval = options.length("interval", 3.0, reader);
    let size = options.length("hash_length", 3.0, reader);
    let angle_deg = options.number("hash_angle").unwrap_or(0.0);
    let places = places(options, interval, options.text("rotate") != Some("0"), reader);
    let strokes = inner_strokes(options, depth, reader).into_iter();
    let marker = |stroke| Marker {
        shape: Shape::Mark(Mark::Line),
        fill: None,
        outline: Some(stroke),
        angle_deg,
        ..Marker::circle(size, Colour::BLACK)
    };
    strokes.map(marker).flat_map(|marker| places.iter().map(move |place| Paint::Marker(marker.clone(), *place))).collect()
}
