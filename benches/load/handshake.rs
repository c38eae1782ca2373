//! One request a connection, and then another connection.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::client::{Target, get, quantile};

#[derive(Debug, Default)]
struct Seen {
    micros: Vec<u64>,
    resumed: u64,
    errors: u64,
}

pub(crate) fn run(target: &Target, seconds: f64, threads: u32) -> Value {
    let began = Instant::now();
    let end = began + Duration::from_secs_f64(seconds);
    let seen: Vec<_> = thread::scope(|scope| {
        let working: Vec<_> = (0..threads).map(|_| scope.spawn(|| work(target, end))).collect();
        working.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let seconds = began.elapsed().as_secs_f64();
    let mut micros: Vec<_> = seen.iter().flat_map(|seen| &seen.micros).copied().collect();
    micros.sort_unstable();
    json!({
        "requests": micros.len(),
        "seconds": seconds,
        "resumed": seen.iter().map(|seen| seen.resumed).sum::<u64>(),
        "errors": seen.iter().map(|seen| seen.errors).sum::<u64>(),
        "p50_us": quantile(&micros, 0.5),
        "p99_us": quantile(&micros, 0.99),
    })
}

fn work(target: &Target, end: Instant) -> Seen {
    let target = target.apart();
    let request = get("/1k", &["Connection: close"]);
    let mut seen = Seen::default();
    while Instant::now() < end {
        let began = Instant::now();
        match once(&target, &request) {
            Ok(was_resumed) => {
                seen.resumed += u64::from(was_resumed);
                seen.micros.push(u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX));
            }
            Err(_) => seen.errors += 1,
        }
    }
    seen
}

/// Whether the connection was resumed.
fn once(target: &Target, request: &[u8]) -> io::Result<bool> {
    let mut client = target.connect()?;
    let status = client.exchange(request)?;
    if status == 200 { Ok(client.was_resumed()) } else { Err(io::Error::other("status")) }
}
