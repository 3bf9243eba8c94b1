//! Reads a source once: every check sees every row, and the columns that go out reach the store.

use std::path::Path;

use anyhow::bail;

use crate::check::Context;
use crate::check::Examination;
use crate::check::suspected_columns;
use crate::config::LayerFile;
use crate::config::Mode;
use crate::config::SourceRef;
use crate::config::TableRef;
use crate::live;
use crate::live::LiveSource;
use crate::model::crs::CRS84;
use crate::model::crs::Crs;
use crate::model::crs::WEB_MERCATOR;
use crate::model::finding::Finding;
use crate::model::layer::Field;
use crate::model::layer::IdKind;
use crate::model::layer::Layer;
use crate::model::reading::ClaimedCrs;
use crate::model::reading::Outcome as ReadOutcome;
use crate::model::reading::ReadOptions;
use crate::model::reading::SourceLayer;
use crate::model::record::Record;
use crate::model::tiling::Tiling;
use crate::publish::NOTE_DRAFTED;
use crate::publish::Progress;
use crate::publish::Publisher;
use crate::publish::ahead;
use crate::publish::choice;
use crate::publish::choice::Choice;
use crate::publish::normalise;
use crate::publish::record;
use crate::publish::report::LayerReport;
use crate::publish::report::Outcome;
use crate::publish::report::grouped;
use crate::publish::style;
use crate::publish::style::Chosen;
use crate::publish::tileset_source::TilesetSource;
use crate::publish::tileset_source::is_tileset;
use crate::query::cql2_text;
use crate::source::OpenSource;
use crate::source::Reading;
use crate::store::LayerWriter;
use crate::store::Writer;

/// A source that was read to its end.
pub struct Examined {
    pub source: SourceLayer,
    /// Of a layer that its table answers: what the register is to keep.
    pub live: Option<LiveSource>,
    pub crs: Option<Crs>,
    pub outcome: ReadOutcome,
    /// Rows that `where` chose, where it is written.
    pub chosen: Option<u64>,
    pub findings: Vec<Finding>,
    pub style: Chosen,
    pub record: Record,
    /// With every row written; `None` on `check`, or where the CRS is not known.
    pub writer: Option<LayerWriter>,
    /// Of a source that is tiles: the layer, and the archive to publish.
    pub tileset: Option<(Layer, TilesetSource)>,
}

/// Reads, checks, and writes into a new version where a writer is given.
///
/// # Errors
/// The source is away or cannot be read, or the store cannot be written.
pub fn examine(publisher: &Publisher, file: &LayerFile, writer: Option<&Writer>, progress: Progress<'_>) -> anyhow::Result<Examined> {
    let (producer, folder_crs) = publisher.site.producer_of(file);
    let options = ReadOptions { encoding: file.encoding.clone(), table: file.table.clone(), crs: file.crs };
    progress(file.id.as_str(), "lecture", 0);
    let mut opened = match &file.source {
        SourceRef::File(path) if is_tileset(Path::new(path)) => return examine_tileset(publisher, file, Path::new(path)),
        SourceRef::File(path) => publisher.source.open(&publisher.site.depot.join(path), &options, file.layer.as_deref())?,
        SourceRef::Table(table) => publisher.source.open_table(&table.service, &table.schema, &table.name)?,
    };
    let source = opened.layer(file.layer.as_deref(), "layer = \"…\"")?;
    let live = live_source(file, &opened, &source)?;
    let crs = applied_crs(&source, file);
    let record = record::record_of(&publisher.site, file, &source, producer);
    let kept = normalise::kept_columns(&source, file);
    let layer = layer_of(file, &source, crs, &record, &kept)?;
    let style = style::choose(publisher, file, &mut opened, &source, &layer);
    let listed = listed(file);
    let before = served_before(publisher, file);
    let listed_unsuspected = listed_unsuspected(publisher, file)?;
    let context = Context {
        layer_id: file.id.as_str(),
        source: &source,
        crs,
        declared_crs: file.crs,
        likely_crs: folder_crs.or(publisher.site.crs),
        territory: publisher.territory(),
        listed: listed.as_deref(),
        left_out: &file.left_out,
        id_field: file.id_field.as_deref(),
        record: Some(&record),
        fields_before: before.as_ref().map(|layer| layer.fields.as_slice()),
        features_before: before.as_ref().map(|layer| layer.features),
        listed_unsuspected: &listed_unsuspected,
        ignored: &file.ignored_checks,
    };
    // Without a CRS nothing can be written; the reading goes on for the sake of the report.
    let writable = source.geometry.is_none() || crs.is_some();
    let layer_writer = writer.filter(|_| writable).map(|writer| writer.begin(layer, source.is_keyed)).transpose()?;
    let columns: Vec<usize> = kept.iter().map(|(column, _)| *column).collect();
    let choice = file.rows.clone().map(|rows| Choice::of(rows, &source)).transpose()?;
    let reading = opened.read(&source)?;
    let pass = Pass { examination: Examination::begin(&context), writer: layer_writer, columns, choice, chosen: 0, crs };
    let Passed { outcome, chosen, findings, writer } = pass.run(reading, &|rows| progress(file.id.as_str(), "lecture", rows))?;
    let writer = writer.filter(|_| !findings.iter().any(|finding| finding.severity.holds()));
    Ok(Examined { live, crs, outcome, chosen, findings, style, record, writer, tileset: None, source })
}

