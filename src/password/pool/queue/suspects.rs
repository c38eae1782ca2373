//! Sources whose last password was wrong. Bounded: what was noted last is known longest.

use std::collections::HashSet;
use std::mem;
use std::net::IpAddr;

use foldhash::quality::RandomState;

/// How many are known, in each of two halves.
const HALF: usize = 8 * 1024;

#[derive(Debug, Default)]
pub(super) struct Suspects {
    young: HashSet<IpAddr, RandomState>,
    old: HashSet<IpAddr, RandomState>,
}

impl Suspects {
    pub(super) fn contains(&self, source: IpAddr) -> bool {
        self.young.contains(&source) || self.old.contains(&source)
    }

    pub(super) fn insert(&mut self, source: IpAddr) {
        if self.young.len() >= HALF && !self.young.contains(&source) {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(source);
    }

    pub(super) fn remove(&mut self, source: IpAddr) {
        self.young.remove(&source);
        self.old.remove(&source);
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn no_more_are_known_than_may_and_the_latest_are() {
        let mut suspects = Suspects::default();
        let of = |number: usize| IpAddr::V4(Ipv4Addr::from_bits(u32::try_from(number).unwrap()));
        for number in 0..5 * HALF {
            suspects.insert(of(number));
        }
        assert!(suspects.young.len() + suspects.old.len() <= 2 * HALF);
        assert!(suspects.contains(of(5 * HALF - 1)) && !suspects.contains(of(0)));

        suspects.remove(of(5 * HALF - 1));
        assert!(!suspects.contains(of(5 * HALF - 1)));
    }
}
