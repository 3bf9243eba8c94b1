//! CSV, as French offices write it (read by `tabular`).

use std::path::Path;

use crate::source::SourceFormat;
use crate::source::extension;
use crate::source::tabular;

pub struct Csv;

impl SourceFormat for Csv {
    fn id(&self) -> &'static str {
        "CSV"
    }

    fn driver(&self) -> Option<&'static str> {
        None
    }

    fn recognises(&self, path: &Path, head: &[u8]) -> bool {
        matches!(extension(path).as_str(), "csv" | "tsv") && (!head.contains(&0) || tabular::is_utf16(head))
    }
}
