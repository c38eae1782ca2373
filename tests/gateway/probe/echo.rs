//! The upstream's own reading, and the dialect that is proposed for it.

use super::careless::{self, Resolve, decoded, file, walked};
use super::{probe, text};

/// What `--upstream-echo` proposes for a server that resolves targets so.
fn proposed(resolve: Resolve) -> (Option<i32>, serde_json::Value) {
    let upstream = format!("http://{}", careless::start(resolve));

    let output = probe(&[
        "--upstream-echo",
        "--upstream",
        &upstream,
        "--json",
        "--file",
        "/files/alice/one.txt",
        "--file",
        "/files/bob/two.txt",
    ]);

    let out = text(&output.stdout);
    let json = serde_json::from_str(&out)
        .unwrap_or_else(|error| panic!("{error}: {out}{}", text(&output.stderr)));
    (output.status.code(), json)
}

fn without_parameters(path: &str) -> String {
    let names = path.split('/').map(|name| name.split(';').next().unwrap_or_default());
    names.collect::<Vec<_>>().join("/")
}

fn as_windows(path: &str) -> String {
    let path = path.replace('\\', "/").to_lowercase();
    let names = path.split('/').map(|name| match name {
        "." | ".." => name,
        name => name.split(':').next().unwrap_or_default().trim_end_matches(['.', ' ']),
    });
    names.collect::<Vec<_>>().join("/")
}

#[test]
fn each_kind_of_server_gets_its_dialect() {
    let servers: [(&str, Resolve, bool); 4] = [
        ("posix", |path| file(path), true),
        ("posix", |path| file(&walked(&decoded(path))), false),
        ("windows", |path| file(&walked(&as_windows(&decoded(path)))), false),
        ("tomcat", |path| file(&walked(&decoded(&without_parameters(path)))), false),
    ];
    for (dialect, resolve, may_be_raw) in servers {
        let (code, json) = proposed(resolve);

        assert_eq!(json["paths"], dialect, "{json:#}");
        assert_eq!(json["raw_would_do"], may_be_raw, "{json:#}");
        assert_eq!(code, Some(0));
    }
}

#[test]
fn a_server_that_no_dialect_covers_is_told_so() {
    let (code, json) =
        proposed(|path| file(&walked(&as_windows(&decoded(&without_parameters(path))))));

    assert_eq!(json["paths"], serde_json::Value::Null);
    assert_eq!(code, Some(1));
}

#[test]
fn a_server_that_answers_everything_alike_tells_nothing() {
    let upstream = format!("http://{}", careless::start(|_| Some("welcome")));

    let output = probe(&[
        "--upstream-echo",
        "--upstream",
        &upstream,
        "--file",
        "/files/alice/one.txt",
        "--file",
        "/files/bob/two.txt",
    ]);

    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("the same answer"), "{}", text(&output.stderr));
}
