//! The five signs that INSEE gives a commune.

use serde::Deserialize;
use serde::Serialize;

/// `35188`, `2A004`: two digits or `2A`/`2B`, then three digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CodeInsee(String);

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("« {text} » n'est pas un code INSEE de commune : attendu cinq signes, par exemple « 35188 »")]
pub struct InvalidCodeInsee {
    pub text: String,
}

impl CodeInsee {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for CodeInsee {
    type Error = InvalidCodeInsee;
    fn try_from(text: String) -> Result<CodeInsee, InvalidCodeInsee> {
        let signs = text.as_bytes();
        let shaped = signs.len() == 5
            && signs[0].is_ascii_digit()
            && (signs[1].is_ascii_digit() || (signs[0] == b'2' && matches!(signs[1], b'A' | b'B')))
            && signs[2..].iter().all(u8::is_ascii_digit);
        if shaped { Ok(CodeInsee(text)) } else { Err(InvalidCodeInsee { text }) }
    }
}

impl From<CodeInsee> for String {
    fn from(code: CodeInsee) -> String {
        code.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corsica_has_letters_and_nobody_else_has() {
        for (code, valid) in [("35188", true), ("2A004", true), ("2B033", true), ("3A188", false), ("5188", false), ("3518é", false)] {
            assert_eq!(CodeInsee::try_from(code.to_owned()).is_ok(), valid, "{code}");
        }
    }
}
