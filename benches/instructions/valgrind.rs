//! Runs this program under valgrind's callgrind, which counts instructions.
//!
//! Each case is run with a number of requests and with three times as many: the difference is free
//! of start and end.

use std::collections::BTreeMap;
use std::process::Command;

/// Run a case so many times.
pub(super) const RUN: &str = "--run";
/// Say what the processor can do.
pub(super) const FEATURES: &str = "--features";

const REQUESTS: u64 = 2_000;

/// Instructions of one request of each case.
pub(super) fn count(cases: &[&str]) -> BTreeMap<String, u64> {
    let count_one = |case: &str| {
        let few = instructions(case, REQUESTS);
        let many = instructions(case, REQUESTS * 3);
        many.saturating_sub(few) / (REQUESTS * 2)
    };
    cases.iter().map(|&case| (case.to_owned(), count_one(case))).collect()
}

/// What the processor can do, as valgrind has it; an error if there is no valgrind.
pub(super) fn features() -> Result<String, String> {
    let output = valgrind(&["--tool=none", "-q"], &[FEATURES])?;
    let found = String::from_utf8_lossy(&output.0).trim().to_owned();
    if found.is_empty() { Err(format!("valgrind: {}", output.1)) } else { Ok(found) }
}

/// Instructions of a whole run.
fn instructions(case: &str, requests: u64) -> u64 {
    let tool = ["--tool=callgrind", "--callgrind-out-file=/dev/null"];
    let (_, told) = valgrind(&tool, &[RUN, case, &requests.to_string()]).unwrap();
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
