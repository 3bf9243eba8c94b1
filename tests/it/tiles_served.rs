//! Tiles as they are served: XYZ, TileJSON and OGC API - Tiles, of archives and of tables.

use serde_json::Value;
use ureq::http::HeaderMap;

use crate::town::Town;

/// Status, headers and bytes.
fn ask(town: &Town, path: &str, headers: &[(&str, &str)]) -> (u16, HeaderMap, Vec<u8>) {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut request = agent.get(format!("{}{path}", town.base));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut answer = request.call().expect("an answer");
    let bytes = answer.body_mut().with_config().limit(1 << 26).read_to_vec().expect("read");
    (answer.status().as_u16(), answer.headers().clone(), bytes)
}

const GZIP: [(&str, &str); 1] = [("Accept-Encoding", "gzip")];

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).map_or("", |value| value.to_str().expect("text"))
}

/// Limits of the collection's tile set, by zoom.
fn limits(town: &Town, id: &str) -> Vec<Value> {
    let set = town.json(&format!("/collections/{id}/tiles/WebMercatorQuad"));
    set["tileMatrixSetLimits"].as_array().expect("limits").clone()
}

/// Matrix, row and column of the first corner of the last zoom's limits.
fn a_corner(town: &Town, id: &str) -> (String, u64, u64) {
    let last = limits(town, id).pop().expect("a zoom");
    (
        last["tileMatrix"].as_str().expect("text").to_owned(),
        last["minTileRow"].as_u64().expect("a row"),
        last["minTileCol"].as_u64().expect("a column"),
    )
}

/// A tile out of gzip.
fn plain_of(bytes: &[u8]) -> Vec<u8> {
    let length = u32::from_le_bytes(*bytes.last_chunk().expect("gzip")) as usize;
    let mut plain = vec![0; length];
    libdeflater::Decompressor::new().gzip_decompress(bytes, &mut plain).expect("gzip");
    plain
}

/// Names of the layers of a tile that is no gzip: field 3 of the tile, field 1 of the layer.
fn layer_names(tile: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = tile;
    let number = |rest: &mut &[u8]| {
        let mut number = 0usize;
        for shift in (0..).step_by(7) {
            let byte = rest[0];
            *rest = &rest[1..];
            number |= usize::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return number;
            }
        }
        unreachable!()
    };
    while !rest.is_empty() {
        assert_eq!(number(&mut rest), 3 << 3 | 2, "a layer");
        let length = number(&mut rest);
        let (mut layer, behind) = rest.split_at(length);
        rest = behind;
        while !layer.is_empty() {
            let key = number(&mut layer);
            if key & 7 != 2 {
                number(&mut layer);
                continue;
            }
            let length = number(&mut layer);
            if key >> 3 == 1 {
                names.push(String::from_utf8(layer[..length].to_vec()).expect("UTF-8"));
            }
            layer = &layer[length..];
        }
    }
    names
}

/// A tile of the last zoom that is not empty.
fn a_tile(town: &Town, id: &str) -> (String, u64, u64) {
    let last = limits(town, id).pop().expect("a zoom");
    let number = |name: &str| last[name].as_u64().expect("a number");
    let zoom = last["tileMatrix"].as_str().expect("text").to_owned();
    for row in number("minTileRow")..=number("maxTileRow") {
        for col in number("minTileCol")..=number("maxTileCol") {
            if ask(town, &format!("/tiles/{id}/{zoom}/{col}/{row}"), &[]).0 == 200 {
                return (zoom, row, col);
            }
        }
    }
    panic!("{id} has tiles within its limits");
}

