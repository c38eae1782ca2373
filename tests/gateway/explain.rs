//! What the running gateway tells of its refusals.

use std::process::Command;

use serde_json::Value;

use crate::support::client::Response;
use crate::support::configuration::Builder;
use crate::support::gateway::TestGateway;
use crate::support::upstream::TestUpstream;

const ROUTE: &str = "upstream = \"files\"\npath = \"/files\"\naccept = [\"basic\", \"bearer\"]\n\
                     permissions = { \"*\" = \"files:read\" }\n\
                     home = { in = [\"path\", \"query:dir\", \"header:destination\"], \
                     mode = \"require\" }";

fn before(upstream: &TestUpstream) -> Builder {
    TestGateway::before(upstream)
        .section("server", "workers = 1")
        .section("routes.all", "")
        .section("routes.files", ROUTE)
}

fn doorward(gateway: &TestGateway, arguments: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_doorward"))
        .args(arguments)
        .args(["--config", "doorward.toml"])
        .current_dir(gateway.files().root())
        .env_clear()
        .output()
        .unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (output.status.code().unwrap(), text)
}

fn decision(response: &Response) -> String {
    response.problem()["decision"].as_str().unwrap().to_owned()
}

#[track_caller]
fn explained(gateway: &TestGateway, response: &Response) -> String {
    let (code, text) = doorward(gateway, &["explain", &decision(response)]);
    assert_eq!(code, 1, "{text}"); // it was refused
    text
}

#[track_caller]
fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no {part:?} in: {text}");
    }
}

#[test]
fn a_denied_request_is_told_with_its_route_its_demands_and_their_places() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let target = "/files/%61lice/a?dir=/bob/x&token=of-nobody-else";

    let response = gateway.get(target).bearer("alice").send();

    assert_eq!(response.status, 403);
    let text = explained(&gateway, &response);
    has(
        &text,
        &[
            "GET /files/%61lice/a?dir=/bob/x&token=…",
            "path       /files/alice/a, from /files/%61lice/a",
            "user       alice, of local",
            "route      files, ",
            "doorward.toml:",
            "NOT MET  home (require) below /files, in path, query:dir, header:destination: home \
             /alice: query parameter lies outside the home",
            "met      permission files:read: holds [files:*], by the role editor at ",
            "DENY, answered with 403, reason outside_home",
            "generation 1",
            "from 127.0.0.1, with a credential (bearer)",
        ],
    );
    assert!(!text.contains("of-nobody-else"), "{text}");
    let line = ROUTE.lines().position(|line| line.starts_with("home")).unwrap();
    let config = gateway.files().read("doorward.toml");
    let start = config.lines().position(|line| line == "[routes.files]").unwrap();
    has(&text, &[&format!("doorward.toml:{}:", start + 2 + line)]);
    upstream.assert_untouched();
}

#[test]
fn a_refused_credential_is_told_and_never_shown() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();

    let wrong = gateway.get("/files/alice").basic("alice", "not-the-password").send();
    let none = gateway.get("/files/alice").send();

    assert_eq!((wrong.status, none.status), (401, 401));
    let text = explained(&gateway, &wrong);
    has(
        &text,
        &[
            "with a credential (basic) for \"alice\"",
            "user       nobody",
            "NOT MET  a credential (bearer, basic): password; the rest was not looked at",
            "DENY, answered with 401, reason password",
        ],
    );
    assert!(!text.contains("not-the-password") && !text.contains("Basic "), "{text}");
    has(&explained(&gateway, &none), &["401, reason credential_missing"]);
    upstream.assert_untouched();
}

#[test]
fn what_has_two_readings_is_logged_and_told_with_both() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let ask = |target: &str| gateway.ask("MOVE", target).bearer("alice");

    for (response, reason, part, readings) in [
        (
            ask("/files/alice%2fbob").send(),
            "encoded_slash",
            "path",
            ["a slash within one name", "a separator"],
        ),
        (
            ask("/files/alice/a").header("destination", "/files/alice/../bob").send(),
            "dot_segment",
            "destination",
            ["a name", "this folder, or the one above"],
        ),
        (
            ask("/files/alice/a?dir=/alice&DIR=/bob/secret").send(),
            "aliased_parameter",
            "query parameter",
            ["another parameter", "the parameter that the rule names"],
        ),
    ] {
        assert_eq!(response.status, 400, "{reason}");
        let id = decision(&response);
        let lines = gateway.log_lines(&id);
        let line: Value = serde_json::from_str(&lines[0]).unwrap();
        assert_eq!(line["reason"], reason, "{line}");
        assert_eq!(line["ambiguous"], part, "{line}");
        assert_eq!(line["readings"], serde_json::json!(readings), "{line}");
        assert!(!lines[0].contains("secret"), "{line}");
        let [one, other] = readings;
        let text = explained(&gateway, &response);
        has(&text, &[&format!("the {part} has two readings: {one}; or {other}")]);
    }
    upstream.assert_untouched();
}

