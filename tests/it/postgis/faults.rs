//! A database that is away, slow, or holds what may not go out; and what is said of it.

use std::path::PathBuf;
use std::time::Duration;
use std::time::Instant;

use serde_json::Value;

use crate::database::PostgreSql;
use crate::postgis::layer;
use crate::postgis::publish;
use crate::postgis::serve;
use crate::postgis::site;
use crate::shared::bocage;

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_database_that_is_away_is_missed_by_its_layers_alone() {
    let Some(database) = PostgreSql::start() else { return };
    database.sql(
        "CREATE TABLE public.loin (gid int PRIMARY KEY, nom text, geom geometry(Point, 2154));
         INSERT INTO public.loin SELECT i, 'n' || i, ST_SetSRID(ST_MakePoint(330000 + i, 6790000), 2154) FROM generate_series(1, 50) AS i;",
    );
    let folder = site(&[
        ("loin", layer(&database.reads, "loin", "live", "[fields]\nnom = {}")),
        ("pres", layer(&database.reads, "loin", "snapshot", "[fields]\nnom = {}")),
    ]);
    publish(folder.path());
    let town = serve(folder.path(), &[]);
    let statuses = || ["loin", "pres"].map(|layer| town.get(&format!("/collections/{layer}/items")).status().as_u16());
    assert_eq!(statuses(), [200, 200]);
    database.order("stop");
    assert_eq!(statuses(), [503, 200]);
    let away = town.get("/collections/loin/items/1");
    assert_eq!((away.status().as_u16(), away.headers()["retry-after"].to_str().expect("text")), (503, "60"));
    assert_eq!(town.get("/downloads/loin/loin.geojson").status(), 200);
    assert_eq!(town.get("/collections/loin").status(), 200);
    // What is published stays, and the report says why nothing new is.
    let report = publish(folder.path());
    let failed: Vec<&Value> = report.as_array().expect("reports").iter().filter(|report| report["outcome"] == "failed").collect();
    assert_eq!(failed.len(), 2, "{report}");
    assert!(failed[0]["notes"].to_string().contains("ne répond pas"), "{report}");
    database.order("start");
    until("it comes back", || statuses() == [200, 200]);
    // One that takes questions and answers none: its turn ends after a while, and nobody else waits.
    database.order("freeze");
    let asked = std::thread::scope(|scope| {
        let waiting: Vec<_> = (0..8).map(|_| scope.spawn(|| town.get("/collections/loin/items").status().as_u16())).collect();
        std::thread::sleep(Duration::from_millis(300));
        let began = Instant::now();
        assert_eq!(town.get("/collections/pres/items?limit=1").status(), 200);
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
        waiting.into_iter().map(|one| one.join().expect("an answer")).collect::<Vec<u16>>()
    });
    assert_eq!(asked, [503; 8]);
    database.order("thaw");
    until("it comes back", || statuses() == [200, 200]);
}

#[test]
fn a_question_that_takes_too_long_is_stopped_in_the_database() {
    let Some(database) = PostgreSql::start() else { return };
    database.sql(
        "CREATE TABLE public.base (gid int PRIMARY KEY, nom text); INSERT INTO base VALUES (1, 'a'), (2, 'b');
         CREATE VIEW public.lente AS SELECT gid, nom FROM base;",
    );
    let folder = site(&[("lente", layer(&database.reads, "lente", "live", "id = \"nom\"\n[fields]\nnom = {}"))]);
    publish(folder.path());
    let town = serve(folder.path(), &[]);
    assert_eq!(town.json("/collections/lente/items")["numberMatched"], 2);
    database.sql("CREATE OR REPLACE VIEW public.lente AS SELECT gid, nom || (SELECT '' FROM pg_sleep(600))::text AS nom FROM base;");
    let began = Instant::now();
    let mut answer = town.get("/collections/lente/items");
    let said = answer.body_mut().read_to_string().expect("text");
    assert_eq!(answer.status(), 400, "{said}");
    assert!(said.contains("answered within 10 s") && began.elapsed() < Duration::from_secs(14), "{said}");
    database.sql("DO $$ BEGIN ASSERT NOT EXISTS (SELECT 1 FROM pg_stat_activity WHERE query LIKE '%lente%' AND state = 'active' AND pid <> pg_backend_pid()); END $$;");
}

