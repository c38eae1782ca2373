//! The recording upstream: raw sockets, every byte kept, every answer scripted.

use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Instant;

use super::PATIENCE;
use super::answer::{Answer, Step, head};
use super::lint::{Strictness, head_violations};
use super::message::{Buffered, Framing, header_lines, read_body, values};
use super::websocket;

/// One request as it arrived.
#[derive(Clone, Default)]
pub(crate) struct Recorded {
    /// Which connection brought it, from 0.
    pub(crate) connection: usize,
    /// The head, byte for byte, with its blank line.
    pub(crate) head: Vec<u8>,
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// The body's end was seen.
    pub(crate) complete: bool,
}

impl fmt::Debug for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { connection, head, body, complete, .. } = self;
        let head = String::from_utf8_lossy(head);
        let begin = String::from_utf8_lossy(&body[..body.len().min(100)]);
        let length = body.len();
        write!(f, "connection {connection}, body {length} ({begin:?}), whole: {complete}\n{head}")
    }
}

impl Recorded {
    /// The single value of a header. Panics if there are several.
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let values = values(&self.headers, name);
        assert!(values.len() < 2, "{name} came several times: {values:?}");
        values.first().copied()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

#[derive(Default)]
struct Log {
    connections: usize,
    closed: usize,
    answered: usize,
    requests: Vec<Recorded>,
    violations: Vec<String>,
    tunnelled: Vec<u8>,
    sent: usize,
    sockets: Vec<TcpStream>,
    stopped: bool,
}

type Script = dyn Fn(&Recorded) -> Answer + Send + Sync;

struct Shared {
    log: Mutex<Log>,
    changed: Condvar,
    script: Box<Script>,
    greeting: Vec<u8>,
    strictness: Strictness,
}

/// A server on a free port. When it is dropped, it panics if a byte was not canonical.
pub(crate) struct TestUpstream {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl fmt::Debug for TestUpstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestUpstream").field("address", &self.address).finish_non_exhaustive()
    }
}

/// How an upstream behaves; the default answers 200 and names what it got.
pub(crate) struct Builder {
    script: Box<Script>,
    greeting: Vec<u8>,
    strictness: Strictness,
}

impl Builder {
    /// Sends these bytes as soon as a connection opens, before any request.
    pub(crate) fn speaking_first(mut self, greeting: &str) -> Self {
        self.greeting = greeting.as_bytes().to_vec();
        self
    }

    /// Accepts spellings that a route with `paths = "raw"` forwards.
    pub(crate) fn with_raw_paths(mut self) -> Self {
        self.strictness = Strictness::SyntaxOnly;
        self
    }

    pub(crate) fn start(self) -> TestUpstream {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let Self { script, greeting, strictness } = self;
        let (log, changed) = Default::default();
        let shared = Arc::new(Shared { log, changed, script, greeting, strictness });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || accepting.accept(&listener));
        TestUpstream { address, shared }
    }
}

impl TestUpstream {
    /// Answers everything with 200 and the body `hello`.
    pub(crate) fn start() -> Self {
        Self::answering(|_| Answer::ok("hello")).start()
    }

    /// Answers each request with the script that `script` makes for it.
    pub(crate) fn answering(
        script: impl Fn(&Recorded) -> Answer + Send + Sync + 'static,
    ) -> Builder {
        let strictness = Strictness::default();
        Builder { script: Box::new(script), greeting: Vec::new(), strictness }
    }

