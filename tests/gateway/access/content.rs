//! Fields of bodies that name resources: decided on before a byte is sent, and sent as decided.

use super::{routes, targets};
use crate::support::answer::Answer;
use crate::support::request::Ask;
use crate::support::tokens::Token;
use crate::support::upstream::TestUpstream;

const REQUIRED: &str = "path = \"/search\"\n\
    home = { in = [\"json:files\", \"form:dir\", \"query:dir\"], mode = \"require\" }";
const REWRITTEN: &str = "path = \"/search\"\n\
    home = { in = [\"json:files\", \"form:dir\", \"query:dir\"], mode = \"rewrite\" }";
const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

fn typed<'g>(ask: Ask<'g>, media: &str, body: &str) -> Ask<'g> {
    ask.header("Content-Type", media).body(body)
}

#[test]
fn a_field_that_leaves_the_home_is_refused_and_nothing_is_sent() {
    let upstream = TestUpstream::start();
    let gateway = routes(&upstream, &[("routes.search", REQUIRED)]).start();
    let ask = || gateway.ask("POST", "/search").bearer("alice");

    for (media, body, status) in [
        (JSON, r#"{"files":["/alice/a","/bob/b"]}"#, 403),
        (JSON, r#"{"files":"/bob"}"#, 403),
        (JSON, r#"{"\u0066iles":"\/bob"}"#, 403),
        (JSON, r#"{"files":"/alice/../bob"}"#, 400),
        (JSON, r#"{"files":"/alice/\u002e\u002e/bob"}"#, 400),
        (JSON, r#"{"files":"/alice","files":"/bob"}"#, 400),
        (JSON, r#"{"files":"/alice","FILES":"/bob"}"#, 400),
        (JSON, r#"{"files":{"a":"/bob"}}"#, 400),
        (JSON, r#"{"files":["/alice"],}"#, 400),
        (JSON, r#"[{"files":"/bob"}]"#, 400),
        (JSON, "{\"files\":\"/alice/\u{feff}\"}//", 400),
        (JSON, "{}", 403),
        (FORM, "dir=/alice&dir=/bob", 403),
        (FORM, "dir=/alice&di%72=%2Fbob", 403),
        (FORM, "dir=/alice;dir=/bob", 400),
        (FORM, "dir=/alice&DIR=/bob", 400),
        (FORM, "dir=/alice/..%2fbob", 400),
        (FORM, "dir=/alice\r\n", 400),
        (FORM, "x=1", 403),
        ("text/plain", r#"{"files":"/alice"}"#, 415),
        ("application/json; charset=utf-16", r#"{"files":"/alice"}"#, 415),
        ("multipart/form-data; boundary=x", "--x--", 415),
        (FORM, r#"{"files":"/alice"}"#, 403),
    ] {
        let response = typed(ask(), media, body).send();
        assert_eq!(response.status(), status, "{media} {body}: {response:?}");
        let response = typed(ask(), media, body).send_h2();
        assert_eq!(response.status(), status, "{media} {body}: {response:?}");
    }
    assert_eq!(ask().body(r#"{"files":"/alice"}"#).send().status(), 415);
    let twice = typed(ask(), JSON, "{}").header("Content-Type", FORM).send();
    assert_eq!(twice.status(), 415);
    let coded = typed(ask(), JSON, r#"{"files":"/alice"}"#).header("Content-Encoding", "gzip");
    assert_eq!(coded.send().status(), 415);
    let not_utf8 = ask().header("Content-Type", JSON).body(b"{\"files\":\"/alice/\xff\"}");
    assert_eq!(not_utf8.send().status(), 400);
    upstream.assert_untouched();
}

#[test]
fn what_was_decided_on_is_what_is_sent() {
    let upstream = TestUpstream::start();
    let gateway = routes(
        &upstream,
        &[("routes.search", REQUIRED), ("routes.show", &REWRITTEN.replace("/search", "/show"))],
    )
    .start();

    let cases = [
        (
            "/search",
            JSON,
            r#"{ "\u0066iles": ["\/alice/a"], "n": 1.50 }"#,
            r#"{"files":["/alice/a"],"n":1.50}"#,
        ),
        ("/search", FORM, "dir=%2falice%2Fb&x=%7e", "dir=%2Falice%2Fb&x=~"),
        ("/show", JSON, r#"{"files":["a","/bob/b"]}"#, r#"{"files":["/alice/a","/alice/bob/b"]}"#),
        ("/show", FORM, "dir=a+b&y", "dir=/alice/a+b&y"),
    ];
    for (target, media, body, _) in cases {
        let ask = typed(gateway.ask("POST", target).bearer("alice"), media, body);
        let response = ask.header("Content-Digest", "sha-256=:AAAA:").send();
        assert_eq!(response.status(), 200, "{body}: {response:?}");
    }

    for (request, (_, media, _, sent)) in upstream.requests().iter().zip(cases) {
        assert_eq!(request.text(), sent);
        assert_eq!(request.header("content-length"), Some(&*sent.len().to_string()));
        assert_eq!(request.header("content-type"), Some(media));
        assert_eq!(request.header("transfer-encoding"), None);
        assert_eq!(request.header("content-digest"), None, "of the bytes that came");
    }
    assert_eq!(targets(&upstream).len(), 4);
}

#[test]
fn bodies_of_either_framing_are_looked_into_and_none_needs_no_type() {
    let upstream = TestUpstream::start();
    let gateway = routes(&upstream, &[("routes.search", REQUIRED)]).start();
    let head = |more: &str| {
        format!(
            "POST /search HTTP/1.1\r\nHost: files.test\r\nAuthorization: Bearer {}\r\n\
             Content-Type: {JSON}\r\n{more}\r\n\r\n",
            Token::of("alice").signed()
        )
    };
    let chunked = |body: &str| format!("{}{body}", head("Transfer-Encoding: chunked"));

    let good = chunked("8\r\n{\"files\"\r\nb\r\n:\"/alice/a\"\r\n1\r\n}\r\n0\r\n\r\n");
    assert_eq!(gateway.exchange(good).status, 200);
    let bad = chunked("8\r\n{\"files\"\r\n9\r\n:\"/bob/a\"\r\n1\r\n}\r\n0\r\n\r\n");
    assert_eq!(gateway.exchange(bad).status, 403);
    assert_eq!(gateway.exchange(chunked("0\r\n\r\n")).status, 403);
    let empty = gateway.ask("GET", "/search?dir=/alice").bearer("alice").send();
    assert_eq!(empty.status(), 200);

    let requests = upstream.requests();
    assert_eq!(requests.len(), 2, "{requests:?}");
    assert_eq!(requests[0].text(), r#"{"files":"/alice/a"}"#);
    assert_eq!(requests[1].target, "/search?dir=/alice");
    assert_eq!(requests[1].header("content-length"), None);
}

#[test]
fn more_than_is_looked_into_is_refused_without_being_read() {
    let upstream = TestUpstream::start();
    let limited = REQUIRED.replace("mode =", "inspect_limit = \"1KiB\", mode =");
    let gateway = routes(&upstream, &[("routes.search", &limited)]).start();
    let padded = |blanks: usize| format!("{{{}\"files\":\"/alice\"}}", " ".repeat(blanks));
    let ask = |body: &str| typed(gateway.ask("POST", "/search").bearer("alice"), JSON, body);

    assert_eq!(ask(&padded(2000)).send().status(), 413);
    assert_eq!(ask(&padded(2000)).send_h2().status(), 413);
    let authorization = format!("Bearer {}", Token::of("alice").signed());
    let mut client = gateway.connect();
    client.send(format!(
        "POST /search HTTP/1.1\r\nHost: files.test\r\nAuthorization: {authorization}\r\n\
         Content-Type: {JSON}\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n{}",
        padded(1500)
    ));
    assert_eq!(client.response().status(), 413);
    upstream.assert_untouched();
    assert_eq!(ask(&padded(900)).send().status(), 200);
}

#[test]
fn nobody_makes_the_gateway_read_who_may_not_do_the_rest() {
    let upstream = TestUpstream::start();
    let demanding = format!("{REQUIRED}\npermissions = {{ \"*\" = \"files:write\" }}");
    let with_path = "path = \"/files\"\nhome = { in = [\"path\", \"json:files\"] }";
    let gateway =
        routes(&upstream, &[("routes.search", &demanding), ("routes.files", with_path)]).start();
    let expecting = |target: &str, authorization: &str| {
        format!(
            "POST {target} HTTP/1.1\r\nHost: files.test\r\n{authorization}Content-Type: {JSON}\r\n\
             Expect: 100-continue\r\nContent-Length: 18\r\n\r\n"
        )
    };
    let bearer = |user: &str| format!("Authorization: Bearer {}\r\n", Token::of(user).signed());

    // Each is answered without 100, and without the body.
    for (target, authorization, status) in [
        ("/search", String::new(), 401),
        ("/search", "Authorization: Bearer a.b.c\r\n".to_owned(), 401),
        ("/search", bearer("bob"), 403),
        ("/search?dir=/bob", bearer("alice"), 403),
        ("/files/bob/x", bearer("alice"), 403),
        ("/files/dave", bearer("dave"), 403),
    ] {
        let mut client = gateway.connect();
        client.send(expecting(target, &authorization));
        assert_eq!(client.response().status(), status, "{target} {authorization}");
    }
    upstream.assert_untouched();

    let mut client = gateway.connect();
    client.send(expecting("/search", &bearer("alice")));
    let (status, _) = client.response_head().unwrap();
    assert_eq!(status, 100);
    client.send(r#"{"files":"/alice"}"#);
    assert_eq!(client.response().status(), 200);
    assert_eq!(upstream.only_request().text(), r#"{"files":"/alice"}"#);
}

#[test]
fn what_stays_away_is_not_waited_for() {
    let upstream = TestUpstream::start();
    let gateway = routes(&upstream, &[("routes.search", REQUIRED)])
        .with("limits", "body_idle_timeout = \"1s\"")
        .start();
    let mut client = gateway.connect();

    client.send(format!(
        "POST /search HTTP/1.1\r\nHost: files.test\r\nAuthorization: Bearer {}\r\n\
         Content-Type: {JSON}\r\nContent-Length: 18\r\n\r\n{{",
        Token::of("alice").signed()
    ));

    assert_eq!(client.response().status(), 408);
    upstream.assert_untouched();
}

#[test]
fn other_routes_stream_whatever_it_is() {
    let upstream = TestUpstream::answering(|_| Answer::ok("stored")).start();
    let plain = "path = \"/files\"\nhome = { in = [\"path\"] }";
    let gateway = routes(&upstream, &[("routes.files", plain)]).start();

    let body = "{\"files\":\"/bob\"".repeat(10_000);
    let ask = gateway.ask("PUT", "/files/alice/x").bearer("alice").header("Content-Type", JSON);
    assert_eq!(ask.header("Content-Encoding", "gzip").body(&body).send().status(), 200);

    assert_eq!(upstream.only_request().text(), body);
}

/// The payloads of `tests/corpora/paths` (see its README for source and licence) as the value of a
/// field, below alice's home: whatever arrives upstream must lie there in every reading.
#[test]
fn no_payload_of_the_corpus_leads_out_of_a_home_by_a_field() {
    let upstream = TestUpstream::start();
    let gateway = routes(&upstream, &[("routes.search", REQUIRED)]).start();
    let mut client = gateway.connect();
    let mut count = 0;

    for (index, payload) in super::corpus().into_iter().enumerate() {
        let value = format!("/alice/{payload}");
        let (media, body) = if index % 2 == 0 {
            (JSON, serde_json::json!({ "files": [value] }).to_string())
        } else {
            (FORM, format!("dir={value}"))
        };
        count += 1;
        let _ = client
            .try_send(typed(gateway.ask("POST", "/search").bearer("alice"), media, &body).bytes());
        match client.response_to("POST") {
            Ok(response) if response.header("connection") != Some("close") => {
                assert!(response.status() < 500, "{payload}: {response:?}");
            }
            _ => client = gateway.connect(),
        }
    }

    assert!(count > 2500, "{count} payloads");
    for request in upstream.requests() {
        let value = match request.header("content-type") {
            Some(JSON) => {
                let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
                body["files"][0].as_str().unwrap().to_owned()
            }
            _ => request.text()["dir=".len()..].split('&').next().unwrap().to_owned(),
        };
        super::assert_inside(&value, "/alice/");
    }
}
