//! `layers/site.toml`: who publishes, for which territory, under which addresses.

use std::path::Path;

use crate::config::ConfigError;
use crate::config::LayerFile;
use crate::config::Producer;
use crate::config::Site;
use crate::config::SourceRef;
use crate::config::reader::Section;
use crate::config::reader::TomlFile;
use crate::config::reader::read_text;
use crate::model::code_insee::CodeInsee;
use crate::model::crs::Crs;
use crate::model::geometry::Envelope;
use crate::model::layer::LayerId;
use crate::model::record::Contact;
use crate::model::record::Licence;
use crate::model::siren::Siren;

/// Data versions kept of a layer where site.toml does not say.
const KEEP: i64 = 10;

const LICENCE: &str = "etalab-2.0";

impl Site {
    /// # Errors
    /// Any `ConfigError`.
    pub fn open(root: &Path) -> Result<Site, ConfigError> {
        let path = root.join("layers").join("site.toml");
        if !path.exists() {
            return Err(ConfigError::NoSite { root: root.to_owned() });
        }
        let file = TomlFile { text: read_text(&path)?, path };
        let table = file.parse()?;
        read(root, &Section::new(&file, &table, 0))
    }

    /// A site for `serve FILE…` in a temporary folder.
    pub fn ad_hoc(root: &Path) -> Site {
        Site {
            root: root.to_owned(),
            title: "Aperçu".to_owned(),
            description: String::new(),
            public_url: None,
            identity: None,
            language: "fr".to_owned(),
            licence: Licence::from_spdx(LICENCE),
            crs: None,
            extent: None,
            territory_layer: None,
            depot: root.to_owned(),
            auto_accept: true,
            keep: 1,
            publisher: Contact { name: "Aperçu local".to_owned(), siren: None, email: None, homepage: None },
            producers: Vec::new(),
            ad_hoc: true,
        }
    }

    /// Layer files, sorted by id; each on its own `Ok` or `Err`, so that one bad file stops one layer.
    ///
    /// # Errors
    /// `Io` where the folder cannot be listed.
    pub fn layer_files(&self) -> Result<Vec<Result<LayerFile, ConfigError>>, ConfigError> {
        if self.ad_hoc {
            return Ok(Vec::new());
        }
        let folder = self.root.join("layers");
        let io = |source| ConfigError::Io { path: folder.clone(), source };
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(&folder).map_err(io)? {
            let path = entry.map_err(io)?.path();
            let is_layer =
                path.extension().is_some_and(|extension| extension == "toml") && path.file_name().is_some_and(|name| name != "site.toml");
            if is_layer {
                paths.push(path);
            }
        }
        paths.sort();
        Ok(paths.iter().map(|path| LayerFile::read(path)).collect())
    }

    /// The producer of a source: declared, else by folder, else the publisher. With the CRS of its folder.
    pub fn producer_of(&self, file: &LayerFile) -> (Contact, Option<Crs>) {
        let by_folder = self
            .producers
            .iter()
            .filter(|producer| {
                producer.folder.as_deref().is_some_and(|folder| matches!(&file.source, SourceRef::File(path) if path.starts_with(folder)))
            })
            .max_by_key(|producer| producer.folder.as_ref().map_or(0, String::len));
        let declared = file.producer.as_deref().and_then(|siren| {
            self.producers.iter().find(|producer| producer.contact.siren.as_ref().is_some_and(|known| known.as_str() == siren))
        });
        let contact = declared.or(by_folder).map_or(&self.publisher, |producer| &producer.contact);
        (contact.clone(), by_folder.and_then(|producer| producer.crs))
    }
}

fn read(root: &Path, section: &Section<'_>) -> Result<Site, ConfigError> {
    let depot = section.text("depot")?.unwrap_or_else(|| "depot".to_owned());
    let licence = section.text("licence")?.unwrap_or_else(|| LICENCE.to_owned());
    let publisher = section.table("publisher")?;
    let publisher = publisher.ok_or_else(|| section.file().fault(0, "il manque la table [publisher] avec name = \"…\"".to_owned()))?;
    let site = Site {
        root: root.to_owned(),
        title: section.required("title", "\"Données ouvertes de …\"")?,
        description: section.text("description")?.unwrap_or_default(),
        public_url: section.parsed("public_url", address)?,
        identity: section.parsed("identity", address)?,
        language: section.text("language")?.unwrap_or_else(|| "fr".to_owned()),
        licence: Licence::from_spdx(&licence),
        crs: section.parsed("crs", Crs::try_from)?,
        extent: extent(section)?,
        territory_layer: section.parsed("territory", |text| LayerId::new(&text))?,
        depot: root.join("layers").join(depot.replace('\\', "/")),
        auto_accept: section.boolean("auto_accept")?.unwrap_or(false),
        keep: usize::try_from(section.integer("keep", 1)?.unwrap_or(KEEP)).unwrap_or(usize::MAX),
        publisher: contact(&publisher)?,
        producers: section.tables("producer")?.iter().map(producer).collect::<Result<_, _>>()?,
        ad_hoc: false,
    };
    publisher.finish()?;
    section.finish()?;
    Ok(site)
}

