//! Styles as they were given, beside the versions of their layer: a file named after its content, and the register's word
//! of which is served.

use std::fs;
use std::path::PathBuf;

use serde::Deserialize;
use serde::Serialize;
use sha2::Digest;
use sha2::Sha256;

use crate::model::layer::LayerId;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::Writer;
use crate::store::disk;
use crate::store::disk::fault;

/// The register's note of the style of a layer ([`KeptStyle`], as JSON); without one, nobody said how to draw it.
pub const STYLE: &str = "style";

const FOLDER: &str = "styles";

/// A style as it was given.
#[derive(Clone, Debug)]
pub struct GivenStyle {
    /// As the officer knows it: « styles/zones.qml ».
    pub origin: String,
    /// The language that it is written in: `qml`, `sld`, `mapbox`.
    pub format: &'static str,
    /// It speaks of columns that stay in: its bytes go out to nobody.
    pub is_private: bool,
    pub bytes: Vec<u8>,
}

/// A style that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptStyle {
    /// Its name in the folder: the hash of its bytes.
    pub file: String,
    /// Where it was found, as the officer knows it: « styles/zones.qml ».
    pub origin: String,
    /// The language that it is written in.
    pub format: String,
    /// It speaks of columns that stay in.
    pub is_private: bool,
}

impl Store {
    /// # Errors
    /// `Sqlite`, `Corrupt`.
    pub fn style(&self, layer: &LayerId) -> Result<Option<KeptStyle>, StoreError> {
        let Some(text) = self.note(layer, STYLE)? else { return Ok(None) };
        let corrupt = |error: serde_json::Error| StoreError::Corrupt { path: self.register_path(), reason: error.to_string() };
        serde_json::from_str(&text).map(Some).map_err(corrupt)
    }

    pub fn style_path(&self, layer: &LayerId, style: &KeptStyle) -> PathBuf {
        self.styles_folder(layer).join(&style.file)
    }

    pub(super) fn styles_folder(&self, layer: &LayerId) -> PathBuf {
        self.layer_folder(layer).join(FOLDER)
    }
}

impl Writer {
    /// Writes the bytes of a style, not yet served: [`Writer::serve_style`] follows.
    ///
    /// # Errors
    /// `Io`.
    pub fn keep_style(&self, layer: &LayerId, style: &GivenStyle) -> Result<KeptStyle, StoreError> {
        let folder = self.store.styles_folder(layer);
        fs::create_dir_all(&folder).map_err(fault(&folder))?;
        let file = disk::hex(&Sha256::digest(&style.bytes));
        let path = folder.join(&file);
        if !path.is_file() {
            disk::replace(&path, &style.bytes)?;
        }
        Ok(KeptStyle { file, origin: style.origin.clone(), format: style.format.to_owned(), is_private: style.is_private })
    }

    /// Serves a kept style, or the default one; what was served before is erased with the next change: somebody may be reading
    /// it still.
    ///
    /// # Errors
    /// `Io`, `Sqlite`.
    pub fn serve_style(&self, layer: &LayerId, style: Option<&KeptStyle>) -> Result<(), StoreError> {
        let before = self.store.style(layer).ok().flatten();
        if before.as_ref() == style {
            return Ok(());
        }
        let said = style.map(|style| serde_json::json!(style).to_string());
        self.note(layer, STYLE, said.as_deref())?;
        let is_kept = |name: &str| [style, before.as_ref()].into_iter().flatten().any(|kept| kept.file == name);
        let folder = self.store.styles_folder(layer);
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            if !entry.file_name().to_str().is_some_and(is_kept) {
                fs::remove_file(entry.path()).map_err(fault(&entry.path()))?;
            }
        }
        Ok(())
    }

    /// What an interrupted writer left beside them.
    ///
    /// # Errors
    /// `Io`.
    pub(super) fn sweep_styles(&self, layer: &LayerId) -> Result<(), StoreError> {
        for entry in fs::read_dir(self.store.styles_folder(layer)).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().contains(".new-") {
                fs::remove_file(entry.path()).map_err(fault(&entry.path()))?;
            }
        }
        Ok(())
    }

    /// With the last version of a layer its styles go too: a class may be named after a person.
    ///
    /// # Errors
    /// `Io`, `Sqlite`.
    pub(super) fn erase_styles(&self, layer: &LayerId) -> Result<(), StoreError> {
        self.note(layer, STYLE, None)?;
        let folder = self.store.styles_folder(layer);
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(fault(&folder)(error)),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn files(store: &Store, layer: &LayerId) -> usize {
        fs::read_dir(store.styles_folder(layer)).map_or(0, Iterator::count)
    }

    #[test]
    fn a_style_is_kept_as_it_was_given_and_one_before_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("opened");
        let writer = store.writer(Duration::ZERO).expect("the lock");
        let layer = LayerId::new("zones").expect("an id");
        assert_eq!(store.style(&layer).expect("asked"), None);
        for (at, text) in ["<a/>", "<b/>", "<c/>"].into_iter().enumerate() {
            let generation = store.generation();
            let given =
                GivenStyle { origin: "styles/zones.qml".to_owned(), format: "qml", is_private: false, bytes: text.as_bytes().to_vec() };
            let kept = writer.keep_style(&layer, &given).expect("kept");
            writer.serve_style(&layer, Some(&kept)).expect("served");
            assert!(store.generation() > generation, "servers are told");
            assert_eq!(store.style(&layer).expect("asked").as_ref(), Some(&kept));
            assert_eq!(fs::read_to_string(store.style_path(&layer, &kept)).expect("read"), text);
            assert_eq!(files(&store, &layer), (at + 1).min(2));
            let generation = store.generation();
            writer.serve_style(&layer, Some(&kept)).expect("served");
            assert_eq!(store.generation(), generation, "nothing changed");
        }
        writer.erase_styles(&layer).expect("erased");
        writer.erase_styles(&layer).expect("erased again");
        assert_eq!((store.style(&layer).expect("asked"), files(&store, &layer)), (None, 0));
    }
}
