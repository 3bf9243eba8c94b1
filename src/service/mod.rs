//! One room a protocol. The landing page, the conformance declaration and the router are made from [`SERVICES`].

pub mod checks;
pub mod download;
pub mod ogcapi;
pub mod page;
pub mod quick;
pub mod state;
pub mod styles;

use axum::Router;

use crate::model::link::Link;
use crate::service::state::AppState;

pub trait Service: Sync {
    fn id(&self) -> &'static str;
    /// Conformance classes that it promises.
    fn conformance(&self) -> &'static [&'static str];
    /// What the landing page says of it. `base`: no trailing slash.
    fn links(&self, base: &str) -> Vec<Link>;
    fn routes(&self) -> Router<AppState>;
}

pub const SERVICES: &[&dyn Service] = &[&ogcapi::OgcApi, &download::Download, &styles::Styles, &checks::Checks];
