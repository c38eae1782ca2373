//! Connections to the upstream: used again, lost, refused; and what the client learns.

use std::net::TcpListener;

use super::post;
use crate::support::answer::{Answer, Step, head};
use crate::support::client::Client;
use crate::support::gateway::TestGateway;
use crate::support::upstream::TestUpstream;

#[test]
fn connections_to_the_upstream_are_used_again() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).section("server", "workers = 1").start();
    let mut client = gateway.connect();

    for _ in 0..10 {
        assert_eq!(gateway.get("/x").bearer("alice").send_over(&mut client).status(), 200);
    }

    assert_eq!(upstream.connections(), 1);
    assert!(upstream.requests().iter().all(|request| request.connection == 0));
}

#[test]
fn a_stale_connection_of_the_pool_costs_nobody_a_request() {
    let upstream = TestUpstream::answering(|_| Answer::ok("hello").and(Step::Close)).start();
    let gateway = TestGateway::before(&upstream).section("server", "workers = 1").start();
    let mut client = gateway.connect();

    for number in 0..20 {
        let response = gateway.get("/x").bearer("alice").send_over(&mut client);
        assert_eq!(response.status(), 200, "request {number}");
        upstream.wait_for_closed(number + 1);
    }
}

#[test]
fn a_request_that_was_sent_is_not_sent_again() {
    let upstream = TestUpstream::scripted([Answer::ok("one"), Answer::hang_up()]);
    let gateway = TestGateway::before(&upstream).section("server", "workers = 1").start();
    let mut client = gateway.connect();

    assert_eq!(gateway.get("/x").bearer("alice").send_over(&mut client).status(), 200);
    let response = gateway.ask("POST", "/y").bearer("alice").body("pay").send_over(&mut client);

    assert_eq!(response.status(), 502);
    let posts = upstream.requests().iter().filter(|request| request.method == "POST").count();
    assert_eq!(posts, 1, "a POST may not be repeated");
}

#[test]
fn no_upstream_is_502() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let gateway = TestGateway::before_address(free).start();

    let response = gateway.get("/x").bearer("alice").send();

    assert_eq!(response.status(), 502);
    response.problem();
    assert!(!response.text().contains(&free.port().to_string()), "{}", response.text());
}

#[test]
fn nonsense_from_the_upstream_is_502() {
    for nonsense in [
        "SSH-2.0-OpenSSH\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nX : y\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 000 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/3.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "",
    ] {
        let upstream =
            TestUpstream::answering(move |_| Answer::raw(nonsense).and(Step::Close)).start();
        let gateway = TestGateway::before(&upstream).start();
        let response = gateway.get("/x").bearer("alice").send();
        assert_eq!(response.status(), 502, "{nonsense:?}");
    }
}

#[test]
fn an_endless_head_of_the_upstream_is_502() {
    let endless = format!("HTTP/1.1 200 OK\r\n{}", "X: y\r\n".repeat(400_000));
    let upstream = TestUpstream::answering(move |_| Answer::raw(&endless)).start();
    let gateway = TestGateway::before(&upstream).start();

    assert_eq!(gateway.get("/x").bearer("alice").send().status(), 502);
}

#[test]
fn an_upstream_that_speaks_first_mixes_up_no_answers() {
    let greeting = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\ninjected";
    let upstream = TestUpstream::answering(|request| Answer::ok(&request.target))
        .speaking_first(greeting)
        .start();
    let gateway = TestGateway::before(&upstream).section("server", "workers = 1").start();
    let mut client = gateway.connect();

    for (number, target) in ["/first", "/second", "/third"].into_iter().enumerate() {
        let response = gateway.get(target).bearer("alice").send_over(&mut client);
        upstream.wait_for_answers(number + 1);
        let text = response.text();
        assert!(response.status() == 502 || text == "injected" || text == target, "{response:?}");
    }
}

#[test]
fn bytes_after_an_answer_are_never_the_next_one() {
    let upstream = TestUpstream::answering(|request| {
        let more = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\ninjected";
        Answer::ok(&request.target).then(if request.target == "/first" { more } else { "" })
    })
    .start();
    let gateway = TestGateway::before(&upstream).section("server", "workers = 1").start();
    let mut client = gateway.connect();

    for (number, target) in ["/first", "/second", "/third"].into_iter().enumerate() {
        let response = gateway.get(target).bearer("alice").send_over(&mut client);
        upstream.wait_for_answers(number + 1);
        assert_ne!(response.text(), "injected", "{target}");
    }
}

#[test]
fn a_silent_upstream_is_504() {
    let upstream = TestUpstream::answering(|_| Answer::never()).start();
    let gateway = TestGateway::before(&upstream)
        .with("upstreams.files", "first_byte_timeout = \"1s\"")
        .start();

    let response = gateway.get("/x").bearer("alice").send();

    assert_eq!(response.status(), 504);
    response.problem();
    upstream.wait_for_closed(1);
}