#[test]
fn one_tile_has_many_addresses_and_one_content() {
    let town = Town::demo();
    let (zoom, row, col) = a_tile(&town, "zones");
    let (status, headers, gzipped) = ask(&town, &format!("/tiles/zones/{zoom}/{col}/{row}"), &GZIP);
    assert_eq!(status, 200);
    assert_eq!(header(&headers, "content-type"), "application/vnd.mapbox-vector-tile");
    assert_eq!(header(&headers, "access-control-allow-origin"), "*");
    assert!(header(&headers, "vary").to_lowercase().contains("accept-encoding"));
    let etag = header(&headers, "etag").to_owned();
    assert!(etag.starts_with('"'), "a strong validator: {etag}");
    for path in [
        format!("/tiles/zones/{zoom}/{col}/{row}.mvt"),
        format!("/tiles/zones/{zoom}/{col}/{row}.pbf"),
        format!("/collections/zones/tiles/WebMercatorQuad/{zoom}/{row}/{col}"),
        format!("/collections/zones/tiles/WebMercatorQuad/{zoom}/{row}/{col}?f=mvt"),
        format!("/tiles/WebMercatorQuad/{zoom}/{row}/{col}?collections=zones"),
    ] {
        let (status, other, bytes) = ask(&town, &path, &[GZIP[0], ("Accept", "text/html")]);
        assert_eq!((status, header(&other, "etag"), &bytes), (200, etag.as_str(), &gzipped), "{path}");
        assert_eq!(other.get_all("vary").iter().filter(|vary| *vary == "accept-encoding").count(), 1, "{path}: {other:?}");
        let (status, other, bytes) = ask(&town, &path, &[GZIP[0], ("If-None-Match", &etag)]);
        assert_eq!((status, header(&other, "etag"), bytes.len()), (304, etag.as_str(), 0), "{path}");
    }
    // Who takes no gzip gets the same tile, under another validator.
    let (status, plain_headers, plain) = ask(&town, &format!("/tiles/zones/{zoom}/{col}/{row}"), &[("Accept-Encoding", "identity")]);
    assert_eq!((status, header(&plain_headers, "content-encoding")), (200, ""));
    assert_ne!(header(&plain_headers, "etag"), etag);
    assert_eq!(plain, plain_of(&gzipped));
    assert_eq!(layer_names(&plain), ["zones", "zones_label"]);
}

#[test]
fn joined_layers_are_one_tile_with_a_validator_of_its_own() {
    let town = Town::demo();
    let (zoom, row, col) = a_tile(&town, "zones");
    let path = format!("/tiles/communes,zones,communes/{zoom}/{col}/{row}");
    let (status, headers, bytes) = ask(&town, &path, &GZIP);
    let names = layer_names(&plain_of(&bytes));
    assert!(status == 200 && names.first().is_some_and(|name| name == "communes"), "{names:?}");
    assert!(names.ends_with(&["zones", "zones_label"].map(str::to_owned)), "{names:?}");
    let etag = header(&headers, "etag").to_owned();
    assert_eq!(ask(&town, &path, &[GZIP[0], ("If-None-Match", &etag)]).0, 304);
    assert_eq!(ask(&town, &path, &GZIP).2, bytes, "the same again, from memory");
    assert_eq!(ask(&town, &path, &[("Accept-Encoding", "identity")]).2, plain_of(&bytes));
    // All of the town: every layer of it that has something there.
    let (status, _, all) = ask(&town, &format!("/tiles/WebMercatorQuad/{zoom}/{row}/{col}"), &GZIP);
    let names = layer_names(&plain_of(&all));
    assert!(status == 200 && ["communes", "zones", "zones_label"].iter().all(|name| names.iter().any(|known| known == name)), "{names:?}");
    let json = town.json("/tiles/communes,zones.json");
    assert_eq!(json["vector_layers"].as_array().map(Vec::len), Some(4));
    assert!(json["tiles"][0].as_str().is_some_and(|template| template.ends_with("/tiles/communes,zones/{z}/{x}/{y}")));
}

#[test]
fn a_tile_set_says_its_limits_and_keeps_them() {
    let town = Town::demo();
    for id in ["arbres", "communes", "voies", "zones"] {
        let limits = limits(&town, id);
        for one in &limits {
            let number = |name: &str| one[name].as_u64().expect("a number");
            let zoom = one["tileMatrix"].as_str().expect("text");
            let status = |row: u64, col: u64| ask(&town, &format!("/collections/{id}/tiles/WebMercatorQuad/{zoom}/{row}/{col}"), &GZIP).0;
            assert!([200, 204].contains(&status(number("maxTileRow"), number("minTileCol"))), "{id} {one}");
            assert_eq!(status(number("maxTileRow") + 1, number("minTileCol")), 404, "{id} {one}");
            assert_eq!(status(number("maxTileRow"), number("maxTileCol") + 1), 404, "{id} {one}");
        }
        let json = town.json(&format!("/tiles/{id}.json"));
        assert_eq!(json["tilejson"], "3.0.0");
        assert_eq!(json["minzoom"].to_string(), limits[0]["tileMatrix"].as_str().expect("text"));
        assert_eq!(json["maxzoom"].to_string(), limits[limits.len() - 1]["tileMatrix"].as_str().expect("text"));
        let bounds: Vec<f64> = json["bounds"].as_array().expect("bounds").iter().filter_map(Value::as_f64).collect();
        let extent = &town.json(&format!("/collections/{id}"))["extent"]["spatial"]["bbox"][0];
        assert!((0..4).all(|at| (extent[at].as_f64().expect("degrees") - bounds[at]).abs() < 2e-6), "{bounds:?} {extent}");
    }
}