/// Columns under `[fields]`; `None` where every column goes out.
fn listed(file: &LayerFile) -> Option<Vec<String>> {
    file.fields.as_ref().map(|fields| fields.iter().map(|(name, _)| name.clone()).collect())
}

/// Of tiles nothing is read but what they say of themselves.
fn examine_tileset(publisher: &Publisher, file: &LayerFile, path: &Path) -> anyhow::Result<Examined> {
    let tileset = TilesetSource::open(&publisher.site.depot.join(path), &publisher.source.scratch)?;
    let source = tileset.described.clone();
    let (producer, _) = publisher.site.producer_of(file);
    let record = record::record_of(&publisher.site, file, &source, producer);
    let kept = normalise::kept_columns(&source, file);
    let extent = Some(tileset.extent).filter(|extent| !extent.is_nothing()).map(|extent| extent.rounded_outward(6));
    let (min_zoom, max_zoom) = tileset.zooms;
    let tiling = Tiling { min_zoom: Some(min_zoom), max_zoom, ..Tiling::default() };
    let layer = Layer { extent, tiling, is_tileset: true, ..layer_of(file, &source, Some(WEB_MERCATOR), &record, &kept)? };
    let listed = listed(file);
    let before = served_before(publisher, file);
    let listed_unsuspected = listed_unsuspected(publisher, file)?;
    let context = Context {
        layer_id: file.id.as_str(),
        source: &source,
        crs: Some(WEB_MERCATOR),
        declared_crs: file.crs,
        likely_crs: None,
        territory: publisher.territory(),
        listed: listed.as_deref(),
        left_out: &file.left_out,
        id_field: None,
        record: Some(&record),
        fields_before: before.as_ref().map(|layer| layer.fields.as_slice()),
        features_before: None,
        listed_unsuspected: &listed_unsuspected,
        ignored: &file.ignored_checks,
    };
    let outcome = ReadOutcome::default();
    let findings = Examination::begin(&context).finish(&outcome);
    Ok(Examined {
        live: None,
        crs: Some(WEB_MERCATOR),
        outcome,
        chosen: None,
        findings,
        record,
        writer: None,
        tileset: Some((layer, tileset)),
        style: Chosen::default(),
        source,
    })
}

/// # Errors
/// In French: why the table cannot answer.
fn live_source(file: &LayerFile, opened: &OpenSource, source: &SourceLayer) -> anyhow::Result<Option<LiveSource>> {
    let (SourceRef::Table(TableRef { service, mode: Mode::Live, .. }), Some(table)) = (&file.source, opened.table()) else {
        return Ok(None);
    };
    if let Some(obstacle) = live::obstacle(table, file.id_field.is_some()) {
        bail!("mode = \"live\" : {obstacle}");
    }
    let rows = file.rows.clone().map(|rows| cql2_text::write(&choice::safely_named(rows, source)));
    Ok(Some(LiveSource { service: service.clone(), table: table.clone(), fields: source.fields.clone(), rows, closed: None }))
}

/// One reading from its first row to its last.
struct Pass<'a> {
    examination: Examination<'a>,
    writer: Option<LayerWriter>,
    /// Places of the columns that go out.
    columns: Vec<usize>,
    choice: Option<Choice>,
    /// Rows that were chosen so far.
    chosen: u64,
    crs: Option<Crs>,
}

impl Pass<'_> {
    fn run(mut self, mut reading: Reading, progress: &dyn Fn(u64)) -> anyhow::Result<Passed> {
        let mut rows = 0u64;
        let mut lost_rows = Vec::new();
        let crs = self.crs;
        ahead::moved(&mut reading, crs, CRS84, |batches| {
            for moved in batches {
                let (batch, lost) = moved?;
                lost_rows.extend(lost.into_iter().map(|row| rows + row as u64 + 1));
                // Checks see every row: what they say of a row counts from the file's first.
                self.examination.see(&batch);
                rows += batch.rows() as u64;
                progress(rows);
                let batch = self.choice.as_ref().map_or(batch.clone(), |choice| choice.rows(&batch));
                self.chosen += batch.rows() as u64;
                if let Some(writer) = &mut self.writer {
                    writer.write(&batch.project(&self.columns))?;
                }
            }
            anyhow::Ok(())
        })?;
        let mut outcome = reading.finish()?;
        for row in lost_rows {
            outcome.note_unusable(row);
        }
        let chosen = self.choice.is_some().then_some(self.chosen);
        let findings = self.examination.finish(&outcome);
        Ok(Passed { outcome, chosen, findings, writer: self.writer })
    }
}

