//! Messages that two readers end in different places (section S).

mod http1;
mod http2;
mod reuse;
mod transducer;

use super::exchange::{answer, authorization, is_refusal, status};
use crate::support::gateway::TestGateway;
use crate::support::upstream::TestUpstream;

/// A gateway that waits for no more than two seconds, so that none of what is sent here looks like
/// the beginning of something good.
fn gateway(upstream: &TestUpstream) -> TestGateway {
    let limits = "header_timeout = \"2s\"\nbody_idle_timeout = \"2s\"";
    TestGateway::before(upstream).section("limits", limits).start()
}

/// Stands behind messages, or in their bodies: an upstream that sees it was desynchronised. It has
/// no credential, so that the gateway, where it reads it as a request, refuses it.
const HIDDEN: &str = "GET /hidden HTTP/1.1\r\nHost: files.test\r\n\r\n";

/// POST /x with alice's token, these lines, and this body.
fn post(lines: &str, body: &str) -> String {
    format!("POST /x HTTP/1.1\r\nHost: files.test\r\n{}{lines}\r\n{body}", authorization("alice"))
}

/// Each of `texts` is refused with one of `statuses`, or by closing; nothing reaches the upstream.
#[track_caller]
fn refused(gateway: &TestGateway, upstream: &TestUpstream, texts: &[String], statuses: &[u16]) {
    for text in texts {
        let status = status(gateway, text);
        assert!(status == 0 || statuses.contains(&status), "{text:?}: {status}");
    }
    upstream.assert_untouched();
}

/// Nothing that reached the upstream was hidden in something else, and all of it is alice's.
#[track_caller]
fn nothing_hidden(upstream: &TestUpstream) {
    for request in upstream.requests() {
        assert_ne!(request.target, "/hidden", "{request:?}");
        assert_eq!(request.header("x-forwarded-user"), Some("alice"), "{request:?}");
    }
}
