//! What is published, and the time machine: `accept`, `list`, `versions`, `rollback`, `withdraw`, `restore-layer`,
//! `quarantine`, `purge`.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use anyhow::bail;
use clap::Args;
use jiff::Timestamp;

use crate::cli::publish::chosen;
use crate::config::DeclaredState;
use crate::config::edit;
use crate::model::layer::LayerId;
use crate::model::version::Version;
use crate::publish::Publisher;
use crate::publish::report::grouped;
use crate::store::LayerState;
use crate::store::VersionEntry;
use crate::store::Writer;

/// A switch waits for a publication that is under way, and not for ever.
const LOCK_WAIT: Duration = Duration::from_secs(60);

fn now() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn writer(publisher: &Publisher) -> anyhow::Result<Writer> {
    Ok(publisher.store.writer(LOCK_WAIT)?)
}

/// An id of a layer that was published once.
fn known(publisher: &Publisher, name: &str) -> anyhow::Result<LayerId> {
    let layers = publisher.store.layers()?;
    let found = layers.iter().find(|(id, _, _)| id.as_str() == name).map(|(id, _, _)| id.clone());
    let names: Vec<&str> = layers.iter().map(|(id, _, _)| id.as_str()).collect();
    found.with_context(|| format!("aucune couche publiée ne s'appelle « {name} » ; couches : {}", names.join(", ")))
}

/// Writes the state into the layer's file too, where it has one, so that the next publication agrees.
fn declare(publisher: &Publisher, id: &LayerId, state: DeclaredState) -> anyhow::Result<()> {
    let files = publisher.site.layer_files()?;
    if let Some(file) = files.into_iter().flatten().find(|file| file.id == *id) {
        edit::set_state(&file.path, state)?;
    }
    Ok(())
}

#[derive(Args)]
pub struct Accept {
    /// Des couches proposées, par leur nom
    #[arg(required = true)]
    layers: Vec<String>,
}

