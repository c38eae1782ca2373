//! Homes: everything that a request names lies in the home, in every reading.

use super::{routes, targets};
use crate::support::answer::Answer;
use crate::support::lint::percent_decode;
use crate::support::upstream::TestUpstream;

const HOMES: &str = "path = \"/files\"\n\
    home = { in = [\"path\", \"header:destination\", \"query:file\"], mode = \"require\" }";
const REWRITTEN: &str = "path = \"/files\"\n\
    home = { in = [\"path\", \"header:destination\", \"query:file\"], mode = \"rewrite\" }";

#[test]
fn a_user_may_not_leave_their_home() {
    let upstream = TestUpstream::start();
    let gateway = routes(&upstream, &[("routes.files", HOMES)]).start();
    let status = |target: &str| gateway.get(target).bearer("alice").send().status();

    for target in [
        "/files/bob/x",
        "/files/alice2/x",
        "/files/alice-evil",
        "/files/",
        "/files",
        "/files/alic",
        "/files/alice/x?file=/files/bob/y",
        "/files/alice?file=/alice/x&file=/files/bob/x",
    ] {
        assert_eq!(status(target), 403, "{target}");
    }
    // A home in other letters is refused as ambiguous: the upstream may not tell them apart.
    assert_eq!(status("/files/Alice/x"), 400);
    upstream.assert_untouched();
    for target in ["/files/alice", "/files/alice/", "/files/alice/x", "/files/alice/a%20b"] {
        assert_eq!(status(target), 200, "{target}");
    }
    assert_eq!(
        targets(&upstream),
        ["/files/alice", "/files/alice/", "/files/alice/x", "/files/alice/a%20b"]
    );
}

#[test]
fn a_home_is_compared_in_its_canonical_spelling() {
    let users = "users:\n  - username: zoë\n    password: zoe-and-her-home\n    home: /zoë b\n";
    let upstream = TestUpstream::start();
    let gateway = routes(&upstream, &[("routes.files", HOMES)]).users(users).start();
    let status =
        |target: &str| gateway.get(target).basic("zoë", "zoe-and-her-home").send().status();

    assert_eq!(status("/files/zo%C3%AB%20b/x"), 200);
    assert_eq!(status("/files/zo%c3%ab%20b/%78"), 200);
    for target in
        ["/files/zo%C3%AB/x", "/files/zo%C3%AB+b/x", "/files/zoe%CC%88%20b/x", "/files/zo%EB%20b/x"]
    {
        assert!(matches!(status(target), 400 | 403), "{target}");
    }
    assert_eq!(targets(&upstream), ["/files/zo%C3%AB%20b/x"; 2]);
}

#[test]
fn no_home_is_nothing_and_the_root_is_everything() {
    let upstream = TestUpstream::start();
    let gateway = routes(&upstream, &[("routes.files", HOMES)]).start();

    for target in ["/files", "/files/", "/files/dave/x", "/files/alice/x"] {
        assert_eq!(gateway.get(target).bearer("dave").send().status(), 403, "{target}");
    }
    upstream.assert_untouched();
    for target in ["/files/alice/x", "/files/bob/x", "/files/"] {
        assert_eq!(gateway.get(target).bearer("root").send().status(), 200, "{target}");
    }
}

