//! A version being written, and the step that makes it the one being served.

use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::Array;
use sha2::Digest;
use sha2::Sha256;

use crate::geopackage::GeoPackageError;
use crate::geopackage::writer::GeoPackageWriter;
use crate::geopackage::writer::NewRow;
use crate::geopackage::writer::TableSpec;
use crate::model::batch::FeatureBatch;
use crate::model::crs::WGS_84;
use crate::model::feature::Value;
use crate::model::geometry::Envelope;
use crate::model::layer::FieldType;
use crate::model::layer::IdKind;
use crate::model::layer::Layer;
use crate::model::record::Record;
use crate::model::version::Version;
use crate::store::FORMAT;
use crate::store::Manifest;
use crate::store::ManifestFile;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::VersionEntry;
use crate::store::boxes;
use crate::store::disk;
use crate::store::disk::fault;
use crate::store::identify::Ids;
use crate::store::reader::BOXES;
use crate::store::reader::ID_COLUMN;
use crate::store::register::Register;
use crate::store::scan::Scan;
use crate::store::scan::scan;
use crate::store::spool;
use crate::store::spool::Key;
use crate::store::spool::Records;
use crate::store::spool::Spool;
use crate::store::writer;
use crate::store::writer::Lock;

/// Layers below this are read whole in less than a millisecond.
const INDEXED_FEATURES_MIN: u64 = 10_000;

/// Bytes of a text in the middle: names and codes, not sentences.
const INDEXED_BYTES_MAX: u64 = 64;

/// A folder that vanishes with its owner unless it was renamed away.
struct Staging(PathBuf);

