//! Small documents read, and styles that come back as they were written.

use super::*;
use crate::portrayal::colour::Colour;
use crate::portrayal::label::Anchor;
use crate::portrayal::label::Label;
use crate::portrayal::label::Piece;
use crate::portrayal::label::Placement;
use crate::portrayal::rule::Rule;
use crate::portrayal::scale::Latitude;
use crate::portrayal::scale::Length;
use crate::portrayal::scale::ScaleRange;
use crate::portrayal::symbol::Cap;
use crate::portrayal::symbol::Fill;
use crate::portrayal::symbol::Hatch;
use crate::portrayal::symbol::Join;
use crate::portrayal::symbol::Mark;
use crate::portrayal::symbol::Marker;
use crate::portrayal::symbol::Paint;
use crate::portrayal::symbol::Place;
use crate::portrayal::symbol::Shape;
use crate::portrayal::symbol::Stroke;
use crate::query::cql2_text;
use crate::query::filter::Filter;

fn read(rules: &str) -> Style {
    let document = format!(
        "<StyledLayerDescriptor version='1.1.0'><NamedLayer><UserStyle><FeatureTypeStyle>{rules}</FeatureTypeStyle></UserStyle></NamedLayer></StyledLayerDescriptor>"
    );
    Sld.read(document.as_bytes(), Latitude::EQUATOR).expect("a style")
}

fn paints(symbolizer: &str) -> Vec<Paint> {
    let style = read(&format!("<Rule>{symbolizer}</Rule>"));
    assert!(style.losses.is_empty(), "{:?}", style.losses);
    style.rules.first().map(|rule| rule.symbol.iter().map(|part| part.paint.clone()).collect()).unwrap_or_default()
}

fn filter(text: &str) -> Filter {
    cql2_text::parse(text).expect("CQL2")
}

#[test]
fn the_standard_s_defaults_hold() {
    assert_eq!(paints("<PolygonSymbolizer><Fill/></PolygonSymbolizer>"), [Paint::Fill(Fill::Solid(Colour::rgb(128, 128, 128)))]);
    assert_eq!(paints("<LineSymbolizer><Stroke/></LineSymbolizer>"), [Paint::Stroke(Stroke::solid(Colour::BLACK, Length::Pixels(1.0)))]);
    let [Paint::Marker(marker, Place::Point)] = &paints("<PointSymbolizer><Graphic/></PointSymbolizer>")[..] else { panic!("a marker") };
    assert_eq!((&marker.shape, marker.size), (&Shape::Mark(Mark::Square), Length::Pixels(6.0)));
    assert!(paints("<LineSymbolizer/><PolygonSymbolizer/>").is_empty());
}

#[test]
fn lengths_are_in_the_symbolizer_s_unit() {
    let line = "<LineSymbolizer uom='http://www.opengeospatial.org/se/units/foot'><Stroke><SvgParameter name='stroke-width'><Literal>10</Literal></SvgParameter></Stroke><PerpendicularOffset>5</PerpendicularOffset></LineSymbolizer>";
    let [Paint::Stroke(stroke)] = &paints(line)[..] else { panic!("a line") };
    assert_eq!((stroke.width, stroke.offset), (Length::GroundMetres(3.048), Length::GroundMetres(-1.524)));
}

#[test]
fn dashes_without_gaps_are_a_line() {
    let line = |dashes: &str| {
        paints(&format!("<LineSymbolizer><Stroke><CssParameter name='stroke-dasharray'>{dashes}</CssParameter></Stroke></LineSymbolizer>"))
    };
    let dashes = |paints: &[Paint]| if let [Paint::Stroke(stroke)] = paints { stroke.dashes.len() } else { 99 };
    assert_eq!([dashes(&line("1 0")), dashes(&line("5,2")), dashes(&line("4"))], [0, 2, 1]);
}

