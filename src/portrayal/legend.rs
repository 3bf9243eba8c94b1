//! The legend of a style: what each symbol means, as a list and as a picture (SVG 1.1).

use crate::portrayal::Style;
use crate::portrayal::colour::Colour;
use crate::portrayal::outline::Step;
use crate::portrayal::outline::outline;
use crate::portrayal::sprite::mark_of;
use crate::portrayal::symbol::Cap;
use crate::portrayal::symbol::Dimension;
use crate::portrayal::symbol::Fill;
use crate::portrayal::symbol::Hatch;
use crate::portrayal::symbol::Join;
use crate::portrayal::symbol::Marker;
use crate::portrayal::symbol::Paint;
use crate::portrayal::symbol::Part;
use crate::portrayal::symbol::Place;
use crate::portrayal::symbol::Stroke;
use crate::xml;
use crate::xml::Element;

#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub title: String,
    pub symbol: Vec<Part>,
}

/// One entry a rule that draws something, in the style's order; equal ones once. A symbol without a name is called
/// `layer_title`.
pub fn entries(style: &Style, layer_title: &str) -> Vec<Entry> {
    let mut found: Vec<Entry> = Vec::new();
    for rule in style.rules.iter().filter(|rule| !rule.symbol.is_empty()) {
        let title = if rule.title.is_empty() { layer_title } else { &rule.title };
        let entry = Entry { title: title.to_owned(), symbol: rule.symbol.clone() };
        if !found.contains(&entry) {
            found.push(entry);
        }
    }
    found
}

/// Of a sample and its row.
const SAMPLE_PX: (f64, f64) = (32.0, 18.0);
const ROW_PX: f64 = 26.0;
const MARGIN_PX: f64 = 6.0;
const TEXT_PX: f64 = 13.0;

/// A sign of a wide sans serif face, in capitals: the picture must hold the longest title, whatever face the reader has.
const SIGN_PX: f64 = TEXT_PX * 0.75;

/// A length on the ground is drawn as if a pixel were a metre.
const METRES_PER_PIXEL: f64 = 1.0;

/// A legend on a white ground, sample by sample.
pub fn svg(entries: &[Entry], dimension: Dimension) -> String {
    let longest = entries.iter().map(|entry| entry.title.chars().count()).max().unwrap_or(0);
    let width = (3.0 * MARGIN_PX + SAMPLE_PX.0 + longest as f64 * SIGN_PX).ceil();
    let height = 2.0 * MARGIN_PX + entries.len() as f64 * ROW_PX;
    let mut drawing = Drawing { definitions: Vec::new(), dimension };
    let mut rows = Vec::new();
    for (at, entry) in entries.iter().enumerate() {
        let top = MARGIN_PX + at as f64 * ROW_PX + (ROW_PX - SAMPLE_PX.1) / 2.0;
        let sample = Element::new("g").with_attribute("transform", format!("translate({} {})", short(MARGIN_PX), short(top)));
        rows.push(sample.with_all(entry.symbol.iter().flat_map(|part| drawing.part(part)).collect::<Vec<Element>>()));
        let text = Element::text_of("text", entry.title.as_str())
            .with_attribute("x", short(2.0 * MARGIN_PX + SAMPLE_PX.0))
            .with_attribute("y", short(top + SAMPLE_PX.1 / 2.0 + TEXT_PX * 0.35));
        rows.push(text);
    }
    let ground = Element::new("rect").with_attribute("width", "100%").with_attribute("height", "100%").with_attribute("fill", "#ffffff");
    let root = Element::new("svg")
        .with_attribute("xmlns", "http://www.w3.org/2000/svg")
        .with_attribute("width", short(width))
        .with_attribute("height", short(height))
        .with_attribute("viewBox", format!("0 0 {} {}", short(width), short(height)))
        .with_attribute("font-family", "Noto Sans, DejaVu Sans, sans-serif")
        .with_attribute("font-size", short(TEXT_PX));
    let definitions = drawing.definitions;
    let root = if definitions.is_empty() { root } else { root.with(Element::new("defs").with_all(definitions)) };
    xml::write(&root.with(ground).with_all(rows))
}

struct Drawing {
    definitions: Vec<Element>,
    dimension: Dimension,
}

