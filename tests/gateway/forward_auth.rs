//! Proxies that keep their place ask, and pass on what may pass and nothing else.

mod front;

use self::front::{Front, documented};
use crate::support::client::Response;
use crate::support::configuration::Builder;
use crate::support::gateway::TestGateway;
use crate::support::tokens::{Token, basic};
use crate::support::upstream::TestUpstream;

/// The gateway of `docs/forward-auth.md`.
fn gateway(upstream: &TestUpstream) -> Builder {
    let mut builder = TestGateway::before(upstream).section("routes.all", "");
    let documented = documented("doorward").replace("127.0.0.1:8080", "127.0.0.1:0");
    for section in documented.split("\n[") {
        let (name, text) = section.trim_start_matches('[').split_once("]\n").unwrap();
        let name = ["endpoints.proxies", "listeners.internal", "routes.files"]
            .into_iter()
            .find(|known| *known == name)
            .unwrap();
        builder = builder.section(name, text);
    }
    builder
}

fn bearer(user: &str) -> String {
    format!("Bearer {}", Token::of(user).signed())
}

/// Spellings of a way from Alice's home into Bob's, and one of hers that is not canonical.
const SPELLINGS: [&str; 14] = [
    "/files/alice/../bob/x",
    "/files/alice/%2e%2e/bob/x",
    "/files/alice/%2E%2E/bob/x",
    "/files/alice/.%2e/bob/x",
    "/files/alice/..%2fbob/x",
    "/files/alice/..%5cbob/x",
    "/files/alice/%2e%2e%2fbob/x",
    "/files/alice/%252e%252e/bob/x",
    "/files/alice/..;/bob/x",
    "/files/alice//../bob/x",
    "/files/alice/%c0%ae%c0%ae/bob/x",
    "/files/alice/%ef%bc%8e%ef%bc%8e/bob/x",
    "/files//bob/x",
    "/files/%62ob/x",
];

#[test]
fn nginx_passes_on_what_may_pass_and_nothing_else() {
    judge("nginx");
}

#[test]
fn caddy_passes_on_what_may_pass_and_nothing_else() {
    judge("caddy");
}

#[test]
fn traefik_passes_on_what_may_pass_and_nothing_else() {
    judge("traefik");
}

#[test]
fn envoy_passes_on_what_may_pass_and_nothing_else() {
    judge("envoy");
}

#[track_caller]
fn judge(proxy: &str) {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream).start();
    let Some(front) = Front::start(proxy, &gateway, &upstream) else { return };

    let alice = bearer("alice");
    let refused = [
        refuses_whom_it_does_not_know(&front),
        refuses_another_home(&front, &alice),
        refuses_other_requests(&front, &alice),
    ];
    for response in refused.concat() {
        assert!((400..=405).contains(&response.status), "{response:?}");
    }
    upstream.assert_untouched();
    passes_on_what_may_pass(&front, &alice, &upstream);
    tells_who_it_is_itself(&front, &alice, &upstream);

    let lines = gateway.log_lines("\"path\":\"/files/bob/x\",\"status\":403");
    assert!(lines[0].contains("\"reason\":\"outside_home\""), "{}", lines[0]);
    assert!(lines[0].contains("\"endpoint\":\"proxies\""), "{}", lines[0]);
    assert!(lines[0].contains("\"user.name\":\"alice\""), "{}", lines[0]);
}

fn refuses_whom_it_does_not_know(front: &Front) -> Vec<Response> {
    let wrong = basic("alice", "not-her-password");
    let answers = [
        front.send("GET", "/files/alice/x", &[]),
        front.send("GET", "/files/alice/x", &[("Authorization", "Bearer a.b.c")]),
        front.send("GET", "/files/alice/x", &[("Authorization", &wrong)]),
    ];
    for answer in &answers {
        assert_eq!(answer.status, 401, "{answer:?}");
        let challenges = answer.all("www-authenticate").join(", ");
        assert!(challenges.starts_with("Bearer realm="), "{answer:?}");
    }
    answers.into()
}

