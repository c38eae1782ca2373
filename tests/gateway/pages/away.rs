//! The store is away: every page says so and when to come back, changes nothing, and whoever is
//! logged in stays so.

use super::gateway;
use super::visitor::{Visitor, hidden};
use crate::support::client::Response;
use crate::support::gateway::TestGateway;
use crate::support::postgres::TestPostgres;
use crate::support::upstream::TestUpstream;

const PASSWORD: &str = "wonderland-of-alice";

/// A page of 503, for a while.
#[track_caller]
fn assert_away(answer: &Response, words: &str) {
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    let seconds = answer.header("retry-after").unwrap().parse::<u64>().unwrap();
    assert!((1..60).contains(&seconds), "{seconds}");
    assert!(answer.text().contains(words), "{words}: {}", answer.text());
}

fn on(upstream: &TestUpstream, server: &TestPostgres) -> TestGateway {
    let secret = "secret = \"what seals in the tests of the pages\"";
    let store = format!("postgres = \"{}\"\ntimeout = \"1s\"\n{secret}", server.address());
    gateway(upstream)
        .section("store", &store)
        .section("endpoints.cc", "dialect = \"clustercockpit\"\nissuer = \"local\"\npath = \"/cc\"")
        .route("accept = [\"bearer\", \"session\"]")
        .start()
}

#[test]
fn no_page_changes_anything_and_each_says_so() {
    let Some(mut server) = TestPostgres::start() else { return };
    let upstream = TestUpstream::start();
    let gateway = on(&upstream, &server);
    let alice = Visitor::of(&gateway);
    alice.log_in("alice", PASSWORD);
    alice.act("/me/keys", &[("label", "laptop"), ("lifetime", "604800")]);
    let id = hidden(&alice.get("/me"), "id").unwrap();
    let token = super::visitor::inner(&alice.act("/me/tokens", &[("lifetime", "900")]), "secret");
    server.kill();

    // The account is shown as far as it is known, and its forms are refused.
    for (path, fields, words) in [
        ("/me/tokens", &[("lifetime", "900")][..], "No token can be issued at the moment."),
        ("/me/tokens/revoke", &[("token", &token)], "Nothing can be revoked at the moment."),
        (
            "/me/keys",
            &[("label", "phone"), ("lifetime", "604800")],
            "No key can be issued at the moment.",
        ),
        ("/me/keys/revoke", &[("id", &id)], "Nothing can be revoked at the moment."),
        ("/me/totp", &[("password", PASSWORD)], "at the moment"),
        ("/me/totp/confirm", &[("code", "123456")], "be done at the moment."),
        ("/me/totp/disable", &[("password", PASSWORD), ("code", "123456")], "at the moment"),
        (
            "/me/password",
            &[
                ("old", PASSWORD),
                ("new", "another wonderland of alice"),
                ("again", "another wonderland of alice"),
            ],
            "be changed at the moment.",
        ),
    ] {
        assert_away(&alice.act(path, fields), words);
    }
    let cookie = format!("doorward={}", alice.cookie("doorward").unwrap());
    assert_eq!(gateway.get("/x").header("Cookie", &cookie).send().status, 200);
    assert_eq!(gateway.get("/x").token(&token).send().status, 200);
    assert_eq!(upstream.requests().len(), 2);

    server.start_again();
    gateway.wait("the store", || !alice.get("/me").text().contains("at the moment"));
    let page = alice.get("/me");
    assert_eq!(hidden(&page, "id"), Some(id), "{}", page.text());
    assert_eq!(Visitor::of(&gateway).log_in("alice", PASSWORD).status, 303);
}

#[test]
fn nobody_logs_in_and_whoever_logs_out_is_told_how_far_that_reaches() {
    let Some(mut server) = TestPostgres::start() else { return };
    let upstream = TestUpstream::start();
    let gateway = on(&upstream, &server);
    let (alice, bob) = (Visitor::of(&gateway), Visitor::of(&gateway));
    let clustercockpit = Visitor::of(&gateway);
    alice.log_in("alice", PASSWORD);
    bob.log_in("bob", "bob-the-builder");
    clustercockpit.log_in_towards("/cc/login", "alice", PASSWORD);
    assert_eq!(clustercockpit.get("/cc/api/jwt/").status, 200);
    server.kill();

    let words = "Logging in does not work at the moment.";
    let stranger = Visitor::of(&gateway);
    assert_away(&stranger.log_in("alice", PASSWORD), words);
    assert!(stranger.cookie("doorward").is_none());
    assert_away(&Visitor::of(&gateway).log_in_towards("/cc/login", "alice", PASSWORD), words);
    let jwt = clustercockpit.get("/cc/api/jwt/");
    assert_eq!((jwt.status, jwt.header("retry-after")), (503, Some("5")), "{}", jwt.text());
    assert!(jwt.text().contains("no token can be issued at the moment"), "{}", jwt.text());

    for (visitor, path) in
        [(&alice, "/logout"), (&bob, "/logout/everywhere"), (&clustercockpit, "/cc/logout")]
    {
        let answer = match path {
            "/cc/logout" => visitor.post(path, &[]),
            path => visitor.act(path, &[]),
        };
        assert_away(&answer, "Logged out in this browser only");
        assert!(visitor.cookie("doorward").is_none(), "{path}");
    }
    upstream.assert_untouched();
}
