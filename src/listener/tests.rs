//! Connections that are parked and served again, with a clock that only the test moves.

mod reading;
mod site;

use std::time::Duration;

use proptest::prelude::*;
use tokio::io::AsyncWriteExt as _;

use self::reading::{Ending, Message, Told, run};
use self::site::{Client, Site, within_runtime};

const GET: &str = "GET /open/x HTTP/1.1\r\nHost: files.test\r\n\r\n";

/// A connection on which one request was answered.
async fn used(site: &Site) -> Client {
    let mut client = site.connect(false).await;
    let answer = client.ask(GET).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    client
}

#[test]
fn a_quiet_connection_is_parked_and_served_again() {
    within_runtime("", async |site| {
        for is_tls in [false, true] {
            let mut client = site.connect(is_tls).await;
            for round in 0..3 {
                let answer = client.ask(GET).await;
                assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{round}: {answer}");

                site.pass(Duration::from_secs(2)).await;
                assert_eq!(site.parked(), 0, "too soon");
                site.pass(Duration::from_secs(2)).await;
                assert_eq!((site.parked(), site.open()), (1, 1));
            }
            client.finish().await;
            assert_eq!(client.rest().await, "");
            site.settle().await;
            assert_eq!((site.parked(), site.open()), (0, 0));
        }
        assert_eq!(site.upstream.take().len(), 6);
    });
}

#[test]
fn a_connection_that_never_asked_is_parked_and_its_time_runs_on() {
    within_runtime("header_timeout = \"8s\"", async |site| {
        let mut silent = site.connect(false).await;
        let mut late = site.connect(false).await;
        site.pass(Duration::from_secs(4)).await;
        assert_eq!(site.parked(), 2);

        assert!(late.ask(GET).await.starts_with("HTTP/1.1 200 OK\r\n"));
        site.pass(Duration::from_secs(5)).await;

        assert_eq!(silent.rest().await, "");
        assert!(late.ask(GET).await.starts_with("HTTP/1.1 200 OK\r\n"), "it had the other limit");
    });
}

#[test]
fn nothing_is_parked_where_it_is_not_wanted() {
    within_runtime("park_after = \"0s\"", async |site| {
        let mut client = used(site).await;
        site.pass(Duration::from_mins(1)).await;

        assert_eq!(site.parked(), 0);
        assert!(client.ask(GET).await.starts_with("HTTP/1.1 200 OK\r\n"));
    });
}

#[test]
fn a_parked_connection_is_closed_when_its_time_is_up() {
    within_runtime("keep_alive_timeout = \"20s\"", async |site| {
        for is_tls in [false, true] {
            let mut client = site.connect(is_tls).await;
            client.ask(GET).await;
            site.pass(Duration::from_secs(10)).await;
            assert_eq!(site.parked(), 1);
            site.pass(Duration::from_secs(9)).await;
            assert_eq!(site.parked(), 1, "too soon");
            site.pass(Duration::from_secs(2)).await;

            assert_eq!((site.parked(), site.open()), (0, 0));
            assert_eq!(client.rest().await, "", "without a word, but with a close_notify");
        }
    });
}

#[test]
fn waking_a_connection_does_not_give_it_more_time() {
    within_runtime("keep_alive_timeout = \"20s\"", async |site| {
        let mut client = used(site).await;
        site.pass(Duration::from_secs(10)).await;
        assert_eq!(site.parked(), 1);

        client.send(b"\r\n").await; // forgiven before a request, and none
        site.settle().await;
        assert_eq!(site.parked(), 0);
        site.pass(Duration::from_secs(11)).await;

        assert_eq!(client.rest().await, "");
        assert_eq!(site.open(), 0);
    });
}

#[test]
fn a_drain_closes_parked_connections_at_once() {
    within_runtime("", async |site| {
        let (mut plain, mut tls) = (used(site).await, site.connect(true).await);
        tls.ask(GET).await;
        site.pass(Duration::from_secs(5)).await;
        assert_eq!(site.parked(), 2);

        site.worker.drain();
        site.settle().await;

        assert_eq!((site.parked(), site.open()), (0, 0));
        assert_eq!((plain.rest().await, tls.rest().await), (String::new(), String::new()));
    });
}

#[test]
fn a_parked_client_that_goes_is_gone() {
    within_runtime("", async |site| {
        let (mut half_closed, reset) = (used(site).await, used(site).await);
        let mut without_notice = site.connect(true).await;
        without_notice.ask(GET).await;
        site.pass(Duration::from_secs(5)).await;
        assert_eq!(site.parked(), 3);

        half_closed.finish().await;
        reset.reset();
        without_notice.reset();
        site.settle().await;

        assert_eq!((site.parked(), site.open()), (0, 0));
        assert_eq!(half_closed.rest().await, "");
    });
}

#[test]
fn what_is_refused_is_refused_on_a_parked_connection_too() {
    within_runtime("", async |site| {
        for bytes in ["\0\x01\x02garbage\r\n\r\n", "GET  / HTTP/1.1\r\n\r\n", "\r\n\r\n"] {
            let mut client = used(site).await;
            site.pass(Duration::from_secs(5)).await;
            assert_eq!(site.parked(), 1);

            client.send(bytes.as_bytes()).await;
            site.settle().await;

            let answer = client.rest().await;
            assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{bytes:?}: {answer}");
            assert_eq!(site.parked(), 0);
        }
        assert!(site.upstream.take().iter().all(|told| told.target == "/open/x"));
    });
}

