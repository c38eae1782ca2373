//! TLS: versions, names, protocols.

use std::io::{Read as _, Write as _};

use rustls::version::{TLS12, TLS13};

use crate::support::client::{Client, Tls, tcp};
use crate::support::configuration::Builder;
use crate::support::gateway::TestGateway;
use crate::support::tokens::Token;
use crate::support::upstream::TestUpstream;

fn several(upstream: &TestUpstream) -> Builder {
    TestGateway::before(upstream)
        .certificate("other", &["other.test"])
        .certificate("wild", &["*.wild.test"])
        .section(
            "listeners.tls.tls",
            "certificates = [{ chain = \"cert.pem\", key = \"cert.key\" }, \
             { chain = \"other.pem\", key = \"other.key\" }, { chain = \"wild.pem\", key = \"wild.key\" }]",
        )
}

#[test]
fn the_certificate_is_chosen_by_the_name() {
    let upstream = TestUpstream::start();
    let gateway = several(&upstream).start();

    for name in ["files.test", "localhost", "other.test", "OTHER.test", "a.wild.test"] {
        let shaken = gateway.handshake(&Tls::new(name, &["http/1.1"]));
        assert!(shaken.is_ok(), "{name}: {shaken:?}");
    }
    for name in ["unknown.test", "wild.test", "a.b.wild.test"] {
        assert!(gateway.handshake(&Tls::new(name, &["http/1.1"])).is_err(), "{name}");
    }
}

#[test]
fn tls_1_2_and_1_3_are_spoken() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();

    for version in [&TLS12, &TLS13] {
        let tls = Tls::new("files.test", &["http/1.1"]).only(version);
        let mut client = Client::over(Box::new(gateway.handshake(&tls).unwrap()));
        let response = gateway.get("/x").bearer("alice").send_over(&mut client);
        assert_eq!(response.status(), 200, "{version:?}");
    }
}

#[test]
fn the_cipher_suite_is_the_gateways_choice() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();

    for version in [&TLS12, &TLS13] {
        for is_reversed in [false, true] {
            let mut provider = rustls::crypto::aws_lc_rs::default_provider();
            provider.cipher_suites.sort_by_key(|suite| format!("{:?}", suite.suite()));
            if is_reversed {
                provider.cipher_suites.reverse();
            }
            let tls = Tls::new("files.test", &["http/1.1"]).only(version);
            let trusted = gateway.authority().certificate();
            let stream = tls.connect_with(provider, gateway.address("tls"), trusted).unwrap();
            let suite = stream.conn.negotiated_cipher_suite().unwrap().suite();
            assert!(format!("{suite:?}").ends_with("AES_128_GCM_SHA256"), "{suite:?}");
        }
    }
}

#[test]
fn the_minimum_is_kept() {
    let upstream = TestUpstream::start();
    let gateway =
        TestGateway::before(&upstream).with("listeners.tls.tls", "minimum = \"1.3\"").start();

    let tls = Tls::new("files.test", &["http/1.1"]);
    assert!(gateway.handshake(&tls.clone().only(&TLS12)).is_err());
    assert!(gateway.handshake(&tls.only(&TLS13)).is_ok());
}

#[test]
fn versions_before_1_2_are_refused() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();
    // ClientHellos that offer TLS 1.0 and SSL 3.0 only, with one cipher suite.
    for minor in [1, 0] {
        let mut hello = vec![3, minor];
        hello.extend([7; 32]);
        hello.extend([0, 0, 2, 0, 0x2f, 1, 0]);
        let mut record = vec![0x16, 3, minor, 0, 4 + u8::try_from(hello.len()).unwrap(), 1, 0, 0];
        record.push(u8::try_from(hello.len()).unwrap());
        record.extend(hello);

        let mut stream = tcp(gateway.address("tls"));
        stream.write_all(&record).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert!(answer.is_empty() || answer[0] == 0x15, "an alert, not {answer:?}");
    }
}

#[test]
fn the_protocol_is_negotiated() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();
    let negotiated = |offered: &[&'static str]| {
        let mut stream = gateway.handshake(&Tls::new("files.test", offered)).ok()?;
        stream.flush().ok()?;
        Some(
            stream
                .conn
                .alpn_protocol()
                .map(|protocol| String::from_utf8_lossy(protocol).into_owned()),
        )
    };

    assert_eq!(negotiated(&["h2", "http/1.1"]), Some(Some("h2".to_owned())));
    assert_eq!(negotiated(&["http/1.1", "h2"]), Some(Some("h2".to_owned())));
    assert_eq!(negotiated(&["http/1.1"]), Some(Some("http/1.1".to_owned())));
    assert_eq!(negotiated(&[]), Some(None));
    assert_eq!(negotiated(&["spdy/3"]), None, "RFC 7301 §3.2: no protocol in common");
}

