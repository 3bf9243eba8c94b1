//! Labels as layers of a web map.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::portrayal::font::FAMILY;
use crate::portrayal::label::Anchor;
use crate::portrayal::label::Label;
use crate::portrayal::label::Piece;
use crate::portrayal::label::Placement;
use crate::portrayal::losses::shown;
use crate::portrayal::maplibre::write::Draft;
use crate::portrayal::maplibre::write::Writer;
use crate::portrayal::maplibre::write::rounded;
use crate::portrayal::scale::Length;
use crate::portrayal::symbol::Dimension;

/// Names of its faces as font stacks write them.
fn face(label: &Label) -> String {
    let face = match (label.is_bold, label.is_italic) {
        (true, true) => "Bold Italic",
        (true, false) => "Bold",
        (false, true) => "Italic",
        (false, false) => "Regular",
    };
    format!("{FAMILY} {face}")
}

pub fn label(label: &Label, writer: &mut Writer<'_>) {
    let Some(condition) = writer.condition("étiquettes", label.filter.as_ref(), &label.unless) else { return };
    if !label.family.is_empty() && label.family != FAMILY {
        writer.lose(format!("étiquettes : la police « {} » est remplacée par {FAMILY}", shown(&label.family)));
    }
    let mut layout = Map::new();
    let mut set = |name: &str, value: Value| layout.insert(name.to_owned(), value);
    set("text-field", field(&label.text));
    set("text-font", json!([face(label)]));
    set("text-size", length(label.size, writer));
    if label.placement == Placement::Line && writer.target.dimension != Dimension::Points {
        set("symbol-placement", json!("line"));
    }
    if let Placement::Point(anchor) = label.placement
        && anchor != Anchor::Centre
    {
        set("text-anchor", json!(anchor.word()));
    }
    // MapLibre shifts by sizes of the text.
    let em = label.size.value();
    let shift = (label.displacement.0.value() / em, label.displacement.1.value() / em);
    if (shift.0 != 0.0 || shift.1 != 0.0) && em > 0.0 {
        set("text-offset", json!([rounded(shift.0), rounded(shift.1)]));
    }
    if label.angle_deg != 0.0 {
        set("text-rotate", rounded(label.angle_deg));
    }
    if label.is_forced {
        set("text-allow-overlap", json!(true));
        set("text-ignore-placement", json!(true));
    }
    let mut paint = Map::new();
    let mut set = |name: &str, value: Value| paint.insert(name.to_owned(), value);
    set("text-color", json!(label.colour.hex()));
    if label.colour.opacity < 1.0 {
        set("text-opacity", rounded(label.colour.opacity));
    }
    if let Some((colour, width)) = label.halo {
        set("text-halo-color", json!(format!("rgba({},{},{},{})", colour.red, colour.green, colour.blue, rounded(colour.opacity))));
        set("text-halo-width", length(width, writer));
    }
    let on_points = matches!(writer.target.dimension, Dimension::Polygons | Dimension::Lines) && label.placement != Placement::Line;
    let source_layer = writer.target.label_layer.filter(|_| on_points).unwrap_or(writer.target.source_layer).to_owned();
    writer.add(Draft { kind: "symbol", source_layer, filter: condition, scale: label.scale, layout, paint, metadata: Map::new() });
}

fn field(text: &[Piece]) -> Value {
    let piece = |piece: &Piece| match piece {
        Piece::Literal(text) => json!(text),
        Piece::Field(name) => json!(["to-string", ["get", name]]),
    };
    match text {
        [only] => piece(only),
        all => Value::Array(std::iter::once(json!("concat")).chain(all.iter().map(piece)).collect()),
    }
}

fn length(length: Length, writer: &Writer<'_>) -> Value {
    let at = |zoom: f64| rounded(length.px(writer.target.latitude.metres_per_pixel(zoom)));
    match length {
        Length::Pixels(_) => at(0.0),
        Length::GroundMetres(_) => json!(["interpolate", ["exponential", 2], ["zoom"], 0, at(0.0), 24, at(24.0)]),
    }
}
