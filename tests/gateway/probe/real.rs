//! Before a real upstream: a canary in a file of bob's says what got through.

use super::careless::{self, ALICES, BOBS, decoded, file, walked};
use super::{Told, text};
use crate::support::answer::Answer;
use crate::support::gateway::TestGateway;
use crate::support::upstream::TestUpstream;

#[test]
fn a_canary_that_comes_back_is_an_escape() {
    let url = format!("http://{}", careless::start(|path| file(&walked(&decoded(path)))));

    let told = Told::run(&[
        "--url",
        &url,
        "--canary",
        BOBS,
        "--credential",
        "alice:any",
        "--own",
        "/files/alice/one.txt",
        "--theirs",
        "/files/bob/two.txt",
    ]);

    assert_eq!(told.code, 1);
    let families = told.families("escaped");
    for family in ["dot-segments", "encodings", "separators", "prefixes", "host"] {
        assert!(families[family] > 0, "{family}: {families:?}");
    }
}

#[test]
fn the_gateway_keeps_the_canary_and_nothing_is_written() {
    let upstream = TestUpstream::answering(|request| match file(&request.target) {
        Some(body) => Answer::ok(body),
        None => Answer::status(404, &[], ""),
    });
    let upstream = upstream.start();
    let gateway = TestGateway::before(&upstream)
        .section(
            "routes.all",
            "upstream = \"files\"\npath = \"/files\"\nhome = { in = [\"path\"] }",
        )
        .start();
    let url = format!("http://{}", gateway.address("main"));

    let told = Told::run(&[
        "--url",
        &url,
        "--canary",
        BOBS,
        "--credential",
        "alice:wonderland-of-alice",
        "--own",
        "/files/alice/one.txt",
        "--theirs",
        "/files/bob/two.txt",
    ]);

    let escaped = told.findings("escaped");
    assert!(escaped.is_empty(), "{escaped:#?}");
    assert_eq!(told.code, 0);
    assert!(told.findings("refused").len() > 400);
    for request in upstream.requests() {
        let is_safe = matches!(&*request.method, "GET" | "HEAD" | "OPTIONS" | "PROPFIND");
        assert!(is_safe, "{request:?}");
    }
}

#[test]
fn who_does_not_get_in_proves_nothing() {
    let upstream = TestUpstream::answering(|_| Answer::ok(ALICES)).start();
    let gateway = TestGateway::before(&upstream).start();
    let url = format!("http://{}", gateway.address("main"));

    let output = super::probe(&[
        "--as",
        "alice",
        "--against",
        "bob",
        "--url",
        &url,
        "--canary",
        BOBS,
        "--credential",
        "alice:wrong",
        "--own",
        "/files/alice/one.txt",
        "--theirs",
        "/files/bob/two.txt",
    ]);

    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("status 401"), "{}", text(&output.stderr));
}
