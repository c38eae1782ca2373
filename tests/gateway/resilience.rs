//! What one client does to a connection harms neither its own answers nor anybody else.

use std::io::Write as _;

use crate::support::answer::{Answer, Step, gate, head};
use crate::support::client;
use crate::support::frames::{END_STREAM, Outcome, SETTINGS};
use crate::support::gateway::TestGateway;
use crate::support::tokens::Token;
use crate::support::upstream::TestUpstream;

const WINDOW_0: [u8; 6] = [0, 4, 0, 0, 0, 0];

#[test]
fn a_stream_whose_window_is_never_opened_is_ended_and_its_upstream_let_go() {
    let upstream = TestUpstream::answering(|request| match request.target.as_str() {
        "/flood" => {
            Answer::read().then(head(200, &[], "Content-Length: 1073741824\r\n")).and(Step::Flood)
        }
        _ => Answer::ok("hello"),
    })
    .start();
    let gateway =
        TestGateway::before(&upstream).section("limits", "body_idle_timeout = \"1s\"").start();
    let mut raw = gateway.connect_frames();
    let authorization = format!("Bearer {}", Token::of("alice").signed());
    let fields = |path| {
        [
            (":method", "GET"),
            (":scheme", "https"),
            (":path", path),
            (":authority", "files.test"),
            ("authorization", authorization.as_str()),
        ]
    };

    raw.frame(SETTINGS, 0, 0, &WINDOW_0).unwrap();
    raw.headers(1, END_STREAM, &fields("/flood")).unwrap();
    // A head comes, and the stream is reset before its end.
    assert_eq!(raw.outcome(1), Outcome::Response(200, Vec::new()));
    upstream.wait_for_closed(1);

    raw.headers(3, END_STREAM, &fields("/whole")).unwrap();
    assert_eq!(raw.outcome(3), Outcome::Response(200, Vec::new()));
}

#[test]
fn a_client_that_sends_much_reads_why_it_was_refused() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();
    let body = vec![b'x'; 2 * 1024 * 1024];
    let long = format!("GET /x HTTP/1.1\r\nHost: files.test\r\nX: {}", "y".repeat(300_000));
    let upload =
        format!("POST /x HTTP/1.1\r\nHost: files.test\r\nContent-Length: {}\r\n\r\n", body.len());

    for _ in 0..5 {
        let mut client = gateway.connect();
        client.try_send(&upload).unwrap();
        client.try_send(&body).unwrap();
        assert_eq!(client.response().status(), 401);

        let mut client = gateway.connect();
        client.try_send(&long).unwrap();
        assert_eq!(client.response().status(), 431);
    }

    upstream.assert_untouched();
}

#[test]
fn nonsense_behind_a_request_does_not_take_its_answer() {
    let (opener, gate) = gate();
    let upstream = TestUpstream::scripted([Answer::read().wait(gate).then(head(204, &[], ""))]);
    let gateway = TestGateway::before(&upstream).start();
    let mut client = gateway.connect();

    client.send(gateway.get("/x").bearer("alice").bytes());
    upstream.wait_for("the request", |requests| !requests.is_empty());
    client.send("GET  /y HTTP/1.1\r\n\r\n");
    opener.open();

    assert_eq!(client.response().status(), 204);
    assert_eq!(client.response().status(), 400);
    client.assert_closed();
}

#[test]
fn a_request_behind_an_upgrade_that_was_not_granted_is_answered() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();
    let upgrade = gateway.get("/a").bearer("alice");
    let upgrade = upgrade.header("Connection", "Upgrade").header("Upgrade", "h2c").bytes();
    let next = gateway.get("/b").bearer("alice").bytes();

    let mut client = gateway.connect();
    client.send([upgrade.clone(), next.clone()].concat());
    assert_eq!((client.response().status(), client.response().status()), (200, 200));

    client.send(upgrade);
    client.send(next);
    assert_eq!((client.response().status(), client.response().status()), (200, 200));
}

#[test]
fn a_request_with_a_body_is_no_websocket() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).route("websocket = true").start();
    let ask = gateway.get("/chat").bearer("alice").header("Connection", "Upgrade");

    let response = ask.header("Upgrade", "websocket").body("hello").send();

    assert_eq!(response.status(), 200);
    assert_eq!(upstream.only_request().header("upgrade"), None);
}

