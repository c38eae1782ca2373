//! The account page: tokens, keys, password.

use super::gateway;
use super::visitor::{Visitor, hidden, inner};
use crate::support::tokens::Token;
use crate::support::upstream::TestUpstream;

const PASSWORD: &str = "wonderland-of-alice";

#[test]
fn a_token_is_shown_once_works_and_can_be_revoked() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream).start();
    let alice = Visitor::of(&gateway);
    alice.log_in("alice", PASSWORD);

    let page = alice.act("/me/tokens", &[("lifetime", "900")]);
    assert_eq!(page.status, 200, "{}", page.text());
    let token = inner(&page, "secret");
    assert_eq!(gateway.get("/x").token(&token).send().status, 200);
    assert!(!alice.get("/me").text().contains(&token));

    let revoked = alice.act("/me/tokens/revoke", &[("token", &token)]);
    assert_eq!((revoked.status, revoked.header("location")), (303, Some("/me?done=token")));
    assert_eq!(gateway.get("/x").token(&token).send().status, 401);
    assert_eq!(alice.act("/me/tokens/revoke", &[("token", &token)]).status, 400);
}

#[test]
fn the_token_of_somebody_else_is_not_revoked() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream).start();
    let (alice, bob) = (Visitor::of(&gateway), Visitor::of(&gateway));
    alice.log_in("alice", PASSWORD);
    bob.log_in("bob", "bob-the-builder");
    let token = inner(&alice.act("/me/tokens", &[("lifetime", "900")]), "secret");

    assert_eq!(bob.act("/me/tokens/revoke", &[("token", &token)]).status, 400);
    assert_eq!(gateway.get("/x").token(&token).send().status, 200);
    let foreign = Token::of("alice").signed();
    assert_eq!(bob.act("/me/tokens/revoke", &[("token", &foreign)]).status, 400);
}

#[test]
fn a_token_lives_no_longer_than_the_endpoint_allows() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream)
        .with("endpoints.page", "lifetime = \"10m\"\nmax_lifetime = \"20m\"")
        .start();
    let alice = Visitor::of(&gateway);
    alice.log_in("alice", PASSWORD);
    let account = alice.get("/me").text();
    assert!(account.contains("<option value=\"600\" selected>10 minutes</option>"), "{account}");
    assert!(account.contains(">20 minutes<") && !account.contains(">8 hours<"));

    let token = inner(&alice.act("/me/tokens", &[("lifetime", "999999")]), "secret");
    let claims = super::clustercockpit::claims(&token);
    let lifetime = claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap();
    assert_eq!((lifetime, claims["sub"].as_str()), (1200, Some("alice")));
    for lifetime in ["", "0", "-1", "x", "1.5"] {
        let answer = alice.act("/me/tokens", &[("lifetime", lifetime)]);
        assert_eq!(answer.status, 400, "{lifetime:?}");
    }
    assert_eq!(alice.act("/me/tokens", &[]).status, 400);
}

#[test]
fn a_key_is_issued_listed_and_revoked_by_its_owner_alone() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream).start();
    let (alice, bob) = (Visitor::of(&gateway), Visitor::of(&gateway));
    alice.log_in("alice", PASSWORD);
    bob.log_in("bob", "bob-the-builder");

    let fields = [
        ("label", "backup <of> the laptop"),
        ("lifetime", "604800"),
        ("permissions", "files:read, files:list"),
        ("path", "/files/photos"),
        ("addresses", "192.0.2.7 10.0.0.0/8"),
        ("method", "GET"),
        ("method", "PROPFIND"),
    ];
    let page = alice.act("/me/keys", &fields);
    assert_eq!(page.status, 200, "{}", page.text());
    let key = inner(&page, "secret");
    assert!(key.starts_with("dw_"), "{key}");
    let account = alice.get("/me");
    let text = account.text();
    assert!(!text.contains(&key));
    for part in [
        "backup &#60;of&#62; the laptop",
        "below /files/photos",
        "by GET PROPFIND",
        "from 192.0.2.7/32 10.0.0.0/8",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let id = hidden(&account, "id").unwrap();
    assert!(!bob.get("/me").text().contains(&id));

    assert_eq!(bob.act("/me/keys/revoke", &[("id", &id)]).status, 404);
    let revoked = alice.act("/me/keys/revoke", &[("id", &id)]);
    assert_eq!((revoked.status, revoked.header("location")), (303, Some("/me?done=key")));
    assert!(hidden(&alice.get("/me"), "id").is_none());
}

