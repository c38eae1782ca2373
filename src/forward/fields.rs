//! Writes the head that an upstream receives: the permitted target, the fields of the client
//! that may pass, then ours.

mod fate;

use std::cell::RefCell;

use bytes::BufMut;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};

use self::fate::{Fate, fate};
use crate::home::Conditional;
use crate::resource::CanonicalHost;
use crate::session::cookie::CookieName;

/// How the body of the request is framed towards the upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFraming {
    /// With the chunked coding.
    Chunked,
    /// By its length.
    Length(u64),
    /// There is none, and nothing is said about it.
    None,
}

/// What of a request's credentials is passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CredentialFields {
    /// Whether those that the route takes pass. Else they end here.
    pub passes: bool,
    /// Whether `X-Api-Key` is one of them. Else it is the upstream's own and passes.
    pub has_keys: bool,
    /// Whether the cookie of a session is one of them. Else it ends here in any case: it is for
    /// other routes.
    pub has_sessions: bool,
}

/// Whether fields that tell of the way so far are believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// The peer is a client: its word about addresses counts nothing.
    Client,
    /// The peer is one of `server.trusted_proxies`.
    Proxy,
}

/// Everything that makes up a request head towards an upstream.
#[derive(Debug)]
pub struct Head<'a> {
    /// The method, as the client gave it.
    pub method: &'a Method,
    /// Writes the permitted target.
    pub target: &'a crate::home::Target<'a>,
    /// The value of `Host`; `None`: what the client asked for.
    pub host: Option<&'a str>,
    /// The client's fields.
    pub fields: &'a HeaderMap,
    /// What of the credential passes.
    pub credential: CredentialFields,
    /// How far the peer's word about the way so far counts.
    pub trust: Trust,
    /// Fields about the client's address and the scheme, made once per connection; each ends
    /// in CR LF.
    pub peer_fields: &'a PeerFields,
    /// Fields that tell who it is, made once per principal; each ends in CR LF.
    pub identity: &'a [u8],
    /// The request id.
    pub request_id: &'a [u8],
    /// How the body is framed.
    pub framing: BodyFraming,
    /// The protocol to switch to, if that was asked for and is let through.
    pub upgrade: Option<&'a str>,
    /// Whether the answer must come without a content coding, since we have to read it.
    pub is_read: bool,
    /// The host that the client asked for, for `X-Forwarded-Host`.
    pub client_host: &'a CanonicalHost<'a>,
}

/// What is told of the client's connection.
#[derive(Debug)]
pub struct PeerFields {
    address: Box<str>,
    node: Box<str>,
    scheme: &'static str,
    block: Box<[u8]>,
    /// For the host that was asked for last: mostly it is the next request's as well.
    way: RefCell<Way>,
}

/// The block of a connection with what is told of one host.
#[derive(Debug, Default)]
struct Way {
    host: Box<str>,
    port: Option<u16>,
    block: Vec<u8>,
}

impl PeerFields {
    /// Fixes, once per connection, what upstreams are told of it.
    #[must_use]
    pub fn new(peer: std::net::IpAddr, scheme: &'static str, port: u16) -> Self {
        let address = peer.to_string().into_boxed_str();
        // RFC 7239 §6: an IPv6 address stands in brackets and quotes.
        let node = if peer.is_ipv6() { format!("\"[{address}]\"") } else { address.to_string() };
        let block = format!(
            "x-forwarded-for: {address}\r\nx-real-ip: {address}\r\nx-forwarded-proto: {scheme}\r\n\
             x-forwarded-port: {port}\r\n"
        );
        Self {
            address,
            node: node.into_boxed_str(),
            scheme,
            block: block.into_bytes().into_boxed_slice(),
            way: RefCell::default(),
        }
    }
}

