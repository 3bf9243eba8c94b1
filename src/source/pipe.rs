//! The pipe between the reading worker and its parent.
//!
//! The request is one JSON document on the worker's standard input. The answer is frames: a kind, a little-endian
//! length, a payload. A batch is an Arrow IPC stream of its own; its text is proven UTF-8 on arrival.

use std::io;
use std::io::Read;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::ChildStdout;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::Int64Array;
use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::DataType;
use arrow_schema::Field as ArrowField;
use arrow_schema::Schema;
use serde::Deserialize;
use serde::Serialize;

use crate::model::batch::FeatureBatch;
use crate::model::batch::Ids;
use crate::model::layer::FieldType;
use crate::model::reading::Outcome;
use crate::model::reading::ReadOptions;
use crate::model::reading::SourceLayer;
use crate::source::Source;
use crate::source::SourceError;
use crate::source::copy::Copied;

/// What the parent asks: the layers of a file, or the features of one.
#[derive(Debug, Serialize, Deserialize)]
pub struct Request {
    pub path: PathBuf,
    pub layer: Option<String>,
    pub options: ReadOptions,
}

/// Kinds of frames.
pub const DESCRIPTION: u8 = b'D';
pub const BATCH: u8 = b'B';
pub const OUTCOME: u8 = b'O';
pub const REFUSAL: u8 = b'E';

/// A frame larger than this is no batch of ours.
const FRAME_BYTES_MAX: u32 = 1 << 30;

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

fn receive(input: &mut impl Read) -> io::Result<(u8, Vec<u8>)> {
    let mut head = [0; 5];
    input.read_exact(&mut head)?;
    let length = u32::from_le_bytes([head[1], head[2], head[3], head[4]]);
    if length > FRAME_BYTES_MAX {
        return Err(io::Error::other("a frame is too long"));
    }
    let mut payload = vec![0; length as usize];
    input.read_exact(&mut payload)?;
    Ok((head[0], payload))
}

/// # Errors
/// Those of Arrow.
pub fn encode(batch: &FeatureBatch) -> io::Result<Vec<u8>> {
    let ids = match &batch.ids {
        Ids::Integer(ids) => Arc::new(ids.clone()) as ArrayRef,
        Ids::Text(_) => return Err(io::Error::other("a source has integer row ids")),
    };
    let mut fields = vec![ArrowField::new("id", DataType::Int64, true)];
    let mut columns = vec![ids];
    for (field_type, column) in &batch.columns {
        fields.push(ArrowField::new(serde_json::to_string(field_type)?, column.data_type().clone(), true));
        columns.push(Arc::clone(column));
    }
    if let Some(geometry) = &batch.geometry {
        fields.push(ArrowField::new("geometry", DataType::Binary, true));
        columns.push(Arc::new(geometry.clone()));
    }
    let schema = Arc::new(Schema::new(fields));
    let record = RecordBatch::try_new(Arc::clone(&schema), columns).map_err(io::Error::other)?;
    let mut writer = StreamWriter::try_new(Vec::new(), &schema).map_err(io::Error::other)?;
    writer.write(&record).and_then(|()| writer.finish()).map_err(io::Error::other)?;
    writer.into_inner().map_err(io::Error::other)
}

/// The reader validates buffers and UTF-8: a worker gone mad sends an error, not text that is none.
fn decode(payload: &[u8]) -> io::Result<FeatureBatch> {
    let mut stream = StreamReader::try_new(payload, None).map_err(io::Error::other)?;
    let record = stream.next().ok_or_else(|| io::Error::other("an empty batch"))?.map_err(io::Error::other)?;
    let wrong = || io::Error::other("a batch of another shape");
    let mut ids: Option<Int64Array> = None;
    let mut columns = Vec::new();
    let mut geometry = None;
    for (field, column) in record.schema().fields().iter().zip(record.columns()) {
        match field.name().as_str() {
            "id" => ids = column.as_primitive_opt::<Int64Type>().cloned(),
            "geometry" => geometry = Some(column.as_binary_opt::<i32>().cloned().ok_or_else(wrong)?),
            kind => columns.push((serde_json::from_str::<FieldType>(kind)?, Arc::clone(column))),
        }
    }
    Ok(FeatureBatch::new(Ids::Integer(ids.ok_or_else(wrong)?), columns, geometry))
}

/// A started worker.
pub struct Worker {
    child: Child,
    input: io::BufReader<ChildStdout>,
    /// As the officer knows it.
    path: PathBuf,
}

impl Worker {
    pub fn start(source: &Source, path: &Path, request: &Request) -> Result<Worker, SourceError> {
        let fault = |error: io::Error| SourceError::Crashed { path: path.to_owned(), reason: error.to_string() };
        let mut child = Command::new(&source.program)
            .arg("worker")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| fault(io::Error::other(format!("« {} » ne démarre pas : {error}", source.program.display()))))?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take();
        let (Some(mut stdin), Some(stdout)) = (stdin, stdout) else { return Err(fault(io::Error::other("pas de tube"))) };
        let text = serde_json::to_vec(request).map_err(|error| fault(error.into()))?;
        stdin.write_all(&text).map_err(fault)?;
        drop(stdin);
        // A batch is a megabyte or so.
        Ok(Worker { child, input: io::BufReader::with_capacity(1 << 20, stdout), path: path.to_owned() })
    }

    fn receive(&mut self) -> Result<(u8, Vec<u8>), SourceError> {
        match receive(&mut self.input) {
            Ok((REFUSAL, reason)) => {
                let reason = String::from_utf8_lossy(&reason).into_owned();
                Err(SourceError::Unreadable { path: self.path.clone(), reason })
            }
            Ok(frame) => Ok(frame),
            Err(_) => Err(self.crash()),
        }
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

    pub fn describe(mut self) -> Result<Vec<SourceLayer>, SourceError> {
        let (kind, payload) = self.receive()?;
        let layers = (kind == DESCRIPTION).then(|| serde_json::from_slice(&payload).ok()).flatten();
        layers.ok_or_else(|| self.crash())
    }

    pub fn read(self, copied: Copied) -> Result<Reading, SourceError> {
        Ok(Reading { worker: self, outcome: None, _copied: copied })
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
    worker: Worker,
    outcome: Option<Outcome>,
    /// The private copy lives as long as it is read.
    _copied: Copied,
}

impl Iterator for Reading {
    type Item = Result<FeatureBatch, SourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.outcome.is_some() {
            return None;
        }
        let (kind, payload) = match self.worker.receive() {
            Ok(frame) => frame,
            Err(error) => return Some(Err(error)),
        };
        let understood = match kind {
            BATCH => decode(&payload).ok().map(Some),
            OUTCOME => serde_json::from_slice(&payload).ok().map(|outcome| {
                self.outcome = Some(outcome);
                None
            }),
            _ => None,
        };
        match understood {
            Some(batch) => batch.map(Ok),
            None => Some(Err(self.worker.crash())),
        }
    }
}

impl Reading {
    /// Call once, after the last batch.
    ///
    /// # Errors
    /// `Crashed` where the worker ended before its word.
    pub fn finish(mut self) -> Result<Outcome, SourceError> {
        match self.outcome.take() {
            Some(outcome) => Ok(outcome),
            None => Err(self.worker.crash()),
        }
    }
}
