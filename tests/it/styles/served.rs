//! OGC API - Styles (OGC 20-009, draft) on the served town: lists, documents in each language, sprites, legends.

use std::process::Command;

use serde_json::Value;

use bocage::portrayal;
use bocage::portrayal::scale::Latitude;

use super::check_schema;
use super::colours;
use crate::shared;
use crate::town::Town;
use crate::town::in_both_towns;

const REL_STYLES: &str = "http://www.opengis.net/def/rel/ogc/1.0/styles";
const DRAWN: [&str; 7] = ["arbres", "communes", "equipements", "itineraires", "points_apport", "voies", "zones"];

fn links<'a>(document: &'a Value, rel: &str) -> Vec<&'a Value> {
    document["links"].as_array().expect("links").iter().filter(|link| link["rel"] == rel).collect()
}

fn path<'a>(town: &Town, link: &'a Value) -> &'a str {
    link["href"].as_str().and_then(|href| href.strip_prefix(&town.base)).unwrap_or_else(|| panic!("{link}"))
}

/// The body and its media type.
fn got(town: &Town, path: &str, accept: &str) -> (u16, String, Vec<u8>) {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut answer = agent.get(format!("{}{path}", town.base)).header("accept", accept).call().expect("an answer");
    let media_type = answer.headers()["content-type"].to_str().expect("text").to_owned();
    (answer.status().as_u16(), media_type, answer.body_mut().read_to_vec().expect("bytes"))
}

fn every_style_is_listed_and_every_link_answers_as_it_says(town: &Town) {
    let all = town.json("/styles");
    let styles = all["styles"].as_array().expect("styles");
    assert_eq!(styles.iter().map(|style| style["id"].as_str().expect("an id")).collect::<Vec<&str>>(), DRAWN);
    for style in styles {
        let id = style["id"].as_str().expect("an id");
        assert!(style["title"].as_str().is_some_and(|title| !title.is_empty()));
        assert!(links(style, "stylesheet").len() >= 3 && links(style, "describedby").len() == 1, "{style}");
        let metadata = town.json(path(town, links(style, "describedby")[0]));
        assert_eq!(metadata["id"], id);
        let sheets: Vec<Value> =
            metadata["stylesheets"].as_array().expect("sheets").iter().map(|sheet| sheet["link"]["href"].clone()).collect();
        assert_eq!(sheets, links(style, "stylesheet").iter().map(|link| link["href"].clone()).collect::<Vec<Value>>());
        for link in style["links"].as_array().expect("links") {
            let (status, media_type, _) = got(town, path(town, link), "*/*");
            let said = link["type"].as_str().expect("a type");
            assert!(status == 200 && media_type.starts_with(said), "{link}: {status} {media_type}");
        }
        let own = town.json(&format!("/collections/{id}/styles"));
        assert_eq!((&own["default"], &own["styles"]), (&style["id"], &Value::Array(vec![style.clone()])));
        assert_eq!(
            links(&town.json(&format!("/collections/{id}")), REL_STYLES)[0]["href"],
            format!("{}/collections/{id}/styles", town.base)
        );
    }
    assert_eq!(links(&town.json("/"), REL_STYLES)[0]["href"], format!("{}/styles", town.base));
    let declared = town.json("/conformance").to_string();
    for class in ["core", "html", "mapbox-styles", "sld-10", "sld-11"] {
        assert!(declared.contains(&format!("\"http://www.opengis.net/spec/ogcapi-styles-1/1.0/conf/{class}\"")), "{class}");
    }
}

/// What one asks for by media type is what `f` gives.
fn languages_are_chosen_by_f_and_by_accept(town: &Town) {
    for (f, accept, media_type) in [
        ("mapbox", "*/*", "application/vnd.mapbox.style+json"),
        ("mapbox", "application/json", "application/vnd.mapbox.style+json"),
        ("mapbox", "application/vnd.mapbox.style+json", "application/vnd.mapbox.style+json"),
        ("sld11", "application/vnd.ogc.sld+xml", "application/vnd.ogc.sld+xml;version=1.1"),
        ("sld11", "application/vnd.ogc.sld+xml;version=1.1", "application/vnd.ogc.sld+xml;version=1.1"),
        ("sld10", "application/vnd.ogc.sld+xml; version=1.0", "application/vnd.ogc.sld+xml;version=1.0"),
        ("html", "text/html,application/xhtml+xml,*/*;q=0.8", "text/html; charset=utf-8"),
    ] {
        let by_f = got(town, &format!("/styles/communes?f={f}"), "*/*");
        assert_eq!((by_f.0, by_f.1.as_str()), (200, media_type), "{f}");
        assert_eq!(got(town, "/styles/communes", accept), by_f, "{accept}");
    }
}

