//! The truth table of ryft-server's homes, row by row: where its own check says "not relative to
//! home", nothing reaches it; what passes lies in the home by ryft's own reckoning. Where the
//! gateway is stricter than that, the row says so: dot segments have no place in what it forwards.

use super::routes;
use crate::support::gateway::TestGateway;
use crate::support::lint::percent_decode;
use crate::support::upstream::TestUpstream;

/// The routes of `config/examples/ryft-server.toml`.
const FILES: &str = "path = \"/files\"\n[routes.files.home]\nin = [\"path\"]\nmode = \"rewrite\"\n\
    relative = [\"query:dir\", \"query:file\", \"query:catalog\"]";
const RENAME: &str = "path = \"/rename\"\n[routes.rename.home]\nin = [\"path\", \"query:new\"]\n\
    mode = \"rewrite\"\nrelative = [\"query:dir\", \"query:file\", \"query:catalog\"]";
const SEARCH: &str = "path = \"/search\"\n[routes.search.home]\nmode = \"rewrite\"\n\
    in = [\"query:file\", \"query:files\", \"query:catalog\", \"query:data\", \"query:index\", \
          \"query:view\", \"json:file\", \"json:files\", \"json:catalog\", \"json:data\", \
          \"json:index\", \"json:view\"]";

#[derive(Clone, Copy, Debug, PartialEq)]
enum Verdict {
    /// In the home for ryft, and let through.
    Inside,
    /// In the home for ryft, and refused here.
    Stricter,
    /// Not relative to home.
    Escapes,
}

use Verdict::{Escapes, Inside, Stricter};

/// A value, and what ryft says of it when it is joined to the home.
const VALUES: [(&str, Verdict); 20] = [
    ("abc", Inside),
    ("abc/", Inside),
    ("abc.txt", Inside),
    ("foo/abc.txt", Inside),
    ("foo/abc..txt", Inside),
    ("..abc", Inside),
    ("/abc.txt", Inside),
    ("/home/abc.txt", Inside),
    ("*.txt", Inside),
    ("foo/..", Stricter),
    ("foo/../", Stricter),
    ("foo/../abc.txt", Stricter),
    ("./abc.txt", Stricter),
    ("..", Escapes),
    ("../", Escapes),
    ("../abc.txt", Escapes),
    ("/../../var/data/3.txt", Escapes),
    ("foo/../../bob/x", Escapes),
    ("../bob/x", Escapes),
    ("%2e%2e/bob/x", Escapes),
];

fn start(upstream: &TestUpstream) -> TestGateway {
    let builder = routes(
        upstream,
        &[("routes.files", FILES), ("routes.rename", RENAME), ("routes.search", SEARCH)],
    );
    builder.start()
}

/// Where a value leads that ryft joins to a folder, by its own rules: lexically, and re-rooted.
fn joined(folder: &str, parts: &[&str]) -> String {
    let mut place: Vec<&str> = Vec::new();
    for part in std::iter::once(&folder).chain(parts).flat_map(|part| part.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(place.pop()),
            name => place.push(name),
        }
    }
    format!("/{}", place.join("/"))
}

fn decoded(text: &str) -> String {
    String::from_utf8(percent_decode(text.as_bytes())).unwrap()
}

/// Sends one row; on a refusal the upstream must not have been touched.
#[track_caller]
fn send(
    upstream: &TestUpstream,
    ask: &crate::support::request::Ask<'_>,
    verdict: Verdict,
    row: &str,
) {
    let before = upstream.requests().len();
    let status = ask.send().status();
    let sent = upstream.requests().len() - before;
    match verdict {
        Inside => assert_eq!((status, sent), (200, 1), "{row}"),
        Stricter | Escapes => assert_eq!((status, sent), (400, 0), "{row}"),
    }
}

#[test]
fn parameters_that_go_on_from_the_path() {
    let upstream = TestUpstream::start();
    let gateway = start(&upstream);

    for name in ["dir", "file", "catalog"] {
        for (value, verdict) in VALUES {
            for (method, path) in [("GET", "/files/foo"), ("DELETE", "/files"), ("PUT", "/rename")]
            {
                let more = if path == "/rename" { "&new=other.txt" } else { "" };
                let target = format!("{path}?{name}={value}{more}");
                let ask = gateway.ask(method, &target).bearer("alice");
                send(&upstream, &ask, verdict, &format!("{method} {target}"));
            }
        }
    }
    for request in upstream.requests() {
        let (path, query) = request.target.split_once('?').unwrap();
        let folder = path.trim_start_matches("/files").trim_start_matches("/rename");
        let value = query.split(['=', '&']).nth(1).unwrap();
        let place = joined(folder, &[&decoded(value)]);
        assert!(place.starts_with("/alice/"), "{}: {place}", request.target);
    }
}

