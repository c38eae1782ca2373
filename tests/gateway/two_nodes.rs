//! Two gateways that share a PostgreSQL, and a balancer in front: clients do not see that there
//! are two, and one of them may go.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::PATIENCE;
use crate::support::client::{Client, Response};
use crate::support::endpoint::{STORE_SECRET, form};
use crate::support::gateway::TestGateway;
use crate::support::postgres::TestPostgres;
use crate::support::upstream::TestUpstream;

/// How long a revocation may take to the other node.
const SOON: Duration = Duration::from_secs(1);

/// Hands each connection to the next node that takes it.
struct Balancer {
    address: SocketAddr,
}

impl Balancer {
    fn before(nodes: Vec<SocketAddr>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let turn = Arc::new(AtomicUsize::new(0));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let first = turn.fetch_add(1, Ordering::Relaxed);
                let mut nodes = (0..nodes.len()).map(|step| nodes[(first + step) % nodes.len()]);
                let Some(node) = nodes.find_map(|node| TcpStream::connect(node).ok()) else {
                    continue;
                };
                let (mut from, mut to) = (client.try_clone().unwrap(), node.try_clone().unwrap());
                thread::spawn(move || io::copy(&mut from, &mut to));
                let (mut from, mut to) = (node, client);
                thread::spawn(move || {
                    let _ = io::copy(&mut from, &mut to);
                    let _ = to.shutdown(std::net::Shutdown::Both);
                });
            }
        });
        Self { address }
    }
}

fn send(address: SocketAddr, method: &str, target: &str, headers: &str, body: &str) -> Response {
    let request = format!(
        "{method} {target} HTTP/1.1\r\nHost: files.test\r\nConnection: close\r\n{headers}\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    Client::tcp(address).send(request).response()
}

fn grant(address: SocketAddr, parameters: &[(&str, &str)]) -> Response {
    let headers = "Content-Type: application/x-www-form-urlencoded\r\n";
    send(address, "POST", "/oauth2/token", headers, &form(parameters))
}

#[track_caller]
fn granted(response: &Response) -> (String, String) {
    assert_eq!(response.status, 200, "{}", response.text());
    let answer = response.json();
    let text = |name: &str| answer[name].as_str().unwrap().to_owned();
    (text("access_token"), text("refresh_token"))
}

fn log_in(address: SocketAddr) -> Response {
    let parameters =
        [("grant_type", "password"), ("username", "alice"), ("password", "wonderland-of-alice")];
    grant(address, &parameters)
}

fn refresh(address: SocketAddr, token: &str) -> Response {
    grant(address, &[("grant_type", "refresh_token"), ("refresh_token", token)])
}

fn using(address: SocketAddr, token: &str) -> u16 {
    let headers = format!("Authorization: Bearer {token}\r\n");
    send(address, "GET", "/x", &headers, "").status
}

/// Waits until a node refuses a token, and tells how long that took.
#[track_caller]
fn until_refused(address: SocketAddr, token: &str) -> Duration {
    let began = Instant::now();
    while using(address, token) != 401 {
        assert!(began.elapsed() < PATIENCE, "the token is still good");
    }
    began.elapsed()
}

fn node(upstream: &TestUpstream, server: &TestPostgres) -> TestGateway {
    let store = format!("postgres = \"{}\"\nsecret = \"{STORE_SECRET}\"", server.address());
    TestGateway::before(upstream)
        .section("endpoints.tokens", "dialect = \"standard\"\nissuer = \"local\"")
        .section("store", &store)
        .start()
}

#[test]
fn whatever_one_node_does_the_other_knows() {
    let Some(server) = TestPostgres::start() else { return };
    let upstream = TestUpstream::start();
    let (one, other) = (node(&upstream, &server), node(&upstream, &server));
    let nodes = [one.address("main"), other.address("main")];
    let balancer = Balancer::before(nodes.to_vec()).address;

    let (access, first) = granted(&log_in(nodes[0]));
    assert_eq!(nodes.map(|node| using(node, &access)), [200, 200]);
    let (_, second) = granted(&refresh(nodes[1], &first));
    let (access, third) = granted(&refresh(nodes[0], &second));
    assert_eq!(nodes.map(|node| using(node, &access)), [200, 200]);

    // Reuse on one ends the family on both.
    assert_eq!(refresh(nodes[0], &first).status, 400);
    assert_eq!(refresh(nodes[1], &third).status, 400);
    assert!(until_refused(nodes[1], &access) < SOON);
    assert_eq!(using(nodes[0], &access), 401);

    // So does revocation, whichever node is asked.
    let (access, last) = granted(&log_in(balancer));
    let headers = "Content-Type: application/x-www-form-urlencoded\r\n";
    let revoked = send(balancer, "POST", "/oauth2/revoke", headers, &form(&[("token", &last)]));
    assert_eq!(revoked.status, 200, "{}", revoked.text());
    assert!(nodes.into_iter().map(|node| until_refused(node, &access)).max().unwrap() < SOON);

    // And an API key, from its first second to its last.
    let (access, _) = granted(&log_in(balancer));
    let headers = format!("Authorization: Bearer {access}\r\nContent-Type: application/json\r\n");
    let made =
        send(balancer, "POST", "/account/keys", &headers, &json!({"label": "k"}).to_string());
    assert_eq!(made.status, 201, "{}", made.text());
    let made: Value = made.json();
    let key = format!("X-Api-Key: {}\r\n", made["key"].as_str().unwrap());
    let began = Instant::now();
    for node in nodes {
        while send(node, "GET", "/x", &key, "").status != 200 {
            assert!(began.elapsed() < SOON, "the key is not known");
        }
    }
    let target = format!("/account/keys/{}", made["id"].as_str().unwrap());
    assert_eq!(send(balancer, "DELETE", &target, &headers, "").status, 204);
    let began = Instant::now();
    for node in nodes {
        while send(node, "GET", "/x", &key, "").status != 401 {
            assert!(began.elapsed() < SOON, "the key is still good");
        }
    }
}

#[test]
fn one_node_may_go_and_nobody_is_refused() {
    let Some(server) = TestPostgres::start() else { return };
    let upstream = TestUpstream::start();
    let (one, other) = (node(&upstream, &server), node(&upstream, &server));
    let nodes = vec![one.address("main"), other.address("main")];
    let balancer = Balancer::before(nodes.clone()).address;
    let (access, token) = granted(&log_in(nodes[0]));
    assert_eq!(using(nodes[1], &access), 200);

    let mut one = Some(one);
    let answers: Vec<u16> = (0..300)
        .map(|number| {
            if number == 100 {
                drop(one.take()); // kill -9
            }
            using(if number < 100 { balancer } else { nodes[1] }, &access)
        })
        .collect();

    assert_eq!(answers, [200; 300]);
    granted(&refresh(balancer, &token));
    granted(&log_in(balancer));
}
