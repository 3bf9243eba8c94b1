//! Layers of PostGIS: what a table's values become, and what answers while it changes.

mod faults;

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::database::PostgreSql;
use crate::shared::bocage;
use crate::town::Town;

const SITE: &str = r#"
title = "Essai"
crs = "EPSG:2154"
extent = [-2.16, 48.02, -1.80, 48.26]
[publisher]
name = "Montfort Communauté"
"#;

/// Every kind of column, with what is odd about each.
const KINDS: &str = r#"
CREATE SCHEMA essai;
CREATE TYPE essai.etat AS ENUM ('zinc', 'bois');
CREATE DOMAIN essai.hauteur AS numeric(5, 2);
CREATE TABLE essai.mobilier (
    gid int4 PRIMARY KEY, nom text, court varchar(10), code char(5), fois int2, grand int8, prix numeric, taille essai.hauteur,
    nombre numeric(6, 0), simple float4, double float8, ouvert bool, pose date, vu timestamptz, releve timestamp,
    etat essai.etat, cle uuid, extra jsonb, jours text[], "Ça & là" text, photo bytea, geom geometry(Geometry, 2154));
COMMENT ON COLUMN essai.mobilier.prix IS 'En euros, toutes taxes comprises';
INSERT INTO essai.mobilier SELECT i, (ARRAY['Éclairage', 'banc', 'Écluse', 'zèbre', 'Zone', 'ébène', 'œuf', 'oeuf'])[1 + i % 8] || ' ' || i,
    'c' || i % 3, '35' || i % 5, i % 7, 9007199254740993 + i, i / 3.0, i / 7.0, i * 10, i / 10.0, i / 3.0, i % 2 = 0,
    '2020-02-28'::date + i, '2020-01-01 00:00:00.25+01'::timestamptz + i * interval '1 hour',
    '2020-01-01 10:00:00'::timestamp + i * interval '1 millisecond', (ARRAY['zinc', 'bois'])[1 + i % 2]::essai.etat,
    md5(i::text)::uuid, jsonb_build_object('n', i), ARRAY['lundi', 'mardi'], 'valeur ' || i, '\x00',
    CASE WHEN i % 11 = 0 THEN NULL WHEN i % 13 = 0 THEN ST_GeomFromText('POLYGON EMPTY', 2154)
         ELSE ST_Buffer(ST_SetSRID(ST_MakePoint(330000 + i * 13, 6790000 + (i * 37) % 900), 2154), 5 + i % 9, 2) END
    FROM generate_series(1, 500) AS i;
UPDATE essai.mobilier SET nom = NULL, prix = 'NaN', double = 'Infinity', simple = 'NaN', pose = 'infinity', vu = '-infinity',
    releve = '20000-01-01' WHERE gid IN (5, 50);
UPDATE essai.mobilier SET geom = ST_Multi(geom) WHERE gid = 7;
CREATE INDEX ON essai.mobilier USING gist (geom);
ANALYZE essai.mobilier;
CREATE VIEW essai.vue AS SELECT *, 'M' || gid AS numero FROM essai.mobilier;
"#;

const FIELDS: &str = "[fields]\nnom = {}\ncourt = {}\ncode = {}\nfois = {}\ngrand = {}\nprix = {}\ntaille = {}\nnombre = {}\nsimple = {}\n\
     double = {}\nouvert = {}\npose = {}\nvu = {}\nreleve = {}\netat = {}\ncle = {}\nextra = {}\njours = {}\n\"Ça & là\" = {}\n";

