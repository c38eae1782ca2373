use std::{
    future::ready,
    io::{Read, Write},
    net::TcpStream,
    thread,
};

use prometheus::Registry;

use super::*;
use crate::admin::{Address, Readiness, Status, bind, client::Client};

/// An admin listener on a thread of its own; ends when dropped.
struct Running {
    address: Address,
    shutdown: CancellationToken,
    thread: Option<thread::JoinHandle<()>>,
}

impl Running {
    fn at(address: &str) -> Self {
        let bound = bind(&address.parse().unwrap()).unwrap();
        let address = bound.address().clone();
        let shutdown = CancellationToken::new();
        let until = shutdown.clone();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(serve(bound, state(), until)).unwrap();
        });
        Self { address, shutdown, thread: Some(thread) }
    }

    fn client(&self) -> Client {
        Client::new(self.address.clone(), Duration::from_secs(10))
    }

    fn raw(&self, request: &str) -> String {
        let Address::Tcp(address) = self.address else { panic!("not TCP") };
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shutdown.cancel();
        self.thread.take().unwrap().join().unwrap();
    }
}

fn state() -> Arc<AdminState> {
    Arc::new(AdminState {
        registry: Registry::new(),
        readiness: Arc::new(Readiness::new()),
        status: Box::new(|| Status { pid: 7, ..Status::default() }),
        decision: Box::new(|_| Box::pin(ready(None))),
        reload: Box::new(|| Box::pin(ready(Ok(5)))),
        api: None,
        hosts: Vec::new(),
    })
}

#[test]
fn the_client_and_the_server_understand_each_other_over_tcp() {
    let running = Running::at("127.0.0.1:0");

    assert_eq!(running.client().get("/healthz").unwrap().body, b"ok\n");
    assert_eq!(running.client().get("/readyz").unwrap().status, 503);
    assert_eq!(running.client().post("/reload").unwrap().body, b"{\"generation\":5}\n");
    let status = running.client().get("/status").unwrap();
    assert_eq!(serde_json::from_slice::<Status>(&status.body).unwrap().pid, 7);
}

#[test]
fn they_do_so_over_a_socket_which_is_gone_afterwards() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("admin.sock");
    let running = Running::at(&format!("unix:{}", path.display()));

    assert_eq!(running.client().get("/healthz").unwrap().status, 200);
    drop(running);

    assert!(!path.exists());
}

#[test]
fn head_is_answered_without_a_body() {
    let running = Running::at("127.0.0.1:0");

    let answer =
        running.raw("HEAD /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");

    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("content-length: 3\r\n") && answer.ends_with("\r\n\r\n"), "{answer}");
}

#[test]
fn garbage_and_too_many_headers_are_refused_and_the_listener_goes_on() {
    let running = Running::at("127.0.0.1:0");
    let many = "x-many: y\r\n".repeat(100);

    assert!(running.raw("\0\0garbage\r\n\r\n").starts_with("HTTP/1.1 400"));
    let answer = running.raw(&format!("GET / HTTP/1.1\r\nHost: localhost\r\n{many}\r\n"));

    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    assert_eq!(running.client().get("/healthz").unwrap().status, 200);
}

#[test]
fn a_page_in_a_browser_is_refused() {
    let running = Running::at("127.0.0.1:0");

    let answer = running.raw(
        "POST /reload HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\n\
         Content-Length: 0\r\nConnection: close\r\n\r\n",
    );

    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
}

#[test]
fn an_open_connection_does_not_hold_up_the_end() {
    let running = Running::at("127.0.0.1:0");
    let Address::Tcp(address) = running.address else { panic!("not TCP") };
    let _idle = TcpStream::connect(address).unwrap();
    assert_eq!(running.client().get("/healthz").unwrap().status, 200);

    drop(running); // joins the thread
}
