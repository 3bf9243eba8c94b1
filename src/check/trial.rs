//! Small layers for the tests of checks.

use crate::check::Check;
use crate::check::Context;
use crate::model::batch::batch_of;
use crate::model::crs::LAMBERT_93;
use crate::model::feature::Value;
use crate::model::finding::Finding;
use crate::model::geometry::Envelope;
use crate::model::layer::Field;
use crate::model::layer::FieldType;
use crate::model::layer::GeometryColumn;
use crate::model::layer::GeometryType;
use crate::model::layer::LayerId;
use crate::model::reading::ClaimedCrs;
use crate::model::reading::Outcome;
use crate::model::reading::SourceLayer;

/// The territory of Montfort.
pub const TERRITORY: Envelope = Envelope { west: -2.16, south: 48.02, east: -1.80, north: 48.26 };

pub fn field(source_name: &str, field_type: FieldType) -> Field {
    Field {
        name: LayerId::from_name(source_name).map(String::from).unwrap_or_default(),
        source_name: source_name.to_owned(),
        title: source_name.to_owned(),
        description: None,
        unit: None,
        field_type,
        values: Vec::new(),
    }
}

/// A table without geometry.
pub fn table(columns: &[(&str, FieldType)]) -> SourceLayer {
    SourceLayer {
        name: "essai".to_owned(),
        fields: columns.iter().map(|(name, field_type)| field(name, *field_type)).collect(),
        geometry: None,
        crs: ClaimedCrs::NotApplicable,
        rows_claimed: None,
        title: None,
        description: None,
        encoding: None,
        position_fields: Vec::new(),
        is_tileset: false,
        is_keyed: false,
    }
}

/// A layer of points in Lambert-93.
pub fn points(columns: &[(&str, FieldType)]) -> SourceLayer {
    SourceLayer {
        geometry: Some(GeometryColumn { geometry_type: GeometryType::Point, has_z: false, has_m: false }),
        crs: ClaimedCrs::Known(LAMBERT_93),
        ..table(columns)
    }
}

pub fn context(source: &SourceLayer) -> Context<'_> {
    let crs = match source.crs {
        ClaimedCrs::Known(crs) => Some(crs),
        _ => None,
    };
    Context {
        layer_id: "essai",
        source,
        crs,
        declared_crs: None,
        likely_crs: None,
        territory: Some(TERRITORY),
        listed: None,
        left_out: &[],
        id_field: None,
        record: None,
        fields_before: None,
        features_before: None,
        listed_unsuspected: &[],
        ignored: &[],
    }
}

/// What `check` finds in `rows` of values and geometries.
pub fn judge(check: &dyn Check, context: &Context<'_>, rows: &[(Vec<Value<'_>>, Option<Vec<u8>>)], outcome: &Outcome) -> Vec<Finding> {
    let types: Vec<FieldType> = context.source.fields.iter().map(|field| field.field_type).collect();
    let mut inspection = check.begin(context);
    // Two rows a batch: a check that forgets to count on from one batch to the next is caught.
    for (at, chunk) in rows.chunks(2).enumerate() {
        let rows: Vec<_> = chunk.iter().enumerate().map(|(n, (v, g))| (Some((at * 2 + n) as i64), v.clone(), g.clone())).collect();
        inspection.see(&batch_of(&types, &rows, context.source.geometry.is_some()));
    }
    inspection.finish(outcome)
}

/// What `check` finds in one text column.
pub fn judge_texts(check: &dyn Check, context: &Context<'_>, texts: &[&str]) -> Vec<Finding> {
    let rows: Vec<_> = texts.iter().map(|text| (vec![Value::Text(text)], None)).collect();
    judge(check, context, &rows, &Outcome { rows_read: texts.len() as u64, ..Outcome::default() })
}
