//! `[passwords]` and `[tokens]`: what verifying may cost.

use std::num::NonZeroUsize;
use std::time::Duration;

use crate::config::file;
use crate::config::findings::Findings;
use crate::config::key::Key;

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

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
const GIB: u64 = 1024 * MIB;

impl Passwords {
    pub(super) fn validate(raw: file::Passwords, findings: &mut Findings<'_>) -> Self {
        let file::Passwords { workers, queue, queue_per_address, remember, memory } = raw;
        let key = Key::of("passwords");
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let half = NonZeroUsize::new(cores / 2).unwrap_or(NonZeroUsize::MIN);
        let workers = findings.threads(&key.child("workers"), workers, half);
        let mut length = |name: &str, raw, default| {
            let number = findings.number(&key.child(name), raw, default, 1..=65_536);
            usize::try_from(number).ok().and_then(NonZeroUsize::new).unwrap_or(NonZeroUsize::MIN)
        };
        let queue = length("queue", queue, 64);
        let was_said = queue_per_address.is_some();
        let mut queue_per_address = length("queue_per_address", queue_per_address, 8);
        if queue_per_address > queue {
            if was_said {
                findings.error(
                    &key.child("queue_per_address"),
                    format!("must not be more than `queue`, which is {queue}"),
                );
            }
            queue_per_address = queue;
        }
        Self {
            workers,
            queue,
            queue_per_address,
            remember: findings.duration(
                &key.child("remember"),
                remember.as_deref(),
                Duration::from_mins(5),
                Duration::ZERO..=Duration::from_hours(1),
            ),
            memory: findings.size(
                &key.child("memory"),
                memory.as_deref(),
                256 * MIB,
                8 * MIB..=64 * GIB,
            ),
        }
    }
}

impl Tokens {
    pub(super) fn validate(raw: file::Tokens, findings: &mut Findings<'_>) -> Self {
        let file::Tokens { memory } = raw;
        let key = Key::of("tokens").child("memory");
        let default = 16 * 1024 * 1024;
        Self { memory: findings.memory(&key, memory.as_deref(), default, 0..=16 * GIB) }
    }
}