#[test]
fn without_alpn_http_1_is_spoken() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();

    let stream = gateway.handshake(&Tls::new("files.test", &[])).unwrap();
    let mut client = Client::over(Box::new(stream));

    assert_eq!(gateway.get("/x").bearer("alice").send_over(&mut client).status(), 200);
}

#[test]
fn protocols_can_be_switched_off() {
    let upstream = TestUpstream::start();
    let gateway =
        TestGateway::before(&upstream).with("listeners.tls", "protocols = [\"http/1.1\"]").start();

    let both = gateway.handshake(&Tls::new("files.test", &["h2", "http/1.1"])).unwrap();
    assert_eq!(both.conn.alpn_protocol(), Some(b"http/1.1".as_slice()));
    assert!(gateway.handshake(&Tls::new("files.test", &["h2"])).is_err());
}

#[test]
fn a_host_of_another_certificate_is_421() {
    let upstream = TestUpstream::start();
    let gateway = several(&upstream).start();

    let mut h1 = gateway.connect_tls();
    let ask = gateway.get("/x").bearer("alice");
    assert_eq!(ask.clone().host("other.test").send_over(&mut h1).status(), 421);
    let mut h2 = gateway.connect_h2();
    for host in ["other.test", "OTHER.test:443", "a.wild.test"] {
        assert_eq!(ask.clone().host(host).send_over_h2(&mut h2).status(), 421, "{host}");
    }

    upstream.assert_untouched();
    assert_eq!(ask.send_over_h2(&mut h2).status(), 200);
}

#[test]
fn http_on_the_tls_port_is_not_served() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();

    let mut client = Client::tcp(gateway.address("tls"));
    let token = Token::of("alice").signed();
    client.send(format!(
        "GET /x HTTP/1.1\r\nHost: files.test\r\nAuthorization: Bearer {token}\r\n\r\n"
    ));
    let answer = client.rest();

    assert!(!answer.starts_with(b"HTTP/1.1 200"), "{answer:?}");
    upstream.assert_untouched();
}

#[test]
fn broken_tls_harms_nobody() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();

    for bytes in [
        b"\x16\x03\x01\xff\xff".as_slice(),
        b"\x15\x03\x01\x00\x02\x01\x00",
        b"\x14\x03\x03\x00\x01\x01",
        b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00",
        b"\x80\x2e\x01\x03\x01\x00\x15\x00\x00\x00\x10",
        b"\x17\x03\x03\x00\x00",
    ] {
        let mut stream = tcp(gateway.address("tls"));
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let _ = stream.read_to_end(&mut Vec::new());
    }

    assert!(gateway.is_running());
    assert_eq!(gateway.get("/x").bearer("alice").send_h2().status(), 200);
}

#[test]
fn a_handshake_byte_by_byte_is_understood() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();
    let tls = Tls::new("files.test", &["http/1.1"]);
    let name = rustls::pki_types::ServerName::try_from("files.test").unwrap();
    let config = tls.config(gateway.authority().certificate());
    let mut connection = rustls::ClientConnection::new(config, name).unwrap();
    let mut hello = Vec::new();
    connection.write_tls(&mut hello).unwrap();

    let mut stream = tcp(gateway.address("tls"));
    for byte in hello {
        stream.write_all(&[byte]).unwrap();
    }
    while connection.is_handshaking() {
        connection.complete_io(&mut stream).unwrap();
    }

    assert_eq!(connection.alpn_protocol(), Some(b"http/1.1".as_slice()));
}

#[test]
fn a_key_that_is_not_the_certificates_is_refused_at_start() {
    let upstream = TestUpstream::start();
    let builder = TestGateway::before(&upstream);
    let (_, other) = builder.authority().issue(&["files.test"]);

    let said = builder.file("cert.key", other).fail_to_start();

    assert!(said.contains("cert.key") || said.contains("cert.pem"), "{said}");
    assert!(!said.contains("PRIVATE KEY"), "{said}");
}
