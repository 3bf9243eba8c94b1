//! Evidence of persons in columns. Until an officer's own word says of each such column whether it goes out, the layer is held.
//!
//! It is evidence, no proof, and says nothing of what it does not know: a list of persons without a name is not seen here.

mod column_name;
mod contact;
mod given_name;
#[cfg(test)]
mod known_files;
mod number;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;

use crate::check::Check;
use crate::check::Context;
use crate::check::Inspection;
use crate::check::french::counted;
use crate::check::names_field;
use crate::check::personal_data::number::Nir;
use crate::check::place_list::finding;
use crate::check::place_list::place_of_field;
use crate::model::batch::FeatureBatch;
use crate::model::finding::Finding;
use crate::model::finding::Severity;
use crate::model::layer::Field;
use crate::model::layer::FieldType;
use crate::model::reading::Outcome;

const CODE: &str = "personal-data";

/// Telephone numbers and e-mail addresses: one alone in a long column may be a code that looks like one, two are not chance.
const CONTACTS_MIN: u64 = 2;

/// In a short column one is enough: a hundredth of the values.
const CONTACTS_SHARE_MIN: f64 = 0.01;

/// A civility before a name, in a twentieth of a column's values or more: fewer are places named after someone.
const CIVILITIES_SHARE_MIN: f64 = 0.05;

/// A surname in capitals beside a usual given name, in a fifth of the values: owners' columns mix persons and companies,
/// columns of places hold a few such names.
const FULL_NAMES_SHARE_MIN: f64 = 0.2;

/// A hundredth of all fifteen-digit codes has a NIR's key by chance; in a column of NIR nearly all have it.
const NIR_KEYS_SHARE_MIN: f64 = 0.5;

/// Digits of the shortest telephone number (`+33639987517` has eleven, `0639987517` ten).
const TELEPHONE_DIGITS_MIN: usize = 10;

/// Digits of the shortest IBAN met (Belgium).
const IBAN_DIGITS_MIN: usize = 12;

/// Digits of a NIR, Corsica's letter apart.
const NIR_DIGITS_MIN: usize = 14;

/// Nine digits that a telephone number keeps when a spreadsheet takes its zero: 1 00 00 00 00 to 7 99 99 99 99, and 9.
const TELEPHONES_WITHOUT_ZERO: [std::ops::Range<i64>; 2] = [100_000_000..800_000_000, 900_000_000..1_000_000_000];

pub struct PersonalData;

impl Check for PersonalData {
    fn code(&self) -> &'static str {
        CODE
    }

    fn explanation(&self) -> &'static str {
        "Les colonnes sont examinées pour y trouver la trace de personnes : numéros de téléphone, adresses électroniques de personnes, \
         IBAN, numéros de sécurité sociale, civilités devant un nom, noms et prénoms, ou un nom de colonne qui annonce une date de \
         naissance, un prénom ou un propriétaire. La loi (RGPD, CRPA L312-1-2) interdit de publier ces données sans base légale ou \
         anonymisation, et ce qui est publié ne se reprend pas : la couche attend donc une décision pour chaque colonne. Si la colonne \
         peut sortir, inscrivez-la sous [fields] ; sinon, inscrivez-la dans left_out, et elle reste chez vous. Demandez-vous aussi si la \
         liste elle-même peut être publiée, même sans les noms ; votre délégué à la protection des données peut vous aider."
    }

    fn begin<'a>(&self, context: &'a Context<'a>) -> Box<dyn Inspection + 'a> {
        let columns = context.source.fields.iter().map(|_| Tally::default()).collect();
        let telephones = context.source.fields.iter().map(column_name::is_telephone).collect();
        Box::new(Suspects { context, columns, telephones })
    }
}

/// What was counted in one column.
#[derive(Default)]
struct Tally {
    filled: u64,
    telephones: u64,
    emails: u64,
    ibans: u64,
    nirs: u64,
    nir_shaped: u64,
    civilities: u64,
    full_names: u64,
}

