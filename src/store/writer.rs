//! The one that writes: it holds the lock, switches, forgets, erases.

use std::fs;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::Weak;
use std::time::Duration;
use std::time::Instant;

use jiff::SignedDuration;
use jiff::Timestamp;
use rustix::fs::FlockOperation;

use crate::model::layer::Layer;
use crate::model::layer::LayerId;
use crate::model::version::Version;
use crate::store::LayerState;
use crate::store::LayerWriter;
use crate::store::Staged;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::disk;
use crate::store::disk::fault;
use crate::store::register::Register;

/// Names of folders that an interrupted writer leaves behind.
pub const STAGING: &str = ".staging-";
const ERASED: &str = ".erased-";

/// How often a waiting writer tries again.
const LOCK_POLL: Duration = Duration::from_millis(50);

/// How long a version stays after it was replaced: servers see the new one within a second, and an answer takes half a minute
/// at most.
const READERS_GRACE: SignedDuration = SignedDuration::from_secs(60);

/// Texts that are no dates are old.
fn is_recent(published: &str, now: &str) -> bool {
    let parsed = published.parse::<Timestamp>().ok().zip(now.parse::<Timestamp>().ok());
    parsed.is_some_and(|(published, now)| now.duration_since(published) < READERS_GRACE)
}

/// The right to write, until it is dropped; the kernel takes it back when the process dies.
pub struct Lock {
    _file: File,
    /// Writers of one process count generations one after the other.
    generation: Mutex<()>,
}

impl Lock {
    /// Tells servers that what is published changed.
    fn bump(&self, store: &Store) -> Result<(), StoreError> {
        let _one = self.generation.lock().unwrap_or_else(PoisonError::into_inner);
        disk::replace(&store.root.join("generation"), (store.generation() + 1).to_string().as_bytes())
    }

    /// The atomic switch.
    pub fn point(&self, store: &Store, layer: &LayerId, version: &Version) -> Result<(), StoreError> {
        disk::replace(&store.layer_folder(layer).join("current"), version.as_str().as_bytes())?;
        self.bump(store)
    }
}

/// The writers of one process, on any threads, each for a layer of its own: the first takes the lock, the last frees it.
pub struct Writers {
    store: Store,
    lock: Mutex<Weak<Lock>>,
}

impl Writers {
    pub(super) fn new(store: &Store) -> Writers {
        Writers { store: store.clone(), lock: Mutex::new(Weak::new()) }
    }

    /// A writer for a layer that no other one writes.
    ///
    /// # Errors
    /// `Locked` after `wait` went by, where another process writes.
    pub fn writer(&self, wait: Duration) -> Result<Writer, StoreError> {
        let mut held = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lock) = held.upgrade() {
            return Writer::with(&self.store, lock);
        }
        let writer = Writer::lock(&self.store, wait)?;
        *held = Arc::downgrade(&writer.lock);
        Ok(writer)
    }
}

/// The one that writes; holds the lock until it is dropped.
pub struct Writer {
    pub(super) store: Store,
    register: Register,
    lock: Arc<Lock>,
}