/// Every spelling that some parser reads as another's file.
const CONFUSING: &[&str] = &[
    "/files/alice/../bob/x",
    "/files/alice/%2e%2e/bob/x",
    "/files/alice/%2E%2E/bob/x",
    "/files/alice/.%2e/bob/x",
    "/files/alice/..%2fbob/x",
    "/files/alice/..%5cbob/x",
    "/files/alice/..\\bob\\x",
    "/files/alice/%252e%252e/bob/x",
    "/files/alice/%252e%252e%252fbob",
    "/files/alice/%%32%65%%32%65/bob",
    "/files/alice/..;/bob/x",
    "/files/alice/..;a=b/bob/x",
    "/files/alice/.;/../bob/x",
    "/files/./alice/../bob/x",
    "//files/bob/x",
    "/files//bob/x",
    "/files/alice//../bob/x",
    "/files%2fbob/x",
    "/files/alice%2f..%2fbob",
    "/files/bob/x#/../../alice/ok",
    "/files/alice/x#/../../bob",
    "/files/alice/x%00/../../bob",
    "/files/alice/%00",
    "/files/alice/%c0%ae%c0%ae/bob",
    "/files/alice/%c0%af..%c0%afbob",
    "/files/alice/%u002e%u002e/bob",
    "/files/alice/%zz",
    "/files/alice/%2",
    "/files/alice/\u{7f}",
    "/files/alice/..",
    "/files/alice/.",
    "/../files/bob",
    "/files/alice/..%2f",
    "/files/alice/%ff",
];

#[test]
fn no_spelling_leads_out_of_a_home() {
    let upstream = TestUpstream::start();
    let gateway = routes(&upstream, &[("routes.files", HOMES)]).start();

    for target in CONFUSING {
        let response = gateway.get(target).bearer("alice").send();
        assert!((400..500).contains(&response.status()), "{target}: {response:?}");
    }

    upstream.assert_untouched();
}

#[test]
fn no_spelling_leads_out_of_a_home_over_http_2() {
    let upstream = TestUpstream::start();
    let gateway = routes(&upstream, &[("routes.files", HOMES)]).start();
    let token = crate::support::tokens::Token::of("alice").signed();
    let authorization = format!("Bearer {token}");

    for path in CONFUSING.iter().chain(&["files/bob/x", "", "*", "http://files.test/files/bob"]) {
        let mut connection = gateway.connect_frames();
        let fields = [
            (":method", "GET"),
            (":scheme", "https"),
            (":authority", "files.test"),
            (":path", path),
            ("authorization", &*authorization),
        ];
        connection.headers(1, crate::support::frames::END_STREAM, &fields).unwrap();
        let outcome = connection.outcome(1);
        // What stands behind `#` never comes out of the HTTP/2 engine: neither is it decided on,
        // nor is it sent.
        assert!(outcome.is_refusal() || path.contains('#'), "{path}: {outcome:?}");
    }

    assert!(upstream.requests().iter().all(|request| request.target == "/files/alice/x"));
}

#[test]
fn no_spelling_leads_out_of_a_rewritten_home() {
    let upstream = TestUpstream::start();
    let gateway = routes(&upstream, &[("routes.files", REWRITTEN)]).start();

    for target in CONFUSING {
        gateway.get(target).bearer("alice").send();
    }

    for request in upstream.requests() {
        let mut reading = request.target.clone().into_bytes();
        for _ in 0..3 {
            assert!(reading.starts_with(b"/files/alice/"), "{}", request.target);
            assert!(!String::from_utf8_lossy(&reading).contains("/.."), "{}", request.target);
            reading = percent_decode(&reading);
        }
    }
}

#[test]
fn a_destination_must_lie_in_the_home_too() {
    let upstream = TestUpstream::start();
    let gateway = routes(&upstream, &[("routes.files", HOMES)]).start();
    let moved = |destination: &str| {
        let ask = gateway.ask("MOVE", "/files/alice/x").bearer("alice");
        ask.header("Destination", destination).send().status()
    };

    for destination in [
        "/files/bob/x",
        "/files/alice/../bob/x",
        "/files/alice/%2e%2e/bob/x",
        "http://files.test/files/bob/x",
        "http://files.test.evil/files/alice/x",
        "https://files.test/files/alice/x#../../bob",
        "//files.test/files/alice/x",
        "//evil/files/alice/x",
        "files/alice/x",
        "ftp://files.test/files/alice/x",
        "http://user@files.test/files/alice/x",
        "",
    ] {
        let status = moved(destination);
        assert!((400..500).contains(&status), "{destination}: {status}");
    }
    let ask = gateway.ask("MOVE", "/files/alice/x").bearer("alice");
    let twice = ask.header("Destination", "/files/alice/y").header("destination", "/files/bob/y");
    assert_eq!(twice.send().status(), 400);
    upstream.assert_untouched();

    assert_eq!(moved("/files/alice/y"), 200);
    assert_eq!(moved("http://files.test/files/alice/y"), 200);
    for request in upstream.requests() {
        let destination = request.header("destination").unwrap();
        assert!(destination.ends_with("/files/alice/y"), "{destination}");
    }
}

