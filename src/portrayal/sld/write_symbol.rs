//! Paints and labels as symbolizers.

use crate::portrayal::colour::Colour;
use crate::portrayal::label::Label;
use crate::portrayal::label::Piece;
use crate::portrayal::label::Placement;
use crate::portrayal::losses::shown;
use crate::portrayal::scale::Length;
use crate::portrayal::sld::SldVersion;
use crate::portrayal::sld::writer::Writer;
use crate::portrayal::sld::writer::short;
use crate::portrayal::symbol::Cap;
use crate::portrayal::symbol::Fill;
use crate::portrayal::symbol::Hatch;
use crate::portrayal::symbol::Join;
use crate::portrayal::symbol::Mark;
use crate::portrayal::symbol::Marker;
use crate::portrayal::symbol::Paint;
use crate::portrayal::symbol::Place;
use crate::portrayal::symbol::Shape;
use crate::portrayal::symbol::Stroke;
use crate::xml::Element;
use crate::xml::Node;

/// A fill and the plain line on it are one symbolizer.
pub fn symbolizers(paints: &[&Paint], writer: &mut Writer) -> Vec<Element> {
    let mut found = Vec::new();
    let mut rest = paints;
    while let [first, more @ ..] = rest {
        rest = more;
        found.extend(match first {
            Paint::Fill(fill) => {
                let outline = match more.first() {
                    Some(Paint::Stroke(stroke)) if stroke.offset.is_zero() => Some(stroke),
                    _ => None,
                };
                rest = if outline.is_some() { &more[1..] } else { more };
                vec![polygon(fill, outline, writer)]
            }
            Paint::Stroke(stroke) => vec![line(stroke, writer)],
            Paint::Marker(marker, place) => marked(marker, *place, writer),
        });
    }
    found
}

/// A symbolizer whose lengths are all in one unit, as SE has it; 1.0 has pixels alone.
fn symbolizer(name: &str, lengths: &[Length], writer: &mut Writer) -> Element {
    let is_ground = |length: &&Length| matches!(length, Length::GroundMetres(_)) && !length.is_zero();
    let is_screen = |length: &&Length| matches!(length, Length::Pixels(_)) && !length.is_zero();
    let (grounds, screens) = (lengths.iter().filter(is_ground).count(), lengths.iter().filter(is_screen).count());
    let element = writer.element(name);
    match (grounds, writer.version) {
        (0, _) => element,
        (_, SldVersion::V1_1) if screens == 0 => element.with_attribute("uom", "http://www.opengeospatial.org/se/units/metre"),
        _ => {
            writer.lose("les longueurs en mètres au sol sont écrites en pixels");
            element
        }
    }
}

fn polygon(fill: &Fill, outline: Option<&Stroke>, writer: &mut Writer) -> Element {
    let mut lengths: Vec<Length> = outline.map(|stroke| stroke.width).into_iter().collect();
    match fill {
        Fill::Solid(_) => {}
        Fill::Hatch(hatch) => lengths.extend([hatch.width, hatch.spacing]),
        Fill::Markers { marker, .. } => lengths.push(marker.size),
    }
    let symbolizer = symbolizer("PolygonSymbolizer", &lengths, writer);
    let inside = writer.element("Fill");
    let inside = match fill {
        Fill::Solid(colour) => inside.with_all(colours("fill", *colour, writer)),
        Fill::Hatch(hatch) => {
            let graphic = hatched(hatch, writer);
            inside.with(writer.element("GraphicFill").with(graphic))
        }
        Fill::Markers { marker, step_x, step_y } => {
            writer.lose("le semis de symboles n'est pas compris de QGIS, qui ne le dessine pas");
            if *step_x != marker.size || *step_y != marker.size {
                writer.lose("l'espacement du semis de symboles n'est pas écrit en SLD");
            }
            let graphic = graphic(marker, writer);
            inside.with(writer.element("GraphicFill").with(graphic))
        }
    };
    let stroke = outline.map(|outline| stroke(outline, writer));
    symbolizer.with(inside).with_all(stroke)
}

fn line(line: &Stroke, writer: &mut Writer) -> Element {
    let symbolizer = symbolizer("LineSymbolizer", &[line.width, line.offset], writer);
    let symbolizer = symbolizer.with(stroke(line, writer));
    if line.offset.is_zero() {
        return symbolizer;
    }
    match writer.version {
        SldVersion::V1_0 => {
            writer.lose("le décalage de la ligne n'existe pas en SLD 1.0");
            symbolizer
        }
        // To the left there, to the right here.
        SldVersion::V1_1 => symbolizer.with(writer.text("PerpendicularOffset", short(-line.offset.value()))),
    }
}

