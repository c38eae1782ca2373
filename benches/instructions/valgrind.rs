//! Runs this program under valgrind's callgrind, which counts instructions.
//!
//! Only what happens in [`COUNTED`] is counted: what a start takes differs from start to start, since
//! keys are made then.

use std::collections::BTreeMap;
use std::process::Command;

/// Run a case so many times.
pub(super) const RUN: &str = "--run";
/// Say what the processor can do.
pub(super) const FEATURES: &str = "--features";

/// The function that serves the requests, wherever it is.
const COUNTED: &str = "*serve_counted*";
const REQUESTS: u64 = 4_000;

/// Instructions of one request of each case.
pub(super) fn count(cases: &[&str]) -> BTreeMap<String, u64> {
    let count_one = |case: &str| instructions(case) / REQUESTS;
    cases.iter().map(|&case| (case.to_owned(), count_one(case))).collect()
}

/// What the processor can do, as valgrind has it; an error if there is no valgrind.
pub(super) fn features() -> Result<String, String> {
    let output = valgrind(&["--tool=none", "-q"], &[FEATURES])?;
    let found = String::from_utf8_lossy(&output.0).trim().to_owned();
    if found.is_empty() { Err(format!("valgrind: {}", output.1)) } else { Ok(found) }
}

/// Instructions of all requests of a run.
fn instructions(case: &str) -> u64 {
    let toggle = format!("--toggle-collect={COUNTED}");
    let tool = ["--tool=callgrind", "--callgrind-out-file=/dev/null", &toggle];
    let (_, told) = valgrind(&tool, &[RUN, case, &REQUESTS.to_string()]).unwrap();
    let collected = told.lines().find_map(|line| line.split_once("Collected :"));
    collected.ok_or(&told).unwrap().1.trim().parse().unwrap()
}

/// Runs this program so; what it prints, and what valgrind says.
fn valgrind(tool: &[&str], words: &[&str]) -> Result<(Vec<u8>, String), String> {
    let this = std::env::current_exe().unwrap();
    let mut command = Command::new("valgrind");
    // An environment of its own: its size moves the stack, and so what is counted.
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    let output = command.args(tool).arg(this).args(words).output();
    let output = output.map_err(|error| format!("valgrind cannot be run: {error}"))?;
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok((output.stdout, told)) } else { Err(told) }
}
