//! Field names that every output can bear.

use std::collections::HashSet;

/// Names that formats and this house's own columns use.
const RESERVED: [&str; 6] = ["id", "fid", "geom", "geometry", "bocage_id", "ogc_fid"];

/// Safe and unique names for columns, in their order: letters, digits and `_`; a leading digit or a reserved name gets
/// `c_` in front; twins, in any letter case, get `_2`.
pub fn safe_names(sources: &[String]) -> Vec<String> {
    let mut taken = HashSet::new();
    sources
        .iter()
        .map(|source| {
            let mut name = String::new();
            for sign in source.trim().chars() {
                if sign.is_alphanumeric() {
                    name.push(sign);
                } else if !name.is_empty() && !name.ends_with('_') {
                    name.push('_');
                }
            }
            let name = name.trim_end_matches('_');
            let unsafe_head =
                name.is_empty() || name.starts_with(|sign: char| sign.is_numeric()) || RESERVED.contains(&name.to_lowercase().as_str());
            let name = if unsafe_head { format!("c_{name}").trim_end_matches('_').to_owned() } else { name.to_owned() };
            let free = std::iter::once(name.clone())
                .chain((2..).map(|n| format!("{name}_{n}")))
                .find(|name| !taken.contains(&name.to_lowercase()));
            let name = free.unwrap_or(name);
            taken.insert(name.to_lowercase());
            name
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_safe_and_stay_unique() {
        let sources = ["Nom usuel", "id", "2026", "NOM USUEL", "", "é-è", "Géom.", "geom"].map(str::to_owned);
        assert_eq!(safe_names(&sources), ["Nom_usuel", "c_id", "c_2026", "NOM_USUEL_2", "c", "é_è", "Géom", "c_geom"]);
    }
}
