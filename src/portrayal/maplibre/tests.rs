//! From small styles of QGIS to layers of a web map.

use serde_json::Value;
use serde_json::json;

use super::*;
use crate::portrayal::Style;
use crate::portrayal::StyleFormat;
use crate::portrayal::qml::Qml;
use crate::portrayal::scale::Latitude;
use crate::portrayal::symbol::Dimension;

pub fn qml(attributes: &str, classes: &str, symbols: &[String]) -> Style {
    let document = format!("<qgis><renderer-v2 {attributes}>{classes}<symbols>{}</symbols></renderer-v2></qgis>", symbols.concat());
    Qml.read(document.as_bytes()).expect("a style")
}

pub fn symbol(name: &str, class: &str, options: &str) -> String {
    let each = options.split_whitespace().filter_map(|pair| pair.split_once('='));
    let options: String = each.map(|(name, value)| format!("<Option name='{name}' value='{value}'/>")).collect();
    format!("<symbol name='{name}'><layer class='{class}'><Option type='Map'>{options}</Option></layer></symbol>")
}

pub fn target(dimension: Dimension) -> Target<'static> {
    Target {
        layer_id: "voies",
        source: "voies",
        source_layer: "voies",
        label_layer: Some("voies_label"),
        dimension,
        latitude: Latitude::EQUATOR,
    }
}

fn layers(style: &Style, dimension: Dimension) -> Vec<Value> {
    write(style, &target(dimension)).layers
}

#[test]
fn a_single_symbol_is_a_layer_a_part() {
    let style = qml(
        "type='singleSymbol'",
        "",
        &[symbol("0", "SimpleFill", "color=75,255,126,128 outline_color=255,7,11,255 outline_width=4 outline_width_unit=Pixel")],
    );
    assert_eq!(
        Value::Array(layers(&style, Dimension::Polygons)),
        json!([
            { "id": "voies-1", "type": "fill", "source": "voies", "source-layer": "voies", "paint": { "fill-color": "#4bff7e", "fill-opacity": 0.502 } },
            { "id": "voies-2", "type": "line", "source": "voies", "source-layer": "voies", "layout": { "line-join": "bevel" }, "paint": { "line-color": "#ff070b", "line-width": 4 } },
        ])
    );
}

#[test]
fn categories_are_one_layer_that_looks_the_colour_up() {
    let line = |name: &str, colour: &str| {
        symbol(name, "SimpleLine", &format!("line_color={colour} line_width=2 line_width_unit=Pixel capstyle=flat joinstyle=miter"))
    };
    let symbols = [line("0", "255,0,0,255"), line("1", "0,255,0,255"), line("2", "0,0,255,255")];
    let category = |value: &str, symbol: &str, render: &str| {
        format!("<category value='{value}' symbol='{symbol}' label='{value}' type='string' render='{render}'/>")
    };
    let classes = |all: &[String]| format!("<categories>{}</categories>", all.concat());
    let style = qml("type='categorizedSymbol' attr='type'", &classes(&[category("a", "0", "true"), category("b", "1", "true")]), &symbols);
    assert_eq!(
        Value::Array(layers(&style, Dimension::Lines)),
        json!([{
            "id": "voies-1", "type": "line", "source": "voies", "source-layer": "voies", "metadata": { "bocage:classes": ["a", "b"] },
            "filter": ["match", ["get", "type"], ["a", "b"], true, false],
            "paint": { "line-color": ["match", ["get", "type"], "a", "#ff0000", "b", "#00ff00", "#00ff00"], "line-width": 2 },
        }])
    );
    let style = qml(
        "type='categorizedSymbol' attr='type'",
        &classes(&[category("a", "0", "true"), category("x", "1", "false"), category("", "2", "true")]),
        &symbols,
    );
    let layer = &layers(&style, Dimension::Lines)[0];
    assert_eq!(layer["filter"], json!(["!", ["==", ["get", "type"], "x"]]));
    assert_eq!(layer["paint"]["line-color"], json!(["match", ["get", "type"], "a", "#ff0000", "#0000ff"]));
}

