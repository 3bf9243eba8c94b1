//! Columns that a style draws by, whether its rules are understood or not. A style names values too: the classes of a column
//! that stays in would tell what is in it.

use crate::xml;
use crate::xml::Element;

/// Attributes that hold a column's name or an expression.
const SPEAKING: [&str; 5] = ["attr", "filter", "fieldName", "expression", "classificationAttributeExpression"];

/// Properties that do.
const SPEAKING_OPTIONS: [&str; 2] = ["expression", "field"];

/// Those of `columns` that symbols or labels of QML ask for, in any letter case; all of them where the bytes are no XML.
pub fn in_qml<'a>(bytes: &[u8], columns: &[&'a str]) -> Vec<&'a str> {
    let Ok(root) = xml::parse(bytes) else { return columns.to_vec() };
    let mut texts = Vec::new();
    for part in ["renderer-v2", "labeling"] {
        root.children_named(part).for_each(|element| gather(element, &mut texts));
    }
    columns.iter().copied().filter(|column| texts.iter().any(|text| cites(text, &column.to_lowercase()))).collect()
}

/// Those of `columns` that stand as a word in a style of any other language, in any letter case.
pub fn anywhere<'a>(bytes: &[u8], columns: &[&'a str]) -> Vec<&'a str> {
    let text = String::from_utf8_lossy(bytes).to_lowercase();
    columns.iter().copied().filter(|column| cites(&text, &column.to_lowercase())).collect()
}

/// Lower case.
fn gather(element: &Element, texts: &mut Vec<String>) {
    texts.extend(SPEAKING.iter().filter_map(|name| element.attribute(name)).map(str::to_lowercase));
    if element.attribute("name").is_some_and(|name| SPEAKING_OPTIONS.contains(&name)) {
        texts.extend(element.attribute("value").map(str::to_lowercase));
    }
    element.children().for_each(|child| gather(child, texts));
}

/// As a whole word; a name of several words anywhere.
fn cites(text: &str, column: &str) -> bool {
    let is_other = |sign: char| !sign.is_alphanumeric() && sign != '_';
    if column.contains(is_other) { text.contains(column) } else { text.split(is_other).any(|word| word == column) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cited(inside: &str) -> Vec<&'static str> {
        let columns_kept_back = ["nom", "Propriétaire", "État du projet", "type"];
        in_qml(format!("<qgis><aliases><alias field='nom' name='nom'/></aliases>{inside}</qgis>").as_bytes(), &columns_kept_back)
    }

    #[test]
    fn what_symbols_and_labels_ask_for_is_cited() {
        assert_eq!(cited("<renderer-v2 type='categorizedSymbol' attr='propriétaire'/>"), ["Propriétaire"]);
        assert_eq!(cited("<renderer-v2><rules><rule><rule filter='upper(NOM) = &apos;X&apos;'/></rule></rules></renderer-v2>"), ["nom"]);
        assert_eq!(
            cited("<labeling><settings><text-style fieldName='\"État du projet\" || 1'/></settings></labeling>"),
            ["État du projet"]
        );
        let defined = "<renderer-v2><symbols><symbol><layer><data_defined_properties><Option type='Map'><Option name='field' value='nom'/></Option></data_defined_properties></layer></symbol></symbols></renderer-v2>";
        assert_eq!(cited(defined), ["nom"]);
    }

    #[test]
    fn words_of_the_format_are_no_columns() {
        assert!(cited("<renderer-v2 type='categorizedSymbol' attr='nature'><symbol name='nom' type='type'/></renderer-v2>").is_empty());
        assert!(cited("<renderer-v2 attr='prenom'/>").is_empty());
        assert_eq!(in_qml(b"<qgis", &["nom"]), ["nom"]);
        assert_eq!(anywhere("<PropertyName>Propriétaire</PropertyName>".as_bytes(), &["propriétaire", "nom"]), ["propriétaire"]);
    }
}
