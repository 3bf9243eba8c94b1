//! Downloads: whole files with hashes, ranges and strong ETags; the newest, and every kept version for ever.

use std::io::SeekFrom;
use std::path::Path as FilePath;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::extract::RawQuery;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;
use axum::routing::get;
use minijinja::context;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncSeekExt;
use tokio_util::io::ReaderStream;

use crate::catalogue::PublishedLayer;
use crate::http::cache;
use crate::http::fault::Fault;
use crate::http::negotiate::representation;
use crate::model::link::Link;
use crate::model::media_type;
use crate::model::version::Version;
use crate::service::Service;
use crate::service::page::page;
use crate::service::page::render;
use crate::service::state::AppState;
use crate::service::state::shown;
use crate::store::ManifestFile;
use crate::store::VersionEntry;

pub struct Download;

impl Service for Download {
    fn id(&self) -> &'static str {
        "download"
    }

    fn conformance(&self) -> &'static [&'static str] {
        &[]
    }

    fn links(&self, _base: &str) -> Vec<Link> {
        Vec::new()
    }

    fn routes(&self) -> Router<AppState> {
        Router::new()
            .route("/downloads/{id}/", get(list))
            .route("/downloads/{id}/{file}", get(newest))
            .route("/downloads/{id}/{version}/{file}", get(versioned))
    }
}

const OFFERED: [(&str, &str); 3] = [("json", media_type::JSON), ("html", media_type::HTML), ("atom", media_type::ATOM)];