#[test]
fn a_rewritten_home_is_put_in_front() {
    let upstream = TestUpstream::start();
    let gateway = routes(&upstream, &[("routes.files", REWRITTEN)]).start();

    gateway.get("/files/notes/a%20b?x=1").bearer("alice").send();
    gateway.get("/files/").bearer("bob").send();
    gateway.get("/files/x?file=/sub/y").bearer("alice").send();
    let ask = gateway.ask("MOVE", "/files/x").bearer("alice");
    ask.header("Destination", "http://files.test/files/y").send();

    let requests = upstream.requests();
    assert_eq!(requests[0].target, "/files/alice/notes/a%20b?x=1");
    assert_eq!(requests[1].target, "/files/bob/");
    assert!(requests[2].target.starts_with("/files/alice/x?file="), "{}", requests[2].target);
    assert!(requests[2].target.contains("alice"), "{}", requests[2].target);
    assert!(requests[3].header("destination").unwrap().ends_with("/files/alice/y"));
    assert_eq!(requests[3].target, "/files/alice/x");
}

#[test]
fn a_rewritten_home_is_nothing_without_one() {
    let upstream = TestUpstream::start();
    let gateway = routes(&upstream, &[("routes.files", REWRITTEN)]).start();

    assert_eq!(gateway.get("/files/x").bearer("dave").send().status(), 403);

    upstream.assert_untouched();
}

#[test]
fn locations_are_translated_back() {
    let upstream = TestUpstream::answering(|request| {
        let location = request.header("x-answer").unwrap_or("").to_owned();
        Answer::status(201, &[("Location", &location), ("Content-Location", &location)], "made")
    })
    .start();
    let gateway = routes(&upstream, &[("routes.files", REWRITTEN)]).start();
    let translated = |location: &str| {
        let ask = gateway.ask("PUT", "/files/x").bearer("alice").header("X-Answer", location);
        let response = ask.body("x").send();
        assert_eq!(response.status(), 201);
        let both =
            ["location", "content-location"].map(|name| response.header(name).map(str::to_owned));
        assert_eq!(both[0], both[1], "{location}");
        both[0].clone()
    };

    let path = |location: &str| {
        let text = translated(location).unwrap();
        text.strip_prefix("http://files.test").unwrap_or(&text).to_owned()
    };
    assert_eq!(path("/files/alice/x/"), "/files/x/");
    assert_eq!(path("/files/alice"), "/files");
    assert_eq!(path("http://files.test/files/alice/x"), "/files/x");
    assert_eq!(translated("http://elsewhere.test/y").as_deref(), Some("http://elsewhere.test/y"));
}

#[test]
fn the_windows_dialect_refuses_what_windows_reads_otherwise() {
    let upstream = TestUpstream::start();
    let windows = format!("{HOMES}\npaths = \"windows\"");
    let gateway = routes(&upstream, &[("routes.files", &windows)]).start();

    for target in [
        "/files/alice/x::$DATA",
        "/files/alice/CON",
        "/files/alice/aux.txt",
        "/files/alice/x.",
        "/files/alice/x%20",
        "/files/alice/..%20/bob",
        "/files/ALICE/x",
        "/files/alice/c:",
    ] {
        let status = gateway.get(target).bearer("alice").send().status();
        assert!(matches!(status, 400 | 403), "{target}: {status}");
    }

    upstream.assert_untouched();
}