impl Accept {
    pub fn run(&self, publisher: &Publisher) -> anyhow::Result<ExitCode> {
        for file in chosen(publisher, &self.layers)? {
            edit::set_state(&file.path, DeclaredState::Published)?;
            super::say(&format!("{} : acceptée, « bocage publish {0} » la publie", file.id))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

#[derive(Args)]
pub struct List {
    /// Pour machines
    #[arg(long)]
    json: bool,
}

impl List {
    pub fn run(&self, publisher: &Publisher) -> anyhow::Result<ExitCode> {
        let mut rows = Vec::new();
        for (id, state, version) in publisher.store.layers()? {
            let manifest = version.as_ref().and_then(|version| publisher.store.manifest(&id, version).ok());
            if self.json {
                let title = manifest.as_ref().map(|manifest| manifest.layer.title.clone());
                let features = manifest.as_ref().map(|manifest| manifest.layer.features);
                rows.push(serde_json::json!({ "id": id, "state": state, "version": version, "title": title, "features": features }));
                continue;
            }
            let state = match state {
                LayerState::Published => "publiée",
                LayerState::Withdrawn => "retirée",
                LayerState::Quarantined => "en quarantaine",
                LayerState::Gone => "supprimée",
            };
            let version = version.map(|version| version.to_string()).unwrap_or_default();
            let said = manifest
                .map(|manifest| format!("{} objets, {}", grouped(manifest.layer.features), manifest.layer.title))
                .unwrap_or_default();
            super::say(&format!("{id}  {state}  {version}  {said}"))?;
        }
        if self.json {
            super::say(&serde_json::to_string_pretty(&rows)?)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

#[derive(Args)]
pub struct Versions {
    layer: String,
    /// Pour machines
    #[arg(long)]
    json: bool,
}

impl Versions {
    pub fn run(&self, publisher: &Publisher) -> anyhow::Result<ExitCode> {
        let versions = publisher.store.versions(&known(publisher, &self.layer)?)?;
        if self.json {
            super::say(&serde_json::to_string_pretty(&versions)?)?;
            return Ok(ExitCode::SUCCESS);
        }
        for entry in versions {
            let mark = match (entry.current, entry.purged) {
                (true, _) => "servie",
                (_, true) => "effacée",
                _ => "",
            };
            super::say(&format!("{}  {}  {} objets  {mark}", entry.version, entry.published, grouped(entry.features)))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

#[derive(Args)]
pub struct Rollback {
    layer: String,
    /// La version à remettre en service ; sans elle, celle d'avant
    #[arg(long)]
    to: Option<String>,
}

impl Rollback {
    pub fn run(&self, publisher: &Publisher) -> anyhow::Result<ExitCode> {
        let id = known(publisher, &self.layer)?;
        let writer = writer(publisher)?;
        let versions = publisher.store.versions(&id)?;
        let version = match &self.to {
            Some(text) => Version::try_from(text.clone())?,
            None => before(&versions).with_context(|| format!("« {id} » n'a pas de version plus ancienne"))?,
        };
        if versions.iter().any(|entry| entry.version == version && entry.purged) {
            bail!("la version {version} de « {id} » a été effacée");
        }
        writer.switch(&id, &version, &now())?;
        super::say(&format!("{id} : version {version} remise en service ; la source sera publiée de nouveau quand elle changera"))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The newest version older than the one being served.
fn before(versions: &[VersionEntry]) -> Option<Version> {
    let current = versions.iter().position(|entry| entry.current).map_or(0, |at| at + 1);
    versions.iter().skip(current).find(|entry| !entry.purged).map(|entry| entry.version.clone())
}

#[derive(Args)]
pub struct Withdraw {
    layer: String,
}

impl Withdraw {
    pub fn run(&self, publisher: &Publisher) -> anyhow::Result<ExitCode> {
        let id = known(publisher, &self.layer)?;
        writer(publisher)?.set_state(&id, LayerState::Withdrawn, &now())?;
        declare(publisher, &id, DeclaredState::Withdrawn)?;
        super::say(&format!("{id} : retirée ; « bocage restore-layer {id} » la remet en service"))?;
        Ok(ExitCode::SUCCESS)
    }
}

#[derive(Args)]
pub struct RestoreLayer {
    layer: String,
}

impl RestoreLayer {
    pub fn run(&self, publisher: &Publisher) -> anyhow::Result<ExitCode> {
        let id = known(publisher, &self.layer)?;
        let gone = publisher.store.layers()?.iter().any(|(known, state, _)| *known == id && *state == LayerState::Gone);
        if gone {
            bail!("« {id} » a été effacée ; « bocage publish {id} » la publie à nouveau depuis sa source");
        }
        writer(publisher)?.set_state(&id, LayerState::Published, &now())?;
        declare(publisher, &id, DeclaredState::Published)?;
        super::say(&format!("{id} : remise en service"))?;
        Ok(ExitCode::SUCCESS)
    }
}

#[derive(Args)]
pub struct Quarantine {
    layer: String,
}

impl Quarantine {
    pub fn run(&self, publisher: &Publisher) -> anyhow::Result<ExitCode> {
        let id = known(publisher, &self.layer)?;
        writer(publisher)?.set_state(&id, LayerState::Quarantined, &now())?;
        super::say(&format!("{id} : en quarantaine, plus aucune adresse ne la donne ; « bocage restore-layer {id} » la remet en service"))?;
        Ok(ExitCode::SUCCESS)
    }
}

#[derive(Args)]
pub struct Purge {
    layer: String,
    /// Une seule version ; toutes si rien n'est dit
    #[arg(long)]
    version: Option<String>,
}

impl Purge {
    pub fn run(&self, publisher: &Publisher) -> anyhow::Result<ExitCode> {
        let id = known(publisher, &self.layer)?;
        let version = self.version.clone().map(Version::try_from).transpose()?;
        writer(publisher)?.purge(&id, version.as_ref(), &now())?;
        let what = version.map_or_else(|| "toutes les versions effacées".to_owned(), |version| format!("version {version} effacée"));
        super::say(&format!("{id} : {what} ; le registre garde que cela a eu lieu"))?;
        Ok(ExitCode::SUCCESS)
    }
}
