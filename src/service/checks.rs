//! `/checks` and `/checks/{code}`: what each check looks for, why, what to do.

use axum::Router;
use axum::extract::Path;
use axum::extract::RawQuery;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use axum::response::Response;
use axum::routing::get;
use minijinja::context;

use crate::check::CHECKS;
use crate::http::fault::Fault;
use crate::http::negotiate::representation;
use crate::model::link::Link;
use crate::model::media_type;
use crate::service::Service;
use crate::service::page::page;
use crate::service::state::AppState;
use crate::service::state::shown;

pub struct Checks;

impl Service for Checks {
    fn id(&self) -> &'static str {
        "checks"
    }

    fn conformance(&self) -> &'static [&'static str] {
        &[]
    }

    fn links(&self, base: &str) -> Vec<Link> {
        vec![Link::new(format!("{base}/checks"), "related", media_type::JSON).titled("Les contrôles faits sur les données")]
    }

    fn routes(&self) -> Router<AppState> {
        Router::new().route("/checks", get(list)).route("/checks/{code}", get(one))
    }
}

const OFFERED: [(&str, &str); 2] = [("json", media_type::JSON), ("html", media_type::HTML)];

async fn list(State(state): State<AppState>, headers: HeaderMap, RawQuery(query): RawQuery) -> Result<Response, Fault> {
    let wanted = representation(&headers, query.as_deref(), &OFFERED)?;
    if wanted == "html" {
        let items: Vec<_> = CHECKS
            .iter()
            .map(|check| context! { title => check.code(), href => format!("{}/checks/{}?f=html", state.base, check.code()) })
            .collect();
        return page(&state, "list.html", context! { heading => "Contrôles", items });
    }
    let checks: Vec<_> =
        CHECKS.iter().map(|check| serde_json::json!({ "code": check.code(), "explanation": check.explanation() })).collect();
    Ok(axum::Json(serde_json::json!({ "checks": checks })).into_response())
}

async fn one(
    State(state): State<AppState>,
    Path(code): Path<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Fault> {
    let wanted = representation(&headers, query.as_deref(), &OFFERED)?;
    let check = CHECKS.iter().find(|check| check.code() == code).ok_or_else(|| Fault::NotFound { what: "check", id: shown(&code) })?;
    if wanted == "html" {
        return page(&state, "text.html", context! { heading => check.code(), text => check.explanation() });
    }
    Ok(axum::Json(serde_json::json!({ "code": check.code(), "explanation": check.explanation() })).into_response())
}
