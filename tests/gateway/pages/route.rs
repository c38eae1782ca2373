//! What a session is worth on a route, and how a browser comes by one.

use super::gateway;
use super::visitor::Visitor;
use crate::support::configuration::Builder;
use crate::support::upstream::TestUpstream;

const PASSWORD: &str = "wonderland-of-alice";
const HTML: (&str, &str) = ("Accept", "text/html,*/*;q=0.8");

fn with_route(upstream: &TestUpstream) -> Builder {
    gateway(upstream).section(
        "routes.pages",
        "path = \"/pages\"\nupstream = \"files\"\nlogin = \"page\"\naccept = [\"session\"]",
    )
}

#[test]
fn a_browser_logs_in_on_its_way_and_arrives() {
    let upstream = TestUpstream::start();
    let gateway = with_route(&upstream).start();
    let alice = Visitor::of(&gateway);

    let sent = alice.send("GET", "/pages/a%20b?c=d&e=%2F", None, &[HTML]);
    assert_eq!(sent.status, 303);
    let login = sent.header("location").unwrap().to_owned();
    let arrived = alice.log_in_towards(&login, "alice", PASSWORD);
    assert_eq!(arrived.header("location"), Some("/pages/a%20b?c=d&e=%2F"));
    upstream.assert_untouched();

    let answer = alice.send("GET", "/pages/a%20b?c=d&e=%2F", None, &[HTML]);
    assert_eq!((answer.status, answer.text()), (200, "hello".to_owned()));
    let request = upstream.requests().pop().unwrap();
    assert_eq!(request.header("x-forwarded-user"), Some("alice"));
    assert_eq!(request.header("cookie"), None, "the session is not for the upstream");
}

#[test]
fn a_program_is_never_sent_to_the_login_page() {
    let upstream = TestUpstream::start();
    let gateway = with_route(&upstream).start();
    let nobody = Visitor::of(&gateway);

    assert_eq!(nobody.get("/pages/x").status, 401);
    assert_eq!(nobody.send("GET", "/pages/x", None, &[("Accept", "*/*")]).status, 401);
    assert_eq!(nobody.send("POST", "/pages/x", Some("x"), &[HTML]).status, 401);
    upstream.assert_untouched();
}

#[test]
fn another_site_can_not_use_a_session_to_change_something() {
    let upstream = TestUpstream::start();
    let gateway = with_route(&upstream).start();
    let alice = Visitor::of(&gateway);
    alice.log_in("alice", PASSWORD);

    for headers in [&[("Origin", "https://evil.test")][..], &[("Sec-Fetch-Site", "cross-site")]] {
        assert_eq!(alice.send("POST", "/pages/x", Some("x"), headers).status, 403, "{headers:?}");
    }
    upstream.assert_untouched();
    let origin = alice.origin();
    let own = [("Origin", origin.as_str()), ("Sec-Fetch-Site", "same-origin")];
    assert_eq!(alice.send("POST", "/pages/x", Some("x"), &own).status, 200);
}

#[test]
fn a_session_is_worth_nothing_on_a_route_once_it_has_ended() {
    let upstream = TestUpstream::start();
    let gateway = with_route(&upstream).start();
    let (alice, replay) = (Visitor::of(&gateway), Visitor::of(&gateway));
    alice.log_in("alice", PASSWORD);
    replay.plant("doorward", &alice.cookie("doorward").unwrap());
    assert_eq!(replay.get("/pages/x").status, 200);

    alice.act("/logout", &[]);

    assert_eq!(replay.get("/pages/x").status, 401);
    assert_eq!(replay.send("GET", "/pages/x", None, &[HTML]).status, 303);
    replay.plant("doorward", "forged");
    assert_eq!(replay.get("/pages/x").status, 401);
    assert_eq!(upstream.requests().len(), 1);
}

#[test]
fn use_of_a_route_keeps_a_session_alive() {
    let upstream = TestUpstream::start();
    let gateway = with_route(&upstream)
        .section("sessions", "idle_timeout = \"2s\"\nlifetime = \"1h\"")
        .start();
    let alice = Visitor::of(&gateway);
    alice.log_in("alice", PASSWORD);
    let first = alice.cookie("doorward").unwrap();
    let unused = Visitor::of(&gateway);

    gateway.wait("the end of the unused cookie", || {
        assert_eq!(alice.get("/pages/x").status, 200);
        unused.plant("doorward", &first);
        unused.get("/pages/x").status == 401
    });
    assert_ne!(alice.cookie("doorward").unwrap(), first);
}
