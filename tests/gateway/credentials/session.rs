//! Sessions of browsers on routes: taken, renewed, ended; other sites; the way to the login page.

use std::time::Duration;

use doorward::secret::Secret;
use doorward::service::Secrets;
use doorward::session::{How, Sealer, Session};

use super::{assert_refused, before, operate};
use crate::support::configuration::Builder;
use crate::support::endpoint::STORE_SECRET;
use crate::support::tokens::now;
use crate::support::upstream::TestUpstream;

const HTML: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

fn pages(upstream: &TestUpstream) -> Builder {
    before(upstream)
        .section("endpoints.pages", "dialect = \"page\"\nissuer = \"local\"\npath = \"/pages\"")
        .route("login = \"page\"\nwebsocket = true")
}

/// The value of a cookie that the gateway takes for its own, written so long ago.
fn sealed(user: &str, seconds_ago: u64) -> String {
    let secrets = Secrets::derive(Some(&Secret::from(STORE_SECRET.to_owned()))).unwrap();
    let sealer = Sealer::new(&*secrets.subkey("session").unwrap()).unwrap();
    let began = Duration::from_secs(now() - seconds_ago);
    sealer.seal(&Session::begin(user, How::Password, "pages", began).unwrap()).unwrap()
}

fn cookie(user: &str) -> String {
    format!("a=1; doorward={}; b=2", sealed(user, 0))
}

#[test]
fn a_session_is_taken_and_its_cookie_ends_here() {
    let upstream = TestUpstream::start();
    let gateway = pages(&upstream).start();

    for _ in 0..2 {
        let response = gateway.get("/x").header("Cookie", &cookie("alice")).send();
        assert_eq!(response.status, 200, "{}", response.text());
        assert_eq!(response.header("set-cookie"), None);
    }
    let secure = format!("__Host-doorward={}", sealed("alice", 0));
    let response = gateway.send_tls("GET", "/x", &[("Cookie", &secure)], b"");
    assert_eq!(response.status, 200, "{}", response.text());

    let seen = upstream.requests();
    assert_eq!(seen[0].header("x-forwarded-user"), Some("alice"));
    assert_eq!(seen[0].header("cookie"), Some("a=1; b=2"));
    assert_eq!(seen[2].header("cookie"), None);
}

#[test]
fn a_session_that_does_not_hold_reaches_nothing() {
    let upstream = TestUpstream::start();
    let gateway = pages(&upstream).route("accept = [\"session\", \"anonymous\"]").start();
    let good = sealed("alice", 0);
    let broken = format!("{}A", &good[..good.len() - 1]);
    let broken = if broken == good { format!("{}B", &good[..good.len() - 1]) } else { broken };

    for (cookie, status, reason) in [
        (format!("doorward={broken}"), 401, "session_forged"),
        ("doorward=".to_owned(), 401, "session_forged"),
        (format!("doorward={}", sealed("alice", 3600)), 401, "session_expired"),
        (format!("doorward={}", sealed("carol", 0)), 401, "session_user"),
        (format!("doorward={}", sealed("nobody", 0)), 401, "session_user"),
        (format!("doorward={good}; doorward={good}"), 400, "credential_ambiguous"),
    ] {
        let response = gateway.get("/x").header("Cookie", &cookie).send();
        assert_refused(&gateway, &response, status, reason);
    }
    upstream.assert_untouched();
}

#[test]
fn a_session_never_stands_in_for_a_credential_in_a_header() {
    let upstream = TestUpstream::start();
    let gateway = pages(&upstream).start();
    let cookie = cookie("alice");

    let response =
        gateway.get("/x").header("Cookie", &cookie).basic("bob", "bob-the-builder").send();
    assert_eq!(response.status, 200);
    assert_eq!(upstream.only_request().header("x-forwarded-user"), Some("bob"));

    let wrong = gateway.get("/x").header("Cookie", &cookie).basic("bob", "wrong").send();
    assert_refused(&gateway, &wrong, 401, "password");
    assert_eq!(upstream.requests().len(), 1);
}

