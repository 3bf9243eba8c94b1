//! Reads of small styles, a feature of QGIS each.

use super::*;
use crate::portrayal::colour::Colour;
use crate::portrayal::label::Label;
use crate::portrayal::scale::Latitude;
use crate::portrayal::scale::Length;
use crate::portrayal::symbol::Cap;
use crate::portrayal::symbol::Fill;
use crate::portrayal::symbol::Mark;
use crate::portrayal::symbol::Paint;
use crate::portrayal::symbol::Part;
use crate::portrayal::symbol::Place;
use crate::portrayal::symbol::Shape;
use crate::query::cql2_text;

fn read(inside: &str) -> Style {
    let document = format!("<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'><qgis version='3.36'>{inside}</qgis>");
    Qml.read(document.as_bytes(), Latitude::EQUATOR).expect("a style")
}

fn renderer(attributes: &str, inside: &str) -> Style {
    let symbols = ["0", "1", "2"].map(|name| line(name, name)).concat();
    read(&format!("<renderer-v2 {attributes}>{inside}<symbols>{symbols}</symbols></renderer-v2>"))
}

/// A line of that many pixels and one more.
fn line(name: &str, width: &str) -> String {
    symbol(name, "SimpleLine", &[("line_width", &format!("{width}.5")), ("line_width_unit", "Pixel"), ("line_color", "1,2,3,255")], "")
}

fn symbol(name: &str, class: &str, options: &[(&str, &str)], inside: &str) -> String {
    let options: String = options.iter().map(|(name, value)| format!("<Option name='{name}' value='{value}' type='QString'/>")).collect();
    format!(
        "<symbol name='{name}' alpha='1'><layer class='{class}' enabled='1' pass='0'><Option type='Map'>{options}</Option>{inside}</layer></symbol>"
    )
}

fn single(class: &str, options: &[(&str, &str)], inside: &str) -> Style {
    read(&format!("<renderer-v2 type='singleSymbol'><symbols>{}</symbols></renderer-v2>", symbol("0", class, options, inside)))
}

fn paints(style: &Style) -> Vec<Paint> {
    style.rules[0].symbol.iter().map(|part| part.paint.clone()).collect()
}

/// Each rule in words: title, filter, what is left out, width of its line.
fn told(style: &Style) -> Vec<(String, String, String, f64)> {
    let words = |filters: &[crate::query::filter::Filter]| filters.iter().map(cql2_text::write).collect::<Vec<String>>().join(" ; ");
    let width = |parts: &[Part]| match &parts[0].paint {
        Paint::Stroke(stroke) => stroke.width.value(),
        _ => -1.0,
    };
    style.rules.iter().map(|rule| (rule.title.clone(), words(rule.filter.as_slice()), words(&rule.unless), width(&rule.symbol))).collect()
}

fn row(title: &str, filter: &str, unless: &str, width: f64) -> (String, String, String, f64) {
    (title.to_owned(), filter.to_owned(), unless.to_owned(), width)
}

#[test]
fn categories_leave_all_others_to_the_one_without_a_value() {
    let style = renderer(
        "type='categorizedSymbol' attr='type'",
        "<categories>
           <category value='A' symbol='0' label='Les A' render='true' type='string'/>
           <category value='3' symbol='1' label='' render='false' type='integer'/>
           <category symbol='1' label='Deux'><val value='B' type='string'/><val value='C' type='string'/></category>
           <category value='' symbol='2' label='Autres' render='true'/>
         </categories>",
    );
    assert_eq!(
        told(&style),
        [
            row("Les A", "type = 'A'", "", 0.5),
            row("Deux", "type IN ('B', 'C')", "", 1.5),
            row("Autres", "", "type = 'A' ; type = 3 ; type IN ('B', 'C')", 2.5),
        ]
    );
    assert!(style.losses.is_empty());
}