#[test]
fn a_key_that_is_not_understood_is_not_issued() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream).start();
    let alice = Visitor::of(&gateway);
    alice.log_in("alice", PASSWORD);
    let label = "x".repeat(5000);

    for fields in [
        &[("label", ""), ("lifetime", "86400")][..],
        &[("label", "x"), ("lifetime", "")],
        &[("label", "x"), ("lifetime", "99999999999")],
        &[("label", "x"), ("lifetime", "86400"), ("permissions", "a b::c")],
        &[("label", "x"), ("lifetime", "86400"), ("path", "/a/../b")],
        &[("label", "x"), ("lifetime", "86400"), ("path", "a")],
        &[("label", "x"), ("lifetime", "86400"), ("addresses", "localhost")],
        &[("label", "x"), ("lifetime", "86400"), ("method", "get")],
        &[("label", "x"), ("label", "y"), ("lifetime", "86400")],
        &[("label", &label), ("lifetime", "86400")],
        &[("label", "a\u{202e}b"), ("lifetime", "86400")],
    ] {
        let answer = alice.act("/me/keys", fields);
        assert_eq!(answer.status, 400, "{fields:?}");
        assert!(answer.text().contains("role=\"alert\""), "{fields:?}");
    }
    assert!(hidden(&alice.get("/me"), "id").is_none());
}

#[test]
fn another_password_ends_everything_that_came_by_the_old_one() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream).start();
    let (alice, elsewhere) = (Visitor::of(&gateway), Visitor::of(&gateway));
    alice.log_in("alice", PASSWORD);
    elsewhere.log_in("alice", PASSWORD);
    let token = inner(&alice.act("/me/tokens", &[("lifetime", "900")]), "secret");
    let new = "a-looking-glass-for-alice";
    let change = |old: &str, new: &str, again: &str| {
        alice.act("/me/password", &[("old", old), ("new", new), ("again", again)])
    };

    for (old, new, again, status) in [
        ("wrong", new, new, 403),
        (PASSWORD, new, "other", 400),
        (PASSWORD, "short", "short", 400),
        (PASSWORD, PASSWORD, PASSWORD, 400),
        (PASSWORD, "", "", 400),
    ] {
        assert_eq!(change(old, new, again).status, status, "{old} {new}");
    }
    let changed = change(PASSWORD, new, new);
    assert_eq!(
        (changed.status, changed.header("location")),
        (303, Some("/login?done=password")),
        "{}",
        changed.text()
    );

    assert_eq!(elsewhere.get("/me").status, 303);
    assert_eq!(gateway.get("/x").token(&token).send().status, 401);
    assert_eq!(alice.log_in("alice", PASSWORD).status, 401);
    assert_eq!(alice.log_in("alice", new).status, 303);
    assert_eq!(alice.get("/me").status, 200);
}

#[test]
fn without_a_session_every_page_leads_to_the_login() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream).start();
    let nobody = Visitor::of(&gateway);

    let answer = nobody.get("/me");
    assert_eq!((answer.status, answer.header("location")), (303, Some("/login?redirect=%2Fme")));
    for path in ["/me/tokens", "/me/keys", "/me/totp", "/me/password", "/logout"] {
        let answer = nobody.post(path, &[("form_token", "x")]);
        assert_eq!((answer.status, answer.header("location")), (303, Some("/login")), "{path}");
    }
}

#[test]
fn pages_stand_below_their_prefix() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream).with("endpoints.page", "path = \"/auth\"").start();
    let alice = Visitor::of(&gateway);

    let answer = alice.log_in_towards("/auth/login", "alice", PASSWORD);

    assert_eq!((answer.status, answer.header("location")), (303, Some("/auth/me")));
    let page = alice.get("/auth/me");
    for action in page.text().split("action=\"").skip(1) {
        assert!(action.starts_with("/auth/"), "{action}");
    }
    upstream.assert_untouched();
}