    /// Answers the requests with these, in order, then with 200.
    pub(crate) fn scripted(answers: impl IntoIterator<Item = Answer>) -> Self {
        let answers = Mutex::new(answers.into_iter().collect::<std::collections::VecDeque<_>>());
        Self::answering(move |_| {
            answers.lock().unwrap().pop_front().unwrap_or_else(|| Answer::ok("hello"))
        })
        .start()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// A copy of everything that arrived so far.
    pub(crate) fn requests(&self) -> Vec<Recorded> {
        self.shared.log.lock().unwrap().requests.clone()
    }

    /// The only request. Panics if there was none, or a second one.
    #[track_caller]
    pub(crate) fn only_request(&self) -> Recorded {
        let requests = self.requests();
        assert_eq!(requests.len(), 1, "the upstream saw {requests:#?}");
        requests.into_iter().next().unwrap()
    }

    /// Panics if a request arrived.
    #[track_caller]
    pub(crate) fn assert_untouched(&self) {
        let log = self.shared.log.lock().unwrap();
        let seen =
            log.requests.iter().map(|r| String::from_utf8_lossy(&r.head)).collect::<Vec<_>>();
        assert!(seen.is_empty(), "the upstream was reached: {seen:#?}");
    }

    /// How many connections were opened so far.
    pub(crate) fn connections(&self) -> usize {
        self.shared.log.lock().unwrap().connections
    }

    /// Bytes that came through a tunnel after 101.
    pub(crate) fn tunnelled(&self) -> Vec<u8> {
        self.shared.log.lock().unwrap().tunnelled.clone()
    }

    /// Bytes that a flood could send so far.
    pub(crate) fn sent(&self) -> usize {
        self.shared.log.lock().unwrap().sent
    }

    /// Waits until `reached` holds for what was recorded.
    #[track_caller]
    pub(crate) fn wait_for(&self, what: &str, reached: impl Fn(&[Recorded]) -> bool) {
        self.wait(what, |log| reached(&log.requests));
    }

    /// Waits until this many answers have been sent to their end.
    #[track_caller]
    pub(crate) fn wait_for_answers(&self, count: usize) {
        self.wait("answers sent", |log| log.answered >= count);
    }

    /// Waits until this many connections have been closed.
    #[track_caller]
    pub(crate) fn wait_for_closed(&self, count: usize) {
        self.wait("connections closed", |log| log.closed >= count);
    }

    #[track_caller]
    fn wait(&self, what: &str, reached: impl Fn(&Log) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        let mut log = self.shared.log.lock().unwrap();
        while !reached(&log) {
            let left = deadline.saturating_duration_since(Instant::now());
            let requests = &log.requests;
            assert!(!left.is_zero(), "waited in vain for {what}; recorded: {requests:#?}");
            log = self.shared.changed.wait_timeout(log, left).unwrap().0;
        }
    }
}

impl Drop for TestUpstream {
    fn drop(&mut self) {
        let violations = {
            let mut log = self.shared.log.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            log.stopped = true;
            for socket in &log.sockets {
                let _ = socket.shutdown(Shutdown::Both);
            }
            std::mem::take(&mut log.violations)
        };
        let _ = TcpStream::connect(self.address);
        if !thread::panicking() {
            assert!(violations.is_empty(), "not canonical towards the upstream: {violations:#?}");
        }
    }
}

impl Shared {
    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            let shared = Arc::clone(self);
            let connection = {
                let mut log = self.log.lock().unwrap();
                if log.stopped {
                    return;
                }
                log.sockets.push(stream.try_clone().unwrap());
                log.connections += 1;
                log.connections - 1
            };
            thread::spawn(move || {
                let outcome = shared.serve(connection, stream.try_clone().unwrap());
                let _ = stream.shutdown(Shutdown::Both);
                shared.record(|log| {
                    log.closed += 1;
                    if let Err(error) = outcome.as_ref()
                        && error.kind() == io::ErrorKind::InvalidData
                    {
                        log.violations.push(error.to_string());
                    }
                });
            });
        }
    }

    fn record<T>(&self, change: impl FnOnce(&mut Log) -> T) -> T {
        let value = change(&mut self.log.lock().unwrap());
        self.changed.notify_all();
        value
    }

    fn serve(&self, connection: usize, mut stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        stream.write_all(&self.greeting)?;
        let mut stream = Buffered::new(stream);
        while let Some(head) = stream.take_until(b"\r\n\r\n").map_err(invalid)? {
            let (index, request) = self.begin(connection, head);
            let answer = (self.script)(&request);
            if !self.play(&mut stream, answer, index, &request)? {
                return Ok(());
            }
        }
        Ok(())
    }

    fn begin(&self, connection: usize, head: Vec<u8>) -> (usize, Recorded) {
        let line = String::from_utf8_lossy(&head).split("\r\n").next().unwrap_or("").to_owned();
        let mut words = line.split(' ');
        let mut word = || words.next().unwrap_or("").to_owned();
        let (method, target) = (word(), word());
        let headers = header_lines(&head);
        let request = Recorded { connection, head, method, target, headers, ..Recorded::default() };
        let index = self.record(|log| {
            for violation in head_violations(&request.head, self.strictness) {
                let bytes = String::from_utf8_lossy(&request.head);
                log.violations.push(format!("{violation}\n{bytes}"));
            }
            log.requests.push(request.clone());
            log.requests.len() - 1
        });
        (index, request)
    }

    /// Plays the script. `Ok(false)`: the connection is over.
    fn play(
        &self,
        stream: &mut Buffered<TcpStream>,
        answer: Answer,
        index: usize,
        request: &Recorded,
    ) -> io::Result<bool> {
        let framing = Framing::of(&request.headers);
        let mut unread = framing;
        let mut is_answered = false;
        for step in answer.steps {
            if !is_answered && matches!(unread, Framing::None | Framing::Length(0)) {
                self.judge_unanswered(stream);
            }
            let is_unanswered = !is_answered;
            is_answered |= !matches!(step, Step::ReadBody | Step::Wait(_));
            match step {
                Step::Close => return Ok(false),
                Step::ReadBody => {
                    if values(&request.headers, "expect").iter().any(|e| e.contains("100")) {
                        stream.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
                    }
                    self.read_request_body(
                        stream,
                        std::mem::replace(&mut unread, Framing::None),
                        index,
                    )?;
                }
                Step::Send(bytes) => stream.stream.write_all(&bytes)?,
                Step::Stall => {
                    let is_whole = matches!(unread, Framing::None | Framing::Length(0));
                    while stream.fill()? {}
                    if is_whole && is_unanswered {
                        self.judge_unanswered(stream);
                    }
                    return Ok(false);
                }
                Step::Wait(gate) => gate.pass(),
                Step::TunnelEcho => return self.echo(stream).map(|()| false),
                Step::WebSocketEcho => {
                    let ahead = std::mem::take(&mut stream.ahead);
                    let key = request.header("sec-websocket-key").unwrap_or("").to_owned();
                    let accept = websocket::accept_key(&key);
                    let headers = [("Upgrade", "websocket"), ("Sec-WebSocket-Accept", &accept)];
                    stream.stream.write_all(&head(101, &headers, "Connection: Upgrade\r\n"))?;
                    websocket::echo(stream.stream.try_clone()?, ahead);
                    return Ok(false);
                }
                Step::Flood => {
                    let piece = [b'x'; 16 * 1024];
                    loop {
                        stream.stream.write_all(&piece)?;
                        self.record(|log| log.sent += piece.len());
                    }
                }
            }
        }
        self.record(|log| log.answered += 1);
        if unread != Framing::None && unread != Framing::Length(0) {
            self.read_request_body(stream, unread, index)?;
        }
        Ok(true)
    }

    /// The gateway never sends anything behind a message that was not answered.
    fn judge_unanswered(&self, stream: &Buffered<TcpStream>) {
        if !stream.ahead.is_empty() {
            let bytes = String::from_utf8_lossy(&stream.ahead).into_owned();
            self.record(|log| log.violations.push(format!("behind a message: {bytes:?}")));
        }
    }

    fn read_request_body(
        &self,
        stream: &mut Buffered<TcpStream>,
        framing: Framing,
        index: usize,
    ) -> io::Result<()> {
        let mut violations = Vec::new();
        let piece = |bytes: &[u8]| {
            self.record(|log| log.requests[index].body.extend_from_slice(bytes));
        };
        let outcome = read_body(stream, framing, piece, &mut violations);
        self.record(|log| {
            log.requests[index].complete = outcome.is_ok();
            log.violations.append(&mut violations);
        });
        outcome
    }

    fn echo(&self, stream: &mut Buffered<TcpStream>) -> io::Result<()> {
        let mut bytes = std::mem::take(&mut stream.ahead);
        let mut chunk = [0; 4096];
        loop {
            if !bytes.is_empty() {
                self.record(|log| log.tunnelled.extend_from_slice(&bytes));
                stream.stream.write_all(&bytes)?;
            }
            let count = stream.stream.read(&mut chunk)?;
            if count == 0 {
                return Ok(());
            }
            bytes = chunk[..count].to_vec();
        }
    }
}