impl Head<'_> {
    /// Writes the head.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.reserve(1024);
        out.put_slice(self.method.as_str().as_bytes());
        out.put_u8(b' ');
        self.target.write_path_and_query(out);
        out.put_slice(b" HTTP/1.1\r\n");
        match self.host {
            Some(host) => put(out, "host", host.as_bytes()),
            None => self.put_client_host(out, "host"),
        }
        let named = ConnectionOptions::of(self.fields);
        let mut has_cookies = false;
        let is_written_anew = self.target.content().is_some();
        for (name, value) in self.fields {
            has_cookies |= name == header::COOKIE;
            let passes = match fate(name) {
                Fate::Pass => true,
                Fate::ApiKey { is_alias } => {
                    !self.credential.has_keys || (self.credential.passes && !is_alias)
                }
                Fate::Credential => self.credential.passes,
                Fate::Drop | Fate::Proxy => false,
            };
            let passes = passes
                && !(self.is_read && name == header::ACCEPT_ENCODING)
                && !(is_written_anew && DIGESTS.contains(&name.as_str()));
            if passes && !named.contains(name) {
                put(out, name.as_str(), value.as_bytes());
            }
        }
        if has_cookies && !named.contains(&header::COOKIE) {
            self.write_cookies(out);
        }
        if let Some(destination) = self.target.destination() {
            out.put_slice(b"destination: ");
            self.write_uri(destination, out);
            out.put_slice(b"\r\n");
        }
        if let [first, others @ ..] = self.target.condition() {
            out.put_slice(b"if: ");
            self.write_lists(first, out);
            for lists in others {
                out.put_u8(b' ');
                self.write_lists(lists, out);
            }
            out.put_slice(b"\r\n");
        }
        match self.trust {
            Trust::Client => self.write_way(out),
            Trust::Proxy => self.write_extended_way(out),
        }
        put(out, "x-request-id", self.request_id);
        out.put_slice(self.identity);
        match self.framing {
            BodyFraming::Chunked => out.put_slice(b"transfer-encoding: chunked\r\n"),
            BodyFraming::Length(length) => {
                let length = HeaderValue::from(length);
                put(out, "content-length", length.as_bytes());
            }
            BodyFraming::None => {}
        }
        if let Some(protocol) = self.upgrade {
            out.put_slice(b"connection: upgrade\r\n");
            put(out, "upgrade", protocol.as_bytes());
        }
        out.put_slice(b"\r\n");
    }

    /// A path as a URI of the host that this request names: some servers take an absolute URI alone,
    /// and none that of another host (RFC 4918 §10.3).
    fn write_uri(&self, path: &str, out: &mut Vec<u8>) {
        out.put_slice(b"http://");
        match self.host {
            Some(host) => out.put_slice(host.as_bytes()),
            None => self.write_client_host(out),
        }
        out.put_slice(path.as_bytes());
    }

    fn write_lists(&self, lists: &Conditional<'_>, out: &mut Vec<u8>) {
        if let Some(path) = lists.path() {
            out.put_u8(b'<');
            self.write_uri(path, out);
            out.put_slice(b"> ");
        }
        out.put_slice(lists.lists().as_bytes());
    }

    fn put_client_host(&self, out: &mut Vec<u8>, name: &str) {
        out.put_slice(name.as_bytes());
        out.put_slice(b": ");
        self.write_client_host(out);
        out.put_slice(b"\r\n");
    }

    fn write_client_host(&self, out: &mut Vec<u8>) {
        out.put_slice(self.client_host.name().as_bytes());
        if let Some(port) = self.client_host.port() {
            // Written by hand: formatting goes through a buffer of its own.
            let digit = |unit| b'0' + u8::try_from(port / unit % 10).unwrap_or(0);
            let digits = [10_000, 1_000, 100, 10, 1].map(digit);
            let first = digits.iter().position(|&digit| digit != b'0').unwrap_or(4);
            out.put_u8(b':');
            out.put_slice(digits.get(first..).unwrap_or_default());
        }
    }

    /// HTTP/2 may split cookies over several fields; HTTP/1.1 has one (RFC 9113 §8.2.3). Those that
    /// prove who somebody is to the gateway are no upstream's business.
    fn write_cookies(&self, out: &mut Vec<u8>) {
        let keeps_ours = self.credential.passes && self.credential.has_sessions;
        let mut between: &[u8] = b"cookie: ";
        let mut put = |cookies: &[u8]| {
            out.put_slice(between);
            out.put_slice(cookies);
            between = b"; ";
        };
        for cookies in self.fields.get_all(header::COOKIE) {
            let cookies = cookies.as_bytes();
            if keeps_ours || !may_hold_ours(cookies) {
                put(cookies);
                continue;
            }
            for pair in cookies.split(|&byte| byte == b';').map(<[u8]>::trim_ascii) {
                if !pair.is_empty() && !is_ours(pair) {
                    put(pair);
                }
            }
        }
        if between == b"; " {
            out.put_slice(b"\r\n");
        }
    }

    fn write_way(&self, out: &mut Vec<u8>) {
        let mut way = self.peer_fields.way.borrow_mut();
        let host = self.client_host;
        if *way.host != *host.name() || way.port != host.port() {
            let mut block = std::mem::take(&mut way.block);
            block.clear();
            block.put_slice(&self.peer_fields.block);
            self.put_client_host(&mut block, "x-forwarded-host");
            block.put_slice(b"forwarded: for=");
            self.write_forwarded_element(&mut block);
            *way = Way { host: host.name().into(), port: host.port(), block };
        }
        out.put_slice(&way.block);
    }

    fn write_forwarded_element(&self, out: &mut Vec<u8>) {
        out.put_slice(self.peer_fields.node.as_bytes());
        out.put_slice(b";host=\"");
        self.write_client_host(out);
        out.put_slice(b"\";proto=");
        out.put_slice(self.peer_fields.scheme.as_bytes());
        out.put_slice(b"\r\n");
    }

    /// The peer is trusted: its word stands, and it is added to the chain itself.
    fn write_extended_way(&self, out: &mut Vec<u8>) {
        let peer = &self.peer_fields;
        for (name, added) in [
            ("x-forwarded-for", Some(&*peer.address)),
            ("x-real-ip", None),
            ("x-forwarded-proto", None),
            ("x-forwarded-host", None),
            ("x-forwarded-port", None),
        ] {
            let mut values = self.fields.get_all(name).iter();
            match (added, values.next_back()) {
                (Some(added), last) => {
                    out.put_slice(name.as_bytes());
                    out.put_slice(b": ");
                    for value in values.chain(last) {
                        out.put_slice(value.as_bytes());
                        out.put_slice(b", ");
                    }
                    out.put_slice(added.as_bytes());
                    out.put_slice(b"\r\n");
                }
                // Of several the last is what the proxy added.
                (None, Some(last)) => put(out, name, last.as_bytes()),
                (None, None) => match name {
                    "x-real-ip" => put(out, name, peer.address.as_bytes()),
                    "x-forwarded-proto" => put(out, name, peer.scheme.as_bytes()),
                    "x-forwarded-host" => self.put_client_host(out, name),
                    _ => {}
                },
            }
        }
        out.put_slice(b"forwarded: ");
        let values = self.fields.get_all(header::FORWARDED);
        // An open quote would take in what we add: then nothing of it can be believed.
        if values.iter().all(|value| has_closed_quotes(value.as_bytes())) {
            for value in values {
                out.put_slice(value.as_bytes());
                out.put_slice(b", ");
            }
        }
        out.put_slice(b"for=");
        self.write_forwarded_element(out);
    }
}

