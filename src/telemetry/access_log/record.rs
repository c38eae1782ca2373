//! What a line of the access log tells.

use super::origin::Origin;

/// Whether the gateway let a request pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was permitted; what came of it is in the status.
    Allow,
    /// The gateway refused it.
    Deny,
}

impl Verdict {
    /// As it stands in the log.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }
}

/// What was refused because two servers could read it differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ambiguity {
    /// The part of the request.
    pub part: &'static str,
    /// The two readings.
    pub readings: [&'static str; 2],
}

/// One request and what became of it, borrowed from where the values stand.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// When the request's head had been read, in Unix milliseconds.
    pub time_unix_ms: u64,
    /// The request's id, taken or made.
    pub request_id: &'a [u8],
    /// The refusal's id; `None` when allowed.
    pub decision_id: Option<&'a [u8]>,
    /// Who connected to us, and where.
    pub origin: &'a Origin,
    /// The client's address as a trusted proxy tells it, where it is not the peer's.
    pub client: Option<std::net::IpAddr>,
    /// `HTTP/1.0`, `HTTP/1.1` or `HTTP/2`.
    pub protocol: &'static str,
    /// The method, as it came; empty: it could not be read.
    pub method: &'a str,
    /// The host that the request named, canonical where it could be parsed.
    pub host: Option<&'a str>,
    /// The canonical path; where the request was refused before there was one, the raw target.
    /// Empty: it could not be read. Anything from the first `?` or `#` is left out here in any case, and an authority.
    pub path: &'a [u8],
    /// Whether there was a query. It is shown as `?…`, never with its content.
    pub has_query: bool,
    /// The status that was answered; 0 when the peer went away before.
    pub status: u16,
    /// Whether it was let pass.
    pub verdict: Verdict,
    /// The decision's reason, a label of ours.
    pub reason: &'static str,
    /// What of the request had two readings, and which; words of ours.
    pub ambiguity: Option<Ambiguity>,
    /// The principal's name, or the name that a refused client claimed.
    pub user: Option<&'a str>,
    /// The kind of credential that was presented.
    pub credential: Option<&'a str>,
    /// The issuer or the directory that vouched for the principal.
    pub authority: Option<&'a str>,
    /// The route's name.
    pub route: Option<&'a str>,
    /// The name of the endpoint of ours that was asked.
    pub endpoint: Option<&'a str>,
    /// The upstream's name.
    pub upstream: Option<&'a str>,
    /// Bytes of the request's body.
    pub request_bytes: u64,
    /// Bytes of the response's body.
    pub response_bytes: u64,
    /// From the request's head to the end of the response.
    pub duration_us: u64,
    /// From handing the request to the upstream to its response's head.
    pub first_byte_us: Option<u64>,
    /// The snapshot's number.
    pub generation: u64,
    /// The User-Agent header, as it came.
    pub user_agent: Option<&'a [u8]>,
}