#[test]
fn a_value_on_a_border_belongs_to_the_first_range() {
    let style = renderer(
        "type='graduatedSymbol' attr='&quot;pop&quot; / &quot;ha&quot;'",
        "<ranges><range lower='1.00' upper='20.0' symbol='0' label='a'/><range lower='20' upper='39.5' symbol='1' label='b'/></ranges>",
    );
    assert_eq!(
        told(&style),
        [row("a", "(pop / ha) >= 1 AND (pop / ha) <= 20", "", 0.5), row("b", "(pop / ha) > 20 AND (pop / ha) <= 39.5", "", 1.5)]
    );
}

#[test]
fn rules_draw_within_the_rules_above_them() {
    let style = renderer(
        "type='RuleRenderer'",
        "<rules key='r'>
           <rule filter='&quot;a&quot; = 1' symbol='0' label='un' scalemaxdenom='10000'>
             <rule filter='&quot;b&quot; &gt; 2' symbol='1' label='deux' scalemaxdenom='5000'/>
           </rule>
           <rule filter='ELSE' symbol='2' label='reste'/>
         </rules>",
    );
    assert_eq!(told(&style), [row("un", "a = 1", "", 0.5), row("deux", "a = 1 AND b > 2", "", 1.5), row("reste", "", "a = 1", 2.5),]);
    let ends: Vec<(f64, f64)> = style.rules.iter().map(|rule| (rule.scale.min.round(), rule.scale.max.round())).collect();
    assert_eq!(ends, [(0.0, 9449.0), (0.0, 4725.0), (0.0, f64::INFINITY)]);
}

/// As QGIS 3.22 draws: what a rule takes is not for the others, even where the rule is switched off or out of its scale.
#[test]
fn all_others_leave_out_what_is_switched_off() {
    let style = renderer(
        "type='RuleRenderer'",
        "<rules key='r'><rule filter='&quot;a&quot; = 1' symbol='0' checkstate='0'/><rule label='groupe' filter='&quot;a&quot; = 2'><rule filter='&quot;b&quot; = 3' symbol='1' label='b'/></rule><rule filter='ELSE' symbol='2' label='reste'/></rules>",
    );
    assert_eq!(told(&style), [row("b", "a = 2 AND b = 3", "", 1.5), row("reste", "", "a = 1 ; a = 2 AND b = 3", 2.5)]);
}

#[test]
fn a_filter_that_is_not_understood_draws_nothing_and_is_said() {
    let style = renderer(
        "type='RuleRenderer'",
        "<rules key='r'><rule filter='$area &gt; 3' symbol='0' label='Grandes'/><rule filter='&quot;a&quot; = 1' symbol='1' label='un'/><rule filter='ELSE' symbol='2' label='reste'/></rules>",
    );
    assert_eq!(told(&style), [row("un", "a = 1", "", 1.5)]);
    let sentences = style.losses.sentences();
    assert_eq!(
        sentences[0],
        "règle « Grandes » : son filtre « $area > 3 » n'est pas repris (« $ » sans équivalent) : elle n'est pas dessinée"
    );
    assert!(sentences[1].starts_with("règle « reste » : elle vaut pour tous les autres objets"), "{sentences:?}");
}

#[test]
fn a_line_keeps_its_dashes_offset_caps_and_joins() {
    let style = single(
        "SimpleLine",
        &[
            ("line_width", "1"),
            ("line_width_unit", "Point"),
            ("line_style", "dash"),
            ("offset", "2"),
            ("offset_unit", "Pixel"),
            ("capstyle", "round"),
            ("joinstyle", "miter"),
            ("line_color", "255,0,0,128"),
        ],
        "",
    );
    let [Paint::Stroke(stroke)] = &paints(&style)[..] else { panic!("a line: {style:?}") };
    let width = 96.0 / 72.0;
    assert_eq!((stroke.width, stroke.offset), (Length::Pixels(width), Length::Pixels(2.0)));
    assert_eq!(stroke.dashes, [Length::Pixels(4.0 * width), Length::Pixels(2.0 * width)]);
    assert_eq!((stroke.cap, stroke.join), (crate::portrayal::symbol::Cap::Round, crate::portrayal::symbol::Join::Mitre));
    assert_eq!((stroke.colour.hex().as_str(), (stroke.colour.opacity * 255.0).round()), ("#ff0000", 128.0));
}

