//! `add`, `check`, `publish`.

use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use clap::Args;

use crate::cli::progress::Line;
use crate::config::LayerFile;
use crate::config::Mode;
use crate::config::Site;
use crate::config::SourceRef;
use crate::config::TableRef;
use crate::model::layer::LayerId;
use crate::publish::Publisher;
use crate::publish::report::LayerReport;

#[derive(Args)]
pub struct Add {
    /// Des fichiers du dépôt, des dossiers entiers, ou une base PostGIS : PG:service=…
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Une table ou une vue de la base ; à répéter s'il y en a plusieurs
    #[arg(long = "table", value_name = "SCHÉMA.TABLE")]
    tables: Vec<String>,
    /// La table répond elle-même aux questions, au lieu d'une version publiée
    #[arg(long, requires = "tables")]
    live: bool,
    /// Le nom de la couche, au lieu de celui du fichier
    #[arg(long)]
    id: Option<String>,
    /// Rapport pour machines
    #[arg(long)]
    json: bool,
}

impl Add {
    pub fn run(&self, publisher: &Publisher) -> anyhow::Result<ExitCode> {
        let id = self.id.as_deref().map(LayerId::new).transpose()?;
        let line = Line::new();
        let mut reports = Vec::new();
        let mut written = Vec::new();
        let mut refused = Vec::new();
        let tell_line = |layer: &str, step: &str, rows: u64| line.tell(layer, step, rows);
        let (bases, files): (Vec<PathBuf>, Vec<PathBuf>) =
            self.files.iter().cloned().partition(|file| file.to_string_lossy().starts_with("PG:"));
        if bases.is_empty() && !self.tables.is_empty() {
            bail!("--table demande une base : « bocage add PG:service=… --table {} »", self.tables[0]);
        }
        for base in bases {
            let base = base.to_string_lossy();
            for table in self.tables_of(publisher, &base)? {
                match publisher.add_table(table.clone(), id.as_ref(), &tell_line) {
                    Ok(added) => {
                        for added in added {
                            written.extend(added.written);
                            reports.push(added.report);
                        }
                    }
                    Err(error) => refused.push(format!("{} : {error:#}", SourceRef::Table(table))),
                }
            }
        }
        for file in sources(publisher, &files)? {
            match publisher.add(&file, id.as_ref(), false, &tell_line) {
                Ok(added) => {
                    for added in added {
                        written.extend(added.written);
                        reports.push(added.report);
                    }
                }
                Err(error) => refused.push(format!("{} : {error:#}", file.display())),
            }
        }
        drop(line);
        let code = tell(&reports, self.json)?;
        if !self.json {
            for path in &written {
                super::say(&format!("écrit : {}", path.display()))?;
            }
        }
        for refusal in &refused {
            eprintln!("refusé : {refusal}");
        }
        Ok(if refused.is_empty() { code } else { ExitCode::from(1) })
    }
}

impl Add {
    fn tables_of(&self, publisher: &Publisher, base: &str) -> anyhow::Result<Vec<TableRef>> {
        let mode = if self.live { Mode::Live } else { Mode::Snapshot };
        let named = |table: &String| TableRef::parse(base, table, mode).map_err(|reason| anyhow::anyhow!("« {base} » : {reason}"));
        if !self.tables.is_empty() {
            return self.tables.iter().map(named).collect();
        }
        let any = named(&"public.x".to_owned())?;
        let tables = publisher.source.tables(&any.service)?;
        bail!("choisissez avec --table, parmi ce que le rôle de « {base} » peut lire : {}", tables.join(", "))
    }
}

/// Files as they are, and every source below folders.
fn sources(publisher: &Publisher, paths: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut sources = Vec::new();
    for path in paths {
        if path.is_dir() {
            sources.extend(publisher.source.find(path)?);
        } else {
            sources.push(path.clone());
        }
    }
    Ok(sources)
}