#[test]
fn what_is_no_tls_ends_a_parked_connection() {
    within_runtime("", async |site| {
        let mut client = site.connect(true).await;
        client.ask(GET).await;
        site.pass(Duration::from_secs(5)).await;
        assert_eq!(site.parked(), 1);

        client.below().write_all(b"GET / HTTP/1.1\r\nHost: files.test\r\n\r\n").await.unwrap();
        site.settle().await;

        assert_eq!((site.parked(), site.open()), (0, 0));
        assert_eq!(site.upstream.take().len(), 1);
    });
}

#[test]
fn a_head_that_comes_in_pieces_to_a_parked_connection_is_bound_in_time() {
    within_runtime("header_timeout = \"10s\"", async |site| {
        let mut client = used(site).await;
        site.pass(Duration::from_secs(5)).await;
        assert_eq!(site.parked(), 1);

        client.send(b"GET /open/y HTTP/1.1\r\nHo").await;
        site.pass(Duration::from_secs(9)).await;
        assert_eq!((site.parked(), site.open()), (0, 1));
        site.pass(Duration::from_secs(2)).await;

        let answer = client.rest().await;
        assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{answer}");
        assert_eq!(site.upstream.take().len(), 1);
    });
}

#[test]
fn a_connection_in_the_middle_of_something_is_not_parked() {
    let beginnings = [
        "GET /open/y HTTP/1.1\r\n",
        "G",
        "\r\n",
        "POST /open/y HTTP/1.1\r\nHost: files.test\r\nContent-Length: 5\r\n\r\nabcd",
        "POST /shut/y HTTP/1.1\r\nHost: files.test\r\nContent-Length: 5\r\n\r\nabcd",
        "PUT /open/y HTTP/1.1\r\nHost: files.test\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n",
        "PUT /open/y HTTP/1.1\r\nHost: files.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
        "POST /open/y HTTP/1.1\r\nHost: files.test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
    ];
    within_runtime("", async |site| {
        for bytes in beginnings {
            let mut client = used(site).await;
            client.send(bytes.as_bytes()).await;
            site.settle().await;
            for _ in 0..3 {
                site.pass(Duration::from_secs(4)).await;
                assert_eq!(site.parked(), 0, "{bytes:?}");
            }
        }
    });
}

#[test]
fn a_reload_leaves_parked_connections_alone() {
    within_runtime("", async |site| {
        let mut client = used(site).await;
        site.pass(Duration::from_secs(5)).await;
        assert_eq!(site.parked(), 1);

        site.reload();
        site.settle().await;

        assert_eq!(site.parked(), 1);
        assert!(client.ask(GET).await.starts_with("HTTP/1.1 200 OK\r\n"));
    });
}

#[test]
fn a_connection_is_parked_after_whatever_was_read_to_its_end() {
    use Message as M;
    let messages =
        [M::Get, M::Head, M::Old, M::Upgrade, M::Length, M::Chunked, M::Expect, M::Refused];
    for is_tls in [false, true] {
        let told = run(&messages, Ending::Close, &[(usize::MAX, true)], is_tls, true);

        assert!(told.is_sound(&messages), "{told:?}");
        assert_eq!(told.parked, 8);
    }
}

/// One of several ways to send a request.
fn messages() -> impl Strategy<Value = Vec<Message>> {
    let kind = prop_oneof![
        3 => Just(Message::Get),
        1 => Just(Message::Head),
        1 => Just(Message::EmptyLine),
        1 => Just(Message::Old),
        1 => Just(Message::Upgrade),
        3 => Just(Message::Length),
        3 => Just(Message::Chunked),
        2 => Just(Message::GetWithBody),
        2 => Just(Message::Expect),
        2 => Just(Message::Refused),
        1 => Just(Message::RefusedBody),
        1 => Just(Message::RefusedChunks),
        1 => Just(Message::RefusedExpect),
    ];
    proptest::collection::vec(kind, 1..7)
}

/// Where the bytes are cut, and whether it is quiet there for so long that a connection is parked.
fn cuts() -> impl Strategy<Value = Vec<(usize, bool)>> {
    let place = prop_oneof![2 => Just(usize::MAX), 1 => 1..60_usize, 1 => 1..600_usize];
    proptest::collection::vec((place, any::<bool>()), 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 200, ..ProptestConfig::with_cases(160) })]

    /// The same bytes are sent twice: to a gateway that parks whenever it is quiet, and to one
    /// that never does.
    #[test]
    fn no_byte_of_a_body_is_ever_read_as_a_request(
        messages in messages(), cuts in cuts(), is_tls in any::<bool>(), ends_badly in any::<bool>()
    ) {
        let ending = if ends_badly { Ending::Garbage } else { Ending::Close };
        let [parking, never] =
            [true, false].map(|parks| run(&messages, ending, &cuts, is_tls, parks));

        prop_assert_eq!(never.parked, 0);
        for told in [&parking, &never] {
            prop_assert!(told.is_sound(&messages), "{:?}", told);
        }
        if Told::depends_on_timing(&messages) {
            // A refused body may be read away or not: it depends on what had come of it.
            prop_assert!(parking.begins_as(&never) || never.begins_as(&parking), "{:?}\n{:?}", parking, never);
        } else {
            prop_assert_eq!(&parking.requests, &never.requests);
            prop_assert_eq!(&parking.answers, &never.answers);
        }
    }
}
