//! OGC API - Features Part 3 (19-079r2) with CQL2 (21-065r2), Part 5 and Part 8 on the served town: the abstract tests of
//! these standards, and what they leave out.

use serde_json::Value;

use crate::town::Town;
use crate::town::in_both_towns;

const PART_3: &str = "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf";
const CQL2: &str = "http://www.opengis.net/spec/cql2/1.0/conf";
const REL: &str = "http://www.opengis.net/def/rel/ogc/1.0";

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// Ids of the features that match, all of them.
fn matching(town: &Town, layer: &str, filter: &str) -> Vec<String> {
    let found = town.json(&format!("/collections/{layer}/items?limit=10000&filter={}", encoded(filter)));
    let ids: Vec<String> = found["features"].as_array().expect("features").iter().map(|feature| feature["id"].to_string()).collect();
    assert_eq!(found["numberMatched"], ids.len(), "{filter}");
    ids
}

fn apart(a: &[String], b: &[String]) -> bool {
    a.iter().all(|id| !b.contains(id))
}

/// The 400 of a wrong filter, in its own words.
fn refusal(town: &Town, query: &str) -> String {
    let mut answer = town.get(&format!("/collections/arbres/items?{query}"));
    let said = answer.body_mut().read_to_string().expect("text");
    assert_eq!(answer.status(), 400, "{query}: {said}");
    said
}

/// Name and schema of each queryable.
fn queryables(town: &Town, layer: &str) -> Vec<(String, Value)> {
    let schema = town.json(&format!("/collections/{layer}/queryables"));
    schema["properties"].as_object().expect("properties").iter().map(|(name, said)| (name.clone(), said.clone())).collect()
}

fn schemas_say_what_is_answered_asked_and_sorted_by(town: &Town) {
    for layer in town.layers() {
        let collection = town.json(&format!("/collections/{layer}"));
        let first = town.json(&format!("/collections/{layer}/items?limit=1"))["features"][0].clone();
        for (kind, rel) in [("schema", "schema"), ("queryables", "queryables"), ("sortables", "sortables")] {
            let links = collection["links"].as_array().expect("links");
            let link = links.iter().find(|link| link["rel"] == format!("{REL}/{rel}")).expect("a link");
            assert_eq!(link["type"], "application/schema+json", "/req/queryables/queryables-link");
            let path = link["href"].as_str().expect("an address").strip_prefix(&town.base).expect("here").to_owned();
            assert_eq!(town.get(&path).headers()["content-type"], "application/schema+json");
            let schema = town.json(&path);
            assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
            assert_eq!(schema["$id"], link["href"], "/req/queryables/get-queryables-response B");
            assert_eq!((&schema["type"], &schema["additionalProperties"]), (&"object".into(), &false.into()));
            let properties = schema["properties"].as_object().expect("properties");
            let mut expected: Vec<&String> = first["properties"].as_object().expect("properties").keys().collect();
            let (id, geometry) = ("id".to_owned(), "geometry".to_owned());
            expected.insert(0, &id);
            if !collection["extent"]["spatial"].is_null() && kind != "sortables" {
                expected.insert(1, &geometry);
            }
            assert_eq!(properties.keys().collect::<Vec<_>>(), expected, "{layer} {kind}");
            for (name, said) in properties {
                let is_spatial = said["format"].as_str().is_some_and(|format| format.starts_with("geometry-"));
                assert_eq!(said["type"].is_null(), is_spatial, "{name}: /req/queryables/get-queryables-response C, D");
                assert_eq!(name == "geometry", is_spatial);
                assert!(said["title"].is_string(), "{name}: /rec/schemas/properties A");
            }
            assert_eq!(properties["id"]["x-ogc-role"], "id", "/req/schemas/id");
        }
    }
    assert_eq!(town.json("/collections/arbres/schema")["properties"]["plante_le"]["x-ogc-role"], "primary-instant");
    assert_eq!(town.get("/collections/arbres/autres").status(), 404);
}