/// Qt gives a pen square caps: a cross of QGIS is a pen wider than its size says, dashes are longer and gaps shorter.
#[test]
fn pens_of_marks_and_fills_have_square_caps() {
    let cap = |class: &str, options: &[(&str, &str)]| match paints(&single(class, options, "")).pop() {
        Some(Paint::Marker(marker, _)) => marker.outline.map(|outline| outline.cap),
        Some(Paint::Stroke(outline)) => Some(outline.cap),
        _ => None,
    };
    assert_eq!(cap("SimpleMarker", &[("name", "cross")]), Some(Cap::Square));
    assert_eq!(cap("SimpleMarker", &[("name", "cross"), ("cap_style", "flat")]), Some(Cap::Butt));
    assert_eq!(cap("SimpleMarker", &[("name", "circle")]), Some(Cap::Butt), "a closed line has no end");
    assert_eq!(cap("SimpleFill", &[("outline_style", "dash")]), Some(Cap::Square));
    assert_eq!(cap("SimpleFill", &[]), Some(Cap::Butt));
}

#[test]
fn a_fill_is_a_colour_or_hatches_and_its_outline() {
    let style = single("SimpleFill", &[("color", "10,20,30,255"), ("style", "diagonal_x"), ("outline_style", "no")], "");
    let angles: Vec<f64> = paints(&style)
        .iter()
        .filter_map(|paint| if let Paint::Fill(Fill::Hatch(hatch)) = paint { Some(hatch.angle_deg) } else { None })
        .collect();
    assert_eq!(angles, [45.0, 135.0]);
    let old = "<qgis><renderer-v2 type='singleSymbol'><symbols><symbol name='0' alpha='0.5'><layer class='SimpleFill'><prop k='color' v='10,20,30,255'/></layer></symbol></symbols></renderer-v2></qgis>";
    let style = Qml.read(old.as_bytes(), Latitude::EQUATOR).expect("a style");
    assert!(matches!(&paints(&style)[..], [Paint::Fill(Fill::Solid(colour)), Paint::Stroke(line)]
        if *colour == Colour::rgb(10, 20, 30).with_opacity(0.5) && line.colour == Colour::rgb(35, 35, 35).with_opacity(0.5)));
}

#[test]
fn markers_keep_shape_size_and_place() {
    let style = single(
        "SimpleMarker",
        &[("name", "triangle"), ("size", "4"), ("angle", "30"), ("offset", "1,-2"), ("offset_unit", "Pixel"), ("outline_style", "no")],
        "",
    );
    let [Paint::Marker(marker, Place::Point)] = &paints(&style)[..] else { panic!("a marker") };
    assert_eq!((&marker.shape, marker.angle_deg), (&Shape::Mark(Mark::Triangle), 30.0));
    assert_eq!((marker.size, marker.displacement), (Length::millimetres(4.0), (Length::Pixels(1.0), Length::Pixels(-2.0))));
    let inner = symbol("@0@0", "SimpleMarker", &[("name", "square")], "");
    let style = single("MarkerLine", &[("interval", "10"), ("interval_unit", "Pixel"), ("placement", "interval"), ("rotate", "1")], &inner);
    assert!(matches!(&paints(&style)[..], [Paint::Marker(_, Place::Along { interval: Length::Pixels(10.0), is_turned: true })]));
    let style = single("SvgMarker", &[("name", "gpsicons/plane.svg"), ("size", "6")], "");
    assert!(matches!(&paints(&style)[..], [Paint::Marker(marker, _)] if marker.shape == Shape::Picture("gpsicons/plane.svg".into())));
}

