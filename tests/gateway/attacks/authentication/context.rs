//! A verdict holds for whom and for what it was made, however much is remembered and shared.

use std::fmt::Write as _;

use serde_json::json;

use super::PASSWORD;
use crate::support::answer::Answer;
use crate::support::gateway::TestGateway;
use crate::support::tokens::{Token, basic};
use crate::support::upstream::TestUpstream;

#[test]
fn a_remembered_verdict_opens_nothing_else() {
    let upstream = TestUpstream::start();
    let route = |path: &str, more: &str| format!("upstream = \"files\"\npath = \"{path}\"\n{more}");
    let gateway = TestGateway::before(&upstream)
        .section("server", "workers = 1")
        .section("issuers.other", "secret = \"another-secret-that-is-long-enough-for-every-hash\"\nalgorithms = [\"HS256\"]\nissuer = \"https://other.test\"\naudience = [\"other\"]")
        .section("routes.bearer", &route("/bearer", "accept = [\"bearer\"]"))
        .section("routes.basic", &route("/basic", "accept = [\"basic\"]"))
        .section("routes.write", &route("/write", "permissions = { \"*\" = \"files:write\" }"))
        .section("routes.post", &route("/post", "permissions = { GET = [], \"*\" = \"files:write\" }"))
        .section("routes.ops", &route("/ops", "groups = [\"ops\"]"))
        .section("routes.role", &route("/role", "roles = [\"editor\"]"))
        .section("routes.home", &route("/files", "home = { in = [\"path\"], mode = \"require\" }"))
        .section("routes.inner", &route("/inner", "listeners = [\"tls\"]\nroles = [\"editor\"]"))
        .section("routes.host", &route("/", "hosts = [\"admin.test\"]\nroles = [\"editor\"]"))
        .start();
    let token = format!("Bearer {}", Token::of("bob").signed());
    let password = basic("bob", "bob-the-builder");
    let (mut plain, mut h2) = (gateway.connect(), gateway.connect_h2());

    for round in 0..3 {
        for credential in [&token, &password] {
            let ask = |method: &str, target: &str| {
                gateway.ask(method, target).header("Authorization", credential)
            };
            assert_eq!(ask("GET", "/x").send_over(&mut plain).status(), 200, "{round}");
            assert_eq!(ask("GET", "/x").send_over_h2(&mut h2).status(), 200, "{round}");
            assert_eq!(ask("GET", "/post").send_over(&mut plain).status(), 200);
            let other = if credential == &token { "/basic" } else { "/bearer" };
            for (method, target, status) in [
                ("GET", "/write", 403),
                ("DELETE", "/post", 403),
                ("GET", "/ops", 403),
                ("GET", "/role", 403),
                ("GET", "/files/alice/x", 403),
                ("GET", other, 401),
            ] {
                let refused = ask(method, target).send_over(&mut plain).status();
                assert_eq!(refused, status, "{method} {target}");
                assert_eq!(ask(method, target).send_over_h2(&mut h2).status(), status);
            }
            assert_eq!(ask("GET", "/x").host("admin.test").send_over(&mut plain).status(), 403);
            assert_eq!(ask("GET", "/inner").send_over_h2(&mut h2).status(), 403);
        }
    }

    let reached = upstream.requests();
    assert!(reached.iter().all(|r| r.target == "/x" || r.target == "/post"), "{reached:#?}");
    assert!(reached.iter().all(|r| r.header("x-forwarded-user") == Some("bob")));
}

#[test]
fn a_crowd_is_never_mixed_up() {
    const USERS: usize = 8;
    let upstream = TestUpstream::answering(|request| {
        let user = request.header("x-forwarded-user").unwrap_or("nobody");
        Answer::ok(&format!("{user} {}", request.target))
    })
    .start();
    let mut users = String::from("users:\n");
    for number in 0..USERS {
        let _ = writeln!(users, "  - {{username: user{number}, password: password-of-{number}}}");
    }
    let gateway = TestGateway::before(&upstream).users(&users).start();

    std::thread::scope(|scope| {
        for thread in 0..24 {
            let gateway = &gateway;
            scope.spawn(move || {
                let (mut plain, mut h2) = (gateway.connect(), gateway.connect_h2());
                for round in 0..40 {
                    let user = (thread + round) % USERS;
                    let (name, target) = (format!("user{user}"), format!("/{thread}/{round}"));
                    let ask = gateway.get(&target);
                    let ask = match round % 3 {
                        0 => ask.bearer(&name),
                        1 => ask.basic(&name, &format!("password-of-{user}")),
                        _ => ask.basic(&name, &Token::of(&name).signed()),
                    };
                    let answer = if round % 2 == 0 {
                        ask.send_over(&mut plain)
                    } else {
                        ask.send_over_h2(&mut h2)
                    };
                    assert_eq!(answer.text(), format!("{name} {target}"));
                }
            });
        }
    });
}

