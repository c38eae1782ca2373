//! What the recording upstream does with a request: a script of steps, decided per request.

use std::sync::mpsc::{Receiver, Sender, channel};

use super::PATIENCE;

/// One step of an answer.
#[derive(Debug)]
pub(crate) enum Step {
    /// Ends the connection at once.
    Close,
    /// Reads the request's body to its end.
    ReadBody,
    /// Sends these bytes as they are.
    Send(Vec<u8>),
    /// Holds the connection open until the upstream ends.
    Stall,
    /// Sends back whatever comes, until the peer closes.
    TunnelEcho,
    /// Speaks WebSocket and sends every message back.
    WebSocketEcho,
    /// Waits until the test opens the gate.
    Wait(Gate),
    /// Sends bytes without end, as fast as they are taken.
    Flood,
}

/// A point that the upstream passes only once the test says so.
#[derive(Debug)]
pub(crate) struct Gate(Receiver<()>);

/// Opens its [`Gate`] when asked or dropped.
#[derive(Debug)]
pub(crate) struct Opener(Sender<()>);

/// Makes a closed gate.
pub(crate) fn gate() -> (Opener, Gate) {
    let (sender, receiver) = channel();
    (Opener(sender), Gate(receiver))
}

impl Opener {
    pub(crate) fn open(self) {
        let _ = self.0.send(());
    }
}

impl Gate {
    pub(crate) fn pass(&self) {
        let _ = self.0.recv_timeout(PATIENCE);
    }
}

/// A script, built from the front: head first, then body, then what follows.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) steps: Vec<Step>,
}

impl Answer {
    /// Reads the request, answers 200 with `body`, and keeps the connection.
    pub(crate) fn ok(body: &str) -> Self {
        Self::status(200, &[], body)
    }

    /// Reads the request and answers with a Content-Length body.
    pub(crate) fn status(status: u16, headers: &[(&str, &str)], body: &str) -> Self {
        Self::read()
            .then(head(status, headers, &format!("Content-Length: {}\r\n", body.len())))
            .then(body)
    }

    /// Answers without having read the request's body.
    pub(crate) fn early(status: u16, body: &str) -> Self {
        Self::default()
            .then(head(status, &[], &format!("Content-Length: {}\r\n", body.len())))
            .then(body)
    }

    /// Reads the request and sends `bytes` as they are.
    pub(crate) fn raw(bytes: impl AsRef<[u8]>) -> Self {
        Self::read().then(bytes)
    }

    /// Reads the request and never answers.
    pub(crate) fn never() -> Self {
        Self::read().and(Step::Stall)
    }

    /// Reads the request and closes without an answer.
    pub(crate) fn hang_up() -> Self {
        Self::read().and(Step::Close)
    }

    /// Switches protocols and echoes raw bytes.
    pub(crate) fn tunnel() -> Self {
        Self::default()
            .then(
                "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                 Sec-WebSocket-Accept: unchecked\r\n\r\n",
            )
            .and(Step::TunnelEcho)
    }

    /// Speaks WebSocket: the handshake, then an echo of messages.
    pub(crate) fn websocket() -> Self {
        Self::default().and(Step::WebSocketEcho)
    }

    pub(crate) fn read() -> Self {
        Self::default().and(Step::ReadBody)
    }

    pub(crate) fn then(self, bytes: impl AsRef<[u8]>) -> Self {
        self.and(Step::Send(bytes.as_ref().to_vec()))
    }

    pub(crate) fn wait(self, gate: Gate) -> Self {
        self.and(Step::Wait(gate))
    }

    pub(crate) fn and(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }
}

/// A response head with the given framing line(s).
pub(crate) fn head(status: u16, headers: &[(&str, &str)], framing: &str) -> Vec<u8> {
    use std::fmt::Write as _;
    let mut head = format!("HTTP/1.1 {status} Answer\r\n");
    for (name, value) in headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    head.push_str(framing);
    head.push_str("\r\n");
    head.into_bytes()
}
