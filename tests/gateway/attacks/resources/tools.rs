//! The tools that others measure servers with.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{SOON, assert_serves};
use crate::support::answer::Answer;
use crate::support::gateway::TestGateway;
use crate::support::programs::available;
use crate::support::upstream::TestUpstream;

const CONNECTIONS: u32 = 300;

/// Runs slowhttptest until every connection that it opened was closed: the service answers all
/// the while, and nothing stays open for longer than the two seconds that are configured.
#[track_caller]
fn assert_survives_slowness(mode: &[&str]) {
    if !available("slowhttptest") {
        return;
    }
    let large = "x".repeat(4 << 20);
    let upstream = TestUpstream::answering(move |request| match request.target.as_str() {
        "/large" => Answer::ok(&large),
        _ => Answer::ok("hello"),
    })
    .start();
    let gateway = TestGateway::before(&upstream)
        .section(
            "limits",
            "header_timeout = \"2s\"\nbody_idle_timeout = \"2s\"\nkeep_alive_timeout = \"2s\"",
        )
        .section("routes.open", "upstream = \"files\"\npath = \"/large\"\naccept = [\"anonymous\"]")
        .start();
    let report = gateway.files().path("slow");
    let count = CONNECTIONS.to_string();
    let mut tool = Command::new("slowhttptest")
        .args(mode)
        .args(["-c", &count, "-r", "150", "-l", "12", "-p", "5", "-g", "-o"])
        .arg(&report)
        .args(["-u", &format!("http://{}/large", gateway.address("main"))])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();

    let opened = || gateway.metric("doorward_connections_total", "listener=\"main\"");
    gateway.wait("all connections to be opened", || opened() >= f64::from(CONNECTIONS));
    let start = Instant::now();
    assert_serves(&gateway);
    gateway.wait("all of them to be closed", || {
        gateway.metric("doorward_connections", "listener=\"main\"") <= 1.0 // the tool's own question
    });
    let passed = start.elapsed();
    assert!(passed < Duration::from_secs(2 + 2) + SOON, "{passed:?} until the last was closed");
    assert!(tool.wait().unwrap().success());

    let table = std::fs::read_to_string(report.with_extension("csv")).unwrap();
    let rows = table.lines().skip(1).filter(|line| !line.is_empty()).collect::<Vec<_>>();
    assert!(rows.len() > 2, "{table}");
    let answers = |row: &&str| row.rsplit(',').next().is_some_and(|cell| cell.trim() != "0");
    assert!(rows.iter().skip(1).all(answers), "the service was not available: {table}");
}

#[test]
fn slow_heads_leave_the_service_available() {
    assert_survives_slowness(&["-H", "-i", "1", "-x", "24"]);
}

#[test]
fn slow_bodies_leave_the_service_available() {
    assert_survives_slowness(&["-B", "-i", "10", "-s", "8192", "-x", "10"]);
}

#[test]
fn slow_readers_leave_the_service_available() {
    assert_survives_slowness(&["-X", "-w", "512", "-y", "1024", "-n", "5", "-z", "32", "-k", "3"]);
}

/// What testssl says of the certificate is about the test's own, and what it warns of is itself.
fn is_about_us(finding: &Value) -> bool {
    let id = finding["id"].as_str().unwrap_or_default();
    !id.starts_with("cert") && !id.starts_with("OCSP") && !id.starts_with("DNS_CAA")
}

#[test]
fn testssl_finds_nothing_of_weight_in_the_defaults() {
    if !available("testssl") {
        return;
    }
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();
    let run = |number: usize, questions: &[&str]| {
        let report = gateway.files().path(&format!("testssl-{number}.json"));
        let ran = Command::new("testssl")
            .args(["--quiet", "--color", "0", "--warnings", "off", "--nodns", "none"])
            .args(questions)
            .arg("--jsonfile")
            .arg(&report)
            .arg(format!("localhost:{}", gateway.address("tls").port()))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ran.stdout).into_owned();
        let findings = std::fs::read(&report).unwrap_or_else(|error| panic!("{error}: {said}"));
        serde_json::from_slice::<Vec<Value>>(&findings).unwrap_or_else(|e| panic!("{e}: {said}"))
    };

    // It waits far more than it computes: all at once.
    let findings = std::thread::scope(|scope| {
        let questions: [&[&str]; 5] =
            [&["-p"], &["-s"], &["-f", "-P"], &["-S"], &["-C", "-R", "-L", "-W", "-F"]];
        let threads = questions.into_iter().enumerate();
        let run = &run;
        let threads = threads.map(|(number, asked)| scope.spawn(move || run(number, asked)));
        let threads = threads.collect::<Vec<_>>();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });

    let weighty = ["MEDIUM", "HIGH", "CRITICAL", "FATAL"];
    let found = |id: &str| findings.iter().any(|finding| finding["id"] == id);
    for id in ["TLS1_2", "TLS1_3", "cipher_order", "cipherlist_NULL", "secure_renego"] {
        assert!(found(id), "it did not look at {id}: {findings:#?}");
    }
    let ours = findings.iter().filter(|finding| {
        weighty.iter().any(|weight| finding["severity"] == *weight) && is_about_us(finding)
    });
    assert_eq!(ours.collect::<Vec<_>>(), Vec::<&Value>::new());
}
