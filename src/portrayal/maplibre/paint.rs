//! Parts of symbols as layers of a web map.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::portrayal::colour::Colour;
use crate::portrayal::losses;
use crate::portrayal::losses::shown;
use crate::portrayal::maplibre::FADE_PX;
use crate::portrayal::maplibre::classes::Run;
use crate::portrayal::maplibre::expression::all;
use crate::portrayal::maplibre::write::CLASSES_KEY;
use crate::portrayal::maplibre::write::Draft;
use crate::portrayal::maplibre::write::TITLE_KEY;
use crate::portrayal::maplibre::write::Writer;
use crate::portrayal::maplibre::write::rounded;
use crate::portrayal::rule::Rule;
use crate::portrayal::scale::Length;
use crate::portrayal::sprite::Picture;
use crate::portrayal::symbol::Cap;
use crate::portrayal::symbol::Dimension;
use crate::portrayal::symbol::Fill;
use crate::portrayal::symbol::Join;
use crate::portrayal::symbol::Mark;
use crate::portrayal::symbol::Marker;
use crate::portrayal::symbol::Paint;
use crate::portrayal::symbol::Place;
use crate::portrayal::symbol::Shape;
use crate::portrayal::symbol::Stroke;

/// What repeats begins where MapLibre cuts it.
const PHASE: &str = "les tirets, hachures et symboles répétés gardent leur pas, mais une carte web les commence au bord de ses tuiles";

/// Pixels of the picture of a marker whose size is on the ground, which the map scales.
const GROUND_PICTURE_PX: f64 = 32.0;

/// Whether MapLibre draws the marker itself.
pub fn is_circle(marker: &Marker) -> bool {
    let is_plain = marker.outline.as_ref().is_none_or(|outline| outline.dashes.is_empty());
    marker.shape == Shape::Mark(Mark::Circle) && !marker.is_displaced() && is_plain
}

/// The part `nth` of every rule of the run.
pub fn part(run: &Run<'_>, nth: usize, writer: &mut Writer<'_>) {
    let dimension = writer.target.dimension;
    match (&run.first().symbol[nth].paint, dimension) {
        (Paint::Fill(_), Dimension::Points | Dimension::Lines) | (Paint::Stroke(_), Dimension::Points) => {
            let title = losses::rule(&run.first().title);
            writer.lose(format!("{title} : un élément de son symbole ne convient pas à la géométrie de la couche et n'est pas dessiné"));
        }
        (Paint::Fill(Fill::Solid(_)), _) => solid(run, nth, writer),
        (Paint::Fill(_), _) => pattern(run, nth, writer),
        (Paint::Stroke(stroke), _) => line(run, nth, stroke, writer),
        (Paint::Marker(_, place), _) => marker(run, nth, *place, writer),
    }
}

fn draft(kind: &'static str, run: &Run<'_>, geometry: Option<&str>, writer: &Writer<'_>) -> Draft {
    let is_mixed = writer.target.dimension == Dimension::Mixed;
    let geometry = geometry.filter(|_| is_mixed).map(|name| match name.strip_prefix('!') {
        Some(name) => json!(["!=", ["geometry-type"], name]),
        None => json!(["==", ["geometry-type"], name]),
    });
    // All others last, as the values of classes are written.
    let mut rules: Vec<&Rule> = run.all.iter().map(|drawn| drawn.rule).collect();
    rules.sort_by_key(|rule| rule.filter.is_none());
    let titles: Vec<&str> = rules.iter().map(|rule| rule.title.as_str()).collect();
    let mut metadata = Map::new();
    match titles.as_slice() {
        [""] => {}
        [title] => drop(metadata.insert(TITLE_KEY.to_owned(), json!(title))),
        titles => drop(metadata.insert(CLASSES_KEY.to_owned(), json!(titles))),
    }
    Draft {
        kind,
        source_layer: writer.target.source_layer.to_owned(),
        filter: all("all", geometry.into_iter().chain(run.filter()).collect()),
        scale: run.first().scale,
        layout: Map::new(),
        paint: Map::new(),
        metadata,
    }
}

