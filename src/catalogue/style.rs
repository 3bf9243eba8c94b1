//! How a layer is drawn: its style bound to its fields, in every language that is served, its legend, its sprites.

use std::path::PathBuf;
use std::sync::OnceLock;

use serde_json::Value;
use serde_json::json;

use crate::catalogue::CatalogueError;
use crate::model::geometry::Envelope;
use crate::model::layer::Layer;
use crate::model::layer::LayerId;
use crate::portrayal;
use crate::portrayal::Style;
use crate::portrayal::StyleError;
use crate::portrayal::bind;
use crate::portrayal::default;
use crate::portrayal::legend;
use crate::portrayal::maplibre;
use crate::portrayal::maplibre::Addresses;
use crate::portrayal::maplibre::Source;
use crate::portrayal::maplibre::Target;
use crate::portrayal::maplibre::Written;
use crate::portrayal::scale::Latitude;
use crate::portrayal::sld;
pub use crate::portrayal::sld::SldVersion;
use crate::portrayal::sprite;
pub use crate::portrayal::sprite::Sheet;
use crate::portrayal::symbol::Dimension;
use crate::store::KeptStyle;

/// The format that is served as it was given, unless it speaks of columns that stay in.
pub const PASSED_THROUGH: &str = "qml";

/// A style as it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Original {
    /// `qml`, `sld`, `mapbox`.
    pub format: &'static str,
    /// Where the officer keeps it: « styles/zones.qml ».
    pub origin: String,
}

/// What a layer is drawn with.
pub struct LayerStyle {
    /// Bound: its fields are those that are published.
    pub style: Style,
    /// `None`: the default style.
    pub original: Option<Original>,
    /// Of the original's bytes, where they are served as they are.
    path: Option<PathBuf>,
    /// The original speaks of columns that stay in.
    is_private: bool,
    id: LayerId,
    title: String,
    dimension: Dimension,
    extent: Option<Envelope>,
    written: OnceLock<Written>,
    sheets: [OnceLock<Sheet>; SHARPNESSES],
}

/// Sprites are for screens of one pixel, and of two, to the style's.
pub const SHARPNESSES: usize = 2;

/// A style opens on a map of this size, as on a small tablet.
const MAP_PX: (f64, f64) = (600.0, 400.0);

/// Beyond it there is nothing more to see of a layer of one point.
const OPENING_ZOOM_MAX: f64 = 17.0;

impl LayerStyle {
    /// How a layer is drawn when nobody said how; `None` for a table, which is not drawn.
    pub fn by_default(layer: &Layer) -> Option<LayerStyle> {
        let dimension = Dimension::from(layer.geometry?.geometry_type);
        Some(LayerStyle::new(layer, dimension, default::style(&layer.id, dimension)))
    }

    /// A style of any language that is read, for a layer that has geometry.
    ///
    /// # Errors
    /// Where the bytes are no style.
    pub fn read(layer: &Layer, bytes: &[u8], origin: &str) -> Result<LayerStyle, StyleError> {
        let dimension = layer.geometry.map_or(Dimension::Mixed, |column| Dimension::from(column.geometry_type));
        let (format, style) = portrayal::read(bytes, latitude(layer.extent))?;
        let original = Original { format: format.id(), origin: origin.to_owned() };
        Ok(LayerStyle { original: Some(original), ..LayerStyle::new(layer, dimension, bind::bind(style, layer)) })
    }

    /// As it was kept: its bytes lie at `path`.
    pub(super) fn kept(self, path: PathBuf, kept: &KeptStyle) -> LayerStyle {
        let is_served = kept.format == PASSED_THROUGH && !kept.is_private;
        LayerStyle { path: is_served.then_some(path), is_private: kept.is_private, ..self }
    }

    fn new(layer: &Layer, dimension: Dimension, style: Style) -> LayerStyle {
        LayerStyle {
            style,
            original: None,
            path: None,
            is_private: false,
            id: layer.id.clone(),
            title: layer.title.clone(),
            dimension,
            extent: layer.extent,
            written: OnceLock::new(),
            sheets: Default::default(),
        }
    }

    /// What is not drawn as the style says, or not at all: in web maps, and by whoever reads the style from here. French
    /// sentences for the officer.
    pub fn losses(&self) -> Vec<String> {
        let mut losses = self.style.losses.clone();
        losses.extend(&self.written().losses);
        losses.sentences()
    }