fn what_is_not_there_is_refused(town: &Town) {
    for (path, status, said) in [
        ("/styles/inconnu", 404, "no style `inconnu`"),
        ("/styles/subventions_fictives", 404, "no style"),
        ("/styles/inconnu/metadata", 404, "no style"),
        ("/styles/inconnu/legend.svg", 404, "no style"),
        ("/collections/subventions_fictives/styles", 404, "no style"),
        ("/styles/communes?f=qml", 400, "expected one of mapbox, sld11, sld10, html"),
        ("/styles/communes?f=lyrx", 400, "expected one of mapbox, sld11, sld10, html"),
        ("/styles/communes?g=1", 400, "g"),
        ("/styles?f=mapbox", 400, "expected one of json, html"),
        ("/sprites/inconnu.json", 404, "inconnu"),
        ("/sprites/communes", 404, "communes"),
        ("/sprites/communes@3x.png", 404, "communes"),
        ("/sprites/communes.json?x=1", 400, "x"),
    ] {
        let (found, media_type, body) = got(town, path, "*/*");
        let body = String::from_utf8(body).expect("text");
        assert_eq!((found, media_type.as_str()), (status, "application/problem+json"), "{path}");
        assert!(body.contains(said), "{path}: {body}");
    }
}

/// Sources, glyphs and sprites are this server's, and everything that the layers name is there.
fn web_maps_stand_on_their_own(town: &Town) {
    for id in DRAWN {
        let style = town.json(&format!("/styles/{id}"));
        assert_eq!(style["sources"][id], serde_json::json!({ "type": "vector", "url": format!("{}/tiles/{id}.json", town.base) }));
        assert_eq!(style["glyphs"], format!("{}/fonts/{{fontstack}}/{{range}}.pbf", town.base));
        assert!(style["center"].as_array().is_some_and(|centre| centre.len() == 2) && style["zoom"].as_f64().is_some());
        let layers = style["layers"].as_array().expect("layers");
        assert!(!layers.is_empty());
        let label = format!("{id}_label");
        for layer in layers {
            assert_eq!(layer["source"], id);
            let source_layer = layer["source-layer"].as_str().expect("a layer of the tiles");
            assert!(source_layer == id || (source_layer == label && layer["type"] == "symbol"), "{layer}");
        }
        let text = Value::Array(layers.clone()).to_string();
        assert_eq!(text.contains("icon-image") || text.contains("fill-pattern"), style.get("sprite").is_some(), "{id}");
        let Some(sprite) = style["sprite"].as_str() else { continue };
        assert_eq!(sprite, format!("{}/sprites/{id}", town.base));
        let index = town.json(&format!("/sprites/{id}.json"));
        let names: Vec<&String> = index.as_object().expect("an object").keys().collect();
        assert!(!names.is_empty() && names.iter().all(|name| text.contains(&format!("\"{name}\""))), "{id}: {names:?}");
    }
    assert!(town.json("/styles/zones").to_string().contains("\"zones_label\""), "labels stand on one point a zone");
    assert!(town.json("/styles/points_apport").get("sprite").is_some() && town.json("/styles/zones").get("sprite").is_some());
}

/// GDAL opens the pictures, and they are as large as the list of them says.
fn sprites_are_pictures(town: &Town) {
    let folder = tempfile::tempdir().expect("a folder");
    for (sharp, ratio) in [("", 1), ("@2x", 2)] {
        let index = town.json(&format!("/sprites/points_apport{sharp}.json"));
        let file = folder.path().join(format!("sprite{ratio}.png"));
        let (status, media_type, bytes) = got(town, &format!("/sprites/points_apport{sharp}.png"), "*/*");
        assert_eq!((status, media_type.as_str()), (200, "image/png"));
        std::fs::write(&file, bytes).expect("written");
        let output = Command::new("gdalinfo").arg("-json").arg(&file).output().expect("gdalinfo");
        let picture: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let side = |at: usize| picture["size"][at].as_u64().expect("a number");
        assert_eq!(picture["bands"].as_array().map(Vec::len), Some(4), "red, green, blue, opacity");
        for (name, place) in index.as_object().expect("an object") {
            let number = |key: &str| place[key].as_u64().unwrap_or_else(|| panic!("{name}: {key}"));
            assert_eq!(number("pixelRatio"), ratio, "{name}");
            assert!(number("x") + number("width") <= side(0) && number("y") + number("height") <= side(1), "{name}");
        }
    }
}

/// What is written can be read: by our readers, and by the schemas of OGC.
fn each_language_draws_the_same_classes(town: &Town) {
    let folder = tempfile::tempdir().expect("a folder");
    for id in DRAWN {
        let read = |f: &str| {
            let (status, _, bytes) = got(town, &format!("/styles/{id}?f={f}"), "*/*");
            assert_eq!(status, 200, "{id} {f}");
            let style = portrayal::read(&bytes, Latitude::degrees(48.1)).unwrap_or_else(|error| panic!("{id} {f}: {error}")).1;
            let mut colours = colours(&style);
            colours.sort();
            colours.dedup();
            assert!(!colours.is_empty(), "{id} {f}");
            (colours, bytes)
        };
        let ((colours, document), (plain, _)) = (read("mapbox"), read("sld11"));
        // A sprite's colours are in its picture.
        let has_sprite = String::from_utf8_lossy(&document).contains("\"sprite\"");
        assert!(has_sprite || colours == plain, "{id}: {colours:?} {plain:?}");
        for (f, version) in [("sld11", "1.1"), ("sld10", "1.0")] {
            let (found, document) = read(f);
            assert_eq!(found, plain, "{id} {f}");
            let Some(shared) = shared::shared() else { continue };
            let file = folder.path().join(format!("{id}.{f}"));
            std::fs::write(&file, document).expect("written");
            check_schema(&file, &shared, version);
        }
    }
}