fn every_class_of_filtering_is_declared(town: &Town) {
    let declared = town.json("/conformance");
    let classes: Vec<&str> = declared["conformsTo"].as_array().expect("classes").iter().filter_map(Value::as_str).collect();
    for class in ["queryables", "queryables-query-parameters", "filter", "features-filter"] {
        assert!(classes.contains(&format!("{PART_3}/{class}").as_str()), "{class}");
    }
    for class in ["cql2-text", "cql2-json", "basic-cql2", "advanced-comparison-operators", "spatial-functions", "temporal-functions"] {
        assert!(classes.contains(&format!("{CQL2}/{class}").as_str()), "{class}");
    }
    // No field is an array, and there are no functions of our own.
    assert!(!classes.iter().any(|class| class.ends_with("array-functions") || class.ends_with("conf/functions")));
}

/// CQL2 `/conf/basic-cql2/comparison`, `is-null`, `boolean`; `/conf/advanced-comparison-operators/like`, `between`, `in`.
fn every_queryable_can_be_compared(town: &Town) {
    for layer in town.layers() {
        let all = matching(town, &layer, "true").len();
        assert_eq!(matching(town, &layer, "false").len(), 0);
        for (name, said) in queryables(town, &layer) {
            let (value, list) = match (said["type"].as_str(), said["format"].as_str()) {
                (Some("integer" | "number"), _) => ("3.14", "(1, 2, 3)"),
                (Some("boolean"), _) => ("true", "(true)"),
                (Some("string"), Some("date")) => ("DATE('2022-04-14')", "('2022-04-14', '2022-04-15')"),
                (Some("string"), Some("date-time")) => ("TIMESTAMP('2022-04-14T14:48:46Z')", "('2022-04-14T14:52:56Z')"),
                (Some("string"), _) => ("'foo'", "('foo', 'bar')"),
                _ => ("", ""),
            };
            let ask = |filter: String| matching(town, &layer, &filter);
            let (absent, present) = (ask(format!("\"{name}\" IS NULL")), ask(format!("\"{name}\" is not null")));
            assert!(apart(&absent, &present) && absent.len() + present.len() == all, "{layer} {name}: /conf/basic-cql2/is-null");
            if value.is_empty() {
                continue;
            }
            for (one, other) in [("=", "<>"), (">", "<="), ("<", ">=")] {
                let (one, other) = (ask(format!("{name} {one} {value}")), ask(format!("{name} {other} {value}")));
                assert!(apart(&one, &other) && one.len() + other.len() == present.len(), "{layer} {name}: /conf/basic-cql2/comparison");
            }
            assert!(apart(&ask(format!("{name} IN {list}")), &ask(format!("{name} NOT IN {list}"))), "{layer} {name}");
            if value == "'foo'" {
                assert_eq!(ask(format!("{name} LIKE '%'")), ask(format!("{name} like '%%'")), "{layer} {name}");
                assert!(apart(&ask(format!("{name} like '_%'")), &ask(format!("{name} like ''"))), "{layer} {name}");
                ask(format!("{name} like '\\\\%\\\\_'"));
                ask(format!("CASEI({name}) = casei('fOO') OR ACCENTI({name}) <> accenti('äöüéáí')"));
            }
            if value == "3.14" {
                assert_eq!(ask(format!("{name} between 100.0 and 1.0")).len(), 0);
                ask(format!("{name} BETWEEN 0 AND 100"));
            }
        }
    }
}

