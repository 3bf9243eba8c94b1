//! Columns that hold codes, which are texts even where every one of them is made of digits.

use crate::model::layer::LayerId;

/// Signs of the code that a column of this name holds: INSEE, postal, SIREN, SIRET. `None` for any other name.
pub fn length(name: &str) -> Option<usize> {
    let name = LayerId::from_name(name).map(String::from).unwrap_or_default();
    match name.as_str() {
        "insee" | "code_insee" | "insee_com" | "com_insee" | "commune_insee" | "codeinsee" | "depcom" | "code_commune"
        | "insee_commune" => Some(5),
        "cp" | "code_postal" | "code_post" | "codepostal" | "postcode" | "cod_postal" => Some(5),
        "siren" | "num_siren" | "code_siren" => Some(9),
        "siret" | "num_siret" | "code_siret" => Some(14),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_in_any_spelling() {
        assert_eq!(["Code INSEE", "CODE_POSTAL", "siret", "code_voie", "numero"].map(length), [Some(5), Some(5), Some(14), None, None]);
    }
}