    /// The same for everybody: names of classes stay in with their columns.
    pub fn losses_told(&self) -> Vec<String> {
        let dropped = "une partie du style dépend de colonnes qui ne sont pas publiées, et n'est pas dessinée";
        if self.is_private { vec![dropped.to_owned()] } else { self.losses() }
    }

    /// The bytes that were given, where they are served as they are; `None` otherwise.
    ///
    /// # Errors
    /// `Io`.
    pub fn passed_through(&self) -> Result<Option<Vec<u8>>, CatalogueError> {
        let Some(path) = self.path.as_ref() else { return Ok(None) };
        std::fs::read(path).map(Some).map_err(|source| CatalogueError::Io { path: path.clone(), source })
    }

    /// A whole document of MapLibre's style specification, whose sources, glyphs and sprites lie below `base` (absolute, no
    /// trailing slash). It opens on the layer.
    pub fn maplibre(&self, base: &str) -> Value {
        let (id, written) = (self.id.as_str(), self.written());
        let source = format!("{base}/tiles/{id}.json");
        let glyphs = format!("{base}/fonts/{{fontstack}}/{{range}}.pbf");
        let sprite = format!("{base}/sprites/{id}");
        let addresses = Addresses { glyphs: &glyphs, sprite: (!written.images.is_empty()).then_some(sprite.as_str()) };
        let mut document = maplibre::document(&self.title, &[Source { id, url: &source }], addresses, written.layers.clone());
        if let Some((lon, lat, zoom)) = self.extent.map(opening) {
            document["center"] = json!([lon, lat]);
            document["zoom"] = json!(zoom);
        }
        document
    }

    /// SLD, whose layer is called by the layer's id; and what that version cannot say, in French.
    pub fn sld(&self, version: SldVersion) -> (String, Vec<String>) {
        let written = sld::write(&self.style, self.id.as_str(), version);
        (written.document, written.losses.sentences())
    }

    /// Pictures that the layers of [`LayerStyle::maplibre`] name. `sharpness`: 1, or 2 for `@2x`.
    pub fn sprites(&self, sharpness: usize) -> &Sheet {
        let sharpness = sharpness.clamp(1, SHARPNESSES);
        self.sheets[sharpness - 1].get_or_init(|| sprite::sheet(&self.written().images, sharpness as u32))
    }

    /// What the symbols mean, from top to bottom.
    pub fn legend_titles(&self) -> Vec<String> {
        self.entries().into_iter().map(|entry| entry.title).collect()
    }

    /// The legend as a picture: SVG 1.1.
    pub fn legend_svg(&self) -> String {
        legend::svg(&self.entries(), self.dimension)
    }

    fn entries(&self) -> Vec<legend::Entry> {
        legend::entries(&self.style, &self.title)
    }

    fn written(&self) -> &Written {
        self.written.get_or_init(|| {
            let id = self.id.as_str();
            let label_layer = format!("{id}_label");
            let has_label_layer = matches!(self.dimension, Dimension::Polygons | Dimension::Lines);
            let target = Target {
                layer_id: id,
                source: id,
                source_layer: id,
                label_layer: has_label_layer.then_some(label_layer.as_str()),
                dimension: self.dimension,
                latitude: latitude(self.extent),
            };
            maplibre::write(&self.style, &target)
        })
    }
}

/// Where the layer lies, so that its scales are those that the officer saw there.
fn latitude(extent: Option<Envelope>) -> Latitude {
    extent.map_or(Latitude::EQUATOR, |extent| Latitude::degrees(middle(extent).1))
}

fn middle(extent: Envelope) -> (f64, f64) {
    ((extent.west + extent.east) / 2.0, (extent.south + extent.north) / 2.0)
}

