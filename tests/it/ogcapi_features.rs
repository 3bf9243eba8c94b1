//! OGC API - Features Part 1 and Part 2 (17-069r4, 18-058r1), requirement by requirement, on the served town.
//!
//! OGC's own suite asks less than the standard in places and more in others; each test here names the requirement.

use serde_json::Value;

use crate::town::Town;
use crate::town::in_both_towns;

const CORE: &str = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf";
const CRS: &str = "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs";
const CRS84: &str = "http://www.opengis.net/def/crs/OGC/1.3/CRS84";
const OPENAPI: &str = "application/vnd.oai.openapi+json;version=3.0";

fn list<'a>(value: &'a Value, key: &str) -> &'a Vec<Value> {
    value[key].as_array().unwrap_or_else(|| panic!("{key}: {value:#}"))
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("{key}: {value:#}"))
}

fn link<'a>(document: &'a Value, rel: &str) -> &'a Value {
    list(document, "links").iter().find(|link| link["rel"] == rel).unwrap_or_else(|| panic!("no {rel}: {document:#}"))
}

/// Every link says where, what for and what it is.
fn links_are_typed(document: &Value) {
    for link in list(document, "links") {
        assert!(text(link, "href").starts_with("http"), "{link}");
        assert!(!text(link, "rel").is_empty() && !text(link, "type").is_empty(), "{link}");
    }
}

fn status(town: &Town, path: &str) -> u16 {
    town.get(path).status().as_u16()
}

fn header(town: &Town, path: &str, name: &str) -> String {
    let answer = town.get(path);
    assert_eq!(answer.status(), 200, "{path}");
    answer.headers().get(name).unwrap_or_else(|| panic!("{path}: no {name}")).to_str().expect("text").to_owned()
}

fn ids(collection: &Value) -> Vec<String> {
    list(collection, "features").iter().map(|feature| feature["id"].to_string()).collect()
}

/// A 400 that names the parameter.
fn refused(town: &Town, path: &str, parameter: &str) {
    let mut answer = town.get(path);
    assert_eq!(answer.status(), 400, "{path}");
    assert_eq!(answer.headers()["content-type"], "application/problem+json", "{path}");
    let problem = answer.body_mut().read_to_string().expect("text");
    assert!(problem.contains(parameter), "{path}: {problem}");
}

fn core_root_op_and_success(town: &Town) {
    for path in ["", "/"] {
        let landing = town.json(path);
        links_are_typed(&landing);
        for rel in ["self", "alternate", "conformance", "data", "service-desc", "service-doc"] {
            link(&landing, rel);
        }
        assert_eq!(link(&landing, "service-desc")["type"], OPENAPI);
        for rel in ["conformance", "data", "service-desc", "service-doc"] {
            assert_eq!(ureq::get(text(link(&landing, rel), "href")).call().expect("an answer").status(), 200, "{rel}");
        }
    }
}

fn core_conformance_success(town: &Town) {
    let declared = town.json("/conformance");
    let classes: Vec<&str> = list(&declared, "conformsTo").iter().filter_map(Value::as_str).collect();
    for class in ["core", "oas30", "html", "geojson"] {
        assert!(classes.contains(&format!("{CORE}/{class}").as_str()), "{class}");
    }
    assert!(classes.contains(&CRS));
}

