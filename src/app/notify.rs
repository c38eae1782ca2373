//! What the service manager is told (`sd_notify(3)`): nothing at all when there is none.

use std::time::Duration;

use sd_notify::NotifyState;

/// Talks to the service manager.
#[derive(Clone, Copy, Debug)]
pub struct Notifier {
    is_managed: bool,
    watchdog: Option<Duration>,
}

impl Notifier {
    /// As the environment says: `NOTIFY_SOCKET`, `WATCHDOG_USEC`, `WATCHDOG_PID`.
    #[must_use]
    pub fn from_environment() -> Self {
        Self {
            is_managed: std::env::var_os("NOTIFY_SOCKET").is_some(),
            watchdog: sd_notify::watchdog_enabled(),
        }
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
        if !self.is_managed {
            return;
        }
        if let Err(error) = sd_notify::notify(state) {
            tracing::warn!(error = %error, "Could not notify the service manager");
        }
    }
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
        let notifier = |watchdog| Notifier { is_managed: false, watchdog };

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
    fn without_a_service_manager_nothing_happens() {
        let notifier = Notifier { is_managed: false, watchdog: None };

        notifier.ready("serving");
        notifier.reloading();
        notifier.stopping("draining");
        notifier.alive();
    }
}
