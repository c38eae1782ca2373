//! A record as one line: JSON for machines, text for people.

use std::{
    io::Write,
    net::{IpAddr, SocketAddr},
};

use super::{
    escape::{quoted, word},
    record::{Ambiguity, Record},
};

/// The name of a member as it stands in a line: behind a comma, in quotes, with its colon.
macro_rules! name {
    ($name:literal) => {
        concat!(",\"", $name, "\":")
    };
}

const METHOD_LIMIT: usize = 32;
const NAME_LIMIT: usize = 128;
const HOST_LIMIT: usize = 255;
const PATH_LIMIT: usize = 1024;

/// The date and time of a second, kept until the second is over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stamp {
    second: u64,
    text: [u8; 19],
}

impl Stamp {
    pub(super) fn new() -> Self {
        Self { second: 0, text: *b"1970-01-01T00:00:00" }
    }

    /// Appends the time as RFC 3339 has it, in UTC with milliseconds.
    fn write(&mut self, out: &mut Vec<u8>, unix_ms: u64) {
        let second = unix_ms / 1000;
        if second != self.second {
            self.text = date_time(second);
            self.second = second;
        }
        out.extend_from_slice(&self.text);
        out.push(b'.');
        padded(out, unix_ms % 1000, 3);
        out.push(b'Z');
    }
}

fn date_time(second: u64) -> [u8; 19] {
    let (year, month, day) = civil(second / 86_400);
    let time = second % 86_400;
    let mut text = Vec::with_capacity(19);
    for (value, width, separator) in [
        (year.min(9999), 4, Some(b'-')),
        (month, 2, Some(b'-')),
        (day, 2, Some(b'T')),
        (time / 3600, 2, Some(b':')),
        (time / 60 % 60, 2, Some(b':')),
        (time % 60, 2, None),
    ] {
        padded(&mut text, value, width);
        text.extend(separator);
    }
    text.try_into().unwrap_or(*b"9999-12-31T23:59:59")
}

/// Days since 1970-01-01 as year, month and day of the Gregorian calendar, counted from 1 March of
/// year 0, where the leap day is a year's last.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

/// The members that tell of a connection, each behind a comma; see [`super::origin`].
pub(super) fn origin(listener: &str, peer: SocketAddr) -> Vec<u8> {
    let mut out = Vec::with_capacity(80);
    named(&mut out, name!("listener"), Some(listener));
    key(&mut out, name!("peer.address"));
    out.push(b'"');
    ip(&mut out, peer.ip());
    out.extend_from_slice(b"\",\"peer.port\":");
    number(&mut out, u64::from(peer.port()));
    out
}

