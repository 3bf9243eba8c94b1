//! One room a protocol. The landing page, the conformance declaration and the router are made from [`SERVICES`].

pub mod assets;
pub mod checks;
pub mod download;
pub mod fonts;
pub mod ogcapi;
pub mod page;
pub mod quick;
pub mod state;
pub mod styles;
pub mod tiles;

use axum::Router;

use crate::catalogue::PublishedLayer;
use crate::model::link::Link;
use crate::service::state::AppState;

pub trait Service: Sync {
    fn id(&self) -> &'static str;
    /// Conformance classes that it promises.
    fn conformance(&self) -> &'static [&'static str];
    /// What the landing page says of it. `base`: no trailing slash.
    fn links(&self, base: &str) -> Vec<Link>;
    /// What the description of a layer says of it. `base`: no trailing slash.
    fn layer_links(&self, _base: &str, _layer: &PublishedLayer) -> Vec<Link> {
        Vec::new()
    }
    fn routes(&self) -> Router<AppState>;
}

pub const SERVICES: &[&dyn Service] =
    &[&ogcapi::OgcApi, &download::Download, &tiles::Tiles, &styles::Styles, &checks::Checks, &assets::Assets, &fonts::Fonts];
