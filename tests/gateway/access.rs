//! Policy: which route, which permission, which home; and what is refused before it.

mod home;
mod route;

use crate::support::configuration::Builder;
use crate::support::gateway::TestGateway;
use crate::support::upstream::TestUpstream;

fn targets(upstream: &TestUpstream) -> Vec<String> {
    upstream.requests().into_iter().map(|request| request.target).collect()
}

fn routes(upstream: &TestUpstream, routes: &[(&'static str, &str)]) -> Builder {
    let mut builder = TestGateway::before(upstream).section("routes.all", "");
    for (name, text) in routes {
        builder = builder.section(name, &format!("upstream = \"files\"\n{text}"));
    }
    builder
}