impl Staging {
    fn begin(store: &Store, layer: &Layer) -> Result<Staging, StoreError> {
        let folder = store.layer_folder(&layer.id).join(format!("{}{}", writer::STAGING, std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).map_err(fault(&folder))?;
        Ok(Staging(folder))
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A version being written: any number of batches, then `finish`.
pub struct LayerWriter {
    store: Store,
    lock: Arc<Lock>,
    layer: Layer,
    is_keyed: bool,
    staging: Staging,
    spool: Spool,
    /// Least and greatest time, in the order of text, which RFC 3339 shares with time.
    interval: (Option<String>, Option<String>),
}

impl LayerWriter {
    pub(super) fn begin(store: &Store, lock: Arc<Lock>, layer: Layer, is_keyed: bool) -> Result<LayerWriter, StoreError> {
        let staging = Staging::begin(store, &layer)?;
        let spool = Spool::create(&staging.0.join("spool"))?;
        Ok(LayerWriter { store: store.clone(), lock, layer, is_keyed, staging, spool, interval: (None, None) })
    }

    /// Columns as `layer.fields`, geometry lon, lat unrounded. `batch.ids` are the source's own row ids (may be null).
    ///
    /// # Errors
    /// `Io`.
    pub fn write(&mut self, batch: &FeatureBatch) -> Result<(), StoreError> {
        for (at, field) in self.layer.fields.iter().enumerate().filter(|(_, field)| self.layer.time_fields.contains(&field.name)) {
            if !matches!(field.field_type, FieldType::Date | FieldType::DateTime) || batch.columns[at].1.is_empty() {
                continue;
            }
            for row in 0..batch.rows() {
                if let Value::Date(time) | Value::DateTime(time) = batch.value(row, at) {
                    if self.interval.0.as_deref().is_none_or(|least| time < least) {
                        self.interval.0 = Some(time.to_owned());
                    }
                    if self.interval.1.as_deref().is_none_or(|greatest| time > greatest) {
                        self.interval.1 = Some(time.to_owned());
                    }
                }
            }
        }
        self.spool.write(batch).map_err(fault(&self.staging.0))
    }

    /// Issues feature ids, sorts along Hilbert's curve, writes `data.gpkg` with a bulk R*Tree. Ties in every step are
    /// broken by the order of rows, so equal input gives equal bytes.
    ///
    /// # Errors
    /// `Io`, `Sqlite`, `DuplicateId`.
    pub fn finish(self) -> Result<Staged, StoreError> {
        let LayerWriter { store, lock, mut layer, is_keyed, staging, spool, interval } = self;
        let extent = spool.extent;
        let (records, keys) = spool.finish().map_err(fault(&staging.0))?;
        layer.features = keys.len() as u64;
        // Six decimals: a decimetre, outward, so that no feature falls out of its own layer's box.
        layer.extent = (!extent.is_nothing()).then(|| extent.rounded_outward(6));
        layer.interval = (!layer.time_fields.is_empty() && interval.0.is_some()).then_some(interval);
        let mut ids = Ids::read(&ids_path(&store, &layer))?;
        let numbers = if layer.id_kind == IdKind::Integer { ids.identify(&keys, is_keyed) } else { Vec::new() };
        let order = hilbert_order(&keys, &extent);
        let content = write_rows(&staging.0.join("data.gpkg"), &layer, &records, &keys, &numbers, &order)?;
        drop(records);
        let spool_path = staging.0.join("spool");
        fs::remove_file(&spool_path).map_err(fault(&spool_path))?;
        Ok(Staged { folder: staging.0.clone(), layer, store, lock, staging, ids, content })
    }
}

fn ids_path(store: &Store, layer: &Layer) -> PathBuf {
    store.root.join("ids").join(layer.id.as_str())
}

/// Rows in the store's order: along the curve; those without geometry last.
fn hilbert_order(keys: &[Key], extent: &Envelope) -> Vec<u32> {
    // 16 bits an axis: a department's cells are then three metres wide.
    let scale = f64::from(u16::MAX);
    let width = (extent.east - extent.west).max(f64::MIN_POSITIVE);
    let height = (extent.north - extent.south).max(f64::MIN_POSITIVE);
    let place = |key: &Key| {
        if key.centre.0.is_nan() {
            return u64::MAX;
        }
        let x = ((f64::from(key.centre.0) - extent.west) / width * scale).clamp(0.0, scale) as u32;
        let y = ((f64::from(key.centre.1) - extent.south) / height * scale).clamp(0.0, scale) as u32;
        fast_hilbert::xy2h(x, y, 16)
    };
    let mut order: Vec<(u64, u32)> = keys.iter().enumerate().map(|(row, key)| (place(key), row as u32)).collect();
    order.sort_unstable();
    order.into_iter().map(|(_, row)| row).collect()
}

/// Writes the rows and gives the hash of everything that makes a version what it is.
fn write_rows(path: &Path, layer: &Layer, records: &Records, keys: &[Key], numbers: &[i64], order: &[u32]) -> Result<Vec<u8>, StoreError> {
    let spec = TableSpec {
        table: layer.id.as_str(),
        identifier: layer.id.as_str(),
        description: "",
        fields: &layer.fields,
        geometry: layer.geometry,
        crs: WGS_84,
        srs_wkt: "",
        srs_name: "",
        // Equal content gives equal bytes: the date of publication stands in layer.json.
        last_change: Some("1970-01-01T00:00:00.000Z"),
        id_column: Some((ID_COLUMN, if layer.id_kind == IdKind::Integer { FieldType::Integer } else { FieldType::Text })),
    };
    let id_column = layer.id_field.as_ref().and_then(|name| layer.fields.iter().position(|field| field.name == *name));
    let mut hasher = Sha256::new();
    hasher.update(format!("{FORMAT} {} {:?}", layer.crs, layer.geometry));
    // Other tiles are another version: what lies under its address never changes.
    if layer.geometry.is_some() {
        hasher.update(format!(" {:?}", layer.tiling));
    }
    for field in &layer.fields {
        hasher.update(format!("\n{} {:?}", field.name, field.field_type));
    }
    let mut writer = GeoPackageWriter::create(path, &spec)?;
    let mut values = Vec::new();
    let mut text_bytes = vec![0; layer.fields.len()];
    for (at, row) in order.iter().enumerate() {
        let record = records.record(&keys[*row as usize]);
        let corrupt = || StoreError::Corrupt { path: path.to_owned(), reason: "un objet n'a pas pu être relu".to_owned() };
        let wkb = spool::decode(record, layer.fields.len(), &mut values).ok_or_else(corrupt)?;
        for (bytes, value) in text_bytes.iter_mut().zip(&values) {
            if let Value::Text(text) = value {
                *bytes += text.len() as u64;
            }
        }
        let text;
        let id = match (numbers.get(*row as usize), id_column) {
            (Some(number), _) => Value::Integer(*number),
            (None, Some(column)) => {
                text = id_text(values[column]).ok_or_else(|| StoreError::DuplicateId { layer: layer.id.clone(), id: String::new() })?;
                Value::Text(&text)
            }
            (None, None) => return Err(corrupt()),
        };
        if let Value::Integer(number) = id {
            hasher.update(number.to_le_bytes());
        }
        hasher.update((record.len() as u64).to_le_bytes());
        hasher.update(record);
        writer.write(&NewRow { fid: at as i64 + 1, id: Some(id), values: &values, wkb }).map_err(|error| duplicate(error, layer, id))?;
    }
    let entries = writer.finish(&indexed(layer, &text_bytes))?;
    let path = path.with_file_name(BOXES);
    boxes::write(&path, &entries).map_err(fault(&path))?;
    Ok(hasher.finalize().to_vec())
}

/// The columns that a question finds by an index: all that SQL compares as they lie. Not those that cut a layer in two, not
/// remarks. A million addresses take 0.4 s of CPU and 15 MB a column; without, each question reads every row, in 60 ms.
fn indexed<'a>(layer: &'a Layer, text_bytes: &[u64]) -> Vec<&'a str> {
    if layer.features < INDEXED_FEATURES_MIN {
        return Vec::new();
    }
    let is_short = |bytes: u64| bytes <= INDEXED_BYTES_MAX * layer.features;
    let fields = layer.fields.iter().zip(text_bytes).filter(|(field, bytes)| match field.field_type {
        FieldType::Boolean | FieldType::DateTime => false,
        FieldType::Text => is_short(**bytes),
        FieldType::Integer | FieldType::Real | FieldType::Date => true,
    });
    fields.map(|(field, _)| field.name.as_str()).collect()
}

/// The unique index speaks of the one thing that it holds.
fn duplicate(error: GeoPackageError, layer: &Layer, id: Value<'_>) -> StoreError {
    let code = match &error {
        GeoPackageError::Sqlite { source, .. } => source.sqlite_error_code(),
        GeoPackageError::Io { .. } => None,
    };
    match (code, id) {
        (Some(rusqlite::ErrorCode::ConstraintViolation), Value::Text(id)) => {
            StoreError::DuplicateId { layer: layer.id.clone(), id: id.to_owned() }
        }
        _ => error.into(),
    }
}

/// A declared field's value as text; `None` where there is none.
fn id_text(value: Value<'_>) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Text(text) | Value::Date(text) | Value::DateTime(text) => Some(text.to_owned()).filter(|text| !text.is_empty()),
        Value::Integer(value) => Some(value.to_string()),
        Value::Real(value) => Some(value.to_string()),
        Value::Boolean(value) => Some(value.to_string()),
    }
}