#[test]
fn the_tomcat_dialect_refuses_path_parameters() {
    let upstream = TestUpstream::start();
    let tomcat = format!("{HOMES}\npaths = \"tomcat\"");
    let gateway = routes(&upstream, &[("routes.files", &tomcat)]).start();

    for target in ["/files/alice;x/y", "/files/bob;/../alice/y", "/files/alice/x;jsessionid=1"] {
        let status = gateway.get(target).bearer("alice").send().status();
        assert!(matches!(status, 400 | 403), "{target}: {status}");
    }

    upstream.assert_untouched();
}

#[test]
fn the_raw_dialect_forwards_what_it_may_and_homes_hold() {
    let upstream = TestUpstream::answering(|_| Answer::ok("hello")).with_raw_paths().start();
    let raw = format!("{HOMES}\npaths = \"raw\"");
    let gateway = routes(&upstream, &[("routes.files", &raw)]).start();

    assert_eq!(gateway.get("/files/alice/a%2Fb").bearer("alice").send().status(), 200);
    for target in CONFUSING {
        gateway.get(target).bearer("alice").send();
    }

    for request in upstream.requests() {
        let target = request.target;
        assert!(target.starts_with("/files/alice/"), "{target}");
        assert!(target.split('/').all(|segment| segment != ".." && segment != "."), "{target}");
    }
}

#[test]
fn headers_that_name_another_target_change_nothing() {
    let upstream = TestUpstream::start();
    let gateway = routes(
        &upstream,
        &[("routes.files", HOMES), ("routes.open", "path = \"/open\"\naccept = [\"anonymous\"]")],
    )
    .start();

    for (name, value) in [
        ("X-Forwarded-Uri", "/open"),
        ("X-Original-URL", "/open"),
        ("X-Original-URI", "/open"),
        ("X-Rewrite-URL", "/open"),
        ("X-HTTP-Method-Override", "OPTIONS"),
        ("X-Middleware-Subrequest", "middleware"),
        ("User-Agent", "GoogleHC/1.0"),
        ("X-Forwarded-For", "127.0.0.1"),
        ("X-Forwarded-Host", "open.test"),
    ] {
        let response = gateway.get("/files/alice/x").header(name, value).send();
        assert_eq!(response.status(), 401, "{name}");
    }

    upstream.assert_untouched();
}

/// The payloads of `tests/corpora/paths` (see its README for source and licence), below alice's
/// home: whatever arrives upstream must lie there in every reading.
#[test]
fn no_payload_of_the_corpus_leads_out_of_a_home() {
    let upstream = TestUpstream::start();
    let gateway = routes(&upstream, &[("routes.files", HOMES)]).start();
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpora/paths/payloads.jsonl");
    let corpus = std::fs::read_to_string(corpus).unwrap();
    let mut client = gateway.connect();
    let mut count = 0;

    for line in corpus.lines() {
        let payload: serde_json::Value = serde_json::from_str(line).unwrap();
        let payload = payload["p"].as_str().unwrap().replace("{FILE}", "etc/passwd");
        let ask = gateway.get(&format!("/files/alice/{payload}")).bearer("alice");
        count += 1;
        let _ = client.try_send(ask.bytes());
        match client.response_to("GET") {
            Ok(response) if response.header("connection") != Some("close") => {
                assert!(response.status() < 500, "{payload}: {response:?}");
            }
            _ => client = gateway.connect(),
        }
    }

    assert!(count > 2500, "{count} payloads");
    for request in upstream.requests() {
        let mut reading = request.target.clone().into_bytes();
        for _ in 0..3 {
            let text = String::from_utf8_lossy(&reading).replace('\\', "/");
            let (path, _) = text.split_once('?').unwrap_or((&text, ""));
            assert!(path.starts_with("/files/alice/"), "{}", request.target);
            let climbs = path.split('/').any(|part| matches!(part.split(';').next(), Some("..")));
            assert!(!climbs, "{}", request.target);
            reading = percent_decode(&reading);
        }
    }
}
