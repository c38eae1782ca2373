//! What the service manager is told (`sd_notify(3)`): nothing at all when there is none.

use std::ffi::OsString;
use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use sd_notify::NotifyState;

/// Talks to the service manager, without ever waiting for it: one whose queue is full misses a
/// word rather than stopping the control plane.
#[derive(Debug)]
pub struct Notifier {
    manager: Option<(UnixDatagram, SocketAddr)>,
    watchdog: Option<Duration>,
}

impl Notifier {
    /// As the environment says: `NOTIFY_SOCKET`, `WATCHDOG_USEC`, `WATCHDOG_PID`.
    #[must_use]
    pub fn from_environment() -> Self {
        let named = std::env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty());
        let manager = named.and_then(|name| match reach(&name) {
            Ok(manager) => Some(manager),
            Err(error) => {
                tracing::warn!(%error, "The service manager cannot be reached");
                None
            }
        });
        Self { manager, watchdog: sd_notify::watchdog_enabled() }
    }

    /// The gateway serves, or serves again after a reload.
    pub fn ready(&self, status: &str) {
        self.send(&[NotifyState::Ready, NotifyState::Status(&line(status))]);
    }

    /// A reload has begun; [`Notifier::ready`] ends it, whatever came of it.
    pub fn reloading(&self) {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => self.send(&[NotifyState::Reloading, now]),
            Err(_) => self.send(&[NotifyState::Reloading]),
        }
    }

    /// The gateway drains and ends.
    pub fn stopping(&self, status: &str) {
        self.send(&[NotifyState::Stopping, NotifyState::Status(&line(status))]);
    }

    /// One line for `systemctl status`.
    pub fn status(&self, status: &str) {
        self.send(&[NotifyState::Status(&line(status))]);
    }

    /// How often [`Notifier::alive`] is to be called: twice as often as demanded. `None` if nobody
    /// waits for it.
    #[must_use]
    pub fn watchdog_interval(&self) -> Option<Duration> {
        self.watchdog.map(|interval| interval / 2).filter(|interval| !interval.is_zero())
    }

    /// The gateway is alive.
    pub fn alive(&self) {
        self.send(&[NotifyState::Watchdog]);
    }

    fn send(&self, state: &[NotifyState<'_>]) {
        let Some((socket, manager)) = &self.manager else { return };
        let words: Vec<_> = state.iter().map(ToString::to_string).collect();
        if let Err(error) = socket.send_to_addr(words.join("\n").as_bytes(), manager) {
            tracing::warn!(%error, "Could not notify the service manager");
        }
    }
}

/// A socket to the service manager: a path, or `@` and an abstract name.
fn reach(name: &OsString) -> io::Result<(UnixDatagram, SocketAddr)> {
    let address = match name.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(name)?,
    };
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    Ok((socket, address))
}

/// A line end would begin another assignment of the protocol.
fn line(status: &str) -> String {
    status.replace(|character: char| character.is_control(), " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_watchdog_is_fed_twice_as_often_as_demanded() {
        let notifier = |watchdog| Notifier { manager: None, watchdog };

        assert_eq!(
            notifier(Some(Duration::from_secs(30))).watchdog_interval(),
            Some(Duration::from_secs(15))
        );
        assert_eq!(notifier(Some(Duration::ZERO)).watchdog_interval(), None);
        assert_eq!(notifier(None).watchdog_interval(), None);
    }

    #[test]
    fn a_status_is_one_line() {
        assert_eq!(line("a\nREADY=1\r\n"), "a READY=1  ");
    }

    #[test]
    fn a_manager_that_does_not_read_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let manager = UnixDatagram::bind(&path).unwrap();
        let notifier = Notifier { manager: reach(&path.into_os_string()).ok(), watchdog: None };

        for _ in 0..10_000 {
            notifier.alive();
        }

        let mut word = [0; 64];
        let length = manager.recv(&mut word).unwrap();
        assert_eq!(&word[..length], b"WATCHDOG=1");
    }

    #[test]
    fn without_a_service_manager_nothing_happens() {
        let notifier = Notifier { manager: None, watchdog: None };

        notifier.ready("serving");
        notifier.reloading();
        notifier.stopping("draining");
        notifier.alive();
    }
}
