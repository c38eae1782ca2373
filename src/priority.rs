//! Threads that stand back behind those that serve.

use rustix::process::{getpriority_process, setpriority_process};

/// In the measure of `nice(2)`, where 19 is the most: of a core that a worker keeps busy, a quarter.
const STANDS_BACK: i32 = 5;

/// Lets the calling thread, and those that it starts from then on, stand back behind the workers
/// where there are too few processors.
pub fn stand_back() {
    // To Linux a thread is a process here. If it may not, it works as fast as any.
    let _ = setpriority_process(None, behind(priority()));
}

/// The priority of the calling thread.
fn priority() -> i32 {
    getpriority_process(None).unwrap_or_default()
}

fn behind(priority: i32) -> i32 {
    priority.max(STANDS_BACK)
}

/// Whether the calling thread stands back.
#[cfg(test)]
pub(crate) fn stands_back() -> bool {
    priority() >= STANDS_BACK
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn a_thread_and_those_that_it_starts_stand_back_and_nobody_else() {
        let before = priority();

        let below = thread::spawn(|| {
            stand_back();
            (priority(), thread::spawn(priority).join().unwrap())
        });

        assert_eq!(below.join().unwrap(), (behind(before), behind(before)));
        assert_eq!(priority(), before);
    }

    #[test]
    fn what_stands_further_back_stays_there() {
        assert_eq!(behind(0), STANDS_BACK);
        assert_eq!(behind(10), 10);
    }
}
