//! Sessions: how they begin, how long they last, and how they end.

use super::gateway;
use super::visitor::{Visitor, hidden};
use crate::support::upstream::TestUpstream;

const PASSWORD: &str = "wonderland-of-alice";

#[test]
fn a_login_begins_a_new_session_whatever_cookie_came() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream).start();
    let alice = Visitor::of(&gateway);
    alice.log_in("alice", PASSWORD);
    let first = alice.cookie("doorward").unwrap();
    let token = hidden(&alice.get("/me"), "form_token").unwrap();

    let mallory = Visitor::of(&gateway);
    mallory.plant("doorward", "planted-by-mallory");
    assert_eq!(mallory.get("/me").status, 303);
    mallory.plant("doorward", "planted-by-mallory");
    mallory.log_in("bob", "bob-the-builder");
    let second = mallory.cookie("doorward").unwrap();
    assert!(!second.contains("planted"));
    assert_ne!(first, second);
    assert_ne!(hidden(&mallory.get("/me"), "form_token").unwrap(), token);
}

#[test]
fn a_session_ends_when_it_is_idle_and_is_renewed_by_use() {
    let upstream = TestUpstream::start();
    let gateway =
        gateway(&upstream).section("sessions", "idle_timeout = \"2s\"\nlifetime = \"4s\"").start();
    let alice = Visitor::of(&gateway);
    alice.log_in("alice", PASSWORD);
    let first = alice.cookie("doorward").unwrap();

    gateway.wait("a renewed cookie", || {
        alice.get("/me");
        alice.cookie("doorward").is_some_and(|cookie| cookie != first)
    });
    let idle = Visitor::of(&gateway);
    idle.plant("doorward", &first);
    gateway.wait("the idle cookie to end", || {
        idle.plant("doorward", &first);
        idle.get("/me").status == 303
    });
    gateway.wait("the end of the session's life", || alice.get("/me").status == 303);
    assert!(alice.cookie("doorward").is_none());
    assert_eq!(alice.get("/me").header("location"), Some("/login?redirect=%2Fme"));
}

#[test]
fn a_cookie_that_was_altered_is_no_session() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream).start();
    let alice = Visitor::of(&gateway);
    alice.log_in("alice", PASSWORD);
    let cookie = alice.cookie("doorward").unwrap();

    for at in (0..cookie.len()).step_by(7) {
        let mut altered = cookie.clone().into_bytes();
        altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
        alice.plant("doorward", &String::from_utf8(altered).unwrap());
        assert_eq!(alice.get("/me").status, 303, "{at}");
    }
    for cookie in [&cookie[..cookie.len() - 1], "", "x", &cookie.repeat(9)] {
        alice.plant("doorward", cookie);
        assert_eq!(alice.get("/me").status, 303);
    }
    alice.plant("doorward", &cookie);
    assert_eq!(alice.get("/me").status, 200);
}

#[test]
fn two_cookies_of_one_name_are_refused() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream).start();
    let alice = Visitor::of(&gateway);
    alice.log_in("alice", PASSWORD);
    let cookie = alice.cookie("doorward").unwrap();

    let twice = format!("doorward={cookie}; doorward={cookie}");
    let answer = gateway.get("/me").host("127.0.0.1").header("Cookie", &twice).send();
    assert_eq!(answer.status, 400);
}

#[test]
fn a_logout_ends_the_session_on_the_server() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream).start();
    let alice = Visitor::of(&gateway);
    alice.log_in("alice", PASSWORD);
    let (cookie, elsewhere) = (alice.cookie("doorward").unwrap(), Visitor::of(&gateway));
    elsewhere.log_in("alice", PASSWORD);

    let answer = alice.act("/logout", &[]);
    assert_eq!((answer.status, answer.header("location")), (303, Some("/login?done=logout")));
    assert!(alice.cookie("doorward").is_none());
    assert!(alice.get("/login?done=logout").text().contains("You are logged out."));

    alice.plant("doorward", &cookie);
    assert_eq!(alice.get("/me").status, 303, "the cookie is worth nothing any more");
    assert_eq!(elsewhere.get("/me").status, 200, "other sessions go on");
}

#[test]
fn a_logout_everywhere_ends_every_session_and_token() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream).start();
    let (here, there) = (Visitor::of(&gateway), Visitor::of(&gateway));
    here.log_in("alice", PASSWORD);
    there.log_in("alice", PASSWORD);
    let page = here.act("/me/tokens", &[("lifetime", "900")]);
    let token = super::visitor::inner(&page, "secret");
    assert_eq!(gateway.get("/x").token(&token).send().status, 200);

    assert_eq!(here.act("/logout/everywhere", &[]).status, 303);

    assert_eq!(there.get("/me").status, 303);
    assert_eq!(gateway.get("/x").token(&token).send().status, 401);
    assert_eq!(here.log_in("alice", PASSWORD).status, 303);
    assert_eq!(here.get("/me").status, 200, "a new login is not ended by it");
}

#[test]
fn a_session_ends_with_its_user() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream).start();
    let bob = Visitor::of(&gateway);
    bob.log_in("bob", "bob-the-builder");
    assert_eq!(bob.get("/me").status, 200);

    let users = gateway
        .files()
        .read("users.yaml")
        .replace("username: bob\n", "username: bob\n    disabled: true\n");
    gateway.files().write("users.yaml", users);
    gateway.reload();

    assert_eq!(bob.get("/me").status, 303);
}

#[test]
fn sessions_outlive_the_process_where_their_secret_does() {
    let upstream = TestUpstream::start();
    let first = gateway(&upstream).start();
    let other = gateway(&upstream).start();
    let ephemeral = gateway(&upstream).section("store", "sqlite = \"doorward.db\"").start();
    let alice = Visitor::of(&first);
    alice.log_in("alice", PASSWORD);
    let cookie = alice.cookie("doorward").unwrap();

    for (gateway, status) in [(&other, 200), (&ephemeral, 303)] {
        let visitor = Visitor::of(gateway);
        visitor.plant("doorward", &cookie);
        assert_eq!(visitor.get("/me").status, status);
    }
}
