//! What is missing or damaged opens nothing: the gateway refuses to start, and a reload changes
//! nothing.

use super::PASSWORD;
use crate::support::configuration::USERS;
use crate::support::gateway::TestGateway;
use crate::support::upstream::TestUpstream;

/// Files of users that cannot be meant.
fn damaged() -> Vec<String> {
    let mut damaged = [
        "users: [",
        "users:\n  - username: alice\n    password:\n      - x\n",
        "users:\n  - username: alice\n  - username: alice\n",
        "users:\n  - {username: '', password: long-enough-for-all}\n",
        "users:\n  - {password: long-enough-for-all}\n",
        "users: everybody\n",
        "users:\n  '*': {password: x}\n  <<: *nobody\n",
        "- - - x\n",
        "\u{0}",
        "users:\n  - {username: \"a\\0b\", password: long-enough-for-all}\n",
        "users:\n  - {username: alice, password: x, admin: true, unknown: 1}\nunknown: 1\n",
    ]
    .map(str::to_owned)
    .to_vec();
    let cut = USERS.find("bob-the").unwrap();
    damaged.push(format!("{}\u{1}", &USERS[..cut]));
    damaged
}

#[test]
fn a_damaged_file_of_users_lets_nobody_in() {
    let upstream = TestUpstream::start();

    for users in damaged() {
        let mut gateway = TestGateway::before(&upstream).users(&users).spawn();
        // Either it does not start, or it starts and lets nobody in.
        let deadline = std::time::Instant::now() + crate::support::PATIENCE;
        let is_up = loop {
            if !gateway.is_running() {
                break false;
            }
            if gateway.notification().is_some_and(|message| message.contains("READY=1")) {
                break true;
            }
            assert!(std::time::Instant::now() < deadline, "{users:?}: {}", gateway.output());
        };
        if is_up {
            gateway.wait_until_ready();
            for (user, password) in
                [("alice", PASSWORD), ("alice", ""), ("alice", "x"), ("", ""), ("*", "x")]
            {
                let status = gateway.get("/x").basic(user, password).send().status();
                assert_eq!(status, 401, "{users:?}: {user:?} {password:?}");
            }
            assert_eq!(gateway.get("/x").send().status(), 401, "{users:?}");
        }
    }

    upstream.assert_untouched();
}

#[test]
fn a_file_that_becomes_damaged_changes_nothing() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();
    let failed = || gateway.metric("doorward_reloads_total", "failed");
    let generation = gateway.generation();
    assert_eq!(gateway.get("/x").basic("alice", PASSWORD).send().status(), 200);

    for users in damaged().iter().take(4) {
        let before = failed();
        gateway.files().replace("users.yaml", users);
        gateway.wait("the failed reload", || failed() > before);
        assert_eq!(gateway.generation(), generation, "{users:?}");
        assert_eq!(gateway.get("/x").basic("alice", PASSWORD).send().status(), 200, "{users:?}");
        assert_eq!(gateway.get("/x").basic("alice", "x").send().status(), 401);
    }
}
