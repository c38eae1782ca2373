//! The same gateway with curl, which knows nothing of this code.

use std::process::Command;

use crate::support::gateway::TestGateway;
use crate::support::programs::available;
use crate::support::tokens::Token;
use crate::support::upstream::TestUpstream;

/// Runs curl over TLS against `path`; gives the status, the HTTP version and what it printed.
#[track_caller]
fn curl(gateway: &TestGateway, path: &str, arguments: &[&str]) -> (String, String) {
    let port = gateway.address("tls").port();
    gateway.files().write("ca.pem", gateway.authority().pem());
    let output = Command::new("curl")
        .args(["--silent", "--show-error", "--path-as-is", "--max-time", "20", "--cacert"])
        .arg(gateway.files().path("ca.pem"))
        .args(["--resolve", &format!("files.test:{port}:127.0.0.1")])
        .args(["--write-out", "\n%{http_code} %{http_version}"])
        .args(arguments)
        .arg(format!("https://files.test:{port}{path}"))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (body, summary) = text.rsplit_once('\n').unwrap();
    (summary.to_owned(), body.to_owned())
}

#[test]
fn curl_is_served_over_both_protocols() {
    if !available("curl") {
        return;
    }
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();
    let bearer = format!("Authorization: Bearer {}", Token::of("alice").signed());

    for (flag, version) in [("--http1.1", "1.1"), ("--http2", "2")] {
        let ok = (format!("200 {version}"), "hello".to_owned());
        assert_eq!(curl(&gateway, "/x", &[flag, "-u", "alice:wonderland-of-alice"]), ok);
        assert_eq!(curl(&gateway, "/x", &[flag, "-H", &bearer]), ok);
        let put = [flag, "-H", &bearer, "-X", "PUT", "--data-binary", "content"];
        assert_eq!(curl(&gateway, "/x", &put), ok);
    }

    assert!(upstream.requests().iter().all(|r| r.header("x-forwarded-user") == Some("alice")));
    assert_eq!(upstream.requests().last().unwrap().text(), "content");
}

#[test]
fn curl_is_refused_over_both_protocols() {
    if !available("curl") {
        return;
    }
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream)
        .route("path = \"/files\"\nhome = { in = [\"path\"], mode = \"require\" }")
        .start();
    let alice = ["-u", "alice:wonderland-of-alice"];

    for flag in ["--http1.1", "--http2"] {
        let status = |path: &str, arguments: &[&str]| {
            let (summary, _) = curl(&gateway, path, &[&[flag], arguments].concat());
            summary[..3].to_owned()
        };
        assert_eq!(status("/files/alice/x", &[]), "401");
        assert_eq!(status("/files/alice/x", &["-u", "alice:wrong"]), "401");
        assert_eq!(status("/files/bob/x", &alice), "403");
        assert_eq!(status("/files/alice/../bob/x", &alice), "400");
        assert_eq!(status("/elsewhere", &alice), "404");
        assert_eq!(status("/files/alice/x", &[&alice[..], &["-X", "PATCHY"]].concat()), "405");
    }

    upstream.assert_untouched();
}