impl Writer {
    pub(super) fn lock(store: &Store, wait: Duration) -> Result<Writer, StoreError> {
        let path = store.root.join("lock");
        let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(fault(&path))?;
        let started = Instant::now();
        while rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            if started.elapsed() >= wait {
                return Err(StoreError::Locked { path });
            }
            std::thread::sleep(LOCK_POLL);
        }
        let writer = Writer::with(store, Arc::new(Lock { _file: file, generation: Mutex::new(()) }))?;
        writer.recover()?;
        Ok(writer)
    }

    fn with(store: &Store, lock: Arc<Lock>) -> Result<Writer, StoreError> {
        Ok(Writer { store: store.clone(), register: Register::open(&store.register_path())?, lock })
    }

    /// Sweeps what an interrupted writer left, erases what it was to erase, and tells the register of versions that it
    /// renamed but did not record.
    fn recover(&self) -> Result<(), StoreError> {
        let layers = self.store.root.join("layers");
        for layer in fs::read_dir(&layers).map_err(fault(&layers))?.flatten() {
            let Some(id) = layer.file_name().to_str().and_then(|name| LayerId::new(name).ok()) else { continue };
            let known = self.register.versions(&id, None)?;
            for entry in fs::read_dir(layer.path()).map_err(fault(&layer.path()))?.flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                if name.starts_with(STAGING) || name.starts_with(ERASED) {
                    fs::remove_dir_all(entry.path()).map_err(fault(&entry.path()))?;
                } else if name.starts_with("current.new-") {
                    fs::remove_file(entry.path()).map_err(fault(&entry.path()))?;
                } else if let Ok(version) = Version::try_from(name) {
                    match known.iter().find(|entry| entry.version == version) {
                        Some(entry) if entry.purged => self.erase(&id, &version)?,
                        Some(_) => {}
                        None => {
                            let manifest = self.store.manifest(&id, &version)?;
                            self.register.add_version(&id, &version, &manifest.published, manifest.layer.features)?;
                        }
                    }
                }
            }
            self.sweep_styles(&id)?;
            if !known.is_empty() && known.iter().all(|entry| entry.purged) && self.store.styles_folder(&id).is_dir() {
                self.erase_styles(&id)?;
            }
        }
        Ok(())
    }

    /// Starts a version. `layer.features`, `extent` and `interval` are filled by `finish`. `is_keyed`: the source's own row ids
    /// are the features' ids for ever.
    ///
    /// # Errors
    /// `Io`.
    pub fn begin(&self, layer: Layer, is_keyed: bool) -> Result<LayerWriter, StoreError> {
        LayerWriter::begin(&self.store, self.lock.clone(), layer, is_keyed)
    }

    /// Starts a version that is an archive of tiles alone: a copy of it as `{id}.pmtiles`.
    ///
    /// # Errors
    /// `Io`.
    pub fn stage_tileset(&self, layer: Layer, archive: &Path) -> Result<Staged, StoreError> {
        Staged::of_tileset(&self.store, self.lock.clone(), layer, archive)
    }

    /// Makes another kept version the served one.
    ///
    /// # Errors
    /// `NoSuchVersion`.
    pub fn switch(&self, layer: &LayerId, version: &Version, now: &str) -> Result<(), StoreError> {
        self.store.manifest(layer, version)?;
        self.register.remember(layer, now, &format!("retour à la version {version}"))?;
        self.lock.point(&self.store, layer, version)
    }

    /// # Errors
    /// `Io`, `Sqlite`.
    pub fn set_state(&self, layer: &LayerId, state: LayerState, now: &str) -> Result<(), StoreError> {
        let before = self.register.layers()?.into_iter().find(|(id, _)| id == layer).map(|(_, state)| state);
        if before == Some(state) {
            return Ok(());
        }
        let what = match state {
            LayerState::Published => "mise en service",
            LayerState::Withdrawn => "retrait",
            LayerState::Quarantined => "mise en quarantaine",
            LayerState::Gone => "suppression définitive",
        };
        self.register.set_state(layer, state)?;
        self.register.remember(layer, now, what)?;
        self.lock.bump(&self.store)
    }

    /// Erases the bytes of one version, or of all. The register keeps that it happened. A layer whose served version is
    /// erased answers no more until another is published or rolled back to; without any version left it is gone.
    ///
    /// # Errors
    /// `NoSuchVersion`, `Io`.
    pub fn purge(&self, layer: &LayerId, version: Option<&Version>, now: &str) -> Result<(), StoreError> {
        let versions = self.store.versions(layer)?;
        let chosen: Vec<_> =
            versions.iter().filter(|entry| !entry.purged && version.is_none_or(|version| entry.version == *version)).collect();
        if let Some(version) = version.filter(|_| chosen.is_empty()) {
            return Err(StoreError::NoSuchVersion { layer: layer.clone(), version: version.clone() });
        }
        // First off every address, then erased.
        if chosen.iter().any(|entry| entry.current) {
            let pointer = self.store.layer_folder(layer).join("current");
            fs::remove_file(&pointer).map_err(fault(&pointer))?;
        }
        for entry in &chosen {
            self.register.set_purged(layer, &entry.version)?;
            self.register.remember(layer, now, &format!("effacement de la version {}", entry.version))?;
            self.erase(layer, &entry.version)?;
        }
        if versions.iter().all(|entry| entry.purged || chosen.iter().any(|gone| gone.version == entry.version)) {
            self.register.set_state(layer, LayerState::Gone)?;
            self.erase_styles(layer)?;
        }
        self.lock.bump(&self.store)
    }

    /// Deletes versions beyond the `keep` newest; never the current one, nor one that was served a moment ago: somebody may
    /// be reading it still. `now`: RFC 3339 UTC.
    ///
    /// # Errors
    /// `Io`.
    pub fn prune(&self, layer: &LayerId, keep: usize, now: &str) -> Result<(), StoreError> {
        let versions: Vec<_> = self.store.versions(layer)?.into_iter().filter(|entry| !entry.purged).collect();
        for pair in versions.windows(2).skip(keep.max(1) - 1) {
            let [newer, entry] = pair else { continue };
            if !entry.current && !is_recent(&newer.published, now) {
                self.register.forget_version(layer, &entry.version)?;
                self.erase(layer, &entry.version)?;
            }
        }
        Ok(())
    }

    fn erase(&self, layer: &LayerId, version: &Version) -> Result<(), StoreError> {
        let folder = self.store.layer_folder(layer);
        let (there, erased) = (folder.join(version.as_str()), folder.join(format!("{ERASED}{version}")));
        if there.is_dir() {
            fs::rename(&there, &erased).map_err(fault(&there))?;
            fs::remove_dir_all(&erased).map_err(fault(&erased))?;
            disk::sync_folder(&folder)?;
        }
        Ok(())
    }

    /// A small text kept for a layer (the source's fingerprint, the last report): `None` forgets it.
    ///
    /// # Errors
    /// `Sqlite`.
    pub fn note(&self, layer: &LayerId, key: &str, value: Option<&str>) -> Result<(), StoreError> {
        self.register.set_note(layer, key, value)?;
        if [crate::store::REVISION, crate::store::LIVE, crate::store::STYLE].contains(&key) { self.lock.bump(&self.store) } else { Ok(()) }
    }
}
