//! A column inside tiles that somebody else cut: it cannot be left out.

use crate::check::Afterwards;
use crate::check::Check;
use crate::check::Context;
use crate::check::Inspection;
use crate::check::french::agree;
use crate::check::french::counted;
use crate::check::names_field;
use crate::check::place_list::finding;
use crate::check::place_list::place_of_field;
use crate::model::finding::Finding;
use crate::model::finding::PLACES_MAX;
use crate::model::finding::Severity;
use crate::model::reading::Outcome;

pub struct TilesetColumn;

impl Check for TilesetColumn {
    fn code(&self) -> &'static str {
        "tileset-column"
    }

    fn explanation(&self) -> &'static str {
        "Une archive de tuiles (.pmtiles, .mbtiles) est publiée telle quelle : la colonne qu'elle contient sort avec elle, qu'elle \
         soit inscrite ou non. Une colonne qui n'est pas sous [fields] retient donc la couche. Inscrivez-la sous [fields] si elle \
         peut sortir ; sinon, refaites l'archive sans elle, ou donnez à bocage le fichier dont elle est tirée."
    }

    fn begin<'a>(&self, context: &'a Context<'a>) -> Box<dyn Inspection + 'a> {
        Box::new(Afterwards { context, verdict: judge })
    }
}

fn judge(context: &Context<'_>, _outcome: &Outcome) -> Option<Finding> {
    let listed = context.listed.filter(|_| context.source.is_tileset)?;
    let unlisted = context.source.fields.iter().filter(|field| !names_field(listed, field));
    let unlisted: Vec<&str> = unlisted.map(|field| field.source_name.as_str()).collect();
    if unlisted.is_empty() {
        return None;
    }
    let count = unlisted.len() as u64;
    let names: Vec<String> = unlisted.iter().map(|name| format!("« {name} »")).collect();
    let message = format!(
        "{} des tuiles {} sous [fields] : {} ; inscrivez ce qui peut sortir, ou refaites l'archive sans le reste",
        counted(count, "colonne", "colonnes"),
        agree(count, "n'est pas", "ne sont pas"),
        names.join(", ")
    );
    let places = unlisted.iter().take(PLACES_MAX).map(|name| place_of_field(name)).collect();
    Some(Finding { places, ..finding("tileset-column", Severity::Blocking, count, message) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::trial;
    use crate::model::layer::FieldType;

    #[test]
    fn a_column_of_tiles_goes_out_by_the_officers_word_alone() {
        let mut source = trial::table(&[("nom", FieldType::Text), ("proprietaire", FieldType::Text)]);
        let (listed, left_out) = (["nom".to_owned()], ["proprietaire".to_owned()]);
        let judged =
            |source: &_| judge(&Context { listed: Some(&listed), left_out: &left_out, ..trial::context(source) }, &Outcome::default());
        assert_eq!(judged(&source), None, "a file's column is left out");
        source.is_tileset = true;
        let found = judged(&source).expect("a finding");
        assert_eq!((found.severity, found.places[0].field.as_deref()), (Severity::Blocking, Some("proprietaire")));
        let both = ["nom".to_owned(), "proprietaire".to_owned()];
        assert_eq!(judge(&Context { listed: Some(&both), ..trial::context(&source) }, &Outcome::default()), None);
    }
}
