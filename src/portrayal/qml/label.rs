//! Labels of QGIS: simple, and by rules.

use crate::portrayal::colour::Colour;
use crate::portrayal::label::Anchor;
use crate::portrayal::label::Label;
use crate::portrayal::label::Piece;
use crate::portrayal::label::Placement;
use crate::portrayal::losses::shown;
use crate::portrayal::qml::Reader;
use crate::portrayal::qml::expression;
use crate::portrayal::qml::number;
use crate::portrayal::qml::options::defined;
use crate::portrayal::qml::options::length;
use crate::portrayal::rule::both;
use crate::portrayal::scale::Length;
use crate::portrayal::scale::ScaleRange;
use crate::query::filter::Filter;
use crate::xml::Element;

pub fn read(root: &Element, reader: &mut Reader) -> Vec<Label> {
    reader.who = "étiquettes".to_owned();
    let labeling = root.child("labeling").filter(|_| root.attribute("labelsEnabled") != Some("0"));
    let mut found = Vec::new();
    match labeling.map(|labeling| (labeling.attribute("type").unwrap_or_default(), labeling)) {
        Some(("simple", labeling)) => found.extend(labeling.child("settings").and_then(|settings| label(settings, reader))),
        Some(("rule-based", labeling)) => {
            if let Some(root) = labeling.child("rules") {
                rules(root, None, ScaleRange::ALL, reader, &mut found);
            }
        }
        Some((other, _)) => reader.lose(&format!("le mode « {} » n'est pas repris", shown(other))),
        None => {}
    }
    reader.who.clear();
    found
}

/// As rules of symbols, without "all others", which labels of QGIS seldom have: such a rule is a loss.
fn rules(parent: &Element, outer: Option<&Filter>, scale: ScaleRange, reader: &mut Reader, found: &mut Vec<Label>) {
    for rule in parent.children_named("rule") {
        let name = rule.attribute("description").or_else(|| rule.attribute("filter")).unwrap_or_default();
        reader.about("étiquettes de la règle", name);
        let is_active = rule.attribute("active") != Some("0") && rule.attribute("checkstate") != Some("0");
        let own = ScaleRange::of_qgis(number(rule, "scalemindenom"), number(rule, "scalemaxdenom"));
        let Some(scale) = own.and(scale).filter(|_| is_active) else { continue };
        if !reader.takes(1) {
            return;
        }
        let filter = match rule.attribute("filter").map(str::trim).filter(|text| !text.is_empty()) {
            None => None,
            Some(text) if text.eq_ignore_ascii_case("else") => {
                reader.lose("elles valent pour tous les autres objets, ce qui n'est pas repris : elles ne sont pas écrites");
                continue;
            }
            Some(text) => match expression::condition(text) {
                Ok(filter) => Some(filter),
                Err(reason) => {
                    reader.lose(&format!("leur filtre « {} » n'est pas repris ({reason}) : elles ne sont pas écrites", shown(text)));
                    continue;
                }
            },
        };
        let filter = both(outer.cloned(), filter);
        if let Some(label) = rule.child("settings").and_then(|settings| label(settings, reader))
            && let Some(scale) = label.scale.and(scale)
        {
            found.push(Label { filter: filter.clone(), scale, ..label });
        }
        rules(rule, filter.as_ref(), scale, reader, found);
    }
}

