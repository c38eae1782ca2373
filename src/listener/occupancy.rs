//! How many connections a listener has: in all, by address, and by worker, so that each worker gets
//! its share. Touched when a connection opens and closes, never on the way of a request.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::config::Limits;

/// The connections of one listener, over all workers.
#[derive(Debug)]
pub struct Occupancy(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    all: u32,
    by_worker: Vec<u32>,
    by_address: HashMap<IpAddr, u32>,
}

/// One connection's place; dropping it frees it.
#[derive(Debug)]
pub struct Place {
    occupancy: Arc<Occupancy>,
    address: IpAddr,
    worker: usize,
}

impl Place {
    /// Whose it is: the number of the worker that has the fewest connections of the listener.
    #[must_use]
    pub fn worker(&self) -> usize {
        self.worker
    }
}

impl Occupancy {
    /// Without connections, for so many workers.
    #[must_use]
    pub fn new(workers: usize) -> Self {
        Self(Mutex::new(Counts { by_worker: vec![0; workers.max(1)], ..Counts::default() }))
    }

    /// A place for a connection from this address, unless a limit is reached. All of an IPv6
    /// /64 counts as one address. `accepting`: the worker that has it already, and keeps it where
    /// none has fewer.
    pub fn enter(
        self: &Arc<Self>,
        address: IpAddr,
        limits: &Limits,
        accepting: usize,
    ) -> Option<Place> {
        let address = source(address);
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.all >= limits.connections.get() {
            return None;
        }
        let own = counts.by_address.get(&address).copied().unwrap_or(0);
        if limits.connections_per_address.is_some_and(|limit| own >= limit.get()) {
            return None;
        }
        counts.all += 1;
        counts.by_address.insert(address, own + 1);
        let worker = counts.worker(accepting);
        if let Some(count) = counts.by_worker.get_mut(worker) {
            *count += 1;
        }
        Some(Place { occupancy: Arc::clone(self), address, worker })
    }
}

impl Counts {
    fn worker(&self, accepting: usize) -> usize {
        let fewest = self.by_worker.iter().enumerate().min_by_key(|(_, count)| **count);
        let own = self.by_worker.get(accepting);
        match (fewest, own) {
            (Some((worker, fewest)), Some(own)) if fewest < own => worker,
            (_, _) => accepting,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.occupancy.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.all = counts.all.saturating_sub(1);
        if let Some(count) = counts.by_worker.get_mut(self.worker) {
            *count = count.saturating_sub(1);
        }
        match counts.by_address.get(&self.address).copied() {
            Some(own) if own > 1 => {
                counts.by_address.insert(self.address, own - 1);
            }
            _ => {
                counts.by_address.remove(&self.address);
            }
        }
    }
}

fn source(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let network = address.to_bits() >> 64 << 64;
            IpAddr::V6(network.into())
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(connections: u32, per_address: u32) -> Limits {
        Limits {
            connections: connections.try_into().unwrap(),
            connections_per_address: per_address.try_into().ok(),
            ..Limits::default()
        }
    }

    #[test]
    fn a_full_listener_admits_again_when_somebody_leaves() {
        let occupancy = Arc::new(Occupancy::new(1));
        let limits = limits(2, 0);
        let address: IpAddr = "192.0.2.1".parse().unwrap();

        let first = occupancy.enter(address, &limits, 0);
        let _second = occupancy.enter(address, &limits, 0).unwrap();

        assert!(occupancy.enter(address, &limits, 0).is_none());
        drop(first);
        assert!(occupancy.enter(address, &limits, 0).is_some());
    }

    #[test]
    fn one_address_does_not_take_the_places_of_others() {
        let occupancy = Arc::new(Occupancy::new(1));
        let limits = limits(10, 1);
        let enter = |address: &str| occupancy.enter(address.parse().unwrap(), &limits, 0);

        let _first = enter("2001:db8::1").unwrap();

        assert!(enter("2001:db8::2").is_none());
        assert!(enter("2001:db8:0:1::2").is_some());
        assert!(enter("192.0.2.1").is_some());
    }

    #[test]
    fn every_worker_gets_its_share_whoever_accepts() {
        let occupancy = Arc::new(Occupancy::new(3));
        let limits = limits(100, 0);
        let address: IpAddr = "192.0.2.1".parse().unwrap();
        let enter = |accepting| occupancy.enter(address, &limits, accepting).unwrap();

        assert_eq!(enter(2).worker(), 2);
        let places: Vec<_> = (0..30).map(|_| enter(1)).collect();
        for worker in 0..3 {
            assert_eq!(places.iter().filter(|place| place.worker() == worker).count(), 10);
        }
        let left: Vec<_> = places.into_iter().filter(|place| place.worker() != 0).collect();
        let back: Vec<_> = (0..9).map(|_| enter(2)).collect();
        assert!(back.iter().all(|place| place.worker() == 0));
        drop(left);
    }
}