fn core_api_definition_is_true_and_whole(town: &Town) {
    assert_eq!(header(town, "/api", "content-type"), OPENAPI);
    let api = town.json("/api");
    for server in list(&api, "servers") {
        assert!(text(server, "url").starts_with("http://") && !text(server, "url").ends_with('/'));
    }
    let whole = api.to_string();
    assert!(!whole.contains("\"$ref\":\"http") && !whole.contains("\"additionalProperties\":true,\"in\""));
    let paths = api["paths"].as_object().expect("paths");
    for (path, item) in paths {
        assert!(item["get"]["responses"].get("200").is_some(), "{path}");
        for parameter in item["get"]["parameters"].as_array().into_iter().flatten() {
            assert_ne!(parameter["schema"]["additionalProperties"], true, "{path}");
        }
        if !path.ends_with("/items") {
            continue;
        }
        let named = |name: &str| {
            let found = list(&item["get"], "parameters").iter().find(|parameter| parameter["name"] == name);
            found.unwrap_or_else(|| panic!("{path}: no {name}"))
        };
        for name in ["limit", "bbox", "datetime"] {
            assert_eq!(named(name)["style"], "form", "{path} {name}: /req/core/fc-{name}-definition");
        }
        let limit = &named("limit")["schema"];
        assert_eq!(
            (&limit["type"], &limit["minimum"], &limit["maximum"], &limit["default"]),
            (&"integer".into(), &1.into(), &10_000.into(), &100.into())
        );
        let bbox = &named("bbox")["schema"];
        assert_eq!(
            (&bbox["type"], &bbox["minItems"], &bbox["maxItems"], &bbox["items"]["type"]),
            (&"array".into(), &4.into(), &6.into(), &"number".into())
        );
    }
    for layer in town.layers() {
        assert!(paths.contains_key(&format!("/collections/{layer}/items")), "{layer}: each collection by its own path");
    }
}

fn core_collections_and_collection(town: &Town) {
    let all = town.json("/collections");
    links_are_typed(&all);
    assert_eq!(link(&all, "self")["type"], "application/json");
    link(&all, "alternate");
    assert_eq!(list(&all, "collections").len(), 8);
    for listed in list(&all, "collections") {
        let one = town.json(&format!("/collections/{}", text(listed, "id")));
        for key in ["id", "title", "description", "extent", "crs", "storageCrs"] {
            assert_eq!(one[key], listed[key], "{key}: /req/core/sfc-md-success");
        }
        for document in [&one, listed] {
            links_are_typed(document);
            assert_eq!(link(document, "items")["type"], "application/geo+json");
        }
        assert_eq!(link(&one, "self")["type"], "application/json");
        link(&one, "alternate");
        if one["extent"]["spatial"].is_null() {
            continue; // A table has no place.
        }
        let bbox = list(&one["extent"]["spatial"], "bbox")[0].as_array().expect("a box");
        assert_eq!(bbox.len(), 4);
        let crs = list(&one, "crs");
        assert!(crs.contains(&CRS84.into()) && crs.contains(&one["storageCrs"]), "/req/crs/fc-md-storageCrs-valid-value");
        assert!(crs.iter().all(|crs| crs.as_str().is_some_and(|crs| crs.starts_with("http"))), "/req/crs/crs-uri");
    }
    assert_eq!(status(town, "/collections/inconnue"), 404);
    assert_eq!(status(town, "/collections/inconnue/items"), 404);
}

fn core_fc_response_and_links(town: &Town) {
    let path = "/collections/arbres/items";
    assert_eq!(header(town, path, "content-type"), "application/geo+json");
    let page = town.json(&format!("{path}?limit=7"));
    links_are_typed(&page);
    assert_eq!(page["type"], "FeatureCollection");
    assert_eq!((&page["numberMatched"], &page["numberReturned"]), (&120.into(), &7.into()));
    assert_eq!(list(&page, "features").len(), 7, "/req/core/fc-numberReturned");
    assert_eq!(link(&page, "self")["type"], "application/geo+json");
    link(&page, "alternate");
    let stamp: jiff::Timestamp = text(&page, "timeStamp").parse().expect("RFC 3339");
    assert!((jiff::Timestamp::now().as_second() - stamp.as_second()).abs() < 60, "/req/core/fc-timeStamp");
    let mut seen = Vec::new();
    let mut page = page;
    loop {
        seen.extend(ids(&page));
        let Some(next) = list(&page, "links").iter().find(|link| link["rel"] == "next") else { break };
        let (_, query) = text(next, "href").split_once('?').expect("a query");
        assert!(query.split('&').all(|parameter| parameter.contains('=')), "{query}");
        page = town.json(text(next, "href").strip_prefix(&town.base).expect("this server"));
        assert_eq!(page["numberMatched"], 120);
    }
    let mut once = seen.clone();
    once.sort();
    once.dedup();
    assert_eq!((seen.len(), once.len()), (120, 120), "/req/core/fc-links");
    let empty = town.json(&format!("{path}?bbox=0,0,1,1"));
    assert_eq!((list(&empty, "features").len(), &empty["numberMatched"]), (0, &0.into()));
}

