//! A declared id field that does not tell features apart.

use crate::check::Check;
use crate::check::Context;
use crate::check::Inspection;
use crate::check::french::agree;
use crate::check::french::counted;
use crate::check::place_list::PlaceList;
use crate::check::place_list::finding;
use crate::check::print::PrintSet;
use crate::check::print::print;
use crate::model::batch::FeatureBatch;
use crate::model::feature::Value;
use crate::model::finding::Finding;
use crate::model::finding::Place;
use crate::model::finding::Severity;
use crate::model::reading::Outcome;

const CODE: &str = "duplicate-id";

pub struct DuplicateId;

impl Check for DuplicateId {
    fn code(&self) -> &'static str {
        CODE
    }

    fn explanation(&self) -> &'static str {
        "Le champ déclaré par la ligne id donne à chaque objet son adresse durable : il doit être rempli partout et ne jamais se répéter. \
         Avec deux valeurs égales, une seule adresse désignerait deux objets, et l'un des deux serait perdu : la couche ne peut pas être \
         publiée. Corrigez les valeurs aux lignes indiquées, choisissez un champ unique, ou retirez la ligne id : bocage numérote alors \
         lui-même les objets."
    }

    fn begin<'a>(&self, context: &'a Context<'a>) -> Box<dyn Inspection + 'a> {
        let column = context
            .id_field
            .and_then(|name| context.source.fields.iter().position(|field| field.name == name || field.source_name == name));
        Box::new(Ids {
            context,
            column,
            row: 0,
            seen: PrintSet::default(),
            first: None,
            repeated: PlaceList::default(),
            missing: PlaceList::default(),
        })
    }
}

struct Ids<'a> {
    context: &'a Context<'a>,
    column: Option<usize>,
    row: u64,
    seen: PrintSet,
    /// The first value met twice.
    first: Option<String>,
    repeated: PlaceList,
    missing: PlaceList,
}

/// The print of a value as an id; `None` where it can be none.
fn id_print(value: Value<'_>) -> Option<u128> {
    match value {
        Value::Null => None,
        Value::Text(text) | Value::Date(text) | Value::DateTime(text) => (!text.trim().is_empty()).then(|| print(text.as_bytes())),
        Value::Integer(value) => Some(print(&value.to_le_bytes())),
        Value::Real(value) => Some(print(&value.to_le_bytes())),
        Value::Boolean(value) => Some(print(&[u8::from(value)])),
    }
}

fn id_text(value: Value<'_>) -> String {
    match value {
        Value::Null => String::new(),
        Value::Text(text) | Value::Date(text) | Value::DateTime(text) => text.to_owned(),
        Value::Integer(value) => value.to_string(),
        Value::Real(value) => value.to_string(),
        Value::Boolean(value) => value.to_string(),
    }
}

impl Inspection for Ids<'_> {
    fn see(&mut self, batch: &FeatureBatch) {
        let Some(column) = self.column else { return };
        let source_name = &self.context.source.fields[column].source_name;
        for row in 0..batch.rows() {
            self.row += 1;
            let number = self.row;
            let place = || Place { row: Some(number), field: Some(source_name.clone()), position: None };
            let value = batch.value(row, column);
            match id_print(value) {
                None => self.missing.add(place),
                Some(print) => {
                    if !self.seen.insert(print) {
                        self.repeated.add(place);
                        self.first.get_or_insert_with(|| id_text(value));
                    }
                }
            }
        }
    }

    fn finish(self: Box<Self>, _outcome: &Outcome) -> Vec<Finding> {
        let Some(name) = self.context.id_field else { return Vec::new() };
        if self.column.is_none() {
            let message =
                format!("le champ « {name} » déclaré par id n'existe pas dans le fichier ; choisissez un champ unique avec id = \"…\"");
            return vec![finding(CODE, Severity::Blocking, 1, message)];
        }
        let mut findings = Vec::new();
        if let Some(first) = self.first {
            let count = self.repeated.count;
            let message = format!(
                "{} {} le {name} d'un objet précédent (premier : « {first} ») ; choisissez un champ unique avec id = \"…\"",
                counted(count, "objet", "objets"),
                agree(count, "répète", "répètent")
            );
            findings.push(Finding { places: self.repeated.places, ..finding(CODE, Severity::Blocking, count, message) });
        }
        if self.missing.count > 0 {
            let count = self.missing.count;
            let message = format!(
                "{} {} sans {name} ; remplissez ces valeurs, ou choisissez un champ unique avec id = \"…\"",
                counted(count, "objet", "objets"),
                agree(count, "est", "sont")
            );
            findings.push(Finding { places: self.missing.places, ..finding(CODE, Severity::Blocking, count, message) });
        }
        findings
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::trial;
    use crate::model::layer::FieldType;

    fn judge(id_field: Option<&str>, texts: &[&str]) -> Vec<Finding> {
        let source = trial::table(&[("num_arbre", FieldType::Text)]);
        trial::judge_texts(&DuplicateId, &Context { id_field, ..trial::context(&source) }, texts)
    }

    #[test]
    fn repeated_and_empty_ids_block() {
        let found = judge(Some("num_arbre"), &["A-104", "A-105", "A-104", "A-104", ""]);
        assert!(found[0].message.starts_with("2 objets répètent le num_arbre d'un objet précédent (premier : « A-104 »)"), "{found:?}");
        assert_eq!((found[0].places[0].row, found[1].places[0].row, found[1].severity), (Some(3), Some(5), Severity::Blocking));
    }

    #[test]
    fn a_declared_field_that_does_not_exist_blocks() {
        assert_eq!(judge(Some("numero"), &["A"])[0].severity, Severity::Blocking);
    }

    #[test]
    fn unique_ids_and_undeclared_repetitions_are_fine() {
        assert_eq!(judge(Some("num_arbre"), &["A", "B"]), []);
        assert_eq!(judge(None, &["A", "A"]), []);
    }
}
