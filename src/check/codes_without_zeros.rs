//! Codes of fixed length that lost their leading zeros, as spreadsheets make it happen.

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;

use crate::check::Check;
use crate::check::Context;
use crate::check::Inspection;
use crate::check::french::agree;
use crate::check::french::counted;
use crate::check::place_list::PlaceList;
use crate::check::place_list::finding;
use crate::model::batch::FeatureBatch;
use crate::model::code_column;
use crate::model::finding::Finding;
use crate::model::finding::Place;
use crate::model::finding::Severity;
use crate::model::layer::FieldType;
use crate::model::reading::Outcome;

const CODE: &str = "codes-without-zeros";

pub struct CodesWithoutZeros;

impl Check for CodesWithoutZeros {
    fn code(&self) -> &'static str {
        CODE
    }

    fn explanation(&self) -> &'static str {
        "Un code INSEE, postal, SIREN ou SIRET a un nombre fixe de chiffres, et commence parfois par zéro : « 01004 » est Ambérieu. Un \
         tableur qui le prend pour un nombre enlève ce zéro, et le code ne se joint plus à rien. Remettez la colonne au format texte dans \
         le logiciel d'origine, rétablissez les zéros aux lignes indiquées, puis publiez de nouveau."
    }

    fn begin<'a>(&self, context: &'a Context<'a>) -> Box<dyn Inspection + 'a> {
        let columns = context.source.fields.iter().map(|field| code_column::length(&field.source_name)).collect();
        Box::new(Codes { context, columns, row: 0, short: PlaceList::default() })
    }
}

struct Codes<'a> {
    context: &'a Context<'a>,
    /// The length expected in the column at this place.
    columns: Vec<Option<usize>>,
    row: u64,
    short: PlaceList,
}

/// One zero is missing: a code of digits, one sign short.
fn is_short(text: &str, length: usize) -> bool {
    text.len() + 1 == length && text.bytes().all(|b| b.is_ascii_digit())
}

impl Inspection for Codes<'_> {
    fn see(&mut self, batch: &FeatureBatch) {
        for (at, (field_type, column)) in batch.columns.iter().enumerate() {
            let Some(length) = self.columns.get(at).copied().flatten() else { continue };
            let source_name = &self.context.source.fields[at].source_name;
            let mut see = |row: usize, is_short: bool| {
                if is_short {
                    let row = self.row + row as u64 + 1;
                    self.short.add(|| Place { row: Some(row), field: Some(source_name.clone()), position: None });
                }
            };
            match field_type {
                FieldType::Text => {
                    for (row, text) in column.as_string::<i32>().iter().enumerate() {
                        see(row, text.is_some_and(|text| is_short(text.trim(), length)));
                    }
                }
                FieldType::Integer => {
                    for (row, value) in column.as_primitive::<Int64Type>().iter().enumerate() {
                        see(row, value.is_some_and(|value| value > 0 && value.ilog10() as usize + 2 == length));
                    }
                }
                _ => {}
            }
        }
        self.row += batch.rows() as u64;
    }

    fn finish(self: Box<Self>, _outcome: &Outcome) -> Vec<Finding> {
        let count = self.short.count;
        if count == 0 {
            return Vec::new();
        }
        let mut names: Vec<String> = self.short.places.iter().filter_map(|place| place.field.clone()).collect();
        names.dedup();
        let message = format!(
            "{} ({}) {} perdu {} zéro de tête ; remettez la colonne au format texte et rétablissez les zéros",
            counted(count, "code", "codes"),
            names.iter().map(|name| format!("« {name} »")).collect::<Vec<_>>().join(", "),
            agree(count, "a", "ont"),
            agree(count, "son", "leur")
        );
        vec![Finding { places: self.short.places, ..finding(CODE, Severity::Warning, count, message) }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::trial;
    use crate::model::feature::Value;

    fn judge(name: &str, texts: &[&str]) -> Vec<Finding> {
        let source = trial::table(&[(name, FieldType::Text)]);
        trial::judge_texts(&CodesWithoutZeros, &trial::context(&source), texts)
    }

    #[test]
    fn a_code_one_sign_short_is_told() {
        let found = judge("Code INSEE", &["35023", "01004", "1004"]);
        assert_eq!((found[0].count, found[0].places[0].row), (1, Some(3)));
        assert!(found[0].message.starts_with("1 code (« Code INSEE ») a perdu son zéro"), "{found:?}");
    }

    #[test]
    fn a_number_one_digit_short_is_told() {
        let source = trial::table(&[("code_postal", FieldType::Integer)]);
        let rows = [(vec![Value::Integer(1500)], None), (vec![Value::Integer(35160)], None), (vec![Value::Null], None)];
        assert_eq!(trial::judge(&CodesWithoutZeros, &trial::context(&source), &rows, &Outcome::default())[0].count, 1);
    }

    #[test]
    fn whole_codes_corsica_and_other_columns_are_fine() {
        assert_eq!(judge("insee", &["2A004", "35023", "", "inconnu"]), []);
        assert_eq!(judge("numero", &["1004"]), []);
        assert_eq!(judge("siret", &["45164849700019"]), []);
    }
}
