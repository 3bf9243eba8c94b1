//! Pages for people: French, whole without a script, readable on paper.

use std::sync::LazyLock;

use axum::extract::Request;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header;
use axum::middleware::Next;
use axum::response::Html;
use axum::response::IntoResponse;
use axum::response::Response;
use minijinja::AutoEscape;
use minijinja::Environment;
use minijinja::Error;
use minijinja::Output;
use minijinja::Value;
use minijinja::context;
use minijinja::escape_formatter;

use crate::http::fault::Fault;
use crate::http::fault::ForPeople;
use crate::http::negotiate::negotiate;
use crate::model::media_type;
use crate::service::assets;
use crate::service::state::AppState;
use crate::service::state::shown;

/// Text as HTML has it, in a document or between quotation marks.
pub fn escaped(text: &str) -> String {
    minijinja::HtmlEscape(text).to_string()
}

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    for (name, text) in [
        ("base.html", include_str!("templates/base.html")),
        ("landing.html", include_str!("templates/landing.html")),
        ("collection.html", include_str!("templates/collection.html")),
        ("items.html", include_str!("templates/items.html")),
        ("item.html", include_str!("templates/item.html")),
        ("list.html", include_str!("templates/list.html")),
        ("schema.html", include_str!("templates/schema.html")),
        ("style.html", include_str!("templates/style.html")),
        ("text.html", include_str!("templates/text.html")),
        ("feed.xml", include_str!("templates/feed.xml")),
    ] {
        environment.add_template(name, text).expect("templates are part of the program, and a test renders each");
    }
    environment.set_formatter(escape);
    environment.add_filter("grouped", |number: u64| crate::publish::report::grouped(number));
    environment
});

/// The five signs that HTML and XML give a meaning to. The library's own escape writes every `/` of an address as `&#x2f;`.
fn escape(out: &mut Output<'_>, state: &mut minijinja::State<'_, '_>, value: &Value) -> Result<(), Error> {
    let text = value.as_str().filter(|_| matches!(state.auto_escape(), AutoEscape::Html) && !value.is_safe());
    let Some(text) = text else { return escape_formatter(out, state, value) };
    for part in text.split_inclusive(['&', '<', '>', '"', '\'']) {
        let (plain, sign) = part.split_at(part.len() - usize::from(part.ends_with(['&', '<', '>', '"', '\''])));
        out.write_str(plain)?;
        out.write_str(match sign {
            "&" => "&amp;",
            "<" => "&lt;",
            ">" => "&gt;",
            "\"" => "&quot;",
            "'" => "&#39;",
            _ => "",
        })?;
    }
    Ok(())
}

/// Renders a template with `context` laid over the site's own words.
///
/// # Errors
/// `Internal`.
pub fn page(state: &AppState, template: &str, values: Value) -> Result<Response, Fault> {
    let html = render(state, template, values)?;
    let policy = HeaderValue::from_str(&policy(&state.base)).map_err(|error| Fault::Internal(error.into()))?;
    Ok(([(header::CONTENT_SECURITY_POLICY, policy)], Html(html)).into_response())
}

/// What a page may load: from this server alone, by the name it was asked by or its public one. No script or style stands in a
/// page; MapLibre's pictures are data, and its worker a blob where the two names differ.
fn policy(base: &str) -> String {
    let origin = base.splitn(4, '/').take(3).collect::<Vec<&str>>().join("/");
    format!(
        "default-src 'self' {origin}; img-src 'self' {origin} data: blob:; worker-src 'self' {origin} blob:; object-src 'none'; \
         base-uri 'none'; form-action 'self'"
    )
}

/// The same for what is no page: the text alone, escaped as its template's extension asks.
///
/// # Errors
/// `Internal`.
pub fn render(state: &AppState, template: &str, values: Value) -> Result<String, Fault> {
    let site = context! { title => state.site.title.as_str(), publisher => state.site.publisher.name.as_str(), base => &*state.base, assets => assets::address(&state.base), language => state.site.language.as_str() };
    let rendered = TEMPLATES.get_template(template).and_then(|template| template.render(context! { site, ..values }));
    rendered.map_err(|error| Fault::Internal(error.into()))
}

/// Where a browser asked, a fault is a page in French; programs get problem+json as it is.
pub async fn faults_as_pages(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let browser =
        negotiate(request.headers(), None, &[("json", media_type::JSON), ("html", media_type::HTML)]).is_ok_and(|wanted| wanted == "html");
    let path = request.uri().path().to_owned();
    let mut response = next.run(request).await;
    // The framework's own word for a path that is no text: it names nothing here.
    if response.status() == StatusCode::BAD_REQUEST && response.extensions().get::<ForPeople>().is_none() {
        response = Fault::NotFound { what: "page", id: shown(&path) }.into_response();
    }
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

    #[test]
    fn a_page_loads_from_its_own_server_alone() {
        assert!(policy("https://data.example/donnees").starts_with("default-src 'self' https://data.example; "));
        assert!(policy("http://127.0.0.1:8080").contains("img-src 'self' http://127.0.0.1:8080 data: blob:;"));
        for (name, template) in TEMPLATES.templates() {
            let text = template.source();
            assert!(!["style=", "<style", "<script>", "onclick"].iter().any(|inline| text.contains(inline)), "{name}");
        }
    }

    #[test]
    fn what_has_a_meaning_is_escaped_and_nothing_else() {
        let mut environment = Environment::new();
        environment.set_formatter(escape);
        environment.add_template("a.html", "{{ a }}{{ n }}").expect("a template");
        let rendered =
            |a: &str| environment.get_template("a.html").and_then(|a_html| a_html.render(context! { a, n => 1 })).expect("rendered");
        assert_eq!(rendered("<b a='1' c=\"2\">é/&"), "&lt;b a=&#39;1&#39; c=&quot;2&quot;&gt;é/&amp;1");
        assert_eq!(rendered(""), "1");
    }
}