impl Drawing {
    fn part(&mut self, part: &Part) -> Vec<Element> {
        let (width, height) = SAMPLE_PX;
        match &part.paint {
            Paint::Fill(fill) => vec![self.fill(fill)],
            Paint::Stroke(stroke) if self.dimension == Dimension::Polygons || self.dimension == Dimension::Mixed => {
                vec![stroked(boxed("none".to_owned(), None), stroke)]
            }
            Paint::Stroke(stroke) => {
                let line = Element::new("path").with_attribute("d", format!("M0 {}H{}", short(height / 2.0), short(width)));
                vec![stroked(line.with_attribute("fill", "none"), stroke)]
            }
            Paint::Marker(marker, place) => {
                let (left, right) = (width / 4.0, width * 3.0 / 4.0);
                let at: &[f64] = match place {
                    Place::Point => &[width / 2.0],
                    Place::Along { .. } | Place::Vertices { .. } => &[left, right],
                    Place::First { .. } => &[0.0],
                    Place::Last { .. } => &[width],
                };
                at.iter().map(|x| self::marker(marker, *x, height / 2.0)).collect()
            }
        }
    }

    fn fill(&mut self, fill: &Fill) -> Element {
        let definition = match fill {
            Fill::Solid(colour) => return boxed(colour.hex(), Some(colour.opacity)),
            Fill::Hatch(hatch) => hatch_pattern(hatch),
            Fill::Markers { marker, step_x, step_y } => {
                let (x, y) = (step_x.px(METRES_PER_PIXEL).max(1.0), step_y.px(METRES_PER_PIXEL).max(1.0));
                pattern(x, y).with(self::marker(marker, x / 2.0, y / 2.0))
            }
        };
        let id = format!("p{}", self.definitions.len() + 1);
        self.definitions.push(definition.with_attribute("id", id.clone()));
        boxed(format!("url(#{id})"), None)
    }
}

fn boxed(fill: String, opacity: Option<f64>) -> Element {
    let (width, height) = SAMPLE_PX;
    let element = Element::new("rect").with_attribute("width", short(width)).with_attribute("height", short(height));
    let element = element.with_attribute("fill", fill);
    match opacity.filter(|opacity| *opacity < 1.0) {
        Some(opacity) => element.with_attribute("fill-opacity", short(opacity)),
        None => element,
    }
}

fn pattern(width: f64, height: f64) -> Element {
    let pattern = Element::new("pattern").with_attribute("patternUnits", "userSpaceOnUse");
    pattern.with_attribute("width", short(width)).with_attribute("height", short(height))
}

/// Level lines, turned: SVG turns clockwise, a hatch counter-clockwise.
fn hatch_pattern(hatch: &Hatch) -> Element {
    let spacing = hatch.spacing.px(METRES_PER_PIXEL).max(1.0);
    let line = Element::new("path").with_attribute("d", format!("M0 {y}H{spacing}", y = short(spacing / 2.0), spacing = short(spacing)));
    let turned = pattern(spacing, spacing).with_attribute("patternTransform", format!("rotate({})", short(-hatch.angle_deg)));
    turned.with(stroked(line, &Stroke::solid(hatch.colour, hatch.width)))
}

fn stroked(element: Element, stroke: &Stroke) -> Element {
    let mut element = element.with_attribute("stroke", stroke.colour.hex());
    let mut set = |name: &str, value: String| element.attributes.push((name.to_owned(), value));
    set("stroke-width", short(stroke.width.px(METRES_PER_PIXEL)));
    if stroke.colour.opacity < 1.0 {
        set("stroke-opacity", short(stroke.colour.opacity));
    }
    if !stroke.dashes.is_empty() {
        let dashes: Vec<String> = stroke.dashes.iter().map(|dash| short(dash.px(METRES_PER_PIXEL))).collect();
        set("stroke-dasharray", dashes.join(" "));
    }
    match stroke.cap {
        Cap::Butt => {}
        Cap::Round => set("stroke-linecap", "round".to_owned()),
        Cap::Square => set("stroke-linecap", "square".to_owned()),
    }
    match stroke.join {
        Join::Mitre => {}
        Join::Round => set("stroke-linejoin", "round".to_owned()),
        Join::Bevel => set("stroke-linejoin", "bevel".to_owned()),
    }
    element
}

