//! The real binary under test: started, asked, signalled, looked over at its end.

use std::collections::BTreeMap;
use std::io::Read;
use std::net::SocketAddr;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::PATIENCE;
use super::client::{Client, Response, Tls};
use super::configuration::Builder;
use super::files::{Authority, TestFiles};
use super::frames::RawH2;
use super::h2::H2;
use super::request::Ask;
use super::tokens;
use super::upstream::TestUpstream;

/// What no log, metric or answer may ever hold.
const SECRETS: [&str; 6] = [
    tokens::SECRET,
    "wonderland-of-alice",
    "bob-the-builder",
    "carol-of-the-bells",
    "dave-has-no-home",
    "root-of-all-things",
];

fn collect(mut pipe: impl Read + Send + 'static, output: &Arc<Mutex<String>>) -> JoinHandle<()> {
    let output = Arc::clone(output);
    thread::spawn(move || {
        let mut chunk = [0; 4096];
        while let Ok(count @ 1..) = pipe.read(&mut chunk) {
            output.lock().unwrap().push_str(&String::from_utf8_lossy(&chunk[..count]));
        }
    })
}

/// Takes every message as it comes, as a service manager does: its queue is short.
fn receive(socket: UnixDatagram) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count) = socket.recv(&mut buffer) {
            let message = String::from_utf8_lossy(&buffer[..count]).into_owned();
            if sender.send(message).is_err() {
                return;
            }
        }
    });
    receiver
}

/// What `kill` can send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    Hup,
    Int,
    Term,
}

/// A running gateway; it is killed when dropped, and looked over for panics and secrets.
pub(crate) struct TestGateway {
    child: Mutex<Child>,
    output: Arc<Mutex<String>>,
    readers: Mutex<Vec<JoinHandle<()>>>,
    configuration: Builder,
    notifications: Mutex<Receiver<String>>,
    addresses: BTreeMap<String, SocketAddr>,
}

impl std::fmt::Debug for TestGateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TestGateway").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}

impl TestGateway {
    /// A gateway before `upstream`, still to be configured.
    pub(crate) fn before(upstream: &TestUpstream) -> Builder {
        Builder::new(upstream.address())
    }

    /// A gateway before an address where perhaps nobody listens.
    pub(crate) fn before_address(upstream: SocketAddr) -> Builder {
        Builder::new(upstream)
    }

    pub(super) fn spawn(configuration: Builder) -> Self {
        let files = &configuration.files;
        files.write("doorward.toml", configuration.toml());
        let notifications = UnixDatagram::bind(files.path("notify.sock")).unwrap();
        let notifications = Mutex::new(receive(notifications));
        let mut command = configuration.command();
        command.env("NOTIFY_SOCKET", files.path("notify.sock"));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let output = Arc::default();
        let readers = Mutex::new(vec![
            collect(child.stdout.take().unwrap(), &output),
            collect(child.stderr.take().unwrap(), &output),
        ]);
        let (child, addresses) = (Mutex::new(child), BTreeMap::new());
        Self { child, output, readers, configuration, notifications, addresses }
    }

    #[track_caller]
    pub(crate) fn wait_until_ready(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while self.try_admin("GET", "/readyz").is_none_or(|response| response.status != 200) {
            let exited = self.child.lock().unwrap().try_wait().unwrap();
            let waiting = exited.is_none() && Instant::now() < deadline;
            assert!(waiting, "the gateway is not ready ({exited:?}): {}", self.output());
            let _ = self.notification();
        }
        let status = self.status();
        for listener in status["listeners"].as_array().expect("listeners") {
            let name = listener["name"].as_str().expect("name").to_owned();
            let address = listener["address"].as_str().and_then(|text| text.parse().ok());
            self.addresses.insert(name, address.unwrap_or_else(|| panic!("{listener}")));
        }
    }

    /// The next message of the service manager's protocol, if one comes soon.
    pub(crate) fn notification(&self) -> Option<String> {
        self.notifications.lock().unwrap().recv_timeout(Duration::from_millis(20)).ok()
    }