#[test]
fn an_unreachable_upstream_is_504_at_the_connect_timeout() {
    // A listener whose queue is full: further connections are neither taken nor refused.
    let listener =
        socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    listener.bind(&"127.0.0.1:0".parse::<std::net::SocketAddr>().unwrap().into()).unwrap();
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap().as_socket().unwrap();
    let waiting = (0..8)
        .filter_map(|_| {
            let timeout = std::time::Duration::from_millis(100);
            std::net::TcpStream::connect_timeout(&address, timeout).ok()
        })
        .collect::<Vec<_>>();
    let gateway = TestGateway::before_address(address)
        .with("upstreams.files", "connect_timeout = \"500ms\"")
        .start();

    let response = gateway.get("/x").bearer("alice").send();

    assert!(matches!(response.status(), 502 | 504), "{response:?} with {} waiting", waiting.len());
    response.problem();
}

#[test]
fn a_body_that_stalls_ends_the_connection() {
    let upstream = TestUpstream::answering(|_| {
        Answer::read().then(head(200, &[], "Content-Length: 10\r\n")).then("begin").and(Step::Stall)
    })
    .start();
    let gateway =
        TestGateway::before(&upstream).with("upstreams.files", "idle_timeout = \"1s\"").start();
    let mut client = gateway.connect();

    client.send(gateway.get("/x").bearer("alice").bytes());

    assert!(client.response_to("GET").is_err(), "a cut body must not look whole");
    assert!(gateway.get("/x").bearer("alice").try_send_h2().is_err());
}

#[test]
fn an_upstream_that_breaks_off_is_seen_by_the_client() {
    let upstream = TestUpstream::answering(|request| {
        if request.target == "/length" {
            return Answer::read()
                .then(head(200, &[], "Content-Length: 10\r\n"))
                .then("begin")
                .and(Step::Close);
        }
        Answer::read()
            .then(head(200, &[], "Transfer-Encoding: chunked\r\n"))
            .then("5\r\nbegin\r\n")
            .and(Step::Close)
    })
    .start();
    let gateway = TestGateway::before(&upstream).start();

    for target in ["/length", "/chunked"] {
        let mut client = gateway.connect();
        client.send(gateway.get(target).bearer("alice").bytes());
        assert!(client.response_to("GET").is_err(), "{target}");
        assert!(gateway.get(target).bearer("alice").try_send_h2().is_err(), "{target}");
    }
}

#[test]
fn a_client_that_breaks_off_is_seen_by_the_upstream() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();

    let mut client = gateway.connect();
    client.send(post("Content-Length: 10")).send("begin");
    upstream.wait_for("the beginning", |requests| {
        requests.first().is_some_and(|request| request.body == b"begin")
    });
    drop(client);

    upstream.wait_for_closed(1);
    assert!(!upstream.only_request().complete);
    assert_eq!(gateway.get("/y").bearer("alice").send().status(), 200);
}

#[test]
fn a_full_pool_is_503() {
    let upstream = TestUpstream::answering(|_| Answer::never()).start();
    let gateway = TestGateway::before(&upstream)
        .section("server", "workers = 1")
        .with("upstreams.files", "pool_size = 1\nfirst_byte_timeout = \"30s\"")
        .start();
    let mut first = gateway.connect();
    first.send(gateway.get("/1").bearer("alice").bytes());
    upstream.wait_for("the first request", |requests| !requests.is_empty());

    let response = gateway.get("/2").bearer("alice").send();

    assert_eq!(response.status(), 503);
    assert!(response.header("retry-after").is_some());
    assert_eq!(upstream.only_request().target, "/1");
}

#[test]
fn nobody_gets_the_answer_of_another() {
    let upstream = TestUpstream::answering(|request| {
        Answer::ok(&format!(
            "{} {}",
            request.header("x-forwarded-user").unwrap_or(""),
            request.target
        ))
    })
    .start();
    let gateway = TestGateway::before(&upstream).start();

    std::thread::scope(|scope| {
        for user in ["alice", "bob", "dave", "root"] {
            let gateway = &gateway;
            scope.spawn(move || {
                let mut plain = gateway.connect();
                let mut h2 = gateway.connect_h2();
                for number in 0..100 {
                    let target = format!("/{user}/{number}");
                    let ask = gateway.get(&target).bearer(user);
                    let expected = format!("{user} {target}");
                    assert_eq!(ask.send_over(&mut plain).text(), expected);
                    assert_eq!(ask.send_over_h2(&mut h2).text(), expected);
                }
            });
        }
    });
}

#[test]
fn a_client_that_leaves_before_the_answer_harms_nobody() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();

    for _ in 0..50 {
        let mut client = Client::tcp(gateway.address("main"));
        client.send(gateway.get("/x").bearer("alice").bytes());
    }

    assert_eq!(gateway.get("/y").bearer("alice").send().text(), "hello");
}
