//! The name that a TLS connection was opened for, and the one that a request is about.

use std::sync::{Arc, Mutex};

use rustls::client::{
    ClientSessionStore, Resumption, Tls12ClientSessionValue, Tls13ClientSessionValue,
};
use rustls::pki_types::ServerName;
use rustls::version::{TLS12, TLS13};
use rustls::{HandshakeKind, NamedGroup};

use crate::support::client::{Client, Tls};
use crate::support::configuration::Builder;
use crate::support::gateway::TestGateway;
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
        .section(
            "routes.strict",
            "upstream = \"files\"\nhosts = [\"other.test\", \"*.wild.test\"]\nroles = [\"editor\"]",
        )
}

#[test]
fn a_name_is_not_left_behind_by_asking_for_another() {
    let upstream = TestUpstream::start();
    let gateway = several(&upstream).start();
    let names = [
        ("files.test", 0),
        ("FILES.test", 0),
        ("localhost", 0),
        ("other.test", 1),
        ("OTHER.Test", 1),
        ("a.wild.test", 2),
        ("A.WILD.TEST", 2),
        ("b.wild.test", 2),
    ];
    let hosts = [
        ("files.test", 0),
        ("Files.Test:443", 0),
        ("other.test", 1),
        ("OTHER.TEST", 1),
        ("other.test:443", 1),
        ("other.test.", 1),
        ("a.wild.test", 2),
        ("B.wild.TEST", 2),
    ];

    for (name, certificate) in names {
        let stream = gateway.handshake(&Tls::new(name, &["http/1.1"])).unwrap();
        let mut client = Client::over(Box::new(stream));
        for (host, of) in hosts {
            let ask = gateway.get("/x").bearer("bob").host(host); // who is no editor
            let status = ask.send_over(&mut client).status();
            let expected = match (certificate == of, of) {
                (false, _) => 421,
                (true, 0) => 200,
                (true, _) => 403,
            };
            let is_dotted = host.ends_with('.') && matches!(status, 400 | 403 | 421);
            assert!(status == expected || is_dotted, "{name}, then {host}: {status}");
        }
    }

    assert!(upstream.requests().iter().all(|request| {
        request.header("host").is_some_and(|host| host.to_lowercase().starts_with("files.test"))
    }));
}

#[test]
fn a_client_that_asks_for_no_name_is_held_to_the_same_demands() {
    let upstream = TestUpstream::start();
    let gateway = several(&upstream).start();
    let mut config =
        (*Tls::new("files.test", &["http/1.1"]).config(gateway.authority().certificate())).clone();
    config.enable_sni = false;
    let tls = Tls::new("files.test", &["http/1.1"]);
    let stream = tls.shake_hands(Arc::new(config), gateway.address("tls")).unwrap();
    let mut client = Client::over(Box::new(stream));

    for host in ["other.test", "OTHER.test", "a.wild.test"] {
        let status = gateway.get("/x").bearer("bob").host(host).send_over(&mut client).status();
        assert!(matches!(status, 403 | 421), "{host}: {status}");
    }

    upstream.assert_untouched();
}

/// Offers what it was given by any server to every other.
#[derive(Debug, Default)]
struct Careless {
    new: Mutex<Vec<Tls13ClientSessionValue>>,
    old: Mutex<Option<Tls12ClientSessionValue>>,
    group: Mutex<Option<NamedGroup>>,
}

impl ClientSessionStore for Careless {
    fn set_kx_hint(&self, _: ServerName<'static>, group: NamedGroup) {
        *self.group.lock().unwrap() = Some(group);
    }
    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        *self.group.lock().unwrap()
    }
    fn set_tls12_session(&self, _: ServerName<'static>, value: Tls12ClientSessionValue) {
        *self.old.lock().unwrap() = Some(value);
    }
    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.old.lock().unwrap().clone()
    }
    fn remove_tls12_session(&self, _: &ServerName<'static>) {
        *self.old.lock().unwrap() = None;
    }
    fn insert_tls13_ticket(&self, _: ServerName<'static>, value: Tls13ClientSessionValue) {
        self.new.lock().unwrap().push(value);
    }
    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.new.lock().unwrap().pop()
    }
}

#[test]
fn a_session_is_resumed_for_the_name_that_it_was_opened_for_alone() {
    let upstream = TestUpstream::start();
    let gateway = several(&upstream).start();

    for version in [&TLS12, &TLS13] {
        for (second, expected) in [
            ("files.test", Some(HandshakeKind::Resumed)),
            ("other.test", None),
            ("a.wild.test", None),
            ("localhost", None),
        ] {
            let offer = |name: &str| Tls::new(name, &["http/1.1"]).only(version);
            let config = offer("files.test").config(gateway.authority().certificate());
            let mut config = (*config).clone();
            config.resumption = Resumption::store(Arc::new(Careless::default()));
            let config = Arc::new(config); // sessions are bound to it
            let shake = |name: &str| {
                let tls = offer(name);
                let stream = tls.shake_hands(Arc::clone(&config), gateway.address("tls")).unwrap();
                let kind = stream.conn.handshake_kind();
                let mut client = Client::over(Box::new(stream));
                let ask = gateway.get("/x").bearer("alice").host(name);
                assert_eq!(ask.send_over(&mut client).status(), 200, "{name}");
                kind
            };

            assert_eq!(shake("files.test"), Some(HandshakeKind::Full));
            let kind = shake(second);

            match expected {
                Some(expected) => assert_eq!(kind, Some(expected), "{version:?}: {second}"),
                None => assert_ne!(kind, Some(HandshakeKind::Resumed), "{version:?}: {second}"),
            }
        }
    }
}
