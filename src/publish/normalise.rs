//! Which columns go out, and what they are called.

use crate::config::FieldEntry;
use crate::config::LayerFile;
use crate::model::layer::Field;
use crate::model::reading::SourceLayer;

/// The columns on the officer's list, in the officer's order, with their place in the source; all of them in an ad hoc
/// site. A column under `left_out` stays in, listed or not: the careful word wins.
pub fn kept_columns(source: &SourceLayer, file: &LayerFile) -> Vec<(usize, Field)> {
    let Some(listed) = &file.fields else {
        return source.fields.iter().cloned().enumerate().collect();
    };
    let mut kept: Vec<(usize, Field)> = Vec::new();
    for (name, entry) in listed {
        let Some(column) = column_named(&source.fields, name) else { continue };
        let field = &source.fields[column];
        let left_out = file.left_out.iter().any(|out| field.is_named(out));
        if !left_out && !kept.iter().any(|(known, _)| *known == column) {
            kept.push((column, described(field, entry)));
        }
    }
    kept
}

/// The column that the officer means: by the source's name, by the safe name, then by either in another letter case.
pub fn column_named(fields: &[Field], name: &str) -> Option<usize> {
    let exact = |field: &Field| field.source_name == name || field.name == name;
    fields.iter().position(exact).or_else(|| fields.iter().position(|field| field.is_named(name)))
}

fn described(field: &Field, entry: &FieldEntry) -> Field {
    Field {
        title: entry.title.clone().unwrap_or_else(|| field.title.clone()),
        description: entry.description.clone().or_else(|| field.description.clone()),
        unit: entry.unit.clone().or_else(|| field.unit.clone()),
        values: if entry.values.is_empty() { field.values.clone() } else { entry.values.clone() },
        ..field.clone()
    }
}