#[test]
fn ranges_are_one_layer_whose_colour_is_a_case() {
    let point = |name: &str, size: &str| {
        symbol(name, "SimpleMarker", &format!("size={size} size_unit=Pixel color=255,0,0,255 outline_width=2 outline_width_unit=Pixel"))
    };
    let ranges = "<ranges><range lower='1' upper='20' symbol='0' label='a'/><range lower='20' upper='39' symbol='1' label='b'/></ranges>";
    let style = qml("type='graduatedSymbol' attr='n'", ranges, &[point("0", "8"), point("1", "12")]);
    let layer = &layers(&style, Dimension::Points)[0];
    let within = |low: Value, high: Value| json!(["all", ["has", "n"], low, high]);
    let first = within(json!([">=", ["get", "n"], 1]), json!(["<=", ["get", "n"], 20]));
    let second = within(json!([">", ["get", "n"], 20]), json!(["<=", ["get", "n"], 39]));
    assert_eq!(layer["type"], "circle");
    assert_eq!(layer["filter"], json!(["any", first, second]));
    // The outline of two pixels lies on the radius of 4 and 6.
    assert_eq!(layer["paint"]["circle-radius"], json!(["case", first, 3, second, 5, 5]));
    assert_eq!(layer["paint"]["circle-stroke-width"], 2);
}

#[test]
fn dashes_count_widths_and_what_caps_add() {
    for (cap, expected) in [("flat", json!([4, 2])), ("square", json!([5, 1])), ("round", json!([4, 2]))] {
        let style = qml("type='singleSymbol'", "", &[symbol("0", "SimpleLine", &format!("line_style=dash line_width=3 capstyle={cap}"))]);
        let layer = &layers(&style, Dimension::Lines)[0];
        assert_eq!(layer["paint"]["line-dasharray"], expected, "{cap}");
    }
}

#[test]
fn scales_are_zooms() {
    let classes = "<rules><rule symbol='0' scalemindenom='1000' scalemaxdenom='25000'/></rules>";
    let style = qml("type='RuleRenderer'", classes, &[symbol("0", "SimpleLine", "line_width=1")]);
    let layer = &layers(&style, Dimension::Lines)[0];
    // QGIS at 1:25 000 draws 25 000 × 25.4 mm / 96 = 6.6146 m a pixel; MapLibre has 78 271.517 / 2^z.
    assert_eq!(layer["minzoom"], json!(13.5305));
    assert_eq!(layer["maxzoom"], json!(18.1744));
}

#[test]
fn lengths_on_the_ground_grow_with_the_zoom() {
    let style = qml("type='singleSymbol'", "", &[symbol("0", "SimpleLine", "line_width=10 line_width_unit=RenderMetersInMapUnits")]);
    let Value::Array(width) = &layers(&style, Dimension::Lines)[0]["paint"]["line-width"] else { panic!("an expression") };
    assert_eq!(width[..4], [json!("interpolate"), json!(["exponential", 2]), json!(["zoom"]), json!(0)]);
    assert!((width[6].as_f64().expect("a number") - 10.0 / 78_271.517 * 24f64.exp2()).abs() < 0.1);
}

#[test]
fn other_marks_and_hatches_are_pictures() {
    let style = qml(
        "type='singleSymbol'",
        "",
        &[symbol("0", "SimpleMarker", "name=square size=8 size_unit=Pixel angle=90 offset=3,0 offset_unit=Pixel")],
    );
    let written = write(&style, &target(Dimension::Points));
    assert_eq!(written.layers[0]["layout"]["icon-image"], "voies-1");
    assert_eq!(written.layers[0]["layout"]["icon-offset"], json!([0, 3]));
    assert_eq!(written.images.len(), 1);
    let style = qml("type='singleSymbol'", "", &[symbol("0", "SimpleFill", "style=horizontal outline_style=no")]);
    let written = write(&style, &target(Dimension::Polygons));
    assert_eq!(written.layers[0]["paint"], json!({ "fill-pattern": "voies-1" }));
}

#[test]
fn what_a_web_map_cannot_show_is_said() {
    let style = qml("type='singleSymbol'", "", &[symbol("0", "SvgMarker", "name=gpsicons/plane.svg")]);
    assert_eq!(
        write(&style, &target(Dimension::Points)).losses.sentences(),
        ["le symbole : l'image « gpsicons/plane.svg » devient un losange"]
    );
    let rule = "<rules><rule symbol='0' label='x' filter='\"a\" LIKE &quot;p&quot;'/></rules>"
        .replace("&quot;p&quot;", "&apos;a%b&apos;")
        .replace('"', "&quot;");
    let style = qml("type='RuleRenderer'", &rule, &[symbol("0", "SimpleLine", "line_width=1")]);
    let written = write(&style, &target(Dimension::Lines));
    assert!(written.layers.is_empty() && written.losses.sentences()[0].contains("LIKE 'a%b'"), "{:?} {:?}", style.losses, written.losses);
    assert!(!write(&style, &target(Dimension::Points)).losses.is_empty());
}