fn set(map: &mut Map<String, Value>, name: &str, value: Value) {
    map.insert(name.to_owned(), value);
}

/// Writes `name` unless every class has what MapLibre takes for granted.
fn set_unless(map: &mut Map<String, Value>, name: &str, value: Value, default: Value) {
    if value != default {
        set(map, name, value);
    }
}

/// Colour and opacity apart, as MapLibre has them.
fn colour<'r>(draft: &mut Draft, prefix: &str, run: &Run<'r>, of: impl Fn(&'r Rule) -> Colour) {
    set(&mut draft.paint, &format!("{prefix}-color"), run.pick(|rule| json!(of(rule).hex())));
    set_unless(&mut draft.paint, &format!("{prefix}-opacity"), run.pick(|rule| rounded(of(rule).opacity)), json!(1));
}

fn solid(run: &Run<'_>, nth: usize, writer: &mut Writer<'_>) {
    let mut draft = draft("fill", run, Some("Polygon"), writer);
    colour(&mut draft, "fill", run, |rule| match rule.symbol[nth].paint {
        Paint::Fill(Fill::Solid(colour)) => colour,
        _ => Colour::BLACK.with_opacity(0.0),
    });
    writer.add(draft);
}

fn pattern(run: &Run<'_>, nth: usize, writer: &mut Writer<'_>) {
    let mut draft = draft("fill", run, Some("Polygon"), writer);
    let is_ground = |fill: &Fill| match fill {
        Fill::Hatch(hatch) => matches!(hatch.spacing, Length::GroundMetres(_)),
        Fill::Markers { step_x, .. } => matches!(step_x, Length::GroundMetres(_)),
        Fill::Solid(_) => false,
    };
    let name = run.pick(|rule| match &rule.symbol[nth].paint {
        Paint::Fill(fill) => {
            if is_ground(fill) {
                writer.lose(format!("{} : le motif en mètres au sol garde sa taille à l'écran", losses::rule(&rule.title)));
            }
            lose_pictures(fill, rule, writer);
            json!(writer.image(Picture::Tile(fill.clone())))
        }
        _ => json!(""),
    });
    set(&mut draft.paint, "fill-pattern", name);
    writer.lose(PHASE.to_owned());
    writer.add(draft);
}

fn lose_pictures(fill: &Fill, rule: &Rule, writer: &mut Writer<'_>) {
    if let Fill::Markers { marker, .. } = fill {
        lose_picture(marker, rule, writer);
    }
}

/// No file that a style names is opened.
fn lose_picture(marker: &Marker, rule: &Rule, writer: &mut Writer<'_>) {
    if let Shape::Picture(path) = &marker.shape {
        let path = if path.starts_with("base64:") { "incluse dans le style".to_owned() } else { format!("« {} »", shown(path)) };
        writer.lose(format!("{} : l'image {path} devient un losange", losses::rule(&rule.title)));
    }
}

fn line(run: &Run<'_>, nth: usize, first: &Stroke, writer: &mut Writer<'_>) {
    let mut draft = draft("line", run, Some("!Point"), writer);
    fn stroke(rule: &Rule, nth: usize) -> &Stroke {
        match &rule.symbol[nth].paint {
            Paint::Stroke(stroke) => stroke,
            _ => unreachable!("rules of a run have parts of one kind"),
        }
    }
    let cap = match first.cap {
        // Dashes are drawn with what their caps add to them.
        Cap::Square if first.dashes.is_empty() => Some("square"),
        Cap::Round => Some("round"),
        _ => None,
    };
    let join = match first.join {
        Join::Mitre => None,
        Join::Round => Some("round"),
        Join::Bevel => Some("bevel"),
    };
    cap.into_iter().for_each(|cap| set(&mut draft.layout, "line-cap", json!(cap)));
    join.into_iter().for_each(|join| set(&mut draft.layout, "line-join", json!(join)));
    colour(&mut draft, "line", run, |rule| stroke(rule, nth).colour);
    set_unless(&mut draft.paint, "line-width", writer.length(run, |rule| stroke(rule, nth).width), json!(1));
    set_unless(&mut draft.paint, "line-offset", writer.length(run, |rule| stroke(rule, nth).offset), json!(0));
    if let Some(dashes) = dashes(first) {
        set(&mut draft.paint, "line-dasharray", dashes);
        writer.lose(PHASE.to_owned());
    }
    if !first.dash_offset.is_zero() && !first.dashes.is_empty() {
        writer.lose(format!("{} : le décalage des tirets n'est pas repris dans une carte web", losses::rule(&run.first().title)));
    }
    writer.add(draft);
}

