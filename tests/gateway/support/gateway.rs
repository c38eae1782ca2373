//! The real binary under test, with a configuration of the test's own.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read;
use std::net::SocketAddr;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::PATIENCE;
use super::client::{Client, Response, Tls};
use super::files::{Authority, TestFiles};
use super::frames::RawH2;
use super::h2::H2;
use super::request::Ask;
use super::tokens;
use super::upstream::TestUpstream;

/// Alice may write, and has a home; bob may read; carol is disabled; dave has neither role nor
/// home; root has everything.
pub(crate) const USERS: &str = r"
users:
  - username: alice
    password: wonderland-of-alice
    roles: [editor]
    groups: [staff, ops]
    email: alice@example.org
    home: /alice
  - username: bob
    password: bob-the-builder
    roles: [reader]
    home: /bob
  - username: carol
    password: carol-of-the-bells
    roles: [editor]
    home: /carol
    disabled: true
  - username: dave
    password: dave-has-no-home
  - username: root
    password: root-of-all-things
    roles: [editor]
    home: /
";

/// What no log, metric or answer may ever hold.
const SECRETS: [&str; 6] = [
    tokens::SECRET,
    "wonderland-of-alice",
    "bob-the-builder",
    "carol-of-the-bells",
    "dave-has-no-home",
    "root-of-all-things",
];

/// A configuration in the making. Every section has a default that fits most tests.
#[derive(Debug)]
pub(crate) struct Builder {
    upstream: SocketAddr,
    sections: BTreeMap<&'static str, String>,
    files: TestFiles,
    environment: Vec<(String, String)>,
    prelude: String,
    descriptors: Option<u32>,
    pub(crate) authority: Authority,
}

impl Builder {
    fn new(upstream: SocketAddr) -> Self {
        let files = TestFiles::new();
        let authority = Authority::new();
        files.certificate(&authority, "cert", &["files.test", "localhost"]);
        files.write("users.yaml", USERS);
        let sections = BTreeMap::from([
            ("server", "workers = 2\ngrace = \"10s\"".to_owned()),
            ("listeners.main", "address = \"127.0.0.1:0\"".to_owned()),
            ("listeners.tls", "address = \"127.0.0.1:0\"".to_owned()),
            (
                "listeners.tls.tls",
                "certificates = [{ chain = \"cert.pem\", key = \"cert.key\" }]".to_owned(),
            ),
            ("upstreams.files", "url = \"http://{upstream}\"".to_owned()),
            ("routes.all", "upstream = \"files\"".to_owned()),
            ("roles", "reader = [\"files:read\"]\neditor = [\"files:*\"]".to_owned()),
            ("directories.users", "file = \"users.yaml\"".to_owned()),
            (
                "issuers.local",
                format!(
                    "secret = \"{}\"\nalgorithms = [\"HS256\"]\nissuer = \"{}\"\naudience = [\"{}\"]",
                    tokens::SECRET,
                    tokens::ISSUER,
                    tokens::AUDIENCE
                ),
            ),
            ("log", "level = \"trace\"\nformat = \"json\"".to_owned()),
            ("admin", "address = \"unix:{root}/admin.sock\"".to_owned()),
        ]);
        Self {
            upstream,
            sections,
            files,
            environment: Vec::new(),
            prelude: String::new(),
            descriptors: None,
            authority,
        }
    }

    /// Sets a section, such as `routes.files`, whole. An empty text removes it.
    pub(crate) fn section(mut self, name: &'static str, text: &str) -> Self {
        if text.is_empty() {
            self.sections.remove(name);
        } else {
            self.sections.insert(name, text.to_owned());
        }
        self
    }

    /// Adds lines to a section.
    pub(crate) fn with(mut self, name: &'static str, text: &str) -> Self {
        let section = self.sections.entry(name).or_default();
        let _ = write!(section, "\n{text}");
        self
    }

    /// The only route, at `/`, with these lines besides its upstream.
    pub(crate) fn route(self, text: &str) -> Self {
        self.section("routes.all", &format!("upstream = \"files\"\n{text}"))
    }

    pub(crate) fn users(self, yaml: &str) -> Self {
        self.file("users.yaml", yaml)
    }

