//! `doorward demo`: a gateway to try, with nothing to install and nothing left behind.
//!
//! A real gateway in this process: TLS with a certificate of its own, two users with homes, a key
//! to sign tokens with, and a file API behind it ([`FileApi`]), all in a temporary directory that
//! vanishes at the end. [`Scene`] writes the command lines to paste.

mod file_api;
mod scene;
mod stage;

use std::io::{self, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

pub use file_api::FileApi;
pub use scene::Scene;

use self::stage::Stage;
use super::{Answer, Failure};
use crate::app::{self, Options, Started};

/// How many ports behind a taken one are tried.
const PORTS: u16 = 100;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The port to listen on; if it is taken, the next free one
    #[arg(long, value_name = "PORT", default_value_t = 8443)]
    port: u16,
}

/// No port could be had.
#[derive(Debug, thiserror::Error)]
#[error("no free port from {0} on")]
struct NoPort(u16, #[source] io::Error);

pub(super) fn run(arguments: &Arguments) -> Result<Answer, Failure> {
    let stage = Stage::new()?;
    let api = FileApi::start(stage.path("data"))?;
    stage.write_configuration(free_port(arguments.port)?, api.address())?;
    let token = stage.token(crate::clock::unix_seconds())?;
    let program = std::env::current_exe().unwrap_or_else(|_| Path::new("doorward").to_owned());
    let config = stage.path("doorward.toml");
    let show = |started: &Started| {
        let Some((_, gateway)) = started.listeners.first() else { return };
        let scene = Scene {
            program,
            config: config.clone(),
            certificate: stage.path("ca.pem"),
            access_log: stage.path("access.log"),
            gateway: *gateway,
            upstream: api.address(),
            passwords: stage.passwords.clone(),
            token,
        };
        let mut output = io::stdout().lock();
        // Whoever does not read the lines may still use the gateway.
        let _ = write!(output, "{scene}").and_then(|()| output.flush());
    };
    app::run(&Options { config: config.clone() }, show)?;
    Ok(Answer::default()) // the file API ends and the directory vanishes here
}

/// The port if it is free, else the first free one behind it.
fn free_port(first: u16) -> Result<u16, NoPort> {
    let mut taken = io::Error::from(io::ErrorKind::AddrInUse);
    for port in first..=first.saturating_add(PORTS) {
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).and_then(|it| it.local_addr()) {
            Ok(address) => return Ok(address.port()),
            Err(error) => taken = error,
        }
    }
    Err(NoPort(first, taken))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_passed_over() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let first = taken.local_addr().unwrap().port();

        let port = free_port(first).unwrap();

        assert!(port > first, "{first} {port}");
    }
}