/// What is said of a body byte by byte, and no longer holds of one that is written anew.
const DIGESTS: [&str; 4] = ["content-digest", "content-md5", "digest", "repr-digest"];

/// What the names of all our cookies hold.
const OUR_COOKIES: &[u8] = b"doorward";

fn may_hold_ours(cookies: &[u8]) -> bool {
    memchr::memmem::find(cookies, OUR_COOKIES).is_some()
}

/// Whether a pair is a cookie of ours, for whatever connection it was made.
fn is_ours(pair: &[u8]) -> bool {
    let name = pair.split(|&byte| byte == b'=').next().unwrap_or_default().trim_ascii();
    [true, false].into_iter().any(|secure| {
        name == CookieName::Session { secure }.as_str().as_bytes()
            || name == CookieName::Form { secure }.as_str().as_bytes()
    })
}

/// Whether every quoted string has its end (RFC 9110 §5.6.4).
fn has_closed_quotes(value: &[u8]) -> bool {
    let (mut is_quoted, mut is_escaped) = (false, false);
    for &byte in value {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_quoted => is_escaped = true,
            b'"' => is_quoted = !is_quoted,
            _ => {}
        }
    }
    !is_quoted
}

fn put(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.put_slice(name.as_bytes());
    out.put_slice(b": ");
    out.put_slice(value);
    out.put_slice(b"\r\n");
}

/// The fields that a client's `Connection` names, which end here (RFC 9110 §7.6.1).
struct ConnectionOptions<'a>(Vec<&'a [u8]>);

impl<'a> ConnectionOptions<'a> {
    fn of(fields: &'a HeaderMap) -> Self {
        let mut named = Vec::new(); // without `Connection` nothing is allocated
        for value in fields.get_all(header::CONNECTION) {
            for option in value.as_bytes().split(|&byte| byte == b',').map(<[u8]>::trim_ascii) {
                let is_common = option.eq_ignore_ascii_case(b"keep-alive")
                    || option.eq_ignore_ascii_case(b"close")
                    || option.eq_ignore_ascii_case(b"upgrade");
                if !is_common && !option.is_empty() {
                    named.push(option);
                }
            }
        }
        Self(named)
    }

    fn contains(&self, name: &HeaderName) -> bool {
        self.0.iter().any(|option| option.eq_ignore_ascii_case(name.as_str().as_bytes()))
    }
}

#[cfg(test)]
mod tests;