#[test]
fn what_has_no_equal_is_said() {
    let defined = "<data_defined_properties><Option type='Map'><Option name='properties' type='Map'><Option name='angle' type='Map'><Option name='active' value='true' type='bool'/></Option></Option></Option></data_defined_properties>";
    for (class, options, inside, expected) in [
        ("ArrowLine", vec![], "", "« ArrowLine » n'a pas d'équivalent"),
        ("SimpleMarker", vec![("name", "heart")], "", "la forme « heart » devient un rond"),
        ("SimpleMarker", vec![], defined, "définies par des données ne sont pas reprises (angle)"),
        ("GradientFill", vec![], "", "dégradé"),
        ("SimpleLine", vec![("line_width", "1"), ("line_width_unit", "Parsec")], "", "Parsec"),
        ("SimpleLine", vec![("ring_filter", "1")], "", "anneaux"),
    ] {
        let losses = single(class, &options, inside).losses.sentences();
        assert!(losses.iter().any(|sentence| sentence.contains(expected)), "{class}: {losses:?}");
    }
    assert!(renderer("type='heatmapRenderer'", "").losses.sentences()[0].contains("heatmapRenderer"));
    assert!(read("<blendMode>6</blendMode>").losses.sentences()[0].contains("mode de fusion"));
}

#[test]
fn the_layer_s_own_scales_and_opacity_hold_for_every_rule() {
    let document = format!(
        "<qgis hasScaleBasedVisibilityFlag='1' minScale='10000' maxScale='1000'><renderer-v2 type='singleSymbol'><symbols>{}</symbols></renderer-v2><layerOpacity>0.5</layerOpacity></qgis>",
        line("0", "1")
    );
    let style = Qml.read(document.as_bytes(), Latitude::EQUATOR).expect("a style");
    assert_eq!(style.rules[0].scale, ScaleRange::of_qgis(Some(1000.0), Some(10_000.0)));
    assert!(matches!(&paints(&style)[..], [Paint::Stroke(stroke)] if stroke.colour.opacity == 0.5));
}

#[test]
fn labels_are_read_with_halo_placement_and_scales() {
    let settings = |text: &str, more: &str| {
        format!(
            "<settings><text-style fieldName=\"{text}\" isExpression='1' fontSize='9' fontWeight='75' textColor='10,20,30,255'><text-buffer bufferDraw='1' bufferSize='1' bufferSizeUnits='MM' bufferColor='255,255,255,255'/></text-style>{more}</settings>"
        )
    };
    let more = "<placement placement='1' quadOffset='2' xOffset='1' yOffset='-1' offsetUnits='Pixel'/><rendering scaleVisibility='1' scaleMin='100' scaleMax='5000'/>";
    let style = read(&format!("<labeling type='simple'>{}</labeling>", settings("&quot;nom&quot; || '!'", more)));
    let [Label { is_bold: true, halo: Some((_, halo)), size, displacement, scale, text, placement, .. }] = &style.labels[..] else {
        panic!("a label: {style:?}")
    };
    assert_eq!((*halo, *size, displacement.0), (Length::millimetres(1.0), Length::points(9.0), Length::Pixels(1.0)));
    assert_eq!((*scale, text.len()), (ScaleRange::of_qgis(Some(100.0), Some(5000.0)), 2));
    assert_eq!(*placement, crate::portrayal::label::Placement::Point(crate::portrayal::label::Anchor::BottomLeft));
    let lost = read(&format!("<labeling type='simple'>{}</labeling>", settings("round(&quot;a&quot;)", "")));
    assert!(lost.labels.is_empty() && lost.losses.sentences()[0].contains("round"), "{:?}", lost.losses);
    let off = "<qgis labelsEnabled='0'><labeling type='simple'><settings><text-style fieldName='a'/></settings></labeling></qgis>";
    assert!(Qml.read(off.as_bytes(), Latitude::EQUATOR).expect("a style").labels.is_empty());
}

#[test]
fn what_is_no_style_of_qgis_is_refused() {
    assert!(matches!(Qml.read(b"<other/>", Latitude::EQUATOR), Err(StyleError::Missing { element: "qgis" })));
    assert!(matches!(Qml.read(b"<qgis>", Latitude::EQUATOR), Err(StyleError::Xml(_))));
    let deep = (0..30).fold(String::new(), |inner, _| symbol("0", "CentroidFill", &[], &inner));
    assert!(
        read(&format!("<renderer-v2 type='singleSymbol'><symbols>{deep}</symbols></renderer-v2>")).losses.sentences()[0]
            .contains("profondément")
    );
}