/// A version written but not yet served. Dropped: as if it had never been.
pub struct Staged {
    /// With features, extent and interval filled in.
    pub layer: Layer,
    /// Where the downloads are to be written.
    pub folder: PathBuf,
    store: Store,
    lock: Arc<Lock>,
    staging: Staging,
    ids: Ids,
    content: Vec<u8>,
}

impl Staged {
    pub(super) fn of_tileset(store: &Store, lock: Arc<Lock>, layer: Layer, archive: &Path) -> Result<Staged, StoreError> {
        let staging = Staging::begin(store, &layer)?;
        let path = staging.0.join(format!("{}.pmtiles", layer.id));
        fs::copy(archive, &path).map_err(fault(&path))?;
        let mut hasher = Sha256::new();
        hasher.update(format!("{FORMAT} tileset {}", disk::seal(&path)?.1));
        let ids = Ids::read(&ids_path(store, &layer))?;
        let content = hasher.finalize().to_vec();
        Ok(Staged { folder: staging.0.clone(), layer, store: store.clone(), lock, staging, ids, content })
    }

    /// Whether the version being served holds the same features, columns and format.
    ///
    /// # Errors
    /// `Io`, `Corrupt`.
    pub fn is_unchanged(&self) -> Result<bool, StoreError> {
        let current = self.store.current(&self.layer.id)?;
        let same = current.as_ref().filter(|current| current.content() == Version::new("00000000", &self.content).content());
        Ok(same.is_some_and(|current| self.store.manifest(&self.layer.id, current).is_ok()))
    }

