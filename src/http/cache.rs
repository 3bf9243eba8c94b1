//! Validators of documents (RFC 9110 §13): a client that holds the current answer is told so for some bytes.

use axum::http::HeaderMap;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;
use sha2::Digest;
use sha2::Sha256;

/// What an answer is made from; it is another answer when one of these is another.
pub struct Validator {
    etag: String,
    last_modified: Option<String>,
}

/// A kept document is shown again only after asking: what is published may be withdrawn at any moment.
const CACHE_CONTROL: HeaderValue = HeaderValue::from_static("no-cache");

impl Validator {
    /// Weak: answers carry the moment they were written, and are equal but for it. `made_from` names the data (a version,
    /// a generation) and the representation; the program's own version is added. `modified`: RFC 3339.
    pub fn weak(made_from: &[&str], modified: Option<&str>) -> Validator {
        let etag = format!("W/\"{}-{}\"", made_from.join("-"), env!("CARGO_PKG_VERSION"));
        Validator { etag, last_modified: modified.map(http_date).filter(|date| !date.is_empty()) }
    }

    /// `304 Not Modified` where the client's copy is this one.
    pub fn answer(&self, headers: &HeaderMap) -> Option<Response> {
        let asked = headers.get(header::IF_NONE_MATCH)?.to_str().ok()?;
        matches(asked, &self.etag).then(|| self.stamp(StatusCode::NOT_MODIFIED.into_response()))
    }

    pub fn stamp(&self, mut response: Response) -> Response {
        let entries = response.headers_mut();
        if let Ok(etag) = HeaderValue::from_str(&self.etag) {
            entries.insert(header::ETAG, etag);
        }
        if let Some(date) = self.last_modified.as_deref().and_then(|date| HeaderValue::from_str(date).ok()) {
            entries.insert(header::LAST_MODIFIED, date);
        }
        entries.insert(header::CACHE_CONTROL, CACHE_CONTROL);
        entries.append(header::VARY, HeaderValue::from_static("accept"));
        response
    }
}

/// A document made anew for each request, with a validator made from its bytes. `modified`: RFC 3339.
pub async fn lasting(headers: &HeaderMap, modified: Option<&str>, response: Response) -> Response {
    let (parts, body) = response.into_parts();
    let Ok(bytes) = axum::body::to_bytes(body, usize::MAX).await else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let digest: String = Sha256::digest(&bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let validator = Validator::weak(&[&digest], modified);
    match validator.answer(headers) {
        Some(unchanged) => unchanged,
        None => validator.stamp(Response::from_parts(parts, bytes.into())),
    }
}

/// Carried by an answer whose `Content-Encoding` is its own: its validator is of these very bytes, and stays strong.
#[derive(Clone, Copy)]
pub struct EncodedAsItLies;

/// Whether `If-None-Match` names `etag`: `*`, or a list, weakly compared (RFC 9110 §8.8.3.2).
pub fn matches(asked: &str, etag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    asked.trim() == "*" || asked.split(',').any(|tag| opaque(tag) == opaque(etag))
}

/// RFC 3339 to the date of HTTP (RFC 9110 §5.6.7); empty for what is no instant.
pub fn http_date(rfc3339: &str) -> String {
    let instant: Option<jiff::Timestamp> = rfc3339.parse().ok();
    instant.map_or_else(String::new, |instant| instant.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_recognised_in_a_list_and_weakly() {
        assert!(matches("\"a\", W/\"b\"", "\"b\""));
        assert!(matches("*", "\"b\""));
        assert!(!matches("\"abc\"", "\"b\""));
        assert!(!matches("", "\"b\""));
    }

    #[test]
    fn dates_have_the_form_of_http() {
        assert_eq!(http_date("2026-06-30T10:00:00Z"), "Tue, 30 Jun 2026 10:00:00 GMT");
        assert_eq!(http_date("yesterday"), "");
    }
}
