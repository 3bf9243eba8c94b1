//! What a request can suffer, in neutral words, and its form: RFC 9457 problem+json, or a page for people.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;

use crate::catalogue::CatalogueError;
use crate::live::LiveError;
use crate::model::media_type;
use crate::postgis::PostgisError;
use crate::store::StoreError;

#[derive(Debug)]
pub enum Fault {
    NotFound {
        what: &'static str,
        id: String,
    },
    /// It was published once and is erased.
    Gone {
        what: &'static str,
        id: String,
    },
    InvalidParameter {
        name: String,
        value: String,
        expected: String,
    },
    /// Of what there is, this is none.
    Unsupported {
        what: &'static str,
        id: String,
        offered: String,
    },
    /// A range that the file does not have; its length.
    Range {
        length: u64,
    },
    MethodNotAllowed,
    /// A question that was stopped after so many seconds.
    TooLong {
        seconds: u64,
    },
    Unavailable,
    /// The database that answers for the layer does not, or its table is not what it was.
    Away,
    /// The layer's table holds what may not go out.
    Closed,
    Internal(anyhow::Error),
}

/// A fault as a page says it, carried by the answer for whoever makes pages.
#[derive(Clone, Debug)]
pub struct ForPeople {
    pub heading: &'static str,
    pub text: String,
}

/// Signs of a wrong value that an answer repeats.
const VALUE_SHOWN: usize = 80;

impl Fault {
    pub fn parameter(name: &str, value: &str, expected: impl Into<String>) -> Fault {
        Fault::InvalidParameter { name: name.to_owned(), value: value.chars().take(VALUE_SHOWN).collect(), expected: expected.into() }
    }

    pub fn unsupported(what: &'static str, id: &str, offered: &[&str]) -> Fault {
        Fault::Unsupported { what, id: id.chars().take(VALUE_SHOWN).collect(), offered: offered.join(", ") }
    }

