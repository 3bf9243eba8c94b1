//! TOML with a person on the other side: every fault names file and line, says what was expected, and guesses what was meant.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;
use std::path::PathBuf;

use toml::Spanned;
use toml::de::DeTable;
use toml::de::DeValue;

use crate::config::ConfigError;

/// A file's text: a BOM is dropped, and what is no UTF-8 is taken for the ANSI of Windows.
///
/// # Errors
/// `Io`.
pub fn read_text(path: &Path) -> Result<String, ConfigError> {
    let bytes = std::fs::read(path).map_err(|source| ConfigError::Io { path: path.to_owned(), source })?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    Ok(match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned(),
    })
}

/// A file under reading.
pub struct TomlFile {
    pub path: PathBuf,
    pub text: String,
}

impl TomlFile {
    /// # Errors
    /// `Invalid` where the text is no TOML.
    pub fn parse(&self) -> Result<DeTable<'_>, ConfigError> {
        match DeTable::parse(&self.text) {
            Ok(table) => Ok(table.into_inner()),
            Err(error) => {
                let at = error.span().unwrap_or_default().start;
                Err(self.fault(at, format!("ce n'est pas du TOML ({})", error.message())))
            }
        }
    }

    /// A fault at a byte of the text.
    pub fn fault(&self, at: usize, reason: String) -> ConfigError {
        let line = 1 + self.text.bytes().take(at).filter(|byte| *byte == b'\n').count();
        ConfigError::Invalid { path: self.path.clone(), line, reason }
    }
}

/// A table of which every key must be known.
pub struct Section<'a> {
    file: &'a TomlFile,
    table: &'a DeTable<'a>,
    /// Of the table in the text.
    at: usize,
    known: RefCell<BTreeSet<&'static str>>,
}

/// How far, of one, a key may be from a known one to be guessed.
const LIKENESS_MIN: f64 = 0.7;

impl<'a> Section<'a> {
    pub fn new(file: &'a TomlFile, table: &'a DeTable<'a>, at: usize) -> Section<'a> {
        Section { file, table, at, known: RefCell::default() }
    }

    fn find(&self, key: &'static str) -> Option<(Range<usize>, &'a DeValue<'a>)> {
        self.known.borrow_mut().insert(key);
        self.table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| (value.span(), value.get_ref()))
    }

    pub fn fault(&self, key: &'static str, reason: String) -> ConfigError {
        let at = self.table.iter().find(|(name, _)| name.get_ref() == key).map_or(self.at, |(name, _)| name.span().start);
        self.file.fault(at, format!("{key} : {reason}"))
    }

    fn expected<T>(&self, key: &'static str, wanted: &str, value: &DeValue<'_>) -> Result<T, ConfigError> {
        Err(self.fault(key, format!("attendu {wanted}, trouvé {}", french(value))))
    }

    pub fn text(&self, key: &'static str) -> Result<Option<String>, ConfigError> {
        match self.find(key) {
            None => Ok(None),
            Some((_, DeValue::String(text))) => Ok(Some(text.trim().to_owned())),
            Some((_, value)) => self.expected(key, "un texte entre guillemets", value),
        }
    }

    /// A text turned into a value of its own kind.
    pub fn parsed<T, E: std::fmt::Display>(
        &self,
        key: &'static str,
        parse: impl Fn(String) -> Result<T, E>,
    ) -> Result<Option<T>, ConfigError> {
        self.text(key)?.map(|text| parse(text).map_err(|error| self.fault(key, error.to_string()))).transpose()
    }

    pub fn required(&self, key: &'static str, example: &str) -> Result<String, ConfigError> {
        let missing = || self.file.fault(self.at, format!("il manque {key} = {example}"));
        self.text(key)?.filter(|text| !text.is_empty()).ok_or_else(missing)
    }

    pub fn boolean(&self, key: &'static str) -> Result<Option<bool>, ConfigError> {
        match self.find(key) {
            None => Ok(None),
            Some((_, DeValue::Boolean(value))) => Ok(Some(*value)),
            Some((_, value)) => self.expected(key, "true ou false", value),
        }
    }

    /// An integer of at least `least`.
    pub fn integer(&self, key: &'static str, least: i64) -> Result<Option<i64>, ConfigError> {
        match self.find(key) {
            None => Ok(None),
            Some((_, value)) => match value.as_integer().and_then(|value| i64::from_str_radix(value.as_str(), value.radix()).ok()) {
                Some(number) if number >= least => Ok(Some(number)),
                Some(number) => Err(self.fault(key, format!("attendu au moins {least}, trouvé {number}"))),
                None => self.expected(key, "un nombre entier", value),
            },
        }
    }