/// Appends a record as one line of JSON. What is not known is left out: lines are most of what a
/// busy gateway writes.
pub(super) fn json(out: &mut Vec<u8>, stamp: &mut Stamp, record: &Record<'_>) {
    out.extend_from_slice(b"{\"time\":\"");
    stamp.write(out, record.time_unix_ms);
    out.extend_from_slice(b"\",\"log\":\"access\",\"request.id\":");
    quoted(out, record.request_id, NAME_LIMIT);
    if let Some(decision) = record.decision_id {
        key(out, name!("decision.id"));
        out.push(b'"');
        out.extend_from_slice(decision);
        out.push(b'"');
    }
    out.extend_from_slice(record.origin.json());
    if let Some(client) = record.client {
        key(out, name!("client.address"));
        out.push(b'"');
        ip(out, client);
        out.push(b'"');
    }
    label(out, name!("protocol"), record.protocol);
    if !record.method.is_empty() {
        text(out, name!("method"), record.method, METHOD_LIMIT);
    }
    if let Some(host) = record.host {
        text(out, name!("host"), host, HOST_LIMIT);
    }
    if !record.path.is_empty() {
        key(out, name!("path"));
        quoted(out, shown_path(record.path), PATH_LIMIT);
        if record.has_query {
            out.pop();
            out.extend_from_slice("?…\"".as_bytes());
        }
    }
    integer(out, name!("status"), u64::from(record.status));
    label(out, name!("verdict"), record.verdict.as_str());
    label(out, name!("reason"), record.reason);
    if let Some(Ambiguity { part, readings: [one, other] }) = record.ambiguity {
        label(out, name!("ambiguous"), part);
        key(out, name!("readings"));
        for part in ["[\"", one, "\",\"", other, "\"]"] {
            out.extend_from_slice(part.as_bytes());
        }
    }
    optional(out, name!("user.name"), record.user);
    named(out, name!("credential"), record.credential);
    named(out, name!("authority"), record.authority);
    named(out, name!("route"), record.route);
    named(out, name!("endpoint"), record.endpoint);
    named(out, name!("upstream"), record.upstream);
    integer(out, name!("request.bytes"), record.request_bytes);
    integer(out, name!("response.bytes"), record.response_bytes);
    integer(out, name!("duration_us"), record.duration_us);
    if let Some(microseconds) = record.first_byte_us {
        integer(out, name!("first_byte_us"), microseconds);
    }
    integer(out, name!("generation"), record.generation);
    if let Some(user_agent) = record.user_agent {
        key(out, name!("user_agent"));
        quoted(out, user_agent, NAME_LIMIT);
    }
    out.extend_from_slice(b"}\n");
}

/// Appends a record as one line for people: time, verdict, status, method, host and path, and then
/// what is known, as `name=value`.
pub(super) fn plain(out: &mut Vec<u8>, stamp: &mut Stamp, record: &Record<'_>) {
    stamp.write(out, record.time_unix_ms);
    out.push(b' ');
    out.extend_from_slice(record.verdict.as_str().as_bytes());
    out.push(b' ');
    number(out, u64::from(record.status));
    out.push(b' ');
    or_dash(out, record.method.as_bytes(), METHOD_LIMIT);
    out.push(b' ');
    or_dash(out, shown_path(record.path), PATH_LIMIT);
    if record.has_query {
        out.extend_from_slice("?…".as_bytes());
    }
    pair(out, "reason", Some(record.reason));
    if let Some(Ambiguity { part, readings: [one, other] }) = record.ambiguity {
        pair(out, "ambiguous", Some(part));
        for part in [" readings=\"", one, "|", other, "\""] {
            out.extend_from_slice(part.as_bytes());
        }
    }
    pair(out, "user", record.user);
    pair(out, "credential", record.credential);
    pair(out, "authority", record.authority);
    pair(out, "host", record.host);
    pair(out, "route", record.route);
    pair(out, "endpoint", record.endpoint);
    pair(out, "upstream", record.upstream);
    out.extend_from_slice(b" peer=");
    socket(out, record.origin.peer());
    if let Some(client) = record.client {
        out.extend_from_slice(b" client=");
        ip(out, client);
    }
    pair(out, "listener", Some(record.origin.listener()));
    pair(out, "protocol", Some(record.protocol));
    out.extend_from_slice(b" bytes=");
    number(out, record.request_bytes);
    out.push(b'/');
    number(out, record.response_bytes);
    out.extend_from_slice(b" took=");
    milliseconds(out, record.duration_us);
    if let Some(microseconds) = record.first_byte_us {
        out.extend_from_slice(b" first_byte=");
        milliseconds(out, microseconds);
    }
    out.extend_from_slice(b" generation=");
    number(out, record.generation);
    bytes(out, "request", record.request_id);
    if let Some(decision) = record.decision_id {
        bytes(out, "decision", decision);
    }
    if let Some(agent) = record.user_agent {
        out.extend_from_slice(b" agent=");
        word(out, agent, NAME_LIMIT);
    }
    out.push(b'\n');
}

/// Appends a word; a dash for what could not be read.
fn or_dash(out: &mut Vec<u8>, value: &[u8], limit: usize) {
    if value.is_empty() { out.push(b'-') } else { word(out, value, limit) }
}

