//! Whether what is under way for somebody may go on, though they were let in when it began.
//!
//! Asked whenever a body or tunnel is polled, and answered by comparing two numbers of the
//! worker's own; only when something has changed in the snapshot or beside it is the principal
//! judged again. The worker wakes everybody when that happens.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use crate::identity::Principal;
use crate::worker::Worker;

/// Something under way.
#[derive(Debug)]
pub struct Tenure {
    worker: Rc<Worker>,
    principal: Rc<Principal>,
    began_ms: u64,
    /// What the worker had seen change when this was last judged.
    seen: Cell<u64>,
    has_ended: Cell<bool>,
}

impl Tenure {
    /// For this principal, since `began` (since the Unix epoch); what has changed since `seen` is
    /// still to be judged.
    pub(super) fn new(
        worker: &Rc<Worker>,
        principal: &Rc<Principal>,
        began: Duration,
        seen: u64,
    ) -> Self {
        Self {
            worker: Rc::clone(worker),
            principal: Rc::clone(principal),
            began_ms: u64::try_from(began.as_millis()).unwrap_or(u64::MAX),
            seen: Cell::new(seen),
            has_ended: Cell::new(false),
        }
    }

    /// Whether it must end.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        let changes = self.worker.changes();
        if changes != self.seen.replace(changes) && !self.has_ended.get() {
            self.has_ended.set(!may_go_on(&self.worker, &self.principal, self.began_ms));
        }
        self.has_ended.get()
    }
}

/// Whether what began at `began_ms` (milliseconds since the Unix epoch) may go on.
#[cold]
pub(super) fn may_go_on(worker: &Worker, principal: &Principal, began_ms: u64) -> bool {
    let view = worker.view();
    let snapshot = &view.snapshot;
    let now = worker.ticker.unix().as_secs();
    !snapshot.cuts_revoked
        || principal.may_go_on(&snapshot.identities, &worker.shared.standing, now, began_ms)
}
