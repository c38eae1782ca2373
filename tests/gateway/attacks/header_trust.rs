//! Headers that a client must not be able to speak through (section H).

mod credential;
mod identity;
mod way;

use std::fmt::Write as _;

use super::spelling::aliases;
use crate::support::upstream::Recorded;

/// By what applications behind gateways learn who it is.
const IDENTITY: &[&str] = &[
    "X-Forwarded-User",
    "X-Forwarded-Groups",
    "X-Forwarded-Email",
    "X-Forwarded-Roles",
    "X-Forwarded-Home",
    "X-Forwarded-Preferred-Username",
    "X-Forwarded-Access-Token",
    "X-Auth-Request-User",
    "X-Auth-Request-Email",
    "X-Auth-Request-Groups",
    "X-Auth-Request-Roles",
    "X-Auth-Request-Home",
    "X-Auth-User",
    "X-Auth-Username",
    "Remote-User",
    "Remote-Groups",
    "Remote-Email",
    "Remote-Name",
    "Remote-Roles",
    "Remote-Home",
    "X-Remote-User",
    "X-WebAuth-User",
    "X-Authenticated-User",
    "X-User",
    "X-Authentik-Username",
    "X-Vouch-User",
    "X-Pomerium-Claim-Email",
    "X-Consumer-Username",
    "X-SSL-Client-CN",
    "SSL-Client-CN",
];

/// By what they learn of the way that a request came.
const WAY: &[&str] = &[
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Forwarded-Port",
    "X-Forwarded-Prefix",
    "X-Forwarded-Uri",
    "X-Forwarded-Method",
    "X-Forwarded-Server",
    "X-Real-IP",
    "X-Client-IP",
    "True-Client-IP",
    "CF-Connecting-IP",
    "Forwarded",
];

/// By what they take a request for another one, or for one that was let through before.
const OVERRIDES: &[&str] = &[
    "X-Original-URL",
    "X-Original-URI",
    "X-Rewrite-URL",
    "X-HTTP-Method-Override",
    "X-HTTP-Method",
    "X-Method-Override",
    "X-Middleware-Subrequest",
    "Proxy",
    "HTTP2-Settings",
];

/// Lines of a head that forge every spelling of `name`.
fn forged(name: &str, value: &str) -> String {
    aliases(name).iter().fold(String::new(), |mut lines, name| {
        let _ = write!(lines, "{name}: {value}\r\n");
        lines
    })
}

fn head(request: &Recorded) -> String {
    String::from_utf8_lossy(&request.head).into_owned()
}