    pub(crate) fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        self.files.write(name, content);
        self
    }

    /// A certificate of the test's authority, as `name.pem` and `name.key`.
    pub(crate) fn certificate(self, name: &str, names: &[&str]) -> Self {
        self.files.certificate(&self.authority, name, names);
        self
    }

    pub(crate) fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Keys that stand before the first section.
    pub(crate) fn prelude(mut self, text: &str) -> Self {
        text.clone_into(&mut self.prelude);
        self
    }

    /// Starts the gateway with so few file descriptors.
    pub(crate) fn limit_descriptors(mut self, count: u32) -> Self {
        self.descriptors = Some(count);
        self
    }

    /// Where the files are.
    pub(crate) fn root(&self) -> PathBuf {
        self.files.root().to_owned()
    }

    fn toml(&self) -> String {
        let mut toml = format!("{}\n\n", self.prelude);
        for (name, text) in &self.sections {
            let _ = write!(toml, "[{name}]\n{text}\n\n");
        }
        let root = self.files.root().display().to_string();
        toml.replace("{upstream}", &self.upstream.to_string()).replace("{root}", &root)
    }

    /// Writes the configuration and starts the gateway, without waiting for it.
    pub(crate) fn spawn(self) -> TestGateway {
        self.files.write("doorward.toml", self.toml());
        let notifications = UnixDatagram::bind(self.files.path("notify.sock")).unwrap();
        notifications.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let mut command = match self.descriptors {
            Some(count) => {
                let mut shell = Command::new("sh");
                let script = format!("ulimit -n {count}; exec \"$0\" \"$@\"");
                shell.args(["-c", &script, env!("CARGO_BIN_EXE_doorward")]);
                shell
            }
            None => Command::new(env!("CARGO_BIN_EXE_doorward")),
        };
        command
            .args(["serve", "--config"])
            .arg(self.files.path("doorward.toml"))
            .env_clear()
            .envs(self.environment.iter().cloned())
            .env("NOTIFY_SOCKET", self.files.path("notify.sock"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let output = Arc::default();
        collect(child.stdout.take().unwrap(), &output);
        collect(child.stderr.take().unwrap(), &output);
        let Self { sections, files, authority, upstream, .. } = self;
        TestGateway {
            child: Mutex::new(child),
            output,
            files,
            authority,
            notifications,
            sections,
            upstream,
            addresses: BTreeMap::new(),
        }
    }

    /// Starts the gateway and waits until it is ready.
    #[track_caller]
    pub(crate) fn start(self) -> TestGateway {
        let mut gateway = self.spawn();
        gateway.wait_until_ready();
        gateway
    }

    /// Starts a gateway that must refuse to run, and gives all that it printed.
    #[track_caller]
    pub(crate) fn fail_to_start(self) -> String {
        let gateway = self.spawn();
        let status = gateway.wait_for_exit();
        assert!(!status.success(), "the gateway ended well: {}", gateway.output());
        gateway.output()
    }
}

fn collect(mut pipe: impl Read + Send + 'static, output: &Arc<Mutex<String>>) {
    let output = Arc::clone(output);
    thread::spawn(move || {
        let mut chunk = [0; 4096];
        while let Ok(count @ 1..) = pipe.read(&mut chunk) {
            output.lock().unwrap().push_str(&String::from_utf8_lossy(&chunk[..count]));
        }
    });
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
    pub(crate) files: TestFiles,
    pub(crate) authority: Authority,
    notifications: UnixDatagram,
    sections: BTreeMap<&'static str, String>,
    upstream: SocketAddr,
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

    #[track_caller]
    fn wait_until_ready(&mut self) {
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
        let mut buffer = [0; 4096];
        let count = self.notifications.recv(&mut buffer).ok()?;
        Some(String::from_utf8_lossy(&buffer[..count]).into_owned())
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
        tls.connect(self.address("tls"), self.authority.certificate())
    }

    pub(crate) fn connect_h2(&self) -> H2 {
        H2::connect(self.address("tls"), "files.test", self.authority.certificate())
    }

    pub(crate) fn connect_frames(&self) -> RawH2 {
        RawH2::connect(self.address("tls"), "files.test", self.authority.certificate())
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
        let stream = UnixStream::connect(self.files.path("admin.sock")).ok()?;
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

    /// Rewrites one section of the configuration file in place.
    pub(crate) fn rewrite(&mut self, section: &'static str, text: &str) {
        self.sections.insert(section, text.to_owned());
        let mut toml = String::new();
        for (name, text) in &self.sections {
            let _ = write!(toml, "[{name}]\n{text}\n\n");
        }
        let root = self.files.root().display().to_string();
        let toml = toml.replace("{upstream}", &self.upstream.to_string()).replace("{root}", &root);
        self.files.replace("doorward.toml", toml);
    }

    /// Waits until a generation newer than `old` serves.
    #[track_caller]
    pub(crate) fn wait_for_generation_after(&self, old: u64) {
        self.wait("a new generation", || self.generation() > old);
    }

    /// Waits until `reached`; asks again and again, with a breath in between.
    #[track_caller]
    pub(crate) fn wait(&self, what: &str, reached: impl Fn() -> bool) {
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
