//! Requests by route. Route names come from the configuration, so a reload can bring new ones:
//! a worker asks for its counters by name once per reload and keeps the handle.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use super::{
    cell::{Cell, Cells, Label},
    histogram::Histogram,
};

/// How many routes have counters of their own; those beyond share one, called `(other)`.
pub(super) const ROUTE_BOUND: usize = 1024;
const OTHER: &str = "(other)";

/// What became of a route's requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteVerdict {
    /// The policy permitted it.
    Allowed,
    /// The gateway refused it.
    Denied,
}

impl Label for RouteVerdict {
    const NAMES: &'static [&'static str] = &["allow", "deny"];

    fn index(self) -> usize {
        self as usize
    }
}

/// One route's counters on one worker.
#[derive(Debug)]
#[repr(align(128))] // see `WorkerMetrics`
pub struct RouteMetrics {
    pub(super) requests: Cells,
    pub(super) seconds: Histogram,
    pub(super) errors: Cell,
}

impl RouteMetrics {
    fn new() -> Self {
        Self {
            requests: Cells::of::<RouteVerdict>(),
            seconds: Histogram::new(),
            errors: Cell::default(),
        }
    }

    /// Counts a request that is over.
    pub fn served(&self, verdict: RouteVerdict, status: u16, took: std::time::Duration) {
        self.requests.increment(verdict.index());
        self.seconds.observe(took);
        if status >= 500 {
            self.errors.increment();
        }
    }
}

/// The counters of all routes that a worker has seen. Locked at reload and scrape only.
#[derive(Debug, Default)]
pub(super) struct Routes(Mutex<HashMap<Box<str>, Arc<RouteMetrics>>>);

impl Routes {
    /// Asked by a worker between two requests, for each of perhaps ten thousand routes.
    pub(super) fn named(&self, name: &str) -> Arc<RouteMetrics> {
        let mut routes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = routes.get(name) {
            return Arc::clone(known);
        }
        let name = if routes.len() < ROUTE_BOUND { name } else { OTHER };
        Arc::clone(routes.entry(name.into()).or_insert_with(|| Arc::new(RouteMetrics::new())))
    }

    pub(super) fn for_each(&self, mut visit: impl FnMut(&str, &RouteMetrics)) {
        let routes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, metrics) in routes.iter() {
            visit(name, metrics);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_route_keeps_its_counters_across_reloads() {
        let routes = Routes::default();

        routes.named("files").served(RouteVerdict::Allowed, 200, Duration::ZERO);
        routes.named("files").served(RouteVerdict::Denied, 403, Duration::ZERO);

        let mut seen = Vec::new();
        routes.for_each(|name, metrics| {
            seen.push((name.to_owned(), metrics.requests.iter().collect::<Vec<_>>()));
        });
        assert_eq!(seen, [("files".to_owned(), vec![1, 1])]);
    }

    #[test]
    fn the_number_of_routes_is_bounded() {
        let routes = Routes::default();

        for number in 0..ROUTE_BOUND + 100 {
            routes.named(&format!("route-{number}"));
        }

        let mut count = 0;
        routes.for_each(|_, _| count += 1);
        assert_eq!(count, ROUTE_BOUND + 1);
    }
}
