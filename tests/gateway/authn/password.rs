//! Passwords and the directories that know them.

use std::fmt::Write as _;

use super::challenges;
use crate::support::configuration::USERS;
use crate::support::gateway::TestGateway;
use crate::support::programs::available;
use crate::support::upstream::TestUpstream;

#[test]
fn a_good_password_is_let_through() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();

    let response = gateway.get("/x").basic("alice", "wonderland-of-alice").send();

    assert_eq!(response.status(), 200, "{response:?}");
    let seen = upstream.only_request();
    assert_eq!(seen.header("x-forwarded-user"), Some("alice"));
    assert_eq!(seen.header("x-forwarded-groups"), Some("staff,ops"));
    assert_eq!(seen.header("x-forwarded-email"), Some("alice@example.org"));
    assert_eq!(seen.header("authorization"), None);
}

#[test]
fn a_colon_belongs_to_the_password() {
    let upstream = TestUpstream::start();
    let users = "users:\n  - username: zoë\n    password: \"a:b:ü\"\n";
    let gateway = TestGateway::before(&upstream).users(users).start();

    assert_eq!(gateway.get("/x").basic("zoë", "a:b:ü").send().status(), 200);
    assert_eq!(gateway.get("/x").basic("zoë", "a").send().status(), 401);
}

#[test]
fn every_family_of_hashes_opens_to_its_password_only() {
    if !available("openssl") {
        return;
    }
    let hash = |arguments: &[&str]| {
        let output = std::process::Command::new("openssl").arg("passwd").args(arguments).output();
        String::from_utf8(output.unwrap().stdout).unwrap().trim().to_owned()
    };
    let kinds = [
        ("apr1", hash(&["-apr1", "-salt", "saltsalt", "secret"])),
        ("sha256", hash(&["-5", "-salt", "saltsalt", "secret"])),
        ("sha512", hash(&["-6", "-salt", "saltsalt", "secret"])),
        ("sha1", "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=".to_owned()),
    ];
    let mut yaml = "users:\n".to_owned();
    for (name, hash) in &kinds {
        let _ = writeln!(yaml, "  - username: {name}\n    passhash: \"{hash}\"");
    }
    yaml.push_str("  - username: damaged\n    passhash: \"$6$saltsalt$cut\"\n");
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).users(&yaml).start();

    for (name, _) in &kinds {
        assert_eq!(gateway.get("/x").basic(name, "secre").send().status(), 401, "{name}");
    }
    for password in ["secret", "", "$6$saltsalt$cut"] {
        assert_eq!(gateway.get("/x").basic("damaged", password).send().status(), 401);
    }
    upstream.assert_untouched();
    for (name, _) in &kinds {
        assert_eq!(gateway.get("/x").basic(name, "secret").send().status(), 200, "{name}");
    }
}

#[test]
fn unknown_wrong_and_disabled_get_the_same_answer() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();
    let answer = |user: &str, password: &str| {
        let response = gateway.get("/x").basic(user, password).send();
        let mut problem = response.problem();
        problem.as_object_mut().unwrap().retain(|name, _| name != "decision" && name != "instance");
        let names = response.headers.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        (response.status(), problem, names, challenges(&response))
    };

    let unknown = answer("nobody", "wrong");
    let wrong = answer("alice", "wrong");
    let disabled = answer("carol", "carol-of-the-bells");

    assert_eq!(unknown, wrong);
    assert_eq!(wrong, disabled);
    upstream.assert_untouched();
}

#[test]
fn a_directory_is_asked_after_the_one_before_it() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream)
        .file(
            "legacy.htpasswd",
            "zed:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\nalice:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n",
        )
        .section("directories.users", "file = \"users.yaml\"")
        .section("directories.zlegacy", "file = \"legacy.htpasswd\"\nformat = \"htpasswd\"")
        .start();

    assert_eq!(gateway.get("/x").basic("zed", "secret").send().status(), 200);
    assert_eq!(gateway.get("/x").basic("alice", "wonderland-of-alice").send().status(), 200);
    let shadowed = gateway.get("/x").basic("alice", "secret").send();
    assert_eq!(shadowed.status(), 401, "the first directory that knows a user decides");
}

#[test]
fn a_missing_or_empty_user_file_opens_nothing() {
    let upstream = TestUpstream::start();
    let empty = TestGateway::before(&upstream).users("users: []\n").start();

    assert_eq!(empty.get("/x").basic("alice", "wonderland-of-alice").send().status(), 401);
    assert_eq!(empty.get("/x").bearer("alice").send().status(), 401);
    upstream.assert_untouched();

    let missing = TestGateway::before(&upstream)
        .section("directories.users", "file = \"absent.yaml\"")
        .fail_to_start();
    assert!(missing.contains("absent.yaml"), "{missing}");
}

#[test]
fn a_user_named_twice_is_a_broken_file() {
    let upstream = TestUpstream::start();
    let twice = format!("{USERS}  - username: alice\n    password: another-wonderland\n");

    let said = TestGateway::before(&upstream).users(&twice).fail_to_start();

    assert!(said.contains("alice") && said.contains("users.yaml"), "{said}");
    assert!(!said.contains("another-wonderland"), "{said}");
}

#[test]
fn a_password_that_one_worker_has_verified_is_not_hashed_by_the_others() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).section("server", "workers = 4").start();

    for _ in 0..24 {
        let mut client = gateway.connect();
        let good = gateway.get("/x").basic("alice", "wonderland-of-alice").send_over(&mut client);
        assert_eq!(good.status(), 200);
    }

    let checks = |accepted: u32, remembered: u32| {
        for (outcome, number) in [("accepted", accepted), ("remembered", remembered)] {
            let counted = gateway.metric("doorward_password_checks_total", outcome);
            assert!((counted - f64::from(number)).abs() < 0.5, "{outcome}: {counted}");
        }
    };
    checks(1, 23);
    gateway.reload();
    assert_eq!(gateway.get("/x").basic("alice", "wonderland-of-alice").send().status(), 200);
    checks(2, 23);
}

#[test]
fn many_who_log_in_at_once_with_one_good_password_are_all_let_in() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream)
        .section("passwords", "workers = 1\nqueue = 4\nqueue_per_address = 2")
        .start();

    let statuses = std::thread::scope(|scope| {
        let log_in = || gateway.get("/x").basic("alice", "wonderland-of-alice").send().status();
        let threads = (0..40).map(|_| scope.spawn(log_in)).collect::<Vec<_>>();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });

    assert!(statuses.iter().all(|&status| status == 200), "{statuses:?}");
}
