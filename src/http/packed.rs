//! Bytes that are kept compressed: sent as they are to whoever takes gzip, and unpacked for the rest.

use std::borrow::Cow;

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;
use bytes::Bytes;
use libdeflater::CompressionLvl;
use libdeflater::Compressor;
use libdeflater::Decompressor;
use sha2::Digest;
use sha2::Sha256;

use crate::http::cache;
use crate::http::fault::Fault;

#[derive(Clone)]
pub struct Packed {
    gzip: Bytes,
    /// Weak: it stands for both forms.
    etag: String,
}

impl Packed {
    /// Of what is compressed already.
    pub fn from_static(gzip: &'static [u8]) -> Packed {
        Packed::new(Bytes::from_static(gzip))
    }

    /// # Panics
    /// Never: the bound that the library gives is enough.
    pub fn compress(plain: &[u8]) -> Packed {
        let mut compressor = Compressor::new(CompressionLvl::default());
        let mut packed = vec![0; compressor.gzip_compress_bound(plain.len())];
        let length = compressor.gzip_compress(plain, &mut packed).expect("the bound is enough");
        packed.truncate(length);
        Packed::new(packed.into())
    }

    fn new(gzip: Bytes) -> Packed {
        let digest: String = Sha256::digest(&gzip).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Packed { gzip, etag: format!("W/\"{digest}\"") }
    }

    /// `lifetime`: the value of `Cache-Control`.
    ///
    /// # Errors
    /// `Internal` where the bytes are no gzip.
    pub fn answer(&self, headers: &HeaderMap, media_type: &'static str, lifetime: &'static str) -> Result<Response, Fault> {
        let said = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let mut response = if said(header::IF_NONE_MATCH).is_some_and(|asked| cache::matches(asked, &self.etag)) {
            StatusCode::NOT_MODIFIED.into_response()
        } else if takes_gzip(said(header::ACCEPT_ENCODING).unwrap_or_default()) {
            ([(header::CONTENT_TYPE, media_type), (header::CONTENT_ENCODING, "gzip")], Body::from(self.gzip.clone())).into_response()
        } else {
            ([(header::CONTENT_TYPE, media_type)], self.plain()?).into_response()
        };
        let entries = response.headers_mut();
        entries.insert(header::ETAG, HeaderValue::from_str(&self.etag).map_err(|error| Fault::Internal(error.into()))?);
        entries.insert(header::CACHE_CONTROL, HeaderValue::from_static(lifetime));
        entries.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        Ok(response)
    }

    fn plain(&self) -> Result<Vec<u8>, Fault> {
        // The last four bytes of gzip are the length of what is inside (RFC 1952 §2.3.1).
        let length = self.gzip.last_chunk().map_or(0, |length| u32::from_le_bytes(*length) as usize);
        let mut plain = vec![0; length];
        Decompressor::new().gzip_decompress(&self.gzip, &mut plain).map_err(|error| Fault::Internal(error.into()))?;
        Ok(plain)
    }
}

/// Whether `Accept-Encoding` names gzip, or everything, with a weight above none (RFC 9110 §12.5.3).
fn takes_gzip(accepted: &str) -> bool {
    let weight = |name: &str| {
        accepted.split(',').find_map(|one| {
            let mut parts = one.split(';').map(|part| Cow::from(part.trim().to_ascii_lowercase()));
            let named = parts.next().is_some_and(|coding| coding == name);
            named.then(|| parts.find_map(|part| part.strip_prefix("q=")?.parse::<f64>().ok()).unwrap_or(1.0))
        })
    };
    weight("gzip").or_else(|| weight("*")).is_some_and(|weight| weight > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(name: header::HeaderName, value: &str) -> Response {
        let headers = HeaderMap::from_iter([(name, HeaderValue::from_str(value).expect("text"))]);
        Packed::compress(b"abcabcabc").answer(&headers, "text/plain", "no-cache").expect("an answer")
    }

    #[tokio::test]
    async fn both_forms_hold_the_same() {
        let read = |response: Response| axum::body::to_bytes(response.into_body(), usize::MAX);
        let packed = answered(header::ACCEPT_ENCODING, "br, gzip");
        assert_eq!(packed.headers()[header::CONTENT_ENCODING], "gzip");
        let mut plain = [0; 9];
        Decompressor::new().gzip_decompress(&read(packed).await.expect("bytes"), &mut plain).expect("gzip");
        assert_eq!(&plain, b"abcabcabc");
        let unpacked = answered(header::ACCEPT_ENCODING, "identity");
        assert!(!unpacked.headers().contains_key(header::CONTENT_ENCODING));
        assert_eq!(read(unpacked).await.expect("bytes"), &b"abcabcabc"[..]);
    }

    #[test]
    fn a_copy_is_recognised() {
        let etag = answered(header::ACCEPT, "*/*").headers()[header::ETAG].to_str().expect("text").to_owned();
        assert_eq!(answered(header::IF_NONE_MATCH, &etag).status(), StatusCode::NOT_MODIFIED);
        assert_eq!(answered(header::IF_NONE_MATCH, "\"another\"").status(), StatusCode::OK);
    }

    #[test]
    fn gzip_is_sent_to_who_takes_it() {
        for yes in ["gzip", "deflate, GZIP;q=0.5", "*", "br;q=1, *;q=0.1"] {
            assert!(takes_gzip(yes), "{yes}");
        }
        for no in ["", "identity", "gzip;q=0", "br", "*, gzip;q=0.0", "x-gzipped"] {
            assert!(!takes_gzip(no), "{no}");
        }
    }
}