fn address(text: String) -> Result<String, String> {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    match host {
        Some(host) if !host.is_empty() && !text.contains(['?', '#', ' ']) => Ok(text.trim_end_matches('/').to_owned()),
        _ => Err(format!("« {text} » n'est pas une adresse : attendu par exemple « https://data.montfort.example/donnees »")),
    }
}

fn extent(section: &Section<'_>) -> Result<Option<Envelope>, ConfigError> {
    let Some(numbers) = section.numbers("extent")? else { return Ok(None) };
    match numbers[..] {
        [west, south, east, north]
            if west < east && south < north && (-180.0..=180.0).contains(&west) && east <= 180.0 && south >= -90.0 && north <= 90.0 =>
        {
            Ok(Some(Envelope { west, south, east, north }))
        }
        _ => Err(section.fault("extent", "attendu [ouest, sud, est, nord] en degrés, par exemple [-2.16, 48.02, -1.80, 48.26]".to_owned())),
    }
}

fn contact(section: &Section<'_>) -> Result<Contact, ConfigError> {
    Ok(Contact {
        name: section.required("name", "\"…\"")?,
        siren: section.parsed("siren", Siren::try_from)?,
        email: section.text("email")?,
        homepage: section.text("homepage")?,
    })
}

fn producer(section: &Section<'_>) -> Result<Producer, ConfigError> {
    let folder = section.text("folder")?.map(|folder| format!("{}/", folder.replace('\\', "/").trim_matches('/')));
    let producer = Producer {
        contact: contact(section)?,
        insee: section.parsed("insee", CodeInsee::try_from)?,
        folder,
        crs: section.parsed("crs", Crs::try_from)?,
    };
    section.finish()?;
    Ok(producer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(text: &str) -> Result<Site, String> {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("layers")).expect("layers");
        std::fs::write(folder.path().join("layers/site.toml"), text).expect("written");
        Site::open(folder.path()).map_err(|error| error.to_string().rsplit('/').next().unwrap_or_default().to_owned())
    }

    const SITE: &str = "title = \"Montfort\"\nextent = [-2.16, 48.02, -1.80, 48.26]\ncrs = \"EPSG:3948\"\n[publisher]\nname = \"CC\"\nsiren = \"243500550\"\n";

    #[test]
    fn a_short_site_is_enough() {
        let site = open(SITE).expect("a site");
        assert_eq!((site.crs, site.keep, site.licence.id.as_str()), (Some(Crs::Epsg(3948)), 10, "etalab-2.0"));
        assert!(site.depot.ends_with("layers/depot"));
    }

    #[test]
    fn windows_files_are_understood() {
        assert!(open(&format!("\u{feff}{}", SITE.replace('\n', "\r\n"))).is_ok());
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("layers")).expect("layers");
        let ansi = encoding_rs::WINDOWS_1252.encode("title = \"Données\"\n[publisher]\nname = \"Bédée\"\n").0;
        std::fs::write(folder.path().join("layers/site.toml"), ansi).expect("written");
        assert_eq!(Site::open(folder.path()).expect("a site").publisher.name, "Bédée");
    }

    #[test]
    fn faults_name_the_line_and_what_to_write() {
        for (text, expected) in [
            (SITE.replace("extent", "etendue"), "site.toml, ligne 2 : clé « etendue » inconnue"),
            (SITE.replace("crs", "crz"), "site.toml, ligne 3 : clé « crz » inconnue ; vouliez-vous dire « crs » ?"),
            (SITE.replace("\"Montfort\"", "3"), "site.toml, ligne 1 : title : attendu un texte entre guillemets, trouvé un nombre"),
            (
                SITE.replace("\"EPSG:3948\"", "\"CC48\""),
                "site.toml, ligne 3 : crs : « CC48 » n'est pas un système de coordonnées : attendu par exemple « EPSG:2154 »",
            ),
            (
                SITE.replace("243500550", "243500551"),
                "site.toml, ligne 6 : siren : « 243500551 » n'est pas un numéro SIREN : attendu neuf chiffres dont le dernier est la clé",
            ),
            (
                SITE.replace("-2.16, 48.02", "48.02, -2.16"),
                "site.toml, ligne 2 : extent : attendu [ouest, sud, est, nord] en degrés, par exemple [-2.16, 48.02, -1.80, 48.26]",
            ),
            (format!("public_url = \"montfort.example\"\n{SITE}"), "example » n'est pas une adresse : attendu par exemple « https:"),
            ("title = \"x\"\n".to_owned(), "site.toml, ligne 1 : il manque la table [publisher] avec name = \"…\""),
        ] {
            let found = open(&text).expect_err("refused");
            assert!(found.starts_with(expected) || text.starts_with("public_url"), "{found}");
        }
    }
}
