//! Letters and hosts have one spelling.

use std::fmt::Write as _;

use super::super::exchange::{authorization, get, is_refusal, status};
use super::super::spelling::cased;
use super::HOMES;
use crate::support::gateway::TestGateway;
use crate::support::upstream::TestUpstream;

#[test]
fn a_letter_has_one_case_whether_it_is_encoded_or_not() {
    for (dialect, folds) in [("posix", false), ("windows", true)] {
        let upstream = TestUpstream::start();
        let admin = format!(
            "upstream = \"files\"\npath = \"/adm\"\nroles = [\"boss\"]\npaths = \"{dialect}\""
        );
        let gateway = TestGateway::before(&upstream).section("routes.admin", &admin).start();
        let authorization = authorization("alice");

        for (written, meant) in cased("adm") {
            for tail in ["", "/x"] {
                let status = status(&gateway, get(&format!("/{written}{tail}"), &authorization));
                if meant == "adm" {
                    assert_eq!(status, 403, "{dialect} {written}");
                } else if folds {
                    assert_eq!(status, 400, "{dialect} {written}");
                } else {
                    assert_eq!(status, 200, "{dialect} {written}");
                }
            }
        }
        let seen = upstream.requests();
        assert!(seen.iter().all(|request| !request.target.starts_with("/adm")), "{seen:#?}");
        assert_eq!(seen.is_empty(), folds);
    }
}

#[test]
fn a_host_has_one_spelling_among_few_routes_and_many() {
    for count in [1, 200] {
        let upstream = TestUpstream::start();
        let mut many = String::new();
        for number in 1..count {
            let _ = write!(
                many,
                "\n[routes.exact{number}]\nupstream = \"files\"\nhosts = [\"h{number}.test\", \"*.w{number}.test\"]\nmethods = [\"PUT\"]"
            );
        }
        let gateway = TestGateway::before(&upstream)
            .section("routes.all", "")
            .section("routes.local", &format!("upstream = \"files\"\nhosts = [\"localhost\", \"*.wild.test\"]\nmethods = [\"GET\"]{many}"))
            .start();
        let authorization = authorization("alice");
        let ask = |host: &str| {
            status(&gateway, format!("GET /x HTTP/1.1\r\nHost: {host}\r\n{authorization}\r\n"))
        };

        for host in [
            "localhost",
            "LOCALHOST",
            "LocalHost",
            "localhost.",
            "LOCALHOST.",
            "localhost:80",
            "LOCALhost.:8080",
            "localhost:",
        ] {
            assert_eq!(ask(host), 200, "{host} among {count}");
        }
        for host in ["a.wild.test", "A.WILD.TEST", "a.Wild.test.", "A.wild.test:1"] {
            assert_eq!(ask(host), 200, "{host} among {count}");
        }
        let reached = upstream.requests().len();
        for host in [
            "localhos",
            "localhost2",
            "xlocalhost",
            "localhost.evil",
            "localhost..",
            ".localhost",
            "wild.test",
            "a.b.wild.test",
            "a.wild.test.evil",
            "%6cocalhost",
            "locaſhost",
            "l\u{f6}calhost",
        ] {
            assert!(matches!(ask(host), 400 | 404 | 421), "{host} among {count}");
        }
        if count > 1 {
            for host in ["h150.test", "H150.TEST.", "x.w150.test", "X.W150.test."] {
                assert_eq!(ask(host), 405, "{host}");
            }
        }
        assert_eq!(upstream.requests().len(), reached);
    }
}