#[test]
fn nothing_that_a_client_sends_is_expanded_or_fetched() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream)
        .users("users:\n  - {username: '${HOME}', password: the-password-of-home}\n")
        .environment("MARKER_OF_A_TEST", "expanded-marker")
        .start();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}/x", listener.local_addr().unwrap());
    let templates = [
        "{env.MARKER_OF_A_TEST}",
        "${MARKER_OF_A_TEST}",
        "$MARKER_OF_A_TEST",
        "%{MARKER_OF_A_TEST}",
        "{{ env \"MARKER_OF_A_TEST\" }}",
        "{http.request.header.Authorization}",
        "env:MARKER_OF_A_TEST",
        "@/etc/hostname",
        "`id`",
        "$(id)",
        "%s%n%x",
        "{upstream}",
        "<!--#exec cmd=\"id\"-->",
        &url,
    ];

    for template in templates {
        let ask = gateway
            .get("/x")
            .basic("${HOME}", "the-password-of-home")
            .header("X-Own", template)
            .header("Referer", template)
            .header("User-Agent", template);
        assert_eq!(ask.send().status(), 200, "{template}");
        let seen = upstream.requests().pop().unwrap();
        assert_eq!(seen.header("x-own"), Some(template));
        assert_eq!(seen.header("x-forwarded-user"), Some("${HOME}"));
    }
    for (name, value) in [
        ("X-Forwarded-Host", url.trim_start_matches("http://").trim_end_matches("/x")),
        ("X-Forwarded-Uri", &url),
        ("X-Original-URL", &url),
        ("X-Rewrite-URL", &url),
        ("Forwarded", &format!("host={url}")),
        ("Origin", &url),
        ("Link", &format!("<{url}>; rel=preload")),
    ] {
        let ask = gateway.get(&format!("/x?url={url}")).basic("${HOME}", "the-password-of-home");
        let response = ask.header(name, value).send();
        assert!(matches!(response.status(), 200 | 400), "{name}: {response:?}");
        assert!(!response.headers.iter().any(|(_, value)| value.contains(&url)), "{response:?}");
    }

    assert!(listener.accept().is_err(), "somebody asked {url}");
    assert!(!gateway.output().contains("expanded-marker"));
    assert!(upstream.requests().iter().all(|r| !format!("{r:?}").contains("expanded-marker")));
}

#[test]
fn a_permission_that_was_taken_away_is_gone_everywhere() {
    let upstream = TestUpstream::start();
    let mut gateway =
        TestGateway::before(&upstream).route("permissions = { \"*\" = \"files:read\" }").start();
    let credentials = [
        format!("Bearer {}", Token::of("bob").signed()),
        format!("Bearer {}", Token::of("bob").claim("permissions", json!(["files:read"])).signed()),
        basic("bob", "bob-the-builder"),
        basic("bob", &Token::of("bob").signed()),
    ];
    let (mut plain, mut h2) = (gateway.connect(), gateway.connect_h2());
    for credential in &credentials {
        let ask = gateway.get("/x").header("Authorization", credential);
        assert_eq!(ask.send_over(&mut plain).status(), 200);
        assert_eq!(ask.send_over_h2(&mut h2).status(), 200);
    }
    let reached = upstream.requests().len();

    let old = gateway.generation();
    gateway.rewrite("roles", "reader = []\neditor = [\"files:*\"]");
    gateway.wait_for_generation_after(old);

    for credential in &credentials {
        let ask = gateway.get("/x").header("Authorization", credential);
        assert_eq!(ask.send_over(&mut plain).status(), 403);
        assert_eq!(ask.send_over_h2(&mut h2).status(), 403);
        assert_eq!(ask.send().status(), 403);
    }
    assert_eq!(upstream.requests().len(), reached);
    assert_eq!(gateway.get("/x").basic("alice", PASSWORD).send().status(), 200);
}