#[test]
fn names_that_begin_at_the_home() {
    let upstream = TestUpstream::start();
    let gateway = start(&upstream);

    for name in ["file", "files", "catalog", "data", "index", "view"] {
        for (value, verdict) in VALUES {
            let target = format!("/search?query=x&{name}={value}");
            let ask = gateway.get(&target).bearer("alice");
            send(&upstream, &ask, verdict, &target);
            let body = match name {
                "files" => serde_json::json!({ "query": "x", name: ["abc", value] }),
                _ => serde_json::json!({ "query": "x", name: value }),
            };
            let ask = gateway.ask("POST", "/search").bearer("alice");
            let ask = ask.header("Content-Type", "application/json").body(body.to_string());
            send(&upstream, &ask, verdict, &body.to_string());
        }
    }
    for (value, verdict) in VALUES {
        let target = format!("/rename?file=3.txt&new={value}");
        send(&upstream, &gateway.ask("PUT", &target).bearer("alice"), verdict, &target);
    }
    for request in upstream.requests() {
        let values: Vec<String> = if request.body.is_empty() {
            let (path, query) = request.target.split_once('?').unwrap();
            assert!(path == "/search" || path == "/rename/alice", "{path}");
            let values = query.split('&').filter_map(|pair| pair.split_once('='));
            let values = values.filter(|(name, _)| {
                !matches!((path, *name), (_, "query") | ("/rename/alice", "file"))
            });
            values.map(|(_, value)| decoded(value)).collect()
        } else {
            let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
            let members = body.as_object().unwrap().iter().filter(|(name, _)| *name != "query");
            members
                .flat_map(|(_, value)| value.as_array().cloned().unwrap_or(vec![value.clone()]))
                .map(|value| value.as_str().unwrap().to_owned())
                .collect()
        };
        assert!(!values.is_empty());
        for value in values {
            assert!(joined("/", &[&value]).starts_with("/alice/"), "{request:?}");
        }
    }
}

#[test]
fn its_own_conformance_cases() {
    let upstream = TestUpstream::start();
    let gateway = start(&upstream);

    for (method, target, verdict, sent) in [
        ("GET", "/files", Inside, "/files/alice"),
        ("GET", "/files/foo?dir=../..", Escapes, ""),
        ("GET", "/files/foo?dir=..&file=1.txt", Stricter, ""),
        ("GET", "/files/foo?dir=bar&file=1.txt", Inside, "/files/alice/foo?dir=bar&file=1.txt"),
        ("GET", "/files?file=/test.txt", Inside, "/files/alice?file=test.txt"),
        ("PUT", "/rename?file=3.txt&new=/../../var/data/3.txt", Escapes, ""),
        (
            "PUT",
            "/rename?file=3.txt&new=4.txt",
            Inside,
            "/rename/alice?file=3.txt&new=/alice/4.txt",
        ),
        ("DELETE", "/files?file=a&file=../bob/b", Escapes, ""),
        ("DELETE", "/files?file=a&FILE=b", Escapes, ""),
        ("DELETE", "/files?file=a&file[]=b", Escapes, ""),
        ("DELETE", "/files?dir=a&file=*.txt", Inside, "/files/alice?dir=a&file=*.txt"),
        ("DELETE", "/files?file=%7Ba,../../bob%7D", Escapes, ""),
    ] {
        send(&upstream, &gateway.ask(method, target).bearer("alice"), verdict, target);
        if verdict == Inside {
            assert_eq!(upstream.requests().last().unwrap().target, sent);
        }
    }
    // A session names files that only ryft can read, and names none by itself.
    let before = upstream.requests().len();
    assert_eq!(gateway.get("/search/show?session=e30.e30.x").bearer("alice").send().status(), 403);
    assert_eq!(gateway.get("/files").bearer("dave").send().status(), 403);
    assert_eq!(upstream.requests().len(), before);
}
