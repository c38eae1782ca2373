//! What is under way for a user who is ended.

use tokio_tungstenite::tungstenite::Message;

use super::{before, operate};
use crate::support::answer::{Answer, Step, gate, head};
use crate::support::configuration::USERS;
use crate::support::frames::{DATA, END_STREAM, HEADERS, Outcome, RawH2, SETTINGS, WINDOW_UPDATE};
use crate::support::tokens::{Token, basic};
use crate::support::upstream::TestUpstream;
use crate::support::websocket;

/// Begins an answer that has no end of its own.
fn endless() -> Answer {
    Answer::read().then(head(200, &[], "Transfer-Encoding: chunked\r\n")).then("3\r\nabc\r\n")
}

#[test]
fn a_download_ends_with_its_user() {
    for (command, credential) in [
        ("/users/alice/disable", basic("alice", super::PASSWORD)),
        ("/users/alice/logout", basic("alice", super::PASSWORD)),
        ("/users/alice/logout", format!("Bearer {}", Token::of("alice").signed())),
    ] {
        let upstream = TestUpstream::answering(|_| endless().and(Step::Stall)).start();
        let gateway = before(&upstream).start();
        let mut client = gateway.connect();
        let mut other = gateway.connect();
        let ask = |credential: &str| gateway.get("/x").header("Authorization", credential).bytes();
        client.send(ask(&credential));
        assert_eq!(client.response_head().unwrap().0, 200);
        other.send(ask(&basic("bob", "bob-the-builder")));
        assert_eq!(other.response_head().unwrap().0, 200);

        operate(&gateway, "POST", command);

        let rest = client.rest();
        assert!(!rest.ends_with(b"0\r\n\r\n"), "{:?}", String::from_utf8_lossy(&rest));
        upstream.wait_for_closed(1);
        let line = gateway.log_lines("cut_off").remove(0);
        assert!(line.contains("alice") && !line.contains("bob"), "{line}");
        assert_eq!(other.read(8).unwrap(), b"3\r\nabc\r\n");
    }
}

/// Reads on until a frame of this kind comes on this stream.
#[track_caller]
fn await_frame(connection: &mut RawH2, kind: u8, stream: u32) {
    loop {
        let frame = connection.receive().unwrap().expect("the connection goes on");
        if (frame.kind, frame.stream) == (kind, stream) {
            return;
        }
    }
}

#[test]
fn a_stream_that_waits_for_its_client_ends_with_its_user_and_no_other_does() {
    let flood = || head(200, &[], "Content-Length: 1073741824\r\n");
    let upstream =
        TestUpstream::answering(move |_| Answer::read().then(flood()).and(Step::Flood)).start();
    let gateway = before(&upstream).section("limits", "body_idle_timeout = \"1h\"").start();
    let mut connection = gateway.connect_frames();
    let (alice, bob) = (basic("alice", super::PASSWORD), basic("bob", "bob-the-builder"));
    // No stream may send a byte of its body.
    connection.frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0]).unwrap();
    for (stream, authorization) in [(1, &alice), (3, &bob)] {
        let fields = [
            (":method", "GET"),
            (":scheme", "https"),
            (":path", "/x"),
            (":authority", "files.test"),
            ("authorization", authorization.as_str()),
        ];
        connection.headers(stream, END_STREAM, &fields).unwrap();
        await_frame(&mut connection, HEADERS, stream);
    }

    operate(&gateway, "POST", "/users/alice/disable");

    assert!(matches!(connection.outcome(1), Outcome::Reset(_)));
    upstream.wait_for_closed(1);
    let line = gateway.log_lines("cut_off").remove(0);
    assert!(line.contains("alice") && !line.contains("bob"), "{line}");
    connection.frame(WINDOW_UPDATE, 0, 3, &[0, 0, 0, 100]).unwrap();
    await_frame(&mut connection, DATA, 3);
}