/// In widths of the line. A square cap, which MapLibre does not put on dashes, lengthens them by one width.
fn dashes(stroke: &Stroke) -> Option<Value> {
    let width = stroke.width.value();
    let capped = if stroke.cap == Cap::Square { 1.0 } else { 0.0 };
    let counts: Vec<f64> = stroke.dashes.iter().map(|dash| dash.value() / width).collect();
    // An odd list is read twice, as in SVG.
    let counts: Vec<f64> = if counts.len() % 2 == 1 { counts.iter().chain(&counts).copied().collect() } else { counts };
    let gaps: f64 = counts.iter().skip(1).step_by(2).map(|gap| (gap - capped).max(0.0)).sum();
    let is_plain = !counts.iter().all(|count| count.is_finite() && *count >= 0.0) || gaps <= 0.0;
    let each = |(at, count): (usize, &f64)| rounded(if at % 2 == 0 { count + capped } else { (count - capped).max(0.0) });
    (!is_plain).then(|| Value::Array(counts.iter().enumerate().map(each).collect()))
}

fn marker_of(rule: &Rule, nth: usize) -> &Marker {
    match &rule.symbol[nth].paint {
        Paint::Marker(marker, _) => marker,
        _ => unreachable!("rules of a run have parts of one kind"),
    }
}

fn marker(run: &Run<'_>, nth: usize, place: Place, writer: &mut Writer<'_>) {
    let (dimension, title) = (writer.target.dimension, losses::rule(&run.first().title));
    let is_circle = is_circle(marker_of(run.first(), nth));
    match (place, dimension) {
        (Place::Point, Dimension::Points) if is_circle => circle(run, nth, Some("Point"), writer),
        (Place::Point, Dimension::Mixed) if is_circle => circle(run, nth, Some("Point"), writer),
        (Place::Point, Dimension::Points | Dimension::Mixed) => icon(run, nth, place, "point", writer),
        (Place::Point, Dimension::Lines) => icon(run, nth, place, "line-center", writer),
        (Place::Point, Dimension::Polygons) if is_circle && writer.target.label_layer.is_some() => circle(run, nth, None, writer),
        (Place::Point, Dimension::Polygons) => icon(run, nth, place, "point", writer),
        (_, Dimension::Points) => {
            writer.lose(format!("{title} : un symbole le long d'une ligne ne convient pas à des points et n'est pas dessiné"));
        }
        (Place::Along { .. }, _) => icon(run, nth, place, "line", writer),
        // A circle layer draws every vertex of a line.
        (Place::Vertices { .. }, _) => {
            if !is_circle {
                writer.lose(format!("{title} : le symbole des sommets devient un rond dans une carte web"));
            }
            circle(run, nth, Some("!Point"), writer);
        }
        (Place::First { .. } | Place::Last { .. }, _) => {
            writer.lose(format!("{title} : le symbole du bout de la ligne n'a pas d'équivalent dans une carte web et n'y est pas dessiné"));
        }
    }
}

/// One point a polygon.
fn on_labels(draft: &mut Draft, writer: &Writer<'_>) {
    if let Some(label_layer) = writer.target.label_layer {
        label_layer.clone_into(&mut draft.source_layer);
    }
}

