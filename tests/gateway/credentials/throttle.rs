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
