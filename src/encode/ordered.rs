//! Pieces of a file made on every core and written in their order.

use std::collections::VecDeque;
use std::io;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::SyncSender;
use std::sync::mpsc::sync_channel;

/// What a piece is made from, such as a batch, and where the piece is awaited.
type Job<J, T> = (J, SyncSender<T>);

/// Calls `make` with every job, several at a time, and `take` with the results in the order of the jobs.
///
/// Memory holds one job and one result more than there are cores. A publication, which writes several downloads at a
/// time, keeps its cores at work by that: there each download is made on its own thread.
///
/// # Errors
/// The first of the jobs' or of `take`.
pub fn ordered<J: Send, T: Send>(
    jobs: &mut dyn Iterator<Item = io::Result<J>>,
    make: impl Fn(J) -> T + Sync,
    mut take: impl FnMut(T) -> io::Result<()>,
) -> io::Result<()> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    if threads == 1 || rayon::current_thread_index().is_some() {
        for job in jobs {
            take(make(job?))?;
        }
        return Ok(());
    }
    let (sender, queue) = sync_channel::<Job<J, T>>(threads);
    let queue = Mutex::new(queue);
    let (queue, make) = (&queue, &make);
    std::thread::scope(move |scope| {
        for _ in 0..threads {
            scope.spawn(move || {
                while let Some((job, done)) = next(queue) {
                    // Nobody waits any more after an error.
                    let _ = done.send(make(job));
                }
            });
        }
        let sent = send_all(jobs, &sender, threads, &mut take);
        drop(sender);
        sent
    })
}

fn next<J, T>(queue: &Mutex<Receiver<Job<J, T>>>) -> Option<Job<J, T>> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

fn send_all<J, T>(
    jobs: &mut dyn Iterator<Item = io::Result<J>>,
    sender: &SyncSender<Job<J, T>>,
    ahead: usize,
    take: &mut dyn FnMut(T) -> io::Result<()>,
) -> io::Result<()> {
    let gone = || io::Error::other("a thread ended");
    let mut awaited: VecDeque<Receiver<T>> = VecDeque::new();
    for job in jobs {
        let (done, result) = sync_channel(1);
        sender.send((job?, done)).map_err(|_| gone())?;
        awaited.push_back(result);
        if awaited.len() > ahead
            && let Some(first) = awaited.pop_front()
        {
            take(first.recv().map_err(|_| gone())?)?;
        }
    }
    awaited.into_iter().try_for_each(|result| take(result.recv().map_err(|_| gone())?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::batch::FeatureBatch;
    use crate::model::batch::batch_of;

    fn batches(count: i64) -> impl Iterator<Item = io::Result<FeatureBatch>> {
        (0..count).map(|n| Ok(batch_of(&[], &[(Some(n), Vec::new(), None)], false)))
    }

    #[test]
    fn results_come_in_the_order_of_the_batches() {
        let mut seen = Vec::new();
        let encode = |batch: FeatureBatch| {
            let id = batch.id(0).map(|id| id.to_string());
            // The later ones are ready first.
            std::thread::sleep(std::time::Duration::from_micros(if id.as_deref() == Some("3") { 2_000 } else { 0 }));
            id
        };
        ordered(&mut batches(40), encode, |id| {
            seen.extend(id);
            Ok(())
        })
        .expect("written");
        assert_eq!(seen, (0..40).map(|n| n.to_string()).collect::<Vec<_>>());
    }

    #[test]
    fn the_first_error_ends_it() {
        let refuse = |rows: usize| if rows == 1 { Err(io::Error::other("full")) } else { Ok(()) };
        assert_eq!(ordered(&mut batches(40), |batch| batch.rows(), refuse).expect_err("refused").to_string(), "full");
        let mut torn = batches(3).chain([Err(io::Error::other("torn"))]);
        assert_eq!(ordered(&mut torn, |batch| batch.rows(), |_| Ok(())).expect_err("torn").to_string(), "torn");
    }
}
