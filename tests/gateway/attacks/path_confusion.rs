//! Paths, hosts and targets that two readers read differently (section P).

mod climb;
mod fragment;
mod letter;
mod target;

use super::exchange::{authorization, get, status};
use crate::support::configuration::Builder;
use crate::support::gateway::TestGateway;
use crate::support::upstream::TestUpstream;

const HOMES: &str = "path = \"/files\"\n\
    home = { in = [\"path\", \"header:destination\", \"query:file\"], mode = \"require\" }";

/// One route with homes, and nothing beside it.
fn homes(upstream: &TestUpstream) -> Builder {
    TestGateway::before(upstream).route(HOMES)
}

/// None of `targets` passes with alice's token, and none reaches the upstream.
#[track_caller]
fn nothing_passes(gateway: &TestGateway, upstream: &TestUpstream, targets: &[String]) {
    let authorization = authorization("alice");
    for target in targets {
        let status = status(gateway, get(target, &authorization));
        assert!((400..500).contains(&status), "{target}: {status}");
    }
    upstream.assert_untouched();
    assert_eq!(status(gateway, get("/files/alice/x", &authorization)), 200);
}
