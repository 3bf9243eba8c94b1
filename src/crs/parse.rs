//! Reads every spelling of a CRS: URI, URN, `EPSG:n`, safe CURIE.

use crate::model::crs::Crs;

/// EPSG issues codes from 1024 on, and none of more than eight digits.
const EPSG_MIN: u32 = 1024;
const EPSG_MAX: u32 = 99_999_999;

/// `http(s)://www.opengis.net/def/crs/…`, `urn:ogc:def:crs:…`, `urn:x-ogc:…`, `EPSG:n`, `CRS84`, `OGC:CRS84`, `[EPSG:n]`. `None` for anything else.
pub fn parse(text: &str) -> Option<Crs> {
    let lower = text.trim().to_ascii_lowercase();
    let whole = lower.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(&lower);
    if whole == "crs84" {
        return Some(Crs::Crs84);
    }
    if let Some(code) = after(whole, &["http://www.opengis.net/gml/srs/epsg.xml#"]) {
        return named("epsg", code);
    }
    if let Some(rest) = after(whole, &["http://www.opengis.net/def/crs/", "https://www.opengis.net/def/crs/"]) {
        let parts: Vec<&str> = rest.split('/').collect();
        return match parts[..] {
            [authority, version, code] if !version.is_empty() => named(authority, code),
            _ => None,
        };
    }
    if let Some(rest) = after(whole, &["urn:ogc:def:crs:", "urn:x-ogc:def:crs:"]) {
        let parts: Vec<&str> = rest.split(':').collect();
        return match parts[..] {
            [authority, _, code] | [authority, code] => named(authority, code),
            _ => None,
        };
    }
    let (authority, code) = whole.split_once(':')?;
    named(authority, code)
}

fn after<'a>(text: &'a str, beginnings: &[&str]) -> Option<&'a str> {
    beginnings.iter().find_map(|beginning| text.strip_prefix(beginning))
}

fn named(authority: &str, code: &str) -> Option<Crs> {
    match authority {
        "epsg" if !code.is_empty() && code.bytes().all(|sign| sign.is_ascii_digit()) => {
            code.parse().ok().filter(|code| (EPSG_MIN..=EPSG_MAX).contains(code)).map(Crs::Epsg)
        }
        "ogc" | "crs" if code == "crs84" || code == "84" => Some(Crs::Crs84),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_read() {
        for text in [
            "EPSG:2154",
            "epsg:2154",
            " [EPSG:2154] ",
            "http://www.opengis.net/def/crs/EPSG/0/2154",
            "https://www.opengis.net/def/crs/EPSG/9.8/2154",
            "http://www.opengis.net/gml/srs/epsg.xml#2154",
            "urn:ogc:def:crs:EPSG::2154",
            "urn:ogc:def:crs:EPSG:6.9:2154",
            "urn:x-ogc:def:crs:EPSG:2154",
        ] {
            assert_eq!(parse(text), Some(Crs::Epsg(2154)), "{text}");
        }
        for text in
            ["CRS84", "OGC:CRS84", "CRS:84", "[OGC:CRS84]", "http://www.opengis.net/def/crs/OGC/1.3/CRS84", "urn:ogc:def:crs:OGC:1.3:CRS84"]
        {
            assert_eq!(parse(text), Some(Crs::Crs84), "{text}");
        }
        for crs in [Crs::Crs84, Crs::Epsg(3948)] {
            assert_eq!((parse(&crs.uri()), parse(&crs.to_string())), (Some(crs), Some(crs)), "what we write, we read");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "2154",
            "EPSG:",
            "EPSG:+2154",
            "EPSG:12",
            "EPSG:2154x",
            "IGNF:LAMB93",
            "[EPSG:2154",
            "http://www.opengis.net/def/crs/EPSG/2154",
            "http://www.opengis.net/def/crs/EPSG/0/2154/",
            "http://example.org/def/crs/EPSG/0/2154",
            "urn:ogc:def:crs:EPSG",
            "http://www.opengis.net/def/crs/OGC/1.3/CRS83",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