/// A site and its layers: id, lines of the layer file.
fn site(layers: &[(&str, String)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir_all(folder.path().join("layers/depot")).expect("made");
    std::fs::write(folder.path().join("layers/site.toml"), SITE).expect("written");
    for (id, text) in layers {
        std::fs::write(folder.path().join(format!("layers/{id}.toml")), text).expect("written");
    }
    folder
}

fn layer(service: &str, table: &str, mode: &str, rest: &str) -> String {
    format!("source = \"PG:service={service}\"\ntable = \"{table}\"\nmode = \"{mode}\"\ntitle = \"Essai de {mode}\"\n{rest}\n")
}

fn publish(site: &Path) -> Value {
    bocage(site, &["publish", "--json"])
}

fn serve(site: &Path, more: &[&str]) -> Town {
    let all = [&["--site", site.to_str().expect("text"), "serve", "--listen", "127.0.0.1:0"], more].concat();
    Town::start(&all)
}

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// Features in the order of their ids, whatever order they came in.
fn features(town: &Town, path: &str) -> (Value, Vec<Value>) {
    let found = town.json(path);
    let mut features = found["features"].as_array().expect("features").clone();
    features.sort_by_key(|feature| feature["id"].to_string());
    (found["numberMatched"].clone(), features)
}

#[test]
fn a_table_and_its_snapshot_give_the_same_answers() {
    let Some(database) = PostgreSql::start() else { return };
    database.sql(KINDS);
    let rows = format!("time = \"pose\"\nwhere = \"fois <> 6 OR \\\"Ça & là\\\" = 'valeur 13'\"\n{FIELDS}");
    let folder = site(&[
        ("instantane", layer(&database.reads, "essai.mobilier", "snapshot", &rows)),
        ("direct", layer(&database.reads, "essai.mobilier", "live", &rows)),
        ("vue", layer(&database.reads, "essai.vue", "live", &format!("id = \"numero\"\n{FIELDS}numero = {{}}\n"))),
    ]);
    for report in publish(folder.path()).as_array().expect("reports") {
        assert_eq!(report["outcome"], "published", "{report}");
        let codes: Vec<&str> = report["findings"].as_array().expect("findings").iter().filter_map(|one| one["code"].as_str()).collect();
        assert!(codes.contains(&"values-lost") && codes.contains(&"reader-said"), "{codes:?}");
    }
    let town = serve(folder.path(), &[]);
    let l93 = "http://www.opengis.net/def/crs/EPSG/0/2154";
    let mut asked = vec![
        String::new(),
        "&properties=prix,vu".to_owned(),
        "&bbox=-1.97,48.10,-1.95,48.11".to_owned(),
        "&bbox=-1.9700001,48.1,-1.9699,48.11".to_owned(),
        format!("&bbox=331000,6790000,332000,6790500&bbox-crs={l93}"),
        "&datetime=2020-03-10".to_owned(),
        "&datetime=../2020-03-10T00:00:00Z".to_owned(),
        "&datetime=2021-01-01/..".to_owned(),
        "&nom=banc%201".to_owned(),
        "&nom=banc%20241&fois=3".to_owned(),
        "&prix=3".to_owned(),
        "&simple=0.3".to_owned(),
        "&pose=2020-02-29".to_owned(),
        "&vu=2019-12-31T23:00:00.250Z".to_owned(),
        "&vu=2020-01-01T00:00:00.250Z".to_owned(),
        "&releve=2020-01-01T10:00:00.010".to_owned(),
        "&ouvert=true&code=350".to_owned(),
        "&id=17".to_owned(),
    ];
    for filter in [
        "nom LIKE 'É%' AND prix > 10.5",
        "accenti(casei(nom)) = accenti(casei('ECLUSE 2'))",
        "grand = 9007199254740993 OR grand = 9007199254740996",
        "double > 100 OR NOT (simple < 40)",
        "prix IS NULL OR pose IS NULL OR vu IS NULL OR releve IS NULL OR geometry IS NULL",
        "taille BETWEEN 1.29 AND 2.15",
        "simple IN (0.1, 0.2, 33.3) OR nombre IN (40, 50.0)",
        "etat = 'bois' AND code = '351'",
        "cle = 'c4ca4238-a0b9-2382-0dcc-509a6f75849b'",
        "T_INTERSECTS(vu, INTERVAL('2020-01-02', '2020-01-03')) AND releve < TIMESTAMP('2020-01-01T10:00:00.040Z')",
        "S_INTERSECTS(geometry, POLYGON((-1.97 48.1, -1.96 48.1, -1.965 48.108, -1.97 48.1)))",
        "S_WITHIN(geometry, BBOX(-1.98, 48.1, -1.96, 48.12)) AND NOT S_INTERSECTS(geometry, POINT(-1.974 48.105))",
        "\"Ça_là\" > 'valeur 40' AND fois * 2 + 1 = 7",
        "court <> 'c1' AND (ouvert = FALSE OR nom < 'Z')",
    ] {
        asked.push(format!("&filter={}", encoded(filter)));
    }
    let mut telling = 0;
    for query in &asked {
        let of = |layer: &str| features(&town, &format!("/collections/{layer}/items?limit=1000{query}"));
        let (stored, live) = (of("instantane"), of("direct"));
        assert_eq!(stored.0, live.0, "{query}");
        for (stored, live) in stored.1.iter().zip(&live.1) {
            assert_eq!(stored, live, "{query}");
        }
        assert_eq!(stored.1.len(), live.1.len(), "{query}");
        telling += usize::from(!live.1.is_empty());
    }
    assert_eq!(telling, asked.len() - 1, "every question but one finds something");
    // A box in pages, in both orders, and with so much in it that the table is asked in one question.
    for sort in ["", "&sortby=-nom,id"] {
        for bbox in ["-1.97,48.10,-1.91,48.11", "-180,-90,180,90", "177,40,-1.96,50"] {
            let of = |layer: &str| {
                let mut seen = Vec::new();
                let mut path = format!("/collections/{layer}/items?limit=23&bbox={bbox}{sort}");
                loop {
                    let page = town.json(&path);
                    seen.extend(page["features"].as_array().expect("features").iter().map(|one| one["id"].as_i64().expect("a number")));
                    let next = page["links"].as_array().expect("links").iter().find(|link| link["rel"] == "next");
                    match next {
                        Some(next) => path = next["href"].as_str().expect("text").strip_prefix(&town.base).expect("here").to_owned(),
                        None => break,
                    }
                    assert_eq!(page["numberReturned"], 23);
                }
                assert_eq!(town.json(&path)["numberMatched"], seen.len(), "{bbox}");
                let skipped = town.json(&format!("/collections/{layer}/items?limit=5&offset=7&bbox={bbox}{sort}"));
                assert_eq!(skipped["numberMatched"], seen.len(), "{bbox}");
                assert_eq!(skipped["features"][0]["id"], seen[7], "{bbox}");
                if sort.is_empty() {
                    seen.sort_unstable();
                }
                seen
            };
            let live = of("direct");
            assert_eq!(of("instantane"), live, "{bbox} {sort}");
            assert!(live.len() > 46, "{bbox}");
        }
    }
    // Another CRS: the way through lon, lat is the same.
    let of = |layer: &str| features(&town, &format!("/collections/{layer}/items?limit=1000&crs={l93}")).1;
    assert_eq!(of("instantane"), of("direct"));
    for sort in ["nom", "-nom", "+double,-nom", "-vu,fois", "-etat,court,-releve", "simple", "ouvert,-pose", "-id"] {
        // Where the order leaves no ties, both give one.
        let of = |layer: &str| {
            let mut ids = Vec::new();
            let mut path = format!("/collections/{layer}/items?limit=37&sortby={},id", sort.replace('+', "%2B"));
            loop {
                let page = town.json(&path);
                ids.extend(page["features"].as_array().expect("features").iter().map(|feature| feature["id"].as_i64().expect("a number")));
                let next = page["links"].as_array().expect("links").iter().find(|link| link["rel"] == "next");
                match next {
                    Some(next) => path = next["href"].as_str().expect("text").strip_prefix(&town.base).expect("here").to_owned(),
                    None => return ids,
                }
            }
        };
        let (stored, live) = (of("instantane"), of("direct"));
        assert_eq!(stored, live, "{sort}");
        assert!(stored.len() > 400, "{sort}");
    }
    // Every form, byte by byte.
    for form in ["csv", "geojson"] {
        let body = |layer: &str| {
            let mut answer = town.get(&format!("/collections/{layer}/items?limit=20&sortby=id&f={form}"));
            answer.body_mut().read_to_string().expect("text")
        };
        let end = |text: String| text.split("\n],\"links\"").next().unwrap_or_default().to_owned();
        assert_eq!(end(body("instantane")), end(body("direct")), "{form}");
    }
    for id in [1, 5, 7, 11, 13] {
        let of = |layer: &str| {
            let mut feature = town.json(&format!("/collections/{layer}/items/{id}"));
            feature.as_object_mut().expect("a feature").remove("links");
            feature
        };
        assert_eq!(of("instantane"), of("direct"));
    }
    let one = town.json("/collections/direct/items/3");
    assert_eq!((&one["properties"]["simple"], &one["properties"]["code"]), (&0.3.into(), &"353".into()));
    assert!(one["properties"].get("photo").is_none() && one["properties"].get("gid").is_none());
    assert_eq!(town.get("/collections/direct/items/20").status(), 404, "`where` leaves it out: fois is 6");
    // A view, whose ids are the officer's.
    assert_eq!(town.json("/collections/vue/items/M12")["properties"]["numero"], "M12");
    assert_eq!(town.json(&format!("/collections/vue/items?filter={}", encoded("id = 'M12' OR numero = 'M13'")))["numberMatched"], 2);
    assert_eq!(town.get("/collections/vue/items/M").status(), 404);
    // What the table's own description said.
    assert_eq!(town.json("/collections/direct/schema")["properties"]["prix"]["description"], "En euros, toutes taxes comprises");
}

#[test]
fn a_table_that_changes_is_seen_at_once_and_its_pages_hold() {
    let Some(database) = PostgreSql::shared() else { return };
    database.sql(
        "CREATE TABLE public.changeante (gid int PRIMARY KEY, nom text, geom geometry(Point, 2154));
         INSERT INTO public.changeante SELECT i, 'n' || i % 10, ST_SetSRID(ST_MakePoint(330000 + i, 6790000), 2154)
         FROM generate_series(1, 100) AS i;",
    );
    let folder = site(&[("changeante", layer(&database.reads, "changeante", "live", "[fields]\nnom = {}"))]);
    publish(folder.path());
    let town = serve(folder.path(), &[]);
    let path = "/collections/changeante/items";
    let etag = |path: &str| town.get(path).headers()["etag"].to_str().expect("text").to_owned();
    let before = etag(path);
    assert!(before.starts_with("W/"), "{before}");
    assert_eq!(etag(path), before);
    let again = ureq::get(format!("{}{path}", town.base)).header("if-none-match", &before).call().expect("an answer");
    assert_eq!(again.status(), 304);
    let page = town.json(&format!("{path}?limit=10&sortby=-nom"));
    let next = page["links"].as_array().expect("links").iter().find(|link| link["rel"] == "next").expect("more");
    let next = next["href"].as_str().expect("text").strip_prefix(&town.base).expect("here").to_owned();
    let ids =
        |page: &Value| -> Vec<i64> { page["features"].as_array().expect("features").iter().filter_map(|one| one["id"].as_i64()).collect() };
    assert_eq!(ids(&page), [9, 19, 29, 39, 49, 59, 69, 79, 89, 99]);
    assert_eq!(ids(&town.json(&next)), [8, 18, 28, 38, 48, 58, 68, 78, 88, 98]);
    // The row that the page ended with leaves, one in front of it comes.
    database.sql("DELETE FROM changeante WHERE gid = 99; INSERT INTO changeante VALUES (101, 'z', NULL);");
    assert_eq!(ids(&town.json(&next)), [8, 18, 28, 38, 48, 58, 68, 78, 88, 98]);
    assert_ne!(etag(path), before);
    assert_eq!(town.json(&format!("{path}/101"))["geometry"], Value::Null);
    assert_eq!(town.get(&format!("{path}/99")).status(), 404);
    // The downloads are those of the last publication; the next one has the table's own ids.
    let downloaded = |town: &Town| {
        let text = town.get("/downloads/changeante/changeante.geojson").body_mut().read_to_string().expect("text");
        let all: Value = serde_json::from_str(&text).expect("JSON");
        let mut all = ids(&all);
        all.sort_unstable();
        all
    };
    assert_eq!(downloaded(&town), (1..=100).collect::<Vec<i64>>());
    publish(folder.path());
    std::thread::sleep(Duration::from_millis(1_200));
    assert_eq!(downloaded(&town), (1..=98).chain(100..=101).collect::<Vec<i64>>());
    // A link of another question, and one of a version, are told from this one's.
    for after in ["live.[]", "live.[\"x\"]", "live.[\"n1\",\"3\"]", "live.{}"] {
        assert_eq!(town.get(&format!("{path}?after={}", encoded(after))).status(), 400, "{after}");
    }
    // A column that is no more: the layer alone is away, and comes back with the next publication.
    database.sql("ALTER TABLE changeante RENAME COLUMN nom TO libelle;");
    assert_eq!(town.get(path).status(), 503);
    database.sql("ALTER TABLE changeante RENAME COLUMN libelle TO nom;");
    assert_eq!(town.get(path).status(), 200);
}

/// A row that is written lies elsewhere: the page is then fetched by its keys.
#[test]
fn a_page_of_a_box_is_whole_while_its_rows_move() {
    let Some(database) = PostgreSql::shared() else { return };
    database.sql(
        "CREATE TABLE public.remuante (gid int PRIMARY KEY, passage int NOT NULL DEFAULT 0, geom geometry(Point, 2154));
         INSERT INTO public.remuante(gid, geom) SELECT i, ST_SetSRID(ST_MakePoint(330000 + i, 6790000), 2154)
         FROM generate_series(1, 300) AS i;
         CREATE INDEX ON public.remuante USING gist (geom);",
    );
    let folder = site(&[("remuante", layer(&database.reads, "remuante", "live", "[fields]\npassage = {}"))]);
    publish(folder.path());
    let town = serve(folder.path(), &[]);
    let path = "/collections/remuante/items?bbox=-3,48,-1,49&limit=200";
    let moves = std::sync::atomic::AtomicBool::new(true);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // One statement a transaction: each moves every row.
            let many = "UPDATE remuante SET passage = passage + 1;".repeat(40);
            while moves.load(std::sync::atomic::Ordering::Relaxed) {
                database.sql(&many);
            }
        });
        let mut passages = Vec::new();
        for _ in 0..60 {
            let page = town.json(path);
            let features = page["features"].as_array().expect("features");
            let ids: Vec<i64> = features.iter().filter_map(|feature| feature["id"].as_i64()).collect();
            let is_whole = ids == (1..=200).collect::<Vec<i64>>() && page["numberMatched"] == 300;
            passages.push(features[0]["properties"]["passage"].as_i64());
            if !is_whole {
                moves.store(false, std::sync::atomic::Ordering::Relaxed);
            }
            assert!(is_whole, "{ids:?} of {}", page["numberMatched"]);
        }
        moves.store(false, std::sync::atomic::Ordering::Relaxed);
        passages.dedup();
        assert!(passages.len() > 5, "rows moved: {passages:?}");
    });
}

