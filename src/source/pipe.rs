//! The pipe between the reading worker and its parent.
//!
//! A request is a line of JSON on the worker's standard input; the end of input ends the worker, so that one process
//! describes a file and then reads it. The answer is frames: a kind, then a batch (`frame`), or a little-endian length and
//! a document.

use std::io;
use std::io::Read;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::ChildStdin;
use std::process::ChildStdout;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::sync_channel;

use serde::Deserialize;
use serde::Serialize;

use crate::model::batch::FeatureBatch;
use crate::model::layer::GeometryColumn;
use crate::model::reading::Outcome;
use crate::model::reading::ReadOptions;
use crate::model::reading::SourceLayer;
use crate::source::Source;
use crate::source::SourceError;
use crate::source::copy;
use crate::source::copy::Copied;
use crate::source::frame;

/// What the parent asks of one file.
#[derive(Debug, Serialize, Deserialize)]
pub struct Request {
    pub path: PathBuf,
    /// The file is the officer's own and not a copy: it is not written to, and nothing beside it is read.
    pub in_place: bool,
    pub question: Question,
    pub options: ReadOptions,
}

#[derive(Debug, Serialize, Deserialize)]
pub enum Question {
    /// The layers; where one of them has this name, it alone.
    Layers(Option<String>),
    /// The features of a layer, in geometries of the kind that was described.
    Features(String, Option<GeometryColumn>),
    /// The style that a GeoPackage keeps for a layer.
    Style(String),
}

/// Kinds of frames.
pub const DESCRIPTION: u8 = b'D';
pub const BATCH: u8 = b'B';
pub const OUTCOME: u8 = b'O';
pub const STYLE: u8 = b'S';
pub const REFUSAL: u8 = b'E';

/// A document larger than this is none of ours.
const FRAME_BYTES_MAX: u32 = 1 << 30;

/// Of the pipe: a batch is a megabyte or so, and both sides go on while it holds one.
const PIPE_BYTES: usize = 1 << 20;

/// Batches that are proven and wait: the worker, this side of its pipe and the encoders are at work at one time.
const BATCHES_AHEAD: usize = 2;

/// Bytes of the worker's last words that are kept for the reason of a crash.
const LAST_WORDS: usize = 2_000;

/// # Errors
/// Those of the pipe.
pub fn send(out: &mut impl Write, kind: u8, payload: &[u8]) -> io::Result<()> {
    let length = u32::try_from(payload.len()).map_err(io::Error::other)?;
    out.write_all(&[kind])?;
    out.write_all(&length.to_le_bytes())?;
    out.write_all(payload)
}

/// A batch, or another kind of frame with its document.
enum Frame {
    Batch(Box<FeatureBatch>),
    Other(u8, Vec<u8>),
}

fn receive(input: &mut impl Read) -> io::Result<Frame> {
    let mut kind = [0; 1];
    input.read_exact(&mut kind)?;
    if kind[0] == BATCH {
        return frame::read(input).map(|batch| Frame::Batch(Box::new(batch)));
    }
    let mut length = [0; 4];
    input.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length);
    if length > FRAME_BYTES_MAX {
        return Err(io::Error::other("a frame is too long"));
    }
    let mut payload = vec![0; length as usize];
    input.read_exact(&mut payload)?;
    Ok(Frame::Other(kind[0], payload))
}

/// A started worker.
pub struct Worker {
    child: Child,
    /// `None` once it was asked for features.
    requests: Option<ChildStdin>,
    input: Option<io::BufReader<ChildStdout>>,
    /// As the officer knows it.
    path: PathBuf,
}

