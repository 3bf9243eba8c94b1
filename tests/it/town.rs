//! `Town`: the demonstration town, published and served by the program itself, from its files or from tables of PostGIS.

use std::io::BufRead;
use std::io::BufReader;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::OnceLock;

use serde_json::Value;

use crate::database::PostgreSql;
use crate::shared::bocage;
use crate::shared::copy;

pub struct Town {
    child: Child,
    /// `http://127.0.0.1:port`, without a trailing slash.
    pub base: String,
}

impl Town {
    /// `bocage demo` on a free port, once it answers.
    pub fn demo() -> Town {
        Town::start(&["demo", "--listen", "127.0.0.1:0"])
    }

    /// The same town, every layer of which its table answers; `None`, said loudly, where there is no database.
    pub fn live() -> Option<Town> {
        static SITE: OnceLock<Option<PathBuf>> = OnceLock::new();
        let site = SITE.get_or_init(|| PostgreSql::shared().map(live_site)).as_ref()?;
        Some(Town::start(&["--site", site.to_str().expect("text"), "serve", "--listen", "127.0.0.1:0"]))
    }

    /// Any command that serves and says where.
    pub fn start(arguments: &[&str]) -> Town {
        let mut child = Command::new(env!("CARGO_BIN_EXE_bocage"))
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("started");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let base = lines
            .map_while(Result::ok)
            .find_map(|line| line.split_once("http://").map(|(_, rest)| rest.split('/').next().unwrap_or_default().to_owned()))
            .expect("the address is printed");
        Town { child, base: format!("http://{base}") }
    }

    pub fn get(&self, path: &str) -> ureq::http::Response<ureq::Body> {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        agent.get(format!("{}{path}", self.base)).call().expect("an answer")
    }

    pub fn json(&self, path: &str) -> Value {
        let mut answer = self.get(path);
        assert_eq!(answer.status(), 200, "{path}");
        serde_json::from_str(&answer.body_mut().read_to_string().expect("text")).expect("JSON")
    }

    /// The ids of its collections.
    pub fn layers(&self) -> Vec<String> {
        let list = self.json("/collections");
        list["collections"].as_array().expect("a list").iter().map(|layer| layer["id"].as_str().expect("an id").to_owned()).collect()
    }
}

/// The site that outlives its tests, for them all.
fn live_site(database: &PostgreSql) -> PathBuf {
    let site = Path::new(env!("CARGO_TARGET_TMPDIR")).join("live-town");
    let _ = std::fs::remove_dir_all(&site);
    for folder in ["layers", "styles"] {
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &site.join(folder));
    }
    let published = bocage(&site, &["publish", "--json"]);
    for layer in published.as_array().expect("layers") {
        let text = |key: &str| layer[key].as_str().expect("text");
        let id = text("id");
        database.load(&site.join(format!("var/layers/{id}/{}/{id}.gpkg", text("version"))), id);
        let path = site.join(format!("layers/{id}.toml"));
        let said = std::fs::read_to_string(&path).expect("a layer file");
        let of_a_file = |line: &&str| !["layer ", "crs ", "encoding ", "table "].iter().any(|key| line.starts_with(key));
        let table = format!("source = \"PG:service={}\"\ntable = \"public.{id}\"\nmode = \"live\"", database.reads);
        let lines: Vec<&str> =
            said.lines().filter(of_a_file).map(|line| if line.starts_with("source ") { table.as_str() } else { line }).collect();
        std::fs::write(&path, lines.join("\n")).expect("written");
    }
    std::fs::remove_dir_all(site.join("var")).expect("removed");
    std::fs::remove_dir_all(site.join("layers/depot")).expect("removed");
    std::fs::create_dir(site.join("layers/depot")).expect("made");
    for layer in bocage(&site, &["publish", "--json"]).as_array().expect("layers") {
        assert_eq!(layer["outcome"], "published", "{layer}");
    }
    site
}

/// Each test on the town as its versions answer, and as its tables do.
macro_rules! in_both_towns {
    ($($name:ident),* $(,)?) => {
        mod stored {
            $(#[test] fn $name() { super::$name(&crate::town::Town::demo()); })*
        }
        mod live {
            $(#[test] fn $name() { if let Some(town) = crate::town::Town::live() { super::$name(&town); } })*
        }
    };
}
pub(crate) use in_both_towns;

impl Drop for Town {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
