//! Work that keeps a core busy: so much at once, so much waiting, and beyond that an early word.
//!
//! A server that takes every request on answers none of them in time: its threads share the cores, and each client waits
//! for all. Here as many work as there are cores to work on, a short line waits, and who would stand behind it hears 503
//! with a time to come back, while the line stays as short as it is.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::sync::SemaphorePermit;

use crate::http::fault::Fault;

/// Questions at work a core: the second works while the first waits for the disk.
const PER_CORE: usize = 2;

/// Questions that wait for their turn: at a millisecond each, nobody waits a second.
const WAITING_MAX: usize = 256;

/// Whoever waited so long has a client that gave up; dear questions are in front.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// Answers that are written while they are read, each with a thread of its own that a slow reader holds.
const STREAMS_MAX: usize = 64;

pub struct Work {
    places: Semaphore,
    waiting: AtomicUsize,
    streams: std::sync::Arc<Semaphore>,
}

impl Default for Work {
    fn default() -> Work {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Work::with_places(cores * PER_CORE)
    }
}

/// Counts one that waits, for as long as it does.
struct InLine<'a>(&'a AtomicUsize);

impl Drop for InLine<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Work {
    /// So many at once.
    pub fn with_places(places: usize) -> Work {
        Work { places: Semaphore::new(places), waiting: AtomicUsize::new(0), streams: std::sync::Arc::new(Semaphore::new(STREAMS_MAX)) }
    }

    /// Does it on this thread once its turn has come.
    ///
    /// # Errors
    /// `Unavailable` where too many wait already, or the turn did not come; else those of the work.
    pub async fn run<T>(&self, work: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
        let _place = self.place().await?;
        // Questions last milliseconds, and the runtime has another thread for what else there is.
        tokio::task::block_in_place(work)
    }

    async fn place(&self) -> Result<SemaphorePermit<'_>, Fault> {
        if let Ok(place) = self.places.try_acquire() {
            return Ok(place);
        }
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let _in_line = InLine(&self.waiting);
        if before >= WAITING_MAX {
            return Err(Fault::Unavailable);
        }
        match tokio::time::timeout(WAIT_MAX, self.places.acquire()).await {
            Ok(Ok(place)) => Ok(place),
            _ => Err(Fault::Unavailable),
        }
    }

    /// A place among the answers that are written while they are read; free again when it is dropped.
    ///
    /// # Errors
    /// `Unavailable` where all are taken.
    pub fn stream(&self) -> Result<tokio::sync::OwnedSemaphorePermit, Fault> {
        std::sync::Arc::clone(&self.streams).try_acquire_owned().map_err(|_| Fault::Unavailable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn who_would_wait_too_long_hears_it_at_once() {
        let work = std::sync::Arc::new(Work::default());
        let places = u32::try_from(work.places.available_permits()).expect("few");
        let all = work.places.acquire_many(places).await.expect("all places");
        let waiting: Vec<_> = (0..WAITING_MAX)
            .map(|_| {
                let work = std::sync::Arc::clone(&work);
                tokio::spawn(async move { work.run(|| Ok(())).await.is_ok() })
            })
            .collect();
        while work.waiting.load(Ordering::Relaxed) < WAITING_MAX {
            tokio::task::yield_now().await;
        }
        assert!(matches!(work.run(|| Ok(())).await, Err(Fault::Unavailable)));
        drop(all);
        for one in waiting {
            assert!(one.await.expect("ran"), "the line is served");
        }
        assert_eq!(work.waiting.load(Ordering::Relaxed), 0);
        assert!(work.run(|| Ok(())).await.is_ok());
    }

    #[test]
    fn streams_are_few_and_free_again_when_they_end() {
        let work = Work::default();
        let held: Vec<_> = (0..STREAMS_MAX).map(|_| work.stream()).collect();
        assert!(held.iter().all(Result::is_ok) && work.stream().is_err());
        drop(held);
        assert!(work.stream().is_ok());
    }
}
