//! `bocage add`: looks at files and writes a layer file for each layer in them.

use std::path::Component;
use std::path::Path;
use std::path::PathBuf;

use anyhow::Context as _;
use anyhow::bail;

use crate::check::suspected_columns;
use crate::config::DeclaredState;
use crate::config::LayerFile;
use crate::config::SourceRef;
use crate::config::TableRef;
use crate::config::draft::Draft;
use crate::config::draft::draft;
use crate::model::layer::Field;
use crate::model::layer::LayerId;
use crate::model::reading::ClaimedCrs;
use crate::model::reading::ReadOptions;
use crate::model::reading::SourceLayer;
use crate::model::tiling::Tiling;
use crate::publish::LOCK_WAIT;
use crate::publish::NOTE_DRAFTED;
use crate::publish::Progress;
use crate::publish::Publisher;
use crate::publish::report::LayerReport;
use crate::publish::report::Outcome;
use crate::publish::tileset_source::TilesetSource;
use crate::publish::tileset_source::is_tileset;

pub struct Added {
    pub report: LayerReport,
    /// The file that was written; `None` where the layer was known already or could not be read.
    pub written: Option<PathBuf>,
}

impl Publisher {
    /// Writes `layers/<id>.toml` for each layer of a file below the depot (`state = "published"`, or "proposed" by the watch).
    ///
    /// # Errors
    /// Where a layer file cannot be written, or `id` is given for a file of several layers.
    pub fn add(&self, path: &Path, id: Option<&LayerId>, proposed: bool, progress: Progress<'_>) -> anyhow::Result<Vec<Added>> {
        let source = self.below_depot(path)?;
        let layers = self.describe(&self.site.depot.join(&source))?;
        self.add_layers(&SourceRef::File(source.clone()), &source, &layers, id, proposed, progress)
    }

    /// Writes `layers/<id>.toml` for a table of a database.
    ///
    /// # Errors
    /// As [`Publisher::add`].
    pub fn add_table(&self, table: TableRef, id: Option<&LayerId>, progress: Progress<'_>) -> anyhow::Result<Vec<Added>> {
        let layers = self.source.open_table(&table.service, &table.schema, &table.name)?.layers();
        // A table is called after itself, and where that is taken after its schema too.
        let name = format!("{}/{}", table.schema, table.name.replace('.', "_"));
        self.add_layers(&SourceRef::Table(table), &name, &layers, id, false, progress)
    }

    fn add_layers(
        &self,
        source: &SourceRef,
        name: &str,
        layers: &[SourceLayer],
        id: Option<&LayerId>,
        proposed: bool,
        progress: Progress<'_>,
    ) -> anyhow::Result<Vec<Added>> {
        let known = self.known_files();
        if id.is_some() && layers.len() > 1 {
            bail!("--id ne convient pas : « {source} » contient {} couches", layers.len());
        }
        let mut taken: Vec<LayerId> = known.iter().map(|file| file.id.clone()).collect();
        let mut added = Vec::new();
        for layer in layers {
            let inner = (layers.len() > 1).then(|| layer.name.clone());
            let same = |file: &&LayerFile| {
                file.source == *source && (file.layer == inner || (inner.is_none() && file.layer.as_ref() == Some(&layer.name)))
            };
            if let Some(file) = known.iter().find(same) {
                added.push(Added { report: self.check(file, progress), written: None });
                continue;
            }
            let layer_id = match id {
                Some(id) if taken.contains(id) => bail!("la couche « {id} » existe déjà : choisissez un autre nom avec --id"),
                Some(id) => id.clone(),
                None => free_id(name, inner.as_deref(), &taken)
                    .with_context(|| format!("« {source} » : aucun nom de couche ne peut en être tiré ; donnez-en un avec --id"))?,
            };
            taken.push(layer_id.clone());
            added.push(self.add_layer(layer_id, source, inner, layer, proposed, progress)?);
        }
        Ok(added)
    }