#[test]
fn an_upload_ends_with_its_user() {
    let upstream = TestUpstream::answering(|_| Answer::ok("stored")).start();
    let gateway = before(&upstream).start();
    let mut client = gateway.connect();
    let head =
        gateway.ask("PUT", "/x").basic("alice", super::PASSWORD).header("Content-Length", "9");
    client.send(head.bytes()).send("half");
    upstream.wait_for("the request", |requests| !requests.is_empty());

    operate(&gateway, "POST", "/users/alice/disable");

    let response = client.response();
    assert_eq!(response.status, 401, "{}", response.text());
    client.assert_closed();
    assert!(!gateway.log_lines("cut_off").is_empty());
    upstream.wait_for_closed(1);
}

#[test]
fn another_plaintext_password_in_the_file_ends_what_came_by_the_old_one() {
    let upstream = TestUpstream::answering(|_| endless().and(Step::Stall)).start();
    let gateway = before(&upstream).start();
    let open = |user: &str, password: &str| {
        let mut client = gateway.connect();
        client.send(gateway.get("/x").basic(user, password).bytes());
        assert_eq!(client.response_head().unwrap().0, 200);
        client
    };
    let grant = [("grant_type", "password"), ("username", "alice"), ("password", super::PASSWORD)];
    let token =
        super::text(&gateway.post_form("/own/oauth2/token", &grant, &[]).json()["access_token"]);
    let authorization = format!("Bearer {token}");
    let account = || {
        let shown = [("Authorization", &*authorization)];
        gateway.send_tls("GET", "/own/account", &shown, b"").status
    };
    let (mut ended, mut kept) = (open("alice", super::PASSWORD), open("bob", "bob-the-builder"));

    // What leaves the password as it was ends nothing, though the file is read anew.
    let old = gateway.generation();
    gateway.files().replace("users.yaml", USERS.replacen("[editor]", "[editor, more]", 1));
    gateway.wait_for_generation_after(old);
    assert_eq!(account(), 200);
    gateway.files().replace("users.yaml", USERS.replace(super::PASSWORD, "looking-glass"));

    assert!(!ended.rest().ends_with(b"0\r\n\r\n"));
    assert_eq!(account(), 401);
    let line = gateway.log_lines("cut_off").remove(0);
    assert!(line.contains("alice") && !line.contains("bob"), "{line}");
    assert_eq!(kept.read(8).unwrap(), b"3\r\nabc\r\n");
    upstream.wait_for_closed(1);
}

#[test]
fn a_websocket_ends_with_its_user() {
    let upstream = TestUpstream::answering(|_| Answer::websocket()).start();
    let gateway = before(&upstream).route("websocket = true").start();
    let open = |user: &str, password: &str| {
        let stream = gateway.connect().into_stream();
        let authorization = basic(user, password);
        let headers = [("Authorization", authorization.as_str())];
        websocket::open(stream, "ws://files.test/chat", &headers).unwrap()
    };
    let mut ended = open("alice", super::PASSWORD);
    let mut kept = open("bob", "bob-the-builder");
    ended.send(Message::text("one")).unwrap();
    assert_eq!(ended.read().unwrap(), Message::text("one"));

    operate(&gateway, "POST", "/users/alice/logout");

    assert!(ended.read().is_err());
    kept.send(Message::text("two")).unwrap();
    assert_eq!(kept.read().unwrap(), Message::text("two"));
}

#[test]
fn nothing_is_cut_where_that_is_not_wanted() {
    let (opener, gate) = gate();
    let upstream = TestUpstream::scripted([endless().wait(gate).then("0\r\n\r\n")]);
    let gateway = before(&upstream).with("server", "cut_revoked = false").start();
    let mut client = gateway.connect();
    client.send(gateway.get("/x").basic("alice", super::PASSWORD).bytes());
    assert_eq!(client.response_head().unwrap().0, 200);

    operate(&gateway, "POST", "/users/alice/logout");
    operate(&gateway, "POST", "/users/alice/disable");
    assert_eq!(gateway.get("/x").basic("alice", super::PASSWORD).send().status, 401);
    opener.open();

    assert_eq!(client.read(13).unwrap(), b"3\r\nabc\r\n0\r\n\r\n");
}
