//! `serve`.

use std::net::SocketAddr;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use clap::Args;

use crate::config::Site;
use crate::publish::Publisher;
use crate::server;
use crate::server::ServeOptions;

#[derive(Args)]
pub struct Serve {
    /// L'adresse et le port d'écoute
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADRESSE")]
    listen: SocketAddr,
    /// L'adresse privée, pour /metrics ; rien d'autre qu'une machine de confiance ne doit l'atteindre
    #[arg(long, value_name = "ADRESSE")]
    desk: Option<SocketAddr>,
    /// Secondes entre deux contrôles des couches que leur table PostGIS sert en direct
    #[arg(long, value_name = "SECONDES", default_value_t = server::CHECK_LIVE.as_secs(), value_parser = clap::value_parser!(u64).range(1..))]
    check_live: u64,
    /// Des fichiers à servir seuls, dans un site passager
    files: Vec<PathBuf>,
}

impl Serve {
    pub fn run(&self, root: &Path) -> anyhow::Result<ExitCode> {
        if self.files.is_empty() {
            let publisher = super::open(root)?;
            return self.serve(publisher);
        }
        let folder = tempfile::tempdir()?;
        let publisher = Publisher::open(Site::ad_hoc(folder.path()), &std::env::current_exe()?)?;
        let reports = publisher.publish_all(&publisher.ad_hoc_files(&self.files)?, &|_, _, _| {});
        if let Some(refusal) = reports.iter().find(|report| report.is_refusal()) {
            bail!("{}", refusal.text());
        }
        self.serve(publisher)
    }

    fn serve(&self, publisher: Publisher) -> anyhow::Result<ExitCode> {
        let options = ServeOptions {
            listen: self.listen,
            desk: self.desk,
            publisher,
            check_live: Duration::from_secs(self.check_live),
            until_ready: false,
        };
        server::run(options, |address| {
            let _ = super::say(&format!("http://{address}/ (Ctrl+C pour arrêter)"));
        })?;
        Ok(ExitCode::SUCCESS)
    }
}