fn parameter(name: &str, value: impl Into<String>, writer: &Writer) -> Element {
    let element = match writer.version {
        SldVersion::V1_0 => "CssParameter",
        SldVersion::V1_1 => "SvgParameter",
    };
    writer.text(element, value).with_attribute("name", name)
}

fn colours(name: &str, colour: Colour, writer: &Writer) -> Vec<Element> {
    let opacity = (colour.opacity < 1.0).then(|| parameter(&format!("{name}-opacity"), short(colour.opacity), writer));
    std::iter::once(parameter(name, colour.hex(), writer)).chain(opacity).collect()
}

fn stroke(line: &Stroke, writer: &Writer) -> Element {
    let mut found = colours("stroke", line.colour, writer);
    let mut set = |name: &str, value: String| found.push(parameter(name, value, writer));
    set("stroke-width", short(line.width.value()));
    match line.join {
        Join::Mitre => {}
        Join::Round => set("stroke-linejoin", "round".to_owned()),
        Join::Bevel => set("stroke-linejoin", "bevel".to_owned()),
    }
    match line.cap {
        Cap::Butt => {}
        Cap::Round => set("stroke-linecap", "round".to_owned()),
        Cap::Square => set("stroke-linecap", "square".to_owned()),
    }
    if !line.dashes.is_empty() {
        set("stroke-dasharray", line.dashes.iter().map(|dash| short(dash.value())).collect::<Vec<String>>().join(" "));
        if !line.dash_offset.is_zero() {
            set("stroke-dashoffset", short(line.dash_offset.value()));
        }
    }
    writer.element("Stroke").with_all(found)
}

/// GeoServer's marks of lines: those at 45° by name, others level and turned.
fn hatched(hatch: &Hatch, writer: &mut Writer) -> Element {
    writer.lose("les hachures ne sont comprises que de GeoServer, d'autres logiciels ne les dessinent pas");
    let diagonal = hatch.spacing.value() * std::f64::consts::SQRT_2;
    let (name, size, rotation) = match hatch.angle_deg {
        45.0 => ("shape://slash", diagonal, 0.0),
        135.0 => ("shape://backslash", diagonal, 0.0),
        90.0 => ("shape://vertline", hatch.spacing.value(), 0.0),
        angle => ("shape://horline", hatch.spacing.value(), -angle),
    };
    let line = Stroke::solid(hatch.colour, hatch.width);
    let mark = writer.element("Mark").with(writer.text("WellKnownName", name)).with(stroke(&line, writer));
    let graphic = writer.element("Graphic").with(mark).with(writer.text("Size", short(size)));
    if rotation == 0.0 { graphic } else { graphic.with(writer.text("Rotation", short(rotation))) }
}

/// The name of a mark in SLD: the six of the standard, else the one that the most who draw SLD know.
fn named(mark: Mark, writer: &mut Writer) -> &'static str {
    let (name, who) = match mark {
        Mark::Circle | Mark::Square | Mark::Triangle | Mark::Star | Mark::Cross | Mark::X => return mark.word(),
        Mark::CrossFill => return "cross",
        Mark::Line => ("shape://vertline", "GeoServer"),
        Mark::ArrowHead => ("shape://oarrow", "GeoServer"),
        Mark::FilledArrowHead => ("shape://carrow", "GeoServer"),
        other => (other.word(), "QGIS"),
    };
    writer.lose(&format!("la forme « {} » n'est comprise que de {who}, d'autres logiciels en dessinent une autre", mark.word()));
    name
}

fn graphic(marker: &Marker, writer: &mut Writer) -> Element {
    let mut graphic = writer.element("Graphic");
    graphic = match &marker.shape {
        Shape::Mark(mark) => {
            let name = named(*mark, writer);
            let fill = marker.fill.map(|fill| writer.element("Fill").with_all(colours("fill", fill, writer)));
            let outline = marker.outline.as_ref().map(|outline| stroke(outline, writer));
            graphic.with(writer.element("Mark").with(writer.text("WellKnownName", name)).with_all(fill).with_all(outline))
        }
        Shape::Picture(path) => {
            writer.lose(&format!("l'image « {} » n'est pas fournie avec le style, un losange la remplace", shown(path)));
            let fill = marker.fill.map(|fill| writer.element("Fill").with_all(colours("fill", fill, writer)));
            graphic.with(writer.element("Mark").with(writer.text("WellKnownName", "diamond")).with_all(fill))
        }
    };
    graphic = graphic.with(writer.text("Size", short(marker.size.value())));
    if marker.angle_deg != 0.0 {
        graphic = graphic.with(writer.text("Rotation", short(marker.angle_deg)));
    }
    if marker.is_displaced() {
        if writer.version == SldVersion::V1_0 {
            writer.lose("le décalage du symbole n'existe pas en SLD 1.0");
            return graphic;
        }
        graphic = graphic.with(displacement(marker.displacement, writer));
    }
    graphic
}

