//! The coarse clock of one worker, and the deadlines that hang on it.
//!
//! A timer registered and cancelled for each request costs more than the request's own
//! bookkeeping. Here a connection owns one [`Watch`] for its whole life; arming it is a write
//! to memory, and one periodic [`Ticker::advance`] wakes what has run out. A deadline is kept
//! to within one [`TICK`] (never early).

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

/// How far apart two checks of all deadlines are.
pub const TICK: Duration = Duration::from_millis(50);

/// Milliseconds of a worker's coarse clock, counted from its start.
pub type Millis = u64;

const NEVER: Millis = Millis::MAX;

/// The coarse clock and the deadlines of one worker thread.
#[derive(Debug)]
pub struct Ticker {
    started: Instant,
    now: Cell<Millis>,
    unix: Cell<Duration>,
    slots: RefCell<Slots>,
}

#[derive(Debug, Default)]
struct Slots {
    all: Vec<Slot>,
    free: Vec<usize>,
}

#[derive(Debug)]
struct Slot {
    deadline: Millis,
    waker: Option<Waker>,
}

impl Ticker {
    /// Starts the clock. It stands still until [`Ticker::advance`].
    #[must_use]
    pub fn new(unix: Duration) -> Rc<Self> {
        Rc::new(Self {
            started: Instant::now(),
            now: Cell::new(1),
            unix: Cell::new(unix),
            slots: RefCell::default(),
        })
    }

    /// Coarse monotonic time, at most one [`TICK`] old.
    #[must_use]
    pub fn now(&self) -> Millis {
        self.now.get()
    }

    /// Coarse wall-clock time since the Unix epoch, at most one [`TICK`] old.
    #[must_use]
    pub fn unix(&self) -> Duration {
        self.unix.get()
    }

    /// Moves the clock on and wakes every task whose deadline has passed.
    pub fn advance(&self, unix: Duration) {
        let now = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(NEVER - 1) + 1;
        self.advance_to(now, unix);
    }

    pub(crate) fn advance_to(&self, now: Millis, unix: Duration) {
        self.now.set(now);
        self.unix.set(unix);
        self.wake(|slot| slot.deadline <= now);
    }

    /// Wakes once nothing is borrowed any more: whatever a waker does, it may use a watch.
    fn wake(&self, is_due: impl Fn(&Slot) -> bool) {
        let mut slots = self.slots.borrow_mut();
        let due = slots.all.iter_mut().filter(|slot| is_due(slot));
        let wakers: Vec<_> = due.filter_map(|slot| slot.waker.take()).collect();
        drop(slots);
        for waker in wakers {
            waker.wake();
        }
    }

    /// Wakes every task that waits on a watch, whatever its deadline: used to tell all
    /// connections of a worker that it is draining.
    pub fn wake_all(&self) {
        self.wake(|_| true);
    }

    /// A new watch without a deadline.
    #[must_use]
    pub fn watch(self: &Rc<Self>) -> Watch {
        let mut slots = self.slots.borrow_mut();
        let slot = Slot { deadline: NEVER, waker: None };
        let index = if let Some(index) = slots.free.pop() {
            if let Some(free) = slots.all.get_mut(index) {
                *free = slot;
            }
            index
        } else {
            slots.all.push(slot);
            slots.all.len() - 1
        };
        Watch { ticker: Rc::clone(self), index }
    }
}

/// One deadline that can be moved at no cost. Dropping it frees its place.
#[derive(Debug)]
pub struct Watch {
    ticker: Rc<Ticker>,
    index: usize,
}

impl Watch {
    /// Sets the deadline to `after` from now, replacing the one before.
    pub fn set(&self, after: Duration) {
        let after = u64::try_from(after.as_millis()).unwrap_or(NEVER);
        let tick = u64::try_from(TICK.as_millis()).unwrap_or(0);
        self.set_at(self.ticker.now().saturating_add(after).saturating_add(tick));
    }

    /// Sets the deadline to a point of the coarse clock.
    pub fn set_at(&self, deadline: Millis) {
        self.slot(|slot| slot.deadline = deadline);
    }