    /// The erased version that held these same data.
    ///
    /// # Errors
    /// `Sqlite`.
    pub fn erased_before(&self) -> Result<Option<Version>, StoreError> {
        let content = Version::new("00000000", &self.content);
        let erased = |entry: &VersionEntry| entry.purged && entry.version.content() == content.content();
        Ok(self.store.versions(&self.layer.id)?.into_iter().find(erased).map(|entry| entry.version))
    }

    /// Every row, from the first; any number of times, also at once.
    ///
    /// # Errors
    /// `Corrupt`, also of a batch.
    pub fn batches(&self) -> Result<Scan, StoreError> {
        scan(&self.folder.join("data.gpkg"), &self.layer)
    }

    /// Writes hashes and `layer.json`, fsyncs, renames, tells the register, switches. `now` is RFC 3339 UTC.
    /// Each file is (name, media type, title) and lies in `folder`.
    ///
    /// The order makes every moment safe: the ids are written before anything that shows them; a folder without its register
    /// row is found by the next writer; a row without the switch is a version that was not served.
    ///
    /// # Errors
    /// `Io`, `Sqlite`; then nothing was switched.
    pub fn commit(self, record: Record, files: Vec<(String, String, String)>, now: &str) -> Result<Manifest, StoreError> {
        let id = self.layer.id.clone();
        let day: String = now.chars().filter(char::is_ascii_digit).take(8).collect();
        let version = Version::new(&day, &self.content);
        let final_folder = self.store.layer_folder(&id).join(version.as_str());
        let ids = ids_path(&self.store, &self.layer);
        fs::create_dir_all(self.store.root.join("ids")).map_err(fault(&ids))?;
        self.ids.write(&ids)?;
        let manifest = if final_folder.is_dir() {
            // The same data on the same day, after a rollback: it is here already, whole.
            self.store.manifest(&id, &version)?
        } else {
            let files = files.into_iter().map(|(name, media_type, title)| self.seal(name, media_type, title)).collect::<Result<_, _>>()?;
            let manifest = Manifest { layer: self.layer.clone(), record, version: version.clone(), published: now.to_owned(), files };
            let text = serde_json::to_vec_pretty(&manifest).map_err(|error| fault(&self.folder)(io::Error::other(error)))?;
            disk::replace(&self.folder.join("layer.json"), &text)?;
            self.sync_all()?;
            fs::rename(&self.staging.0, &final_folder).map_err(fault(&final_folder))?;
            disk::sync_folder(&self.store.layer_folder(&id))?;
            manifest
        };
        let register = Register::open(&self.store.register_path())?;
        register.add_version(&id, &version, now, self.layer.features)?;
        register.remember(&id, now, &format!("publication de la version {version}"))?;
        self.lock.point(&self.store, &id, &version)?;
        Ok(manifest)
    }

    fn seal(&self, name: String, media_type: String, title: String) -> Result<ManifestFile, StoreError> {
        let (bytes, sha256) = disk::seal(&self.folder.join(&name))?;
        // The form of sha256sum, so that `sha256sum -c` checks a download.
        let line = format!("{sha256}  {name}\n");
        let path = self.folder.join(format!("{name}.sha256"));
        fs::write(&path, line).map_err(fault(&path))?;
        Ok(ManifestFile { name, media_type, title, bytes, sha256 })
    }

    fn sync_all(&self) -> Result<(), StoreError> {
        for entry in fs::read_dir(&self.folder).map_err(fault(&self.folder))? {
            let path = entry.map_err(fault(&self.folder))?.path();
            fs::File::open(&path).and_then(|file| file.sync_all()).map_err(fault(&path))?;
        }
        disk::sync_folder(&self.folder)
    }
}