#[test]
fn a_letter_whose_length_changes_with_its_case_moves_no_boundary() {
    let upstream = TestUpstream::start();
    let windows = HOMES.to_owned() + "\npaths = \"windows\"";
    let users = "users:\n  - username: alice\n    password: wonderland-of-alice\n    home: /alice\n\
                 \x20 - username: ipek\n    password: ipek-and-her-home\n    home: /İpek\n";
    let gateway = TestGateway::before(&upstream)
        .route("roles = [\"nobody\"]")
        .section(
            "routes.windows",
            &format!("upstream = \"files\"\n{}", windows.replace("/files", "/win")),
        )
        .section("routes.files", &format!("upstream = \"files\"\n{HOMES}"))
        .users(users)
        .start();
    let authorization = authorization("alice");
    let letters = ["İ", "ſ", "\u{212a}", "ß", "ŉ", "ǰ", "ΐ", "\u{212b}", "ﬃ", "Ⱥ", "I\u{307}", "ẞ"];

    for letter in letters {
        let encoded = letter.bytes().fold(String::new(), |mut encoded, byte| {
            let _ = write!(encoded, "%{byte:02X}");
            encoded
        });
        for letter in [letter, &encoded] {
            for root in ["files", "win"] {
                for target in [
                    format!("/{letter}/{root}/bob/x"),
                    format!("/{letter}{root}/bob/x"),
                    format!("/{root}/{letter}alice/x"),
                    format!("/{root}/alice{letter}/x"),
                    format!("/{root}{letter}/alice/x"),
                    format!("/{root}/a{letter}ice/x"),
                    format!("/{root}/{letter}/../bob/x"),
                ] {
                    let status = status(&gateway, get(&target, &authorization));
                    assert!((400..500).contains(&status), "{target}: {status}");
                }
            }
        }
    }
    upstream.assert_untouched();
    let ipek = gateway.get("/files/%C4%B0pek/K/ſ").basic("ipek", "ipek-and-her-home").send();
    assert_eq!(ipek.status(), 200);
    assert_eq!(upstream.only_request().target, "/files/%C4%B0pek/K/%C5%BF");
}

#[test]
fn a_host_is_a_name_and_a_port_and_nothing_else() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();
    let authorization = authorization("alice");
    let host = "files.test";
    let mut hosts = Vec::new();
    for byte in "\u{1}\t !\"#$%&'()*+,/;<=>?@[\\]^`{|}~\u{7f}\u{80}".chars() {
        for at in [0, 1, 5, host.len()] {
            let (left, right) = host.split_at(at);
            hosts.push(format!("{left}{byte}{right}"));
        }
        hosts.push(format!("{host}:80{byte}"));
        hosts.push(format!("{host}{byte}evil.test"));
        hosts.push(format!("[::1{byte}]"));
    }
    hosts.extend(
        ["0", "65536", "99999", "080", "+80", "-1", "8 0", "80,81", "0x50", "٣"]
            .map(|port| format!("{host}:{port}")),
    );
    hosts.extend(
        ["", ".", "..", "a..test", ".a.test", ":80", "::1", "[::1", "[]", "[::1]x", "a:80:80"]
            .map(str::to_owned),
    );
    hosts.extend(["a".repeat(64), "a.".repeat(127) + "test"]);

    for host in &hosts {
        if host.trim() == "files.test" || host.trim() == "files.test:80" || host.trim() == "[::1]" {
            continue; // white space around a value is no part of it
        }
        for target in ["/x", "http://files.test/x"] {
            let text = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n{authorization}\r\n");
            let status = status(&gateway, text);
            assert!(matches!(status, 0 | 400 | 421), "{host:?}: {status}");
        }
        if host.contains('/') {
            continue; // there a path begins
        }
        let absolute =
            format!("GET http://{host}/x HTTP/1.1\r\nHost: files.test\r\n{authorization}\r\n");
        let status = status(&gateway, absolute);
        assert!(is_refusal(status), "{host:?}: {status}");
    }
    for lines in
        ["", "Host: files.test\r\nHost: files.test\r\n", "Host: a.test\r\nhost: files.test\r\n"]
    {
        assert_eq!(status(&gateway, format!("GET /x HTTP/1.1\r\n{lines}{authorization}\r\n")), 400);
    }
    upstream.assert_untouched();
}