/// Middle, and the zoom at which everything is seen; six and one decimals.
fn opening(extent: Envelope) -> (f64, f64, f64) {
    let (lon, lat) = middle(extent);
    // At zoom 0 the world is 512 pixels wide; Web Mercator stretches a degree northwards by the secant of the latitude.
    let fits = |degrees: f64, pixels: f64| if degrees > 0.0 { (pixels * 360.0 / (512.0 * degrees)).log2() } else { OPENING_ZOOM_MAX };
    let across = fits(extent.east - extent.west, MAP_PX.0);
    let along = fits((extent.north - extent.south) / lat.to_radians().cos().max(0.01), MAP_PX.1);
    let zoom = across.min(along).clamp(0.0, OPENING_ZOOM_MAX);
    ((lon * 1e6).round() / 1e6, (lat * 1e6).round() / 1e6, (zoom * 10.0).floor() / 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::crs::CRS84;
    use crate::portrayal::StyleFormat;

    fn layer(geometry: &str) -> Layer {
        let field = json!({ "name": "nature", "source_name": "NATURE", "title": "Nature", "field_type": "text" });
        let geometry = if geometry.is_empty() { Value::Null } else { json!({ "geometry_type": geometry, "has_z": false, "has_m": false }) };
        let extent = json!({ "west": -2.0, "south": 48.0, "east": -1.9, "north": 48.1 });
        let layer = json!({ "id": "zones", "title": "Zones", "abstract": "", "fields": [field], "geometry": geometry, "crs": CRS84, "id_kind": "integer", "features": 3, "extent": extent });
        serde_json::from_value(layer).expect("a layer")
    }

    const SLD: &str = "<StyledLayerDescriptor version='1.0.0'><NamedLayer><UserStyle><FeatureTypeStyle>
        <Rule><Title>Forêt</Title><Filter><PropertyIsEqualTo><PropertyName>NATURE</PropertyName><Literal>foret</Literal></PropertyIsEqualTo></Filter>
        <PolygonSymbolizer><Fill><GraphicFill><Graphic><Mark><WellKnownName>shape://slash</WellKnownName></Mark><Size>8</Size></Graphic></GraphicFill></Fill></PolygonSymbolizer></Rule>
        <Rule><Title>Autre</Title><Filter><PropertyIsEqualTo><PropertyName>SECRET</PropertyName><Literal>x</Literal></PropertyIsEqualTo></Filter>
        <PolygonSymbolizer><Fill/></PolygonSymbolizer></Rule></FeatureTypeStyle></UserStyle></NamedLayer></StyledLayerDescriptor>";

    #[test]
    fn a_style_is_bound_and_says_what_it_lost() {
        let style = LayerStyle::read(&layer("MultiPolygon"), SLD.as_bytes(), "styles/zones.sld").expect("a style");
        assert_eq!(style.original, Some(Original { format: "sld", origin: "styles/zones.sld".to_owned() }));
        assert_eq!(style.legend_titles(), ["Forêt"]);
        assert!(style.losses().iter().any(|loss| loss.contains("« SECRET » n'est pas publié")), "{:?}", style.losses());
        assert!(style.passed_through().expect("asked").is_none());
        let document = style.maplibre("http://h");
        assert_eq!(document["sources"]["zones"]["url"], "http://h/tiles/zones.json");
        assert_eq!(document["sprite"], "http://h/sprites/zones");
        assert_eq!(document["glyphs"], "http://h/fonts/{fontstack}/{range}.pbf");
        assert_eq!(document["center"], json!([-1.95, 48.05]));
        for sharpness in [1, 2] {
            assert_eq!(style.sprites(sharpness).index["zones-1"]["pixelRatio"], sharpness);
        }
        let (document, _) = style.sld(SldVersion::V1_1);
        assert!(portrayal::sld::Sld.read(document.as_bytes(), Latitude::EQUATOR).is_ok());
        assert!(!document.contains("SECRET"));
    }

    #[test]
    fn without_a_style_everything_is_drawn_but_a_table() {
        let style = LayerStyle::by_default(&layer("Point")).expect("drawn");
        assert_eq!((style.original.as_ref(), style.legend_titles()), (None, vec!["Zones".to_owned()]));
        assert!(style.losses().is_empty());
        assert!(LayerStyle::by_default(&layer("")).is_none());
        assert!(LayerStyle::read(&layer("Point"), b"rouge", "").is_err());
    }

    #[test]
    fn a_map_opens_on_all_of_the_layer() {
        let (lon, lat, zoom) = opening(Envelope { west: -2.0, south: 48.0, east: -1.9, north: 48.1 });
        assert_eq!((lon, lat), (-1.95, 48.05));
        // 0.1° of latitude are 400 pixels at a cosine of two thirds.
        assert!((10.8..11.0).contains(&zoom), "{zoom}");
        assert_eq!(opening(Envelope { west: 1.0, south: 2.0, east: 1.0, north: 2.0 }).2, OPENING_ZOOM_MAX);
        assert_eq!(opening(Envelope { west: -180.0, south: -90.0, east: 180.0, north: 90.0 }).2, 0.2);
    }
}
