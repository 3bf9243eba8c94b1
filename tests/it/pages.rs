//! What a browser gets: pages that need nothing from elsewhere, and are whole without a script.

use serde_json::Value;
use ureq::http::Response;

use crate::town::Town;

fn text(mut answer: Response<ureq::Body>) -> String {
    answer.body_mut().read_to_string().expect("text")
}

fn header<'a>(answer: &'a Response<ureq::Body>, name: &str) -> &'a str {
    answer.headers().get(name).unwrap_or_else(|| panic!("no {name}")).to_str().expect("text")
}

/// The values of an attribute, in the order of the page.
fn attributes<'a>(page: &'a str, name: &str) -> Vec<&'a str> {
    page.split(&format!(" {name}=\"")).skip(1).map(|rest| rest.split('"').next().expect("an end")).collect()
}

/// What the script of the map is told.
fn map(page: &str) -> Option<Value> {
    let (_, said) = page.split_once("id=\"carte-dit\">")?;
    Some(serde_json::from_str(said.split("</script>").next()?).expect("JSON"))
}

#[test]
fn pages_load_from_their_own_server_and_what_they_load_is_there() {
    let town = Town::demo();
    for path in ["/?f=html", "/collections/arbres?f=html", "/collections/arbres/items?f=html", "/checks?f=html", "/api?f=html"] {
        let answer = town.get(path);
        let policy = header(&answer, "content-security-policy");
        assert!(policy.starts_with(&format!("default-src 'self' {};", town.base)), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        let page = text(answer);
        let links = attributes(&page, "href").into_iter().filter(|href| href.contains("/assets/"));
        let loaded: Vec<&str> = attributes(&page, "src").into_iter().chain(links).collect();
        assert!(loaded.len() >= 2, "{path}: {loaded:?}");
        for address in loaded {
            let local = address.strip_prefix(&town.base).unwrap_or_else(|| panic!("{path}: {address}"));
            // Pictures of styles have tests of their own.
            if local.starts_with("/assets/") {
                let answer = town.get(local);
                assert_eq!(answer.status(), 200, "{path}: {address}");
                assert_eq!(header(&answer, "cache-control"), "public, max-age=31536000, immutable");
            }
        }
    }
}

#[test]
fn a_layer_with_a_place_has_a_map_of_it_and_its_first_rows_beside() {
    let town = Town::demo();
    for id in town.layers() {
        let said = town.json(&format!("/collections/{id}"));
        let page = text(town.get(&format!("/collections/{id}?f=html")));
        let told = map(&page);
        assert_eq!(told.is_some(), said["extent"]["spatial"].is_object(), "{id}");
        assert_eq!(page.contains("<noscript>"), told.is_some(), "{id}");
        if let Some(told) = told {
            assert_eq!(told["bounds"], said["extent"]["spatial"]["bbox"][0], "{id}");
            assert_eq!(told["title"], said["title"], "{id}");
        }
        let items = town.json(&format!("/collections/{id}/items?limit=10"));
        for item in items["features"].as_array().expect("features") {
            let fid = item["id"].as_str().map_or_else(|| item["id"].to_string(), str::to_owned);
            assert!(page.contains(&format!("/collections/{id}/items/{fid}?f=html\">{fid}</a>")), "{id}: {fid}");
        }
    }
}

#[test]
fn fonts_are_listed_and_each_is_there() {
    let town = Town::demo();
    let list = town.json("/fonts.json");
    let faces = list.as_array().expect("a list");
    assert_eq!(faces.len(), 4);
    for face in faces {
        let path = format!("/fonts/{}", face.as_str().expect("a name").replace(' ', "%20"));
        let answer = town.get(&format!("{path}/0-255.pbf"));
        assert_eq!(header(&answer, "content-type"), "application/x-protobuf");
        // Asked again it comes from what was kept: the same.
        assert_eq!(header(&answer, "etag"), header(&town.get(&format!("{path}/0-255.pbf")), "etag"));
        for status in
            [(format!("{path}/65280-65535.pbf"), 200), (format!("{path}/1-255.pbf"), 400), ("/fonts/Arial/0-255.pbf".to_owned(), 404)]
        {
            assert_eq!(town.get(&status.0).status(), status.1, "{}", status.0);
        }
    }
}
