//! `[log]` and `[admin]`: what can be seen, and where.

use std::net::SocketAddr;
use std::path::PathBuf;

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