    /// Waits for a message to the service manager that contains `part`.
    #[track_caller]
    pub(crate) fn wait_for_notification(&self, part: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(message) = self.notification().filter(|message| message.contains(part)) {
                return message;
            }
            assert!(Instant::now() < deadline, "never notified {part:?}: {}", self.output());
        }
    }

    #[track_caller]
    pub(crate) fn address(&self, listener: &str) -> SocketAddr {
        *self.addresses.get(listener).unwrap_or_else(|| panic!("no listener {listener}"))
    }

    /// A plain connection to the listener `main`.
    pub(crate) fn connect(&self) -> Client {
        Client::tcp(self.address("main"))
    }

    /// An HTTP/1.1 connection over TLS.
    pub(crate) fn connect_tls(&self) -> Client {
        let tls = Tls::new("files.test", &["http/1.1"]);
        Client::over(Box::new(self.handshake(&tls).unwrap()))
    }

    pub(crate) fn handshake(
        &self,
        tls: &Tls,
    ) -> std::io::Result<rustls::StreamOwned<rustls::ClientConnection, std::net::TcpStream>> {
        tls.connect(self.address("tls"), self.authority().certificate())
    }

    pub(crate) fn connect_h2(&self) -> H2 {
        H2::connect(self.address("tls"), "files.test", self.authority().certificate())
    }

    pub(crate) fn connect_frames(&self) -> RawH2 {
        RawH2::connect(self.address("tls"), "files.test", self.authority().certificate())
    }

    pub(crate) fn ask(&self, method: &str, target: &str) -> Ask<'_> {
        Ask::new(self, method, target)
    }

    pub(crate) fn get(&self, target: &str) -> Ask<'_> {
        self.ask("GET", target)
    }

    /// Sends exactly `bytes` on a connection of its own and reads one answer.
    #[track_caller]
    pub(crate) fn exchange(&self, bytes: impl AsRef<[u8]>) -> Response {
        self.connect().send(bytes).response()
    }

    fn try_admin(&self, method: &str, path: &str) -> Option<Response> {
        let stream = UnixStream::connect(self.files().path("admin.sock")).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut client = Client::over(Box::new(stream));
        let request =
            format!("{method} {path} HTTP/1.1\r\nHost: admin\r\nContent-Length: 0\r\n\r\n");
        client.try_send(request).ok()?;
        client.response_to(method).ok()
    }

    /// A request to the admin endpoint.
    #[track_caller]
    pub(crate) fn admin(&self, method: &str, path: &str) -> Response {
        let response = self.try_admin(method, path);
        response.unwrap_or_else(|| panic!("admin does not answer: {}", self.output()))
    }

    #[track_caller]
    pub(crate) fn status(&self) -> Value {
        self.admin("GET", "/status").json()
    }

    #[track_caller]
    pub(crate) fn generation(&self) -> u64 {
        self.status()["generation"].as_u64().expect("generation")
    }

    #[track_caller]
    pub(crate) fn metrics(&self) -> String {
        self.admin("GET", "/metrics").text()
    }

    /// The sum of all samples of a metric whose labels contain `labels`.
    #[track_caller]
    pub(crate) fn metric(&self, name: &str, labels: &str) -> f64 {
        let metrics = self.metrics();
        let lines = metrics.lines().filter(|line| {
            let rest = line.strip_prefix(name);
            rest.is_some_and(|rest| rest.starts_with(['{', ' ']) && rest.contains(labels))
        });
        lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }

    /// Rewrites one section of the configuration file by renaming over it.
    pub(crate) fn rewrite(&mut self, section: &'static str, text: &str) {
        self.configuration.rewrite(section, text);
    }

    pub(crate) fn files(&self) -> &TestFiles {
        &self.configuration.files
    }

    pub(crate) fn authority(&self) -> &Authority {
        &self.configuration.authority
    }

    /// Waits until a generation newer than `old` serves.
    #[track_caller]
    pub(crate) fn wait_for_generation_after(&self, old: u64) {
        self.wait("a new generation", || self.generation() > old);
    }

    /// Waits until `reached`; asks again and again, with a breath in between.
    #[track_caller]
    pub(crate) fn wait(&self, what: &str, mut reached: impl FnMut() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !reached() {
            assert!(Instant::now() < deadline, "waited in vain for {what}: {}", self.output());
            thread::park_timeout(Duration::from_millis(10));
        }
    }

    /// SIGHUP, and waits until the reload has taken effect.
    #[track_caller]
    pub(crate) fn reload(&self) {
        let old = self.generation();
        self.signal(Signal::Hup);
        self.wait_for_generation_after(old);
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let name = match signal {
            Signal::Hup => "HUP",
            Signal::Int => "INT",
            Signal::Term => "TERM",
        };
        let id = self.child.lock().unwrap().id();
        let killed = Command::new("sh").args(["-c", &format!("kill -{name} {id}")]).status();
        assert!(killed.unwrap().success());
    }

    /// Waits for the process to end.
    #[track_caller]
    pub(crate) fn wait_for_exit(&self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.lock().unwrap().try_wait().unwrap() {
                for reader in self.readers.lock().unwrap().drain(..) {
                    reader.join().unwrap();
                }
                return status;
            }
            assert!(Instant::now() < deadline, "the gateway does not end: {}", self.output());
            thread::park_timeout(Duration::from_millis(10));
        }
    }

    pub(crate) fn is_running(&self) -> bool {
        self.child.lock().unwrap().try_wait().unwrap().is_none()
    }

    pub(crate) fn process(&self) -> u32 {
        self.child.lock().unwrap().id()
    }

    /// Everything printed so far.
    pub(crate) fn output(&self) -> String {
        self.output.lock().unwrap().clone()
    }

    /// The lines of the log that contain `part`, once there is one.
    #[track_caller]
    pub(crate) fn log_lines(&self, part: &str) -> Vec<String> {
        self.wait(&format!("a log line with {part:?}"), || self.output().contains(part));
        let output = self.output();
        output.lines().filter(|line| line.contains(part)).map(str::to_owned).collect()
    }
}

impl Drop for TestGateway {
    fn drop(&mut self) {
        let child = self.child.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
        let _ = child.kill();
        let _ = child.wait();
        let _ = UnixDatagram::unbound().and_then(|socket| {
            socket.send_to(b"the end", self.files().path("notify.sock")) // wakes its reader
        });
        let output = self.output.lock().map(|output| output.clone()).unwrap_or_default();
        if thread::panicking() {
            return show(&output);
        }
        assert!(!output.contains("panicked at"), "the gateway panicked: {output}");
        for secret in SECRETS {
            assert!(!output.contains(secret), "the log holds {secret:?}: {output}");
        }
    }
}

#[expect(clippy::print_stderr, reason = "a failing test shows what the gateway said")]
fn show(output: &str) {
    let start = output.len().saturating_sub(8000);
    let start = (start..output.len()).find(|&at| output.is_char_boundary(at)).unwrap_or(0);
    eprintln!("--- the gateway said:\n{}\n---", &output[start..]);
}
