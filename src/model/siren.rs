//! SIREN: the nine digits that name a French legal person.

use serde::Deserialize;
use serde::Serialize;

/// Nine digits with a valid Luhn key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Siren(String);

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("« {text} » n'est pas un numéro SIREN : attendu neuf chiffres dont le dernier est la clé")]
pub struct InvalidSiren {
    pub text: String,
}

impl Siren {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Siren {
    type Error = InvalidSiren;
    fn try_from(text: String) -> Result<Siren, InvalidSiren> {
        let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        if digits.len() == 9 && digits.bytes().all(|b| b.is_ascii_digit()) && luhn(digits.as_bytes()) {
            Ok(Siren(digits))
        } else {
            Err(InvalidSiren { text })
        }
    }
}

impl From<Siren> for String {
    fn from(siren: Siren) -> String {
        siren.0
    }
}

/// Luhn's key over ASCII digits.
pub fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let value = u32::from(digit - b'0') * if place % 2 == 1 { 2 } else { 1 };
            value / 10 + value % 10
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn montforts_number_is_accepted_and_a_slip_is_not() {
        assert!(Siren::try_from("243500550".to_owned()).is_ok());
        assert!(Siren::try_from("243 500 550".to_owned()).is_ok());
        assert!(Siren::try_from("243500551".to_owned()).is_err());
        assert!(Siren::try_from("24350055".to_owned()).is_err());
    }
}
