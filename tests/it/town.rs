//! `Town`: the demonstration town, published and served by the program itself.

use std::io::BufRead;
use std::io::BufReader;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;

use serde_json::Value;

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

impl Drop for Town {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