/// A head that breaks off is a violation; an end or a reset between messages is not.
fn invalid(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return io::Error::new(io::ErrorKind::InvalidData, error);
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::client::Client;

    #[test]
    fn what_arrives_is_recorded_and_answered() {
        let upstream = TestUpstream::scripted([Answer::ok("one"), Answer::early(400, "two")]);
        let mut client = Client::tcp(upstream.address());

        client.send(
            "PUT /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        );
        let first = client.response();
        client.send("PUT /b HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc");
        let second = client.response();
        upstream.wait_for("both bodies", |requests| requests.iter().all(|r| r.complete));

        assert_eq!((first.status(), first.text().as_str()), (200, "one"));
        assert_eq!((second.status(), second.text().as_str()), (400, "two"));
        assert!(upstream.requests().iter().all(|request| request.text() == "abc"));
    }

    #[test]
    fn what_is_not_canonical_is_found_at_the_end() {
        let upstream = TestUpstream::start();
        let mut client = Client::tcp(upstream.address());

        client.send("GET /a/../b HTTP/1.1\r\nHost: h\r\n\r\n").response();

        let dropped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(upstream)));
        assert!(dropped.is_err());
    }

    #[test]
    fn every_byte_of_every_connection_is_judged() {
        let good = "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nok";
        let chunked = "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
        for bytes in [
            "GET /a/../b HTTP/1.1\r\nHost: h\r\n\r\n".to_owned(),
            format!("\r\n{good}"),
            format!(" {good}"),
            format!("{good}x"),
            format!("{good}\r\n"),
            format!("{good}{good}"),
            format!("{chunked}02\r\nok\r\n0\r\n\r\n"),
            format!("{chunked}2;x\r\nok\r\n0\r\n\r\n"),
            format!("{chunked}2\r\nokxx0\r\n\r\n"),
            format!("{chunked}2\r\nok\r\n0\r\nX: y\r\n\r\n"),
            format!("{chunked}2\r\nok\r\n0\r\n\r\n{good}"),
            "GET /a HTTP/1.1\r\nHost: h\r\nX: cut".to_owned(),
        ] {
            let upstream = TestUpstream::start();
            // Good ones before it, on this connection and on others.
            let mut client = Client::tcp(upstream.address());
            client.send(good).response();
            let mut client = Client::tcp(upstream.address());
            client.send(good).response();
            let _ = client.try_send(&bytes);
            client.finish();
            client.rest();
            upstream.wait_for_closed(1);

            let dropped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(upstream)));
            assert!(dropped.is_err(), "{bytes:?}");
        }
    }
}
