//! `/fonts`: the signs of labels as web maps take them, 256 at a time, made when first asked.

use std::collections::HashMap;
use std::sync::LazyLock;
use std::sync::PoisonError;
use std::sync::RwLock;

use axum::Json;
use axum::Router;
use axum::extract::Path;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;

use crate::http::fault::Fault;
use crate::http::packed::Packed;
use crate::model::link::Link;
use crate::model::media_type;
use crate::portrayal::font::FACES;
use crate::portrayal::font::Face;
use crate::portrayal::font::range::Range;
use crate::service::Service;
use crate::service::state::AppState;
use crate::service::state::shown;

pub struct Fonts;

/// Signs change with the program alone; a day is what an update may take to be seen.
const LIFETIME: &str = "public, max-age=86400";

/// Bytes of a range without a glyph at most; it is made anew sooner than it is looked up.
const EMPTY_BYTES_MAX: usize = 64;

/// What was made, by face and range. Bounded by the fonts: some forty ranges of a face have a glyph, of 30 kB each.
static MADE: LazyLock<RwLock<HashMap<(&'static str, Range), Packed>>> = LazyLock::new(RwLock::default);

impl Service for Fonts {
    fn id(&self) -> &'static str {
        "fonts"
    }

    fn conformance(&self) -> &'static [&'static str] {
        &[]
    }

    fn links(&self, _base: &str) -> Vec<Link> {
        Vec::new()
    }

    fn routes(&self) -> Router<AppState> {
        Router::new().route("/fonts.json", get(list)).route("/fonts/{stack}/{range}", get(one))
    }
}

async fn list() -> Json<[&'static str; FACES.len()]> {
    Json(FACES.map(|face| face.name))
}

async fn one(State(state): State<AppState>, Path((stack, file)): Path<(String, String)>, headers: HeaderMap) -> Result<Response, Fault> {
    let (face, range) = read(&stack, &file)?;
    let kept = MADE.read().unwrap_or_else(PoisonError::into_inner).get(&(face.name, range)).cloned();
    let packed = match kept {
        Some(packed) => packed,
        None => state.work.run(|| Ok(make(face, range))).await?,
    };
    packed.answer(&headers, media_type::PROTOBUF, LIFETIME)
}

/// # Errors
/// `NotFound` with the faces there are, `InvalidParameter`.
fn read(stack: &str, file: &str) -> Result<(&'static Face, Range), Fault> {
    static UNKNOWN: LazyLock<String> = LazyLock::new(|| format!("font stack among {}:", FACES.map(|face| face.name).join(", ")));
    let face = Face::of_stack(stack).ok_or_else(|| Fault::NotFound { what: &UNKNOWN, id: shown(stack) })?;
    let range = file.strip_suffix(".pbf").and_then(|range| range.parse().ok());
    let range = range.ok_or_else(|| Fault::parameter("range", file, "expected 256 signs from a multiple of 256 on, as 0-255.pbf"))?;
    Ok((face, range))
}

fn make(face: &'static Face, range: Range) -> Packed {
    let plain = range.of(face);
    let packed = Packed::compress(&plain);
    if plain.len() > EMPTY_BYTES_MAX {
        MADE.write().unwrap_or_else(PoisonError::into_inner).insert((face.name, range), packed.clone());
    }
    packed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_stack_hears_of_the_known_ones() {
        let Err(Fault::NotFound { what, id }) = read("Open Sans Regular", "0-255.pbf") else { panic!("no such font") };
        assert_eq!(id, "Open Sans Regular");
        assert!(FACES.iter().all(|face| what.contains(face.name)), "{what}");
    }

    #[test]
    fn a_range_that_is_none_is_refused() {
        for bad in ["0-255", "0-100.pbf", "1-256.pbf", ".pbf", "0-255.pbf.pbf", "0-255.png"] {
            assert!(matches!(read("Noto Sans Bold", bad), Err(Fault::InvalidParameter { .. })), "{bad}");
        }
        assert!(read("Open Sans Bold,Noto Sans Bold", "256-511.pbf").is_ok());
    }

    #[test]
    fn what_is_kept_is_bounded_by_the_fonts() {
        let face = &FACES[0];
        for first in (0..=0x10_FF00_u32).step_by(256) {
            let range: Range = format!("{first}-{}", first + 255).parse().expect("a range");
            if first % 0x1000 == 0 || first < 0x400 {
                make(face, range);
            }
        }
        let kept = MADE.read().expect("kept").keys().filter(|(name, _)| *name == face.name).count();
        assert!((2..40).contains(&kept), "{kept}");
    }
}
