//! The thread on which configurations are read, and versions built and freed.
//!
//! One thread for all of it, for as long as the program runs. When threads of a pool did it, which
//! come and go, a worker was busy for up to 46 ms at a stretch after a reload of a hundred thousand
//! users; since then for less than 4. Probably the allocator let it clear up what they left behind.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Sender, channel, sync_channel};
use std::thread;

use tokio::sync::oneshot;

use crate::priority::stand_back;

type Job = Box<dyn FnOnce() + Send>;

/// Does one thing after another. The thread ends with it.
#[derive(Debug)]
pub struct Loader(Sender<Job>);

impl Loader {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// The system gives none.
    pub fn start() -> io::Result<Self> {
        let (sender, jobs) = channel::<Job>();
        thread::Builder::new().name("loader".to_owned()).spawn(move || {
            stand_back(); // and with it those that verify passwords
            for job in jobs {
                let _ = catch_unwind(AssertUnwindSafe(job)); // whoever waits is told of nothing
            }
        })?;
        Ok(Self(sender))
    }

    /// Does `work` and waits for what comes of it; `None` if it panicked.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (result, wait) = oneshot::channel();
        self.send(move || {
            let _ = result.send(work()); // nobody waits: nobody misses it
        })?;
        wait.await.ok()
    }

    /// As [`Self::run`], and blocks meanwhile.
    pub(super) fn run_blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (result, wait) = sync_channel(1);
        self.send(move || {
            let _ = result.send(work());
        })?;
        wait.recv().ok()
    }

    fn send(&self, job: impl FnOnce() + Send + 'static) -> Option<()> {
        self.0.send(Box::new(job)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::priority::stands_back;

    #[tokio::test]
    async fn a_panic_costs_its_own_work_and_not_what_comes_after() {
        let loader = Loader::start().unwrap();

        assert_eq!(loader.run(|| -> u8 { panic!("on purpose") }).await, None);
        assert_eq!(loader.run(|| 1).await, Some(1));
        assert_eq!(loader.run_blocking(|| 2), Some(2));
    }

    #[test]
    fn it_stands_back() {
        assert_eq!(Loader::start().unwrap().run_blocking(stands_back), Some(true));
    }
}
