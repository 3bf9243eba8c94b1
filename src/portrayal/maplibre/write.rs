//! A style as layers of a web map, and layers as a whole document.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::portrayal::Style;
use crate::portrayal::losses;
use crate::portrayal::losses::Losses;
use crate::portrayal::losses::shown;
use crate::portrayal::maplibre::classes;
use crate::portrayal::maplibre::classes::Drawn;
use crate::portrayal::maplibre::classes::Run;
use crate::portrayal::maplibre::expression;
use crate::portrayal::maplibre::paint;
use crate::portrayal::maplibre::text;
use crate::portrayal::scale::Latitude;
use crate::portrayal::scale::Length;
use crate::portrayal::scale::ScaleRange;
use crate::portrayal::sprite::Image;
use crate::portrayal::sprite::Picture;
use crate::portrayal::symbol::Dimension;
use crate::query::filter::Filter;

/// The furthest that MapLibre zooms.
const ZOOM_MAX: f64 = 24.0;

/// Keys of ours in `metadata` of a layer: what it is called in the legend, alone or class by class.
pub const TITLE_KEY: &str = "bocage:title";
pub const CLASSES_KEY: &str = "bocage:classes";

/// What the layers of a style are written for.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// Begins the ids of layers and the names of pictures.
    pub layer_id: &'a str,
    pub source: &'a str,
    pub source_layer: &'a str,
    /// The tiles' layer of one point a polygon or line, where there is one.
    pub label_layer: Option<&'a str>,
    pub dimension: Dimension,
    /// Of the data, so that scales and lengths on the ground are those of the place.
    pub latitude: Latitude,
}

#[derive(Clone, Debug, Default)]
pub struct Written {
    /// From the bottom to the top.
    pub layers: Vec<Value>,
    pub images: Vec<Image>,
    /// What a web map cannot show; the reader's losses are not among them.
    pub losses: Losses,
}

/// Writes a style that is bound to its layer.
pub fn write(style: &Style, target: &Target<'_>) -> Written {
    let mut writer = Writer { target: *target, written: Written::default() };
    let drawn = style.rules.iter().filter_map(|rule| {
        let condition = writer.condition(&rule.title, rule.filter.as_ref(), &rule.unless)?;
        Some(Drawn { rule, condition })
    });
    let runs = classes::runs(drawn.collect());
    let mut order: Vec<(i32, usize, usize)> = Vec::new();
    for (at, run) in runs.iter().enumerate() {
        order.extend(run.first().symbol.iter().enumerate().map(|(part, symbol)| (symbol.level, at, part)));
    }
    order.sort_by_key(|(level, ..)| *level);
    for (_, at, part) in order {
        paint::part(&runs[at], part, &mut writer);
    }
    for label in &style.labels {
        text::label(label, &mut writer);
    }
    writer.written
}

pub struct Writer<'a> {
    pub target: Target<'a>,
    pub written: Written,
}

/// A layer before it has a name.
pub struct Draft {
    pub kind: &'static str,
    pub source_layer: String,
    pub filter: Option<Value>,
    pub scale: ScaleRange,
    pub layout: Map<String, Value>,
    pub paint: Map<String, Value>,
    pub metadata: Map<String, Value>,
}

