//! Real WebDAV servers behind the gateway, and real clients in front: everybody sees a tree of
//! their own.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::chown;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::Instant;

use crate::support::PATIENCE;
use crate::support::gateway::TestGateway;
use crate::support::programs::available;

const REWRITE: &str =
    "path = \"/dav\"\nhome = { in = [\"path\", \"header:destination\"], mode = \"rewrite\" }";
const REQUIRE: &str =
    "path = \"/dav\"\nhome = { in = [\"path\", \"header:destination\"], mode = \"require\" }";

/// A server of `folder/dav` under `/dav`; it ends when it is dropped.
struct Server {
    child: Child,
    address: SocketAddr,
    folder: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for home in ["alice", "bob"] {
            std::fs::create_dir_all(folder.path().join("dav").join(home)).unwrap();
        }
        std::fs::write(folder.path().join("dav/bob/secret.txt"), "of bob").unwrap();
        folder
    }

    fn rclone() -> Self {
        let folder = Self::folder();
        let mut child = Command::new("rclone")
            .args(["serve", "webdav", "--config", "", "--addr", "127.0.0.1:0", "--baseurl", "/dav"])
            .arg(folder.path().join("dav"))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = lines
            .by_ref()
            .find_map(|line| {
                let line = line.ok()?;
                line.split_once("http://")?.1.split('/').next()?.parse().ok()
            })
            .unwrap();
        thread::spawn(move || lines.for_each(drop)); // so that it never waits for a reader
        Self { child, address, folder }
    }

    /// Apache's `mod_dav`, in the foreground.
    fn apache() -> Self {
        let folder = Self::folder();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let root = folder.path().display();
        let modules = [
            ("mpm_event", "mpm_event"),
            ("authz_core", "authz_core"),
            ("dav", "dav"),
            ("dav_fs", "dav_fs"),
        ];
        let modules = modules.map(|(name, file)| {
            format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{file}.so\n")
        });
        let configuration = format!(
            "ServerRoot \"{root}\"\nServerName localhost\nListen {address}\nPidFile {root}/pid\n{}\
             User nobody\nGroup nogroup\nDocumentRoot \"{root}\"\nDavLockDB {root}/locks\n\
             ErrorLog {root}/error.log\nDavMinTimeout 600\n\
             <Directory \"{root}/dav\">\nDav On\nRequire all granted\n</Directory>\n",
            modules.concat()
        );
        let file = folder.path().join("httpd.conf");
        std::fs::write(&file, configuration).unwrap();
        give_away(folder.path());
        let child = Command::new("apache2")
            .args(["-X", "-f"]) // one process, which ends as a whole
            .arg(&file)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(began.elapsed() < PATIENCE, "apache2 does not listen");
            thread::yield_now();
        }
        Self { child, address, folder }
    }

    fn read(&self, path: &str) -> Option<String> {
        std::fs::read_to_string(self.folder.path().join("dav").join(path)).ok()
    }
}

/// Apache serves as nobody.
fn give_away(folder: &Path) {
    let _ = chown(folder, Some(65534), Some(65534)); // who is not root serves as themselves
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let _ = chown(entry.path(), Some(65534), Some(65534));
        if entry.path().is_dir() {
            give_away(&entry.path());
        }
    }
}

/// rclone as a client of the gateway.
struct Rclone<'g> {
    gateway: &'g TestGateway,
    user: &'g str,
    password: String,
}

impl<'g> Rclone<'g> {
    fn new(gateway: &'g TestGateway, user: &'g str, password: &str) -> Self {
        let obscured = Command::new("rclone").args(["obscure", password]).output().unwrap();
        let password = String::from_utf8(obscured.stdout).unwrap().trim().to_owned();
        Self { gateway, user, password }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let url = format!("http://{}/dav", self.gateway.address("main"));
        Command::new("rclone")
            .args(["--config", "", "--retries", "1", "--low-level-retries", "1"])
            .args(["--webdav-vendor", "other", "--webdav-url", &url])
            .args(["--webdav-user", self.user, "--webdav-pass", &self.password])
            .args(arguments)
            .output()
            .unwrap()
    }

    #[track_caller]
    fn good(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {said}\n{}", self.gateway.output());
        String::from_utf8(output.stdout).unwrap()
    }
}