fn refuses_another_home(front: &Front, alice: &str) -> Vec<Response> {
    let alice = ("Authorization", alice);
    let plain = front.send("GET", "/files/bob/x", &[alice]);
    assert_eq!(plain.status, 403, "{plain:?}");
    let pretended = [
        ("X-Original-URI", "/files/alice/x"),
        ("X-Forwarded-Uri", "/files/alice/x"),
        ("X-Forwarded-Method", "GET"),
    ];
    let pretended = pretended.map(|field| front.send("GET", "/files/bob/x", &[alice, field]));
    let moved = ["/files/bob/x", "http://files.test/files/bob/x", "/files/alice/%2e%2e/bob/x"]
        .map(|to| front.send("MOVE", "/files/alice/x", &[alice, ("Destination", to)]));
    let spelt = SPELLINGS.map(|target| front.send("GET", target, &[alice]));
    [vec![plain], pretended.into(), moved.into(), spelt.into()].concat()
}

fn refuses_other_requests(front: &Front, alice: &str) -> Vec<Response> {
    let bob = bearer("bob");
    vec![
        front.send("PUT", "/files/bob/x", &[("Authorization", &bob), ("Content-Length", "0")]),
        front.send("DELETE", "/files/alice/x", &[("Authorization", alice)]),
        front.send("GET", "/elsewhere", &[("Authorization", alice)]),
        front.send("MOVE", "/files/alice/x", &[("Authorization", alice)]),
        front.send(
            "GET",
            "/files/alice/x",
            &[("Authorization", alice), ("X-HTTP-Method-Override", "DELETE")],
        ),
    ]
}

fn passes_on_what_may_pass(front: &Front, alice: &str, upstream: &TestUpstream) {
    let target = "/files/alice/a%20b?x=%26&y=1";
    let answer = front.send("GET", target, &[("Authorization", alice)]);
    assert_eq!((answer.status, answer.text().as_str()), (200, "hello"));
    let destination = ("Destination", "http://files.test/files/alice/y");
    let answer = front.send("MOVE", "/files/alice/x", &[("Authorization", alice), destination]);
    assert_eq!(answer.status, 200, "{answer:?}");
    let known = basic("alice", "wonderland-of-alice");
    let answer = front.send("HEAD", "/files/alice/x", &[("Authorization", &known)]);
    assert_eq!(answer.status, 200, "{answer:?}");

    let seen = upstream.requests();
    assert_eq!((seen[0].method.as_str(), seen[0].target.as_str()), ("GET", target));
    for (name, value) in [
        ("x-forwarded-user", "alice"),
        ("x-forwarded-groups", "staff,ops"),
        ("x-forwarded-email", "alice@example.org"),
        ("x-forwarded-roles", "editor"),
        ("x-forwarded-home", "/alice"),
    ] {
        assert_eq!(seen[0].header(name), Some(value));
    }
    assert_eq!((seen[1].method.as_str(), seen[1].target.as_str()), ("MOVE", "/files/alice/x"));
    assert_eq!(seen[1].header("destination"), Some(destination.1));
}

/// Each of these is refused, or reaches the upstream without what was forged.
fn tells_who_it_is_itself(front: &Front, alice: &str, upstream: &TestUpstream) {
    let before = upstream.requests().len();
    let bob = bearer("bob");
    for (user, name, is_overwritten) in [
        (alice, "X-Forwarded-User", true),
        (alice, "X_Forwarded_User", false),
        (alice, "Remote-User", false),
        (&bob, "X-Forwarded-Groups", false),
        (&bob, "X-Forwarded-Email", false),
    ] {
        let home = if user == bob { "/files/bob/x" } else { "/files/alice/x" };
        let answer = front.send("GET", home, &[("Authorization", user), (name, "forged")]);
        assert!(answer.status == 200 || (400..=403).contains(&answer.status), "{answer:?}");
        assert!(answer.status == 200 || !is_overwritten, "{name}: {answer:?}");
    }
    for request in &upstream.requests()[before..] {
        let head = String::from_utf8_lossy(&request.head).into_owned();
        assert!(!head.contains("forged"), "{head}");
    }
}

