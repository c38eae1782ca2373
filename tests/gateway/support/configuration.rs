//! A configuration with a default for every section, and the files that it speaks of.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::files::{Authority, TestFiles};
use super::gateway::TestGateway;
use super::postgres::TestPostgres;
use super::tokens;

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

/// A configuration in the making. Every section has a default that fits most tests.
#[derive(Debug)]
pub(crate) struct Builder {
    upstream: SocketAddr,
    sections: BTreeMap<&'static str, String>,
    pub(super) files: TestFiles,
    environment: Vec<(String, String)>,
    prelude: String,
    descriptors: Option<u32>,
    passed: Option<(TcpListener, String)>,
    /// Where `TEST_DOORWARD_STORE=postgres` puts what tests would put into a file.
    database: Option<TestPostgres>,
    pub(super) authority: Authority,
}

impl Builder {
    pub(super) fn new(upstream: SocketAddr) -> Self {
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
            passed: None,
            database: None,
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

    /// Passes a listening socket as systemd does, under this name.
    pub(crate) fn passing(mut self, listener: TcpListener, name: &str) -> Self {
        self.passed = Some((listener, name.to_owned()));
        self
    }

    /// Where the files are.
    pub(crate) fn root(&self) -> PathBuf {
        self.files.root().to_owned()
    }

    pub(super) fn toml(&self) -> String {
        let mut toml = format!("{}\n\n", self.prelude);
        for (name, text) in &self.sections {
            let _ = write!(toml, "[{name}]\n{text}\n\n");
        }
        let root = self.files.root().display().to_string();
        toml.replace("{upstream}", &self.upstream.to_string()).replace("{root}", &root)
    }

    /// Changes a section of a configuration that may be in use.
    pub(super) fn rewrite(&mut self, section: &'static str, text: &str) {
        self.sections.insert(section, text.to_owned());
        self.files.replace("doorward.toml", self.toml());
    }

    /// The authority that certified the gateway.
    pub(crate) fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The command that runs the gateway on this configuration.
    pub(super) fn command(&self) -> Command {
        let mut prepare = String::new();
        if let Some(count) = self.descriptors {
            let _ = write!(prepare, "ulimit -n {count}; ");
        }
        if let Some((_, name)) = &self.passed {
            let _ = write!(
                prepare,
                "exec 3<&0 </dev/null; export LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES={name}; "
            );
        }
        let mut command = Command::new("sh");
        let script = format!("{prepare}exec \"$0\" \"$@\"");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_doorward")]);
        match &self.passed {
            Some((listener, _)) => command.stdin(OwnedFd::from(listener.try_clone().unwrap())),
            None => command.stdin(Stdio::null()),
        };
        command
            .args(["serve", "--config"])
            .arg(self.files.path("doorward.toml"))
            .env_clear()
            .envs(self.environment.iter().cloned());
        command
    }

    /// Where tests are to run on PostgreSQL, gives a gateway that remembers one of its own.
    fn choose_store(&mut self) {
        let asked = std::env::var("TEST_DOORWARD_STORE").is_ok_and(|store| store == "postgres");
        let says = |section: &str, what: &str| {
            self.sections.get(section).is_some_and(|text| text.contains(what))
        };
        let remembers = self.sections.iter().any(|(name, text)| {
            name.starts_with("endpoints.") && !text.contains("\"forward-auth\"")
        });
        if !asked || !remembers || says("store", "postgres =") || says("store", "sqlite =") {
            return;
        }
        self.database = TestPostgres::start();
        if let Some(server) = &self.database {
            let section = self.sections.entry("store").or_default();
            let _ = write!(section, "\npostgres = \"{}\"", server.address());
        }
    }

    /// Writes the configuration and starts the gateway, without waiting for it.
    pub(crate) fn spawn(mut self) -> TestGateway {
        self.choose_store();
        TestGateway::spawn(self)
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