    /// Takes the deadline away.
    pub fn clear(&self) {
        self.set_at(NEVER);
    }

    /// Whether a deadline is set.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.slot(|slot| slot.deadline != NEVER).unwrap_or(false)
    }

    /// Whether the deadline has passed; if not, the task is woken when it does.
    #[must_use]
    pub fn poll_expired(&self, cx: &Context<'_>) -> bool {
        let now = self.ticker.now();
        self.slot(|slot| {
            if slot.deadline <= now {
                return true;
            }
            match &mut slot.waker {
                Some(waker) if waker.will_wake(cx.waker()) => {}
                waker => *waker = Some(cx.waker().clone()),
            }
            false
        })
        .unwrap_or(true)
    }

    /// The clock this watch hangs on.
    #[must_use]
    pub fn ticker(&self) -> &Rc<Ticker> {
        &self.ticker
    }

    fn slot<T>(&self, act: impl FnOnce(&mut Slot) -> T) -> Option<T> {
        self.ticker.slots.borrow_mut().all.get_mut(self.index).map(act)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut slots = self.ticker.slots.borrow_mut();
        if let Some(slot) = slots.all.get_mut(self.index) {
            *slot = Slot { deadline: NEVER, waker: None };
        }
        slots.free.push(self.index);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    struct Counter(AtomicUsize);
    impl Wake for Counter {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_watch_wakes_its_task_once_the_deadline_has_passed_and_never_before() {
        let ticker = Ticker::new(Duration::ZERO);
        let count = Arc::new(Counter(AtomicUsize::new(0)));
        let waker = Waker::from(Arc::clone(&count));
        let cx = Context::from_waker(&waker);
        let watch = ticker.watch();
        watch.set(Duration::from_secs(1));

        assert!(!watch.poll_expired(&cx));
        ticker.advance_to(1_000, Duration::ZERO);
        assert_eq!(count.0.load(Ordering::Relaxed), 0);
        ticker.advance_to(1_051, Duration::ZERO);

        assert_eq!(count.0.load(Ordering::Relaxed), 1);
        assert!(watch.poll_expired(&cx));
    }

    #[test]
    fn what_a_waker_does_may_use_a_watch() {
        struct Dropping(std::sync::Mutex<Vec<Box<dyn FnOnce() + Send>>>);
        impl Wake for Dropping {
            fn wake(self: Arc<Self>) {
                self.0.lock().unwrap().drain(..).for_each(|act| act());
            }
        }
        thread_local!(static HELD: RefCell<Option<Watch>> = const { RefCell::new(None) });
        let ticker = Ticker::new(Duration::ZERO);
        let watch = ticker.watch();
        watch.set(Duration::ZERO);
        let act: Box<dyn FnOnce() + Send> = Box::new(|| drop(HELD.take()));
        let waker =
            Waker::from(Arc::new(Dropping(vec![act].into_iter().collect::<Vec<_>>().into())));
        assert!(!watch.poll_expired(&Context::from_waker(&waker)));
        HELD.set(Some(watch));

        ticker.advance_to(1_000, Duration::ZERO);

        assert!(HELD.take().is_none());
    }

    #[test]
    fn a_dropped_watch_gives_its_place_to_the_next() {
        let ticker = Ticker::new(Duration::ZERO);
        let first = ticker.watch();
        first.set(Duration::ZERO);
        drop(first);

        let second = ticker.watch();

        assert!(!second.is_set());
        assert_eq!(ticker.slots.borrow().all.len(), 1);
    }

    #[test]
    fn all_waiting_tasks_are_woken_to_drain() {
        let ticker = Ticker::new(Duration::ZERO);
        let count = Arc::new(Counter(AtomicUsize::new(0)));
        let waker = Waker::from(Arc::clone(&count));
        let watches = [ticker.watch(), ticker.watch()];
        for watch in &watches {
            assert!(!watch.poll_expired(&Context::from_waker(&waker)));
        }

        ticker.wake_all();

        assert_eq!(count.0.load(Ordering::Relaxed), 2);
    }
}
