//! JUDGE: what is wrong, doubtful or personal in a layer. A check reports and never repairs.

use crate::model::batch::FeatureBatch;
use crate::model::crs::Crs;
use crate::model::finding::Finding;
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
    /// Codes of `[checks] ignore`.
    pub ignored: &'a [String],
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

pub const CHECKS: &[&dyn Check] = &[];

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

    /// Findings, worst first; those that `[checks] ignore` names are left out unless they hold the layer.
    pub fn finish(self, outcome: &Outcome) -> Vec<Finding> {
        let mut findings: Vec<Finding> = self.inspections.into_iter().flat_map(|inspection| inspection.finish(outcome)).collect();
        findings.retain(|finding| finding.severity.holds() || !self.context.ignored.contains(&finding.code));
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        findings
    }
}

/// Columns that may hold persons, with the reason in French: what `bocage add` writes commented out.
/// The same evidence as the checks use, so that the two cannot disagree.
pub fn suspected_columns(_findings: &[Finding]) -> Vec<(String, String)> {
    unimplemented!()
}
