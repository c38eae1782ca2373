//! `[log]` and `[admin]`: what can be seen, and where.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::config::file;
use crate::config::findings::Findings;
use crate::config::key::Key;
use crate::config::listener::{self, ListenAddress, Listener};
use crate::secret::Secret;

/// The log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// How lines are written.
    pub format: LogFormat,
    /// What is worth a line.
    pub level: LogLevel,
    /// Whether each request leaves a line.
    pub access: bool,
    /// Where lines go.
    pub file: LogFile,
    /// Bytes of lines that may wait; more are dropped and counted.
    pub queue: usize,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, else JSON.
    Auto,
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// From which level on a log line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Somebody must act.
    Error,
    /// Somebody should look.
    Warn,
    /// What happened.
    Info,
    /// Why it happened.
    Debug,
    /// Everything.
    Trace,
}

/// Where log lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogFile {
    /// A file, opened anew on reload.
    Path(PathBuf),
    /// Standard output.
    Stdout,
}

/// Where health, metrics and status are served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admin {
    /// Nowhere.
    Off,
    /// On an address.
    Socket(SocketAddr),
    /// On a Unix socket.
    Unix(PathBuf),
}

impl Log {
    pub(super) fn validate(raw: file::Log, findings: &mut Findings<'_>) -> Self {
        let file::Log { format, level, access, file, queue } = raw;
        let key = Key::of("log");
        Self {
            format: match format.unwrap_or(file::LogFormat::Auto) {
                file::LogFormat::Auto => LogFormat::Auto,
                file::LogFormat::Json => LogFormat::Json,
                file::LogFormat::Text => LogFormat::Text,
            },
            level: match level.unwrap_or(file::LogLevel::Info) {
                file::LogLevel::Error => LogLevel::Error,
                file::LogLevel::Warn => LogLevel::Warn,
                file::LogLevel::Info => LogLevel::Info,
                file::LogLevel::Debug => LogLevel::Debug,
                file::LogLevel::Trace => LogLevel::Trace,
            },
            access: access.unwrap_or(true),
            file: match file.as_deref() {
                None | Some("-") => LogFile::Stdout,
                Some("") => {
                    findings.error(&key.child("file"), "is empty: write \"-\" or a file's name");
                    LogFile::Stdout
                }
                Some(path) => LogFile::Path(findings.path(&key.child("file"), path)),
            },
            queue: findings.memory(
                &key.child("queue"),
                queue.as_deref(),
                1024 * 1024,
                64 * 1024..=1024 * 1024 * 1024,
            ),
        }
    }
}

/// The shortest token of the admin listener, in bytes.
const LEAST_TOKEN: usize = 32;

/// The most refusals that are kept: 200 MiB of them.
const MOST_DECISIONS: u32 = 100_000;

impl Admin {
    /// The place, the token that is to be shown there, and how many refusals are kept to be told.
    pub(super) fn validate(
        raw: file::Admin,
        listeners: &[Listener],
        findings: &mut Findings<'_>,
    ) -> (Self, Option<Secret>, usize) {
        let file::Admin { address, token, decisions } = raw;
        let key = Key::of("admin");
        let token = token.and_then(|form| findings.secret(&key.child("token"), &form.0));
        if let Some(token) = &token {
            let is_text = token.expose().iter().all(u8::is_ascii_graphic);
            if token.len() < LEAST_TOKEN || !is_text {
                let reason = format!(
                    "must be at least {LEAST_TOKEN} printable ASCII characters without blanks; a \
                     file must not end in a newline"
                );
                findings.error(&key.child("token"), reason);
            }
        }
        let decisions =
            findings.number(&key.child("decisions"), decisions, 1000, 0..=MOST_DECISIONS);
        let decisions = usize::try_from(decisions).unwrap_or_default();
        (Self::place(address.as_deref(), listeners, findings), token, decisions)
    }

    fn place(address: Option<&str>, listeners: &[Listener], findings: &mut Findings<'_>) -> Self {
        let key = Key::of("admin").child("address");
        let address = address.unwrap_or("127.0.0.1:9180");
        if address == "off" {
            return Self::Off;
        }
        if let Some(path) = address.strip_prefix("unix:") {
            if path.is_empty() {
                findings.error(&key, "names no socket: write \"unix:/run/doorward/admin.sock\"");
            }
            return Self::Unix(findings.path(&key, path));
        }
        let Ok(address) = listener::socket(address) else {
            findings.error(
                &key,
                format!(
                    "`{address}` is no address with a port: write \"127.0.0.1:9180\", \
                     \"unix:/run/doorward/admin.sock\" or \"off\""
                ),
            );
            return Self::Off;
        };
        let is_taken = |listener: &&Listener| {
            listener.address == ListenAddress::Socket(address) && address.port() != 0
        };
        if let Some(listener) = listeners.iter().find(is_taken) {
            let reason =
                format!("`{address}` is taken by `listeners.{}`: use another port", listener.name);
            findings.error(&key, reason);
        }
        if !address.ip().is_loopback() {
            findings.warn(
                &key,
                "shows metrics and status beyond this machine, without asking who it is: listen \
                 on 127.0.0.1 or a Unix socket",
            );
        }
        Self::Socket(address)
    }
}