#[test]
fn else_takes_what_no_rule_takes_at_the_scale() {
    let polygon = "<PolygonSymbolizer><Fill/></PolygonSymbolizer>";
    let equal = "<Filter><PropertyIsEqualTo><PropertyName>a</PropertyName><Literal>x</Literal></PropertyIsEqualTo></Filter>";
    let style = read(&format!(
        "<Rule><Name>un</Name>{equal}<MaxScaleDenominator>1000</MaxScaleDenominator>{polygon}</Rule><Rule><ElseFilter/>{polygon}</Rule>"
    ));
    let told: Vec<(Option<Filter>, Vec<Filter>, ScaleRange)> =
        style.rules.into_iter().map(|rule| (rule.filter, rule.unless, rule.scale)).collect();
    let (near, far) = (ScaleRange::new(None, Some(1000.0)), ScaleRange::new(Some(1000.0), None));
    assert_eq!(told, [(Some(filter("a = 'x'")), vec![], near), (None, vec![filter("a = 'x'")], near), (None, vec![], far)]);
}

#[test]
fn what_is_not_understood_is_said_and_not_drawn() {
    let point = "<PointSymbolizer><Graphic><Mark><WellKnownName>ttf://Arial#65</WellKnownName></Mark></Graphic></PointSymbolizer>";
    let style =
        read(&format!("<Rule><Name>un</Name><Filter><BBOX/></Filter>{point}</Rule><Rule><Title>reste</Title><ElseFilter/>{point}</Rule>"));
    assert!(style.rules.is_empty());
    let sentences = style.losses.sentences();
    assert_eq!(sentences[0], "règle « un » : son filtre n'est pas repris (« BBOX » sans équivalent) : elle n'est pas dessinée");
    assert!(sentences[1].starts_with("règle « reste » : elle vaut pour tous les autres"), "{sentences:?}");
    let defined =
        "<PolygonSymbolizer><Fill><SvgParameter name='fill'><PropertyName>c</PropertyName></SvgParameter></Fill></PolygonSymbolizer>";
    for (symbolizer, word) in [
        (point, "ttf://Arial#65"),
        ("<RasterSymbolizer/>", "RasterSymbolizer"),
        (defined, "définie par des données"),
        ("<PolygonSymbolizer><Fill/><VendorOption name='graphic-margin'>1</VendorOption></PolygonSymbolizer>", "graphic-margin"),
    ] {
        let losses = read(&format!("<Rule>{symbolizer}</Rule>")).losses.sentences();
        assert!(losses.iter().any(|sentence| sentence.contains(word)), "{word}: {losses:?}");
    }
}

#[test]
fn what_is_no_style_is_refused() {
    for document in ["<StyledLayerDescriptor/>", "<html/>"] {
        assert!(matches!(Sld.read(document.as_bytes(), Latitude::EQUATOR), Err(StyleError::Missing { .. })), "{document}");
    }
    let bomb = "<!DOCTYPE a [<!ENTITY b 'c'>]><StyledLayerDescriptor/>";
    assert!(matches!(Sld.read(bomb.as_bytes(), Latitude::EQUATOR), Err(StyleError::Xml(xml::XmlError::DocumentType))));
}