#[test]
fn what_the_configuration_says_by_now_is_not_mistaken_for_what_it_said() {
    let upstream = TestUpstream::start();
    let mut gateway = before(&upstream).start();
    let response = gateway.get("/files/bob").bearer("alice").send();
    let before = explained(&gateway, &response);
    assert!(!before.contains("has changed since"), "{before}");

    let old = gateway.generation();
    gateway.rewrite("routes.files", &ROUTE.replace("[\"path\", ", "["));
    gateway.wait_for_generation_after(old);

    let after = explained(&gateway, &response);
    has(&after, &["the configuration has changed since", "reason outside_home", "generation 1"]);
    assert!(!after.contains("ALLOW"), "{after}");
    let told = gateway.admin("GET", &format!("/decisions/{}", decision(&response))).json();
    assert_eq!((&told["verdict"], &told["status"]), (&"deny".into(), &403.into()));
    assert_eq!(told["decision"]["has_changed"], true);
}

#[test]
fn only_so_many_refusals_are_kept() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).with("admin", "decisions = 2").start();
    let refused: Vec<_> = (0..3).map(|_| gateway.get("/files/bob").send()).collect();

    let (code, text) = doorward(&gateway, &["explain", &decision(&refused[0])]);
    assert_eq!((code, text.as_str()), (1, "error: no such decision is kept\n"));
    for response in &refused[1..] {
        has(&explained(&gateway, response), &["credential_missing"]);
    }
    for path in ["/decisions/", "/decisions/a/b", "/decisions/%2e%2e", "/decisions"] {
        assert_eq!(gateway.admin("GET", path).status, 404, "{path}");
    }
    assert_eq!(gateway.admin("POST", "/decisions/abc").status, 405);

    let silent = before(&upstream).with("admin", "decisions = 0").start();
    let response = silent.get("/files/bob").send();
    let (code, text) = doorward(&silent, &["explain", &decision(&response)]);
    assert_eq!((code, text.as_str()), (1, "error: no such decision is kept\n"));
    upstream.assert_untouched();
}

#[test]
fn a_request_that_is_too_long_to_be_kept_is_told_as_far_as_it_is() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();

    let response = gateway.get(&format!("/files/bob/{}", "x".repeat(4000))).bearer("alice").send();

    assert_eq!(response.status, 403);
    let text = explained(&gateway, &response);
    has(&text, &["too long to be kept whole", "user       alice", "403, reason outside_home"]);
    upstream.assert_untouched();
}

#[test]
fn the_command_line_is_told_apart_by_its_arguments() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    for wrong in [
        &["explain"][..],
        &["explain", "GET", "/files"],
        &["explain", "--user", "alice", "abc"],
        &["explain", "--user", "alice", "--anonymous", "GET", "/files"],
    ] {
        let (code, text) = doorward(&gateway, wrong);
        assert_eq!(code, 2, "{wrong:?}: {text}");
    }
    let (code, text) = doorward(&gateway, &["explain", "--user", "alice", "GET", "/files/alice"]);
    assert_eq!(code, 0, "{text}");
}

#[test]
fn what_if_names_is_told_and_its_tokens_are_not() {
    let upstream = TestUpstream::start();
    let route = ROUTE.replace("header:destination", "header:if");
    let gateway = before(&upstream).section("routes.files", &route).start();
    let condition = "</files/%62ob/a> (<urn:uuid:of-nobody-else> [\"e\"])";

    let response = gateway.get("/files/alice/a").bearer("alice").header("if", condition).send();

    assert_eq!(response.status, 403);
    let text = explained(&gateway, &response);
    has(
        &text,
        &[
            "           If: </files/bob/a> (…)\n",
            "tag of If lies outside the home",
            "DENY, answered with 403, reason outside_home",
        ],
    );
    assert!(!text.contains("of-nobody-else"), "{text}");
    upstream.assert_untouched();
}

#[test]
fn of_a_body_that_was_looked_into_nothing_is_told() {
    let upstream = TestUpstream::start();
    let route = ROUTE.replace("query:dir", "json:dir");
    let gateway = before(&upstream).section("routes.files", &route).start();

    let response = gateway
        .ask("POST", "/files/alice/a")
        .bearer("alice")
        .header("content-type", "application/json")
        .body("{\"dir\":\"/bob/of-nobody-else\"}")
        .send();

    assert_eq!(response.status, 403);
    let text = explained(&gateway, &response);
    has(
        &text,
        &[
            "NOT MET  home (require) below /files, in path, json:dir, header:destination: home /alice: \
             has a body that would have to be looked into, and it cannot be seen from here",
            "DENY, answered with 403, reason outside_home",
        ],
    );
    assert!(!text.contains("of-nobody-else") && !text.contains("names no resource"), "{text}");
    upstream.assert_untouched();
}
