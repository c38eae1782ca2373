//! Policy: which route, which permission, which home; and what is refused before it.

mod condition;
mod content;
mod home;
mod route;
mod ryft;

use crate::support::configuration::Builder;
use crate::support::gateway::TestGateway;
use crate::support::lint::percent_decode;
use crate::support::upstream::TestUpstream;

fn targets(upstream: &TestUpstream) -> Vec<String> {
    upstream.requests().into_iter().map(|request| request.target).collect()
}

fn routes(upstream: &TestUpstream, routes: &[(&'static str, &str)]) -> Builder {
    let mut builder = TestGateway::before(upstream).section("routes.all", "");
    for (name, text) in routes {
        builder = builder.section(name, &format!("upstream = \"files\"\n{text}"));
    }
    builder
}

/// The payloads of `tests/corpora/paths`; its README tells their source and licence.
fn corpus() -> Vec<String> {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpora/paths/payloads.jsonl");
    let corpus = std::fs::read_to_string(corpus).unwrap();
    let payloads = corpus.lines().map(|line| {
        let payload: serde_json::Value = serde_json::from_str(line).unwrap();
        payload["p"].as_str().unwrap().replace("{FILE}", "etc/passwd")
    });
    payloads.collect()
}

/// Whether a path lies below `home` and climbs nowhere, however often it is decoded.
#[track_caller]
fn assert_inside(path: &str, home: &str) {
    let mut reading = path.as_bytes().to_vec();
    for _ in 0..3 {
        let text = String::from_utf8_lossy(&reading).replace('\\', "/");
        assert!(text.starts_with(home), "{path}");
        let climbs = text.split('/').any(|part| matches!(part.split(';').next(), Some("..")));
        assert!(!climbs, "{path}");
        reading = percent_decode(&reading);
    }
}
