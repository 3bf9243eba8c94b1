//! The worker: one file, one question, few rights.

use std::fs::File;
use std::io;
use std::io::BufRead;
use std::io::BufWriter;
use std::io::Write;
use std::os::fd::AsFd;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc::sync_channel;

use landlock::ABI;
use landlock::Access;
use landlock::AccessFs;
use landlock::Ruleset;
use landlock::RulesetAttr;
use landlock::RulesetCreatedAttr;
use landlock::path_beneath_rules;
use rustix::process::Resource;
use rustix::process::Rlimit;
use rustix::process::setrlimit;

use crate::geopackage::layer_styles;
use crate::model::batch::FeatureBatch;
use crate::source::complaints;
use crate::source::extension;
use crate::source::frame;
use crate::source::ogr;
use crate::source::pipe;
use crate::source::pipe::Question;
use crate::source::pipe::Request;
use crate::source::recognise;
use crate::source::tabular;
use crate::xml;

/// Address space: GDAL maps little, and the largest GeoJSON that it holds whole needs some ten times its size.
const MEMORY_BYTES_MAX: u64 = 8 << 30;

/// A department's parcels are read in a minute; a file that needs an hour of calculation is an attack or a fault.
const CPU_SECONDS_MAX: u64 = 3_600;

/// Open files: a Shapefile has seven, PROJ and GDAL a dozen of their own.
const FILES_MAX: u64 = 256;

/// Body of `bocage worker`: answers requests on standard input, a line each, on standard output, until there are no more.
pub fn worker_main() -> ExitCode {
    // Not by way of `Stdout`, which looks for lines in what it is given.
    let Ok(out) = io::stdout().as_fd().try_clone_to_owned() else { return ExitCode::FAILURE };
    let mut out = BufWriter::with_capacity(1 << 16, File::from(out));
    let mut restricted_to: Option<PathBuf> = None;
    for line in io::stdin().lock().lines() {
        let request: Option<Request> = line.ok().and_then(|line| serde_json::from_str(&line).ok());
        let Some(request) = request.filter(|request| restricted_to.as_ref().is_none_or(|path| *path == request.path)) else {
            eprintln!("worker: expected a request on standard input; this command is bocage's own");
            return ExitCode::from(2);
        };
        if restricted_to.is_none() {
            restrict(&request);
            complaints::hush();
            restricted_to = Some(request.path.clone());
        }
        // The private copy's place means nothing to the officer.
        let folder = request.path.parent().map(|folder| format!("{}/", folder.display())).unwrap_or_default();
        let refuse = |reason: String| reason.replace(&folder, "");
        let answered = answer(&request, &mut out).or_else(|reason| pipe::send(&mut out, pipe::REFUSAL, refuse(reason).as_bytes()));
        if answered.and_then(|()| out.flush()).is_err() {
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// Fewer files, less memory, less time; and where the kernel has Landlock, nothing but the copy (of a file in its own place,
/// nothing but its bytes) and the data of GDAL and PROJ.
fn restrict(request: &Request) {
    for (resource, limit) in
        [(Resource::As, MEMORY_BYTES_MAX), (Resource::Cpu, CPU_SECONDS_MAX), (Resource::Nofile, FILES_MAX), (Resource::Core, 0)]
    {
        // A limit that is lower already stays.
        let _ = setrlimit(resource, Rlimit { current: Some(limit), maximum: Some(limit) });
    }
    let abi = ABI::V1;
    let path = request.path.as_path();
    let (place, access) =
        if request.in_place { (path, AccessFs::from_read(abi)) } else { (path.parent().unwrap_or(path), AccessFs::from_all(abi)) };
    let readable = ["/usr", "/lib", "/lib64", "/etc"];
    let rules = Ruleset::default().handle_access(AccessFs::from_all(abi)).and_then(Ruleset::create);
    let restricted = rules
        .and_then(|rules| rules.add_rules(path_beneath_rules(readable, AccessFs::from_read(abi))))
        .and_then(|rules| rules.add_rules(path_beneath_rules([place], access)))
        .and_then(landlock::RulesetCreated::restrict_self);
    if let Err(error) = restricted {
        eprintln!("worker: landlock: {error}");
    }
}

/// The sink of a reading: each batch goes out while the next is read.
pub type Sink<'a> = &'a mut dyn FnMut(&FeatureBatch) -> io::Result<()>;

fn answer(request: &Request, out: &mut (impl Write + Send)) -> Result<(), String> {
    let broken = |error: io::Error| error.to_string();
    let is_table = recognise(&request.path).is_some_and(|format| format.driver().is_none());
    match &request.question {
        Question::Layers(only) => {
            let layers = if is_table {
                tabular::describe(&request.path, &request.options)
            } else {
                ogr::describe(request, driver(&request.path)?, only.as_deref())
            }?;
            let payload = serde_json::to_vec(&layers).map_err(|error| error.to_string())?;
            pipe::send(out, pipe::DESCRIPTION, &payload).map_err(broken)
        }
        Question::Style(layer) => {
            let kept = layer_styles::read(&request.path, layer, xml::SIZE_BYTES_MAX).map_err(|error| error.to_string())?;
            pipe::send(out, pipe::STYLE, &kept.unwrap_or_default()).map_err(broken)
        }
        Question::Features(layer, geometry) => {
            let outcome = sending(out, |sink| {
                if is_table {
                    tabular::read(&request.path, &request.options, sink)
                } else {
                    ogr::read(request, driver(&request.path)?, layer, *geometry, sink)
                }
            })?;
            let payload = serde_json::to_vec(&outcome).map_err(|error| error.to_string())?;
            pipe::send(out, pipe::OUTCOME, &payload).map_err(broken)
        }
    }
}

/// Calls `read` with a sink whose batches are written on a thread of their own: the kernel copies each into the pipe, and the
/// parent out of it, as long as a sixth of the time it took to read.
fn sending<T>(out: &mut (impl Write + Send), read: impl FnOnce(Sink<'_>) -> Result<T, String>) -> Result<T, String> {
    std::thread::scope(|scope| {
        let (sender, batches) = sync_channel::<FeatureBatch>(1);
        let sent = scope.spawn(move || {
            batches.iter().try_for_each(|batch| {
                out.write_all(&[pipe::BATCH])?;
                frame::write(out, &batch)
            })
        });
        let read = read(&mut |batch| sender.send(batch.clone()).map_err(|_| io::ErrorKind::BrokenPipe.into()));
        drop(sender);
        let sent = sent.join().unwrap_or_else(|_| Err(io::Error::other("a thread ended")));
        sent.map_err(|error| error.to_string()).and(read)
    })
}

fn driver(path: &Path) -> Result<&'static str, String> {
    match recognise(path).and_then(|format| format.driver()) {
        Some(driver) => Ok(driver),
        // Asked for by name, a table of a Shapefile is read without its shapes.
        None if extension(path) == "dbf" => Ok("ESRI Shapefile"),
        None => Err("aucun format reconnu".to_owned()),
    }
}