    pub fn numbers(&self, key: &'static str) -> Result<Option<Vec<f64>>, ConfigError> {
        match self.find(key) {
            None => Ok(None),
            Some((_, value)) => {
                let list = value.as_array().and_then(|list| list.iter().map(|item| number(item.get_ref())).collect());
                list.map_or_else(
                    || self.expected(key, "une liste de nombres, par exemple [-2.16, 48.02, -1.80, 48.26]", value),
                    |list| Ok(Some(list)),
                )
            }
        }
    }

    /// A list of texts; one text alone is a list of one.
    pub fn texts(&self, key: &'static str) -> Result<Vec<String>, ConfigError> {
        match self.find(key) {
            None => Ok(Vec::new()),
            Some((_, DeValue::String(text))) => Ok(vec![text.trim().to_owned()]),
            Some((_, value)) => {
                let list = value.as_array().and_then(|list| list.iter().map(|item| item.get_ref().as_str().map(str::to_owned)).collect());
                list.map_or_else(|| self.expected(key, "une liste de textes, par exemple [\"a\", \"b\"]", value), Ok)
            }
        }
    }

    pub fn table(&self, key: &'static str) -> Result<Option<Section<'a>>, ConfigError> {
        match self.find(key) {
            None => Ok(None),
            Some((span, DeValue::Table(table))) => Ok(Some(Section::new(self.file, table, span.start))),
            Some((_, value)) => self.expected(key, "une table", value),
        }
    }

    /// `[[key]]`.
    pub fn tables(&self, key: &'static str) -> Result<Vec<Section<'a>>, ConfigError> {
        match self.find(key) {
            None => Ok(Vec::new()),
            Some((_, value)) => {
                let list = value.as_array().and_then(|list| {
                    list.iter()
                        .map(|item| item.get_ref().as_table().map(|table| Section::new(self.file, table, item.span().start)))
                        .collect()
                });
                list.map_or_else(|| self.expected(key, &format!("des tables [[{key}]]"), value), Ok)
            }
        }
    }

    /// A key whose value later rooms read: known, and kept as it is.
    pub fn kept(&self, key: &'static str) -> Option<toml::Value> {
        self.find(key)
            .and_then(|(span, _)| self.file.text.get(span))
            .and_then(|text| format!("x = {text}").parse::<toml::Table>().ok()?.remove("x"))
    }

    /// Every entry of a table whose keys are the officer's own, in the order of the text.
    pub fn entries(&self) -> Vec<(String, Range<usize>, &'a Spanned<DeValue<'a>>)> {
        let mut entries: Vec<_> = self.table.iter().map(|(name, value)| (name.get_ref().to_string(), name.span(), value)).collect();
        entries.sort_by_key(|(_, span, _)| span.start);
        entries
    }

    pub fn file(&self) -> &'a TomlFile {
        self.file
    }

    /// Call last: a key that nobody asked for is refused, with the nearest one that is known.
    ///
    /// # Errors
    /// `Invalid`.
    pub fn finish(&self) -> Result<(), ConfigError> {
        let known = self.known.borrow();
        let Some((name, span, _)) = self.entries().into_iter().find(|(name, _, _)| !known.contains(name.as_str())) else { return Ok(()) };
        let likeness = |candidate: &&str| strsim::jaro_winkler(&name.to_lowercase(), candidate);
        let nearest =
            known.iter().copied().max_by(|a, b| likeness(a).total_cmp(&likeness(b))).filter(|nearest| likeness(nearest) >= LIKENESS_MIN);
        let guess = nearest.map_or_else(String::new, |nearest| format!(" ; vouliez-vous dire « {nearest} » ?"));
        Err(self.file.fault(span.start, format!("clé « {name} » inconnue{guess}")))
    }
}

fn number(value: &DeValue<'_>) -> Option<f64> {
    match value {
        DeValue::Integer(value) => i64::from_str_radix(value.as_str(), value.radix()).ok().map(|value| value as f64),
        DeValue::Float(value) => value.as_str().parse().ok().filter(|value: &f64| value.is_finite()),
        _ => None,
    }
}

fn french(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "un texte",
        DeValue::Integer(_) | DeValue::Float(_) => "un nombre",
        DeValue::Boolean(_) => "true ou false",
        DeValue::Datetime(_) => "une date",
        DeValue::Array(_) => "une liste",
        DeValue::Table(_) => "une table",
    }
}
