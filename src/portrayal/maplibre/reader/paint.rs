//! The properties of a layer as paints and labels.

use serde_json::Value;

use crate::portrayal::colour::Colour;
use crate::portrayal::font::FAMILY;
use crate::portrayal::label::Anchor;
use crate::portrayal::label::Label;
use crate::portrayal::label::Piece;
use crate::portrayal::label::Placement;
use crate::portrayal::losses::shown;
use crate::portrayal::maplibre::FADE_PX;
use crate::portrayal::maplibre::reader::Reader;
use crate::portrayal::maplibre::reader::value;
use crate::portrayal::scale::Length;
use crate::portrayal::symbol::Cap;
use crate::portrayal::symbol::Fill;
use crate::portrayal::symbol::Join;
use crate::portrayal::symbol::Marker;
use crate::portrayal::symbol::Paint;
use crate::portrayal::symbol::Place;
use crate::portrayal::symbol::Shape;
use crate::portrayal::symbol::Stroke;
use crate::query::filter::Filter;

/// What a layer draws of features in that case.
pub fn paints(layer: &Value, case: &Option<Filter>, reader: &mut Reader) -> Vec<Paint> {
    let mut at = At { layer, case, reader };
    match layer["type"].as_str().unwrap_or_default() {
        "fill" => at.fill(),
        "line" => at.line(),
        "circle" => at.circle(),
        "symbol" => at.icon(),
        other => {
            at.reader.lose(&format!("le type « {} » n'a pas d'équivalent et n'est pas repris", shown(other)));
            Vec::new()
        }
    }
}

/// A layer in one case.
struct At<'a> {
    layer: &'a Value,
    case: &'a Option<Filter>,
    reader: &'a mut Reader,
}

impl At<'_> {
    fn paint(&mut self, name: &str) -> Value {
        self.reader.property(self.layer, "paint", name, self.case)
    }

    fn layout(&mut self, name: &str) -> Value {
        self.reader.property(self.layer, "layout", name, self.case)
    }

    fn length(&mut self, part: &str, name: &str, default: f64) -> Length {
        self.reader.length(self.layer, part, name, self.case).unwrap_or(Length::Pixels(default))
    }

    /// MapLibre's colours are black where nothing is said.
    fn colour(&mut self, prefix: &str) -> Colour {
        let opacity = self.reader.number(self.layer, "paint", &format!("{prefix}-opacity"), self.case).unwrap_or(1.0);
        self.plain_colour(&format!("{prefix}-color")).unwrap_or(Colour::BLACK).faded(opacity)
    }

    fn plain_colour(&mut self, name: &str) -> Option<Colour> {
        let text = self.reader.text(self.layer, "paint", name, self.case)?;
        let colour = Colour::from_css(&text);
        if colour.is_none() {
            self.reader.lose(&format!("la couleur « {} » n'est pas comprise", shown(&text)));
        }
        colour
    }

    /// Properties without an equal.
    fn lose(&mut self, names: &[&str]) {
        for name in names {
            let is_set = |part: &str| !self.layer[part][name].is_null();
            if is_set("paint") || is_set("layout") {
                self.reader.lose(&format!("« {name} » n'est pas repris"));
            }
        }
    }

    fn fill(&mut self) -> Vec<Paint> {
        self.lose(&["fill-translate", "fill-pattern"]);
        if !self.layer["paint"]["fill-pattern"].is_null() {
            return Vec::new();
        }
        let mut paints = vec![Paint::Fill(Fill::Solid(self.colour("fill")))];
        let opacity = self.reader.number(self.layer, "paint", "fill-opacity", self.case).unwrap_or(1.0);
        let outline = self.plain_colour("fill-outline-color").map(|colour| Stroke::solid(colour.faded(opacity), Length::Pixels(1.0)));
        paints.extend(outline.map(Paint::Stroke));
        paints
    }

    fn line(&mut self) -> Vec<Paint> {
        self.lose(&["line-translate", "line-pattern", "line-gradient", "line-gap-width", "line-blur"]);
        let width = self.length("paint", "line-width", 1.0);
        let dashes = match self.paint("line-dasharray") {
            Value::Array(all) if all.iter().all(Value::is_number) => {
                all.iter().filter_map(Value::as_f64).map(|count| width.times(count)).collect()
            }
            _ => Vec::new(),
        };
        let cap = match self.layout("line-cap").as_str() {
            Some("round") => Cap::Round,
            Some("square") => Cap::Square,
            _ => Cap::Butt,
        };
        let join = match self.layout("line-join").as_str() {
            Some("round") => Join::Round,
            Some("bevel") => Join::Bevel,
            _ => Join::Mitre,
        };
        let (colour, offset) = (self.colour("line"), self.length("paint", "line-offset", 0.0));
        vec![Paint::Stroke(Stroke { colour, width, dashes, dash_offset: Length::ZERO, offset, cap, join })]
    }

    /// MapLibre's outline lies around the radius, this model's on it.
    fn circle(&mut self) -> Vec<Paint> {
        self.lose(&["circle-translate", "circle-blur"]);
        let width = self.length("paint", "circle-stroke-width", 0.0);
        let radius = self.length("paint", "circle-radius", 5.0);
        let size = match (radius, width) {
            (Length::Pixels(radius), Length::Pixels(width)) => Length::Pixels((2.0 * (radius - FADE_PX)).max(0.0) + width),
            (radius, _) => radius.times(2.0),
        };
        let outline = (!width.is_zero()).then(|| Stroke::solid(self.colour("circle-stroke"), width)).filter(Stroke::is_visible);
        let fill = Some(self.colour("circle")).filter(|fill| fill.is_visible());
        vec![Paint::Marker(Marker { fill, outline, ..Marker::circle(size, Colour::BLACK) }, Place::Point)]
    }

    /// The picture is known by its name alone.
    fn icon(&mut self) -> Vec<Paint> {
        // Of most sprite sheets.
        const ICON_PX: f64 = 16.0;
        let Some(name) = self.layout("icon-image").as_str().map(str::to_owned) else { return Vec::new() };
        self.lose(&["icon-translate"]);
        let size = self.length("layout", "icon-size", 1.0).times(ICON_PX);
        let angle_deg = self.layout("icon-rotate").as_f64().unwrap_or(0.0);
        let opacity = self.reader.number(self.layer, "paint", "icon-opacity", self.case).unwrap_or(1.0);
        let place = match self.layout("symbol-placement").as_str() {
            Some("line") => {
                let interval = self.length("layout", "symbol-spacing", 250.0);
                Place::Along { interval, is_turned: self.layout("icon-rotation-alignment") != "viewport" }
            }
            _ => Place::Point,
        };
        let marker = Marker { shape: Shape::Picture(name), angle_deg, ..Marker::circle(size, Colour::BLACK) };
        vec![Paint::Marker(marker.faded(opacity), place)]
    }
}

