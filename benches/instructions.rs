//! How many instructions the gateway's own work on a request takes: canonicalise, identify,
//! decide, build the head (or the refusal). Times differ from machine to machine and from minute
//! to minute; this number does not, so a change that makes requests dearer is seen before merge.
//!
//! `cargo bench --profile dev --config benches/count.toml --bench instructions` counts under valgrind and compares with
//! `benches/instructions.toml`: more than 5 % above it fails. `-- --record` writes the file, in the
//! change that makes the difference. Sockets, TLS, the HTTP engine and the log are not in it:
//! `benches/compare` measures the whole.

#![expect(clippy::unwrap_used, reason = "a bench whose surroundings are broken may end")]
#![expect(clippy::print_stdout, reason = "what was counted is told to whoever asked")]

#[path = "instructions/cases.rs"]
mod cases;
#[path = "instructions/record.rs"]
mod record;
#[path = "instructions/valgrind.rs"]
mod valgrind;

use std::process::ExitCode;

use self::record::{Machine, Record};

/// The allocator of the program.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// By how much a count may exceed what is recorded.
const TOLERANCE: f64 = 0.05;

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args().skip(1).collect();
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        [valgrind::RUN, case, count] => {
            cases::run(case, count.parse().unwrap());
            ExitCode::SUCCESS
        }
        [valgrind::FEATURES] => {
            println!("{}", record::processor());
            ExitCode::SUCCESS
        }
        words => gate(words.contains(&"--record")),
    }
}

/// Counts, and records or compares.
fn gate(records: bool) -> ExitCode {
    let here = match Machine::here() {
        Ok(here) => here,
        Err(reason) => {
            println!("instructions: NOT COUNTED: {reason}");
            return if records { ExitCode::FAILURE } else { ExitCode::SUCCESS };
        }
    };
    let recorded = Record::read();
    if !records && let Some(difference) = recorded.machine.difference(&here) {
        println!("instructions: NOT COMPARED, counts would say nothing: {difference}");
        return ExitCode::SUCCESS;
    }
    let counted = Record { machine: here, counts: valgrind::count(&cases::names()) };
    let has_grown = tell(&recorded, &counted);
    if records {
        counted.write();
        println!("recorded in {}", record::FILE);
        return ExitCode::SUCCESS;
    }
    if has_grown {
        println!(
            "a request takes more than {:.0} % more instructions than recorded. If that is worth \
             it, record it in the same change:\n    \
             cargo bench --profile dev --config benches/count.toml --bench instructions -- --record",
            TOLERANCE * 100.0
        );
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Prints the table; whether any case has grown beyond the tolerance, or has no record.
fn tell(recorded: &Record, counted: &Record) -> bool {
    let mut has_grown = false;
    println!("{:<28} {:>10} {:>10} {:>8}", "instructions per request", "recorded", "now", "");
    for (name, &now) in &counted.counts {
        let Some(&before) = recorded.counts.get(name) else {
            println!("{name:<28} {:>10} {now:>10} not recorded", "-");
            has_grown = true;
            continue;
        };
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
        let change = now as f64 / before.max(1) as f64 - 1.0;
        let verdict = if change > TOLERANCE {
            has_grown = true;
            "  MORE"
        } else if change < -TOLERANCE {
            "  less: record it"
        } else {
            ""
        };
        println!("{name:<28} {before:>10} {now:>10} {:>+7.1}%{verdict}", change * 100.0);
    }
    has_grown
}