fn legends_say_what_the_colours_mean(town: &Town) {
    let folder = tempfile::tempdir().expect("a folder");
    for (id, titles) in
        [("zones", vec!["À bâtir", "Protégée", "Forêt"]), ("communes", vec!["Commune"]), ("arbres", vec!["If", "Autre espèce"])]
    {
        let (status, media_type, svg) = got(town, &format!("/styles/{id}/legend.svg"), "*/*");
        assert_eq!((status, media_type.as_str()), (200, "image/svg+xml"));
        let file = folder.path().join("legend.svg");
        std::fs::write(&file, &svg).expect("written");
        assert!(Command::new("xmllint").args(["--nonet", "--noout"]).arg(&file).status().expect("xmllint").success());
        let svg = String::from_utf8(svg).expect("text");
        let page = |path: &str| String::from_utf8(got(town, path, "text/html").2).expect("text");
        let (collection, style) = (page(&format!("/collections/{id}")), page(&format!("/styles/{id}")));
        for title in titles {
            assert!(svg.contains(&format!(">{title}</text>")), "{id}: {svg}");
            for page in [&collection, &style] {
                let alt = page.split("alt=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_else(|| panic!("{id}: {page}"));
                assert!(alt.starts_with("Légende : ") && alt.contains(title), "{id}: {alt}");
            }
        }
    }
    let table = String::from_utf8(got(town, "/collections/subventions_fictives", "text/html").2).expect("text");
    assert!(!table.contains("legend.svg"), "a table is not drawn");
}

fn a_kept_copy_is_recognised(town: &Town) {
    for path in [
        "/styles",
        "/styles/zones",
        "/styles/zones?f=sld10",
        "/styles/zones/metadata",
        "/styles/zones/legend.svg",
        "/sprites/zones.png",
        "/sprites/zones@2x.json",
    ] {
        let answer = town.get(path);
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["access-control-allow-origin"]),
            (200, &"*".parse().expect("a value")),
            "{path}"
        );
        assert!(answer.headers().contains_key("last-modified"), "{path}");
        let again = ureq::get(format!("{}{path}", town.base)).header("if-none-match", &answer.headers()["etag"]).call().expect("an answer");
        assert_eq!(again.status(), 304, "{path}");
        let head = ureq::head(format!("{}{path}", town.base)).call().expect("an answer");
        assert_eq!(head.headers()["etag"], answer.headers()["etag"], "{path}");
    }
}

fn the_description_names_every_path(town: &Town) {
    let api = town.json("/api");
    let paths = api["paths"].as_object().expect("paths");
    for id in DRAWN {
        for path in [
            format!("/styles/{id}"),
            format!("/styles/{id}/metadata"),
            format!("/styles/{id}/legend.svg"),
            format!("/collections/{id}/styles"),
        ] {
            assert!(paths.contains_key(&path), "{path}");
        }
    }
    let said = |path: &str| paths[path]["get"]["parameters"][0]["schema"]["enum"].to_string();
    assert!(!said("/styles/communes").contains("qml"));
    assert!(said("/sprites/{file}").contains("\"zones@2x.png\"") && !said("/sprites/{file}").contains("subventions"));
    assert!(!paths.contains_key("/styles/subventions_fictives"));
}

in_both_towns!(
    every_style_is_listed_and_every_link_answers_as_it_says,
    languages_are_chosen_by_f_and_by_accept,
    what_is_not_there_is_refused,
    a_kept_copy_is_recognised,
    the_description_names_every_path,
    web_maps_stand_on_their_own,
    sprites_are_pictures,
    each_language_draws_the_same_classes,
    legends_say_what_the_colours_mean,
);

/// The style that the officer saved in QGIS, byte for byte.
#[test]
fn what_qgis_saved_is_served_as_it_is() {
    let town = Town::demo();
    for id in ["arbres", "points_apport", "voies", "zones"] {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("styles/{id}.qml"));
        let (status, media_type, bytes) = got(&town, &format!("/styles/{id}?f=qml"), "*/*");
        assert_eq!((status, media_type.as_str()), (200, "application/vnd.qgis.qml"));
        assert_eq!(got(&town, &format!("/styles/{id}"), "application/vnd.qgis.qml").2, bytes);
        assert_eq!(bytes, std::fs::read(file).expect("read"), "{id}");
        let metadata = town.json(&format!("/styles/{id}/metadata"));
        let losses: Vec<&str> = metadata["losses"].as_array().expect("losses").iter().filter_map(Value::as_str).collect();
        // The zones have hatches.
        assert!(losses.len() == usize::from(id == "zones") && losses.iter().all(|loss| loss.contains("hachures")), "{id}: {losses:?}");
        assert!(town.json("/api")["paths"][format!("/styles/{id}")].to_string().contains("\"qml\""));
    }
}
