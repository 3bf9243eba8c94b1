//! What pages are made with: their sheet, their icon, their script, and MapLibre GL JS, which `make assets` takes from npm.
//!
//! `/assets/{digest}/{name}`: the digest is made of all of them, so that a copy is kept for ever and a new program's pages never
//! meet an old one's script.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::Path;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;
use sha2::Digest;
use sha2::Sha256;

use crate::http::fault::Fault;
use crate::http::packed::Packed;
use crate::model::link::Link;
use crate::model::media_type;
use crate::service::Service;
use crate::service::state::AppState;
use crate::service::state::shown;

pub struct Assets;

struct Asset {
    name: &'static str,
    media_type: &'static str,
    gzip: &'static [u8],
}

macro_rules! packed {
    ($name:literal, $media_type:expr) => {
        Asset { name: $name, media_type: $media_type, gzip: include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".gz")) }
    };
}

/// The worker lies beside the script that looks for it there.
static ASSETS: [Asset; 7] = [
    packed!("page.css", media_type::CSS),
    packed!("map.mjs", media_type::JAVASCRIPT),
    packed!("maplibre-gl.mjs", media_type::JAVASCRIPT),
    packed!("maplibre-gl-worker.mjs", media_type::JAVASCRIPT),
    packed!("maplibre-gl.css", media_type::CSS),
    packed!("icon.svg", media_type::SVG),
    packed!("licences.txt", media_type::TEXT),
];

/// Each with its validator, which is made once.
static READY: LazyLock<[(&Asset, Packed); ASSETS.len()]> =
    LazyLock::new(|| ASSETS.each_ref().map(|asset| (asset, Packed::from_static(asset.gzip))));

static DIGEST: LazyLock<String> = LazyLock::new(|| {
    let all = ASSETS.iter().fold(Sha256::new(), |digest, asset| digest.chain_update(asset.gzip));
    all.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
});

/// Where they lie at this moment. `base`: no trailing slash; nor has this one.
pub fn address(base: &str) -> String {
    format!("{base}/assets/{}", *DIGEST)
}

impl Service for Assets {
    fn id(&self) -> &'static str {
        "assets"
    }

    fn conformance(&self) -> &'static [&'static str] {
        &[]
    }

    fn links(&self, _base: &str) -> Vec<Link> {
        Vec::new()
    }

    fn routes(&self) -> Router<AppState> {
        Router::new().route("/assets/{digest}/{name}", get(one))
    }
}

/// A page that a browser kept from before an update asks by the digest of then: it gets what there is now, for this once.
async fn one(Path((digest, name)): Path<(String, String)>, headers: HeaderMap) -> Result<Response, Fault> {
    let nothing = || Fault::NotFound { what: "asset", id: shown(&name) };
    let (asset, packed) = READY.iter().find(|(asset, _)| asset.name == name).ok_or_else(nothing)?;
    let lifetime = if digest == *DIGEST { "public, max-age=31536000, immutable" } else { "no-cache" };
    packed.answer(&headers, asset.media_type, lifetime)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use axum::http::header;

    use super::*;

    async fn asked(digest: &str, name: &str) -> Result<Response, Fault> {
        let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"))]);
        one(Path((digest.to_owned(), name.to_owned())), headers).await
    }

    #[tokio::test]
    async fn each_asset_unpacks_and_is_kept_for_ever_under_its_digest() {
        for asset in &ASSETS {
            let response = asked(&DIGEST, asset.name).await.expect(asset.name);
            assert_eq!(response.headers()[header::CONTENT_TYPE], asset.media_type);
            assert_eq!(response.headers()[header::CACHE_CONTROL], "public, max-age=31536000, immutable");
            let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("bytes");
            assert!(std::str::from_utf8(&bytes).is_ok_and(|text| !text.is_empty()), "{}", asset.name);
        }
    }

    #[tokio::test]
    async fn an_old_page_still_finds_its_sheet_and_nothing_else_is_found() {
        let old = asked("0000000000000000", "page.css").await.expect("an answer");
        assert_eq!(old.headers()[header::CACHE_CONTROL], "no-cache");
        assert!(matches!(asked(&DIGEST, "../Cargo.toml").await, Err(Fault::NotFound { .. })));
    }
}
