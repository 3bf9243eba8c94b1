//! Reads every spelling of a CRS: URI, URN, `EPSG:n`, safe CURIE.

use crate::model::crs::CRS84;
use crate::model::crs::Crs;

/// `http(s)://www.opengis.net/def/crs/…`, `urn:ogc:def:crs:…`, `urn:x-ogc:…`, `EPSG:n`, `CRS84`, `OGC:CRS84`,
/// `[EPSG:n]`. `None` for anything else. Letter case is not looked at.
pub fn parse(text: &str) -> Option<Crs> {
    let text = text.trim().to_ascii_lowercase();
    let text = text.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(&text);
    let path = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    let parts: Vec<&str> = match path {
        Some(path) => path.strip_prefix("www.opengis.net/def/crs/")?.split('/').collect(),
        None => match text.strip_prefix("urn:ogc:def:crs:").or_else(|| text.strip_prefix("urn:x-ogc:def:crs:")) {
            Some(name) => name.split(':').collect(),
            None => short(text),
        },
    };
    // Authority, version (any, or none), code.
    let [authority, _version, code] = parts[..] else { return None };
    match (authority, code) {
        ("ogc", "crs84") => Some(CRS84),
        ("epsg", code) if code.bytes().all(|b| b.is_ascii_digit()) && !code.is_empty() => code.parse().ok().map(Crs::Epsg),
        _ => None,
    }
}

/// `epsg:2154` and `crs84` as authority, version, code.
fn short(text: &str) -> Vec<&str> {
    match text.split_once(':') {
        Some((authority, code)) => vec![authority, "", code],
        None if text == "crs84" => vec!["ogc", "", text],
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_lambert_93_is_understood() {
        for text in [
            "EPSG:2154",
            "epsg:2154",
            "[EPSG:2154]",
            "http://www.opengis.net/def/crs/EPSG/0/2154",
            "https://www.opengis.net/def/crs/epsg/9.9/2154",
            "urn:ogc:def:crs:EPSG::2154",
            "urn:ogc:def:crs:EPSG:6.9:2154",
            "urn:x-ogc:def:crs:EPSG:2154:2154",
        ] {
            assert_eq!(parse(text), Some(Crs::Epsg(2154)), "{text}");
        }
    }

    #[test]
    fn every_spelling_of_crs84_is_understood() {
        for text in ["CRS84", "OGC:CRS84", "http://www.opengis.net/def/crs/OGC/1.3/CRS84", "urn:ogc:def:crs:OGC:1.3:CRS84", "[OGC:CRS84]"] {
            assert_eq!(parse(text), Some(CRS84), "{text}");
        }
    }

    #[test]
    fn anything_else_is_no_crs() {
        for text in [
            "",
            "2154",
            "EPSG:",
            "EPSG:x",
            "IGNF:LAMB93",
            "http://www.opengis.net/def/crs/0/unsupported",
            "EPSG:99999999999",
            "urn:ogc:def:crs",
            "[EPSG:2154",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