/// What a reading left behind.
struct Passed {
    outcome: ReadOutcome,
    chosen: Option<u64>,
    findings: Vec<Finding>,
    writer: Option<LayerWriter>,
}

impl Examined {
    pub fn is_held(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity.holds())
    }

    pub fn report(&self, file: &LayerFile) -> LayerReport {
        let outcome = if self.is_held() { Outcome::Held } else { Outcome::Ready };
        LayerReport {
            title: Some(self.record.title.clone()),
            features: Some(self.outcome.rows_read).filter(|_| !self.source.is_tileset),
            geometry: self.source.geometry.map(|geometry| geometry.geometry_type.name().to_owned()),
            crs: self.crs.map(|crs| crs.to_string()),
            encoding: self.source.encoding.as_ref().map(|evidence| evidence.used.clone()),
            findings: self.findings.clone(),
            notes: self
                .chosen
                .map(|chosen| chosen_note(chosen, self.outcome.rows_read))
                .into_iter()
                .chain(self.style.notes.clone())
                .collect(),
            ..LayerReport::waiting(file, outcome)
        }
    }
}

fn chosen_note(chosen: u64, read: u64) -> String {
    let (verb, plural) = if chosen < 2 { ("sort", "") } else { ("sortent", "s") };
    format!("where : {} ligne{plural} sur {} {verb}", grouped(chosen), grouped(read))
}

/// The file's own word, else the officer's. A table needs none.
fn applied_crs(source: &SourceLayer, file: &LayerFile) -> Option<Crs> {
    match &source.crs {
        ClaimedCrs::Known(crs) => Some(*crs),
        ClaimedCrs::Unknown(_) | ClaimedCrs::Missing => file.crs,
        ClaimedCrs::NotApplicable => None,
    }
}

fn layer_of(file: &LayerFile, source: &SourceLayer, crs: Option<Crs>, record: &Record, kept: &[(usize, Field)]) -> anyhow::Result<Layer> {
    let fields: Vec<Field> = kept.iter().map(|(_, field)| field.clone()).collect();
    let named =
        |wanted: &str| fields.iter().find(|field| field.name == wanted || field.source_name == wanted).map(|field| field.name.clone());
    let id_field = file.id_field.as_deref().and_then(named);
    let importance = file.tiling.importance.as_deref();
    if let Some(missing) = importance.filter(|wanted| named(wanted).is_none()) {
        bail!("[tiles] importance = \"{missing}\" : aucune colonne publiée de ce nom");
    }
    let tiling = Tiling {
        importance: importance.and_then(named),
        fields_from: file.tiling.fields_from.iter().filter_map(|(wanted, zoom)| Some((named(wanted)?, *zoom))).collect(),
        ..file.tiling
    };
    Ok(Layer {
        id: file.id.clone(),
        title: record.title.clone(),
        description: record.description.clone(),
        geometry: source.geometry,
        crs: crs.unwrap_or(CRS84),
        id_kind: if id_field.is_some() { IdKind::Text } else { IdKind::Integer },
        id_field,
        time_fields: file.time.iter().filter_map(|wanted| named(wanted)).collect(),
        fields,
        features: 0,
        extent: None,
        interval: None,
        tiling,
        is_tileset: false,
    })
}

/// What `bocage add` listed by itself, without the columns that were published with evidence of persons since: those the
/// officer confirmed.
fn listed_unsuspected(publisher: &Publisher, file: &LayerFile) -> anyhow::Result<Vec<String>> {
    let drafted = publisher.store.note(&file.id, NOTE_DRAFTED)?.and_then(|text| serde_json::from_str::<Vec<String>>(&text).ok());
    let known = publisher.last_report(&file.id)?.map(|report| suspected_columns(&report.findings)).unwrap_or_default();
    let is_known = |column: &String| known.iter().any(|(suspected, _)| suspected == column);
    Ok(drafted.unwrap_or_default().into_iter().filter(|column| !is_known(column)).collect())
}

fn served_before(publisher: &Publisher, file: &LayerFile) -> Option<Layer> {
    let version = publisher.current(&file.id).ok()??;
    publisher.store.manifest(&file.id, &version).ok().map(|manifest| manifest.layer)
}
