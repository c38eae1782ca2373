//! The conformance tests of `h2spec`, in its strict mode, against a route that is open to all.

use std::fs;
use std::process::Command;

use crate::support::gateway::TestGateway;
use crate::support::programs::available;
use crate::support::upstream::TestUpstream;

/// What it may find, each by its section and description, with the reason. Nothing.
const KNOWN: [&str; 0] = [];

/// `.ci/run` installs it and says where; elsewhere it is used if it is in the path.
fn program() -> String {
    std::env::var("TEST_DOORWARD_H2SPEC").unwrap_or_else(|_| "h2spec".to_owned())
}

/// The cases of a report in `JUnit`'s format: section, description, whether it failed.
fn cases(report: &str) -> Vec<(String, bool)> {
    let cases = report.split("<testcase ").skip(1);
    let attribute = |case: &str, name: &str| {
        let (_, rest) = case.split_once(&format!("{name}=\"")).unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    let named = cases.map(|case| {
        let name = format!("{} {}", attribute(case, "package"), attribute(case, "classname"));
        (name, case.contains("<failure") || case.contains("<error"))
    });
    named.collect()
}

#[test]
fn http_2_is_spoken_as_it_is_written() {
    let program = program();
    if !available(&program) {
        return;
    }
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).route("accept = [\"anonymous\"]").start();
    let report = gateway.files().path("h2spec.xml");

    let ran = Command::new(program)
        .args(["--host", "127.0.0.1", "--port", &gateway.address("tls").port().to_string()])
        .args(["--tls", "--insecure", "--strict", "--timeout", "10", "--junit-report"])
        .arg(&report)
        .output()
        .unwrap();

    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    let cases =
        cases(&fs::read_to_string(report).unwrap_or_else(|error| panic!("{error}: {said}")));
    let failed: Vec<_> = cases.iter().filter(|(_, failed)| *failed).map(|(name, _)| name).collect();
    assert!(cases.len() >= 146, "{} cases: {said}", cases.len());
    assert_eq!(failed, KNOWN.iter().collect::<Vec<_>>(), "{said}");
    assert_eq!(gateway.get("/good").send_h2().status(), 200);
}
