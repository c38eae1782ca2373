//! Work that a few bytes ask for: bodies without end, tokens of dots, passwords to be hashed.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use super::{MIB, assert_grew_less_than, assert_serves, memory, processor_time};
use crate::support::endpoint::STORE_SECRET;
use crate::support::gateway::TestGateway;
use crate::support::upstream::TestUpstream;

#[test]
fn a_body_without_end_is_cut_at_every_endpoint() {
    let upstream = TestUpstream::start();
    let endpoint = |dialect: &str, path: &str| {
        format!("dialect = \"{dialect}\"\nissuer = \"local\"\npath = \"{path}\"")
    };
    let gateway = TestGateway::before(&upstream)
        .section("store", &format!("secret = \"{STORE_SECRET}\""))
        .section("endpoints.standard", &endpoint("standard", "/standard"))
        .section("endpoints.ryft", &endpoint("ryft", "/ryft"))
        .section("endpoints.omegaml", &endpoint("omegaml", "/omegaml"))
        .section("endpoints.page", &endpoint("page", "/page"))
        .section("endpoints.cockpit", &endpoint("clustercockpit", "/cockpit"))
        .section("endpoints.mesh", &endpoint("appmesh", "/mesh"))
        .start();
    let paths = [
        "/standard/oauth2/token",
        "/standard/oauth2/introspect",
        "/ryft/login",
        "/omegaml/token-auth/",
        "/page/login",
        "/cockpit/login",
        "/mesh/appmesh/totp/validate",
    ];
    assert_serves(&gateway);
    let (before, _) = memory(&gateway);
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));

    for path in paths {
        for content_type in ["application/x-www-form-urlencoded", "application/json"] {
            let mut client = gateway.connect();
            client.send(format!(
                "POST {path} HTTP/1.1\r\nHost: files.test\r\nContent-Type: {content_type}\r\n\
                 Transfer-Encoding: chunked\r\n\r\n"
            ));
            let sent = (0..1024).take_while(|_| client.try_send(&chunk).is_ok()).count();
            assert!(sent < 1024, "{path} took 64 MiB");
            let answer = client.response_to("POST");
            // Where it was closed upon unread bytes the answer may be lost; a good one never comes.
            let status = answer.map_or(413, |answer| answer.status);
            assert!((400..500).contains(&status), "{path}: {status}");
        }
    }

    assert_grew_less_than(&gateway, before, 20 * MIB);
    assert!(upstream.requests().iter().all(|request| request.target == "/good"));
}

#[test]
fn tokens_of_many_parts_cost_no_more_than_their_length() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();
    let longest = 14 * 1024;
    let tokens = [
        ".".repeat(longest),
        "a.".repeat(longest / 2),
        "e30.".repeat(longest / 4),
        format!("{}.e30.e30", "e30".repeat(longest / 3)),
        format!("e30.{}", ".e30".repeat(longest / 4)),
    ];
    let mut client = gateway.connect();
    let measure = |client: &mut _, token: &str| {
        let before = processor_time(&gateway);
        for _ in 0..40 {
            assert_eq!(gateway.get("/x").token(token).send_over(client).status(), 401);
        }
        processor_time(&gateway).saturating_sub(before)
    };
    let plain = measure(&mut client, &"a".repeat(longest));

    for token in tokens {
        let used = measure(&mut client, &token);
        assert!(used < plain * 2 + Duration::from_millis(200), "{used:?}, and {plain:?} for one");
    }
    for token in [".".repeat(1 << 20), "a.".repeat(1 << 19)] {
        assert_eq!(gateway.get("/x").token(&token).send().status(), 431);
    }

    upstream.assert_untouched();
}

#[test]
fn many_wrong_passwords_at_once_take_the_memory_of_a_few() {
    const HASH: &str = "$argon2id$v=19$m=65536,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$";
    let upstream = TestUpstream::start();
    let mut users = String::from("users:\n  - {username: alice, password: wonderland-of-alice}\n");
    for number in 0..20 {
        let digest = "A".repeat(43);
        let _ = writeln!(users, "  - {{username: u{number}, passhash: \"{HASH}{digest}\"}}");
    }
    let gateway = TestGateway::before(&upstream)
        .users(&users)
        .section("passwords", "workers = 2\nqueue = 32\nqueue_per_address = 32")
        .section("throttle", "failures = 100000\nfailures_per_address = 100000")
        .start();
    let good = gateway.get("/good").basic("alice", "wonderland-of-alice");
    assert_eq!(good.send().status(), 200);
    let (before, _) = memory(&gateway);

    let statuses = std::thread::scope(|scope| {
        let threads = (0..40).map(|number| {
            let gateway = &gateway;
            scope.spawn(move || {
                let mut client = gateway.connect();
                let ask = |round: usize| {
                    let user = format!("u{}", (number + round) % 25); // some are nobody
                    let ask = gateway.get("/x").basic(&user, &format!("wrong {number}"));
                    ask.send_over(&mut client).status()
                };
                (0..5).map(ask).collect::<Vec<_>>()
            })
        });
        let threads = threads.collect::<Vec<_>>();
        for _ in 0..20 {
            assert_eq!(good.send().status(), 200, "a remembered success needs no hashing");
        }
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });

    assert!(statuses.iter().all(|status| matches!(status, 401 | 503)), "{statuses:?}");
    assert!(statuses.contains(&401), "{statuses:?}");
    assert!(upstream.requests().iter().all(|request| request.target == "/good"));
    // Two at once, and one that the allocator has not given back yet.
    assert_grew_less_than(&gateway, before, (3 * 64 + 48) * MIB);
}

#[test]
fn a_service_that_runs_out_of_descriptors_does_not_spin() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).limit_descriptors(64).start();
    let address = gateway.address("main");
    let start = Instant::now();
    let held = (0..200).map(|_| std::net::TcpStream::connect(address)).collect::<Vec<_>>();
    let said = "Cannot accept connections";
    gateway.wait("accepting to fail", || gateway.output().contains(said));

    let used = processor_time(&gateway);
    std::thread::park_timeout(Duration::from_secs(1));
    let used = processor_time(&gateway).saturating_sub(used);

    assert!(used < Duration::from_millis(500), "{used:?} of a second");
    drop(held);
    gateway.wait("new connections to be served", || {
        let mut client = gateway.connect();
        let _ = client.try_send(gateway.get("/x").bearer("alice").bytes());
        client.response_to("GET").is_ok_and(|response| response.status() == 200)
    });
    // Two workers, ten attempts each in a second.
    let attempts = gateway.metric("doorward_accept_errors_total", "");
    let most = 20.0 * (start.elapsed().as_secs_f64() + 2.0);
    assert!((1.0..most).contains(&attempts), "{attempts} attempts, at most {most}");
    assert!(gateway.output().matches(said).count() <= 6);
}
