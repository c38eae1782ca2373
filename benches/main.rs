//! What each step on the way of a request costs, and the way as a whole.
//!
//! `cargo bench --bench main -- --quick` runs all of them; a word behind it, as in
//! `cargo bench --bench main -- token`, those whose name has it. Figures of one machine and one
//! run can be compared with each other, and with nothing else.

#![expect(clippy::unwrap_used, reason = "a bench whose surroundings are broken may end")]

mod access_log;
mod canonical;
mod decision;
mod framing;
mod refusal;
mod request;
mod support;
mod token;

use criterion::Criterion;

/// The allocator of the program.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    canonical::bench(&mut criterion);
    framing::bench(&mut criterion);
    token::bench(&mut criterion);
    decision::bench(&mut criterion);
    access_log::bench(&mut criterion);
    request::bench(&mut criterion);
    refusal::bench(&mut criterion);
    criterion.final_summary();
}