#[test]
fn checks_close_a_live_layer_and_open_it_again() {
    let Some(database) = PostgreSql::shared() else { return };
    database.sql(
        "CREATE TABLE public.signalee (gid int PRIMARY KEY, note text, geom geometry(Point, 2154));
         INSERT INTO public.signalee SELECT i, 'banc numéro ' || i, ST_SetSRID(ST_MakePoint(330000 + i, 6790000), 2154)
         FROM generate_series(1, 60) AS i;",
    );
    let folder = site(&[]);
    // Listed by the program, not by the officer: evidence of persons holds.
    bocage(folder.path(), &["add", &format!("PG:service={}", database.reads), "--table", "signalee", "--live", "--json"]);
    assert_eq!(publish(folder.path())[0]["outcome"], "published");
    let town = serve(folder.path(), &["--check-live", "1"]);
    let status = || town.get("/collections/signalee/items").status().as_u16();
    assert_eq!(status(), 200);
    database.sql("UPDATE signalee SET note = 'appeler le 06 39 98 75 ' || lpad(gid::text, 2, '0') WHERE gid < 40;");
    until("it is closed", || status() == 503);
    let mut closed = town.get("/collections/signalee/items/50");
    let said = closed.body_mut().read_to_string().expect("text");
    assert!(closed.status() == 503 && said.contains("closed until its data pass their checks"), "{said}");
    let mut kept = town.get("/downloads/signalee/signalee.geojson");
    assert!(!kept.body_mut().read_to_string().expect("text").contains("06 39"), "what passed stays");
    database.sql("UPDATE signalee SET note = 'banc rénové ' || gid WHERE gid < 40;");
    until("it opens", || status() == 200);
    until("its downloads follow", || {
        town.get("/downloads/signalee/signalee.geojson").body_mut().read_to_string().expect("text").contains("rénové")
    });
}

#[test]
fn nothing_of_a_service_but_its_name_is_written_anywhere() {
    let Some(database) = PostgreSql::start() else { return };
    database
        .sql("CREATE TABLE public.t (gid int PRIMARY KEY, nom text); INSERT INTO t VALUES (1, 'a'); CREATE TABLE public.cachee (x int);");
    let services = std::fs::read_to_string(std::env::var("PGSERVICEFILE").expect("a service file")).expect("services");
    let section = services.split(&format!("[{}]", database.reads)).nth(1).expect("the service");
    let value = |key: &str| section.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('=')).expect("a value").to_owned();
    let (password, port) = (value("password"), value("port"));
    let folder = site(&[("t", layer(&database.reads, "t", "live", "[fields]\nnom = {}"))]);
    publish(folder.path());
    let town = serve(folder.path(), &[]);
    assert_eq!(town.get("/collections/t/items").status(), 200);
    let mut said = String::new();
    let mut run = |arguments: &[&str], services: Option<&str>| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_bocage"));
        command.arg("--site").arg(folder.path()).args(arguments);
        if let Some(text) = services {
            let file = folder.path().join("services");
            std::fs::write(&file, text).expect("written");
            command.env("PGSERVICEFILE", file);
        }
        let output = command.output().expect("started");
        said += &String::from_utf8_lossy(&output.stdout);
        said += &String::from_utf8_lossy(&output.stderr);
    };
    let source = format!("PG:service={}", database.reads);
    run(&["add", &source], None);
    run(&["add", &source, "--table", "absente"], None);
    run(&["add", &source, "--table", "cachee", "--live"], None);
    let one = format!("[{}]{}", database.reads, section.split('[').next().unwrap_or_default());
    run(&["publish"], Some(&one.replace(&password, "faux")));
    run(&["publish"], Some("[autre]\n"));
    database.order("stop");
    run(&["publish"], None);
    assert_eq!(town.get("/collections/t/items").status(), 503);
    for expected in [
        "choisissez avec --table",
        "public.t",
        "« public.absente » n'existe pas",
        "il lui faut un identifiant",
        "refuse ces identifiants",
        "n'est pas connue",
        "ne répond pas",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    std::fs::remove_file(folder.path().join("services")).expect("removed");
    let mut places = vec![folder.path().to_owned()];
    let mut files: Vec<PathBuf> = Vec::new();
    while let Some(place) = places.pop() {
        for entry in std::fs::read_dir(place).expect("a folder").flatten() {
            if entry.path().is_dir() { places.push(entry.path()) } else { files.push(entry.path()) }
        }
    }
    assert!(files.len() > 10);
    for secret in [password.as_str(), &format!("port={port}"), "user=lecture", "127.0.0.1"] {
        assert!(!said.contains(secret), "{secret}: {said}");
        for file in &files {
            let bytes = std::fs::read(file).expect("read");
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret} in {}", file.display());
        }
    }
}
