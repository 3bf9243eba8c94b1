//! `layers/<id>.toml`: one layer, as the officer wants it published.

use std::collections::BTreeMap;
use std::path::Path;

use toml::de::DeValue;

use crate::config::ConfigError;
use crate::config::DeclaredState;
use crate::config::FieldEntry;
use crate::config::LayerFile;
use crate::config::Mode;
use crate::config::SourceRef;
use crate::config::TableRef;
use crate::config::reader::Section;
use crate::config::reader::TomlFile;
use crate::config::reader::read_text;
use crate::model::crs::Crs;
use crate::model::layer::LayerId;
use crate::model::reading::TableOptions;
use crate::model::tile_matrix_set::ZOOM_MAX;
use crate::model::tiling::MAX_ZOOM;
use crate::model::tiling::Tiling;
use crate::query::cql2_text;

/// Keys of the contract that later rooms read; their shape is kept as written.
const RESERVED: [&str; 12] =
    ["hvd", "scale", "resolution_m", "created", "period", "documents", "uuid", "uri", "ows_name", "elevation", "queryable", "schema"];

/// French words of frequency, and the codes of ISO 19115 MD_MaintenanceFrequencyCode.
const FREQUENCIES: [(&str, &str); 14] = [
    ("continue", "continual"),
    ("quotidienne", "daily"),
    ("hebdomadaire", "weekly"),
    ("bimensuelle", "fortnightly"),
    ("mensuelle", "monthly"),
    ("trimestrielle", "quarterly"),
    ("semestrielle", "biannually"),
    ("annuelle", "annually"),
    ("annual", "annually"),
    ("au besoin", "asNeeded"),
    ("irrégulière", "irregular"),
    ("non planifiée", "notPlanned"),
    ("inconnue", "unknown"),
    ("jamais", "notPlanned"),
];

impl LayerFile {
    /// # Errors
    /// Any `ConfigError`.
    pub fn read(path: &Path) -> Result<LayerFile, ConfigError> {
        let file = TomlFile { text: read_text(path)?, path: path.to_owned() };
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let id = LayerId::new(&stem).map_err(|error| file.fault(0, format!("nom du fichier : {error}")))?;
        let table = file.parse()?;
        read(path, id, &Section::new(&file, &table, 0))
    }
}

fn read(path: &Path, id: LayerId, section: &Section<'_>) -> Result<LayerFile, ConfigError> {
    let fields = section.table("fields")?;
    let fields = fields.ok_or_else(|| section.file().fault(0, "il manque la table [fields], la liste des colonnes publiées".to_owned()))?;
    let fields = field_entries(&fields)?;
    let source = source(section)?;
    let is_table = matches!(source, SourceRef::Table(_));
    let file = LayerFile {
        path: path.to_owned(),
        id,
        source,
        layer: section.text("layer")?,
        state: section.parsed("state", state)?.unwrap_or(DeclaredState::Published),
        title: section.text("title")?,
        description: section.text("abstract")?,
        producer: section.text("producer")?,
        theme: section.text("theme")?,
        topic: section.text("topic")?,
        keywords: section.texts("keywords")?,
        licence: section.text("licence")?,
        frequency: section.text("frequency")?.map(|text| frequency(&text)),
        lineage: section.text("lineage")?,
        origin: section.text("origin")?,
        attribution: section.text("attribution")?,
        limits: section.text("limits")?,
        aliases: aliases(section)?,
        crs: section.parsed("crs", Crs::try_from)?,
        encoding: section.parsed("encoding", encoding)?,
        table: if is_table { None } else { section.table("table")?.map(|table| table_options(&table)).transpose()? },
        id_field: section.text("id")?,
        time: section.texts("time")?,
        left_out: section.texts("left_out")?,
        rows: section.parsed("where", |text| {
            cql2_text::parse(&text)
                .map_err(|expected| format!("ce n'est pas un filtre CQL2, par exemple « etat <> 'projet' » ({expected})"))
        })?,
        tiling: tiling(section, &fields)?,
        fields: Some(fields),
        ignored_checks: ignored(section)?,
        reserved: reserved(section)?,
    };
    section.finish()?;
    Ok(file)
}

