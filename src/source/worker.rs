//! The worker: one file, one question, few rights.

use std::io;
use std::io::BufWriter;
use std::io::Read;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

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

use crate::model::batch::FeatureBatch;
use crate::source::complaints;
use crate::source::extension;
use crate::source::ogr;
use crate::source::pipe;
use crate::source::pipe::Request;
use crate::source::recognise;
use crate::source::tabular;

/// Address space: GDAL maps little, and the largest GeoJSON that it holds whole needs some ten times its size.
const MEMORY_BYTES_MAX: u64 = 8 << 30;

/// A department's parcels are read in a minute; a file that needs an hour of calculation is an attack or a fault.
const CPU_SECONDS_MAX: u64 = 3_600;

/// Open files: a Shapefile has seven, PROJ and GDAL a dozen of their own.
const FILES_MAX: u64 = 256;

/// Body of `bocage worker`: reads one request on standard input, answers on standard output, exits.
pub fn worker_main() -> ExitCode {
    let mut text = Vec::new();
    let request: Option<Request> = io::stdin().lock().read_to_end(&mut text).ok().and_then(|_| serde_json::from_slice(&text).ok());
    let Some(request) = request else {
        eprintln!("worker: expected a request on standard input; this command is bocage's own");
        return ExitCode::from(2);
    };
    restrict(&request.path);
    complaints::hush();
    let mut out = BufWriter::with_capacity(1 << 20, io::stdout().lock());
    // The private copy's place means nothing to the officer.
    let folder = request.path.parent().map(|folder| format!("{}/", folder.display())).unwrap_or_default();
    let refuse = |reason: String| reason.replace(&folder, "");
    let answered = answer(&request, &mut out).or_else(|reason| pipe::send(&mut out, pipe::REFUSAL, refuse(reason).as_bytes()));
    match answered.and_then(|()| out.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Fewer files, less memory, less time; and where the kernel has Landlock, nothing but the copy and the data of GDAL and PROJ.
fn restrict(path: &Path) {
    for (resource, limit) in
        [(Resource::As, MEMORY_BYTES_MAX), (Resource::Cpu, CPU_SECONDS_MAX), (Resource::Nofile, FILES_MAX), (Resource::Core, 0)]
    {
        // A limit that is lower already stays.
        let _ = setrlimit(resource, Rlimit { current: Some(limit), maximum: Some(limit) });
    }
    let abi = ABI::V1;
    let folder = path.parent().unwrap_or(path);
    let readable = ["/usr", "/lib", "/lib64", "/etc"];
    let rules = Ruleset::default().handle_access(AccessFs::from_all(abi)).and_then(Ruleset::create);
    let restricted = rules
        .and_then(|rules| rules.add_rules(path_beneath_rules(readable, AccessFs::from_read(abi))))
        .and_then(|rules| rules.add_rules(path_beneath_rules([folder], AccessFs::from_all(abi))))
        .and_then(landlock::RulesetCreated::restrict_self);
    if let Err(error) = restricted {
        eprintln!("worker: landlock: {error}");
    }
}

/// The sink of a reading: each batch goes out at once.
pub type Sink<'a> = &'a mut dyn FnMut(&FeatureBatch) -> io::Result<()>;

fn answer(request: &Request, out: &mut impl Write) -> Result<(), String> {
    let broken = |error: io::Error| error.to_string();
    let is_table = recognise(&request.path).is_some_and(|format| format.driver().is_none());
    match &request.layer {
        None => {
            let layers = if is_table {
                tabular::describe(&request.path, &request.options)
            } else {
                ogr::describe(&request.path, driver(&request.path)?, &request.options)
            }?;
            let payload = serde_json::to_vec(&layers).map_err(|error| error.to_string())?;
            pipe::send(out, pipe::DESCRIPTION, &payload).map_err(broken)
        }
        Some(layer) => {
            let mut sink = |batch: &FeatureBatch| pipe::encode(batch).and_then(|payload| pipe::send(out, pipe::BATCH, &payload));
            let outcome = if is_table {
                tabular::read(&request.path, &request.options, &mut sink)
            } else {
                ogr::read(&request.path, driver(&request.path)?, layer, &request.options, &mut sink)
            }?;
            let payload = serde_json::to_vec(&outcome).map_err(|error| error.to_string())?;
            pipe::send(out, pipe::OUTCOME, &payload).map_err(broken)
        }
    }
}

fn driver(path: &Path) -> Result<&'static str, String> {
    match recognise(path).and_then(|format| format.driver()) {
        Some(driver) => Ok(driver),
        // Asked for by name, a table of a Shapefile is read without its shapes.
        None if extension(path) == "dbf" => Ok("ESRI Shapefile"),
        None => Err("aucun format reconnu".to_owned()),
    }
}