/// A question as nginx puts it, with one field changed.
fn question(gateway: &TestGateway, path: &str, changed: &[(&str, &str)]) -> Response {
    use std::fmt::Write as _;
    let mut fields = vec![
        ("X-Original-Method".to_owned(), "GET".to_owned()),
        ("X-Original-URI".to_owned(), "/files/alice/x".to_owned()),
        ("X-Original-Host".to_owned(), "files.test".to_owned()),
        ("Authorization".to_owned(), bearer("alice")),
    ];
    for (name, value) in changed {
        if let Some(at) = fields.iter().position(|(known, _)| known == name) {
            fields.remove(at);
        }
        for value in value.split('|').filter(|value| *value != "-") {
            fields.push(((*name).to_owned(), value.to_owned()));
        }
    }
    let mut head = format!("GET {path} HTTP/1.1\r\nHost: gateway.test\r\n");
    for (name, value) in fields {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    let mut client = crate::support::client::Client::tcp(gateway.address("internal"));
    client.send(head + "\r\n").response()
}

#[test]
fn the_answer_tells_who_it_is_and_leaves_nothing_of_a_client() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream).start();

    let answer = question(&gateway, "/auth/nginx", &[]);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("x-forwarded-user"), Some("alice"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let bob = [("Authorization", &*bearer("bob")), ("X-Original-URI", "/files/bob/x")];
    let answer = question(&gateway, "/auth/nginx", &bob);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("x-forwarded-groups"), Some(""));

    upstream.assert_untouched();
}

#[test]
fn a_question_that_is_not_clear_is_answered_with_no() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream).start();

    for changed in [
        ("X-Original-URI", "-"),
        ("X-Original-Method", "-"),
        ("X-Original-Host", "-"),
        ("X-Original-URI", "/files/alice/x|/files/alice/x"),
        ("X-Original-Method", "GET|GET"),
        ("X-Original-Host", "files.test|files.test"),
        ("X-Original-URI", "/files/alice/x#y"),
        ("X-Original-URI", "%zz"),
        ("X-Original-URI", "/files/alice/%zz"),
        ("X-Original-URI", "http://files.test/files/alice/x"),
        ("X-Original-URI", "//files.test/files/alice/x"),
        ("X-Original-Host", "files.test/x"),
        ("X-Original-Method", "CONNECT"),
        ("X-Forwarded-Proto", "gopher"),
    ] {
        let answer = question(&gateway, "/auth/nginx", &[changed]);
        assert_eq!(answer.status, 403, "{changed:?} {answer:?}");
    }
    for path in ["/auth/traefik", "/auth/caddy"] {
        assert_eq!(question(&gateway, path, &[]).status, 400, "{path}");
    }
    for path in ["/auth/envoy", "/auth/envoy//files/alice/x", "/auth", "/auth/apache"] {
        assert!((400..=404).contains(&question(&gateway, path, &[]).status), "{path}");
    }

    upstream.assert_untouched();
}

#[test]
fn nobody_asks_but_trusted_proxies() {
    let upstream = TestUpstream::start();
    let text = "dialect = \"forward-auth\"\nlisteners = [\"internal\"]\ntrusted = [\"192.0.2.1\"]";
    let gateway = gateway(&upstream).section("endpoints.proxies", text).start();

    for path in ["/auth/nginx", "/auth/envoy/files/alice/x"] {
        let answer = question(&gateway, path, &[("X-Forwarded-For", "192.0.2.1")]);
        assert_eq!(answer.status, 403, "{answer:?}");
        assert_eq!(answer.header("x-forwarded-user"), None);
    }
    let reason = "\"reason\":\"untrusted_proxy\"";
    gateway.wait("two lines", || gateway.output().matches(reason).count() == 2);
    upstream.assert_untouched();
}

#[test]
fn what_only_the_gateway_could_put_right_is_refused() {
    let upstream = TestUpstream::start();
    let route = "listeners = [\"internal\"]\nupstream = \"files\"\npath = \"/files\"\n\
                 home = { in = [\"path\"], mode = \"rewrite\", root = \"/files\" }";
    let gateway = gateway(&upstream).section("routes.files", route).start();

    let answer = question(&gateway, "/auth/nginx", &[("X-Original-URI", "/files/x")]);
    assert_eq!(answer.status, 403, "{answer:?}");
    gateway.log_lines("\"reason\":\"uncanonical\"");
    upstream.assert_untouched();
}

#[test]
fn a_question_for_whatever_host_is_never_a_request_to_a_route() {
    let upstream = TestUpstream::start();
    let text = "dialect = \"forward-auth\"\nlisteners = [\"internal\"]\nhosts = [\"auth.test\"]";
    let gateway = gateway(&upstream)
        .section("endpoints.proxies", text)
        .section("routes.open", "upstream = \"files\"\naccept = [\"anonymous\"]\npath = \"/auth\"")
        .start();

    assert_eq!(question(&gateway, "/auth/envoy/files/bob/x", &[]).status, 403);
    assert_eq!(question(&gateway, "/auth/envoy/files/alice/x", &[]).status, 200);
    upstream.assert_untouched();
}