    fn add_layer(
        &self,
        id: LayerId,
        source: &SourceRef,
        inner: Option<String>,
        layer: &SourceLayer,
        proposed: bool,
        progress: Progress<'_>,
    ) -> anyhow::Result<Added> {
        let state = if proposed { DeclaredState::Proposed } else { DeclaredState::Published };
        let path = self.site.root.join("layers").join(format!("{id}.toml"));
        let presumed = presumed(path.clone(), id.clone(), source.clone(), inner.clone(), state);
        let first = self.check(&presumed, progress);
        if first.outcome == Outcome::Failed {
            return Ok(Added { report: first, written: None });
        }
        let suspected = suspected_columns(&first.findings);
        let crs_lines: Vec<String> = match layer.crs {
            ClaimedCrs::Missing | ClaimedCrs::Unknown(_) => {
                first.findings.iter().flat_map(|finding| finding.remedies.iter()).filter(|line| line.starts_with("crs")).cloned().collect()
            }
            _ => Vec::new(),
        };
        let text = draft(&Draft {
            source,
            layer: inner.as_deref(),
            state,
            title: layer.title.as_deref(),
            description: layer.description.as_deref(),
            crs_lines: &crs_lines,
            crs_missing: matches!(layer.crs, ClaimedCrs::Missing | ClaimedCrs::Unknown(_)),
            fields: &layer.fields,
            suspected: &suspected,
        });
        let is_listed = |field: &&Field| !suspected.iter().any(|(column, _)| *column == field.source_name);
        let listed: Vec<&str> = layer.fields.iter().filter(is_listed).map(|field| field.source_name.as_str()).collect();
        self.store.writer(LOCK_WAIT)?.note(&id, NOTE_DRAFTED, Some(&serde_json::to_string(&listed)?))?;
        write_new(&path, &text)?;
        // Read back, so that the report speaks of what the officer now finds in the folder.
        let written = LayerFile::read(&path)?;
        Ok(Added { report: self.check(&written, progress), written: Some(path) })
    }

    /// Judges every layer of a file that no layer file names yet.
    pub fn check_path(&self, path: &Path, progress: Progress<'_>) -> Vec<LayerReport> {
        let source = path.to_string_lossy().into_owned();
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let named = |inner: Option<&str>| free_id(&source, inner, &[]).or_else(|| LayerId::new("couche").ok());
        match self.describe(&absolute) {
            Ok(layers) => layers
                .iter()
                .filter_map(|layer| {
                    let inner = (layers.len() > 1).then(|| layer.name.clone());
                    let id = named(inner.as_deref())?;
                    let file = presumed(
                        PathBuf::new(),
                        id,
                        SourceRef::File(absolute.to_string_lossy().into_owned()),
                        inner,
                        DeclaredState::Published,
                    );
                    Some(self.check(&file, progress))
                })
                .collect(),
            Err(error) => named(None)
                .map(|id| {
                    LayerReport::failed(
                        &presumed(PathBuf::new(), id, SourceRef::File(source.clone()), None, DeclaredState::Published),
                        &error,
                    )
                })
                .into_iter()
                .collect(),
        }
    }

    /// Layer files of an ad hoc site: each layer of each file under its own name where that is unique; every column goes out.
    ///
    /// # Errors
    /// Where a file cannot be described.
    pub fn ad_hoc_files(&self, paths: &[PathBuf]) -> anyhow::Result<Vec<LayerFile>> {
        let mut described = Vec::new();
        for path in paths {
            let absolute = std::path::absolute(path).with_context(|| path.display().to_string())?;
            for layer in self.describe(&absolute)? {
                described.push((absolute.clone(), layer.name));
            }
        }
        let own = |name: &str| LayerId::from_name(name);
        let mut files: Vec<LayerFile> = Vec::new();
        for (path, name) in &described {
            let unique = described.iter().filter(|(_, other)| own(other) == own(name)).count() == 1;
            let taken: Vec<LayerId> = files.iter().map(|file| file.id.clone()).collect();
            let source = path.to_string_lossy().into_owned();
            let id = own(name).filter(|id| unique && !taken.contains(id)).or_else(|| free_id(&source, Some(name), &taken));
            let id = id.with_context(|| format!("« {name} » ne donne aucun nom de couche"))?;
            files.push(presumed(PathBuf::new(), id, SourceRef::File(source), Some(name.clone()), DeclaredState::Published));
        }
        Ok(files)
    }

    /// The layers of a file; tiles are one.
    fn describe(&self, path: &Path) -> anyhow::Result<Vec<SourceLayer>> {
        if is_tileset(path) {
            return Ok(vec![TilesetSource::open(path, &self.source.scratch)?.described]);
        }
        Ok(self.source.describe(path, &ReadOptions::default())?)
    }