fn core_fc_limit_and_unknown_parameters(town: &Town) {
    let path = "/collections/arbres/items";
    for value in ["unlimited", "0", "-1", "1.5", ""] {
        refused(town, &format!("{path}?limit={value}"), "limit");
    }
    assert_eq!(town.json(&format!("{path}?limit=999999"))["numberReturned"], 120, "/req/core/fc-limit-response-1 C: lowered");
    assert_eq!(town.json(path)["numberReturned"], 100, "the default");
    refused(town, &format!("{path}?unlimit=3"), "unlimit");
    refused(town, "/collections?unlimit=3", "unlimit");
    refused(town, "/?unlimit=3", "unlimit");
    refused(town, &format!("{path}?f=doc"), "f");
    refused(town, &format!("{path}?limit=1&limit=2"), "limit");
}

fn core_fc_bbox(town: &Town) {
    let path = "/collections/arbres/items?limit=1000";
    let all = town.json(path);
    for bbox in
        ["-180,-90,180,90", "177,65,-177,70", "-2,48.12,-1.95,48.14", "-1.975,48.1,-1.9,48.2", "-2.5000000,-.3000000,.5000000,48.13"]
    {
        let numbers: Vec<f64> = bbox.split(',').map(|number| number.parse().expect("a number")).collect();
        let expected: Vec<String> = list(&all, "features")
            .iter()
            .filter(|feature| {
                let Some(place) = feature["geometry"]["coordinates"].as_array() else { return false };
                let (lon, lat) = (place[0].as_f64().expect("a number"), place[1].as_f64().expect("a number"));
                let between = match numbers[0] <= numbers[2] {
                    true => numbers[0] <= lon && lon <= numbers[2],
                    false => lon >= numbers[0] || lon <= numbers[2],
                };
                between && numbers[1] <= lat && lat <= numbers[3]
            })
            .map(|feature| feature["id"].to_string())
            .collect();
        for written in [bbox.to_owned(), bbox.replace(',', "%2C")] {
            let found = town.json(&format!("{path}&bbox={written}"));
            assert_eq!(ids(&found), expected, "{written}: /req/core/fc-bbox-response");
            assert_eq!(found["numberMatched"], expected.len());
        }
    }
    for bad in ["1,2,3", "a,b,c,d", "1,2,3,4,5", "-2,49,-1,48", "NaN,0,1,1", "1,,2,3"] {
        refused(town, &format!("{path}&bbox={bad}"), "bbox");
    }
}

fn core_fc_time(town: &Town) {
    let path = "/collections/arbres/items?limit=1000";
    let all = town.json(path);
    let day = |feature: &Value| feature["properties"]["plante_le"].as_str().map(str::to_owned);
    let whens: [(&str, &str, &str); 4] = [
        ("2010-01-01T00:00:00Z/2012-12-31T23:59:59Z", "2010-01-01", "2012-12-31"),
        ("2010-01-01/2012-12-31", "2010-01-01", "2012-12-31"),
        ("../2009-12-31", "0000-01-01", "2009-12-31"),
        ("2020-01-01/..", "2020-01-01", "9999-12-31"),
    ];
    for (asked, first, last) in whens {
        let found = town.json(&format!("{path}&datetime={asked}"));
        let expected: Vec<String> = list(&all, "features")
            .iter()
            .filter(|feature| day(feature).is_none_or(|day| first <= day.as_str() && day.as_str() <= last))
            .map(|feature| feature["id"].to_string())
            .collect();
        assert_eq!(ids(&found), expected, "{asked}: /req/core/fc-time-response");
        assert!(expected.len() < 120, "{asked}");
    }
    for bad in ["hier", "2012-13-01", "2013-01-01/2012-01-01", "../.."] {
        refused(town, &format!("{path}&datetime={bad}"), "datetime");
    }
    assert_eq!(town.json("/collections/zones/items?datetime=2012-01-01")["numberMatched"], 24, "a layer without time is not filtered");
}