/// A style with something of everything that SLD 1.1 can say.
fn rich() -> Style {
    let rule = |title: &str, filter: Option<Filter>, paints: Vec<Paint>| Rule {
        title: title.to_owned(),
        filter,
        ..Rule::every(paints.into_iter().map(|paint| paint.at_level(0)).collect())
    };
    let stroke = Stroke {
        dashes: vec![Length::Pixels(4.0), Length::Pixels(2.0)],
        dash_offset: Length::Pixels(1.0),
        cap: Cap::Round,
        join: Join::Bevel,
        ..Stroke::solid(Colour::rgb(1, 2, 3).with_opacity(0.5), Length::Pixels(2.5))
    };
    let hatch = |angle_deg| {
        Paint::Fill(Fill::Hatch(Hatch { colour: Colour::BLACK, width: Length::Pixels(1.0), spacing: Length::Pixels(8.0), angle_deg }))
    };
    let marker = Marker {
        shape: Shape::Mark(Mark::CrossFill),
        angle_deg: 30.0,
        displacement: (Length::Pixels(1.0), Length::Pixels(-2.0)),
        ..Marker::circle(Length::Pixels(9.0), Colour::rgb(9, 8, 7))
    };
    let along = Paint::Marker(
        Marker { displacement: (Length::ZERO, Length::ZERO), ..marker.clone() },
        Place::Along { interval: Length::Pixels(20.0), is_turned: true },
    );
    let offset = Paint::Stroke(Stroke { offset: Length::GroundMetres(3.0), ..Stroke::solid(Colour::WHITE, Length::GroundMetres(2.0)) });
    let zone = rule(
        "Zone à bâtir",
        Some(filter("a = 'x' AND b > 2")),
        vec![Paint::Fill(Fill::Solid(Colour::rgb(232, 160, 124))), Paint::Stroke(stroke)],
    );
    let hatched = rule("Hachures", Some(filter("a = 'y'")), vec![hatch(45.0), hatch(30.0), hatch(90.0)]);
    let pointed = rule("Points", Some(filter("a LIKE 'z%'")), vec![Paint::Marker(marker, Place::Point), along, offset]);
    let rest = Rule {
        unless: vec![filter("a = 'x' AND b > 2"), filter("a = 'y'"), filter("a LIKE 'z%'")],
        ..rule("Autres", None, vec![Paint::Fill(Fill::Solid(Colour::WHITE))])
    };
    let label = Label {
        family: "Arial".into(),
        is_bold: true,
        size: Length::Pixels(12.0),
        halo: Some((Colour::WHITE, Length::Pixels(1.5))),
        placement: Placement::Point(Anchor::BottomLeft),
        angle_deg: 45.0,
        displacement: (Length::Pixels(3.0), Length::Pixels(-4.0)),
        scale: ScaleRange::new(Some(500.0), Some(5000.0)),
        ..Label::plain(vec![Piece::Field("nom".into()), Piece::Literal(" — ".into()), Piece::Field("insee".into())])
    };
    Style { title: Some("Zonage".into()), rules: vec![zone, hatched, pointed, rest], labels: vec![label], ..Style::default() }
}

#[test]
fn what_is_written_in_1_1_reads_the_same() {
    let written = write(&rich(), "zones", SldVersion::V1_1);
    assert_eq!(
        written.losses.sentences(),
        ["règle « Hachures » : les hachures ne sont comprises que de GeoServer, d'autres logiciels ne les dessinent pas"]
    );
    let mut read = Sld.read(written.document.as_bytes(), Latitude::EQUATOR).expect("a style");
    // The labels are a pass of their own, after that of the symbols.
    read.labels.iter_mut().for_each(|label| label.unless.clear());
    for (read, written) in read.rules.iter().zip(&rich().rules) {
        assert_eq!(read, written);
    }
    assert_eq!(read, rich());
    assert!(written.document.contains("<se:ElseFilter/>"));
}

#[test]
fn what_1_0_cannot_say_is_said_in_french() {
    let written = write(&rich(), "zones", SldVersion::V1_0);
    let sentences = written.losses.sentences();
    for word in ["décalage du symbole", "décalage de la ligne", "intervalle", "mètres au sol"] {
        assert!(
            sentences.iter().any(|sentence| sentence.starts_with("règle « Points »") && sentence.contains(word)),
            "{word}: {sentences:?}"
        );
    }
    let read = Sld.read(written.document.as_bytes(), Latitude::EQUATOR).expect("a style");
    assert_eq!(read.rules[..2], rich().rules[..2]);
}

/// QGIS leaves out of a negation what has no value; a rule for all others must not.
#[test]
fn what_is_left_out_is_false_or_unknown() {
    let mut style = rich();
    style.rules.drain(1..3);
    style.rules[0].scale = ScaleRange::new(None, Some(5000.0));
    style.rules[1].unless.truncate(1);
    let read = Sld.read(write(&style, "zones", SldVersion::V1_1).document.as_bytes(), Latitude::EQUATOR).expect("a style");
    assert_eq!(read.rules[1].filter, Some(filter("NOT (a = 'x' AND b > 2) OR a IS NULL OR b IS NULL")));
}

#[test]
fn what_lies_above_is_a_pass_of_its_own() {
    let mut style = rich();
    style.rules[0].symbol[1].level = 1;
    let written = write(&style, "zones", SldVersion::V1_1);
    let read = Sld.read(written.document.as_bytes(), Latitude::EQUATOR).expect("a style");
    assert_eq!(written.document.matches("<se:FeatureTypeStyle>").count(), 3);
    assert_eq!(read.rules.last().map(|rule| (rule.title.as_str(), rule.symbol[0].level)), Some(("Zone à bâtir", 1)));
}
