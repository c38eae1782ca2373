//! `[passwords]` and `[tokens]`: what verifying may cost.

use std::num::NonZeroUsize;
use std::time::Duration;

/// The pool that verifies passwords.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passwords {
    /// Threads; `workers = 0` has become half the cores, at least one.
    pub workers: NonZeroUsize,
    /// Verifications that may wait.
    pub queue: NonZeroUsize,
    /// Verifications of one address that may wait.
    pub queue_per_address: NonZeroUsize,
    /// How long a success is remembered; zero: not at all.
    pub remember: Duration,
    /// The most memory that one hash may ask for, in bytes.
    pub memory: u64,
}

/// Tokens that verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tokens {
    /// Bytes of verified tokens that each worker remembers; zero: none.
    pub memory: usize,
}
