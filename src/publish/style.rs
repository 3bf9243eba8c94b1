//! Which style a layer is drawn with: the one that its file names, the one called as the layer, the one beside the data, the
//! one inside the GeoPackage, else the default. A style that is absent or cannot be read stops no publication.

use std::fs::File;
use std::io;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;
use std::time::UNIX_EPOCH;

use crate::catalogue::style::LayerStyle;
use crate::catalogue::style::PASSED_THROUGH;
use crate::config::LayerFile;
use crate::config::SourceRef;
use crate::model::layer::Layer;
use crate::model::reading::SourceLayer;
use crate::portrayal::cited;
use crate::publish::Publisher;
use crate::source::OpenSource;
use crate::store::GivenStyle;
use crate::xml::SIZE_BYTES_MAX;

/// Of style files, in the order that they are preferred in.
const EXTENSIONS: [&str; 3] = ["qml", "sld", "json"];

/// Beside the data, where a `.json` may be anything.
const EXTENSIONS_BESIDE: [&str; 2] = ["qml", "sld"];

/// A file, or what a GeoPackage keeps, whatever it holds.
struct Found {
    /// As the officer knows it: « styles/zones.qml ».
    origin: String,
    bytes: Vec<u8>,
}

/// What became of the search.
#[derive(Clone, Debug, Default)]
pub struct Chosen {
    /// `None`: the default style, or nothing to draw.
    pub given: Option<GivenStyle>,
    /// Which one it is, and what could not be carried over; in French.
    pub notes: Vec<String>,
}

/// Finds the style of a layer and reads it once, for the report.
pub fn choose(publisher: &Publisher, file: &LayerFile, opened: &mut OpenSource, source: &SourceLayer, layer: &Layer) -> Chosen {
    if layer.geometry.is_none() {
        return Chosen::default();
    }
    match find(publisher, file, opened, source) {
        Ok(Some(found)) => judge(found, source, layer),
        Ok(None) => Chosen { given: None, notes: vec!["style : par défaut".to_owned()] },
        Err(reason) => Chosen { given: None, notes: vec![format!("style : par défaut, car {reason}")] },
    }
}

/// # Errors
/// In French: why the one that was looked for is not used.
fn find(publisher: &Publisher, file: &LayerFile, opened: &mut OpenSource, source: &SourceLayer) -> Result<Option<Found>, String> {
    let styles = publisher.site.root.join("styles");
    if let Some(name) = named(file)? {
        let wanted = EXTENSIONS.map(|extension| format!("styles/{name}.{extension}")).join(", ");
        let path = file_of(&styles, name, &EXTENSIONS)
            .ok_or_else(|| format!("style = \"{name}\" ne désigne aucun fichier (cherchés : {wanted})"))?;
        return read(&path, "styles/").map(Some);
    }
    let own = file_of(&styles, file.id.as_str(), &EXTENSIONS);
    if let Some(path) = own {
        return read(&path, "styles/").map(Some);
    }
    let SourceRef::File(path) = &file.source else { return Ok(None) };
    let data = publisher.site.depot.join(path);
    if let Some(path) = beside(&data, file.layer.as_deref()) {
        return read(&path, "").map(Some);
    }
    let name = data.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let inside = opened.style(source).map_err(|error| format!("les styles de « {name} » ne sont pas lisibles ({error})"))?;
    Ok(inside.map(|bytes| Found { origin: format!("{name} (layer_styles)"), bytes }))
}

/// Called as the data; where the layer file chooses a layer of several, as that layer: it is no other's style.
fn beside(data: &Path, layer: Option<&str>) -> Option<PathBuf> {
    let stem = data.file_stem()?.to_string_lossy();
    let stem = stem.strip_suffix(".shp").unwrap_or(&stem);
    file_of(data.parent()?, layer.unwrap_or(stem), &EXTENSIONS_BESIDE)
}

/// The name that the layer file gives; an extension that goes with it says nothing new.
fn named(file: &LayerFile) -> Result<Option<&str>, String> {
    let Some(name) = file.reserved.get("style").and_then(toml::Value::as_str) else { return Ok(None) };
    let has_extension = |name: &&str| {
        let extension = Path::new(name).extension().map(|extension| extension.to_string_lossy().to_lowercase());
        extension.is_some_and(|extension| EXTENSIONS.contains(&extension.as_str()))
    };
    let stem = Some(name).filter(has_extension).and_then(|name| name.rsplit_once('.')).map_or(name, |(stem, _)| stem);
    if stem.is_empty() || stem.contains(['/', '\\']) || stem.starts_with('.') {
        return Err(format!("style = \"{name}\" n'est pas le nom d'un fichier de styles/"));
    }
    Ok(Some(stem))
}

/// The file of that stem with the first of the extensions, in any letter case; one in the same letter case is preferred.
fn file_of(folder: &Path, stem: &str, extensions: &[&str]) -> Option<PathBuf> {
    let of = |path: &Path| Some((path.file_stem()?.to_str()?.to_owned(), path.extension()?.to_str()?.to_lowercase()));
    let mut found: Vec<(usize, bool, PathBuf)> = Vec::new();
    for path in std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()) {
        let Some((own, extension)) = of(&path) else { continue };
        let rank = extensions.iter().position(|wanted| *wanted == extension);
        if let Some(rank) = rank.filter(|_| own.to_lowercase() == stem.to_lowercase() && path.is_file()) {
            found.push((rank, own != stem, path));
        }
    }
    found.into_iter().min().map(|(.., path)| path)
}

