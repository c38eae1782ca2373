//! TLS: handshakes that never end, come in pieces, or end before they began.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rustls::ClientConnection;
use rustls::pki_types::ServerName;

use super::{SOON, assert_serves, processor_time};
use crate::support::client::{self, Tls};
use crate::support::gateway::TestGateway;
use crate::support::upstream::TestUpstream;

const CLOSE_NOTIFY: [u8; 7] = [0x15, 3, 3, 0, 2, 1, 0];

fn connection(gateway: &TestGateway) -> ClientConnection {
    let config = Tls::new("files.test", &["http/1.1"]).config(gateway.authority().certificate());
    ClientConnection::new(config, ServerName::try_from("files.test").unwrap()).unwrap()
}

/// A `ClientHello` as one record.
fn hello(connection: &mut ClientConnection) -> Vec<u8> {
    let mut record = Vec::new();
    connection.write_tls(&mut record).unwrap();
    record
}

/// The same handshake message in records of `length` bytes (RFC 8446 §5.1).
fn in_records(record: &[u8], length: usize) -> Vec<u8> {
    let pieces = record[5..].chunks(length);
    let records = pieces.map(|piece| {
        let length = u16::try_from(piece.len()).unwrap().to_be_bytes();
        [&[0x16, 3, 1][..], &length, piece].concat()
    });
    records.collect::<Vec<_>>().concat()
}

#[test]
fn handshakes_that_stand_still_are_ended_and_others_are_not_kept() {
    let upstream = TestUpstream::start();
    let gateway =
        TestGateway::before(&upstream).section("limits", "handshake_timeout = \"1s\"").start();
    let whole = hello(&mut connection(&gateway));
    let begins = [&whole[..3], &whole[..0], &whole[..5], &whole[..whole.len() - 1], &whole];
    let start = Instant::now();

    let mut held = Vec::new();
    for begin in begins.into_iter().cycle().take(100) {
        let mut stream = client::tcp(gateway.address("tls"));
        stream.write_all(begin).unwrap();
        held.push(stream);
    }
    assert_serves(&gateway);

    for mut stream in held {
        if let Err(error) = stream.read_to_end(&mut Vec::new()) {
            assert!(!client::is_timeout(&error), "the gateway keeps the connection open");
        }
    }
    assert!(start.elapsed() < Duration::from_secs(1) + 2 * SOON, "{:?}", start.elapsed());
    assert_serves(&gateway);
}

#[test]
fn a_handshake_in_any_pieces_is_understood() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();

    for length in [1, 2, 40, 255] {
        let mut connection = connection(&gateway);
        let pieces = in_records(&hello(&mut connection), length);
        let mut stream = client::tcp(gateway.address("tls"));
        stream.write_all(&pieces).unwrap();
        while connection.is_handshaking() {
            connection.complete_io(&mut stream).unwrap_or_else(|error| panic!("{length}: {error}"));
        }
    }

    assert!(gateway.is_running());
}

#[test]
fn a_connection_that_ends_before_or_within_its_handshake_costs_nothing_more() {
    let upstream = TestUpstream::start();
    let gateway =
        TestGateway::before(&upstream).section("limits", "handshake_timeout = \"60s\"").start();
    let whole = hello(&mut connection(&gateway));
    let warning = [0x15, 3, 3, 0, 2, 1, 90];
    let empty = [0x16, 3, 3, 0, 0];

    let mut held: Vec<TcpStream> = Vec::new();
    for begin in [
        CLOSE_NOTIFY.to_vec(),
        CLOSE_NOTIFY.repeat(20_000),
        warning.repeat(20_000),
        empty.repeat(20_000),
        [&in_records(&whole, 40)[..400], &CLOSE_NOTIFY].concat(),
        [&whole[..], &CLOSE_NOTIFY].concat(),
        [&whole[..], &whole].concat(),
        [&in_records(&whole, 40)[..400], &[0x17, 3, 3, 0, 1, 0]].concat(),
    ] {
        let mut stream = client::tcp(gateway.address("tls"));
        let _ = stream.write_all(&begin); // it may have been closed meanwhile
        held.push(stream);
    }
    assert_serves(&gateway);

    let before = processor_time(&gateway);
    std::thread::park_timeout(Duration::from_millis(600));
    let used = processor_time(&gateway).saturating_sub(before);
    assert!(used < Duration::from_millis(300), "{used:?} while nothing happened");
    drop(held);
    assert_serves(&gateway);
}