/// The label of a symbol layer; `None` where it has no text, or none that is understood.
pub fn label(layer: &Value, case: &Option<Filter>, reader: &mut Reader) -> Option<Label> {
    if layer["type"] != "symbol" || layer["layout"]["text-field"].is_null() {
        return None;
    }
    let field = value::choice(&layer["layout"]["text-field"]).ok()?;
    let mut text = Vec::new();
    if let Err(word) = pieces(field.value(case.as_ref()), 0, &mut text) {
        reader
            .lose(&format!("le texte des étiquettes n'est pas repris (« {} » sans équivalent) : elles ne sont pas écrites", shown(&word)));
        return None;
    }
    let mut at = At { layer, case, reader };
    at.lose(&["text-translate", "text-variable-anchor", "text-transform", "text-halo-blur"]);
    let face = at.layer["layout"]["text-font"][0].as_str().unwrap_or("Open Sans Regular").to_owned();
    let size = at.length("layout", "text-size", 16.0);
    let anchor = match at.layout("text-anchor") {
        Value::String(word) => Anchor::ALL.into_iter().find(|anchor| anchor.word() == word).unwrap_or(Anchor::Centre),
        _ => Anchor::Centre,
    };
    let is_line = at.layout("symbol-placement").as_str().is_some_and(|place| place.starts_with("line"));
    let offset = at.layout("text-offset");
    let shift = |axis: usize| offset.get(axis).and_then(Value::as_f64).map_or(Length::ZERO, |ems| size.times(ems));
    let halo = at.length("paint", "text-halo-width", 0.0);
    let around = at.plain_colour("text-halo-color").filter(|_| !halo.is_zero());
    Some(Label {
        family: face.trim_end_matches(" Regular").trim_end_matches(" Bold").replace(FAMILY, ""),
        is_bold: face.contains("Bold"),
        is_italic: face.contains("Italic") || face.contains("Oblique"),
        size,
        colour: at.colour("text"),
        halo: around.map(|colour| (colour, halo)),
        placement: if is_line { Placement::Line } else { Placement::Point(anchor) },
        angle_deg: at.layout("text-rotate").as_f64().unwrap_or(0.0),
        displacement: (shift(0), shift(1)),
        is_forced: at.layout("text-allow-overlap") == Value::Bool(true),
        ..Label::plain(text)
    })
}

/// Expressions in expressions; more is hostile.
const DEPTH_MAX: usize = 20;

/// `{name}` in a text is the older way to say `["get", "name"]`.
fn pieces(field: &Value, depth: usize, found: &mut Vec<Piece>) -> Result<(), String> {
    match field {
        Value::String(text) => {
            let mut rest = text.as_str();
            while let Some((before, name, after)) =
                rest.split_once('{').and_then(|(before, rest)| rest.split_once('}').map(|(name, after)| (before, name, after)))
            {
                found.extend((!before.is_empty()).then(|| Piece::Literal(before.to_owned())));
                found.push(Piece::Field(name.to_owned()));
                rest = after;
            }
            found.extend((!rest.is_empty()).then(|| Piece::Literal(rest.to_owned())));
            Ok(())
        }
        Value::Array(all) if depth < DEPTH_MAX => match (all.first().and_then(Value::as_str).unwrap_or_default(), &all[1..]) {
            ("get", [Value::String(name)]) => {
                found.push(Piece::Field(name.clone()));
                Ok(())
            }
            ("to-string" | "string", [inner]) => pieces(inner, depth + 1, found),
            ("concat", parts) => parts.iter().try_for_each(|part| pieces(part, depth + 1, found)),
            (word, _) => Err(word.to_owned()),
        },
        other => Err(other.to_string()),
    }
}