/// CQL2 `/conf/spatial-functions`, `/conf/temporal-functions`.
fn geometries_and_times_can_be_related(town: &Town) {
    for layer in town.layers() {
        for (name, said) in queryables(town, &layer) {
            let ask = |filter: String| matching(town, &layer, &filter);
            let format = said["format"].as_str().unwrap_or_default();
            if format.starts_with("geometry-") {
                let world = "POLYGON((-180 -90,180 -90,180 90,-180 90,-180 -90))";
                for relation in ["S_INTERSECTS", "S_DISJOINT", "S_WITHIN", "S_CONTAINS", "S_TOUCHES", "S_CROSSES", "S_OVERLAPS", "S_EQUALS"]
                {
                    let boxed = ask(format!("{relation}({name},BBOX(-180,-90,180,90))"));
                    assert_eq!(boxed, ask(format!("{relation}({name},{world})")), "{layer}: {relation}");
                    ask(format!("{relation}({name},LINESTRING(7 50,10 51))"));
                }
                let placed = ask(format!("{name} IS NOT NULL"));
                assert_eq!(ask(format!("s_intersects({name},{world})")), placed, "{layer}");
                for literal in ["LINESTRING(-1.98 48.1,-1.94 48.16)", "POINT(-1.96 48.12)", "BBOX(-1.97,48.11,-1.95,48.13)"] {
                    let (met, missed) = (ask(format!("S_INTERSECTS({name},{literal})")), ask(format!("S_DISJOINT({name},{literal})")));
                    assert!(apart(&met, &missed) && met.len() + missed.len() == placed.len(), "{layer} {literal}");
                }
            }
            if format == "date" {
                let span = "INTERVAL('2011-01-01','2012-12-31')";
                let (after, before) = (ask(format!("T_AFTER({name},{span})")), ask(format!("T_BEFORE({name},{span})")));
                let during = ask(format!("T_INTERSECTS({name},{span})"));
                assert!(!during.is_empty() && apart(&after, &before) && apart(&during, &after), "{layer}");
                assert_eq!(ask(format!("T_DISJOINT({name},{span})")).len(), after.len() + before.len());
                assert_eq!(during, ask(format!("{name} >= DATE('2011-01-01') AND {name} <= '2012-12-31'")));
                assert_eq!(during, ask(format!("NOT T_DISJOINT({span},{name})")));
                assert_eq!(ask(format!("T_DURING(INTERVAL({name},{name}),INTERVAL('2010-12-31','..'))")).len(), during.len() + after.len());
            }
        }
    }
}

fn french_is_found_however_it_is_typed(town: &Town) {
    let names: Vec<String> = town.json("/collections/communes/items")["features"]
        .as_array()
        .expect("features")
        .iter()
        .map(|feature| feature["properties"]["nom"].as_str().expect("a name").to_owned())
        .collect();
    let accented = names.iter().find(|name| !name.is_ascii()).expect("a name with an accent");
    let typed: String = unicode_normalization::UnicodeNormalization::nfd(accented.as_str()).filter(char::is_ascii).collect();
    for asked in [typed.to_uppercase(), typed.to_lowercase()] {
        let filter = format!("accenti(casei(nom)) = accenti(casei('{asked}'))");
        assert_eq!(matching(town, "communes", &filter).len(), 1, "{accented} as {asked}");
    }
    assert_eq!(matching(town, "communes", &format!("nom = '{typed}'")).len(), 0);
}

fn a_filter_speaks_the_language_and_the_crs_that_are_named(town: &Town) {
    let path = "/collections/arbres/items?limit=1000";
    let ids = |query: &str| -> Vec<String> {
        town.json(&format!("{path}&{query}"))["features"].as_array().expect("features").iter().map(|f| f["id"].to_string()).collect()
    };
    let text = ids(&format!("filter={}", encoded("S_INTERSECTS(geometry, BBOX(-1.98,48.11,-1.95,48.14)) AND hauteur > 10")));
    assert!(text.len() > 3 && text.len() < 60, "{text:?}");
    let json = r#"{"op":"and","args":[{"op":"s_intersects","args":[{"property":"geometry"},{"bbox":[-1.98,48.11,-1.95,48.14]}]},{"op":">","args":[{"property":"hauteur"},10]}]}"#;
    assert_eq!(ids(&format!("filter-lang=cql2-json&filter={}", encoded(json))), text, "/req/filter/filter-lang-param");
    let north_first = encoded("S_INTERSECTS(geometry, BBOX(48.11,-1.98,48.14,-1.95)) AND hauteur > 10");
    let crs = "http://www.opengis.net/def/crs/EPSG/0/4326";
    assert_eq!(ids(&format!("filter-crs={crs}&filter={north_first}")), text, "/req/filter/filter-crs-param B");
    assert_eq!(ids(&format!("bbox=-1.98,48.11,-1.95,48.14&filter={}", encoded("hauteur > 10"))), text, "/req/filter/mixing-expressions");
    let lambert = encoded("S_WITHIN(geometry, BBOX(332000,6788000,336000,6792000))");
    let metres = "http://www.opengis.net/def/crs/EPSG/0/2154";
    let found = ids(&format!("filter-crs={metres}&filter={lambert}"));
    let expected = ids(&format!("bbox-crs={metres}&bbox=332000,6788000,336000,6792000"));
    assert!(!found.is_empty() && found.iter().all(|id| expected.contains(id)) && expected.len() <= found.len() + 6);
    for (query, reason) in [
        ("filter=", "expected a value"),
        ("filter-lang=cql", "cql2-text, cql2-json"),
        ("filter-crs=http://www.opengis.net/def/crs/0/unsupported", "expected one of http"),
    ] {
        assert!(refusal(town, query).contains(reason), "{query}");
    }
    for (filter, reason) in [
        ("age > 3", "unknown property `age`, expected one of id, geometry, code, espece"),
        ("code = 3", "texts stand between quotation marks"),
        ("hauteur = '3'", "numbers and booleans stand without"),
        ("hauteur", "expected a boolean in a filter, found a number"),
        ("S_INTERSECTS(geometry, POINT(90 180))", "expected degrees"),
        ("S_INTERSECTS(code, POINT(0 0))", "expected a geometry"),
        ("T_DURING(plante_le, INTERVAL('2020-01-01', '..'))", "expected an interval in T_DURING, found a date"),
        ("plante_le > 'hier'", "expected an RFC 3339 date"),
        ("Buffer(geometry, 3) = 1", "unknown function `Buffer`"),
        ("A_CONTAINS(code, ('a', 'b'))", "expected no array"),
        ("hauteur IN ()", "at least one value"),
    ] {
        let said = refusal(town, &format!("filter={}", encoded(filter)));
        assert!(said.contains(reason), "{filter}: {said}");
    }
}

