//! JUDGE: what is wrong, doubtful or personal in a layer. A check reports and never repairs.

mod codes_without_zeros;
mod column_left_out;
mod crs_contradicted;
mod crs_missing;
mod duplicate_geometry;
mod duplicate_id;
mod empty_geometry;
mod empty_layer;
mod encoding_doubt;
mod erased_content;
mod features_dropped;
mod field_missing;
mod french;
mod invalid_geometry;
mod metadata_missing;
mod no_column;
mod outside_territory;
mod personal_data;
mod place_list;
mod print;
mod reader_said;
mod rows_lost;
mod tileset_column;
#[cfg(test)]
mod trial;
mod unusable_geometry;
mod values_lost;

pub use crate::check::erased_content::erased_content;
use crate::model::batch::FeatureBatch;
use crate::model::crs::Crs;
use crate::model::finding::Finding;
use crate::model::finding::Severity;
use crate::model::geometry::Envelope;
use crate::model::layer::Field;
use crate::model::reading::Outcome;
use crate::model::reading::SourceLayer;
use crate::model::record::Record;

/// What a check may know before the first feature.
pub struct Context<'a> {
    pub layer_id: &'a str,
    pub source: &'a SourceLayer,
    /// The CRS that applies: the file's, else the officer's; `None` where neither says.
    pub crs: Option<Crs>,
    /// `crs = …` of the layer's file.
    pub declared_crs: Option<Crs>,
    /// `crs = …` of the producer's folder or the site: offered first.
    pub likely_crs: Option<Crs>,
    /// Lon, lat.
    pub territory: Option<Envelope>,
    /// Columns under `[fields]`, by source or safe name; `None` in an ad hoc site or on `check FILE`, where all go out.
    pub listed: Option<&'a [String]>,
    /// `left_out` of the layer's file.
    pub left_out: &'a [String],
    /// The field declared by `id = …`.
    pub id_field: Option<&'a str>,
    pub record: Option<&'a Record>,
    /// Columns of the version being served, by name; `None` before the first publication.
    pub fields_before: Option<&'a [Field]>,
    pub features_before: Option<u64>,
    /// Columns that `bocage add` listed by itself, for they held no evidence of persons then, and that were not published
    /// with any since; by their name in the source.
    pub listed_unsuspected: &'a [String],
    /// Codes of `[checks] ignore`.
    pub ignored: &'a [String],
}

impl Context<'_> {
    fn question(&self, code: &str) -> Severity {
        question(self.ignored, code)
    }
}

/// A question that no line of the layer's file answers by itself is answered by its code under `[checks] ignore`:
/// the officer has seen it, and it holds the layer no longer.
fn question(ignored: &[String], code: &str) -> Severity {
    if ignored.iter().any(|ignored| ignored == code) { Severity::Warning } else { Severity::Question }
}

/// Whether a column is meant by one of `names`.
fn names_field(names: &[String], field: &Field) -> bool {
    names.iter().any(|name| field.is_named(name))
}

/// A check: one file, one struct without fields, one line in [`CHECKS`].
pub trait Check: Sync {
    /// Stable for ever, kebab-case.
    fn code(&self) -> &'static str;
    /// Becomes `/checks/{code}`, in French: what is looked for, why, what to do.
    fn explanation(&self) -> &'static str;
    fn begin<'a>(&self, context: &'a Context<'a>) -> Box<dyn Inspection + 'a>;
}

/// Sees any number of batches, finishes once.
///
/// Batches hold every column of the source, in the source's order. Geometry is lon, lat where `Context::crs` is known,
/// else in the source's own unknown coordinates.
pub trait Inspection {
    fn see(&mut self, batch: &FeatureBatch);
    /// `outcome` is the reading's.
    fn finish(self: Box<Self>, outcome: &Outcome) -> Vec<Finding>;
}

/// What a check does that needs no feature: it judges the context and the outcome.
type Verdict = fn(&Context<'_>, &Outcome) -> Option<Finding>;

/// An inspection that looks at no feature.
struct Afterwards<'a> {
    context: &'a Context<'a>,
    verdict: Verdict,
}