impl Worker {
    pub fn start(source: &Source, path: &Path) -> Result<Worker, SourceError> {
        let fault = |error: io::Error| SourceError::Crashed { path: path.to_owned(), reason: error.to_string() };
        let mut child = Command::new(&source.program)
            .arg("worker")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| fault(io::Error::other(format!("« {} » ne démarre pas : {error}", source.program.display()))))?;
        let (requests, output) = (child.stdin.take(), child.stdout.take());
        let (Some(_), Some(output)) = (&requests, output) else { return Err(fault(io::Error::other("pas de tube"))) };
        // A kernel that refuses a wide pipe has a narrow one.
        let _ = rustix::pipe::fcntl_setpipe_size(&output, PIPE_BYTES);
        Ok(Worker { child, requests, input: Some(io::BufReader::new(output)), path: path.to_owned() })
    }

    fn ask(&mut self, request: &Request) -> Result<(), SourceError> {
        let mut line = serde_json::to_vec(request).unwrap_or_default();
        line.push(b'\n');
        match self.requests.as_mut().map(|requests| requests.write_all(&line)) {
            Some(Ok(())) => Ok(()),
            _ => Err(self.crash()),
        }
    }

    fn refused(&self, reason: &[u8]) -> SourceError {
        SourceError::Unreadable { path: self.path.clone(), reason: String::from_utf8_lossy(reason).into_owned() }
    }

    /// Why the worker ended before its word.
    fn crash(&mut self) -> SourceError {
        use std::os::unix::process::ExitStatusExt;
        let _ = self.child.kill();
        let status = self.child.wait();
        let mut words = Vec::new();
        if let Some(stderr) = self.child.stderr.as_mut() {
            let _ = stderr.take(1 << 20).read_to_end(&mut words);
        }
        let words = String::from_utf8_lossy(&words[words.len().saturating_sub(LAST_WORDS)..]).trim().to_owned();
        let reason = match status.ok().and_then(|status| status.signal()) {
            // SIGXCPU and SIGKILL come from the limits that `worker` sets.
            Some(24) => "la lecture demande trop de calcul".to_owned(),
            Some(6 | 9) => format!("la lecture demande trop de mémoire {words}"),
            Some(signal) => format!("le lecteur s'est arrêté (signal {signal}) : le fichier est sans doute abîmé {words}"),
            None => format!("le fichier est sans doute abîmé {words}"),
        };
        SourceError::Crashed { path: self.path.clone(), reason: reason.trim().to_owned() }
    }

    pub fn describe(&mut self, request: &Request) -> Result<Vec<SourceLayer>, SourceError> {
        let payload = self.document(request, DESCRIPTION)?;
        serde_json::from_slice(&payload).map_err(|_| self.crash())
    }

    /// Empty where there is none.
    pub fn style(&mut self, request: &Request) -> Result<Vec<u8>, SourceError> {
        self.document(request, STYLE)
    }

    fn document(&mut self, request: &Request, kind: u8) -> Result<Vec<u8>, SourceError> {
        self.ask(request)?;
        match self.input.as_mut().map(receive) {
            Some(Ok(Frame::Other(REFUSAL, reason))) => Err(self.refused(&reason)),
            Some(Ok(Frame::Other(found, payload))) if found == kind => Ok(payload),
            _ => Err(self.crash()),
        }
    }

    /// Ask once, after any number of descriptions.
    pub fn read(mut self, request: &Request, copied: Arc<Copied>, noted: Outcome) -> Result<Reading, SourceError> {
        self.ask(request)?;
        self.requests = None;
        let Some(mut input) = self.input.take() else { return Err(self.crash()) };
        let (sender, frames) = sync_channel(BATCHES_AHEAD);
        std::thread::spawn(move || {
            loop {
                let frame = receive(&mut input);
                let goes_on = matches!(frame, Ok(Frame::Batch(_)));
                if sender.send(frame).is_err() || !goes_on {
                    return;
                }
            }
        });
        Ok(Reading { frames, worker: self, outcome: None, copied, noted })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A reading under way: batches in the source's order and CRS, then the outcome.
pub struct Reading {
    frames: Receiver<io::Result<Frame>>,
    worker: Worker,
    outcome: Option<Outcome>,
    /// What is read lives as long as it is read.
    copied: Arc<Copied>,
    /// What the copying did.
    noted: Outcome,
}

impl Iterator for Reading {
    type Item = Result<FeatureBatch, SourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.outcome.is_some() {
            return None;
        }
        match self.frames.recv() {
            Ok(Ok(Frame::Batch(batch))) => Some(Ok(*batch)),
            Ok(Ok(Frame::Other(REFUSAL, reason))) => Some(Err(self.worker.refused(&reason))),
            Ok(Ok(Frame::Other(OUTCOME, payload))) => match serde_json::from_slice(&payload) {
                Ok(outcome) => {
                    self.outcome = Some(outcome);
                    None
                }
                Err(_) => Some(Err(self.worker.crash())),
            },
            _ => Some(Err(self.worker.crash())),
        }
    }
}

impl Reading {
    /// Call once, after the last batch.
    ///
    /// # Errors
    /// `Crashed` where the worker ended before its word, `Unreadable` where somebody wrote to the file meanwhile.
    pub fn finish(mut self) -> Result<Outcome, SourceError> {
        if !self.copied.is_as_it_was() {
            return Err(copy::written(&self.worker.path));
        }
        match self.outcome.take() {
            Some(outcome) => Ok(outcome.with(std::mem::take(&mut self.noted))),
            None => Err(self.worker.crash()),
        }
    }
}
