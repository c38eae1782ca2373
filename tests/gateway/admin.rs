//! What an operator sees: health, status, metrics, logs.

use std::os::unix::fs::PermissionsExt as _;

use crate::support::gateway::TestGateway;
use crate::support::tokens::Token;
use crate::support::upstream::TestUpstream;

#[test]
fn health_readiness_and_status_are_told() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();

    assert_eq!(gateway.admin("GET", "/healthz").status(), 200);
    assert_eq!(gateway.admin("GET", "/readyz").status(), 200);
    let status = gateway.status();

    assert_eq!(status["pid"], gateway.process());
    assert_eq!(status["users"], 5);
    assert_eq!(status["routes"], 1);
    assert!(status["generation"].as_u64().is_some_and(|generation| generation >= 1), "{status}");
    let names = status["listeners"].as_array().unwrap().iter().map(|listener| &listener["name"]);
    assert_eq!(names.collect::<Vec<_>>(), ["main", "tls"]);
}

#[test]
fn the_admin_endpoint_is_elsewhere() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();

    for path in ["/status", "/metrics", "/healthz", "/reload"] {
        let anonymous = gateway.get(path).send();
        assert_eq!(anonymous.status(), 401, "{path}");
        let known = gateway.get(path).bearer("alice").send();
        assert_eq!(known.text(), "hello", "{path} belongs to the upstream");
    }
    assert_eq!(gateway.admin("GET", "/files").status(), 404);
    assert_eq!(gateway.admin("GET", "/reload").status(), 405);
    assert_eq!(gateway.admin("DELETE", "/status").status(), 405);
}

#[test]
fn the_admin_socket_is_its_owners() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();

    let mode = std::fs::metadata(gateway.files().path("admin.sock")).unwrap().permissions().mode();

    assert_eq!(mode & 0o007, 0, "{mode:o}");
}

#[test]
fn requests_and_refusals_are_counted() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();

    for _ in 0..3 {
        gateway.get("/x").bearer("alice").send();
    }
    gateway.get("/x").send();
    gateway.get("/x/../y").bearer("alice").send();

    gateway.wait("five requests to be counted", || {
        let metrics = gateway.metrics();
        let counted = metrics
            .lines()
            .filter(|line| line.starts_with("doorward_requests_total"))
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
        counted.sum::<f64>() >= 5.0
    });
}

#[test]
fn metrics_hold_nothing_from_the_network() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();

    gateway
        .get("/marker-of-a-path?marker-of-a-query")
        .host("marker-of-a-host.test")
        .bearer("alice")
        .send();
    gateway.ask("MARKER", "/x").bearer("alice").send();
    gateway.get("/x").basic("marker-of-a-user", "marker-of-a-password").send();
    let metrics = gateway.metrics();

    assert!(!metrics.to_lowercase().contains("marker"), "{metrics}");
    assert!(!metrics.contains("alice"), "{metrics}");
    assert!(metrics.contains("doorward_"), "{metrics}");
}

#[test]
fn nothing_secret_is_told() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();
    let token = Token::of("alice").signed();

    gateway
        .get("/x?password=marker-of-a-query")
        .token(&token)
        .header("Cookie", "session=marker-of-a-cookie")
        .send();
    gateway.get("/x").basic("alice", "marker-of-a-wrong-password").send();
    gateway.get("/x").token(&format!("{token}x")).send();
    gateway.get("/x").header("X-Auth-Token", &token).header("X-Auth-Token", &token).send();

    let told = [
        gateway.admin("GET", "/status").text(),
        gateway.metrics(),
        gateway.log_lines("\"status\":400").join("\n"),
        gateway.output(),
    ]
    .concat();
    let signature = token.rsplit('.').next().unwrap();
    for secret in
        [signature, "marker-of-a-query", "marker-of-a-cookie", "marker-of-a-wrong-password"]
    {
        assert!(!told.contains(secret), "{secret}: {told}");
    }
}

#[test]
fn every_request_is_a_line_with_its_decision() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream)
        .route("permissions = { PUT = \"files:write\", \"*\" = [] }")
        .start();

    gateway.get("/allowed").bearer("bob").send();
    gateway.ask("PUT", "/denied").bearer("bob").body("x").send();

    for (path, status) in [("/allowed", 200), ("/denied", 403)] {
        let line = gateway.log_lines(path).pop().unwrap();
        let fields: serde_json::Value = serde_json::from_str(&line).unwrap();
        let text = fields.to_string();
        assert!(text.contains("bob") && text.contains(&status.to_string()), "{line}");
        assert!(text.contains("all"), "the route is named: {line}");
    }
}

#[test]
fn what_a_client_sends_cannot_forge_a_line() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();

    let user = "evil\u{1b}[2J\u{202e}\u{2028}\"}";
    gateway.get("/%0a%0dforged-line%1b").basic(user, "x").header("User-Agent", "a\u{9b}\"}").send();
    gateway.get("/after").send();

    for line in gateway.log_lines("\"status\"") {
        assert!(serde_json::from_str::<serde_json::Value>(&line).is_ok(), "{line}");
        assert!(!line.contains(['\u{1b}', '\u{202e}', '\u{2028}', '\u{9b}']), "{line:?}");
    }
    upstream.assert_untouched();
}

#[test]
fn a_log_that_cannot_be_written_stops_no_request() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream)
        .section("log", "level = \"info\"\nfile = \"/dev/full\"\nqueue = \"64KiB\"")
        .start();
    let mut client = gateway.connect();

    for _ in 0..500 {
        assert_eq!(gateway.get("/x").bearer("alice").send_over(&mut client).status(), 200);
    }

    gateway.wait("drops to be counted", || {
        gateway.status()["log_lines_dropped"].as_u64().is_some_and(|count| count > 0)
    });
}

#[test]
fn a_log_that_was_moved_away_is_opened_anew() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream)
        .section("log", "level = \"info\"\nformat = \"json\"\nfile = \"{root}/access.log\"")
        .start();
    let logged = |name: &str, part: &str| {
        std::fs::read_to_string(gateway.files().path(name)).is_ok_and(|log| log.contains(part))
    };
    gateway.get("/before").bearer("alice").send();
    gateway.wait("the first line", || logged("access.log", "/before"));

    std::fs::rename(gateway.files().path("access.log"), gateway.files().path("old.log")).unwrap();
    gateway.reload();
    gateway.get("/after").bearer("alice").send();

    gateway.wait("the line in the new file", || logged("access.log", "/after"));
    assert!(!logged("old.log", "/after"));
}