fn marker(marker: &Marker, x: f64, y: f64) -> Element {
    let mark = mark_of(&marker.shape);
    let size = marker.size.px(METRES_PER_PIXEL);
    let point = |x: f64, y: f64| format!("{} {}", short(x * size), short(y * size));
    let step = |step: Step| match step {
        Step::Move(x, y) => format!("M{}", point(x, y)),
        Step::Line(x, y) => format!("L{}", point(x, y)),
        Step::Curve(a, b, end) => format!("C{} {} {}", point(a.0, a.1), point(b.0, b.1), point(end.0, end.1)),
        Step::Close => "Z".to_owned(),
    };
    let path: String = outline(mark).into_iter().map(step).collect();
    let turned = if marker.angle_deg == 0.0 { String::new() } else { format!(" rotate({})", short(marker.angle_deg)) };
    let fill: Option<Colour> = marker.fill.filter(|_| !mark.is_open());
    let element = Element::new("path")
        .with_attribute("d", path)
        .with_attribute("transform", format!("translate({} {}){turned}", short(x), short(y)))
        .with_attribute("fill", fill.map_or_else(|| "none".to_owned(), Colour::hex));
    let element = match fill.filter(|fill| fill.opacity < 1.0) {
        Some(fill) => element.with_attribute("fill-opacity", short(fill.opacity)),
        None => element,
    };
    match &marker.outline {
        Some(outline) => stroked(element, outline),
        None => element,
    }
}

/// Three decimals at most.
fn short(value: f64) -> String {
    let rounded = (value * 1000.0).round() / 1000.0;
    if rounded == 0.0 { "0".to_owned() } else { rounded.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::portrayal::rule::Rule;
    use crate::portrayal::scale::Length;

    fn style() -> Style {
        let solid = |colour| Paint::Fill(Fill::Solid(colour)).at_level(0);
        let hatch = Hatch { colour: Colour::BLACK, width: Length::Pixels(1.0), spacing: Length::Pixels(6.0), angle_deg: 45.0 };
        let rule = |title: &str, symbol: Vec<Part>| Rule { title: title.to_owned(), ..Rule::every(symbol) };
        let zone = rule("Zone <à bâtir> & co.", vec![solid(Colour::rgb(232, 160, 124).with_opacity(0.7))]);
        let hatched = rule("", vec![Paint::Fill(Fill::Hatch(hatch)).at_level(0)]);
        Style { rules: vec![zone.clone(), hatched, zone, rule("rien", Vec::new())], ..Style::default() }
    }

    #[test]
    fn each_symbol_has_one_entry_with_a_name() {
        let titles: Vec<String> = entries(&style(), "Zonage").into_iter().map(|entry| entry.title).collect();
        assert_eq!(titles, ["Zone <à bâtir> & co.", "Zonage"]);
    }

    #[test]
    fn the_picture_holds_every_sample_and_title() {
        let picture = svg(&entries(&style(), "Zonage"), Dimension::Polygons);
        let root = xml::parse(picture.as_bytes()).expect("XML");
        let texts: Vec<String> = root.children_named("text").map(Element::text).collect();
        assert_eq!(texts, ["Zone <à bâtir> & co.", "Zonage"]);
        let samples: Vec<&Element> = root.children_named("g").flat_map(Element::children).collect();
        assert_eq!((samples[0].attribute("fill"), samples[0].attribute("fill-opacity")), (Some("#e8a07c"), Some("0.7")));
        assert_eq!(samples[1].attribute("fill"), Some("url(#p1)"));
        assert_eq!(root.at(&["defs", "pattern"]).and_then(|pattern| pattern.attribute("patternTransform")), Some("rotate(-45)"));
        assert!(root.attribute("width").and_then(|width| width.parse::<f64>().ok()).is_some_and(|width| width > 200.0));
    }

    #[test]
    fn a_line_is_a_line_and_a_marker_its_shape() {
        let stroke = Stroke { dashes: vec![Length::Pixels(4.0), Length::Pixels(2.0)], ..Stroke::solid(Colour::BLACK, Length::Pixels(2.0)) };
        let marker = Marker { angle_deg: 30.0, ..Marker::circle(Length::Pixels(6.0), Colour::WHITE) };
        let symbol = vec![
            Paint::Stroke(stroke).at_level(0),
            Paint::Marker(marker, Place::Along { interval: Length::Pixels(9.0), is_turned: true }).at_level(0),
        ];
        let picture = svg(&[Entry { title: "x".into(), symbol }], Dimension::Lines);
        assert!(picture.contains("stroke-dasharray=\"4 2\"") && picture.matches("rotate(30)").count() == 2, "{picture}");
    }
}
