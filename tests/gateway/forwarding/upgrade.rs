//! WebSocket: a tunnel after 101, and nothing through it before.

use tokio_tungstenite::tungstenite::Message;

use super::bearer;
use crate::support::answer::{Answer, Step, gate};
use crate::support::gateway::TestGateway;
use crate::support::tokens::basic;
use crate::support::upstream::TestUpstream;
use crate::support::websocket;

fn websockets(upstream: &TestUpstream) -> TestGateway {
    TestGateway::before(upstream).route("websocket = true").start()
}

#[test]
fn a_websocket_is_tunnelled() {
    let upstream = TestUpstream::answering(|_| Answer::websocket()).start();
    let gateway = websockets(&upstream);
    let authorization = basic("alice", "wonderland-of-alice");

    for tls in [false, true] {
        let stream = if tls { gateway.connect_tls() } else { gateway.connect() }.into_stream();
        let headers = [("Authorization", authorization.as_str())];
        let mut socket = websocket::open(stream, "ws://files.test/chat", &headers).unwrap();
        for text in ["one", &"long".repeat(50_000)] {
            socket.send(Message::text(text)).unwrap();
            assert_eq!(socket.read().unwrap(), Message::text(text));
        }
        socket.close(None).unwrap();
        while socket.read().is_ok() {}
    }

    let seen = &upstream.requests()[0];
    assert_eq!(seen.header("x-forwarded-user"), Some("alice"));
    assert_eq!(seen.header("authorization"), None);
    assert_eq!(seen.header("upgrade"), Some("websocket"));
    upstream.wait_for_closed(2);
}

#[test]
fn a_websocket_without_a_credential_is_refused() {
    let upstream = TestUpstream::answering(|_| Answer::websocket()).start();
    let gateway = websockets(&upstream);

    let stream = gateway.connect().into_stream();
    let refused = websocket::open(stream, "ws://files.test/chat", &[]);

    assert_eq!(refused.err(), Some(401));
    upstream.assert_untouched();
}

const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

fn upgrade() -> String {
    format!("GET /chat HTTP/1.1\r\nHost: files.test\r\n{}{UPGRADE}", bearer())
}

#[test]
fn nothing_is_tunnelled_before_101() {
    let (opener, gate) = gate();
    let upstream = TestUpstream::scripted([Answer::default()
        .wait(gate)
        .then(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
               Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
        )
        .and(Step::TunnelEcho)]);
    let gateway = websockets(&upstream);
    let mut client = gateway.connect();

    client.send(upgrade() + "early");
    upstream.wait_for("the upgrade", |requests| !requests.is_empty());
    assert_eq!(upstream.tunnelled(), b"");
    opener.open();
    assert_eq!(client.response_head().unwrap().0, 101);
    client.send(" late");

    assert_eq!(client.read(10).unwrap(), b"early late");
    assert_eq!(upstream.tunnelled(), b"early late");
}

#[test]
fn a_refused_upgrade_tunnels_nothing() {
    let upstream = TestUpstream::answering(|request| {
        let upgrade = [("Connection", "Upgrade"), ("Upgrade", "websocket")];
        if request.target == "/chat" {
            Answer::status(200, &upgrade, "no")
        } else {
            Answer::ok("hello")
        }
    })
    .start();
    let gateway = websockets(&upstream);
    let mut client = gateway.connect();

    let smuggled = "GET /smuggled HTTP/1.1\r\nHost: files.test\r\n\r\n";
    client.send(upgrade() + smuggled);
    let first = client.response();
    let second = client.response_to("GET").ok();

    assert_eq!(first.status(), 200);
    assert!(second.is_none_or(|response| response.status() == 401));
    assert_eq!(upstream.only_request().target, "/chat");
}

#[test]
fn an_upgrade_happens_only_where_the_route_allows_it() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();

    let response = gateway.exchange(upgrade());

    assert!(matches!(response.status(), 200 | 400 | 403 | 426 | 501), "{response:?}");
    for request in upstream.requests() {
        assert_eq!(request.header("upgrade"), None);
        assert_eq!(request.header("connection").filter(|c| c.contains("pgrade")), None);
    }
}

#[test]
fn other_protocols_are_never_upgraded_to() {
    let upstream = TestUpstream::start();
    let gateway = websockets(&upstream);

    for protocol in ["h2c", "TLS/1.0", "websocket, h2c", "WebSocketX", "HTTP/2.0"] {
        let text = upgrade().replace("Upgrade: websocket", &format!("Upgrade: {protocol}"));
        let response = gateway.exchange(text);
        assert_ne!(response.status(), 101, "{protocol}");
    }

    for request in upstream.requests() {
        assert_eq!(request.header("upgrade"), None, "{request:?}");
    }
}

#[test]
fn a_101_that_nobody_asked_for_is_502() {
    let upstream = TestUpstream::answering(|_| Answer::tunnel()).start();
    let gateway = websockets(&upstream);
    let mut client = gateway.connect();

    client.send(gateway.get("/x").bearer("alice").bytes());

    assert_eq!(client.response().status(), 502);
    assert_eq!(upstream.tunnelled(), b"");
}