impl Tally {
    fn see(&mut self, text: &str) {
        let (mut digits, mut at_signs, mut capitals) = (0, 0, 0);
        for &byte in text.as_bytes() {
            digits += usize::from(byte.is_ascii_digit());
            at_signs += usize::from(byte == b'@');
            capitals += usize::from(byte.is_ascii_uppercase());
        }
        self.filled += 1;
        self.telephones += u64::from(digits >= TELEPHONE_DIGITS_MIN && contact::has_telephone(text));
        self.emails += u64::from(at_signs > 0 && contact::has_personal_email(text));
        self.ibans += u64::from(digits >= IBAN_DIGITS_MIN && capitals >= 2 && number::has_iban(text));
        if digits >= NIR_DIGITS_MIN {
            let nir = number::nir(text);
            self.nirs += u64::from(nir == Nir::Yes);
            self.nir_shaped += u64::from(nir != Nir::No);
        }
        // Names have no digits to speak of; a civility may stand before a telephone number.
        if capitals >= 1 {
            self.civilities += u64::from(given_name::has_civility(text));
            self.full_names += u64::from(capitals >= 2 && digits == 0 && given_name::is_full_name(text));
        }
    }

    fn share(&self, count: u64) -> f64 {
        if self.filled == 0 { 0.0 } else { count as f64 / self.filled as f64 }
    }

    /// What the values show, each in French with its count.
    fn evidence(&self) -> Vec<String> {
        let mut kinds = Vec::new();
        let contact = |count: u64| count >= CONTACTS_MIN || count > 0 && self.share(count) >= CONTACTS_SHARE_MIN;
        if contact(self.telephones) {
            kinds.push(counted(self.telephones, "numéro de téléphone", "numéros de téléphone"));
        }
        if contact(self.emails) {
            kinds.push(counted(self.emails, "adresse électronique de personne", "adresses électroniques de personnes"));
        }
        // A key makes one enough: chance alone gives one in ten thousand texts of that shape.
        if self.ibans > 0 {
            kinds.push(counted(self.ibans, "IBAN", "IBAN"));
        }
        if self.nirs > 0 && self.nirs as f64 >= self.nir_shaped as f64 * NIR_KEYS_SHARE_MIN {
            kinds.push(counted(self.nirs, "numéro de sécurité sociale", "numéros de sécurité sociale"));
        }
        if self.civilities > 0 && self.share(self.civilities) >= CIVILITIES_SHARE_MIN {
            kinds.push(counted(self.civilities, "civilité devant un nom", "civilités devant un nom"));
        }
        if self.full_names > 0 && self.share(self.full_names) >= FULL_NAMES_SHARE_MIN {
            kinds.push(counted(self.full_names, "nom et prénom", "noms et prénoms"));
        }
        kinds
    }

    fn largest(&self) -> u64 {
        [self.telephones, self.emails, self.ibans, self.nirs, self.civilities, self.full_names].into_iter().max().unwrap_or(0)
    }
}

struct Suspects<'a> {
    context: &'a Context<'a>,
    columns: Vec<Tally>,
    /// Whether the column at this place is named like telephone numbers.
    telephones: Vec<bool>,
}

impl Inspection for Suspects<'_> {
    fn see(&mut self, batch: &FeatureBatch) {
        for (at, (field_type, column)) in batch.columns.iter().enumerate() {
            let Some(tally) = self.columns.get_mut(at) else { continue };
            match field_type {
                FieldType::Text => {
                    for text in column.as_string::<i32>().iter().flatten().filter(|text| !text.trim().is_empty()) {
                        tally.see(text);
                    }
                }
                FieldType::Integer if self.telephones[at] => {
                    for value in column.as_primitive::<Int64Type>().iter().flatten() {
                        tally.filled += 1;
                        tally.telephones += u64::from(TELEPHONES_WITHOUT_ZERO.iter().any(|range| range.contains(&value)));
                    }
                }
                _ => tally.filled += (column.len() - column.null_count()) as u64,
            }
        }
    }

    fn finish(self: Box<Self>, _outcome: &Outcome) -> Vec<Finding> {
        let fields = &self.context.source.fields;
        let has_first_name = fields.iter().any(column_name::is_first_name);
        let judged = fields.iter().zip(&self.columns);
        judged.filter_map(|(field, tally)| judge_column(self.context, field, tally, has_first_name)).collect()
    }
}

