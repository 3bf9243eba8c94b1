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

/// Compressed on the way, a file's bytes are others: no range of the plain file may be joined to them.
#[test]
fn a_download_is_compressed_where_it_helps_and_never_mistaken() {
    let town = Town::demo();
    let get = |path: &str, headers: &[(&str, &str)]| {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let request =
            headers.iter().fold(agent.get(format!("{}{path}", town.base)), |request, (name, value)| request.header(*name, *value));
        request.call().expect("an answer")
    };
    let zipped = [("accept-encoding", "gzip, br, zstd")];
    for (file, is_text) in
        [("zones.geojson", true), ("zones.csv", true), ("zones.gpkg", false), ("zones.shp.zip", false), ("zones.fgb", false)]
    {
        let path = format!("/downloads/zones/{file}");
        let (plain, packed) = (get(&path, &[("accept-encoding", "identity")]), get(&path, &zipped));
        let tag = header(&plain, "etag")[0].to_owned();
        assert!(tag.starts_with('"') && header(&plain, "accept-ranges") == ["bytes"], "{file}");
        assert_eq!(header(&packed, "content-encoding").is_empty(), !is_text, "{file}");
        assert_eq!(header(&packed, "etag"), [if is_text { format!("W/{tag}") } else { tag.clone() }], "{file}");
        assert_eq!(header(&packed, "accept-ranges").is_empty(), is_text, "{file}");
        let resumed = |guard: &str| get(&path, &[zipped[0], ("range", "bytes=10-19"), ("if-range", guard)]);
        assert_eq!((resumed(&tag).status().as_u16(), header(&resumed(&tag), "content-encoding").len()), (206, 0), "{file}");
        assert_eq!(resumed(&format!("W/{tag}")).status(), 200, "{file}");
        let date = header(&plain, "last-modified")[0];
        let kept: [[(&str, &str); 1]; 2] = [[("if-none-match", header(&packed, "etag")[0])], [("if-modified-since", date)]];
        assert!(kept.iter().all(|held| get(&path, held).status() == 304), "{file}");
        assert_eq!(get(&path, &[("if-modified-since", "Fri, 01 Jan 2100 00:00:00 GMT")]).status(), 200, "{file}");
    }
}

/// A wrong request costs little and is told in the form that it can read.
#[test]
fn wrong_requests_are_refused_in_their_own_form() {
    let town = Town::demo();
    for (path, status) in [
        ("/nulle-part", 404),
        ("/collections/%ff%fe/items", 404),
        ("/downloads/zones/..%2f..%2fregister.sqlite", 404),
        ("/downloads/zones/20200101-00000000/zones.gpkg", 404),
        ("/collections/zones/items?limit=0", 400),
        ("/collections/zones/items?libelle=a&libelle=b", 400),
        ("/downloads/zones/?f=xml", 400),
    ] {
        let mut answer = town.get(path);
        assert_eq!(answer.status(), status, "{path}");
        assert_eq!(header(&answer, "content-type"), ["application/problem+json"], "{path}");
        let problem: serde_json::Value = serde_json::from_str(&answer.body_mut().read_to_string().expect("text")).expect("JSON");
        assert_eq!(problem["status"], status, "{path}");
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let page = agent.get(format!("{}{path}", town.base)).header("accept", "text/html").call().expect("an answer");
        assert_eq!((page.status().as_u16(), header(&page, "content-type")), (status, vec!["text/html; charset=utf-8"]), "{path}");
    }
    assert_eq!(town.get("/collections/zones/items?limit=99999999999999999999").status(), 200);
}

/// Limits of what stands before the first handler.
#[test]
fn a_head_too_large_is_refused() {
    use std::io::Read;
    use std::io::Write;
    let town = Town::demo();
    let host = town.base.trim_start_matches("http://");
    for (head, status) in [
        (format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(100_000)), "414"),
        (format!("GET / HTTP/1.1\r\nHost: a\r\nA: {}\r\n\r\n", "b".repeat(300_000)), "431"),
        (format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "A: b\r\n".repeat(500)), "431"),
    ] {
        let mut stream = std::net::TcpStream::connect(host).expect("connected");
        // The server may close before it has read everything.
        let _ = stream.write_all(head.as_bytes());
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{status}: {answer}");
    }
}
