//! Which representation is wanted: `f` decides, else `Accept`; JSON where neither says, a page for browsers.

use axum::http::HeaderMap;
use axum::http::header;

use crate::http::fault::Fault;
use crate::http::params::Params;

/// The id of a representation among `offered` (the first is the default): `json`, `html`, or a format's own.
///
/// # Errors
/// `InvalidParameter` for an `f` that is not offered.
pub fn negotiate(headers: &HeaderMap, f: Option<&str>, offered: &[(&'static str, &'static str)]) -> Result<&'static str, Fault> {
    let default = offered.first().map_or("json", |(id, _)| *id);
    if let Some(f) = f {
        let found = offered.iter().find(|(id, _)| *id == f || (f == "json" && *id == default)).map(|(id, _)| *id);
        let ids: Vec<&str> = offered.iter().map(|(id, _)| *id).collect();
        return found.ok_or_else(|| Fault::parameter("f", f, format!("expected one of {}", ids.join(", "))));
    }
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or("*/*");
    let mut best = (0.0, default);
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let wanted = parts.next().unwrap_or_default();
        let version = parts.clone().find(|part| part.starts_with("version="));
        let quality = parts.find_map(|part| part.strip_prefix("q=")).and_then(|quality| quality.parse::<f32>().ok()).unwrap_or(1.0);
        // The first of equals wins: browsers name text/html first, clients name theirs.
        let found = match wanted {
            "*/*" | "application/*" => Some(default),
            "application/json" | "application/geo+json" => Some(default),
            _ => offered.iter().find(|(_, media_type)| is_of(media_type, wanted, version)).map(|(id, _)| *id),
        };
        if let Some(id) = found.filter(|_| quality > best.0) {
            best = (quality, id);
        }
    }
    Ok(best.1)
}

/// Which representation of a document is wanted that takes no parameter but `f`.
///
/// # Errors
/// `InvalidParameter` for an `f` that is not offered, and for any other parameter.
pub fn representation(headers: &HeaderMap, query: Option<&str>, offered: &[(&'static str, &'static str)]) -> Result<&'static str, Fault> {
    let mut params = Params::parse(query)?;
    let wanted = negotiate(headers, params.take("f").as_deref(), offered)?;
    params.finish(&["f"])?;
    Ok(wanted)
}

/// Whether the client said that it takes gzip; one that says nothing gets plain bytes.
pub fn accepts_gzip(headers: &HeaderMap) -> bool {
    let Some(accepted) = headers.get(header::ACCEPT_ENCODING).and_then(|accepted| accepted.to_str().ok()) else { return false };
    let is_refused = |parameters: &str| {
        let quality = parameters.split(';').find_map(|part| part.trim().strip_prefix("q="));
        quality.and_then(|quality| quality.trim().parse::<f32>().ok()).is_some_and(|quality| quality <= 0.0)
    };
    accepted.split(',').any(|one| {
        let (coding, parameters) = one.split_once(';').unwrap_or((one, ""));
        let coding = coding.trim();
        (coding.eq_ignore_ascii_case("gzip") || coding == "*") && !is_refused(parameters)
    })
}

/// Whether a media type is the one wanted; of several versions of one, the version wanted.
fn is_of(media_type: &str, wanted: &str, version: Option<&str>) -> bool {
    let mut parts = media_type.split(';');
    parts.next() == Some(wanted) && parts.all(|part| version.is_none_or(|version| version.replace('"', "") == part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    const OFFERED: [(&str, &str); 3] = [("geojson", "application/geo+json"), ("html", "text/html"), ("csv", "text/csv")];

    fn chosen(accept: &'static str, f: Option<&str>) -> Option<&'static str> {
        let mut headers = HeaderMap::new();
        if !accept.is_empty() {
            headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
        }
        negotiate(&headers, f, &OFFERED).ok()
    }

    #[test]
    fn programs_get_json_and_browsers_a_page() {
        for accept in
            ["", "*/*", "application/json, application/javascript, text/javascript, text/json", "application/geo+json", "image/png"]
        {
            assert_eq!(chosen(accept, None), Some("geojson"), "{accept}");
        }
        assert_eq!(chosen("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", None), Some("html"));
        assert_eq!(chosen("text/html;q=0.2, text/csv", None), Some("csv"));
    }

    #[test]
    fn gzip_is_for_those_who_say_so() {
        for (accepted, expected) in
            [("gzip", true), ("br, gzip;q=0.5", true), ("GZIP", true), ("*", true), ("gzip;q=0", false), ("identity", false), ("br", false)]
        {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(accepted));
            assert_eq!(accepts_gzip(&headers), expected, "{accepted}");
        }
        assert!(!accepts_gzip(&HeaderMap::new()));
    }

    #[test]
    fn f_decides_and_is_refused_where_it_is_not_offered() {
        assert_eq!(chosen("text/html", Some("json")), Some("geojson"));
        assert_eq!(chosen("", Some("html")), Some("html"));
        assert_eq!(chosen("", Some("xml")), None);
    }

    #[test]
    fn versions_of_a_media_type_are_told_apart() {
        let offered = [
            ("json", "application/json"),
            ("sld11", "application/vnd.ogc.sld+xml;version=1.1"),
            ("sld10", "application/vnd.ogc.sld+xml;version=1.0"),
        ];
        for (accept, expected) in [
            ("application/vnd.ogc.sld+xml", "sld11"),
            ("application/vnd.ogc.sld+xml; version=1.0", "sld10"),
            ("application/vnd.ogc.sld+xml;version=\"1.0\";q=0.9, text/csv", "sld10"),
            ("application/vnd.ogc.sld+xml;version=2.0", "json"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
            assert_eq!(negotiate(&headers, None, &offered).ok(), Some(expected), "{accept}");
        }
    }
}
