//! Signals: HUP reloads, TERM and INT end, and end at once when they come again.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::notify::Notifier;
use super::worker::Working;
use crate::control::Control;
use crate::telemetry::access_log::LogWriter;

/// How long workers that were cut may take to end.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// The signals that mean something.
pub(super) struct Signals {
    hangup: Signal,
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn stop(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Serves signals and the watchdog until it is time to end.
pub(super) async fn until_stop(
    signals: &mut Signals,
    control: &Arc<Control>,
    access_log: Option<&LogWriter>,
    notifier: &Notifier,
) {
    let mut alive = notifier.watchdog_interval().map(tokio::time::interval);
    loop {
        let beat = async {
            match &mut alive {
                Some(interval) => {
                    interval.tick().await;
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = signals.hangup.recv() => {
                reload(control, access_log, notifier).await;
            }
            _ = signals.interrupt.recv() => return,
            _ = signals.terminate.recv() => return,
            () = beat => notifier.alive(),
        }
    }
}

async fn reload(control: &Arc<Control>, access_log: Option<&LogWriter>, notifier: &Notifier) {
    notifier.reloading();
    if let Some(log) = access_log {
        log.reopen();
    }
    let status = match control.reload().await {
        Ok(generation) => format!("Serving generation {generation}"),
        Err(_) => "Not reloaded: the last good version serves on".to_owned(),
    };
    notifier.ready(&status);
}

/// Waits for the workers to finish, for the grace to end, or for another signal. True if
/// everything was finished.
pub(super) async fn drain(
    signals: &mut Signals,
    mut working: Working,
    cut: &CancellationToken,
    grace: Duration,
) -> bool {
    let is_clean = tokio::select! {
        () = working.ended() => true,
        () = tokio::time::sleep(grace) => false,
        () = signals.stop() => false,
    };
    cut.cancel();
    let joining = tokio::task::spawn_blocking(move || working.join());
    let _ = tokio::time::timeout(LAST_WORDS, joining).await; // nobody waits for one that hangs
    is_clean
}