fn label(settings: &Element, reader: &mut Reader) -> Option<Label> {
    let style = settings.child("text-style")?;
    let name = style.attribute("fieldName").unwrap_or_default();
    let text = match style.attribute("isExpression") {
        Some("1" | "true") => match expression::pieces(name) {
            Ok(text) => text,
            Err(reason) => {
                reader.lose(&format!("leur texte « {} » n'est pas repris ({reason}) : elles ne sont pas écrites", shown(name)));
                return None;
            }
        },
        _ => vec![Piece::Field(name.to_owned())],
    };
    if name.is_empty() {
        return None;
    }
    let named = style.attribute("namedStyle").unwrap_or_default().to_lowercase();
    // Qt's 50 is normal and 75 bold; QGIS 3.28 and later also say it outright.
    let weight = number(style, "fontWeight").unwrap_or(50.0);
    let size = number(style, "fontSize").unwrap_or(10.0);
    let mut label = Label {
        family: style.attribute("fontFamily").unwrap_or_default().to_owned(),
        is_bold: weight > 62.0 || style.attribute("forcedBold") == Some("1") || named.contains("bold") || named.contains("gras"),
        is_italic: style.attribute("fontItalic") == Some("1")
            || style.attribute("forcedItalic") == Some("1")
            || named.contains("italic")
            || named.contains("oblique"),
        size: length(size, style.attribute("fontSizeUnit").unwrap_or("Point"), reader),
        colour: faded(style, "textColor", "textOpacity", Colour::BLACK),
        ..Label::plain(text)
    };
    decoration(settings, style, &mut label, reader);
    if let Some(placement) = settings.child("placement") {
        place(placement, &mut label, reader);
    }
    if let Some(rendering) = settings.child("rendering") {
        if rendering.attribute("scaleVisibility") == Some("1") {
            label.scale = ScaleRange::of_qgis(number(rendering, "scaleMin"), number(rendering, "scaleMax"));
        }
        label.is_forced = rendering.attribute("displayAll") == Some("1");
    }
    Some(label)
}

fn faded(element: &Element, colour: &str, opacity: &str, default: Colour) -> Colour {
    let found = element.attribute(colour).and_then(Colour::from_qgis).unwrap_or(default);
    found.faded(number(element, opacity).unwrap_or(1.0))
}

/// The halo, and what has no equal.
fn decoration(settings: &Element, style: &Element, label: &mut Label, reader: &mut Reader) {
    let child = |name: &str| style.child(name).or_else(|| settings.child(name));
    if let Some(buffer) = child("text-buffer")
        && buffer.attribute("bufferDraw") == Some("1")
    {
        let width = length(number(buffer, "bufferSize").unwrap_or(1.0), buffer.attribute("bufferSizeUnits").unwrap_or("MM"), reader);
        label.halo = Some((faded(buffer, "bufferColor", "bufferOpacity", Colour::WHITE), width));
    }
    let drawn = |name: &str, flag: &str| child(name).is_some_and(|element| element.attribute(flag) == Some("1"));
    for (element, flag, what) in
        [("background", "shapeDraw", "l'arrière-plan"), ("shadow", "shadowDraw", "l'ombre"), ("callout", "enabled", "le trait de rappel")]
    {
        if drawn(element, flag) {
            reader.lose(&format!("{what} n'est pas repris"));
        }
    }
    if !matches!(style.attribute("capitalization"), None | Some("0")) {
        reader.lose("le changement de casse n'est pas repris");
    }
    let defined = defined(settings);
    if !defined.is_empty() {
        reader.lose(&format!("les propriétés définies par des données ne sont pas reprises ({})", shown(&defined.join(", "))));
    }
}

/// Modes of placement as QGIS numbers them.
fn place(placement: &Element, label: &mut Label, reader: &mut Reader) {
    label.placement = match placement.attribute("placement") {
        Some("2" | "3" | "7") => Placement::Line,
        Some("1") => Placement::Point(quadrant(placement.attribute("quadOffset"))),
        // Around the point: the first place that QGIS tries is to the right above; a web map tries one place alone.
        Some("0" | "6") if placement.attribute("layerType") == Some("PointGeometry") => Placement::Point(Anchor::BottomLeft),
        _ => Placement::Point(Anchor::Centre),
    };
    let unit = placement.attribute("offsetUnits").unwrap_or("MM");
    let mut shift = |name: &str| match number(placement, name) {
        Some(value) if value != 0.0 => length(value, unit, reader),
        _ => Length::ZERO,
    };
    label.displacement = (shift("xOffset"), shift("yOffset"));
    label.angle_deg = number(placement, "rotationAngle").unwrap_or(0.0);
}

/// The quadrants over the point, row by row: the text lies there, so the point touches its other side.
fn quadrant(offset: Option<&str>) -> Anchor {
    match offset {
        Some("0") => Anchor::BottomRight,
        Some("1") => Anchor::Bottom,
        Some("2") => Anchor::BottomLeft,
        Some("3") => Anchor::Right,
        Some("5") => Anchor::Left,
        Some("6") => Anchor::TopRight,
        Some("7") => Anchor::Top,
        Some("8") => Anchor::TopLeft,
        _ => Anchor::Centre,
    }
}
