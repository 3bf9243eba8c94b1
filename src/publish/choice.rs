//! Which rows go out: those that the officer's `where` chooses.

use crate::model::batch::FeatureBatch;
use crate::model::crs::CRS84;
use crate::model::layer::IdKind;
use crate::model::layer::Layer;
use crate::model::layer::LayerId;
use crate::model::reading::SourceLayer;
use crate::model::tiling::Tiling;
use crate::publish::normalise;
use crate::query::evaluate;
use crate::query::filter::Filter;
use crate::query::filter::resolve;

/// The rows that `where` chooses.
pub struct Choice {
    filter: Filter,
    /// With every column of the source, listed or not.
    layer: Layer,
}

impl Choice {
    /// Columns by their name in the source or by their safe name, geometries in lon, lat.
    /// # Errors
    /// In French: a column that the source lacks, or operands that do not fit.
    pub fn of(filter: Filter, source: &SourceLayer) -> anyhow::Result<Choice> {
        let layer = whole_layer(source);
        let named = safely_named(filter, source);
        let filter = resolve::resolve(named, &layer, CRS84)
            .map_err(|expected| anyhow::anyhow!("where ne convient pas à cette couche ({expected})"))?;
        Ok(Choice { filter, layer })
    }

    pub fn rows(&self, batch: &FeatureBatch) -> FeatureBatch {
        let row = |row| evaluate::Row { layer: &self.layer, batch, row };
        let chosen = (0..batch.rows()).map(|at| Some(evaluate::evaluate(&self.filter, row(at)) == Some(true))).collect();
        batch.choose(&chosen)
    }
}

/// The filter with the layer's names in the place of the source's.
pub fn safely_named(filter: Filter, source: &SourceLayer) -> Filter {
    let renamed = match filter {
        Filter::Property(name) => {
            let column = normalise::column_named(&source.fields, &name);
            Filter::Property(column.map_or(name, |column| source.fields[column].name.clone()))
        }
        other => other,
    };
    let changed: Result<Filter, std::convert::Infallible> = renamed.try_map(&mut |child| Ok(safely_named(child, source)));
    match changed {
        Ok(filter) => filter,
    }
}

/// The source as a layer with every column.
fn whole_layer(source: &SourceLayer) -> Layer {
    Layer {
        id: LayerId::new("source").expect("the id is a literal"),
        title: String::new(),
        description: String::new(),
        fields: source.fields.clone(),
        geometry: source.geometry,
        crs: CRS84,
        id_kind: IdKind::Integer,
        id_field: None,
        time_fields: Vec::new(),
        features: 0,
        extent: None,
        interval: None,
        tiling: Tiling::default(),
        is_tileset: false,
    }
}