/// Upwards there, downwards here.
fn displacement((x, y): (Length, Length), writer: &Writer) -> Element {
    let shift = writer.element("Displacement").with(writer.text("DisplacementX", short(x.value())));
    shift.with(writer.text("DisplacementY", short(-y.value())))
}

fn marked(marker: &Marker, place: Place, writer: &mut Writer) -> Vec<Element> {
    let graphic = graphic(marker, writer);
    let symbolizer = |name: &str, writer: &mut Writer| symbolizer(name, &[marker.size], writer);
    let at = |function: &str, writer: &Writer| {
        // GeoServer's functions on the geometry; others have the symbol in the middle.
        let all = Element::text_of("ogc:PropertyName", "");
        writer.element("Geometry").with(Element::new("ogc:Function").with_attribute("name", function).with(all))
    };
    match place {
        Place::Point => vec![symbolizer("PointSymbolizer", writer).with(graphic)],
        Place::Along { interval, .. } => {
            let repeated = writer.element("GraphicStroke").with(graphic);
            let gap = interval.value() - marker.size.value();
            let repeated = match writer.version {
                SldVersion::V1_1 if gap > 0.0 => repeated.with(writer.text("Gap", short(gap))),
                SldVersion::V1_0 if gap > 0.0 => {
                    writer.lose("l'intervalle entre les symboles de la ligne n'existe pas en SLD 1.0");
                    repeated
                }
                _ => repeated,
            };
            vec![symbolizer("LineSymbolizer", writer).with(writer.element("Stroke").with(repeated))]
        }
        Place::Vertices { .. } | Place::First { .. } | Place::Last { .. } => {
            let function = match place {
                Place::First { .. } => "startPoint",
                Place::Last { .. } => "endPoint",
                _ => "vertices",
            };
            writer.lose("les symboles aux sommets de la ligne ne sont compris que de GeoServer");
            vec![symbolizer("PointSymbolizer", writer).with(at(function, writer)).with(graphic)]
        }
    }
}

pub fn text(label: &Label, writer: &mut Writer) -> Element {
    let symbolizer = symbolizer("TextSymbolizer", &[label.size], writer);
    let piece = |piece: &Piece| match piece {
        Piece::Literal(text) => Node::Text(text.clone()),
        Piece::Field(name) => Node::Element(Element::text_of("ogc:PropertyName", name.as_str())),
    };
    let text = Element { nodes: label.text.iter().map(piece).collect(), ..writer.element("Label") };
    let mut font = Vec::new();
    if !label.family.is_empty() {
        font.push(parameter("font-family", label.family.as_str(), writer));
    }
    font.extend(label.is_italic.then(|| parameter("font-style", "italic", writer)));
    font.extend(label.is_bold.then(|| parameter("font-weight", "bold", writer)));
    font.push(parameter("font-size", short(label.size.value()), writer));
    let halo = label.halo.map(|(colour, width)| {
        let fill = writer.element("Fill").with_all(colours("fill", colour, writer));
        writer.element("Halo").with(writer.text("Radius", short(width.value()))).with(fill)
    });
    let fill = writer.element("Fill").with_all(colours("fill", label.colour, writer));
    symbolizer.with(text).with(writer.element("Font").with_all(font)).with(placed(label, writer)).with_all(halo).with(fill)
}

fn placed(label: &Label, writer: &Writer) -> Element {
    let (x, y) = label.displacement;
    let inner = match label.placement {
        Placement::Line => {
            let line = writer.element("LinePlacement");
            if y.is_zero() { line } else { line.with(writer.text("PerpendicularOffset", short(-y.value()))) }
        }
        Placement::Point(anchor) => {
            let (share_x, share_y) = anchor.shares();
            let share = |name: &str, share: f64| writer.text(name, short(share));
            let touched = writer.element("AnchorPoint").with(share("AnchorPointX", share_x)).with(share("AnchorPointY", share_y));
            let point = writer.element("PointPlacement").with(touched);
            let point = if x.is_zero() && y.is_zero() { point } else { point.with(displacement((x, y), writer)) };
            if label.angle_deg == 0.0 { point } else { point.with(writer.text("Rotation", short(label.angle_deg))) }
        }
    };
    writer.element("LabelPlacement").with(inner)
}
