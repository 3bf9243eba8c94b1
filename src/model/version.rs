//! The name of a data version: `YYYYMMDD-<8 hex>`.

use serde::Deserialize;
use serde::Serialize;

/// Day of publication (UTC) and eight hexadecimal digits made of the content. Sorts by day.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version(String);

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("« {text} » n'est pas une version : attendu par exemple « 20260630-1a2b3c4d »")]
pub struct InvalidVersion {
    pub text: String,
}

impl Version {
    /// `day` as `YYYYMMDD`; `digest` of at least four bytes.
    pub fn new(day: &str, digest: &[u8]) -> Version {
        let hex: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        Version(format!("{day}-{hex}"))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part made of the content: two publications with the same one hold the same data.
    pub fn content(&self) -> &str {
        &self.0[9..]
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Version {
    type Error = InvalidVersion;
    fn try_from(text: String) -> Result<Version, InvalidVersion> {
        let signs = text.as_bytes();
        let shaped = signs.len() == 17
            && signs[..8].iter().all(u8::is_ascii_digit)
            && signs[8] == b'-'
            && signs[9..].iter().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(b));
        if shaped { Ok(Version(text)) } else { Err(InvalidVersion { text }) }
    }
}

impl From<Version> for String {
    fn from(version: Version) -> String {
        version.0
    }
}
