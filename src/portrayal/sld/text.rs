//! Text symbolizers as labels.

use crate::portrayal::colour::Colour;
use crate::portrayal::label::Anchor;
use crate::portrayal::label::Label;
use crate::portrayal::label::Piece;
use crate::portrayal::label::Placement;
use crate::portrayal::losses::shown;
use crate::portrayal::sld::reader::Reader;
use crate::portrayal::sld::symbolizer::Unit;
use crate::portrayal::sld::symbolizer::colour;
use crate::portrayal::sld::symbolizer::number;
use crate::portrayal::sld::symbolizer::number_in;
use crate::portrayal::sld::symbolizer::options;
use crate::portrayal::sld::symbolizer::parameter;
use crate::query::fes;
use crate::query::filter::Filter;
use crate::xml::Element;
use crate::xml::Node;

/// SE 1.1 §11.4.2: ten pixels; a halo of one.
const SIZE: f64 = 10.0;
const HALO: f64 = 1.0;

/// `None` where the text is not understood, which is a loss.
pub fn label(symbolizer: &Element, reader: &mut Reader) -> Option<Label> {
    let unit = Unit::of(symbolizer);
    options(symbolizer, reader);
    let text = pieces(symbolizer.child("Label")?, reader)?;
    let mut label = Label { size: unit.length(SIZE), placement: Placement::Point(Anchor::Left), ..Label::plain(text) };
    if let Some(font) = symbolizer.child("Font") {
        label.family = parameter(font, "font-family", reader).unwrap_or_default();
        label.is_bold = parameter(font, "font-weight", reader)
            .is_some_and(|weight| weight == "bold" || weight.parse::<f64>().is_ok_and(|w| w >= 600.0));
        label.is_italic = parameter(font, "font-style", reader).is_some_and(|style| style == "italic" || style == "oblique");
        label.size = unit.length(number(font, "font-size", reader).unwrap_or(SIZE));
    }
    if let Some(fill) = symbolizer.child("Fill") {
        label.colour = colour(fill, "fill", Colour::BLACK, reader);
    }
    if let Some(halo) = symbolizer.child("Halo") {
        let around = halo.child("Fill").map_or(Colour::WHITE, |fill| colour(fill, "fill", Colour::WHITE, reader));
        label.halo = Some((around, unit.length(number_in(halo, "Radius", reader).unwrap_or(HALO))));
    }
    if let Some(placement) = symbolizer.child("LabelPlacement") {
        place(placement, unit, &mut label, reader);
    }
    Some(label)
}

fn place(placement: &Element, unit: Unit, label: &mut Label, reader: &mut Reader) {
    if let Some(line) = placement.child("LinePlacement") {
        label.placement = Placement::Line;
        // Upwards of the line there.
        let offset = number_in(line, "PerpendicularOffset", reader).unwrap_or(0.0);
        label.displacement.1 = unit.length(-offset);
    }
    let Some(point) = placement.child("PointPlacement") else { return };
    let mut within = |element: &str, name: &str| point.child(element).and_then(|element| number_in(element, name, reader));
    let anchor = (within("AnchorPoint", "AnchorPointX"), within("AnchorPoint", "AnchorPointY"));
    label.placement = Placement::Point(Anchor::from_shares(anchor.0.unwrap_or(0.0), anchor.1.unwrap_or(0.5)));
    let (x, y) = (within("Displacement", "DisplacementX"), within("Displacement", "DisplacementY"));
    label.displacement = (unit.length(x.unwrap_or(0.0)), unit.length(-y.unwrap_or(0.0)));
    label.angle_deg = number_in(point, "Rotation", reader).unwrap_or(0.0);
}

/// Texts and expressions in their order.
fn pieces(label: &Element, reader: &mut Reader) -> Option<Vec<Piece>> {
    let mut found = Vec::new();
    let is_mixed = label.nodes.len() > 1;
    for node in &label.nodes {
        match node {
            Node::Text(text) if is_mixed => found.push(Piece::Literal(text.replace(['\n', '\r', '\t'], " "))),
            Node::Text(text) => found.push(Piece::Literal(text.trim().to_owned())),
            Node::Element(expression) => collect(expression, 0, &mut found, reader)?,
        }
    }
    found.retain(|piece| *piece != Piece::Literal(String::new()));
    (!found.is_empty()).then_some(found)
}

/// Functions in functions; more is hostile.
const DEPTH_MAX: usize = 20;

fn collect(expression: &Element, depth: usize, found: &mut Vec<Piece>, reader: &mut Reader) -> Option<()> {
    let is_concat = expression.is("Function") && matches!(expression.attribute("name"), Some("Concatenate" | "strConcat"));
    if is_concat && depth < DEPTH_MAX {
        return expression.children().try_for_each(|part| collect(part, depth + 1, found, reader));
    }
    match fes::value(expression, 0) {
        Ok(Filter::Property(name)) => found.push(Piece::Field(name)),
        Ok(Filter::Text(text)) => found.push(Piece::Literal(text)),
        Ok(Filter::Integer(whole)) => found.push(Piece::Literal(whole.to_string())),
        Ok(Filter::Real(real)) => found.push(Piece::Literal(real.to_string())),
        other => {
            let what = other.err().map_or_else(|| expression.name.clone(), |error| error.what);
            reader.lose(&format!(
                "le texte des étiquettes n'est pas repris (« {} » sans équivalent) : elles ne sont pas écrites",
                shown(&what)
            ));
            return None;
        }
    }
    Some(())
}