impl Inspection for Afterwards<'_> {
    fn see(&mut self, _batch: &FeatureBatch) {}

    fn finish(self: Box<Self>, outcome: &Outcome) -> Vec<Finding> {
        (self.verdict)(self.context, outcome).into_iter().collect()
    }
}

pub const CHECKS: &[&dyn Check] = &[
    &rows_lost::RowsLost,
    &values_lost::ValuesLost,
    &empty_layer::EmptyLayer,
    &erased_content::ErasedContent,
    &features_dropped::FeaturesDropped,
    &reader_said::ReaderSaid,
    &crs_missing::CrsMissing,
    &crs_contradicted::CrsContradicted,
    &outside_territory::OutsideTerritory,
    &encoding_doubt::EncodingDoubt,
    &invalid_geometry::InvalidGeometry,
    &unusable_geometry::UnusableGeometry,
    &empty_geometry::EmptyGeometry,
    &duplicate_geometry::DuplicateGeometry,
    &duplicate_id::DuplicateId,
    &codes_without_zeros::CodesWithoutZeros,
    &no_column::NoColumn,
    &field_missing::FieldMissing,
    &column_left_out::ColumnLeftOut,
    &tileset_column::TilesetColumn,
    &metadata_missing::MetadataMissing,
    &personal_data::PersonalData,
];

/// All checks of a layer, run together.
pub struct Examination<'a> {
    context: &'a Context<'a>,
    inspections: Vec<Box<dyn Inspection + 'a>>,
}

impl<'a> Examination<'a> {
    pub fn begin(context: &'a Context<'a>) -> Examination<'a> {
        Examination { context, inspections: CHECKS.iter().map(|check| check.begin(context)).collect() }
    }

    pub fn see(&mut self, batch: &FeatureBatch) {
        for inspection in &mut self.inspections {
            inspection.see(batch);
        }
    }

    /// Findings, worst first; those that `[checks] ignore` names are left out unless they hold the layer, or speak of
    /// persons: the next version is judged by what was known of this one.
    pub fn finish(self, outcome: &Outcome) -> Vec<Finding> {
        let mut findings: Vec<Finding> = self.inspections.into_iter().flat_map(|inspection| inspection.finish(outcome)).collect();
        let is_told = |finding: &Finding| finding.severity.holds() || personal_data::suspicion(finding).is_some();
        findings.retain(|finding| is_told(finding) || !self.context.ignored.contains(&finding.code));
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        findings
    }
}

/// Columns that may hold persons, with the reason in French: what `bocage add` writes commented out.
/// The same evidence as the checks use, so that the two cannot disagree.
pub fn suspected_columns(findings: &[Finding]) -> Vec<(String, String)> {
    findings.iter().filter_map(personal_data::suspicion).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_kebab_case() {
        let mut codes: Vec<&str> = CHECKS.iter().map(|check| check.code()).collect();
        for code in &codes {
            assert!(code.split('-').all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase())), "{code}");
        }
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), CHECKS.len());
    }

    #[test]
    fn explanations_are_french_sentences() {
        for check in CHECKS {
            let text = check.explanation();
            assert!(text.len() > 120 && text.ends_with('.') && !text.contains("(s)"), "{}", check.code());
            assert!(text.split(". ").count() >= 2, "{}: what, why, what to do", check.code());
            assert!([" la ", " le ", " les ", " une "].iter().any(|word| text.contains(word)), "{}", check.code());
        }
    }

    #[test]
    fn a_finding_that_holds_cannot_be_ignored_away() {
        let source = trial::table(&[]);
        let mut context = trial::context(&source);
        let ignored = vec!["rows-lost".to_owned(), "no-column".to_owned()];
        context.ignored = &ignored;
        let findings = Examination::begin(&context).finish(&Outcome { rows_read: 3, ..Outcome::default() });
        assert!(findings.iter().any(|finding| finding.code == "no-column" && finding.severity == Severity::Blocking));
    }

    #[test]
    fn findings_come_worst_first() {
        let source = trial::table(&[]);
        let context = trial::context(&source);
        let findings = Examination::begin(&context).finish(&Outcome { messages: vec!["x".into()], ..Outcome::default() });
        assert!(findings.len() >= 2);
        assert!(findings.is_sorted_by_key(|finding| std::cmp::Reverse(finding.severity)));
    }
}
