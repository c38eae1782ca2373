//! Notices that files have changed, and waits until they rest.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use notify::{RecursiveMode, Watcher as _};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::Control;

/// How long files must have been at rest.
const QUIET: Duration = Duration::from_millis(100);

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
        let has_more =
            watcher.as_mut().is_some_and(|watcher| follow(watcher, &mut followed, &control));
        // What changed before its folder was watched told nobody: it is looked at once.
        let is_due = !has_more && timeout(ANYWAY, settled(&mut events, QUIET)).await.is_err();
        let control = Arc::clone(&control);
        let _ = tokio::task::spawn_blocking(move || control.reload_if_changed(is_due)).await;
    }
}

/// Watches the folders that matter now, and no others. True if some are new.
fn follow(
    watcher: &mut notify::RecommendedWatcher,
    followed: &mut Vec<PathBuf>,
    control: &Control,
) -> bool {
    let wanted = control.folders();
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

/// Waits for a change, then until the files have rested for `quiet`. `None`: nobody watches.
///
/// Reloading after the *last* event of a burst is what makes an editor's write-then-rename end
/// in one reload of the final content.
async fn settled(events: &mut mpsc::Receiver<()>, quiet: Duration) -> Option<()> {
    if events.recv().await.is_none() {
        return std::future::pending().await; // no watcher: the minute decides
    }
    let burst = async { while let Ok(Some(())) = timeout(quiet, events.recv()).await {} };
    let _ = timeout(quiet * 20, burst).await; // a file that never rests must not starve us
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_ends_in_one_wake_up_after_the_last_event() {
        let (sender, mut events) = mpsc::channel(1);
        let began = tokio::time::Instant::now();
        tokio::spawn(async move {
            for _ in 0..5 {
                let _ = sender.send(()).await;
                tokio::time::advance(Duration::from_millis(50)).await;
            }
            std::future::pending::<()>().await;
        });

        settled(&mut events, QUIET).await;

        assert!(began.elapsed() >= Duration::from_millis(300));
    }
}
