//! One user has one name, one count of failures, and no password but their own.

use super::PASSWORD;
use crate::support::gateway::TestGateway;
use crate::support::tokens::basic;
use crate::support::upstream::TestUpstream;

/// Other ways to write a name: of those that fold to it, and of those that only look like it.
fn spellings(name: &str) -> (Vec<String>, Vec<String>) {
    let (first, rest) = name.split_at(1);
    let wide = |text: &str| {
        let wide = |letter: char| char::from_u32(u32::from(letter) + 0xfee0).unwrap();
        text.chars().map(wide).collect::<String>()
    };
    let folding = vec![
        name.to_uppercase(),
        format!("{}{rest}", first.to_uppercase()),
        format!("{first}{}", rest.to_uppercase()),
        format!("{name} "),
        format!(" {name}"),
        format!("{name}\u{a0}"),
        wide(name),
        format!("{}{rest}", wide(first)),
        format!("{first}\u{200b}{rest}"),
        format!("{name}\u{ad}"),
    ];
    let looking_alike = vec![
        format!("{first}{}", rest.replace('c', "\u{441}")), // Cyrillic
        name.replace('a', "\u{430}"),
        format!("{name}\u{301}"),
        format!("{name}."),
        format!("{name}/"),
        format!("./{name}"),
        format!("{name}@example.org"),
        format!("{name}@evil@example.org"),
        format!("example.org\\{name}"),
        format!("%61{rest}"),
        format!("{name}%00"),
        format!("{name},{name}"),
        format!("{name};{name}"),
        format!("{name}*"),
        format!("{name})(|(uid=*"),
        format!("{name}'--"),
        format!("\"{name}\""),
        format!("\u{202e}{}", name.chars().rev().collect::<String>()),
    ];
    (folding, looking_alike)
}

#[test]
fn a_name_in_another_spelling_is_nobodys() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream)
        .section("throttle", "failures = 100000\nfailures_per_address = 100000")
        .start();
    let (folding, looking_alike) = spellings("alice");

    for user in folding.iter().chain(&looking_alike) {
        let response = gateway.get("/x").basic(user, PASSWORD).send();
        assert_eq!(response.status(), 401, "{user:?}: {}", response.text());
    }

    upstream.assert_untouched();
    assert_eq!(gateway.get("/x").basic("alice", PASSWORD).send().status(), 200);
    assert_eq!(upstream.only_request().header("x-forwarded-user"), Some("alice"));
}

#[test]
fn failures_are_counted_over_all_spellings() {
    let upstream = TestUpstream::start();
    let (folding, _) = spellings("alice");

    for spelling in folding {
        let gateway = TestGateway::before(&upstream)
            .section("throttle", "failures = 2\ndelay = \"1m\"\nmax_delay = \"5m\"")
            .start();
        for _ in 0..2 {
            let wrong = gateway.get("/x").basic(&spelling, "wrong").send();
            assert_eq!(wrong.status(), 401, "{spelling:?}");
        }
        let right = gateway.get("/x").basic("alice", PASSWORD).send();
        assert_eq!(right.status(), 429, "{spelling:?} has a count of its own");
    }

    upstream.assert_untouched();
}

#[test]
fn a_control_character_is_part_of_no_name_and_no_password() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream)
        .section("throttle", "failures = 100000\nfailures_per_address = 100000")
        .start();
    let controls = (0..0x20).chain([0x7f]).chain(0x80..0xa0);
    let mut client = gateway.connect();

    for control in controls.map(|code| char::from_u32(code).unwrap()) {
        for value in [
            basic(&format!("alice{control}"), PASSWORD),
            basic(&format!("{control}alice"), PASSWORD),
            basic(&format!("alice{control}x"), PASSWORD),
            basic("alice", &format!("{PASSWORD}{control}")),
            basic("alice", &format!("{PASSWORD}{control}x")),
            basic("alice", &format!("{control}{PASSWORD}")),
        ] {
            let response = gateway.get("/x").header("Authorization", &value).send_over(&mut client);
            assert_eq!(response.status(), 401, "{control:?}: {value}");
        }
    }

    upstream.assert_untouched();
    assert_eq!(gateway.get("/x").basic("alice", PASSWORD).send().status(), 200);
}

#[test]
fn a_name_and_a_password_are_not_told_apart_by_their_sum() {
    let upstream = TestUpstream::start();
    let users =
        "users:\n  - {username: a, password: bc-and-more}\n  - {username: ab, password: other}\n";
    let gateway = TestGateway::before(&upstream)
        .users(users)
        .section("server", "workers = 1")
        .section("throttle", "failures = 100000\nfailures_per_address = 100000")
        .start();
    let wrong = [
        ("ab", "c-and-more"),
        ("ab", ":c-and-more"),
        ("", "abc-and-more"),
        ("", "a:bc-and-more"),
        ("abc-and-more", ""),
        ("a", "bc-and-more:"),
        ("a", ":bc-and-more"),
        ("a", "bc-and-mor"),
        ("a\0bc-and-more", ""),
    ];

    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for (user, password) in wrong {
                    assert_eq!(gateway.get("/x").basic("a", "bc-and-more").send().status(), 200);
                    let status = gateway.get("/x").basic(user, password).send().status();
                    assert!(matches!(status, 400 | 401), "{user:?} {password:?}: {status}");
                }
            });
        }
    });

    for request in upstream.requests() {
        assert_eq!(request.header("x-forwarded-user"), Some("a"));
    }
}

#[test]
fn whoever_is_refused_costs_one_verification() {
    let upstream = TestUpstream::start();
    // Argon2id of the same cost as a decoy's: what `doorward hash` writes.
    let mut hash = std::process::Command::new(env!("CARGO_BIN_EXE_doorward"))
        .arg("hash")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut hash.stdin.take().unwrap(), PASSWORD.as_bytes()).unwrap();
    let hash = String::from_utf8(hash.wait_with_output().unwrap().stdout).unwrap();
    let hash = hash.trim();
    let users = format!(
        "users:\n  - {{username: alice, passhash: '{hash}'}}\n  \
         - {{username: carol, passhash: '{hash}', disabled: true}}\n"
    );
    let gateway = TestGateway::before(&upstream)
        .users(&users)
        .section("throttle", "failures = 100000\nfailures_per_address = 100000")
        .start();
    let seconds = || gateway.metric("doorward_password_check_seconds_sum", "");
    let refused = || gateway.metric("doorward_password_checks_total", "refused");
    let mut client = gateway.connect();
    let mut cost = |user: &str, password: &str| {
        let (before, time) = (refused(), super::super::resources::processor_time(&gateway));
        for _ in 0..12 {
            let status = gateway.get("/x").basic(user, password).send_over(&mut client).status();
            assert_eq!(status, 401, "{user}");
        }
        let verified = refused() - before;
        assert!((11.5..12.5).contains(&verified), "{user}: {verified} verifications of 12");
        super::super::resources::processor_time(&gateway).saturating_sub(time)
    };

    let warm = cost("alice", "wrong");
    let [known, unknown, disabled] = [("alice", "wrong"), ("nobody", "wrong"), ("carol", PASSWORD)]
        .map(|(user, password)| cost(user, password).max(warm / 4));
    assert!(seconds() > 0.0);

    // Processor time, which neighbours do not add to; the hash itself is nearly all of it.
    for (who, other) in [("nobody", unknown), ("who is disabled", disabled)] {
        let ratio = other.as_secs_f64() / known.as_secs_f64();
        assert!((0.6..1.7).contains(&ratio), "{who} costs {other:?}, who is known {known:?}");
    }
    upstream.assert_untouched();
}
