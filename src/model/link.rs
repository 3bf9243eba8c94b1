//! A typed link (RFC 8288) as OGC API documents carry it.

use serde::Serialize;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Link {
    /// Absolute address.
    pub href: String,
    pub rel: String,
    /// Whether `href` is a template with `{…}` in it (RFC 6570).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub templated: bool,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hreflang: Option<String>,
    /// Bytes, where the target is a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length: Option<u64>,
}

impl Link {
    pub fn new(href: impl Into<String>, rel: impl Into<String>, media_type: &str) -> Link {
        Link {
            href: href.into(),
            templated: false,
            rel: rel.into(),
            media_type: Some(media_type.to_owned()),
            title: None,
            hreflang: None,
            length: None,
        }
    }

    /// An address with `{…}` in it.
    pub fn templated(href: impl Into<String>, rel: impl Into<String>, media_type: &str) -> Link {
        Link { templated: true, ..Link::new(href, rel, media_type) }
    }

    /// `self` and the other representations of a document, (id, media type) each, of which `wanted` is the one that is sent
    /// (OGC API `/req/core/root-success`, recommendation `/rec/core/link-header`).
    pub fn own(address: &str, wanted: &str, offered: &[(&'static str, &'static str)]) -> Vec<Link> {
        let joined = if address.contains('?') { '&' } else { '?' };
        let link = |(id, media_type): &(&str, &str)| {
            let rel = if *id == wanted { "self" } else { "alternate" };
            Link::new(format!("{address}{joined}f={id}"), rel, media_type)
        };
        offered.iter().map(link).collect()
    }

    pub fn titled(mut self, title: impl Into<String>) -> Link {
        self.title = Some(title.into());
        self
    }
}