fn source(section: &Section<'_>) -> Result<SourceRef, ConfigError> {
    let written = section.required("source", "\"dossier/fichier.gpkg\"")?;
    let mode = section.parsed("mode", mode)?;
    if written.starts_with("PG:") {
        let table = section.required("table", "\"schema.table\"")?;
        let table = TableRef::parse(&written, &table, mode.unwrap_or(Mode::Snapshot));
        return table.map(SourceRef::Table).map_err(|reason| section.fault("source", reason));
    }
    if mode.is_some() {
        return Err(section.fault("mode", "mode ne convient qu'à une table : source = \"PG:service=…\"".to_owned()));
    }
    let written = written.replace('\\', "/");
    if written.starts_with('/') || written.contains(':') || written.split('/').any(|part| part == "..") {
        return Err(section.fault(
            "source",
            format!("« {written} » sort du dépôt : attendu un chemin sous le dépôt, par exemple « dossier/fichier.gpkg »"),
        ));
    }
    Ok(SourceRef::File(written))
}

fn mode(text: String) -> Result<Mode, String> {
    match text.as_str() {
        "snapshot" => Ok(Mode::Snapshot),
        "live" => Ok(Mode::Live),
        _ => Err(format!("« {text} » n'est pas un mode : attendu « snapshot » ou « live »")),
    }
}

fn state(text: String) -> Result<DeclaredState, String> {
    match text.as_str() {
        "proposed" => Ok(DeclaredState::Proposed),
        "published" => Ok(DeclaredState::Published),
        "withdrawn" => Ok(DeclaredState::Withdrawn),
        _ => Err(format!("« {text} » n'est pas un état : attendu « proposed », « published » ou « withdrawn »")),
    }
}

fn encoding(text: String) -> Result<String, String> {
    let known = ["UTF-8", "CP1252", "ISO-8859-1", "CP850"];
    let found = known.iter().find(|name| name.eq_ignore_ascii_case(&text));
    found.map(|name| (*name).to_owned()).ok_or_else(|| format!("« {text} » n'est pas un encodage lu : attendu {}", known.join(", ")))
}

fn frequency(text: &str) -> String {
    let lower = text.to_lowercase();
    FREQUENCIES.iter().find(|(french, _)| *french == lower).map_or_else(|| text.to_owned(), |(_, code)| (*code).to_owned())
}

fn aliases(section: &Section<'_>) -> Result<Vec<LayerId>, ConfigError> {
    section.texts("aliases")?.iter().map(|alias| LayerId::new(alias).map_err(|error| section.fault("aliases", error.to_string()))).collect()
}

fn table_options(section: &Section<'_>) -> Result<TableOptions, ConfigError> {
    let options = TableOptions {
        header_row: section.integer("header_row", 1)?.and_then(|row| u32::try_from(row).ok()),
        x: section.text("x")?,
        y: section.text("y")?,
        // A tabulation is white space to everyone else.
        separator: section.kept("separator").and_then(|value| value.as_str().map(str::to_owned)),
    };
    section.finish()?;
    Ok(options)
}

fn field_entries(section: &Section<'_>) -> Result<Vec<(String, FieldEntry)>, ConfigError> {
    section
        .entries()
        .into_iter()
        .map(|(name, span, value)| {
            let DeValue::Table(table) = value.get_ref() else {
                return Err(section
                    .file()
                    .fault(span.start, format!("{name} : attendu une table, par exemple {name} = {{ title = \"…\" }}")));
            };
            let entry = Section::new(section.file(), table, span.start);
            let said = FieldEntry {
                title: entry.text("title")?,
                description: entry.text("description")?,
                unit: entry.text("unit")?,
                min_zoom: zoom(&entry, "min_zoom")?,
                values: entry.table("values")?.map(|values| codes(&values)).transpose()?.unwrap_or_default(),
            };
            entry.finish()?;
            Ok((name, said))
        })
        .collect()
}

fn codes(section: &Section<'_>) -> Result<Vec<(String, String)>, ConfigError> {
    let meaning = |(code, span, value): (String, std::ops::Range<usize>, &toml::Spanned<DeValue<'_>>)| match value.get_ref().as_str() {
        Some(text) => Ok((code, text.to_owned())),
        None => Err(section.file().fault(span.start, format!("values : attendu un texte pour le code « {code} »"))),
    };
    section.entries().into_iter().map(meaning).collect()
}

