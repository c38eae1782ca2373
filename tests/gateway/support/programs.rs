//! Programs of the machine that some tests use: absent ones skip their test, but not in CI.

use std::process::{Command, Stdio};

/// Whether `program` can be started. Where it can't, the test says so and ends, except in CI,
/// where a missing program is a failure.
#[track_caller]
pub(crate) fn available(program: &str) -> bool {
    let started = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if started.is_ok() {
        return true;
    }
    let required = std::env::var("CI").is_ok_and(|value| value == "true");
    assert!(!required, "{program} is missing, and CI must have it");
    skipped(program);
    false
}

/// A program that comes as a Python package: beside the Python of the tests, else in the path.
pub(crate) fn packaged(program: &str) -> String {
    let python = std::env::var_os("TEST_DOORWARD_PYTHON").map(std::path::PathBuf::from);
    let beside = python.and_then(|python| Some(python.parent()?.join(program)));
    let beside = beside.filter(|beside| beside.exists());
    beside.map_or_else(|| program.to_owned(), |beside| beside.display().to_string())
}

/// The Python that other people's clients are installed for: `.ci/run` makes it and names it in
/// `TEST_DOORWARD_PYTHON`. Without it a test says so and ends, except in CI.
#[track_caller]
pub(crate) fn python() -> Option<String> {
    let Ok(python) = std::env::var("TEST_DOORWARD_PYTHON") else {
        let required = std::env::var("CI").is_ok_and(|value| value == "true");
        assert!(!required, "TEST_DOORWARD_PYTHON is not set, and CI must set it");
        skipped("Python with clients (TEST_DOORWARD_PYTHON)");
        return None;
    };
    Some(python)
}

#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
fn skipped(program: &str) {
    eprintln!("skipped: no {program}");
}