fn round_trip(server: &Server) {
    let gateway = TestGateway::before_address(server.address).route(REWRITE).start();
    let alice = Rclone::new(&gateway, "alice", "wonderland-of-alice");
    let bob = Rclone::new(&gateway, "bob", "bob-the-builder");
    let local = tempfile::tempdir().unwrap();
    let file = local.path().join("a b & c.txt");
    std::fs::write(&file, "of alice").unwrap();
    let file = file.to_str().unwrap();

    alice.good(&["mkdir", ":webdav:sub/deep"]);
    alice.good(&["copyto", file, ":webdav:sub/a b & c.txt"]);
    assert_eq!(alice.good(&["cat", ":webdav:sub/a b & c.txt"]), "of alice");
    alice.good(&["copyto", ":webdav:sub/a b & c.txt", ":webdav:sub/deep/copy.txt"]);
    alice.good(&["moveto", ":webdav:sub/a b & c.txt", ":webdav:moved.txt"]);
    let mut seen: Vec<_> =
        alice.good(&["lsf", "-R", ":webdav:"]).lines().map(str::to_owned).collect();
    seen.sort();
    assert_eq!(seen, ["moved.txt", "sub/", "sub/deep/", "sub/deep/copy.txt"]);
    assert_eq!(bob.good(&["lsf", "-R", ":webdav:"]), "secret.txt\n");
    alice.good(&["deletefile", ":webdav:sub/deep/copy.txt"]);

    assert_eq!(server.read("alice/moved.txt").as_deref(), Some("of alice"));
    assert_eq!(server.read("alice/sub/deep/copy.txt"), None);
    assert_eq!(server.read("bob/secret.txt").as_deref(), Some("of bob"));
}

#[test]
fn rclone_works_in_its_home_on_rclones_server() {
    if available("rclone") {
        round_trip(&Server::rclone());
    }
}

#[test]
fn rclone_works_in_its_home_on_apache() {
    if available("rclone") && available("apache2") {
        round_trip(&Server::apache());
    }
}

#[test]
fn cadaver_works_in_its_home_on_apache() {
    if !available("cadaver") || !available("apache2") {
        return;
    }
    let server = Server::apache();
    let gateway = TestGateway::before_address(server.address).route(REWRITE).start();
    let home = tempfile::tempdir().unwrap();
    let netrc = "machine 127.0.0.1\nlogin alice\npassword wonderland-of-alice\n";
    std::fs::write(home.path().join(".netrc"), netrc).unwrap();
    std::fs::write(home.path().join("one.txt"), "of alice").unwrap();

    let mut cadaver = Command::new("cadaver")
        .arg(format!("http://{}/dav/", gateway.address("main")))
        .current_dir(home.path())
        .env("HOME", home.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let script = "mkcol sub\nput one.txt\nlock one.txt\nunlock one.txt\ncopy one.txt sub/two.txt\n\
                  move one.txt three.txt\nls\nls sub\nget sub/two.txt got.txt\ndelete three.txt\nquit\n";
    cadaver.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let output = cadaver.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();

    assert!(!said.contains("failed") && said.contains("three.txt"), "{said}\n{}", gateway.output());
    assert!(!said.contains("alice") || !said.contains("/dav/alice"), "{said}");
    assert_eq!(std::fs::read_to_string(home.path().join("got.txt")).unwrap(), "of alice");
    assert_eq!(server.read("alice/sub/two.txt").as_deref(), Some("of alice"));
    assert_eq!(server.read("alice/three.txt"), None);
}

#[test]
fn nobody_moves_or_copies_into_another_home() {
    if !available("rclone") {
        return;
    }
    let server = Server::rclone();
    std::fs::write(server.folder.path().join("dav/alice/own.txt"), "of alice").unwrap();
    let gateway = TestGateway::before_address(server.address).route(REQUIRE).start();
    let host = gateway.address("main");

    for method in ["MOVE", "COPY"] {
        for target in [
            "/dav/bob/own.txt".to_owned(),
            format!("http://{host}/dav/bob/own.txt"),
            "/dav/alice/../bob/own.txt".to_owned(),
            "/dav/alice/%2e%2e/bob/own.txt".to_owned(),
            "/dav/bob/secret.txt".to_owned(),
        ] {
            let answer = gateway
                .ask(method, "/dav/alice/own.txt")
                .host(&host.to_string())
                .basic("alice", "wonderland-of-alice")
                .header("Destination", &target)
                .send();
            assert!(
                [400, 403].contains(&answer.status()),
                "{method} {target}: {}",
                answer.status()
            );
        }
    }

    assert_eq!(server.read("alice/own.txt").as_deref(), Some("of alice"));
    assert_eq!(server.read("bob/own.txt"), None);
    assert_eq!(server.read("bob/secret.txt").as_deref(), Some("of bob"));
}
