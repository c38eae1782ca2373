//! What a hash costs to verify, so that who has none costs the same.

use std::hash::{Hash, Hasher};

use super::Family;

/// What a hash costs to verify. Ordered by estimated time, the dearest last.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    pub(super) family: Family,
    /// Estimated processor time in nanoseconds; only its order and equality matter.
    nanoseconds: u64,
}

impl Cost {
    pub(super) fn flat(family: Family) -> Self {
        let nanoseconds = if family == Family::Apr1 { 500_000 } else { 500 };
        Self { family, nanoseconds }
    }

    pub(super) fn new(family: Family, units: u64, nanoseconds_per_unit: u64) -> Self {
        Self { family, nanoseconds: units.saturating_mul(nanoseconds_per_unit) }
    }
}

impl PartialEq for Cost {
    fn eq(&self, other: &Self) -> bool {
        (self.family, self.nanoseconds) == (other.family, other.nanoseconds)
    }
}

impl Eq for Cost {}

impl Hash for Cost {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.family, self.nanoseconds).hash(state);
    }
}

impl PartialOrd for Cost {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Cost {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.nanoseconds, self.family).cmp(&(other.nanoseconds, other.family))
    }
}
