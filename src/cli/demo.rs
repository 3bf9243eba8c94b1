//! `demo`: the demonstration town, embedded, published into a temporary site and served.

use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::Context;
use anyhow::bail;
use clap::Args;
use include_dir::Dir;
use include_dir::include_dir;

use crate::cli::progress::Line;
use crate::config::LayerFile;
use crate::config::Site;
use crate::publish::Publisher;
use crate::server;
use crate::server::ServeOptions;

/// The repository's own top level is a site: its layers and their files, all made up.
static LAYERS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/layers");
static STYLES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/styles");

#[derive(Args)]
pub struct Demo {
    /// L'adresse et le port d'écoute
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADRESSE")]
    listen: SocketAddr,
    /// S'arrête dès que la ville est servie (pour les scripts)
    #[arg(long)]
    until_ready: bool,
}

impl Demo {
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        let folder = tempfile::Builder::new().prefix("bocage-demo-").tempdir()?;
        let root = folder.path().to_owned();
        for (name, dir) in [("layers", &LAYERS), ("styles", &STYLES)] {
            let target = root.join(name);
            std::fs::create_dir_all(&target).and_then(|()| dir.extract(&target)).with_context(|| target.display().to_string())?;
        }
        let publisher = Publisher::open(Site::open(&root)?, &std::env::current_exe()?)?;
        let line = Line::new();
        let files: Vec<LayerFile> = publisher.site.layer_files()?.into_iter().collect::<Result<_, _>>()?;
        for (file, report) in files.iter().zip(publisher.publish_all(&files, &|layer, step, rows| line.tell(layer, step, rows))) {
            if report.is_refusal() {
                bail!("{}", report.text());
            }
            super::say(&format!("{} : {} objets", file.title.as_deref().unwrap_or(file.id.as_str()), report.features.unwrap_or(0)))?;
        }
        drop(line);
        let options =
            ServeOptions { listen: self.listen, desk: None, publisher, check_live: server::CHECK_LIVE, until_ready: self.until_ready };
        server::run(options, |address| {
            let _ = super::say(&format!("La ville de démonstration est servie : http://{address}/ (Ctrl+C pour arrêter)"));
        })?;
        Ok(ExitCode::SUCCESS)
    }
}