    fn status(&self) -> StatusCode {
        match self {
            Fault::NotFound { .. } | Fault::Unsupported { .. } => StatusCode::NOT_FOUND,
            Fault::Gone { .. } => StatusCode::GONE,
            // Asked again it would be stopped again: the question is what has to change.
            Fault::InvalidParameter { .. } | Fault::TooLong { .. } => StatusCode::BAD_REQUEST,
            Fault::Range { .. } => StatusCode::RANGE_NOT_SATISFIABLE,
            Fault::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Fault::Unavailable | Fault::Away | Fault::Closed => StatusCode::SERVICE_UNAVAILABLE,
            Fault::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// For the client: the parameter, the value and what was expected. What happened inside is for the log alone.
    fn detail(&self) -> String {
        match self {
            Fault::NotFound { what, id } => format!("no {what} `{id}`"),
            Fault::Unsupported { what, id, offered } => format!("no {what} `{id}`: expected {offered}"),
            Fault::Gone { what, id } => format!("{what} `{id}` was erased"),
            Fault::InvalidParameter { name, value, expected } => format!("{name}: {expected} (in `{value}`)"),
            Fault::Range { length } => format!("range: expected bytes within 0-{}", length.saturating_sub(1)),
            Fault::MethodNotAllowed => "expected GET or HEAD".to_owned(),
            Fault::TooLong { seconds } => {
                format!("expected a question that is answered within {seconds} s: narrow it by bbox, or by a simpler filter")
            }
            Fault::Unavailable => "busy: try again in a moment".to_owned(),
            Fault::Away => "the database of this collection is away: try again later, or take its downloads".to_owned(),
            Fault::Closed => "this collection is closed until its data pass their checks; its downloads are those that passed".to_owned(),
            Fault::Internal(error) => {
                static NEXT: AtomicU64 = AtomicU64::new(1);
                let id = NEXT.fetch_add(1, Ordering::Relaxed);
                tracing::error!(request.id = id, "request {id}: {error:#}");
                format!("internal error, number {id} in the log")
            }
        }
    }
}

impl Fault {
    /// In French. `detail`: what programs are told, where the precise word matters.
    fn for_people(&self, detail: &str) -> ForPeople {
        let (heading, text) = match self {
            Fault::NotFound { id, .. } => {
                ("Page introuvable", format!("« {id} » n'existe pas ici, ou n'est plus publié. La page d'accueil donne ce qui l'est."))
            }
            Fault::Unsupported { id, offered, .. } => {
                ("Page introuvable", format!("« {id} » n'existe pas ici. Ce qui existe : {offered}."))
            }
            Fault::Gone { id, .. } => ("Donnée effacée", format!("« {id} » a été publié, puis effacé pour de bon.")),
            Fault::InvalidParameter { name, value, expected } => {
                ("Adresse mal formée", format!("Le paramètre « {name} » ne peut pas valoir « {value} » ({expected})."))
            }
            Fault::Range { .. } | Fault::MethodNotAllowed => {
                ("Demande impossible", format!("Cette adresse ne se demande pas ainsi ({detail})."))
            }
            Fault::TooLong { seconds } => (
                "Question trop longue",
                format!("La réponse demanderait plus de {seconds} secondes : restreignez la zone ou simplifiez le filtre."),
            ),
            Fault::Unavailable => ("Un instant", "Le service est très demandé : réessayez dans quelques secondes.".to_owned()),
            Fault::Away => (
                "Base de données absente",
                "La base qui tient cette donnée ne répond pas : réessayez plus tard. Ses téléchargements restent disponibles.".to_owned(),
            ),
            Fault::Closed => (
                "Donnée fermée",
                "Un contrôle a fermé cette donnée le temps d'une correction. Ses téléchargements restent disponibles.".to_owned(),
            ),
            Fault::Internal(_) => ("Erreur du service", format!("Quelque chose a échoué de notre côté ({detail}).")),
        };
        ForPeople { heading, text }
    }
}

impl From<CatalogueError> for Fault {
    fn from(error: CatalogueError) -> Fault {
        match error {
            CatalogueError::Store(StoreError::TooLong { seconds, .. }) => Fault::TooLong { seconds },
            CatalogueError::NoFeatures { layer } => Fault::NotFound { what: "features, only tiles, in collection", id: layer.to_string() },
            CatalogueError::Erased { version } => Fault::Gone { what: "version", id: version.to_string() },
            CatalogueError::Live(LiveError::Closed { .. }) => Fault::Closed,
            CatalogueError::Live(LiveError::OtherOrder) => Fault::parameter("after", "", "expected the `next` link of this very question"),
            CatalogueError::Live(LiveError::Postgis(error)) => of_database(error),
            error => Fault::Internal(error.into()),
        }
    }
}

fn of_database(error: PostgisError) -> Fault {
    match error {
        PostgisError::TooLong { seconds } => Fault::TooLong { seconds },
        // Class 22 of SQLSTATE: values of the question that cannot be computed with.
        PostgisError::Refused { state, .. } if state.starts_with("22") => Fault::parameter(
            "filter or after",
            &state,
            "expected values and results that a database can hold: texts without U+0000, finite numbers",
        ),
        PostgisError::Away { .. } => Fault::Away,
        error => {
            tracing::warn!("{error}");
            Fault::Away
        }
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let status = self.status();
        let detail = self.detail();
        let words = self.for_people(&detail);
        let body = serde_json::json!({
            "type": "about:blank",
            "title": status.canonical_reason().unwrap_or("error"),
            "status": status.as_u16(),
            "detail": detail,
        });
        let mut response = (status, [(header::CONTENT_TYPE, media_type::PROBLEM)], body.to_string()).into_response();
        response.extensions_mut().insert(words);
        match self {
            Fault::Unavailable => {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
            }
            Fault::Away | Fault::Closed => {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
            }
            Fault::Range { length } => {
                if let Ok(value) = HeaderValue::from_str(&format!("bytes */{length}")) {
                    response.headers_mut().insert(header::CONTENT_RANGE, value);
                }
            }
            Fault::MethodNotAllowed => {
                response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
            }
            _ => {}
        }
        response
    }
}