async fn list(
    State(state): State<AppState>,
    Path(id): Path<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Fault> {
    let wanted = representation(&headers, query.as_deref(), &OFFERED)?;
    let layer = state.layer(&id)?;
    let versions = layer.versions()?;
    let shown = match wanted {
        "html" => list_page(&state, &layer, &versions)?,
        "atom" => feed(&state, &layer, &versions)?,
        _ => {
            let id = layer.id();
            let described = |file: &ManifestFile| {
                serde_json::json!({ "href": format!("{}/downloads/{id}/{}", state.base, file.name), "type": file.media_type,
                    "title": file.title, "bytes": file.bytes, "sha256": file.sha256 })
            };
            let files: Vec<_> = layer.manifest.files.iter().map(described).collect();
            let body = serde_json::json!({ "id": id, "version": layer.manifest.version, "files": files, "versions": versions });
            axum::Json(body).into_response()
        }
    };
    Ok(cache::lasting(&headers, Some(&layer.revised), shown).await)
}

fn list_page(state: &AppState, layer: &Arc<PublishedLayer>, versions: &[VersionEntry]) -> Result<Response, Fault> {
    let id = layer.id();
    let mut items: Vec<_> = layer
        .manifest
        .files
        .iter()
        .map(|file| {
            let href = format!("{}/downloads/{id}/{}", state.base, file.name);
            context! { title => format!("{} ({})", file.name, size(file.bytes)), href, note => format!("{}, sha256 {}", file.title, file.sha256) }
        })
        .collect();
    for entry in versions {
        let day = &entry.published[..10.min(entry.published.len())];
        let title = format!("{} du {day}", entry.version);
        let href = format!("{}/downloads/{id}/{}/{id}.gpkg", state.base, entry.version);
        items.push(match (entry.current, entry.purged) {
            (true, _) => context! { title, href, note => "version servie" },
            (_, true) => context! { title, note => "version effacée" },
            _ => context! { title, href, note => "version gardée (GeoPackage)" },
        });
    }
    page(state, "list.html", context! { heading => format!("Téléchargements : {}", layer.layer().title), items })
}

/// Atom (RFC 4287): every file of every kept version, under its lasting address.
fn feed(state: &AppState, layer: &Arc<PublishedLayer>, versions: &[VersionEntry]) -> Result<Response, Fault> {
    let id = layer.id();
    let mut files = Vec::new();
    for entry in versions.iter().filter(|entry| !entry.purged) {
        let Some(kept) = layer.at_version(&entry.version)? else { continue };
        files.extend(kept.manifest.files.iter().map(|file| {
            let href = format!("{}/downloads/{id}/{}/{}", state.base, entry.version, file.name);
            let title = format!("{} — {} ({})", kept.layer().title, file.title, entry.version);
            let summary = format!("{}, sha256 {}", size(file.bytes), file.sha256);
            context! { href, title, summary, published => &entry.published, media_type => &file.media_type, bytes => file.bytes }
        }));
    }
    let record = &layer.manifest.record;
    let feed = context! {
        address => format!("{}/downloads/{id}/", state.base),
        title => format!("Téléchargements : {}", layer.layer().title),
        description => &record.description,
        updated => &layer.revised,
        author => &record.producer.name,
        rights => format!("{} ({})", record.licence.title, record.licence.url),
        files,
    };
    Ok(([(header::CONTENT_TYPE, media_type::ATOM)], render(state, "feed.xml", feed)?).into_response())
}

/// `12,3 Mo`, as French writes it.
pub fn size(bytes: u64) -> String {
    let (unit, name) = match bytes {
        0..1_000 => return format!("{bytes} octets"),
        1_000..1_000_000 => (1e3, "ko"),
        1_000_000..1_000_000_000 => (1e6, "Mo"),
        _ => (1e9, "Go"),
    };
    format!("{:.1} {name}", bytes as f64 / unit).replace('.', ",")
}

async fn newest(State(state): State<AppState>, Path((id, file)): Path<(String, String)>, headers: HeaderMap) -> Result<Response, Fault> {
    let layer = state.layer(&id)?;
    // A day-old copy of the newest file must be asked for again.
    send(&layer, &file, &headers, "no-cache").await
}

async fn versioned(
    State(state): State<AppState>,
    Path((id, version, file)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    let nothing = || Fault::NotFound { what: "version", id: shown(&version) };
    let wanted = Version::try_from(version.clone()).map_err(|_| nothing())?;
    if state.catalogue().is_erased(&id, &wanted) {
        return Err(Fault::Gone { what: "version", id: shown(&version) });
    }
    let layer = state.layer(&id)?;
    if layer.versions()?.iter().any(|entry| entry.version == wanted && entry.purged) {
        return Err(Fault::Gone { what: "version", id: shown(&version) });
    }
    let old = layer.at_version(&wanted)?.ok_or_else(nothing)?;
    send(&old, &file, &headers, "public, max-age=31536000, immutable").await
}

async fn send(layer: &Arc<PublishedLayer>, name: &str, headers: &HeaderMap, lifetime: &'static str) -> Result<Response, Fault> {
    let nothing = || Fault::NotFound { what: "file", id: shown(name) };
    if let Some(plain) = name.strip_suffix(".sha256") {
        let (_, file) = layer.file(plain).ok_or_else(nothing)?;
        return Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], format!("{}  {plain}\n", file.sha256)).into_response());
    }
    let (path, file) = layer.file(name).ok_or_else(nothing)?;
    let etag = format!("\"{}\"", file.sha256);
    let published = cache::http_date(&layer.manifest.published);
    let said = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    // A date is only asked where no tag is (RFC 9110 §13.1.3), and must be the very one: a rollback takes it back.
    let fresh = match said(header::IF_NONE_MATCH) {
        Some(tags) => cache::matches(tags, &etag),
        None => said(header::IF_MODIFIED_SINCE) == Some(published.as_str()),
    };
    let mut response = if fresh {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        // A range of another version of the file would be garbage: If-Range guards it.
        let unconditional =
            headers.get(header::IF_RANGE).is_none_or(|value| value.to_str().is_ok_and(|value| value == etag || value == published));
        let range = headers.get(header::RANGE).and_then(|value| value.to_str().ok()).filter(|_| unconditional);
        let mut response = read(&path, file.bytes, range).await?;
        let entries = response.headers_mut();
        entries.insert(header::CONTENT_TYPE, value(&file.media_type)?);
        entries.insert(header::CONTENT_DISPOSITION, value(&format!("attachment; filename=\"{name}\""))?);
        entries.insert(header::ACCEPT_RANGES, value("bytes")?);
        response
    };
    let entries = response.headers_mut();
    entries.insert(header::ETAG, value(&etag)?);
    entries.insert(header::LAST_MODIFIED, value(&published)?);
    entries.insert(header::CACHE_CONTROL, value(lifetime)?);
    Ok(response)
}

