//! How a layer gets published: read → check → normalise → store → files → record → switch.

pub mod add;
mod ahead;
mod choice;
pub mod convert;
mod examine;
mod files;
mod normalise;
mod record;
pub mod report;
mod scratch;
mod style;
pub mod tile;
pub mod tileset;
mod tileset_source;

use std::path::Path;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;

use anyhow::Context as _;
use jiff::Timestamp;

use crate::catalogue::Revision;
use crate::check::erased_content;
use crate::config::DeclaredState;
use crate::config::LayerFile;
use crate::config::Site;
use crate::config::SourceRef;
use crate::live::LiveSource;
use crate::model::geometry::Envelope;
use crate::model::layer::LayerId;
use crate::publish::examine::Examined;
use crate::publish::report::LayerReport;
use crate::publish::report::Outcome;
use crate::publish::scratch::Scratch;
use crate::source::Source;
use crate::store::GivenStyle;
use crate::store::KeptStyle;
use crate::store::LayerState;
use crate::store::Staged;
use crate::store::Store;
use crate::store::Writer;
use crate::store::Writers;

/// Publishes the layers of one site.
pub struct Publisher {
    pub site: Site,
    pub store: Store,
    pub source: Source,
    writers: Writers,
    /// Where `source` makes its copies.
    _scratch: Scratch,
}

/// Told while a layer is on its way: layer, step in French, rows so far.
pub type Progress<'a> = &'a (dyn Fn(&str, &str, u64) + Sync);

/// How long a publication waits for another one: a department's parcels take a minute or two.
const LOCK_WAIT: Duration = Duration::from_secs(300);

/// Layers that are published at one time. Two keep both cores of a small server at work; each more would take the memory of
/// another layer.
const LAYERS_AT_ONCE: usize = 2;

/// The register's note of what a version was made from.
const NOTE_SOURCE: &str = "source";

/// The register's note of the columns that `bocage add` listed by itself, as a JSON list.
const NOTE_DRAFTED: &str = "drafted";

/// The register's note of the last report, as JSON.
pub const NOTE_REPORT: &str = "report";

impl Publisher {
    /// `program`: this executable, for the reading worker.
    ///
    /// # Errors
    /// Those of `Store::open`.
    pub fn open(site: Site, program: &Path) -> anyhow::Result<Publisher> {
        let var = site.root.join("var");
        let store = Store::open(&var)?;
        let root = var.join("scratch");
        let scratch = Scratch::open(&root).with_context(|| root.display().to_string())?;
        let source = Source { program: program.to_owned(), scratch: scratch.path().to_owned(), in_place: false };
        let writers = store.writers();
        Ok(Publisher { site, store, source, writers, _scratch: scratch })
    }

    /// Reads and judges one layer file; publishes nothing.
    pub fn check(&self, file: &LayerFile, progress: Progress<'_>) -> LayerReport {
        let started = Instant::now();
        let mut report = match examine::examine(self, file, None, progress) {
            Ok(examined) => examined.report(file),
            Err(error) => LayerReport::failed(file, &error),
        };
        report.duration_ms = millis(started);
        report
    }

    /// Publishes one layer if its source or its file changed. The layer switches whole or not at all. Takes the writer's lock.
    pub fn publish(&self, file: &LayerFile, progress: Progress<'_>) -> LayerReport {
        let started = Instant::now();
        let mut report = self.try_publish(file, progress).unwrap_or_else(|error| LayerReport::failed(file, &error));
        report.duration_ms = millis(started);
        progress(file.id.as_str(), "terminé", 0);
        report
    }

    /// Publishes several layers, two at a time: each has steps that one core does alone. The layer that the others are checked
    /// against goes first. Reports are in the order of `files`, which are different layers.
    pub fn publish_all(&self, files: &[LayerFile], progress: Progress<'_>) -> Vec<LayerReport> {
        let is_territory = |file: &LayerFile| self.site.territory_layer.as_ref() == Some(&file.id);
        let reports: Vec<OnceLock<LayerReport>> = files.iter().map(|_| OnceLock::new()).collect();
        let publish = |at: usize| reports[at].get_or_init(|| self.publish(&files[at], progress));
        let (first, others): (Vec<usize>, Vec<usize>) = (0..files.len()).partition(|at| is_territory(&files[*at]));
        first.into_iter().for_each(|at| {
            publish(at);
        });
        let queue = Mutex::new(others.into_iter());
        let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
        std::thread::scope(|scope| {
            for _ in 0..LAYERS_AT_ONCE {
                scope.spawn(|| {
                    while let Some(at) = next() {
                        publish(at);
                    }
                });
            }
        });
        reports.into_iter().filter_map(OnceLock::into_inner).collect()
    }

