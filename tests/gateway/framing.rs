//! What is not exactly one HTTP request is no request: the answer is a refusal or a closed
//! connection, and the upstream sees nothing of it.

mod body;
mod head;
mod http2;
mod mutation;

use crate::support::client::Response;
use crate::support::gateway::TestGateway;
use crate::support::tokens::Token;
use crate::support::upstream::TestUpstream;

/// A gateway that waits for no more than two seconds, so that none of what is sent here looks
/// like the beginning of something good.
fn gateway(upstream: &TestUpstream) -> TestGateway {
    let limits = "header_timeout = \"2s\"
body_idle_timeout = \"2s\"";
    TestGateway::before(upstream).section("limits", limits).start()
}

fn authorization() -> String {
    format!("Authorization: Bearer {}\r\n", Token::of("alice").signed())
}

/// Sends exactly `bytes` and reads one answer. `None`: closed without one.
fn outcome(gateway: &TestGateway, bytes: &[u8]) -> Option<Response> {
    let mut client = gateway.connect();
    let _ = client.try_send(bytes);
    client.response_to("GET").ok()
}

/// Sends `text`, where `{auth}` is a good credential: it must be answered with one of `statuses`,
/// or with nothing.
#[track_caller]
fn refused(gateway: &TestGateway, text: &str, statuses: &[u16]) {
    let bytes = text.replace("{auth}", &authorization());
    let outcome = outcome(gateway, bytes.as_bytes());
    let fits = outcome.as_ref().is_none_or(|response| statuses.contains(&response.status()));
    assert!(fits, "{text:?} gave {outcome:?}");
}
