//! A gateway of the operator's configuration, in a process of its own: every upstream is the
//! recording one, every listener has a free port of the loopback address, and what it remembers
//! ends with it.

use std::io::{self, BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::Value;
use tempfile::TempDir;

use crate::admin::Address;
use crate::admin::client::{Client, ClientError};
use crate::config::{Config, StorePlace};
use crate::probe::dial::{Target, Trust, TrustError};

/// How long it may take to start: passwords are hashed and files read before.
const PATIENCE: Duration = Duration::from_mins(1);

/// So much of what it says is shown if it does not start.
const LAST_LINES: usize = 20;

/// A running gateway; it ends with this.
#[derive(Debug)]
pub(super) struct OwnGateway {
    child: Child,
    addresses: Vec<(String, SocketAddr)>,
    _directory: TempDir,
}

/// Why it does not run.
#[derive(Debug, thiserror::Error)]
pub(super) enum GatewayError {
    #[error("the gateway does not tell where it listens")]
    Admin(#[from] ClientError),
    #[error("the certificate `{}` cannot be read", .0.display())]
    Certificate(PathBuf),
    #[error("a gateway of this configuration does not start: {0}")]
    Ended(String),
    #[error("the gateway does not tell where it listens")]
    Malformed,
    #[error("the gateway cannot be started")]
    Start(#[source] io::Error),
    #[error(transparent)]
    Trust(#[from] TrustError),
}

impl Drop for OwnGateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl OwnGateway {
    /// Starts it and waits until it listens.
    pub(super) fn start(
        path: &Path,
        config: &Config,
        upstream: SocketAddr,
    ) -> Result<Self, GatewayError> {
        let directory = tempfile::Builder::new().prefix("doorward-probe-").tempdir();
        let directory = directory.map_err(GatewayError::Start)?;
        let program = std::env::current_exe().map_err(GatewayError::Start)?;
        let socket = directory.path().join("admin.sock");
        let mut command = Command::new(program);
        command.args(["serve", "--config"]).arg(path).stdin(Stdio::null()).stdout(Stdio::null());
        for name in ["NOTIFY_SOCKET", "WATCHDOG_USEC", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"]
        {
            command.env_remove(name); // this one is no service
        }
        command.envs(overrides(config, upstream, directory.path(), &socket));
        let mut child = command.stderr(Stdio::piped()).spawn().map_err(GatewayError::Start)?;
        let log = child.stderr.take();
        let mut gateway = Self { child, addresses: Vec::new(), _directory: directory };
        wait(log)?;
        gateway.addresses = addresses(&Client::new(Address::Unix(socket), PATIENCE))?;
        Ok(gateway)
    }

    /// Where one of its listeners is reached.
    pub(super) fn target(
        &self,
        config: &Config,
        listener: usize,
        name: &str,
        patience: Duration,
    ) -> Result<Target, GatewayError> {
        let listener = config.listeners.get(listener).ok_or(GatewayError::Malformed)?;
        let found = self.addresses.iter().find(|(known, _)| *known == listener.name);
        let (_, address) = found.ok_or(GatewayError::Malformed)?;
        let target = Target::plain(&address.ip().to_string(), address.port(), patience);
        let Some(tls) = &listener.tls else { return Ok(target) };
        let mut certificates = Vec::new();
        for certificate in &tls.certificates {
            let read = CertificateDer::from_pem_file(&certificate.chain);
            let unreadable = |_| GatewayError::Certificate(certificate.chain.clone());
            certificates.push(read.map_err(unreadable)?);
        }
        Ok(target.with_tls(name, &Trust::These(certificates))?)
    }
}

/// Waits until it listens, or says why it does not.
fn wait(log: Option<ChildStderr>) -> Result<(), GatewayError> {
    let lines = log.map(read).ok_or(GatewayError::Malformed)?;
    let mut last: Vec<String> = Vec::new();
    loop {
        match lines.recv_timeout(PATIENCE) {
            Ok(line) if line.contains("Listening on ") => return Ok(()),
            Ok(line) => last.push(line),
            Err(RecvTimeoutError::Disconnected | RecvTimeoutError::Timeout) => {
                let from = last.len().saturating_sub(LAST_LINES);
                let last = last.get(from..).unwrap_or_default().join("\n");
                return Err(GatewayError::Ended(last));
            }
        }
    }
}

/// The lines of its log, read to the end, so that it never waits for us.
fn read(log: ChildStderr) -> Receiver<String> {
    let (sender, lines) = channel();
    thread::spawn(move || {
        for line in BufReader::new(log).lines().map_while(Result::ok) {
            let _ = sender.send(line); // who has heard enough is gone
        }
    });
    lines
}

/// The variables that make it ours.
fn overrides(
    config: &Config,
    upstream: SocketAddr,
    directory: &Path,
    socket: &Path,
) -> Vec<(String, String)> {
    let spell = |name: &str| name.to_ascii_uppercase().replace('-', "_");
    let set = |name: &str, value: &str| (format!("DOORWARD_{name}"), value.to_owned());
    let mut variables = vec![
        set("ADMIN_ADDRESS", &format!("unix:{}", socket.display())),
        set("LOG_ACCESS", "false"),
        set("LOG_FORMAT", "json"),
        set("LOG_LEVEL", "info"),
    ];
    for listener in &config.listeners {
        let name = format!("LISTENERS_{}_ADDRESS", spell(&listener.name));
        variables.push(set(&name, "127.0.0.1:0"));
    }
    for used in &config.upstreams {
        let name = format!("UPSTREAMS_{}_URL", spell(&used.name));
        variables.push(set(&name, &format!("http://{upstream}")));
    }
    if let StorePlace::Sqlite(_) = config.store.place {
        let path = directory.join("probe.db").display().to_string();
        variables.push(set("STORE_SQLITE", &path));
    }
    variables
}

fn addresses(admin: &Client) -> Result<Vec<(String, SocketAddr)>, GatewayError> {
    let answer = admin.get("/status")?;
    let status: Value =
        serde_json::from_slice(&answer.body).map_err(|_| GatewayError::Malformed)?;
    let listeners = status.get("listeners").and_then(Value::as_array);
    let listeners = listeners.ok_or(GatewayError::Malformed)?.iter().map(|listener| {
        let name = listener.get("name")?.as_str()?.to_owned();
        Some((name, listener.get("address")?.as_str()?.parse().ok()?))
    });
    listeners.collect::<Option<_>>().ok_or(GatewayError::Malformed)
}