    fn try_publish(&self, file: &LayerFile, progress: Progress<'_>) -> anyhow::Result<LayerReport> {
        match file.state {
            DeclaredState::Proposed => return Ok(LayerReport::waiting(file, Outcome::Proposed)),
            DeclaredState::Withdrawn => return self.withdraw(file),
            DeclaredState::Published => {}
        }
        if let Some(kept) = self.kept_back(&file.id)? {
            return Ok(LayerReport::waiting(file, Outcome::Withdrawn).noting(kept));
        }
        let made_from = self.made_from(file);
        if let (Some(now), Some(report)) = (&made_from, self.last_report(&file.id)?)
            && self.store.note(&file.id, NOTE_SOURCE)?.as_ref() == Some(now)
            && self.is_served(&file.id)?
        {
            return Ok(LayerReport { outcome: Outcome::Unchanged, ..report });
        }
        progress(file.id.as_str(), "attente du verrou", 0);
        let writer = self.writers.writer(LOCK_WAIT)?;
        let examined = examine::examine(self, file, Some(&writer), progress)?;
        let mut report = examined.report(file);
        let live = examined.live.clone();
        if !examined.is_held() {
            self.publish_examined(file, examined, &writer, &mut report, progress)?;
            if report.outcome != Outcome::Held {
                writer.note(&file.id, NOTE_SOURCE, made_from.as_deref())?;
                writer.note(&file.id, NOTE_REPORT, Some(&serde_json::to_string(&report)?))?;
            }
        }
        self.answer_live(&file.id, live, report.outcome == Outcome::Held, &writer)?;
        Ok(report)
    }

    /// Who answers from now on: the table, nobody while what it holds may not go out, or the version.
    fn answer_live(&self, id: &LayerId, live: Option<LiveSource>, is_held: bool, writer: &Writer) -> anyhow::Result<()> {
        let known = self.store.note(id, crate::store::LIVE)?;
        let before: Option<LiveSource> = known.as_deref().and_then(|text| serde_json::from_str(text).ok());
        let closed = before.as_ref().and_then(|before| before.closed.clone());
        let wanted = match (live, is_held) {
            (Some(live), false) => Some(live),
            // Closed by the description that was served: the new one may be what is wrong.
            (Some(live), true) => {
                let now = || Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
                Some(LiveSource { closed: Some(closed.unwrap_or_else(now)), ..before.unwrap_or(live) })
            }
            (None, true) => return Ok(()),
            (None, false) => None,
        };
        let wanted = wanted.map(|live| serde_json::to_string(&live)).transpose()?;
        if wanted != known {
            writer.note(id, crate::store::LIVE, wanted.as_deref())?;
        }
        Ok(())
    }

    fn publish_examined(
        &self,
        file: &LayerFile,
        examined: Examined,
        writer: &Writer,
        report: &mut LayerReport,
        progress: Progress<'_>,
    ) -> anyhow::Result<()> {
        let (record, style) = (examined.record, examined.style.given);
        progress(file.id.as_str(), "tri et index", report.features.unwrap_or(0));
        let staged: Staged = match (examined.writer, examined.tileset) {
            (Some(layer_writer), _) => layer_writer.finish()?,
            (None, Some((layer, tileset))) => writer.stage_tileset(layer, &tileset.archive)?,
            (None, None) => anyhow::bail!("la couche n'a pas été écrite"),
        };
        let now = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        report.features = Some(staged.layer.features).filter(|_| !staged.layer.is_tileset);
        report.extent = staged.layer.extent.map(|e| [e.west, e.south, e.east, e.north]);
        if let Some(version) = staged.erased_before()? {
            let finding = erased_content(&version, &file.ignored_checks);
            let holds = finding.severity.holds();
            report.findings.insert(0, finding);
            if holds {
                report.outcome = Outcome::Held;
                return Ok(());
            }
        }
        if staged.is_unchanged()? {
            report.outcome = Outcome::Unchanged;
            self.revise(file, &staged, record, style.as_ref(), writer, &now)?;
        } else {
            progress(file.id.as_str(), "téléchargements", staged.layer.features);
            let written = files::write_all(&staged, &record)?;
            report.notes.extend(written.notes);
            let manifest = staged.commit(record, written.files, &now)?;
            writer.note(&file.id, crate::store::REVISION, None)?;
            let style = keep(file, style.as_ref(), writer)?;
            writer.serve_style(&file.id, style.as_ref())?;
            report.outcome = Outcome::Published;
            report.version = Some(manifest.version.to_string());
        }
        writer.set_state(&file.id, LayerState::Published, &now)?;
        writer.prune(&file.id, self.site.keep, &now)?;
        if report.version.is_none() {
            report.version = self.current(&file.id)?.map(|version| version.to_string());
        }
        Ok(())
    }