fn ignored(section: &Section<'_>) -> Result<Vec<String>, ConfigError> {
    let Some(checks) = section.table("checks")? else { return Ok(Vec::new()) };
    let ignored = checks.texts("ignore")?;
    checks.finish()?;
    Ok(ignored)
}

/// `[tiles]`, and the `min_zoom` of fields.
fn tiling(section: &Section<'_>, fields: &[(String, FieldEntry)]) -> Result<Tiling, ConfigError> {
    let fields_from = fields.iter().filter_map(|(name, entry)| Some((name.clone(), entry.min_zoom?))).collect();
    let mut tiling = Tiling { fields_from, ..Tiling::default() };
    let Some(tiles) = section.table("tiles")? else { return Ok(tiling) };
    tiling.min_zoom = zoom(&tiles, "min_zoom")?;
    tiling.importance = tiles.text("importance")?;
    // A layer that begins deeper than tiles usually end has that one zoom.
    tiling.max_zoom = zoom(&tiles, "max_zoom")?.unwrap_or(MAX_ZOOM.max(tiling.min_zoom.unwrap_or(0)));
    if let Some(min) = tiling.min_zoom.filter(|min| *min > tiling.max_zoom) {
        return Err(tiles.fault("min_zoom", format!("{min} dépasse max_zoom, {}", tiling.max_zoom)));
    }
    tiles.finish()?;
    Ok(tiling)
}

fn zoom(section: &Section<'_>, key: &'static str) -> Result<Option<u8>, ConfigError> {
    let Some(written) = section.integer(key, 0)? else { return Ok(None) };
    let zoom = u8::try_from(written).ok().filter(|zoom| *zoom <= ZOOM_MAX);
    zoom.map(Some).ok_or_else(|| section.fault(key, format!("attendu un zoom de 0 à {ZOOM_MAX}, trouvé {written}")))
}