fn core_feature(town: &Town) {
    for layer in town.layers() {
        let page = town.json(&format!("/collections/{layer}/items?limit=1"));
        let first = &list(&page, "features")[0];
        let fid = first["id"].as_str().map_or_else(|| first["id"].to_string(), str::to_owned);
        let path = format!("/collections/{layer}/items/{fid}");
        assert_eq!(header(town, &path, "content-type"), "application/geo+json");
        let feature = town.json(&path);
        links_are_typed(&feature);
        for rel in ["self", "alternate", "collection"] {
            link(&feature, rel);
        }
        for key in ["id", "geometry", "properties"] {
            assert_eq!(feature[key], first[key], "{layer}: /req/core/f-success");
        }
        assert_eq!(status(town, &format!("/collections/{layer}/items/absent-999999")), 404);
    }
}

fn html_pages_are_pages(town: &Town) {
    for path in [
        "/",
        "/conformance",
        "/api",
        "/collections",
        "/collections/arbres",
        "/collections/arbres/items",
        "/collections/zones/items/Z00",
        "/downloads/arbres/",
    ] {
        let mut asked = ureq::get(format!("{}{path}", town.base))
            .header("accept", "text/html,application/xhtml+xml,*/*;q=0.8")
            .call()
            .unwrap_or_else(|error| panic!("{path}: {error}"));
        assert!(asked.headers()["content-type"].to_str().expect("text").starts_with("text/html"), "{path}");
        let page = asked.body_mut().read_to_string().expect("text");
        assert!(page.contains("<html lang=\"fr\"") && page.contains("<title>") && page.contains("<main"), "{path}");
    }
}

fn crs_content_crs_header_and_unsupported(town: &Town) {
    let items = "/collections/zones/items";
    assert_eq!(header(town, items, "content-crs"), format!("<{CRS84}>"), "/req/crs/ogc-crs-header");
    assert_eq!(header(town, "/collections/zones/items/Z00", "content-crs"), format!("<{CRS84}>"));
    for parameter in ["crs", "bbox-crs"] {
        let asked = format!("{items}?bbox=0,0,1,1&{parameter}=http://www.opengis.net/def/crs/0/unsupported");
        refused(town, &asked, parameter);
    }
    for layer in town.layers() {
        let one = town.json(&format!("/collections/{layer}"));
        for crs in one["crs"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let path = format!("/collections/{layer}/items?limit=3&crs={crs}");
            assert_eq!(header(town, &path, "content-crs"), format!("<{crs}>"), "/req/crs/fc-crs-action");
            let page = town.json(&path);
            let id = &list(&page, "features")[0]["id"];
            let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
            assert_eq!(header(town, &format!("/collections/{layer}/items/{id}?crs={crs}"), "content-crs"), format!("<{crs}>"));
        }
    }
}

fn crs_axes_are_in_the_order_of_the_authority(town: &Town) {
    let first = |crs: &str| {
        let page = town.json(&format!("/collections/arbres/items?limit=1&crs={crs}"));
        let place = &list(&page, "features")[0]["geometry"]["coordinates"];
        (place[0].as_f64().expect("a number"), place[1].as_f64().expect("a number"))
    };
    let (lon, lat) = first(CRS84);
    let (north, east) = first("http://www.opengis.net/def/crs/EPSG/0/4326");
    assert!((lon - east).abs() < 2e-7 && (lat - north).abs() < 2e-7, "{lon} {lat}: EPSG:4326 is latitude first");
    let (east, north) = first("http://www.opengis.net/def/crs/EPSG/0/2154");
    assert!((320_000.0..345_000.0).contains(&east) && (6_780_000.0..6_800_000.0).contains(&north), "{east} {north}");
}

