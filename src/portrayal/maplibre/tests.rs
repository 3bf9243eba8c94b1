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
    Qml.read(document.as_bytes(), Latitude::EQUATOR).expect("a style")
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
    assert_eq!(layer["paint"]["circle-radius"], json!(["case", first, 3.5, second, 5.5, 5.5]));
    assert_eq!(layer["paint"]["circle-stroke-width"], 2);
}

#[test]
fn dashes_count_widths_and_what_caps_add() {
    for (cap, expected) in [("flat", json!([4, 2])), ("square", json!([5, 1])), ("round", json!([4, 2]))] {
        let style = qml("type='singleSymbol'", "", &[symbol("0", "SimpleLine", &format!("line_style=dash line_width=3 capstyle={cap}"))]);
        let layer = &layers(&style, Dimension::Lines)[0];
        assert_eq!(layer["paint"]["line-dasharray"], expected, "{cap}");
        assert!(write(&style, &target(Dimension::Lines)).losses.sentences()[0].contains("au bord de ses tuiles"), "{cap}");
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

/// Colours and classes come back from what is written.
fn round(style: &Style, dimension: Dimension) -> Style {
    let written = write(style, &target(dimension));
    let addresses = Addresses { glyphs: "http://x/{fontstack}/{range}", sprite: None };
    let document = document("voies", &[Source { id: "voies", url: "http://x/voies.json" }], addresses, written.layers);
    MapLibre.read(document.to_string().as_bytes(), Latitude::EQUATOR).expect("a style")
}

fn check_round(style: &Style, dimension: Dimension) {
    let read = round(style, dimension);
    assert!(read.losses.is_empty(), "{:?}", read.losses);
    assert_eq!(read.rules, style.rules);
    assert_eq!(read.labels, style.labels);
}

#[test]
fn categories_come_back() {
    let line = |name: &str, colour: &str| {
        symbol(
            name,
            "SimpleLine",
            &format!("line_color={colour} line_width=2 line_width_unit=Pixel joinstyle=miter line_style=dash capstyle=round"),
        )
    };
    let symbols = [line("0", "255,0,0,255"), line("1", "0,255,0,255"), line("2", "0,0,255,255")];
    let classes = "<categories><category value='a' symbol='0' label='Les A' type='string'/><category symbol='1' label='B et C'><val value='b' type='string'/><val value='c' type='string'/></category><category value='x' symbol='1' render='false' type='string'/><category value='' symbol='2' label='Autres'/></categories>";
    let mut style = qml("type='categorizedSymbol' attr='type'", classes, &symbols);
    let others = &mut style.rules[2].unless;
    // Values that are not drawn come behind those that are.
    others.sort_by_key(|filter| crate::query::cql2_text::write(filter).contains("'x'"));
    check_round(&style, Dimension::Lines);
}

#[test]
fn ranges_scales_and_ground_lengths_come_back() {
    let fill = |name: &str, colour: &str| {
        symbol(
            name,
            "SimpleFill",
            &format!("color={colour} outline_width=2 outline_width_unit=Pixel outline_color=1,2,3,255 joinstyle=round"),
        )
    };
    let ranges = "<ranges><range lower='1' upper='20' symbol='0' label='a'/><range lower='20' upper='39.5' symbol='1' label='b'/></ranges>";
    check_round(&qml("type='graduatedSymbol' attr='n'", ranges, &[fill("0", "255,0,0,255"), fill("1", "0,255,0,51")]), Dimension::Polygons);
    let rule = "<rules><rule symbol='0' label='près' scalemaxdenom='5000' filter='&quot;a&quot; &gt; 3 AND NOT (&quot;b&quot; = 1 OR &quot;c&quot; IS NULL)'/></rules>";
    let style = qml(
        "type='RuleRenderer'",
        rule,
        &[symbol("0", "SimpleLine", "line_width=10 line_width_unit=RenderMetersInMapUnits capstyle=flat joinstyle=miter")],
    );
    let read = round(&style, Dimension::Lines);
    let near = |a: f64, b: f64| (a - b).abs() <= 1e-3 * b.max(1.0);
    assert!(near(read.rules[0].scale.max, style.rules[0].scale.max));
    let crate::portrayal::symbol::Paint::Stroke(stroke) = &read.rules[0].symbol[0].paint else { panic!("a line") };
    assert!(matches!(stroke.width, crate::portrayal::scale::Length::GroundMetres(width) if near(width, 10.0)), "{:?}", stroke.width);
    assert_eq!(read.rules[0].filter.as_ref().map(crate::query::cql2_text::write).as_deref(), Some("a > 3 AND b <> 1 AND NOT c IS NULL"));
}

#[test]
fn circles_and_labels_come_back() {
    let style = qml(
        "type='singleSymbol'",
        "",
        &[symbol("0", "SimpleMarker", "size=8 size_unit=Pixel color=255,0,0,255 outline_width=2 outline_width_unit=Pixel joinstyle=miter")],
    );
    check_round(&style, Dimension::Points);
    let label = crate::portrayal::label::Label {
        size: crate::portrayal::scale::Length::Pixels(12.0),
        halo: Some((crate::portrayal::colour::Colour::WHITE, crate::portrayal::scale::Length::Pixels(1.5))),
        placement: crate::portrayal::label::Placement::Point(crate::portrayal::label::Anchor::Top),
        is_bold: true,
        ..crate::portrayal::label::Label::plain(vec![
            crate::portrayal::label::Piece::Field("nom".into()),
            crate::portrayal::label::Piece::Literal(" !".into()),
        ])
    };
    check_round(&Style { labels: vec![label], ..style }, Dimension::Polygons);
}

#[test]
fn documents_of_others_are_read() {
    let document = json!({ "version": 8, "name": "Fond", "layers": [
        { "id": "fond", "type": "background" },
        { "id": "bati", "type": "fill", "source": "t", "source-layer": "bati", "filter": ["all", ["==", "type", "dur"], ["!=", "etat", "ruine"], ["==", "$type", "Polygon"]],
          "paint": { "fill-color": { "stops": [[8, "#ff0000"], [12, "#00ff00"], [16, "#0000ff"]] }, "fill-outline-color": "hsl(0, 0%, 0%)" } },
        { "id": "noms", "type": "symbol", "source": "t", "source-layer": "bati", "layout": { "text-field": "{nom} ({code})" } },
        { "id": "rues", "type": "line", "source": "t", "source-layer": "rues" },
    ] });
    let style = MapLibre.read(document.to_string().as_bytes(), Latitude::EQUATOR).expect("a style");
    assert_eq!(style.title.as_deref(), Some("Fond"));
    let rule = &style.rules[0];
    assert_eq!(
        rule.filter.as_ref().map(crate::query::cql2_text::write).as_deref(),
        Some("type = 'dur' AND (etat <> 'ruine' OR etat IS NULL)")
    );
    assert!(
        matches!(&rule.symbol[0].paint, crate::portrayal::symbol::Paint::Fill(crate::portrayal::symbol::Fill::Solid(colour)) if colour.hex() == "#00ff00")
    );
    assert_eq!(style.labels[0].text.len(), 4);
    let sentences = style.losses.sentences().join("\n");
    for word in ["« fond »", "« fill-color » change avec le zoom", "« rues »"] {
        assert!(sentences.contains(word), "{word}: {sentences}");
    }
}

#[test]
fn what_is_no_document_is_refused() {
    for text in ["{", "{}", "{\"layers\":[]}", "{\"layers\":[{\"id\":\"a\",\"type\":\"background\"}]}"] {
        assert!(MapLibre.read(text.as_bytes(), Latitude::EQUATOR).is_err(), "{text}");
    }
    let deep = format!(
        "{{\"layers\":[{{\"id\":\"a\",\"source-layer\":\"a\",\"type\":\"fill\",\"filter\":{}true{}}}]}}",
        "[\"!\",".repeat(100),
        "]".repeat(100)
    );
    assert!(MapLibre.read(deep.as_bytes(), Latitude::EQUATOR).expect("a style").losses.sentences()[0].contains("filtre"));
}
