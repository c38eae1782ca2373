//! What is not exactly one HTTP request is no request: the answer is a refusal or a closed
//! connection, and the upstream sees nothing of it.

mod body;
mod head;
mod http2;

use crate::support::client::Response;
use crate::support::gateway::TestGateway;
use crate::support::tokens::Token;
use crate::support::upstream::TestUpstream;

fn gateway(upstream: &TestUpstream) -> TestGateway {
    TestGateway::before(upstream).start()
}

fn authorization() -> String {
    format!("Authorization: Bearer {}\r\n", Token::of("alice").signed())
}

/// Sends `head`, where `{auth}` is a good credential, then a second request that must not be
/// answered as if it were the first's. `None`: closed without an answer.
fn outcome(gateway: &TestGateway, bytes: &[u8]) -> Option<Response> {
    let mut client = gateway.connect();
    let _ = client.try_send(bytes);
    client.finish();
    client.response_to("GET").ok()
}

#[track_caller]
fn refused(gateway: &TestGateway, text: &str, statuses: &[u16]) {
    let bytes = text.replace("{auth}", &authorization());
    let outcome = outcome(gateway, bytes.as_bytes());
    let fits = outcome.as_ref().is_none_or(|response| statuses.contains(&response.status()));
    assert!(fits, "{text:?} gave {outcome:?}");
}
