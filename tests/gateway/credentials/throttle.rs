//! Too many wrong passwords on a route.

use super::{assert_refused, operate};
use crate::support::gateway::TestGateway;
use crate::support::upstream::TestUpstream;

fn slow(upstream: &TestUpstream) -> TestGateway {
    super::before(upstream)
        .section("throttle", "failures = 3\ndelay = \"1m\"\nmax_delay = \"5m\"")
        .start()
}

#[test]
fn wrong_passwords_make_the_next_attempt_wait_whoever_it_is_about() {
    let upstream = TestUpstream::start();
    let gateway = slow(&upstream);

    for spellings in [["alice", "ALICE", "Alice "], ["nobody", "NOBODY", "Nobody "]] {
        for user in spellings {
            let response = gateway.get("/x").basic(user, "wrong").send();
            assert_refused(&gateway, &response, 401, "password");
        }
        for password in ["wrong", super::PASSWORD] {
            let response = gateway.get("/x").basic(spellings[0], password).send();
            assert_refused(&gateway, &response, 429, "throttled");
            let seconds: u64 = response.header("retry-after").unwrap().parse().unwrap();
            assert!((50..=60).contains(&seconds), "{seconds}");
        }
    }
    upstream.assert_untouched();
    assert_eq!(gateway.get("/x").basic("bob", "bob-the-builder").send().status, 200);
}

#[test]
fn what_is_remembered_as_right_never_waits_and_a_token_does_not_either() {
    let upstream = TestUpstream::start();
    let gateway = slow(&upstream);
    let right = gateway.get("/x").basic("alice", super::PASSWORD);
    assert_eq!(right.send().status, 200);

    for _ in 0..5 {
        gateway.get("/x").basic("alice", "wrong").send();
    }

    let response = gateway.get("/x").basic("alice", "wrong").send();
    assert_refused(&gateway, &response, 429, "throttled");
    for _ in 0..5 {
        assert_eq!(right.send().status, 200);
    }
    assert_eq!(gateway.get("/x").bearer("alice").send().status, 200);
    assert_eq!(upstream.requests().len(), 7);
}

#[test]
fn a_success_and_an_operator_make_failures_forgotten() {
    let upstream = TestUpstream::start();
    let gateway = super::before(&upstream)
        .section("throttle", "failures = 3\ndelay = \"1m\"\nmax_delay = \"5m\"")
        .section("passwords", "remember = \"0s\"")
        .start();
    let wrong = || gateway.get("/x").basic("alice", "wrong").send().status;
    let right = || gateway.get("/x").basic("alice", super::PASSWORD).send().status;

    assert_eq!(
        [wrong(), wrong(), right(), wrong(), wrong(), right()],
        [401, 401, 200, 401, 401, 200]
    );
    assert_eq!([wrong(), wrong(), wrong(), right()], [401, 401, 401, 429]);
    operate(&gateway, "POST", "/users/alice/unlock");
    assert_eq!(right(), 200);
}

/// A gateway behind a proxy whose word about addresses counts.
fn behind_proxy(upstream: &TestUpstream) -> TestGateway {
    super::before(upstream)
        .section("server", "workers = 2\ntrusted_proxies = [\"127.0.0.1\"]")
        .section(
            "throttle",
            "failures = 3\nfailures_per_address = 6\ndelay = \"1m\"\nmax_delay = \"5m\"",
        )
        .section("passwords", "remember = \"0s\"")
        .start()
}

fn attempt(gateway: &TestGateway, user: &str, password: &str, address: &str) -> u16 {
    gateway.get("/x").header("x-forwarded-for", address).basic(user, password).send().status
}

#[test]
fn an_address_that_is_not_the_owners_does_not_lock_them_out() {
    let upstream = TestUpstream::start();
    let gateway = behind_proxy(&upstream);
    let (owner, other) = ("192.0.2.1", "198.51.100.1");
    assert_eq!(attempt(&gateway, "alice", super::PASSWORD, owner), 200);

    let wrong: Vec<_> = (0..5).map(|_| attempt(&gateway, "alice", "wrong", other)).collect();

    assert_eq!(wrong, [401, 401, 401, 429, 429]);
    assert_eq!(attempt(&gateway, "alice", super::PASSWORD, other), 429);
    assert_eq!(attempt(&gateway, "alice", super::PASSWORD, owner), 200);
    assert_eq!(upstream.requests().len(), 2);
}

#[test]
fn who_has_to_wait_is_in_the_status_and_can_be_let_in_again() {
    let upstream = TestUpstream::start();
    let gateway = behind_proxy(&upstream);
    let (here, there) = ("192.0.2.1", "198.51.100.1");
    for user in ["alice", "Alice", "ALICE", "bob", "carol", "dave", "root"] {
        attempt(&gateway, user, "wrong", there);
    }

    let told = gateway.status()["throttle"].clone();
    assert_eq!((&told["failed"], &told["throttled"]), (&6.into(), &1.into()), "{told}");
    let waiting = told["waiting"].as_array().unwrap();
    assert_eq!(waiting.len(), 3, "{told}"); // alice, alice from there, anybody from there
    assert!(waiting.iter().any(|one| one["user"].is_null() && one["address"] == there), "{told}");
    assert!(waiting.iter().any(|one| one["user"] == "alice" && one["address"].is_null()), "{told}");

    let status = super::doorward(&gateway, &["status"]);
    assert!(status.contains("6 failed, 1 told to wait, 3 waiting now"), "{status}");
    assert!(status.contains("anybody from 198.51.100.1"), "{status}");
    assert_eq!(attempt(&gateway, "alice", super::PASSWORD, here), 429);
    let unlocked = super::doorward(&gateway, &["user", "unlock", "ALICE"]);
    assert_eq!(unlocked, "user `ALICE` is unlocked\n");
    assert_eq!(attempt(&gateway, "alice", super::PASSWORD, here), 200);
    assert_eq!(attempt(&gateway, "alice", super::PASSWORD, there), 429);
    let unlocked = super::doorward(&gateway, &["user", "unlock", "--address", there]);
    assert_eq!(unlocked, "address `198.51.100.1` is unlocked\n");
    assert_eq!(attempt(&gateway, "alice", super::PASSWORD, there), 200);
    let again = super::doorward(&gateway, &["user", "unlock", "alice", "--address", there]);
    assert_eq!(
        again,
        "user `alice` is unlocked: there were no failures\naddress `198.51.100.1` is unlocked: \
         there were no failures\n"
    );
    assert_eq!(gateway.admin("POST", "/addresses/nowhere/unlock").status, 400);
    assert_eq!(gateway.status()["throttle"]["waiting_now"], 0);
}