/// More than is looked at by keys: the table is asked in one question, and the edge of a box is where it is for a few.
#[test]
fn a_box_with_much_in_it_is_answered_by_the_table() {
    let Some(database) = PostgreSql::shared() else { return };
    database.sql(
        "CREATE TABLE public.semis (gid int PRIMARY KEY, nom text, geom geometry(Point, 2154));
         INSERT INTO public.semis SELECT i, 'n' || i % 7, ST_SetSRID(ST_MakePoint(330000 + (i % 200) * 10, 6790000 + (i / 200) * 10), 2154)
         FROM generate_series(0, 19999) AS i;
         CREATE INDEX ON public.semis USING gist (geom); ANALYZE public.semis;",
    );
    let folder = site(&[
        ("semis", layer(&database.reads, "semis", "live", "[fields]\nnom = {}")),
        ("copie", layer(&database.reads, "semis", "snapshot", "[fields]\nnom = {}")),
    ]);
    publish(folder.path());
    let town = serve(folder.path(), &[]);
    for query in ["bbox=-1.97,48.1,-1.94,48.115", "bbox=-1.9691,48.1012,-1.9505,48.1069", "bbox=-1.9691,48.1012,-1.9505,48.1069&nom=n3"] {
        let matched = |layer: &str| town.json(&format!("/collections/{layer}/items?limit=1&{query}"))["numberMatched"].clone();
        assert_eq!(matched("semis"), matched("copie"), "{query}");
        let (mut seen, mut path) = (Vec::new(), format!("/collections/semis/items?limit=3000&{query}"));
        loop {
            let page = town.json(&path);
            assert_eq!(page["numberMatched"], matched("copie"), "{query}");
            seen.extend(page["features"].as_array().expect("features").iter().filter_map(|one| one["id"].as_i64()));
            let next = page["links"].as_array().expect("links").iter().find(|link| link["rel"] == "next");
            match next {
                Some(next) => path = next["href"].as_str().expect("text").strip_prefix(&town.base).expect("here").to_owned(),
                None => break,
            }
        }
        let all = features(&town, &format!("/collections/copie/items?limit=10000&{query}")).1;
        assert!(seen.is_sorted() && seen.len() as u64 == matched("copie").as_u64().expect("a number"), "{query}");
        assert!(all.iter().filter_map(|one| one["id"].as_i64()).all(|id| seen.contains(&id)), "{query}");
    }
    database.sql("INSERT INTO semis SELECT i, NULL, NULL FROM generate_series(20000, 1020000) AS i;");
    let many = town.json("/collections/semis/items?limit=2");
    assert!(many.get("numberMatched").is_none() && many["numberReturned"] == 2, "too many to count: nothing is said");
}

