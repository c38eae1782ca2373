//! Notices that files have changed, and waits until they rest.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use notify::{RecursiveMode, Watcher as _};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::Control;

/// How long files must have been at rest.
const QUIET: Duration = Duration::from_millis(100);

/// How often they are looked at for that, at most.
const MAX_LOOKS: u32 = 20;

/// How often everything is looked at all the same: some file systems tell nothing (NFS,
/// overlays).
const ANYWAY: Duration = Duration::from_mins(1);

/// Watches for as long as it is polled, and reloads what has changed.
pub async fn run(control: Arc<Control>) {
    let (sender, mut events) = mpsc::channel(1);
    let mut watcher = match notify::recommended_watcher(move |_| {
        // One waiting event says as much as a hundred.
        let _ = sender.try_send(());
    }) {
        Ok(watcher) => Some(watcher),
        Err(error) => {
            tracing::warn!(%error, "Files cannot be watched; they are looked at every minute");
            None
        }
    };
    let mut followed = Vec::new();
    loop {
        let wanted = control.folders().await;
        let has_more =
            watcher.as_mut().is_some_and(|watcher| follow(watcher, &mut followed, wanted));
        // What changed before its folder was watched told nobody: it is looked at once.
        let look = || {
            let control = Arc::clone(&control);
            async move { control.fingerprint().await }
        };
        let settled = settled(&mut events, QUIET, look);
        let is_due = !has_more && timeout(ANYWAY, settled).await.is_err();
        control.reload_if_changed(is_due).await;
    }
}

/// Watches the folders that matter now, and no others. True if some are new.
fn follow(
    watcher: &mut notify::RecommendedWatcher,
    followed: &mut Vec<PathBuf>,
    wanted: BTreeSet<PathBuf>,
) -> bool {
    followed.retain(|folder| {
        let is_wanted = wanted.contains(folder);
        if !is_wanted {
            let _ = watcher.unwatch(folder);
        }
        is_wanted
    });
    let before = followed.len();
    for folder in wanted {
        // Again and again: a folder that was removed and made anew is another one.
        match watcher.watch(&folder, RecursiveMode::NonRecursive) {
            Ok(()) if followed.contains(&folder) => {}
            Ok(()) => followed.push(folder),
            Err(error) => {
                tracing::warn!(folder = %folder.display(), %error, "This folder cannot be watched");
            }
        }
    }
    followed.len() > before
}

/// Waits for an event, then until what matters has looked the same for `quiet`. `None`: nobody
/// watches.
///
/// Reloading after the *last* change of a burst is what makes an editor's write-then-rename end
/// in one reload of the final content. Events alone don't tell when that is: a log that is
/// written in the same folder never rests.
async fn settled<L: PartialEq, F: Future<Output = L>>(
    events: &mut mpsc::Receiver<()>,
    quiet: Duration,
    look: impl Fn() -> F,
) -> Option<()> {
    if events.recv().await.is_none() {
        return std::future::pending().await; // no watcher: the minute decides
    }
    let mut before = look().await;
    for _ in 0..MAX_LOOKS {
        sleep(quiet).await;
        while events.try_recv().is_ok() {}
        let now = look().await;
        if now == before {
            break;
        }
        before = now;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use tokio::time::Instant;

    use super::*;

    /// How long it takes after an event, with what is seen at each look and an event every 50 ms.
    async fn waited(seen: impl Fn(u32) -> u32) -> Duration {
        let (sender, mut events) = mpsc::channel(1);
        sender.send(()).await.unwrap();
        let noise = async {
            loop {
                sleep(Duration::from_millis(50)).await;
                let _ = sender.try_send(());
            }
        };
        let (began, looks) = (Instant::now(), Cell::new(0));
        let look = || std::future::ready(seen(looks.replace(looks.get() + 1)));
        tokio::select! {
            _ = settled(&mut events, QUIET, look) => began.elapsed(),
            () = noise => unreachable!(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_ends_after_its_last_change() {
        assert!(waited(|look| look.min(3)).await >= QUIET * 4);
    }

    #[tokio::test(start_paused = true)]
    async fn what_happens_beside_the_files_delays_nothing() {
        assert!(waited(|_| 0).await < QUIET * 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_that_never_rests_does_not_starve_the_others() {
        assert!(waited(|look| look).await < Duration::from_secs(3));
    }
}