#[test]
fn a_session_that_is_used_is_renewed_and_one_that_was_ended_is_refused() {
    let upstream = TestUpstream::start();
    let gateway = pages(&upstream).start();
    let old = format!("doorward={}", sealed("alice", 600));

    let response = gateway.get("/x").header("Cookie", &old).send();
    assert_eq!(response.status, 200);
    let renewed = response.header("set-cookie").unwrap().to_owned();
    assert!(renewed.contains("HttpOnly") && renewed.contains("SameSite=Lax"), "{renewed}");
    let renewed = renewed.split(';').next().unwrap().to_owned();
    assert_ne!(renewed, old);
    let response = gateway.get("/x").header("Cookie", &renewed).send();
    assert_eq!((response.status, response.header("set-cookie")), (200, None));

    operate(&gateway, "POST", "/users/alice/logout");

    for cookie in [&old, &renewed] {
        let response = gateway.get("/x").header("Cookie", cookie).send();
        assert_refused(&gateway, &response, 401, "user_revoked");
    }
    assert_eq!(upstream.requests().len(), 2);
}

#[test]
fn another_site_makes_a_browser_change_nothing() {
    let upstream = TestUpstream::start();
    let gateway = pages(&upstream).start();
    let cookie = cookie("alice");
    let ask = |method, headers: &[(&str, &str)]| {
        let ask = gateway.ask(method, "/x").header("Cookie", &cookie);
        headers.iter().fold(ask, |ask, (name, value)| ask.header(name, value)).send()
    };

    for headers in [
        &[][..],
        &[("Sec-Fetch-Site", "cross-site")],
        &[("Sec-Fetch-Site", "same-site")],
        &[("Origin", "https://evil.test")],
        &[("Origin", "https://files.test")], // not by TLS here
        &[("Origin", "null")],
    ] {
        for method in ["POST", "PUT", "DELETE", "PROPFIND"] {
            assert_refused(&gateway, &ask(method, headers), 403, "csrf");
        }
    }
    let upgrade = [
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("Origin", "http://evil.test"),
    ];
    assert_refused(&gateway, &ask("GET", &upgrade), 403, "csrf");
    upstream.assert_untouched();

    assert_eq!(ask("POST", &[("Sec-Fetch-Site", "same-origin")]).status, 200);
    assert_eq!(ask("DELETE", &[("Origin", "http://files.test")]).status, 200);
    assert_eq!(ask("GET", &[("Sec-Fetch-Site", "cross-site")]).status, 200);
}

#[test]
fn a_browser_that_is_nobody_goes_to_the_login_page_and_nobody_else_does() {
    let upstream = TestUpstream::start();
    let gateway =
        pages(&upstream).section("routes.plain", "upstream = \"files\"\npath = \"/plain\"").start();

    let response = gateway.get("/x%20y/z?a=b&c=%2F").header("Accept", HTML).send();
    assert_eq!(response.status, 303);
    let location = response.header("location").unwrap();
    assert_eq!(location, "/pages/login?next=/x%2520y/z%3Fa%3Db%26c%3D%252F");
    assert_eq!(response.header("cache-control"), Some("no-store"));
    let expired = format!("doorward={}", sealed("alice", 3600));
    let response = gateway.get("/").header("Accept", HTML).header("Cookie", &expired).send();
    assert_eq!((response.status, response.header("location")), (303, Some("/pages/login")));

    for (method, path, headers) in [
        ("GET", "/x", &[("Accept", "*/*")][..]),
        ("GET", "/x", &[("Accept", "application/json")]),
        ("GET", "/x", &[]),
        ("POST", "/x", &[("Accept", HTML), ("Content-Length", "0")]),
        ("HEAD", "/x", &[("Accept", HTML)]),
        ("GET", "/x", &[("Accept", HTML), ("Authorization", "Bearer e30.e30.e30")]),
        ("GET", "/x", &[("Accept", HTML), ("Authorization", "Basic !")]),
        ("GET", "/plain", &[("Accept", HTML)]),
    ] {
        let ask = headers
            .iter()
            .fold(gateway.ask(method, path), |ask, (name, value)| ask.header(name, value));
        let response = ask.send();
        assert_eq!(response.status, 401, "{method} {path} {headers:?}");
        assert_eq!(response.header("location"), None);
    }
    upstream.assert_untouched();
}