#[test]
fn clients_tell_nothing_of_a_principal_who_has_nothing() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).route("identity_headers = \"remote\"").start();

    let ask = gateway.get("/x").bearer("dave");
    let names = ["Remote-Home", "Remote-Roles", "Remote_Home", "REMOTE-EMAIL", "X!Forwarded!User"];
    let ask = names.iter().fold(ask, |ask, name| ask.header(name, "/bob"));
    assert_eq!(ask.send().status(), 200);

    let seen = upstream.only_request();
    assert_eq!(seen.header("remote-user"), Some("dave"));
    assert!(seen.headers.iter().all(|(_, value)| value != "/bob"), "{seen:#?}");
}

#[test]
fn another_case_leads_round_no_route_of_a_windows_upstream() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream)
        .route("accept = [\"anonymous\"]")
        .section("routes.files", "upstream = \"files\"\npath = \"/files\"\npaths = \"windows\"")
        .start();

    for target in ["/FILES/bob", "/Files", "/%46iles/bob", "/f%49les/x"] {
        assert_eq!(gateway.get(target).send().status(), 400, "{target}");
    }
    assert_eq!(gateway.get("/files/bob").send().status(), 401);

    upstream.assert_untouched();
    assert_eq!(gateway.get("/filesystem").send().status(), 200);
}

#[test]
fn a_proxy_that_is_trusted_no_more_is_not_believed_on_open_connections() {
    let upstream = TestUpstream::start();
    let server =
        |trusted: &str| format!("workers = 1\ngrace = \"10s\"\ntrusted_proxies = [{trusted}]");
    let mut gateway =
        TestGateway::before(&upstream).section("server", &server("\"127.0.0.0/8\"")).start();
    let mut client = gateway.connect();
    let send = |gateway: &TestGateway, client: &mut client::Client| {
        let ask = gateway.get("/x").bearer("alice").header("X-Forwarded-For", "192.0.2.7");
        assert_eq!(ask.send_over(client).status(), 200);
    };

    send(&gateway, &mut client);
    let old = gateway.generation();
    gateway.rewrite("server", &server(""));
    gateway.wait_for_generation_after(old);
    send(&gateway, &mut client);

    let seen = upstream.requests();
    assert_eq!(seen[0].header("x-forwarded-for"), Some("192.0.2.7, 127.0.0.1"));
    assert_eq!(seen[1].header("x-forwarded-for"), Some("127.0.0.1"));
}

#[test]
fn a_file_that_was_missing_at_a_reload_is_seen_when_it_comes() {
    let upstream = TestUpstream::start();
    let mut gateway = TestGateway::before(&upstream).start();
    let old = gateway.generation();

    gateway.rewrite("directories.more", "file = \"more.yaml\"");
    gateway.wait("the refused reload", || {
        gateway.status()["last_reload"]["succeeded"] == serde_json::Value::Bool(false)
    });
    gateway.files().write("more.yaml", "- username: erin\n  password: erin-go-bragh-1234\n");

    gateway.wait_for_generation_after(old);
    assert_eq!(gateway.get("/x").bearer("erin").send().status(), 200);
}

#[test]
fn a_client_that_pipelines_and_reads_nothing_is_dropped() {
    let upstream = TestUpstream::answering(|_| Answer::ok(&"x".repeat(1 << 20))).start();
    let gateway =
        TestGateway::before(&upstream).section("limits", "body_idle_timeout = \"1s\"").start();
    let mut stream = client::tcp(gateway.address("main"));
    let request = gateway.get("/x").bearer("alice").bytes();

    for _ in 0..64 {
        let _ = stream.write_all(&request);
    }

    gateway.wait("the connection's end", || {
        gateway.metric("doorward_connections", "listener=\"main\"") < 1.0
    });
}

#[test]
fn allow_names_the_methods_of_all_routes_of_a_path() {
    let upstream = TestUpstream::start();
    let route =
        |methods: &str| format!("upstream = \"files\"\npath = \"/both\"\nmethods = [{methods}]");
    let gateway = TestGateway::before(&upstream)
        .section("routes.read", &route("\"GET\", \"HEAD\""))
        .section("routes.write", &route("\"PUT\""))
        .start();

    let response = gateway.ask("DELETE", "/both/x").bearer("alice").send();

    assert_eq!((response.status(), response.header("allow")), (405, Some("GET, HEAD, PUT")));
    assert_eq!(gateway.ask("PUT", "/both/x").bearer("alice").send().status(), 200);
    upstream.only_request();
}
