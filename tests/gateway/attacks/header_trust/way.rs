//! What a client says of the way that its request came.

use serde_json::Value;

use super::super::exchange::{authorization, get, status};
use super::{OVERRIDES, WAY, forged};
use crate::support::answer::Answer;
use crate::support::endpoint::STORE_SECRET;
use crate::support::gateway::TestGateway;
use crate::support::tokens::basic;
use crate::support::upstream::TestUpstream;

#[test]
fn no_word_about_the_way_opens_what_is_closed() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream)
        .route("permissions = { GET = \"files:read\", \"*\" = \"files:write\" }")
        .section("routes.open", "upstream = \"files\"\npath = \"/open\"\naccept = [\"anonymous\"]\nhosts = [\"open.test\"]")
        .start();
    let values = [
        "/open",
        "GET",
        "https",
        "open.test",
        "127.0.0.1",
        "443",
        "for=127.0.0.1;host=open.test;proto=https",
        "middleware:middleware:middleware",
        "true",
    ];
    let bob = authorization("bob"); // who may read

    for name in WAY.iter().chain(OVERRIDES) {
        for value in values {
            let lines = forged(name, value);
            assert_eq!(status(&gateway, get("/x", &lines)), 401, "{name}: {value}");
            let put = get("/x", &format!("{bob}{lines}")).replace("GET /x", "PUT /x");
            assert_eq!(status(&gateway, put), 403, "{name}: {value}");
        }
    }
    for agent in
        ["GoogleHC/1.0", "kube-probe/1.30", "ELB-HealthChecker/2.0", "Googlebot", "internal", ""]
    {
        for target in ["/", "/x", "/ping", "/healthz", "/ready", "/oauth2/auth", "/favicon.ico"] {
            let status = status(
                &gateway,
                get(target, &format!("User-Agent: {agent}\r\nX-Internal: true\r\n")),
            );
            assert_eq!(status, 401, "{agent} {target}");
        }
    }
    upstream.assert_untouched();
}

#[test]
fn a_guesser_is_known_by_the_socket_and_not_by_what_it_says() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream)
        .section(
            "throttle",
            "failures = 3\nfailures_per_address = 6\ndelay = \"5m\"\nmax_delay = \"5m\"",
        )
        .start();
    let ask = |number: usize, user: &str| {
        let address = format!("198.51.100.{number}");
        let lines = format!(
            "{}{}Forwarded: for={address}\r\nAuthorization: {}\r\n",
            forged("X-Forwarded-For", &address),
            forged("X-Real-IP", &address),
            basic(user, "wrong")
        );
        status(&gateway, get("/x", &lines))
    };

    let alice: Vec<_> = (1..6).map(|number| ask(number, "alice")).collect();
    assert_eq!(alice, [401, 401, 401, 429, 429]);
    let others: Vec<_> = (6..16).map(|number| ask(number, &format!("nobody{number}"))).collect();
    assert_eq!(others.last(), Some(&429), "{others:?}");
    upstream.assert_untouched();
    for line in gateway.log_lines("\"reason\":\"throttled\"") {
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["peer.address"], "127.0.0.1");
        assert!(!line.to_string().contains("198.51.100"), "{line}");
    }
}

#[test]
fn no_host_of_a_client_ends_up_in_what_the_gateway_says() {
    let upstream =
        TestUpstream::answering(|_| Answer::status(302, &[("Location", "/files/alice/y")], ""))
            .start();
    let gateway = TestGateway::before(&upstream)
        .route("path = \"/files\"\nhome = { in = [\"path\"], mode = \"rewrite\" }")
        .section(
            "routes.pages",
            "upstream = \"files\"\npath = \"/app\"\naccept = [\"session\"]\nlogin = \"page\"",
        )
        .section("endpoints.page", "dialect = \"page\"\nissuer = \"local\"")
        .section("endpoints.tokens", "dialect = \"standard\"\nissuer = \"local\"\npath = \"/auth\"")
        .section("store", &format!("secret = \"{STORE_SECRET}\""))
        .start();
    let mut lines = String::new();
    for name in [
        "X-Forwarded-Host",
        "X-Forwarded-Proto",
        "X-Forwarded-Port",
        "X-Forwarded-Prefix",
        "X-Host",
        "X-Original-Host",
    ] {
        lines += &forged(name, "evil.test");
    }
    lines += "Forwarded: host=evil.test;proto=evil.test\r\n";
    let alice = authorization("alice");

    for (target, extra) in [
        ("/files/x", alice.as_str()),
        ("/files/../x", &alice),
        ("/app", "Accept: text/html\r\n"),
        ("/login", "Accept: text/html\r\n"),
        ("/auth/.well-known/oauth-authorization-server", ""),
        ("/auth/.well-known/jwks.json", ""),
        ("/auth/openapi.json", ""),
        ("/nowhere", ""),
    ] {
        let mut client = gateway.connect_tls();
        let _ = client.try_send(get(target, &format!("{extra}{lines}")));
        let response = client.response_to("GET").unwrap();
        let all = format!("{:?} {}", response.headers, response.text());
        assert!(!all.contains("evil"), "{target}: {all}");
    }
}
