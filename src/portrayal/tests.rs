//! What every reader must bear.

use std::time::Duration;
use std::time::Instant;

use super::*;
use crate::portrayal::rule::FILTERS_MAX;
use crate::portrayal::rule::RULES_MAX;
use crate::portrayal::symbol::Dimension;

fn read_any(text: &str) -> Result<(&'static dyn StyleFormat, Style), StyleError> {
    read(text.as_bytes(), Latitude::EQUATOR)
}

#[test]
fn a_style_is_known_by_what_it_contains() {
    for (text, id) in [
        ("<!DOCTYPE qgis PUBLIC 'x' 'SYSTEM'><qgis/>", "qml"),
        (
            "\u{feff}<?xml version='1.0'?><!-- un style --><StyledLayerDescriptor><NamedLayer><UserStyle/></NamedLayer></StyledLayerDescriptor>",
            "sld",
        ),
        ("\u{feff} {\"layers\":[{\"source-layer\":\"a\",\"type\":\"fill\"}]}", "mapbox"),
    ] {
        assert_eq!(read_any(text).map(|(format, _)| format.id()).ok(), Some(id), "{text}");
    }
    assert!(matches!(read_any("couleur = rouge"), Err(StyleError::Unknown)));
}

/// Each would be a work without end, or more memory than there is.
#[test]
fn hostile_styles_are_read_or_refused_quickly() {
    let start = Instant::now();
    let equal = "<Filter><PropertyIsEqualTo><PropertyName>a</PropertyName><Literal>x</Literal></PropertyIsEqualTo></Filter>";
    let scaled = |at: usize| {
        format!("<Rule>{equal}<MinScaleDenominator>{at}</MinScaleDenominator><PolygonSymbolizer><Fill/></PolygonSymbolizer></Rule>")
    };
    let others = "<Rule><ElseFilter/><PolygonSymbolizer><Fill/></PolygonSymbolizer></Rule>".repeat(10_000);
    let pass = |rules: String| {
        format!(
            "<StyledLayerDescriptor><NamedLayer><UserStyle><FeatureTypeStyle>{rules}</FeatureTypeStyle></UserStyle></NamedLayer></StyledLayerDescriptor>"
        )
    };
    let one_scale = format!("<Rule>{equal}<PolygonSymbolizer><Fill/></PolygonSymbolizer></Rule>").repeat(2_000);
    let symbol = "<symbols><symbol name='0'><layer class='SimpleFill'/></symbol></symbols>";
    let rest = "<category value='' symbol='0'/><category value='x' symbol='0'/>".repeat(10_000);
    let rules = "<rule symbol='0' filter='a = 1'/><rule symbol='0' filter='ELSE'/>".repeat(10_000);
    let labels: Vec<String> = (0..50_000).map(|at| format!("\"{at}\",\"#00f\"")).collect();
    let documents = [
        pass((1..2_000).map(scaled).collect::<String>() + &others),
        pass(one_scale + &others),
        format!("<qgis><renderer-v2 type='categorizedSymbol' attr='a'><categories>{rest}</categories>{symbol}</renderer-v2></qgis>"),
        format!("<qgis><renderer-v2 type='RuleRenderer'><rules>{rules}</rules>{symbol}</renderer-v2></qgis>"),
        format!(
            "{{\"layers\":[{{\"source-layer\":\"a\",\"type\":\"fill\",\"paint\":{{\"fill-color\":[\"match\",[\"get\",\"a\"],{},\"#000\"]}}}}]}}",
            labels.join(",")
        ),
    ];
    for document in documents {
        let style = read_any(&document).expect("a style").1;
        let filters: usize = style.rules.iter().map(|rule| 1 + rule.unless.len()).sum();
        assert!(style.rules.len() <= RULES_MAX && filters <= FILTERS_MAX + RULES_MAX, "{} {filters}", style.rules.len());
        assert!(!style.losses.is_empty());
        let target = maplibre::Target {
            layer_id: "a",
            source: "a",
            source_layer: "a",
            label_layer: None,
            dimension: Dimension::Polygons,
            latitude: Latitude::EQUATOR,
        };
        maplibre::write(&style, &target);
        sld::write(&style, "a", sld::SldVersion::V1_1);
        legend::svg(&legend::entries(&style, "a"), Dimension::Polygons);
    }
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
}
