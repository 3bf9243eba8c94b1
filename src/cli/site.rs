//! `init`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use anyhow::bail;
use clap::Args;

use crate::config::starter;

#[derive(Args)]
pub struct Init {
    /// Le dossier du nouveau site
    folder: PathBuf,
}

impl Init {
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        let site = self.folder.join("layers").join("site.toml");
        if site.exists() {
            bail!("« {} » existe déjà", site.display());
        }
        for folder in ["layers/depot", "styles"] {
            let folder = self.folder.join(folder);
            std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        }
        std::fs::write(&site, starter::SITE).with_context(|| site.display().to_string())?;
        super::say(&format!(
            "Site prêt dans « {0} ».\n1. Complétez « {1} ».\n2. Déposez un fichier dans « {0}/layers/depot ».\n3. bocage --site {0} add FICHIER, puis publish, puis serve.",
            self.folder.display(),
            site.display()
        ))?;
        Ok(ExitCode::SUCCESS)
    }
}