fn crs_bbox_crs_finds_what_the_same_box_in_degrees_finds(town: &Town) {
    let path = "/collections/arbres/items?limit=1000";
    let plain = town.json(&format!("{path}&bbox=-1.99,48.11,-1.94,48.15"));
    let swapped = town.json(&format!("{path}&bbox=48.11,-1.99,48.15,-1.94&bbox-crs=http://www.opengis.net/def/crs/EPSG/0/4326"));
    assert_eq!(ids(&plain), ids(&swapped), "/req/crs/fc-bbox-crs-action");
    assert!(ids(&plain).len() > 10 && ids(&plain).len() < 120);
    let all = town.json(&format!("{path}&crs=http://www.opengis.net/def/crs/EPSG/0/2154"));
    let (west, south, east, north) = (332_000.0, 6_788_000.0, 336_000.0, 6_792_000.0);
    let expected: Vec<String> = list(&all, "features")
        .iter()
        .filter(|feature| {
            let Some(place) = feature["geometry"]["coordinates"].as_array() else { return false };
            let (x, y) = (place[0].as_f64().expect("a number"), place[1].as_f64().expect("a number"));
            (west..=east).contains(&x) && (south..=north).contains(&y)
        })
        .map(|feature| feature["id"].to_string())
        .collect();
    let found = town.json(&format!("{path}&bbox={west},{south},{east},{north}&bbox-crs=http://www.opengis.net/def/crs/EPSG/0/2154"));
    // A box of the projection is a little turned in degrees: the box around it may hold some more at its sides.
    assert!(expected.iter().all(|id| ids(&found).contains(id)), "{expected:?}");
    assert!(!expected.is_empty() && ids(&found).len() <= expected.len() + 6, "{} for {}", ids(&found).len(), expected.len());
}

fn fields_and_communes_filter(town: &Town) {
    let all = town.json("/collections/arbres/items?limit=1000");
    let expected = list(&all, "features").iter().filter(|feature| feature["properties"]["espece"] == "Hêtre").count();
    let found = town.json("/collections/arbres/items?limit=1000&espece=H%C3%AAtre");
    assert_eq!((ids(&found).len(), &found["numberMatched"]), (expected, &expected.into()), "/rec/core/fc-filters");
    let communes = town.json("/collections/communes/items");
    let mut sum = 0;
    for commune in list(&communes, "features") {
        let code = text(&commune["properties"], "code_insee");
        let within = town.json(&format!("/collections/arbres/items?limit=1000&commune={code}"));
        sum += within["numberMatched"].as_u64().expect("a number");
    }
    let placed = list(&all, "features").iter().filter(|feature| !feature["geometry"].is_null()).count() as u64;
    assert!((placed / 2..=placed + 3).contains(&sum), "{sum} of {placed}");
    refused(town, "/collections/arbres/items?commune=99999", "commune");
    refused(town, "/collections/arbres/items?hauteur=haut", "hauteur");
    refused(town, "/collections/arbres/items?plante_le=hier", "plante_le");
    let chosen = town.json("/collections/arbres/items?limit=1&properties=hauteur,code");
    let names: Vec<&String> = chosen["features"][0]["properties"].as_object().expect("properties").keys().collect();
    assert_eq!(names, ["code", "hauteur"], "in the layer's order");
    for bad in ["", "code,", "age"] {
        refused(town, &format!("/collections/arbres/items?properties={bad}"), "properties");
    }
}

in_both_towns! {
    core_root_op_and_success,
    core_conformance_success,
    core_api_definition_is_true_and_whole,
    core_collections_and_collection,
    core_fc_response_and_links,
    core_fc_limit_and_unknown_parameters,
    core_fc_bbox,
    core_fc_time,
    core_feature,
    html_pages_are_pages,
    crs_content_crs_header_and_unsupported,
    crs_axes_are_in_the_order_of_the_authority,
    crs_bbox_crs_finds_what_the_same_box_in_degrees_finds,
    fields_and_communes_filter,
}