impl Writer<'_> {
    /// What a feature meets to be drawn, `Some(None)` where every feature is; `None` where a web map cannot say it.
    pub fn condition(&mut self, title: &str, filter: Option<&Filter>, unless: &[Filter]) -> Option<Option<Value>> {
        let own = filter.map(expression::truth);
        let others = unless.iter().map(|filter| expression::truth(filter).map(|truth| json!(["!", truth])));
        match own.into_iter().chain(others).collect::<Result<Vec<Value>, String>>() {
            Ok(parts) => Some(expression::all("all", parts)),
            Err(word) => {
                let (title, word) = (losses::rule(title), shown(&word));
                self.lose(format!("{title} : son filtre ({word}) n'a pas d'équivalent dans une carte web : elle n'y est pas dessinée"));
                None
            }
        }
    }

    pub fn lose(&mut self, sentence: String) {
        self.written.losses.note(sentence);
    }

    /// The name of a picture; equal pictures have one name.
    pub fn image(&mut self, picture: Picture) -> String {
        let images = &mut self.written.images;
        if let Some(known) = images.iter().find(|image| image.picture == picture) {
            return known.name.clone();
        }
        let name = format!("{}-{}", self.target.layer_id, images.len() + 1);
        images.push(Image { name: name.clone(), picture });
        name
    }

    /// A length in pixels, class by class; one on the ground grows with the zoom.
    pub fn length<'r>(&self, run: &Run<'r>, length: impl Fn(&'r crate::portrayal::rule::Rule) -> Length) -> Value {
        let is_ground = run.all.iter().any(|drawn| matches!(length(drawn.rule), Length::GroundMetres(_)));
        let at = |zoom: f64| run.pick(|rule| rounded(length(rule).px(self.target.latitude.metres_per_pixel(zoom))));
        if is_ground { json!(["interpolate", ["exponential", 2], ["zoom"], 0, at(0.0), ZOOM_MAX, at(ZOOM_MAX)]) } else { at(0.0) }
    }

    pub fn add(&mut self, draft: Draft) {
        let latitude = self.target.latitude;
        let zoom =
            |denominator: f64, open: f64| if denominator > 0.0 && denominator.is_finite() { latitude.zoom(denominator) } else { open };
        let (from, to) = (zoom(draft.scale.max, 0.0), zoom(draft.scale.min, ZOOM_MAX + 1.0));
        if from >= ZOOM_MAX || to <= 0.0 {
            return self.lose("une règle ne vaut qu'à des échelles qu'une carte web n'atteint pas : elle n'y est pas dessinée".to_owned());
        }
        let mut layer = Map::new();
        layer.insert("id".to_owned(), json!(format!("{}-{}", self.target.layer_id, self.written.layers.len() + 1)));
        layer.insert("type".to_owned(), json!(draft.kind));
        layer.insert("source".to_owned(), json!(self.target.source));
        layer.insert("source-layer".to_owned(), json!(draft.source_layer));
        let mut part = |name: &str, value: Option<Value>| value.map(|value| layer.insert(name.to_owned(), value));
        let own = |map: Map<String, Value>| Some(map).filter(|map| !map.is_empty()).map(Value::Object);
        part("metadata", own(draft.metadata));
        part("minzoom", Some(from).filter(|zoom| *zoom > 0.0).map(rounded));
        part("maxzoom", Some(to).filter(|zoom| *zoom <= ZOOM_MAX).map(rounded));
        part("filter", draft.filter);
        part("layout", own(draft.layout));
        part("paint", own(draft.paint));
        self.written.layers.push(Value::Object(layer));
    }
}

/// Four decimals: a hundredth of what a screen can show.
pub fn rounded(value: f64) -> Value {
    let rounded = (value * 10_000.0).round() / 10_000.0;
    // Beyond it a double no longer holds every whole number.
    if rounded.fract() == 0.0 && rounded.abs() < 9e15 { json!(rounded as i64) } else { json!(rounded) }
}

/// Where a document finds its glyphs and its sprite sheet; absolute.
#[derive(Clone, Copy, Debug)]
pub struct Addresses<'a> {
    /// With `{fontstack}` and `{range}`.
    pub glyphs: &'a str,
    /// `None` where no layer names a picture.
    pub sprite: Option<&'a str>,
}

/// A source of vector tiles.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    pub id: &'a str,
    /// Of its TileJSON; absolute.
    pub url: &'a str,
}

/// A style that works as it stands.
pub fn document(name: &str, sources: &[Source<'_>], addresses: Addresses<'_>, layers: Vec<Value>) -> Value {
    let of = |source: &Source<'_>| (source.id.to_owned(), json!({ "type": "vector", "url": source.url }));
    let mut document = Map::new();
    document.insert("version".to_owned(), json!(8));
    document.insert("name".to_owned(), json!(name));
    document.insert("sources".to_owned(), Value::Object(sources.iter().map(of).collect()));
    if let Some(sprite) = addresses.sprite {
        document.insert("sprite".to_owned(), json!(sprite));
    }
    document.insert("glyphs".to_owned(), json!(addresses.glyphs));
    document.insert("layers".to_owned(), Value::Array(layers));
    Value::Object(document)
}