/// Part 8 `/req/sorting/sortby-definition`, `/req/sorting/sortby-response`.
fn answers_are_sorted_as_asked(town: &Town) {
    let heights = |path: &str| -> Vec<Option<f64>> {
        town.json(path)["features"].as_array().expect("features").iter().map(|f| f["properties"]["hauteur"].as_f64()).collect()
    };
    let up = heights("/collections/arbres/items?limit=1000&sortby=%2Bhauteur");
    assert!(up.len() == 120 && up.is_sorted_by(|a, b| a.is_some() && (b.is_none() || a <= b) || (a.is_none() && b.is_none())), "{up:?}");
    assert_eq!(up, heights("/collections/arbres/items?limit=1000&sortby=+hauteur"), "a plus that nobody encoded");
    assert_eq!(up, heights("/collections/arbres/items?limit=1000&sortby=hauteur,code"));
    let mut page = town.json("/collections/arbres/items?limit=50&sortby=-hauteur&properties=hauteur");
    let mut paged = Vec::new();
    loop {
        paged.extend(page["features"].as_array().expect("features").iter().map(|f| f["properties"]["hauteur"].as_f64()));
        let Some(next) = page["links"].as_array().expect("links").iter().find(|link| link["rel"] == "next") else { break };
        page = town.json(next["href"].as_str().expect("an address").strip_prefix(&town.base).expect("here"));
    }
    let mut down: Vec<_> = up.iter().rev().copied().collect();
    down.sort_by_key(Option::is_none);
    assert_eq!(paged, down);
    let csv = town.get("/collections/arbres/items?f=csv&limit=1&sortby=-hauteur").body_mut().read_to_string().expect("text");
    assert!(csv.contains(&format!(",{}", down[0].expect("a height")).replace(".0", "")), "{csv}");
    for bad in ["sortby=geometry", "sortby=", "sortby=-", "sortby=age", "sortby=code;hauteur"] {
        assert!(refusal(town, bad).contains("sortby"), "{bad}");
    }
    let many = ["code"; 11].join(",");
    assert!(refusal(town, &format!("sortby={many}")).contains("at most 10"));
}

/// `/req/queryables-query-parameters/parameters`: the id is one of them.
fn the_id_is_a_parameter_too(town: &Town) {
    let one = town.json("/collections/equipements/items?id=3");
    assert_eq!((&one["numberMatched"], &one["features"][0]["id"]), (&1.into(), &3.into()));
    assert!(town.get("/collections/equipements/items?id=trois").status() == 400);
    assert_eq!(matching(town, "equipements", "id IN (3, 5, 99999)"), ["3", "5"]);
}

in_both_towns! {
    schemas_say_what_is_answered_asked_and_sorted_by,
    every_class_of_filtering_is_declared,
    every_queryable_can_be_compared,
    geometries_and_times_can_be_related,
    french_is_found_however_it_is_typed,
    a_filter_speaks_the_language_and_the_crs_that_are_named,
    answers_are_sorted_as_asked,
    the_id_is_a_parameter_too,
}