/// What GEOS stumbles over, and arcs.
#[test]
fn invalid_and_curved_geometries_are_answered() {
    let Some(database) = PostgreSql::shared() else { return };
    database.sql(
        "CREATE TABLE public.tordue (gid int PRIMARY KEY, nom text, geom geometry);
         INSERT INTO public.tordue VALUES
         (1, 'noeud', ST_GeomFromText('POLYGON((330000 6790000, 330100 6790100, 330100 6790000, 330000 6790100, 330000 6790000))', 2154)),
         (2, 'arc', ST_GeomFromText('CURVEPOLYGON(CIRCULARSTRING(330200 6790000, 330250 6790050, 330300 6790000, 330250 6789950, 330200 6790000))', 2154)),
         (3, 'carre', ST_GeomFromText('MULTIPOLYGON(((330400 6790000, 330500 6790000, 330500 6790100, 330400 6790000)))', 2154));",
    );
    let folder = site(&[("tordue", layer(&database.reads, "tordue", "live", "[fields]\nnom = {}"))]);
    let report = publish(folder.path());
    assert_eq!(report[0]["outcome"], "published", "{report}");
    let town = serve(folder.path(), &[]);
    let all = town.json("/collections/tordue/items");
    for feature in all["features"].as_array().expect("features") {
        assert_eq!(feature["geometry"]["type"], "MultiPolygon", "{feature}");
    }
    let arc = &all["features"][1]["geometry"]["coordinates"][0][0];
    assert!(arc.as_array().expect("a ring").len() > 30, "{arc}");
    for relation in ["S_INTERSECTS", "S_OVERLAPS", "S_TOUCHES", "S_WITHIN"] {
        let filter = encoded(&format!("{relation}(geometry, POLYGON((-2 48, -1.9 48, -1.9 48.2, -2 48.2, -2 48)))"));
        let found = town.json(&format!("/collections/tordue/items?filter={filter}"));
        let expected = if matches!(relation, "S_INTERSECTS" | "S_WITHIN") { 3 } else { 0 };
        assert_eq!(found["numberMatched"], expected, "{relation}");
    }
}
