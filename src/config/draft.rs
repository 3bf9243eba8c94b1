//! The text of a new layer file, as `bocage add` writes it for an officer to read and edit.

use std::fmt::Write;

use crate::config::DeclaredState;
use crate::config::Mode;
use crate::config::SourceRef;
use crate::model::layer::Field;

pub struct Draft<'a> {
    pub source: &'a SourceRef,
    pub layer: Option<&'a str>,
    pub state: DeclaredState,
    pub title: Option<&'a str>,
    pub description: Option<&'a str>,
    /// `crs = "EPSG:27572"`, one line a candidate.
    pub crs_lines: &'a [String],
    pub crs_missing: bool,
    pub fields: &'a [Field],
    /// Columns that may hold persons, by their name in the source, and why.
    pub suspected: &'a [(String, String)],
}

pub fn draft(draft: &Draft<'_>) -> String {
    let mut text = String::from("# Écrit par « bocage add » ; à compléter et à corriger librement.\n");
    let mut line = |key: &str, value: &str| text.push_str(&format!("{key} = {}\n", quoted(value)));
    match draft.source {
        SourceRef::File(path) => line("source", path),
        SourceRef::Table(table) => {
            line("source", &table.service.to_string());
            line("table", &format!("{}.{}", table.schema, table.name));
            line("mode", if table.mode == Mode::Live { "live" } else { "snapshot" });
        }
    }
    if let Some(layer) = draft.layer {
        line("layer", layer);
    }
    line("state", if draft.state == DeclaredState::Proposed { "proposed" } else { "published" });
    match draft.title {
        Some(title) => line("title", title),
        None => text.push_str("# title = \"…\"       le nom de la donnée, avec celui du territoire\n"),
    }
    match draft.description {
        Some(description) => text.push_str(&format!("abstract = {}\n", quoted(description))),
        None => text.push_str("# abstract = \"…\"    ce qu'elle contient, pour quel usage, en deux ou trois phrases\n"),
    }
    if draft.crs_missing {
        text.push_str("# Le fichier ne dit pas son système de coordonnées : décommentez la ligne qui convient.\n");
        for candidate in draft.crs_lines {
            let _ = writeln!(text, "# {candidate}");
        }
        if draft.crs_lines.is_empty() {
            text.push_str("# crs = \"EPSG:…\"\n");
        }
    }
    suspects(&mut text, draft);
    text.push_str("\n# Seules les colonnes de cette liste sont publiées.\n[fields]\n");
    for field in draft.fields {
        let entry = format!("{} = {{ title = {} }}", key(&field.source_name), quoted(&field.title));
        match reason(draft, field) {
            Some(why) => {
                let _ = writeln!(text, "# {entry}  # {why}");
            }
            None => {
                let _ = writeln!(text, "{entry}");
            }
        }
    }
    text
}

fn reason<'a>(draft: &Draft<'a>, field: &Field) -> Option<&'a str> {
    draft.suspected.iter().find(|(column, _)| *column == field.source_name || *column == field.name).map(|(_, why)| why.as_str())
}

fn suspects(text: &mut String, draft: &Draft<'_>) {
    if draft.suspected.is_empty() {
        return;
    }
    text.push_str("\n# Ces colonnes semblent parler de personnes. La couche attend que chacune soit décommentée,\n");
    text.push_str("# ici pour ne pas sortir, ou sous [fields] pour être publiée.\n");
    let names: Vec<String> = draft.suspected.iter().map(|(column, _)| quoted(column)).collect();
    let _ = writeln!(text, "# left_out = [{}]", names.join(", "));
}

/// A TOML basic string.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for sign in text.chars() {
        match sign {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            sign if sign.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(sign));
            }
            sign => quoted.push(sign),
        }
    }
    quoted.push('"');
    quoted
}

/// A TOML key, bare where it may be.
fn key(name: &str) -> String {
    let bare = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if bare { name.to_owned() } else { quoted(name) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::LayerFile;
    use crate::model::layer::FieldType;

    fn field(name: &str) -> Field {
        Field {
            name: name.into(),
            source_name: name.into(),
            title: name.into(),
            description: None,
            unit: None,
            field_type: FieldType::Text,
            values: Vec::new(),
        }
    }

    #[test]
    fn what_is_drafted_is_read_again_without_what_is_suspected() {
        let fields = [field("Nom d'usage"), field("TEL"), field("a\"b\\c")];
        let suspected = [("TEL".to_owned(), "numéros de téléphone".to_owned())];
        let crs_lines = ["crs = \"EPSG:3948\"".to_owned()];
        let text = draft(&Draft {
            source: &SourceRef::File("a/b.shp".into()),
            layer: Some("b"),
            state: DeclaredState::Proposed,
            title: None,
            description: Some("Une \"chose\"\nsur deux lignes"),
            crs_lines: &crs_lines,
            crs_missing: true,
            fields: &fields,
            suspected: &suspected,
        });
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("b.toml");
        std::fs::write(&path, &text).expect("written");
        let file = LayerFile::read(&path).expect("understood");
        let names: Vec<String> = file.fields.unwrap_or_default().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["Nom d'usage", "a\"b\\c"]);
        assert_eq!((file.state, file.left_out.len(), file.crs), (DeclaredState::Proposed, 0, None));
        let settled = text.replace("# left_out", "left_out").replace("# crs", "crs");
        std::fs::write(&path, settled).expect("written");
        let file = LayerFile::read(&path).expect("understood");
        assert_eq!((file.left_out, file.crs.map(|crs| crs.epsg())), (vec!["TEL".to_owned()], Some(3948)));
    }
}
