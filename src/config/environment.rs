//! What the environment says: the only place that reads it.

use std::path::PathBuf;

/// `BOCAGE_SITE`: the site where `--site` is not given.
pub fn site() -> Option<PathBuf> {
    std::env::var_os("BOCAGE_SITE").filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// `BOCAGE_LOG`: what is logged, in tracing's form (`info`, `bocage=debug`).
pub fn log() -> Option<String> {
    std::env::var("BOCAGE_LOG").ok().filter(|value| !value.is_empty())
}
