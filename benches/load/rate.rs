//! A fixed number of requests a second, whatever the other side makes of them. Connections take
//! turns, evenly; a request that could not be sent in time counts from when it was due, so that a
//! slow answer is not hidden by the questions that it kept from being asked.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::client::{Client, Target, quantile};

/// How much, and how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) per_second: f64,
    pub(crate) seconds: f64,
    pub(crate) connections: u32,
}

/// Time for all connections to be made before the first request is due.
const LEAD: Duration = Duration::from_millis(500);
/// What is left out at the start.
const WARM: Duration = Duration::from_millis(300);

#[derive(Debug, Default)]
struct Seen {
    micros: Vec<u64>,
    errors: u64,
}

pub(crate) fn run(target: &Target, request: &[u8], pace: &Pace) -> Value {
    let start = Instant::now() + LEAD;
    let seen = thread::scope(|scope| {
        let connections = (0..pace.connections)
            .map(|number| scope.spawn(move || keep(target, request, pace, number, start)));
        let connections: Vec<_> = connections.collect();
        connections.into_iter().map(|connection| connection.join().unwrap()).fold(
            Seen::default(),
            |mut all, one| {
                all.micros.extend(one.micros);
                all.errors += one.errors;
                all
            },
        )
    });
    let mut micros = seen.micros;
    micros.sort_unstable();
    json!({
        "requests": micros.len(),
        "errors": seen.errors,
        "p50_us": quantile(&micros, 0.5),
        "p90_us": quantile(&micros, 0.9),
        "p99_us": quantile(&micros, 0.99),
        "p999_us": quantile(&micros, 0.999),
        "max_us": quantile(&micros, 1.0),
    })
}

/// The requests of one connection.
fn keep(target: &Target, request: &[u8], pace: &Pace, number: u32, start: Instant) -> Seen {
    let mut seen = Seen::default();
    let mut client = open(target, request, &mut seen);
    let gap = Duration::from_secs_f64(f64::from(pace.connections) / pace.per_second);
    let mut after = gap.mul_f64(f64::from(number) / f64::from(pace.connections));
    while after.as_secs_f64() < pace.seconds {
        let due = start + after;
        let began = wait_until(due);
        let status = client.as_mut().map(|client| client.exchange(request));
        if let Some(Ok(200)) = status {
            if after > WARM {
                seen.micros.push(u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX));
            }
        } else {
            seen.errors += 1;
            client = open(target, request, &mut seen);
        }
        after += gap;
    }
    seen
}

/// Connects, with a first request that does not count.
fn open(target: &Target, request: &[u8], seen: &mut Seen) -> Option<Client> {
    let mut client = target.connect().ok()?;
    if !matches!(client.exchange(request), Ok(200)) {
        seen.errors += 1;
    }
    Some(client)
}

/// From when on the request counts: now, or if that is long past, when it was due.
#[expect(clippy::disallowed_methods, reason = "a load has its own time and waits for nothing else")]
fn wait_until(due: Instant) -> Instant {
    let now = Instant::now();
    let Some(early) = due.checked_duration_since(now).filter(|early| !early.is_zero()) else {
        return due;
    };
    thread::sleep(early);
    Instant::now() // the timer's own lateness is not the other side's
}
