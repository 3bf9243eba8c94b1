//! What stands before the routers: it counts, answers what is plain at once, and sends the rest on.

use std::convert::Infallible;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::pin::Pin;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::Request;
use axum::http::header;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::service::Service;
use tower::ServiceExt;

use crate::server::metrics::Metrics;
use crate::server::router;
use crate::service::quick;
use crate::service::state::AppState;

#[derive(Clone)]
pub struct Front {
    state: AppState,
    metrics: Metrics,
    router: Router,
    /// What the general stack adds to every answer.
    exposed: HeaderValue,
}

impl Front {
    pub fn new(state: AppState, metrics: Metrics) -> Front {
        Front { router: router::public_router(state.clone()), state, metrics, exposed: router::exposed() }
    }

    /// The plain cases. A panic there is the general stack's to report.
    fn quick(&self, request: &Request<Incoming>) -> Option<Response> {
        let mut response = catch_unwind(AssertUnwindSafe(|| quick::answer(&self.state, request))).ok().flatten()?;
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, self.exposed.clone());
        let vary = HeaderValue::from_static("accept-encoding");
        if headers.get(header::VARY) != Some(&vary) {
            headers.append(header::VARY, vary);
        }
        Some(response)
    }
}

impl Service<Request<Incoming>> for Front {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let started = Instant::now();
        // Neither address nor client is written.
        let path = tracing::enabled!(tracing::Level::DEBUG).then(|| request.uri().path().to_owned());
        let metrics = self.metrics.clone();
        let tell = move |response: &Response| {
            let (status, elapsed) = (response.status(), started.elapsed());
            metrics.count(status, elapsed);
            if let Some(path) = path {
                tracing::debug!(status = status.as_u16(), duration_us = elapsed.as_micros(), "answered {status} to `{path}`");
            }
        };
        if let Some(response) = self.quick(&request) {
            tell(&response);
            return Box::pin(std::future::ready(Ok(response)));
        }
        let router = self.router.clone();
        Box::pin(async move {
            let response = router.oneshot(request.map(Body::new)).await?;
            tell(&response);
            Ok(response)
        })
    }
}