/// What of a target may be shown: no query, no fragment, and no authority, in which a password
/// could stand (`http://user:password@host/path`).
fn shown_path(target: &[u8]) -> &[u8] {
    let end = memchr::memchr2(b'?', b'#', target).unwrap_or(target.len());
    let path = target.get(..end).unwrap_or(target);
    if path.first().is_none_or(|&first| first == b'/') {
        return path;
    }
    match memchr::memmem::find(path, b"//") {
        Some(authority) => {
            let rest = path.get(authority + 2..).unwrap_or_default();
            memchr::memchr(b'/', rest).and_then(|start| rest.get(start..)).unwrap_or(b"/")
        }
        None if path.contains(&b'@') => b"",
        None => path,
    }
}

#[inline]
fn key(out: &mut Vec<u8>, name: &'static str) {
    out.extend_from_slice(name.as_bytes());
}

#[inline]
fn text(out: &mut Vec<u8>, name: &'static str, value: &str, limit: usize) {
    key(out, name);
    quoted(out, value.as_bytes(), limit);
}

/// A word of ours, in which there is nothing to escape.
#[inline]
fn label(out: &mut Vec<u8>, name: &'static str, word: &'static str) {
    key(out, name);
    out.push(b'"');
    out.extend_from_slice(word.as_bytes());
    out.push(b'"');
}

/// A name that cannot hold anything to escape: a word or an id of ours, or a name of the
/// configuration, which takes letters, digits, `-` and `_` alone.
#[inline]
fn named(out: &mut Vec<u8>, name: &'static str, value: Option<&str>) {
    let Some(value) = value else { return };
    key(out, name);
    out.push(b'"');
    out.extend_from_slice(value.as_bytes());
    out.push(b'"');
}

#[inline]
fn optional(out: &mut Vec<u8>, name: &'static str, value: Option<&str>) {
    if let Some(value) = value {
        text(out, name, value, NAME_LIMIT);
    }
}

#[inline]
fn integer(out: &mut Vec<u8>, name: &'static str, value: u64) {
    key(out, name);
    number(out, value);
}

fn pair(out: &mut Vec<u8>, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        bytes(out, name, value.as_bytes());
    }
}

fn bytes(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.push(b' ');
    out.extend_from_slice(name.as_bytes());
    out.push(b'=');
    word(out, value, HOST_LIMIT);
}

fn milliseconds(out: &mut Vec<u8>, microseconds: u64) {
    number(out, microseconds / 1000);
    out.push(b'.');
    padded(out, microseconds % 1000, 3);
    out.extend_from_slice(b"ms");
}

fn number(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Appends `value` in decimal, with zeros in front up to `width`.
fn padded(out: &mut Vec<u8>, mut value: u64, width: usize) {
    let mut digits = [b'0'; 20];
    let mut length = 0;
    for digit in digits.iter_mut().rev() {
        if value == 0 && length >= width {
            break;
        }
        *digit = b'0' + u8::try_from(value % 10).unwrap_or_default();
        value /= 10;
        length += 1;
    }
    out.extend_from_slice(digits.get(20 - length..).unwrap_or_default());
}

fn ip(out: &mut Vec<u8>, address: IpAddr) {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            for (place, octet) in address.octets().into_iter().enumerate() {
                if place > 0 {
                    out.push(b'.');
                }
                number(out, u64::from(octet));
            }
        }
        IpAddr::V6(address) => {
            let _ = write!(out, "{address}"); // a Vec takes everything
        }
    }
}

fn socket(out: &mut Vec<u8>, peer: SocketAddr) {
    let is_v6 = peer.ip().to_canonical().is_ipv6();
    if is_v6 {
        out.push(b'[');
    }
    ip(out, peer.ip());
    if is_v6 {
        out.push(b']');
    }
    out.push(b':');
    number(out, u64::from(peer.port()));
}

#[cfg(test)]
mod tests;
