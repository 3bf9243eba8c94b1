//! The columns of a file that has no place of its own for the feature id: the id first, then the layer's.

use crate::model::batch::FeatureBatch;
use crate::model::feature::FeatureId;
use crate::model::feature::Value;
use crate::model::layer::FieldType;
use crate::model::layer::IdKind;
use crate::model::layer::Layer;

pub struct Column {
    pub name: String,
    pub title: String,
    pub field_type: FieldType,
}

/// The id that bocage issued, where no field of the layer says it, then the layer's own columns.
pub fn columns_of(layer: &Layer) -> Vec<Column> {
    let id = (layer.id_kind == IdKind::Integer).then(|| Column {
        name: "id".to_owned(),
        title: "Identifiant de l'objet".to_owned(),
        field_type: FieldType::Integer,
    });
    let own =
        layer.fields.iter().map(|field| Column { name: field.name.clone(), title: field.title.clone(), field_type: field.field_type });
    id.into_iter().chain(own).collect()
}

/// The values of a row, as [`columns_of`] orders them.
pub fn row_values<'b>(layer: &Layer, batch: &'b FeatureBatch, row: usize) -> impl Iterator<Item = Value<'b>> {
    let id = (layer.id_kind == IdKind::Integer).then(|| match batch.id(row) {
        Some(FeatureId::Integer(id)) => Value::Integer(id),
        _ => Value::Null,
    });
    id.into_iter().chain((0..batch.columns.len()).map(move |column| batch.value(row, column)))
}
