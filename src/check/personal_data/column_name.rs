//! What the name of a column says of persons.

use crate::model::layer::Field;
use crate::model::layer::FieldType;
use crate::model::layer::LayerId;

/// Words that turn a column about owners or subscribers into a count or a category of them.
const CATEGORIES: [&str; 9] = ["nb", "nbre", "nombre", "type", "statut", "mode", "categorie", "cat", "taux"];

/// The name in lower case, without accents, words set apart by `_`.
pub fn plain(name: &str) -> String {
    LayerId::from_name(name).map(String::from).unwrap_or_default()
}

/// Whether the column is named like a first name.
pub fn is_first_name(field: &Field) -> bool {
    field.field_type == FieldType::Text && plain(&field.source_name).split('_').any(|word| matches!(word, "prenom" | "prenoms"))
}

/// Whether the column holds a surname, if a first name stands beside it.
pub fn is_surname(field: &Field) -> bool {
    matches!(plain(&field.source_name).as_str(), "nom" | "noms" | "nom_famille" | "nom_de_famille" | "nom_usage" | "nom_naissance")
}

/// Whether integers of the column are telephone numbers that lost their zero.
pub fn is_telephone(field: &Field) -> bool {
    plain(&field.source_name)
        .split('_')
        .any(|word| matches!(word, "tel" | "telephone" | "tph" | "portable" | "mobile" | "gsm" | "tel1" | "tel2" | "telfixe" | "telport"))
}

/// The reason, in French, for which the name alone is evidence of persons.
pub fn evidence(field: &Field, beside_first_name: bool) -> Option<&'static str> {
    let name = plain(&field.source_name);
    let words: Vec<&str> = name.split('_').collect();
    let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(word));
    let follows = |first: &str, second: &str| words.windows(2).any(|pair| pair == [first, second]);
    let birth = ["date_naiss", "datenaiss", "date_de_naiss", "dat_naiss", "dt_naiss", "lieu_naiss", "annee_naiss", "jour_naiss"];
    if birth.iter().any(|start| name.contains(start)) || has(&["ddn"]) || follows("ne", "le") || follows("nee", "le") {
        return Some("nommée comme une date ou un lieu de naissance");
    }
    if is_first_name(field) {
        return Some("nommée comme un prénom");
    }
    if beside_first_name && is_surname(field) {
        return Some("nom de famille à côté d'un prénom");
    }
    if field.field_type != FieldType::Text || has(&CATEGORIES) {
        return None;
    }
    if name == "civilite" {
        return Some("nommée comme une civilité");
    }
    let owners = ["proprietaire", "proprietaires", "proprio", "titulaire", "titulaires", "abonne", "abonnes", "nomprop", "nomproprio"];
    if has(&owners) || follows("nom", "prop") {
        return Some("nommée comme un propriétaire, un titulaire ou un abonné");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::trial::field;

    #[test]
    fn names_of_birth_dates_first_names_and_owners_are_evidence() {
        for name in
            ["Date naissance", "DATE_NAISSANCE", "ne_le", "Née le", "Prénom", "prenom_usager", "PROPRIETAIRE", "nom_prop", "Titulaire"]
        {
            assert!(evidence(&field(name, FieldType::Text), false).is_some(), "{name}");
        }
        assert!(evidence(&field("Nom", FieldType::Text), true).is_some());
    }

    #[test]
    fn other_names_are_no_evidence() {
        for name in ["Nom", "nom_beneficiaire", "naissances", "NOMFIC", "type_proprietaire", "ligne_lettre", "nom_propriete", "telephone"] {
            let found = evidence(&field(name, FieldType::Text), false);
            assert!(found.is_none(), "{name}");
        }
        assert_eq!(evidence(&field("nb_abonnes", FieldType::Integer), false), None);
        assert_eq!(evidence(&field("abonnes", FieldType::Integer), false), None);
    }
}
