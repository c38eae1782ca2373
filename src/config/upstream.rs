//! `[upstreams.NAME]`: where requests go.

use std::num::NonZeroUsize;
use std::time::Duration;

use crate::config::file;
use crate::config::findings::Findings;
use crate::config::key::Key;
use crate::resource::CanonicalHost;

/// Where requests go: an HTTP/1.1 origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    /// Its name in the configuration.
    pub name: String,
    /// Host name or address, an IPv6 address without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// The value of `Host` when a route says `host = "upstream"`: no port if it is 80.
    pub authority: String,
    /// Bounds resolving and connecting.
    pub connect_timeout: Duration,
    /// From the request's end to the response's first byte.
    pub first_byte_timeout: Duration,
    /// Silence of the upstream within a body.
    pub idle_timeout: Duration,
    /// An unused connection is closed after this.
    pub pool_idle: Duration,
    /// Connections per worker.
    pub pool_size: NonZeroUsize,
}

impl Upstream {
    pub(super) fn validate(
        name: String,
        raw: file::Upstream,
        findings: &mut Findings<'_>,
    ) -> Option<Self> {
        let file::Upstream {
            url,
            connect_timeout,
            first_byte_timeout,
            idle_timeout,
            pool_idle,
            pool_size,
        } = raw;
        let key = Key::of("upstreams").child(&name);
        findings.name(&key, &name);
        let mut time = |name: &str, raw: Option<String>, default: u64| {
            let range = Duration::from_millis(10)..=Duration::from_hours(24);
            let default = Duration::from_secs(default);
            findings.duration(&key.child(name), raw.as_deref(), default, range)
        };
        let connect_timeout = time("connect_timeout", connect_timeout, 3);
        let first_byte_timeout = time("first_byte_timeout", first_byte_timeout, 60);
        let idle_timeout = time("idle_timeout", idle_timeout, 60);
        let pool_idle = time("pool_idle", pool_idle, 60);
        let pool_size = findings.number(&key.child("pool_size"), pool_size, 512, 1..=65_536);
        let pool_size = usize::try_from(pool_size).ok().and_then(NonZeroUsize::new);
        match origin(&url) {
            Ok((host, port, authority)) => Some(Self {
                name,
                host,
                port,
                authority,
                connect_timeout,
                first_byte_timeout,
                idle_timeout,
                pool_idle,
                pool_size: pool_size.unwrap_or(NonZeroUsize::MIN),
            }),
            Err(reason) => {
                findings.error(&key.child("url"), reason);
                None
            }
        }
    }
}

/// Host, port and authority of an `http` URL that is nothing else.
fn origin(url: &str) -> Result<(String, u16, String), String> {
    const INSTEAD: &str = "write one such as \"http://127.0.0.1:9000\"";
    let Some((scheme, rest)) = url.split_once("://") else {
        return Err(format!("`{url}` is no URL: {INSTEAD}"));
    };
    if !scheme.eq_ignore_ascii_case("http") {
        return Err(format!("`{scheme}` is not spoken to upstreams: {INSTEAD}"));
    }
    if rest.contains('@') {
        return Err(format!("takes no user name and password: {INSTEAD}"));
    }
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    if authority.contains(['/', '?', '#']) {
        return Err(format!(
            "takes no path, query or fragment, requests keep their own: {INSTEAD}"
        ));
    }
    let host =
        CanonicalHost::parse(authority).map_err(|error| format!("`{url}` {error}: {INSTEAD}"))?;
    let port = host.port().unwrap_or(80);
    let name = host.name();
    let authority = if port == 80 { name.to_owned() } else { format!("{name}:{port}") };
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    Ok((bare.to_owned(), port, authority))
}
