//! An upstream that breaks its own rules harms no other request.

use crate::support::answer::{Answer, Step, head};
use crate::support::gateway::TestGateway;
use crate::support::upstream::TestUpstream;

const INJECTED: &str = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\ninjected";

/// Sends a first request, then others on the same pool of one worker; none of these may see what
/// was injected behind the first answer.
#[track_caller]
fn nothing_is_injected(first_method: &str, first: impl Fn() -> Answer + Send + Sync + 'static) {
    let upstream = TestUpstream::answering(move |request| {
        if request.target == "/first" { first() } else { Answer::ok(&request.target) }
    })
    .start();
    let gateway = TestGateway::before(&upstream).section("server", "workers = 1").start();

    let _ = gateway.ask(first_method, "/first").bearer("alice").send();
    upstream.wait_for_answers(1);
    for target in ["/second", "/third"] {
        let response = gateway.get(target).bearer("alice").send();
        assert_eq!((response.status(), response.text().as_str()), (200, target));
    }
}

#[test]
fn a_body_in_answer_to_head_is_not_the_next_answer() {
    nothing_is_injected("HEAD", || {
        Answer::raw(format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{INJECTED}",
            INJECTED.len()
        ))
    });
}

#[test]
fn a_body_after_204_or_304_is_not_the_next_answer() {
    nothing_is_injected("GET", || {
        Answer::raw(format!("HTTP/1.1 204 No Content\r\n\r\n{INJECTED}"))
    });
    nothing_is_injected("GET", || {
        Answer::raw(format!("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n{INJECTED}"))
    });
}

#[test]
fn bytes_after_the_last_chunk_are_not_the_next_answer() {
    nothing_is_injected("GET", || {
        Answer::raw(format!(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n{INJECTED}"
        ))
    });
}

#[test]
fn an_answer_after_100_is_the_only_one() {
    nothing_is_injected("GET", || {
        Answer::raw(format!(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n{INJECTED}"
        ))
    });
}

#[test]
fn informational_answers_without_end_are_bounded() {
    let upstream = TestUpstream::answering(|_| {
        Answer::raw("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n".repeat(200_000))
            .and(Step::Stall)
    })
    .start();
    let gateway = TestGateway::before(&upstream)
        .with("upstreams.files", "first_byte_timeout = \"2s\"")
        .start();

    let response = gateway.get("/x").bearer("alice").send();

    assert!(matches!(response.status(), 502 | 504), "{response:?}");
}

#[test]
fn broken_chunks_of_the_upstream_cut_the_answer() {
    for chunks in [
        "zz\r\nhello\r\n0\r\n\r\n",
        "5\nhello\r\n0\r\n\r\n",
        "5\r\nhelloXX0\r\n\r\n",
        "-5\r\nhello\r\n0\r\n\r\n",
        "fffffffffffffffff\r\nhello\r\n0\r\n\r\n",
        "5;\0\nx\r\nhello\r\n0\r\n\r\n",
        "\r\n\r\n",
    ] {
        let upstream = TestUpstream::answering(move |_| {
            Answer::read()
                .then(head(200, &[], "Transfer-Encoding: chunked\r\n"))
                .then(format!("2\r\nok\r\n{chunks}"))
                .and(Step::Stall)
        })
        .start();
        let gateway =
            TestGateway::before(&upstream).with("upstreams.files", "idle_timeout = \"2s\"").start();
        let mut client = gateway.connect();
        client.send(gateway.get("/x").bearer("alice").bytes());
        match client.response_to("GET") {
            Ok(response) => assert_eq!(response.status(), 502, "{chunks:?}: {response:?}"),
            Err(error) => assert!(!crate::support::client::is_timeout(&error), "{chunks:?}"),
        }
    }
}

#[test]
fn an_endless_chunk_extension_is_cut() {
    let upstream = TestUpstream::answering(|_| {
        Answer::read()
            .then(head(200, &[], "Transfer-Encoding: chunked\r\n"))
            .then("5;x=")
            .and(Step::Flood)
    })
    .start();
    let gateway = TestGateway::before(&upstream).start();
    let mut client = gateway.connect();

    client.send(gateway.get("/x").bearer("alice").bytes());

    assert!(client.response_to("GET").map_or(true, |response| response.status() == 502));
    upstream.wait_for_closed(1);
}

#[test]
fn headers_of_an_answer_cannot_split_it() {
    let upstream = TestUpstream::answering(|_| {
        Answer::raw("HTTP/1.1 200 OK\r\nX: a\rInjected: forged\r\nContent-Length: 0\r\n\r\n")
    })
    .start();
    let gateway = TestGateway::before(&upstream).start();

    for response in
        [gateway.get("/x").bearer("alice").send(), gateway.get("/x").bearer("alice").send_h2()]
    {
        assert_eq!(response.header("injected"), None);
        assert_eq!(response.status(), 502, "{response:?}");
    }
}

#[test]
fn a_location_elsewhere_stays_and_one_inside_names_no_upstream() {
    let upstream = TestUpstream::answering(|request| {
        let location = format!("http://{}/files/alice/x", request.header("host").unwrap_or(""));
        Answer::status(302, &[("Location", &location)], "")
    })
    .start();
    let gateway = TestGateway::before(&upstream)
        .route(
            "path = \"/files\"\nhost = \"upstream\"\nhome = { in = [\"path\"], mode = \"rewrite\" }",
        )
        .start();

    let response = gateway.get("/files/x").bearer("alice").send();

    let location = response.header("location").unwrap_or("").to_owned();
    assert!(!location.contains("/alice"), "the home is told: {location}");
    let port = upstream.address().port().to_string();
    assert!(!location.contains(&port), "the upstream's address is told: {location}");
}