/// MapLibre's outline lies around the radius; that of QGIS and SLD lies on it.
fn circle(run: &Run<'_>, nth: usize, geometry: Option<&str>, writer: &mut Writer<'_>) {
    let mut draft = draft("circle", run, geometry, writer);
    if geometry.is_none() {
        on_labels(&mut draft, writer);
    }
    let marker = |rule| marker_of(rule, nth);
    let outline = |rule| marker(rule).outline.as_ref();
    let width = |rule| outline(rule).map_or(Length::ZERO, |outline| outline.width);
    let radius = |rule| match (marker(rule).size, width(rule)) {
        (Length::Pixels(size), Length::Pixels(width)) => Length::Pixels((size - width).max(0.0) / 2.0 + FADE_PX),
        (size, _) => size.times(0.5),
    };
    set(&mut draft.paint, "circle-radius", writer.length(run, radius));
    colour(&mut draft, "circle", run, |rule| marker(rule).fill.unwrap_or(Colour::BLACK.with_opacity(0.0)));
    if run.all.iter().any(|drawn| outline(drawn.rule).is_some()) {
        set(&mut draft.paint, "circle-stroke-width", writer.length(run, width));
        colour(&mut draft, "circle-stroke", run, |rule| outline(rule).map_or(Colour::BLACK.with_opacity(0.0), |outline| outline.colour));
    }
    writer.add(draft);
}

fn icon(run: &Run<'_>, nth: usize, place: Place, placement: &str, writer: &mut Writer<'_>) {
    let mut draft = draft("symbol", run, Some(if placement == "point" { "Point" } else { "!Point" }), writer);
    if writer.target.dimension == Dimension::Polygons && placement == "point" {
        on_labels(&mut draft, writer);
    }
    set_unless(&mut draft.layout, "symbol-placement", json!(placement), json!("point"));
    if let Place::Along { interval, is_turned } = place {
        // MapLibre keeps a pixel between symbols at least.
        set(&mut draft.layout, "symbol-spacing", rounded(interval.value().max(1.0)));
        writer.lose(PHASE.to_owned());
        set(&mut draft.layout, "icon-rotation-alignment", json!(if is_turned { "map" } else { "viewport" }));
        if matches!(interval, Length::GroundMetres(_)) {
            writer.lose(format!("{} : l'intervalle en mètres au sol est lu en pixels", losses::rule(&run.first().title)));
        }
    }
    let name = run.pick(|rule| {
        let marker = marker_of(rule, nth);
        lose_picture(marker, rule, writer);
        json!(writer.image(Picture::Marker(pictured(marker))))
    });
    set(&mut draft.layout, "icon-image", name);
    let ratio = |marker: &Marker| match marker.size {
        Length::Pixels(_) => Length::Pixels(1.0),
        Length::GroundMetres(size) => Length::GroundMetres(size / GROUND_PICTURE_PX),
    };
    set_unless(&mut draft.layout, "icon-size", writer.length(run, |rule| ratio(marker_of(rule, nth))), json!(1));
    set_unless(&mut draft.layout, "icon-offset", run.pick(|rule| shift(marker_of(rule, nth))), json!([0, 0]));
    set(&mut draft.layout, "icon-allow-overlap", json!(true));
    set(&mut draft.layout, "icon-ignore-placement", json!(true));
    writer.add(draft);
}

/// The marker as its picture shows it: in the middle, in pixels.
fn pictured(marker: &Marker) -> Marker {
    let size = match marker.size {
        Length::Pixels(size) => size,
        Length::GroundMetres(_) => GROUND_PICTURE_PX,
    };
    Marker { size: Length::Pixels(size), displacement: (Length::ZERO, Length::ZERO), ..marker.clone() }
}

/// The displacement turned with the marker, for MapLibre shifts before it turns, and the picture is turned already.
fn shift(marker: &Marker) -> Value {
    let (x, y) = (marker.displacement.0.value(), marker.displacement.1.value());
    let (sine, cosine) = marker.angle_deg.to_radians().sin_cos();
    let offset = json!([rounded(x * cosine - y * sine), rounded(x * sine + y * cosine)]);
    offset
}
