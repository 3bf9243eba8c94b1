//! A typed link (RFC 8288) as OGC API documents carry it.

use serde::Serialize;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Link {
    /// Absolute address.
    pub href: String,
    pub rel: String,
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
        Link { href: href.into(), rel: rel.into(), media_type: Some(media_type.to_owned()), title: None, hreflang: None, length: None }
    }

    pub fn titled(mut self, title: impl Into<String>) -> Link {
        self.title = Some(title.into());
        self
    }
}