    fn known_files(&self) -> Vec<LayerFile> {
        self.site.layer_files().unwrap_or_default().into_iter().flatten().collect()
    }

    /// The path as layer files write it: relative to the depot, `/` separated. A path is tried from the current folder, then from the depot.
    fn below_depot(&self, path: &Path) -> anyhow::Result<String> {
        let depot = self.site.depot.canonicalize().with_context(|| format!("dépôt « {} »", self.site.depot.display()))?;
        let found = [path.to_owned(), depot.join(path)].into_iter().find_map(|path| path.canonicalize().ok());
        let found = found.with_context(|| format!("« {} » n'existe pas", path.display()))?;
        let Ok(below) = found.strip_prefix(&depot) else {
            bail!("« {} » n'est pas dans le dépôt : copiez-le d'abord sous « {} »", path.display(), depot.display());
        };
        let parts: Vec<String> = below
            .components()
            .filter_map(|part| if let Component::Normal(part) = part { Some(part.to_string_lossy().into_owned()) } else { None })
            .collect();
        Ok(parts.join("/"))
    }
}

/// A layer file that nobody wrote yet: every column, nothing said.
pub fn presumed(path: PathBuf, id: LayerId, source: SourceRef, layer: Option<String>, state: DeclaredState) -> LayerFile {
    LayerFile {
        path,
        id,
        source,
        layer,
        state,
        title: None,
        description: None,
        producer: None,
        theme: None,
        topic: None,
        keywords: Vec::new(),
        licence: None,
        frequency: None,
        lineage: None,
        origin: None,
        attribution: None,
        limits: None,
        aliases: Vec::new(),
        crs: None,
        encoding: None,
        table: None,
        id_field: None,
        time: Vec::new(),
        left_out: Vec::new(),
        rows: None,
        fields: None,
        ignored_checks: Vec::new(),
        tiling: Tiling::default(),
        reserved: std::collections::BTreeMap::new(),
    }
}

/// Stem alone for a file of one layer, else stem_layer; a collision takes the folder's name in front, then `_2`.
fn free_id(source: &str, inner: Option<&str>, taken: &[LayerId]) -> Option<LayerId> {
    let path = Path::new(source);
    let stem = path.file_stem()?.to_string_lossy();
    // `communes.shp.zip` is the layer `communes`.
    let stem = stem.strip_suffix(".shp").unwrap_or(&stem).to_owned();
    let name = match inner {
        Some(inner) => format!("{stem}_{inner}"),
        None => stem,
    };
    let plain = LayerId::from_name(&name)?;
    if !taken.contains(&plain) {
        return Some(plain);
    }
    let folder = path.parent().and_then(Path::file_name).map(|folder| folder.to_string_lossy().into_owned());
    let with_folder = folder.and_then(|folder| LayerId::from_name(&format!("{folder}_{name}"))).unwrap_or(plain);
    if !taken.contains(&with_folder) {
        return Some(with_folder);
    }
    // A folder holds far fewer files of one name than this.
    (2..10_000).filter_map(|n| LayerId::from_name(&format!("{with_folder}_{n}"))).find(|id| !taken.contains(id))
}

/// Never over a file that is there.
fn write_new(path: &Path, text: &str) -> anyhow::Result<()> {
    use std::io::Write;
    let mut file = std::fs::File::create_new(path).with_context(|| format!("« {} » ne peut pas être créé", path.display()))?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).with_context(|| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> LayerId {
        LayerId::new(text).expect("a valid id")
    }

    #[test]
    fn a_collision_takes_the_folder_in_front_then_a_number() {
        let mut taken = vec![id("communes")];
        assert_eq!(free_id("01_ADMIN/communes.shp", None, &taken), Some(id("l_01_admin_communes")));
        taken.push(id("l_01_admin_communes"));
        assert_eq!(free_id("01_ADMIN/communes.shp", None, &taken), Some(id("l_01_admin_communes_2")));
        assert_eq!(free_id("communes.shp", None, &taken), Some(id("communes_2")));
    }

    #[test]
    fn a_layer_of_several_has_the_stem_in_front() {
        assert_eq!(free_id("a/reseau.gpkg", Some("Conduites"), &[]), Some(id("reseau_conduites")));
        assert_eq!(free_id("communes.shp.zip", None, &[]), Some(id("communes")));
        assert_eq!(free_id("….shp", None, &[]), None);
    }
}