fn reserved(section: &Section<'_>) -> Result<BTreeMap<String, toml::Value>, ConfigError> {
    let mut kept = BTreeMap::new();
    for key in RESERVED {
        kept.extend(section.kept(key).map(|value| (key.to_owned(), value)));
    }
    kept.extend(section.text("style")?.map(|style| ("style".to_owned(), toml::Value::String(style))));
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(text: &str) -> Result<LayerFile, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("arbres.toml");
        std::fs::write(&path, text).expect("written");
        LayerFile::read(&path).map_err(|error| error.to_string().split("arbres.toml").last().unwrap_or_default().to_owned())
    }

    #[test]
    fn the_contracts_example_is_understood() {
        let text = r#"
source = "03_EQUIPEMENTS\\equipements.gpkg"
layer = "equipements"
state = "published"
frequency = "annuelle"
keywords = ["équipement"]
scale = 1000
created = 2019-05-02
time = ["debut", "fin"]
left_out = "telephone"
where = "etat <> 'projet'"
table = { header_row = 3, x = "X", y = "Y", separator = ";" }
[fields]
nom = { title = "Nom", min_zoom = 9 }
type = { title = "Type", unit = "m", values = { B = "Culture", A = "Sport" } }
"Année" = {}
[tiles]
min_zoom = 6
importance = "Année"
[checks]
ignore = ["empty-field"]
"#;
        let file = open(text).expect("a layer file");
        let names: Vec<String> = file.fields.clone().unwrap_or_default().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["nom", "type", "Année"], "in the officer's order");
        assert_eq!(file.source, SourceRef::File("03_EQUIPEMENTS/equipements.gpkg".into()));
        assert_eq!(file.frequency.as_deref(), Some("annually"));
        assert_eq!(file.left_out, ["telephone"]);
        assert_eq!(file.rows.as_ref().map(cql2_text::write).as_deref(), Some("etat <> 'projet'"));
        assert_eq!(file.fields.unwrap_or_default()[1].1.values[0], ("B".to_owned(), "Culture".to_owned()));
        assert!(file.reserved.contains_key("scale") && file.reserved.contains_key("created"));
        let tiling = Tiling { min_zoom: Some(6), max_zoom: 14, importance: Some("Année".into()), fields_from: vec![("nom".into(), 9)] };
        assert_eq!(file.tiling, tiling);
    }

    #[test]
    fn a_table_is_named_by_its_service_and_nothing_else_is_taken() {
        let file = open("source = \"PG:service=sig\"\ntable = \"voirie.Arbres 2\"\nmode = \"live\"\n[fields]\n").expect("a layer file");
        let service = crate::postgis::Service("sig".into());
        let table = TableRef { service, schema: "voirie".into(), name: "Arbres 2".into(), mode: Mode::Live };
        assert_eq!(file.source, SourceRef::Table(table));
        assert_eq!(file.source.to_string(), "PG:service=sig voirie.Arbres 2");
        let file = open("source = \"PG:\"\ntable = \"arbres\"\n[fields]\n").expect("what the environment says");
        assert_eq!(file.source.to_string(), "PG: public.arbres");
        for (source, rest, expected) in [
            ("PG:service=sig password=secret", "table = \"a.b\"", "jamais ici"),
            ("PG:host=sig", "table = \"a.b\"", "jamais ici"),
            ("PG:service=sig", "", "il manque table = \"schema.table\""),
            ("PG:service=sig", "table = \"a.\"", "attendu « schema.table »"),
            ("PG:service=sig", "table = { x = \"X\" }", "attendu un texte"),
            ("PG:service=sig", "table = \"a.b\"\nmode = \"direct\"", "attendu « snapshot » ou « live »"),
            ("a.gpkg", "mode = \"live\"", "mode ne convient qu'à une table"),
        ] {
            let said = open(&format!("source = \"{source}\"\n{rest}\n[fields]\n")).expect_err(source);
            assert!(said.contains(expected) && !said.contains("secret"), "{said}");
        }
    }

    #[test]
    fn faults_name_the_line_and_what_to_write() {
        for (text, expected) in [
            ("source = \"a.shp\"\n", ", ligne 1 : il manque la table [fields], la liste des colonnes publiées"),
            ("[fields]\n", ", ligne 1 : il manque source = \"dossier/fichier.gpkg\""),
            ("source = \"a.shp\"\ntitre = \"x\"\n[fields]\n", ", ligne 2 : clé « titre » inconnue ; vouliez-vous dire « title » ?"),
            (
                "source = \"../a.shp\"\n[fields]\n",
                ", ligne 1 : source : « ../a.shp » sort du dépôt : attendu un chemin sous le dépôt, par exemple « dossier/fichier.gpkg »",
            ),
            (
                "source = \"a.shp\"\nstate = \"publié\"\n[fields]\n",
                ", ligne 2 : state : « publié » n'est pas un état : attendu « proposed », « published » ou « withdrawn »",
            ),
            ("source = \"a.shp\"\n[fields]\nnom = \"Nom\"\n", ", ligne 3 : nom : attendu une table, par exemple nom = { title = \"…\" }"),
            (
                "source = \"a.shp\"\n[fields]\nnom = { titre = \"x\" }\n",
                ", ligne 3 : clé « titre » inconnue ; vouliez-vous dire « title » ?",
            ),
            ("source = \"a.shp\"\n[fields]\n[tiles]\nmax_zoom = 22\n", ", ligne 4 : max_zoom : attendu un zoom de 0 à 20, trouvé 22"),
            ("source = \"a.shp\"\n[fields]\n[tiles]\nmin_zoom = 9\nmax_zoom = 8\n", ", ligne 4 : min_zoom : 9 dépasse max_zoom, 8"),
            (
                "source = \"a.shp\"\n[fields]\n[checks]\nignorer = []\n",
                ", ligne 4 : clé « ignorer » inconnue ; vouliez-vous dire « ignore » ?",
            ),
            (
                "source = \"a.shp\"\nwhere = \"etat <> 'projet\"\n[fields]\n",
                ", ligne 2 : where : ce n'est pas un filtre CQL2, par exemple « etat <> 'projet' » (expected the quotation mark at byte 9 to be closed)",
            ),
        ] {
            assert_eq!(open(text).expect_err("refused"), expected);
        }
        assert!(open("source = \n").expect_err("refused").starts_with(", ligne 1 : ce n'est pas du TOML"));
    }
}
