//! Figures of operation in the OpenMetrics text form: how many answers, how long, how much is served. Never by whom.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::service::state::AppState;

/// From a tile's cost to the time limit, seconds.
const BUCKETS: [f64; 10] = [0.000_1, 0.000_3, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 10.0];

#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    registry: Registry,
    answers: Family<Status, Counter>,
    seconds: Histogram,
    layers: Gauge,
    features: Gauge,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Status {
    status: u16,
}

impl Metrics {
    pub fn new() -> Metrics {
        let mut registry = Registry::with_prefix("bocage");
        let answers = Family::<Status, Counter>::default();
        let seconds = Histogram::new(BUCKETS);
        let (layers, features) = (Gauge::default(), Gauge::default());
        registry.register("http_answers", "Answers of the public listener, by status", answers.clone());
        registry.register("http_head_seconds", "Time until an answer's head was ready", seconds.clone());
        registry.register("layers", "Layers that are served", layers.clone());
        registry.register("features", "Features of these layers", features.clone());
        Metrics(Arc::new(Inner { registry, answers, seconds, layers, features }))
    }

    pub fn count(&self, status: StatusCode, elapsed: Duration) {
        self.0.answers.get_or_create(&Status { status: status.as_u16() }).inc();
        self.0.seconds.observe(elapsed.as_secs_f64());
    }

    /// The whole page.
    pub fn text(&self, state: &AppState) -> String {
        let catalogue = state.catalogue();
        self.0.layers.set(i64::try_from(catalogue.layers.len()).unwrap_or(i64::MAX));
        let features: u64 = catalogue.layers.iter().map(|layer| layer.layer().features).sum();
        self.0.features.set(i64::try_from(features).unwrap_or(i64::MAX));
        let mut text = String::new();
        encode(&mut text, &self.0.registry).expect("text grows as long as there is memory");
        text
    }
}
