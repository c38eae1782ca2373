//! Tokens that were not issued: unsigned, signed with what everybody knows, ambiguous, of another
//! kind. Wherever a token may stand they are refused, and nothing goes upstream.

mod confused;
mod forged;
mod keys;
mod shape;

use crate::support::configuration::Builder;
use crate::support::gateway::TestGateway;
use crate::support::tokens::{Token, basic};
use crate::support::upstream::TestUpstream;

/// A gateway that lets nobody wait: what is no token is a password, and wrong.
fn before(upstream: &TestUpstream) -> Builder {
    TestGateway::before(upstream)
        .section("throttle", "failures = 100000\nfailures_per_address = 100000")
}

/// Presents each token in each place that takes one; all are refused, and none by an error of ours.
#[track_caller]
fn assert_refused<'a>(
    gateway: &TestGateway,
    upstream: &TestUpstream,
    tokens: impl IntoIterator<Item = &'a String>,
) {
    let mut client = gateway.connect();
    for token in tokens {
        for (name, value) in [
            ("Authorization", format!("Bearer {token}")),
            ("X-Auth-Token", token.clone()),
            ("Authorization", basic("alice", token)),
        ] {
            let response = gateway.get("/x").header(name, &value).send_over(&mut client);
            let shown = &token[..token.len().min(300)];
            assert_eq!(response.status(), 401, "{name}: {shown}: {}", response.text());
        }
    }
    upstream.assert_untouched();
}

/// A good token gets through after all that, so that the refusals were about the tokens.
#[track_caller]
fn assert_serves(gateway: &TestGateway, token: &str) {
    assert_eq!(gateway.get("/x").token(token).send().status(), 200, "{token}");
}

/// The parts of a good token of alice's.
fn parts() -> [String; 3] {
    let token = Token::of("alice").signed();
    let parts = token.split('.').map(str::to_owned).collect::<Vec<_>>();
    parts.try_into().unwrap()
}
