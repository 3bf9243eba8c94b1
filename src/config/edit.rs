//! Changes one key of a layer file and keeps everything else as the officer wrote it.

use std::io::Write;
use std::path::Path;

use toml_edit::DocumentMut;
use toml_edit::value;

use crate::config::ConfigError;
use crate::config::DeclaredState;
use crate::config::reader::read_text;

/// Writes `state = …`, in one step: the file is whole before and after.
///
/// # Errors
/// `Io`, `Invalid`.
pub fn set_state(path: &Path, state: DeclaredState) -> Result<(), ConfigError> {
    let text = read_text(path)?;
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
        let line = 1 + error.span().map_or(0, |span| text[..span.start].matches('\n').count());
        ConfigError::Invalid { path: path.to_owned(), line, reason: error.message().to_owned() }
    })?;
    document["state"] = value(match state {
        DeclaredState::Proposed => "proposed",
        DeclaredState::Published => "published",
        DeclaredState::Withdrawn => "withdrawn",
    });
    let io = |source| ConfigError::Io { path: path.to_owned(), source };
    let beside = path.with_extension(format!("toml.new-{}", std::process::id()));
    let mut file = std::fs::File::create(&beside).map_err(io)?;
    file.write_all(document.to_string().as_bytes()).and_then(|()| file.sync_all()).map_err(io)?;
    std::fs::rename(&beside, path).map_err(io)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::LayerFile;

    #[test]
    fn comments_and_order_stay() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.toml");
        std::fs::write(&path, "# à moi\nsource = \"a.shp\" # ici\nstate = \"proposed\"\n[fields]\n").expect("written");
        set_state(&path, DeclaredState::Published).expect("changed");
        let text = std::fs::read_to_string(&path).expect("read");
        assert!(text.starts_with("# à moi\nsource = \"a.shp\" # ici\nstate = \"published\"\n"), "{text}");
        assert_eq!(LayerFile::read(&path).expect("read").state, DeclaredState::Published);
    }
}