#[derive(Args)]
pub struct Check {
    /// Des couches par leur nom, ou des fichiers, ou des dossiers ; toutes les couches si rien n'est dit
    targets: Vec<String>,
    /// Rapport pour machines
    #[arg(long)]
    json: bool,
}

impl Check {
    pub fn run(&self, root: &Path) -> anyhow::Result<ExitCode> {
        let line = Line::new();
        let tell_line = |layer: &str, step: &str, rows: u64| line.tell(layer, step, rows);
        // What looks like a path is one, also where nothing is: a typing error is told as such.
        let is_path = |target: &&String| Path::new(target.as_str()).exists() || target.contains(['/', '\\', '.']);
        let mut reports = Vec::new();
        let names: Vec<String> = self.targets.iter().filter(|target| !is_path(target)).cloned().collect();
        // A file can be judged without a site.
        let publisher = match super::open(root) {
            Ok(publisher) => publisher,
            Err(error) if !names.is_empty() || self.targets.is_empty() => return Err(error),
            Err(_) => {
                let scratch = tempfile::tempdir()?;
                Publisher::open(Site::ad_hoc(&scratch.keep()), &std::env::current_exe()?)?
            }
        };
        let paths: Vec<PathBuf> = self.targets.iter().filter(is_path).map(PathBuf::from).collect();
        for source in sources(&publisher, &paths)? {
            reports.extend(publisher.check_path(&source, &tell_line));
        }
        if !names.is_empty() || self.targets.is_empty() {
            for file in chosen(&publisher, &names)? {
                reports.push(publisher.check(&file, &tell_line));
            }
        }
        if publisher.site.ad_hoc {
            let _ = std::fs::remove_dir_all(&publisher.site.root);
        }
        drop(line);
        tell(&reports, self.json)
    }
}

#[derive(Args)]
pub struct Publish {
    /// Des couches par leur nom ; toutes si rien n'est dit
    layers: Vec<String>,
    /// Rapport pour machines
    #[arg(long)]
    json: bool,
}

impl Publish {
    pub fn run(&self, publisher: &Publisher) -> anyhow::Result<ExitCode> {
        let line = Line::new();
        let files = chosen(publisher, &self.layers)?;
        let reports = publisher.publish_all(&files, &|layer, step, rows| line.tell(layer, step, rows));
        drop(line);
        tell(&reports, self.json)
    }
}

/// The layer files of these names, all without a name. A file that cannot be read is told, and stops only itself.
pub fn chosen(publisher: &Publisher, names: &[String]) -> anyhow::Result<Vec<LayerFile>> {
    let mut files = Vec::new();
    let mut broken = Vec::new();
    for file in publisher.site.layer_files()? {
        match file {
            Ok(file) => files.push(file),
            Err(error) => broken.push(error),
        }
    }
    for error in &broken {
        eprintln!("erreur : {error}");
    }
    if let Some(unknown) = names.iter().find(|name| !files.iter().any(|file| file.id.as_str() == name.as_str())) {
        let known: Vec<&str> = files.iter().map(|file| file.id.as_str()).collect();
        bail!("aucune couche ne s'appelle « {unknown} » ; couches connues : {}", known.join(", "));
    }
    files.retain(|file| names.is_empty() || names.iter().any(|name| file.id.as_str() == name.as_str()));
    if files.is_empty() && !broken.is_empty() {
        bail!("aucune couche lisible");
    }
    Ok(files)
}

/// Prints the reports; 1 where one is a refusal.
fn tell(reports: &[LayerReport], json: bool) -> anyhow::Result<ExitCode> {
    if json {
        super::say(&serde_json::to_string_pretty(reports)?)?;
    } else {
        for report in reports {
            super::say(&report.text())?;
        }
    }
    Ok(if reports.iter().any(LayerReport::is_refusal) { ExitCode::from(1) } else { ExitCode::SUCCESS })
}