fn judge_column(context: &Context<'_>, field: &Field, tally: &Tally, has_first_name: bool) -> Option<Finding> {
    let mut kinds = tally.evidence();
    if !kinds.is_empty() {
        let last = kinds.len() - 1;
        kinds[last].push_str(&format!(" sur {}", counted(tally.filled, "valeur", "valeurs")));
    }
    let by_name = column_name::evidence(field, has_first_name);
    if let Some(reason) = by_name {
        kinds.insert(0, reason.to_owned());
    }
    if kinds.is_empty() {
        return None;
    }
    let reason = kinds.join(", ");
    let left_out = names_field(context.left_out, field);
    let (severity, advice) = match context.listed {
        _ if left_out => (Severity::Notice, "elle reste chez vous, par votre décision"),
        // The officer's own hand did not list it, and had not seen what it holds now.
        Some(listed) if names_field(listed, field) && context.listed_unsuspected.contains(&field.source_name) => (
            context.question(CODE),
            "ces traces sont apparues depuis que « bocage add » a inscrit la colonne : corrigez les valeurs, ou inscrivez-la dans \
             left_out, ou confirmez que vous pouvez les publier",
        ),
        Some(listed) if names_field(listed, field) => (Severity::Notice, "elle est publiée, par votre décision"),
        // Every suspected column of the first version was decided: this one came later, stays in and holds nothing.
        Some(_) if context.fields_before.is_some() => {
            (Severity::Warning, "apparue depuis la dernière version, elle reste chez vous ; inscrivez-la dans left_out ou sous [fields]")
        }
        Some(_) => (Severity::Question, "inscrivez-la sous [fields] si elle peut être publiée, sinon dans left_out"),
        None => (Severity::Warning, "ne la publiez que si vous en avez le droit ; sinon inscrivez-la dans left_out"),
    };
    let left_out = format!("left_out = [{}]", toml_text(&field.source_name));
    let remedies = match severity {
        Severity::Notice => Vec::new(),
        _ if context.listed.is_some_and(|listed| names_field(listed, field)) => vec![left_out, format!("[checks]\nignore = [\"{CODE}\"]")],
        _ => vec![left_out, format!("[fields]\n{} = {{}}", toml_key(&field.name))],
    };
    let count = if by_name.is_some() { tally.filled.max(1) } else { tally.largest() };
    let message = format!("{}{reason}{REASON_END}{advice}", reason_start(&field.source_name));
    Some(Finding { places: vec![place_of_field(&field.source_name)], remedies, ..finding(CODE, severity, count, message) })
}

/// Ends the reason inside a message; reasons hold none.
const REASON_END: &str = " ; ";

fn reason_start(source_name: &str) -> String {
    format!("colonne « {source_name} » : ")
}

/// The column that a finding of this check suspects, and the reason in French.
pub fn suspicion(finding: &Finding) -> Option<(String, String)> {
    if finding.code != CODE {
        return None;
    }
    let column = finding.places.first()?.field.clone()?;
    let rest = finding.message.strip_prefix(&reason_start(&column))?;
    let reason = rest.split_once(REASON_END).map_or(rest, |(reason, _)| reason);
    Some((column, reason.to_owned()))
}