fn value(text: &str) -> Result<axum::http::HeaderValue, Fault> {
    axum::http::HeaderValue::from_str(text).map_err(|error| Fault::Internal(error.into()))
}

async fn read(path: &FilePath, length: u64, range: Option<&str>) -> Result<Response, Fault> {
    let internal = |error: std::io::Error| Fault::Internal(anyhow::Error::new(error).context(path.display().to_string()));
    let mut file = match tokio::fs::File::open(path).await {
        Ok(file) => file,
        // Erased a moment ago: nothing else takes a file away from under its manifest.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(Fault::Gone { what: "file", id: path.file_name().unwrap_or_default().to_string_lossy().into_owned() });
        }
        Err(error) => return Err(internal(error)),
    };
    let Some((first, last)) = range.and_then(|range| parse_range(range, length)).transpose()? else {
        return Ok(([(header::CONTENT_LENGTH, length.to_string())], Body::from_stream(ReaderStream::new(file))).into_response());
    };
    file.seek(SeekFrom::Start(first)).await.map_err(internal)?;
    let count = last - first + 1;
    let entries = [(header::CONTENT_LENGTH, count.to_string()), (header::CONTENT_RANGE, format!("bytes {first}-{last}/{length}"))];
    Ok((StatusCode::PARTIAL_CONTENT, entries, Body::from_stream(ReaderStream::new(file.take(count)))).into_response())
}

/// First and last byte of a single range (RFC 9110 §14.1.2). `None`: to be ignored, as several ranges and other units are.
fn parse_range(text: &str, length: u64) -> Option<Result<(u64, u64), Fault>> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    if last.contains(',') {
        return None;
    }
    let range = match (first.trim(), last.trim()) {
        ("", suffix) => (length.saturating_sub(suffix.parse().ok()?), length.saturating_sub(1)),
        (first, "") => (first.parse().ok()?, length.saturating_sub(1)),
        (first, last) => (first.parse().ok()?, last.parse::<u64>().ok()?.min(length.saturating_sub(1))),
    };
    let asked_backwards = !first.trim().is_empty()
        && last.trim().parse::<u64>().is_ok_and(|last| first.trim().parse::<u64>().is_ok_and(|first| last < first));
    if asked_backwards {
        return None;
    }
    Some(if range.0 > range.1 || range.0 >= length { Err(Fault::Range { length }) } else { Ok(range) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_cut_ignored_or_refused() {
        let range = |text: &str| parse_range(text, 100).map(|range| range.ok());
        assert_eq!(range("bytes=0-9"), Some(Some((0, 9))));
        assert_eq!(range("bytes=90-"), Some(Some((90, 99))));
        assert_eq!(range("bytes=-10"), Some(Some((90, 99))));
        assert_eq!(range("bytes=90-1000"), Some(Some((90, 99))));
        assert_eq!(range("bytes=100-"), Some(None));
        assert_eq!(range("bytes=-0"), Some(None));
        for ignored in ["bytes=9-0", "bytes=0-1,5-6", "lines=0-1", "bytes=a-b", "bytes"] {
            assert_eq!(range(ignored), None, "{ignored}");
        }
    }

    #[test]
    fn sizes_are_written_as_in_french() {
        assert_eq!((size(12), size(12_345_678)), ("12 octets".to_owned(), "12,3 Mo".to_owned()));
    }
}