#[test]
fn wrong_addresses_are_refused_with_what_there_is() {
    let town = Town::demo();
    let (zoom, row, col) = a_corner(&town, "zones");
    for (path, status, word) in [
        ("/collections/zones/tiles/WebMercatorQuad/0/2147483647/0".to_owned(), 404, "no tile"),
        ("/collections/zones/tiles/WebMercatorQuad/99/0/0".to_owned(), 404, "no tile"),
        ("/tiles/zones/14/x/0".to_owned(), 404, "no tile"),
        (format!("/collections/zones/tiles/WorldCRS84Quad/{zoom}/{row}/{col}"), 404, "expected WebMercatorQuad"),
        ("/collections/zones/tiles/WorldCRS84Quad".to_owned(), 404, "expected WebMercatorQuad"),
        ("/tileMatrixSets/Lambert93Quad".to_owned(), 404, "expected WebMercatorQuad"),
        (format!("/tiles/zones/{zoom}/{col}/{row}?f=png"), 400, "expected mvt"),
        (format!("/tiles/zones/{zoom}/{col}/{row}?foo=1"), 400, "foo"),
        (format!("/tiles/rien/{zoom}/{col}/{row}"), 404, "rien"),
        (format!("/tiles/subventions_fictives/{zoom}/{col}/{row}"), 404, "tiles of collection"),
        ("/tiles/subventions_fictives.json".to_owned(), 404, "tiles of collection"),
        (format!("/tiles/WebMercatorQuad/{zoom}/{row}/{col}?collections=zones,rien"), 400, "collections"),
        ("/tiles/zones.xml".to_owned(), 404, "TileJSON|.json"),
    ] {
        let (found, _, bytes) = ask(&town, &path, &[]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(found == status && word.split('|').any(|word| text.contains(word)), "{path}: {found} {text}");
    }
}

#[test]
fn landing_collections_and_api_lead_to_the_tiles() {
    let town = Town::demo();
    let rel = "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector";
    for path in ["/?f=json", "/collections/zones"] {
        let links = town.json(path)["links"].clone();
        let link = links.as_array().expect("links").iter().find(|link| link["rel"] == rel).expect("a link to tile sets").clone();
        let href = link["href"].as_str().expect("text");
        let list = town.json(href.strip_prefix(&town.base).expect("absolute"));
        let set = &list["tilesets"][0];
        assert_eq!(set["tileMatrixSetURI"], "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad");
        let template = set["links"].as_array().expect("links").iter().find(|link| link["rel"] == "item").expect("a template");
        let template = template["href"].as_str().expect("text").strip_prefix(&town.base).expect("absolute").to_owned();
        let limits = set["tileMatrixSetLimits"].as_array().and_then(|limits| limits.last()).expect("limits");
        let filled = template
            .replace("{tileMatrix}", limits["tileMatrix"].as_str().expect("text"))
            .replace("{tileRow}", &limits["maxTileRow"].to_string())
            .replace("{tileCol}", &limits["minTileCol"].to_string());
        assert!([200, 204].contains(&ask(&town, &filled, &GZIP).0), "{filled}");
    }
    let subventions = town.json("/collections/subventions_fictives")["links"].to_string();
    assert!(!subventions.contains("tilesets"), "a table has no tiles");
    let paths = town.json("/api")["paths"].clone();
    let id = &paths["/collections/zones/tiles/WebMercatorQuad/{tileMatrix}/{tileRow}/{tileCol}"]["get"]["operationId"];
    assert!(id.as_str().is_some_and(|id| id.contains(".getTile")), "{id}");
    let matrix_set = town.json("/tileMatrixSets/WebMercatorQuad");
    assert_eq!(matrix_set["tileMatrices"][14]["matrixWidth"], 16_384);
}

/// A table's tile is cut from its rows as they are; its features are those of the archive.
#[test]
fn a_table_answers_tiles_as_its_files_do() {
    let Some(live) = Town::live() else { return };
    let filed = Town::demo();
    for id in ["zones", "arbres", "voies"] {
        let (zoom, row, col) = a_tile(&filed, id);
        let path = format!("/tiles/{id}/{zoom}/{col}/{row}");
        let (status, headers, bytes) = ask(&live, &path, &GZIP);
        assert_eq!((status, layer_names(&plain_of(&bytes))), (200, layer_names(&plain_of(&ask(&filed, &path, &GZIP).2))), "{path}");
        assert_eq!(ask(&live, &path, &[GZIP[0], ("If-None-Match", header(&headers, "etag"))]).0, 304);
        assert_eq!(ask(&live, &format!("/tiles/{id}/{zoom}/0/0"), &GZIP).0, 404);
    }
}