/// A TOML basic string.
fn toml_text(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// A TOML key, bare where it can be.
fn toml_key(name: &str) -> String {
    let bare = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    if bare { name.to_owned() } else { toml_text(name) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::suspected_columns;
    use crate::check::trial;

    fn judge(name: &str, texts: &[&str]) -> Vec<Finding> {
        let source = trial::table(&[(name, FieldType::Text)]);
        let context = Context { listed: Some(&[]), ..trial::context(&source) };
        trial::judge_texts(&PersonalData, &context, texts)
    }

    #[test]
    fn each_kind_of_evidence_holds_the_layer() {
        for (name, text) in [
            ("obs", "Prendre RDV avec M. Le Goff 06 39 98 61 57"),
            ("courriel", "nolwenn.morvan@example.org"),
            ("compte", "FR76 3000 6000 0112 3456 7890 189"),
            ("numero", "1 85 05 78 006 084 91"),
            ("etiquette", "LE GOFF Annaïck"),
            ("occupant", "Mme Morvan"),
            ("Prénom", "x"),
        ] {
            let found = judge(name, &[text, "RAS", "RAS"]);
            assert_eq!(found.first().map(|found| found.severity), Some(Severity::Question), "{name}");
            assert_eq!(found[0].places[0].field.as_deref(), Some(name));
        }
    }

    #[test]
    fn no_finding_repeats_a_persons_data() {
        let found = judge("obs", &["M. Le Goff 06 39 98 61 57", "malo@example.org"]);
        let said = format!("{found:?}");
        assert!(!said.contains("Goff") && !said.contains("06 39") && !said.contains("malo"), "{said}");
    }

    #[test]
    fn streets_associations_and_codes_hold_nothing() {
        let streets = ["Rue Madame Curie", "Allée Alexandra David-Néel", "Rue M. Dupont"];
        let codes = ["45164849700019", "35023_1000_00004", "213500234"];
        let clubs = ["Association ART CULTURE ET LOISIRS", "mairie@bedee.fr", "08 00 12 34 56"];
        for texts in [streets, codes, clubs] {
            assert_eq!(judge("nom", &texts), []);
        }
    }

    #[test]
    fn a_lone_number_among_many_values_is_chance() {
        let mut texts = vec!["RAS"; 200];
        texts[7] = "0261910161";
        assert_eq!(judge("code", &texts), []);
        texts[8] = "0261910162";
        assert_eq!(judge("code", &texts).len(), 1);
    }

    #[test]
    fn an_officers_word_settles_the_question_either_way() {
        let source = trial::table(&[("OBS", FieldType::Text)]);
        let column = ["obs".to_owned()];
        let texts = ["yann@example.org"; 3];
        let published = Context { listed: Some(&column), ..trial::context(&source) };
        let kept = Context { listed: Some(&[]), left_out: &column, ..trial::context(&source) };
        for context in [published, kept] {
            let found = trial::judge_texts(&PersonalData, &context, &texts);
            assert_eq!(found[0].severity, Severity::Notice);
            assert_eq!(suspected_columns(&found)[0].0, "OBS");
        }
    }

    #[test]
    fn a_column_that_add_listed_by_itself_is_no_officers_word() {
        let source = trial::table(&[("OBS", FieldType::Text)]);
        let column = ["OBS".to_owned()];
        let mut context = Context { listed: Some(&column), listed_unsuspected: &column, ..trial::context(&source) };
        let severity = |context: &Context<'_>| trial::judge_texts(&PersonalData, context, &["yann@example.org"; 3])[0].severity;
        assert_eq!(severity(&context), Severity::Question);
        let ignored = [CODE.to_owned()];
        context.ignored = &ignored;
        assert_eq!(severity(&context), Severity::Warning, "the officer confirms");
        context.ignored = &[];
        context.listed_unsuspected = &[];
        assert_eq!(severity(&context), Severity::Notice, "listed by hand, or published knowingly before");
    }

    #[test]
    fn a_column_that_appears_in_a_later_version_holds_nothing() {
        let source = trial::table(&[("courriel", FieldType::Text)]);
        let before = [trial::field("nom", FieldType::Text)];
        let context = Context { listed: Some(&[]), fields_before: Some(&before), ..trial::context(&source) };
        assert_eq!(trial::judge_texts(&PersonalData, &context, &["yann@example.org"; 3])[0].severity, Severity::Warning);
    }

    #[test]
    fn an_ad_hoc_site_warns_and_add_learns_the_reason() {
        let source = trial::table(&[("Tél. fixe", FieldType::Integer)]);
        let context = trial::context(&source);
        let rows = vec![(vec![crate::model::feature::Value::Integer(261_910_161)], None)];
        let found = trial::judge(&PersonalData, &context, &rows, &Outcome::default());
        assert_eq!(found[0].severity, Severity::Warning);
        assert_eq!(found[0].remedies[0], "left_out = [\"Tél. fixe\"]");
        assert_eq!(suspected_columns(&found), [("Tél. fixe".to_owned(), "1 numéro de téléphone sur 1 valeur".to_owned())]);
    }

    #[test]
    fn a_surname_counts_beside_a_first_name_only() {
        let source = trial::table(&[("NOM", FieldType::Text), ("Prénom", FieldType::Text)]);
        let context = Context { listed: Some(&[]), ..trial::context(&source) };
        assert_eq!(trial::judge(&PersonalData, &context, &[], &Outcome::default()).len(), 2);
        assert_eq!(judge("NOM", &["Breteil", "Iffendic"]), []);
    }
}
