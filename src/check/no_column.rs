//! A table of which no column goes out.

use crate::check::Afterwards;
use crate::check::Check;
use crate::check::Context;
use crate::check::Inspection;
use crate::check::names_field;
use crate::check::place_list::finding;
use crate::model::finding::Finding;
use crate::model::finding::Severity;
use crate::model::reading::Outcome;

pub struct NoColumn;

impl Check for NoColumn {
    fn code(&self) -> &'static str {
        "no-column"
    }

    fn explanation(&self) -> &'static str {
        "Seules les colonnes inscrites sous [fields] sont publiées. Une table sans géométrie dont aucune colonne n'est inscrite \
         ne publierait que des lignes vides, ce qui n'est utile à personne. Inscrivez sous [fields] les colonnes à publier ; la \
         commande bocage add les écrit pour vous."
    }

    fn begin<'a>(&self, context: &'a Context<'a>) -> Box<dyn Inspection + 'a> {
        Box::new(Afterwards { context, verdict: judge })
    }
}

fn judge(context: &Context<'_>, _outcome: &Outcome) -> Option<Finding> {
    if context.source.geometry.is_some() || context.source.is_tileset {
        return None;
    }
    let goes_out = |field| context.listed.is_none_or(|listed| names_field(listed, field));
    if context.source.fields.iter().any(goes_out) {
        return None;
    }
    let message = "aucune colonne de cette table sans géométrie n'est publiée ; inscrivez au moins une colonne sous [fields]".to_owned();
    Some(finding("no-column", Severity::Blocking, 1, message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::trial;

    use crate::model::layer::FieldType;

    #[test]
    fn a_table_without_a_listed_column_is_blocked() {
        let source = trial::table(&[("nom", FieldType::Text)]);
        let context = Context { listed: Some(&[]), ..trial::context(&source) };
        assert_eq!(judge(&context, &Outcome::default()).map(|found| found.severity), Some(Severity::Blocking));
    }

    #[test]
    fn geometry_alone_or_one_column_is_enough() {
        let source = trial::points(&[("nom", FieldType::Text)]);
        assert_eq!(judge(&Context { listed: Some(&[]), ..trial::context(&source) }, &Outcome::default()), None);
        let source = trial::table(&[("nom", FieldType::Text)]);
        assert_eq!(judge(&trial::context(&source), &Outcome::default()), None);
    }
}
