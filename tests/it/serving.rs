//! What every answer carries, whichever way it took through the server.

use ureq::http::Response;

use crate::town::Town;

fn header<'a>(answer: &'a Response<ureq::Body>, name: &str) -> Vec<&'a str> {
    answer.headers().get_all(name).iter().map(|value| value.to_str().expect("text")).collect()
}

/// Every header but those that differ by the moment or by the length of the address.
fn lasting(answer: &Response<ureq::Body>) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = answer
        .headers()
        .iter()
        .filter(|(name, _)| *name != "date")
        .map(|(name, value)| (name.to_string(), value.to_str().expect("text").to_owned()))
        .collect();
    all.sort();
    all
}

#[test]
fn the_short_way_and_the_long_way_give_the_same_answer() {
    let town = Town::demo();
    let path = "/collections/equipements/items/1";
    // A parameter that says the default takes the long way.
    let default_crs = "crs=http://www.opengis.net/def/crs/OGC/1.3/CRS84";
    let mut short = town.get(&format!("{path}?f=json"));
    let mut long = town.get(&format!("{path}?f=json&{default_crs}"));
    assert_eq!((short.status().as_u16(), long.status().as_u16()), (200, 200));
    let vary = |answer: &Response<ureq::Body>| {
        let mut names: Vec<String> =
            header(answer, "vary").iter().flat_map(|value| value.split(',')).map(|name| name.trim().to_ascii_lowercase()).collect();
        names.sort();
        names
    };
    assert!(["accept", "accept-encoding"].iter().all(|name| vary(&short).iter().any(|found| found == name)));
    let without_vary = |answer| lasting(answer).into_iter().filter(|(name, _)| name != "vary").collect::<Vec<_>>();
    assert_eq!(without_vary(&short), without_vary(&long));
    let body = |answer: &mut Response<ureq::Body>| answer.body_mut().read_to_string().expect("text");
    assert_eq!(body(&mut short), body(&mut long));
}

#[test]
fn any_page_may_ask_and_a_kept_copy_is_recognised() {
    let town = Town::demo();
    for path in
        ["/", "/conformance", "/api", "/collections", "/collections/zones", "/collections/zones/items", "/collections/zones/items/Z00"]
    {
        let answer = town.get(path);
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(header(&answer, "access-control-allow-origin"), ["*"], "{path}");
        let etag = header(&answer, "etag").first().copied().unwrap_or_else(|| panic!("{path} has no ETag")).to_owned();
        assert!(!header(&answer, "last-modified").is_empty(), "{path}");
        let again = ureq::get(format!("{}{path}", town.base)).header("if-none-match", &etag).call().expect("an answer");
        assert_eq!(again.status(), 304, "{path}");
        let head = ureq::head(format!("{}{path}", town.base)).call().expect("an answer");
        assert_eq!((head.status().as_u16(), header(&head, "etag")), (200, vec![etag.as_str()]), "{path}");
    }
}
