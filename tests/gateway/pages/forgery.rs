//! What another site makes a browser send.

use super::gateway;
use super::visitor::{Visitor, hidden};
use crate::support::upstream::TestUpstream;

const PASSWORD: &str = "wonderland-of-alice";

/// Every form behind the login, with the fields that it needs.
const FORMS: &[(&str, &[(&str, &str)])] = &[
    ("/me/tokens", &[("lifetime", "900")]),
    ("/me/tokens/revoke", &[("token", "x")]),
    ("/me/keys", &[("label", "x"), ("lifetime", "86400")]),
    ("/me/keys/revoke", &[("id", "x")]),
    ("/me/totp", &[("password", PASSWORD)]),
    ("/me/totp/confirm", &[("code", "123456")]),
    ("/me/totp/disable", &[("password", PASSWORD), ("code", "123456")]),
    ("/me/password", &[("old", PASSWORD), ("new", "a-new-password-of-alice")]),
    ("/logout", &[]),
    ("/logout/everywhere", &[]),
];

#[test]
fn another_site_may_send_nothing() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream).start();
    let alice = Visitor::of(&gateway);
    alice.log_in("alice", PASSWORD);
    let token = hidden(&alice.get("/me"), "form_token").unwrap();

    for (path, fields) in FORMS {
        let fields = [*fields, &[("form_token", token.as_str())]].concat();
        for headers in [
            &[("Origin", "https://evil.test")][..],
            &[("Origin", "null")],
            &[("Sec-Fetch-Site", "cross-site")],
            &[("Sec-Fetch-Site", "same-site")],
            &[("Origin", &alice.origin()), ("Sec-Fetch-Site", "cross-site")],
        ] {
            let answer = alice.post_with(path, &fields, headers);
            assert_eq!(answer.status, 403, "{path} {headers:?}");
            assert!(answer.all("set-cookie").is_empty(), "{path}");
        }
    }
    assert_eq!(alice.get("/me").status, 200, "nothing happened");
}

#[test]
fn a_form_without_the_token_of_its_session_is_refused() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream).start();
    let (alice, bob) = (Visitor::of(&gateway), Visitor::of(&gateway));
    let before = hidden(&alice.get("/login"), "form_token").unwrap();
    alice.log_in("alice", PASSWORD);
    bob.log_in("bob", "bob-the-builder");
    let of_bob = hidden(&bob.get("/me"), "form_token").unwrap();
    let own = hidden(&alice.get("/me"), "form_token").unwrap();

    for (path, fields) in FORMS {
        assert_eq!(alice.post(path, fields).status, 403, "{path}");
        for token in ["", "x", &of_bob, &before, &own[1..]] {
            let fields = [*fields, &[("form_token", token)]].concat();
            assert_eq!(alice.post(path, &fields).status, 403, "{path} {token:?}");
        }
        let twice = [*fields, &[("form_token", &own), ("form_token", &own)]].concat();
        assert_eq!(alice.post(path, &twice).status, 403, "{path}");
    }
    assert_eq!(alice.get("/me").status, 200);
}

#[test]
fn a_login_form_belongs_to_the_browser_that_it_was_shown_to() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream).start();
    let mallory = Visitor::of(&gateway);
    let token = hidden(&mallory.get("/login"), "form_token").unwrap();
    let fields = [("username", "alice"), ("password", PASSWORD), ("form_token", token.as_str())];

    let victim = Visitor::of(&gateway);
    let answer = victim.post("/login", &fields);
    assert_eq!(answer.status, 403);
    assert!(answer.text().contains("shown too long ago"), "{}", answer.text());
    victim.get("/login");
    assert_eq!(victim.post("/login", &fields).status, 403);
    assert!(victim.cookie("doorward").is_none());
    let foreign = mallory.post_with("/login", &fields, &[("Origin", "https://evil.test")]);
    assert_eq!(foreign.status, 403);
    assert_eq!(mallory.post("/login", &fields).status, 303);
}
