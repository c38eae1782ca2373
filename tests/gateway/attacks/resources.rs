//! What a peer makes the gateway hold or compute: streams, frames, headers, handshakes, slow bytes.
//!
//! The catalogue's bounds are for a quiet machine. Here they are wider where a neighbour's work
//! could be counted as ours, and never so wide that what has no bound would stay below.

mod flood;
mod handshake;
mod head;
mod slow;
mod tools;
mod work;

use std::time::{Duration, Instant};

use crate::support::gateway::TestGateway;

/// How long a good user may have to wait while somebody attacks.
const SOON: Duration = Duration::from_secs(5);

const MIB: u64 = 1024 * 1024;

/// What the gateway's process holds in memory now, and held at most, in bytes.
#[track_caller]
fn memory(gateway: &TestGateway) -> (u64, u64) {
    let status = std::fs::read_to_string(format!("/proc/{}/status", gateway.process())).unwrap();
    let kib = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|line| line.split_ascii_whitespace().next());
        number.and_then(|number| number.parse::<u64>().ok()).unwrap_or_else(|| panic!("{status}"))
    };
    (kib("VmRSS:") * 1024, kib("VmHWM:") * 1024)
}

/// Panics if the gateway ever held so many bytes more than `before`.
#[track_caller]
fn assert_grew_less_than(gateway: &TestGateway, before: u64, most: u64) {
    let (_, peak) = memory(gateway);
    let grown = peak.saturating_sub(before);
    assert!(grown <= most, "it took {} KiB more, and may take {}", grown / 1024, most / 1024);
}

/// The processor time that the gateway has used, in steps of 10 ms.
#[track_caller]
pub(super) fn processor_time(gateway: &TestGateway) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", gateway.process())).unwrap();
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    let ticks = fields.split(' ').skip(11).take(2).map(|field| field.parse::<u64>().unwrap());
    Duration::from_millis(ticks.sum::<u64>() * 10)
}

/// A good user asks once, over a connection of their own, and is not kept waiting.
#[track_caller]
fn assert_serves(gateway: &TestGateway) {
    let start = Instant::now();
    assert_eq!(gateway.get("/good").bearer("alice").send_h2().status(), 200);
    assert!(start.elapsed() < SOON, "a good user waited for {:?}", start.elapsed());
}