    /// Data unchanged: what the officer says of it, or how it is drawn, may have changed.
    fn revise(
        &self,
        file: &LayerFile,
        staged: &Staged,
        record: crate::model::record::Record,
        style: Option<&GivenStyle>,
        writer: &Writer,
        now: &str,
    ) -> anyhow::Result<()> {
        let Some(version) = self.current(&file.id)? else { return Ok(()) };
        let served = self.store.manifest(&file.id, &version)?;
        let before = self.store.note(&file.id, crate::store::REVISION)?.and_then(|text| serde_json::from_str::<Revision>(&text).ok());
        let before = before.unwrap_or_else(|| Revision {
            title: served.layer.title.clone(),
            description: served.layer.description.clone(),
            fields: served.layer.fields.clone(),
            record: served.record.clone(),
            revised: served.published.clone(),
        });
        let layer = &staged.layer;
        let newer = Revision {
            title: layer.title.clone(),
            description: layer.description.clone(),
            fields: layer.fields.clone(),
            record,
            // Never back, also when the clock was.
            revised: before.revised.clone().max(now.to_owned()),
        };
        let said_anew = Revision { revised: before.revised.clone(), ..newer.clone() } != before;
        let style = keep(file, style, writer)?;
        // The date first: after a kill in between, the next publication finds the style still to be changed.
        if said_anew || self.store.style(&file.id)? != style {
            writer.note(&file.id, crate::store::REVISION, Some(&serde_json::to_string(&newer)?))?;
        }
        writer.serve_style(&file.id, style.as_ref())?;
        Ok(())
    }

    fn withdraw(&self, file: &LayerFile) -> anyhow::Result<LayerReport> {
        if self.is_served(&file.id)? {
            let writer = self.writers.writer(LOCK_WAIT)?;
            writer.set_state(&file.id, LayerState::Withdrawn, &Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string())?;
        }
        Ok(LayerReport::waiting(file, Outcome::Withdrawn))
    }

    /// Why the register keeps a layer back whatever its file says.
    fn kept_back(&self, id: &LayerId) -> anyhow::Result<Option<&'static str>> {
        let state = self.store.layers()?.into_iter().find(|(known, _, _)| known == id).map(|(_, state, _)| state);
        Ok(match state {
            Some(LayerState::Quarantined) => Some("En quarantaine : « bocage restore-layer » la remet en service."),
            _ => None,
        })
    }

    fn current(&self, id: &LayerId) -> anyhow::Result<Option<crate::model::version::Version>> {
        Ok(self.store.layers()?.into_iter().find(|(known, _, _)| known == id).and_then(|(_, _, version)| version))
    }

    fn is_served(&self, id: &LayerId) -> anyhow::Result<bool> {
        Ok(self
            .store
            .layers()?
            .into_iter()
            .any(|(known, state, version)| known == *id && state == LayerState::Published && version.is_some()))
    }

    fn last_report(&self, id: &LayerId) -> anyhow::Result<Option<LayerReport>> {
        Ok(self.store.note(id, NOTE_REPORT)?.and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// Everything that a version depends on, as one text; `None` where the source is away, and for a table, which does not say
    /// whether it changed: it is read anew.
    fn made_from(&self, file: &LayerFile) -> Option<String> {
        let SourceRef::File(path) = &file.source else { return None };
        let source = self.source.fingerprint(&self.site.depot.join(path))?;
        let style = style::fingerprint(self, file);
        let said = std::fs::read_to_string(&file.path).unwrap_or_default();
        let site = std::fs::read_to_string(self.site.root.join("layers").join("site.toml")).unwrap_or_default();
        Some(format!("{}\n{source}\n{style}\n{said}\n{site}", env!("CARGO_PKG_VERSION")))
    }

    /// Lon, lat: as site.toml writes it, else of the layer that it names, once that is published.
    fn territory(&self) -> Option<Envelope> {
        let of_layer = || {
            let id = self.site.territory_layer.as_ref()?;
            let version = self.store.current(id).ok()??;
            self.store.manifest(id, &version).ok()?.layer.extent
        };
        self.site.extent.or_else(of_layer)
    }
}

/// Puts a style where it can be served from.
fn keep(file: &LayerFile, style: Option<&GivenStyle>, writer: &Writer) -> anyhow::Result<Option<KeptStyle>> {
    Ok(style.map(|given| writer.keep_style(&file.id, given)).transpose()?)
}

fn millis(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX)
}
