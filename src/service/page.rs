//! Pages for people: French, without a script, readable on paper.

use std::sync::LazyLock;

use axum::extract::Request;
use axum::extract::State;
use axum::http::header;
use axum::middleware::Next;
use axum::response::Html;
use axum::response::IntoResponse;
use axum::response::Response;
use minijinja::Environment;
use minijinja::Value;
use minijinja::context;

use crate::http::fault::Fault;
use crate::http::fault::ForPeople;
use crate::http::negotiate::negotiate;
use crate::model::media_type;
use crate::service::state::AppState;

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    for (name, text) in [
        ("base.html", include_str!("templates/base.html")),
        ("landing.html", include_str!("templates/landing.html")),
        ("collection.html", include_str!("templates/collection.html")),
        ("items.html", include_str!("templates/items.html")),
        ("item.html", include_str!("templates/item.html")),
        ("list.html", include_str!("templates/list.html")),
        ("text.html", include_str!("templates/text.html")),
    ] {
        environment.add_template(name, text).expect("templates are part of the program, and a test renders each");
    }
    environment.add_filter("grouped", |number: u64| crate::publish::report::grouped(number));
    environment
});

/// Renders a template with `context` laid over the site's own words.
///
/// # Errors
/// `Internal`.
pub fn page(state: &AppState, template: &str, values: Value) -> Result<Response, Fault> {
    let site = context! { title => state.site.title.as_str(), publisher => state.site.publisher.name.as_str(), base => &*state.base, language => state.site.language.as_str() };
    let rendered = TEMPLATES.get_template(template).and_then(|template| template.render(context! { site, ..values }));
    rendered.map(|html| Html(html).into_response()).map_err(|error| Fault::Internal(error.into()))
}

/// Where a browser asked, a fault is a page in French; programs get problem+json as it is.
pub async fn faults_as_pages(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let browser =
        negotiate(request.headers(), None, &[("json", media_type::JSON), ("html", media_type::HTML)]).is_ok_and(|wanted| wanted == "html");
    let response = next.run(request).await;
    let Some(words) = response.extensions().get::<ForPeople>().filter(|_| browser).cloned() else { return response };
    let Ok(mut shown) = page(&state, "text.html", context! { heading => words.heading, text => words.text }) else { return response };
    *shown.status_mut() = response.status();
    for (name, value) in response.headers() {
        if *name != header::CONTENT_TYPE && *name != header::CONTENT_LENGTH {
            shown.headers_mut().insert(name, value.clone());
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_well_formed() {
        assert!(TEMPLATES.templates().count() >= 7);
    }
}
