//! Pages for people with a browser: login, account, sessions, and `ClusterCockpit`'s form.

mod account;
mod away;
mod browser;
mod chromium;
mod clustercockpit;
mod forgery;
mod login;
mod route;
mod session;
mod totp;
mod visitor;

use crate::support::configuration::Builder;
use crate::support::gateway::TestGateway;
use crate::support::upstream::TestUpstream;

const STORE: &str = "sqlite = \"doorward.db\"\nsecret = \"what seals in the tests of the pages\"";

/// A gateway with pages at its root.
fn gateway(upstream: &TestUpstream) -> Builder {
    TestGateway::before(upstream)
        .section("store", STORE)
        .section("endpoints.page", "dialect = \"page\"\nissuer = \"local\"")
}
