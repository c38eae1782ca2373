//! How many connections a listener has, in all and by address. Touched when a connection opens
//! and closes, never on the way of a request.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::config::Limits;

/// The connections of one listener, over all workers.
#[derive(Debug, Default)]
pub struct Occupancy(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    all: u32,
    by_address: HashMap<IpAddr, u32>,
}

/// One connection's place; dropping it frees it.
#[derive(Debug)]
pub struct Place {
    occupancy: Arc<Occupancy>,
    address: IpAddr,
}

impl Occupancy {
    /// A place for a connection from this address, unless a limit is reached. All of an IPv6
    /// /64 counts as one address.
    pub fn enter(self: &Arc<Self>, address: IpAddr, limits: &Limits) -> Option<Place> {
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
        Some(Place { occupancy: Arc::clone(self), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.occupancy.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.all = counts.all.saturating_sub(1);
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
        let occupancy = Arc::new(Occupancy::default());
        let limits = limits(2, 0);
        let address: IpAddr = "192.0.2.1".parse().unwrap();

        let first = occupancy.enter(address, &limits);
        let _second = occupancy.enter(address, &limits).unwrap();

        assert!(occupancy.enter(address, &limits).is_none());
        drop(first);
        assert!(occupancy.enter(address, &limits).is_some());
    }

    #[test]
    fn one_address_does_not_take_the_places_of_others() {
        let occupancy = Arc::new(Occupancy::default());
        let limits = limits(10, 1);
        let enter = |address: &str| occupancy.enter(address.parse().unwrap(), &limits);

        let _first = enter("2001:db8::1").unwrap();

        assert!(enter("2001:db8::2").is_none());
        assert!(enter("2001:db8:0:1::2").is_some());
        assert!(enter("192.0.2.1").is_some());
    }
}
