//! Real proxies in front of an upstream, configured as `docs/forward-auth.md` says.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::PATIENCE;
use crate::support::client::{Client, Response};
use crate::support::files::TestFiles;
use crate::support::gateway::TestGateway;
use crate::support::programs::{available, packaged};
use crate::support::upstream::TestUpstream;

/// The code block of `docs/forward-auth.md` below this heading.
pub(super) fn documented(heading: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/forward-auth.md");
    let text = fs::read_to_string(path).unwrap();
    let (_, below) = text.split_once(&format!("\n## {heading}\n")).unwrap();
    let (_, block) = below.split_once("\n```").unwrap();
    let (block, _) = block.split_once("\n```").unwrap();
    block.split_once('\n').unwrap().1.to_owned()
}

/// A proxy under test; it is killed when dropped.
#[derive(Debug)]
pub(super) struct Front {
    child: Child,
    address: SocketAddr,
    _files: TestFiles,
}

impl Drop for Front {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Front {
    /// nginx, Caddy, Traefik or Envoy; `None` where it is not installed.
    #[track_caller]
    pub(super) fn start(
        name: &str,
        gateway: &TestGateway,
        upstream: &TestUpstream,
    ) -> Option<Self> {
        let program = if name == "nginx" { name.to_owned() } else { packaged(name) };
        if !available(&program) {
            return None;
        }
        let address = free_address();
        let files = TestFiles::new();
        let mut heading = name.to_owned();
        heading.get_mut(..1).filter(|_| name != "nginx").unwrap_or_default().make_ascii_uppercase();
        let root = files.root().display().to_string();
        let configuration = documented(&heading)
            .replace("127.0.0.1:8080", &gateway.address("internal").to_string())
            .replace("127.0.0.1:9000", &upstream.address().to_string())
            .replace("127.0.0.1:8000", &address.to_string())
            .replace("http://:8000", &format!("http://:{}", address.port()))
            .replace("port_value: 8080", &port("port_value", gateway.address("internal")))
            .replace("port_value: 9000", &port("port_value", upstream.address()))
            .replace("port_value: 8000", &port("port_value", address));
        let arguments: Vec<String> = match name {
            "nginx" => {
                let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
                    .map(|kind| format!("{kind}_temp_path {root}/{kind};\n"))
                    .concat();
                let whole = format!(
                    "daemon off; master_process off; pid {root}/pid; error_log stderr;\n\
                     events {{}}\nhttp {{ access_log off;\n{temporary}{configuration}}}\n"
                );
                let file = files.write("nginx.conf", whole);
                vec![
                    "-p".into(),
                    root.clone(),
                    "-e".into(),
                    "stderr".into(),
                    "-c".into(),
                    show(&file),
                ]
            }
            "caddy" => {
                let whole = format!("{{\n\tadmin off\n\tauto_https off\n}}\n{configuration}");
                let file = files.write("Caddyfile", whole);
                ["run", "--adapter", "caddyfile", "--config", &show(&file)].map(Into::into).into()
            }
            "traefik" => vec![
                format!("--entryPoints.web.address={address}"),
                format!(
                    "--providers.file.filename={}",
                    show(&files.write("t.yaml", configuration))
                ),
                "--global.checkNewVersion=false".into(),
                "--global.sendAnonymousUsage=false".into(),
            ],
            _ => {
                let file = files.write("envoy.yaml", configuration);
                let options = ["--disable-hot-restart", "--concurrency", "1", "-l", "error", "-c"];
                options.into_iter().map(Into::into).chain([show(&file)]).collect()
            }
        };
        let child = Command::new(program)
            .args(arguments)
            .env("HOME", files.root())
            .env("XDG_DATA_HOME", files.root())
            .env("XDG_CONFIG_HOME", files.root())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut front = Self { child, address, _files: files };
        front.wait_until_it_asks();
        Some(front)
    }

    #[track_caller]
    fn wait_until_it_asks(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let is_up = TcpStream::connect(self.address).is_ok();
            if is_up
                && self.try_send("GET", "/files/alice/", &[]).is_some_and(|it| it.status == 401)
            {
                return;
            }
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < deadline, "the proxy fails: {ended:?}");
            thread::park_timeout(Duration::from_millis(20));
        }
    }

    /// Sends a request to the proxy, byte for byte.
    #[track_caller]
    pub(super) fn send(&self, method: &str, target: &str, fields: &[(&str, &str)]) -> Response {
        self.try_send(method, target, fields).unwrap_or_else(|| panic!("no answer to {target}"))
    }

    fn try_send(&self, method: &str, target: &str, fields: &[(&str, &str)]) -> Option<Response> {
        let fields: String =
            fields.iter().flat_map(|(name, value)| [*name, ": ", *value, "\r\n"]).collect();
        let head = format!("{method} {target} HTTP/1.1\r\nHost: files.test\r\n{fields}\r\n");
        let mut client = Client::tcp(self.address);
        client.try_send(head).ok()?;
        client.response_to(method).ok()
    }
}

fn show(path: &Path) -> String {
    path.display().to_string()
}

fn port(key: &str, address: SocketAddr) -> String {
    format!("{key}: {}", address.port())
}

/// An address that was free a moment ago: these programs don't tell which one they got.
fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
