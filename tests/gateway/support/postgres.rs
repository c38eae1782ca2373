//! A PostgreSQL of its own for a test: made in a temporary folder, on a free port of the loopback,
//! with `fsync` on; stopped with the test.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::programs;

/// Where Debian puts the programs of a server, which are not on the path.
const PROGRAMS: &str = "/usr/lib/postgresql";

/// How often it is tried to start: another may take the port, or what was killed still ends.
const ATTEMPTS: u32 = 100;

/// A server. Stopped when dropped.
#[derive(Debug)]
pub(crate) struct TestPostgres {
    programs: PathBuf,
    folder: TempDir,
    /// Whom it runs as, where the tests run as root.
    user: Option<(u32, u32)>,
    settings: Vec<String>,
    port: u16,
    server: Option<Child>,
}

impl TestPostgres {
    /// Starts one, or says that there is none and gives `None`.
    #[track_caller]
    pub(crate) fn start() -> Option<Self> {
        Self::with(|_| Vec::new())
    }

    /// Starts one that speaks TLS with `name.pem` and `name.key`, which `certify` puts into the
    /// folder.
    #[track_caller]
    pub(crate) fn with_tls(certificate: &str, key: &str) -> Option<Self> {
        Self::with(|server| {
            server.put("server.pem", certificate);
            server.put("server.key", key);
            let file = |name| server.folder.path().join(name).display().to_string();
            vec![
                "ssl=on".to_owned(),
                format!("ssl_cert_file={}", file("server.pem")),
                format!("ssl_key_file={}", file("server.key")),
            ]
        })
    }

    #[track_caller]
    fn with(settings: impl FnOnce(&Self) -> Vec<String>) -> Option<Self> {
        let Some(programs) = installed() else {
            assert!(!programs::available("postgres"), "postgres is where it is not looked for");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let mut server = Self {
            programs,
            folder,
            user: unprivileged(),
            settings: vec![],
            port: 0,
            server: None,
        };
        server.own(server.folder.path());
        server.settings = settings(&server);
        let made = server
            .command("initdb")
            .args(["--auth=trust", "--username=doorward", "--encoding=UTF8", "--locale=C"])
            .args(["--no-sync", "--pgdata"])
            .arg(server.data())
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        server.start_again();
        Some(server)
    }

    /// Where it is, without TLS.
    pub(crate) fn address(&self) -> String {
        format!("postgres://doorward@127.0.0.1:{}/postgres", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Starts it on the port that it had, where it had one; returns when it takes connections.
    #[track_caller]
    pub(crate) fn start_again(&mut self) {
        let mut log = String::new();
        for _ in 0..ATTEMPTS {
            let port = if self.port == 0 { free_port() } else { self.port };
            let mut command = self.command("postgres");
            command.arg("-D").arg(self.data()).arg("-k").arg(self.folder.path());
            for setting in ["fsync=on", "listen_addresses=127.0.0.1", "logging_collector=off"] {
                command.args(["-c", setting]);
            }
            command.args(["-c", &format!("port={port}")]);
            for setting in &self.settings {
                command.args(["-c", setting]);
            }
            let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
            match wait_until_ready(&mut child) {
                Ok(()) => {
                    self.port = port;
                    self.server = Some(child);
                    return;
                }
                Err(said) => log = said,
            }
            child.wait().unwrap();
        }
        panic!("PostgreSQL does not start: {log}");
    }

    /// `kill -9` of the server; what it has started ends by itself, after what it does.
    pub(crate) fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill().unwrap();
            server.wait().unwrap();
        }
    }

    /// Stops it at once, with all that it has started; what it has not written down is lost.
    pub(crate) fn stop(&mut self) {
        let Some(mut server) = self.server.take() else { return };
        let asked = Command::new("kill").args(["-QUIT", &server.id().to_string()]).status();
        if !asked.is_ok_and(|status| status.success()) {
            let _ = server.kill();
        }
        let _ = server.wait();
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Writes a file that only the server reads.
    fn put(&self, name: &str, content: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.folder.path().join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        self.own(&path);
    }

    fn own(&self, path: &Path) {
        if let Some((user, group)) = self.user {
            chown(path, Some(user), Some(group)).unwrap();
        }
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.current_dir(self.folder.path()).stdin(Stdio::null()).stdout(Stdio::null());
        command.env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C");
        if let Some((user, group)) = self.user {
            command.gid(group).uid(user);
        }
        command
    }
}

impl Drop for TestPostgres {
    fn drop(&mut self) {
        self.stop();
    }
}

/// `kill -9` of one process of a server, after which that starts anew by itself.
pub(crate) fn kill_process(id: i32) {
    let killed = Command::new("kill").args(["-KILL", &id.to_string()]).status().unwrap();
    assert!(killed.success());
}

/// The folder with the programs of the newest server.
fn installed() -> Option<PathBuf> {
    let versions = fs::read_dir(PROGRAMS).ok()?;
    let mut folders = versions
        .filter_map(|version| Some(version.ok()?.path().join("bin")))
        .filter(|folder| folder.join("postgres").exists() && folder.join("initdb").exists())
        .collect::<Vec<_>>();
    folders.sort();
    folders.pop()
}

/// PostgreSQL refuses to run as root.
fn unprivileged() -> Option<(u32, u32)> {
    if id(&["-u"]) != Some(0) {
        return None;
    }
    let user = ["postgres", "nobody"]
        .into_iter()
        .find_map(|name| Some((id(&["-u", name])?, id(&["-g", name])?)));
    Some(user.expect("nobody is whom a server can run as"))
}

fn id(arguments: &[&str]) -> Option<u32> {
    let output = Command::new("id").args(arguments).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Reads what the server says until it is ready; or all that it said, when it ends before. What it
/// says later is read and dropped, so that it never waits for it.
fn wait_until_ready(child: &mut Child) -> Result<(), String> {
    let mut said = String::new();
    let mut log = BufReader::new(child.stderr.take().unwrap());
    loop {
        let start = said.len();
        if log.read_line(&mut said).unwrap() == 0 {
            return Err(said);
        }
        if said[start..].contains("database system is ready to accept connections") {
            std::thread::spawn(move || {
                let mut rest = [0; 4096];
                while log.read(&mut rest).is_ok_and(|length| length > 0) {}
            });
            return Ok(());
        }
    }
}
