//! `doorward probe`: nothing escapes through the gateway, whatever the upstream's dialect; and
//! what is no gateway is found out by every family.

mod broken;
mod careless;
mod echo;
mod isolation;
mod real;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

/// What a report says.
struct Told {
    code: i32,
    json: Value,
}

impl Told {
    /// Runs `doorward probe … --json` as alice against bob.
    #[track_caller]
    fn run(arguments: &[&str]) -> Self {
        let output = probe(&[arguments, &["--as", "alice", "--against", "bob", "--json"]].concat());
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        let json = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}"));
        Self { code: output.status.code().unwrap(), json }
    }

    fn number(&self, key: &str) -> u64 {
        self.json[key].as_u64().unwrap()
    }

    /// The findings with this verdict.
    fn findings(&self, verdict: &str) -> Vec<&Value> {
        let all = self.json["findings"].as_array().unwrap().iter();
        all.filter(|finding| finding["verdict"] == verdict).collect()
    }

    /// How many of each family were given this verdict.
    fn families(&self, verdict: &str) -> BTreeMap<String, u64> {
        let mut families = BTreeMap::new();
        for site in self.json["sites"].as_array().unwrap() {
            for (family, counts) in site["families"].as_object().unwrap() {
                *families.entry(family.clone()).or_default() += counts[verdict].as_u64().unwrap();
            }
        }
        families
    }
}

const FAMILIES: [&str; 15] = [
    "absolute-form",
    "body",
    "destination",
    "dot-segments",
    "encodings",
    "framing",
    "headers",
    "host",
    "http2",
    "if",
    "methods",
    "parameters",
    "prefixes",
    "query",
    "separators",
];

fn probe(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doorward"));
    command.arg("probe").args(arguments).env_clear().stdin(Stdio::null()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// `doorward probe upstream` in a process of its own.
struct Upstream {
    child: Child,
    address: String,
}

impl Upstream {
    fn start() -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_doorward"));
        command.args(["probe", "upstream"]).env_clear().stdin(Stdio::null());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.strip_prefix("recording on http://").unwrap();
        let address = address.split(',').next().unwrap().to_owned();
        Self { child, address }
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