fn read(path: &Path, folder: &str) -> Result<Found, String> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let origin = format!("{folder}{name}");
    let read = || -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(path)?.take(SIZE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    match read() {
        Ok(bytes) => Ok(Found { origin, bytes }),
        Err(error) => Err(format!("« {origin} » n'est pas lisible ({error})")),
    }
}

fn judge(found: Found, source: &SourceLayer, layer: &Layer) -> Chosen {
    let Found { origin, bytes } = found;
    match LayerStyle::read(layer, &bytes, &origin) {
        Ok(style) => {
            let losses = style.losses().into_iter().map(|loss| format!("style « {origin} » : {loss}"));
            let mut notes: Vec<String> = std::iter::once(format!("style : {origin}")).chain(losses).collect();
            let format = style.original.as_ref().map_or("", |original| original.format);
            let kept_back = kept_back(source, layer);
            let kept_back = if format == PASSED_THROUGH { cited::in_qml(&bytes, &kept_back) } else { cited::anywhere(&bytes, &kept_back) };
            if format == PASSED_THROUGH && !kept_back.is_empty() {
                let named = kept_back.iter().map(|column| format!("« {column} »")).collect::<Vec<String>>().join(", ");
                notes.push(format!(
                    "style « {origin} » : le fichier lui-même n'est pas servi, il parle de colonnes qui ne sont pas publiées ({named})"
                ));
            }
            Chosen { given: Some(GivenStyle { origin, format, is_private: !kept_back.is_empty(), bytes }), notes }
        }
        Err(error) => Chosen { given: None, notes: vec![format!("style : par défaut, car « {origin} » ne convient pas : {error}")] },
    }
}

/// Columns of the source that do not go out.
fn kept_back<'a>(source: &'a SourceLayer, layer: &Layer) -> Vec<&'a str> {
    let names = source.fields.iter().map(|field| field.source_name.as_str());
    names.filter(|name| !layer.fields.iter().any(|field| field.is_named(name))).collect()
}

/// A text that changes when one of the files changes that [`choose`] may take; what lies inside a GeoPackage changes with it.
pub fn fingerprint(publisher: &Publisher, file: &LayerFile) -> String {
    let styles = publisher.site.root.join("styles");
    let name = named(file).ok().flatten();
    let mut candidates: Vec<Option<PathBuf>> =
        [name, Some(file.id.as_str())].into_iter().flatten().map(|name| file_of(&styles, name, &EXTENSIONS)).collect();
    if let SourceRef::File(path) = &file.source {
        candidates.push(beside(&publisher.site.depot.join(path), file.layer.as_deref()));
    }
    let state = |path: PathBuf| {
        let metadata = path.metadata().ok()?;
        let time = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        Some(format!("{} {} {}", path.file_name()?.to_string_lossy(), metadata.len(), time.as_nanos()))
    };
    candidates.into_iter().flatten().filter_map(state).collect::<Vec<String>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_style_is_found_whatever_the_letter_case() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["Zones.SLD", "zones.JSON", "voies.qml", "VOIES.QML", "voies.sld", "zones.txt", "arbres"] {
            std::fs::write(folder.path().join(name), "").expect("written");
        }
        std::fs::create_dir(folder.path().join("bancs.qml")).expect("made");
        let found = |stem: &str, extensions: &[&str]| {
            file_of(folder.path(), stem, extensions).and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
        };
        assert_eq!(found("zones", &EXTENSIONS).as_deref(), Some("Zones.SLD"));
        assert_eq!(found("voies", &EXTENSIONS).as_deref(), Some("voies.qml"));
        assert_eq!(found("VOIES", &EXTENSIONS_BESIDE).as_deref(), Some("VOIES.QML"));
        assert_eq!((found("arbres", &EXTENSIONS), found("bancs", &EXTENSIONS), found("", &EXTENSIONS)), (None, None, None));
        assert_eq!(file_of(&folder.path().join("nulle-part"), "zones", &EXTENSIONS), None);
    }

    #[test]
    fn the_named_style_is_a_name_and_no_path() {
        let named_as = |text: &str| {
            let layer = format!("source = \"a.shp\"\nstyle = {text:?}\n[fields]\n");
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("a.toml");
            std::fs::write(&path, layer).expect("written");
            let file = LayerFile::read(&path).expect("a layer file");
            named(&file).map(|name| name.map(str::to_owned))
        };
        assert_eq!(named_as("zones"), Ok(Some("zones".to_owned())));
        assert_eq!(named_as("zones.QML"), Ok(Some("zones".to_owned())));
        assert_eq!(named_as("zones.v2"), Ok(Some("zones.v2".to_owned())));
        for wrong in ["../site", "", "a\\b", ".qml", "/etc/passwd"] {
            assert!(named_as(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn data_and_their_layers_have_their_styles_beside_them() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["communes.qml", "conduites.SLD", "reseau.qml"] {
            std::fs::write(folder.path().join(name), "").expect("written");
        }
        let found = |data: &str, layer: Option<&str>| {
            beside(&folder.path().join(data), layer).and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
        };
        assert_eq!(found("Communes.shp", None).as_deref(), Some("communes.qml"));
        assert_eq!(found("communes.shp.zip", None).as_deref(), Some("communes.qml"));
        assert_eq!(found("reseau.gpkg", Some("conduites")).as_deref(), Some("conduites.SLD"));
        assert_eq!(found("reseau.gpkg", Some("regards")), None);
    }
}
