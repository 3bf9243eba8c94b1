//! Connections to one database, kept for the next question.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;

use crate::postgis::Connection;
use crate::postgis::PostgisError;
use crate::postgis::Service;

/// Connections kept; as many questions are at work at once, so that more would wait for nothing.
pub const CONNECTIONS_MAX: usize = 4;

/// A question that takes longer is stopped, as those to files are.
const QUESTION_MAX: Duration = Duration::from_secs(10);

/// A database that could not be reached is left alone for so long: whoever asks meanwhile hears at once that it is away.
const AWAY: Duration = Duration::from_secs(2);

/// A connection that nobody used for so long is closed.
const IDLE_MAX: Duration = Duration::from_secs(60);

/// `Send + Sync`.
pub struct Database {
    pub service: Service,
    idle: Mutex<Vec<(Connection, Instant)>>,
    away: Mutex<Option<(Instant, PostgisError)>>,
}

impl Database {
    pub fn new(service: Service) -> Database {
        Database { service, idle: Mutex::default(), away: Mutex::default() }
    }

    /// Asks on a connection of its own. A question whose connection broke because the server was restarted since is asked once
    /// more.
    ///
    /// # Errors
    /// Those of the question; `Away` at once where the database could not be reached a moment ago.
    pub fn ask<T>(&self, question: impl Fn(&mut Connection) -> Result<T, PostgisError>) -> Result<T, PostgisError> {
        if let Some(mut kept) = self.kept() {
            match question(&mut kept) {
                Err(PostgisError::Away { .. }) => self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear(),
                answer => {
                    self.keep(kept);
                    return answer;
                }
            }
        }
        let mut away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, error)) = away.as_ref().filter(|(since, _)| since.elapsed() < AWAY) {
            return Err(error.clone());
        }
        *away = None;
        drop(away);
        let answer = Connection::open(&self.service, QUESTION_MAX).and_then(|mut fresh| {
            let answer = question(&mut fresh);
            self.keep(fresh);
            answer
        });
        if let Err(error @ PostgisError::Away { .. }) = &answer {
            tracing::warn!("{error}");
            *self.away.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), error.clone()));
        }
        answer
    }

    fn kept(&self) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(_, since)| since.elapsed() < IDLE_MAX);
        idle.pop().map(|(connection, _)| connection)
    }

    fn keep(&self, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if connection.is_idle() && idle.len() < CONNECTIONS_MAX {
            idle.push((connection, Instant::now()));
        }
    }
}
