//! `[limits]` and `[listeners.NAME.limits]`: what a peer may take.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::config::file;
use crate::config::findings::Findings;
use crate::config::key::Key;

/// The bounds of one listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Open connections.
    pub connections: NonZeroU32,
    /// Open connections of one address that is no trusted proxy; `None`: as many as the listener
    /// has.
    pub connections_per_address: Option<NonZeroU32>,
    /// From accept to the end of the TLS handshake.
    pub handshake_timeout: Duration,
    /// From the first byte of a request to the end of its headers.
    pub header_timeout: Duration,
    /// Silence while a body is awaited, or while the client does not read.
    pub body_idle_timeout: Duration,
    /// Silence between two requests.
    pub keep_alive_timeout: Duration,
    /// Silence between two requests after which an HTTP/1.1 connection is parked; `None`: never.
    pub park_after: Option<Duration>,
    /// Bytes of a request line.
    pub request_line: usize,
    /// Bytes of all header fields of a request.
    pub header_bytes: usize,
    /// Header fields of a request.
    pub header_count: usize,
    /// Concurrent HTTP/2 streams of a connection.
    pub h2_streams: NonZeroU32,
    /// `RST_STREAM` frames of a connection within 10 s.
    pub h2_resets: NonZeroU32,
    /// PING, SETTINGS, PRIORITY, empty DATA and the like of a connection within 10 s.
    pub h2_control_frames: NonZeroU32,
}

const fn at_least_one(number: u32) -> NonZeroU32 {
    match NonZeroU32::new(number) {
        Some(number) => number,
        None => NonZeroU32::MIN,
    }
}

impl Default for Limits {
    /// What holds where the configuration says nothing.
    fn default() -> Self {
        Self {
            connections: at_least_one(16_384),
            connections_per_address: Some(at_least_one(1024)),
            handshake_timeout: Duration::from_secs(10),
            header_timeout: Duration::from_secs(10),
            body_idle_timeout: Duration::from_secs(30),
            keep_alive_timeout: Duration::from_secs(75),
            park_after: Some(Duration::from_secs(3)),
            request_line: 8 * 1024,
            header_bytes: 32 * 1024,
            header_count: 100,
            h2_streams: at_least_one(100),
            h2_resets: at_least_one(200),
            h2_control_frames: at_least_one(1000),
        }
    }
}

impl Limits {
    /// What `raw` says, over `base`.
    pub(super) fn validate(
        raw: file::Limits,
        key: &Key,
        base: Self,
        findings: &mut Findings<'_>,
    ) -> Self {
        let file::Limits {
            connections,
            connections_per_address,
            handshake_timeout,
            header_timeout,
            body_idle_timeout,
            keep_alive_timeout,
            park_after,
            request_line,
            header_bytes,
            header_count,
            h2_streams,
            h2_resets,
            h2_control_frames,
        } = raw;
        let mut time = |name: &str, raw: Option<String>, base| {
            let range = Duration::from_secs(1)..=Duration::from_hours(1);
            findings.duration(&key.child(name), raw.as_deref(), base, range)
        };
        let handshake_timeout =
            time("handshake_timeout", handshake_timeout, base.handshake_timeout);
        let header_timeout = time("header_timeout", header_timeout, base.header_timeout);
        let body_idle_timeout =
            time("body_idle_timeout", body_idle_timeout, base.body_idle_timeout);
        let keep_alive_timeout =
            time("keep_alive_timeout", keep_alive_timeout, base.keep_alive_timeout);
        let park_after = findings.duration(
            &key.child("park_after"),
            park_after.as_deref(),
            base.park_after.unwrap_or_default(),
            Duration::ZERO..=Duration::from_hours(1),
        );
        let mut bytes = |name: &str, raw: Option<String>, base| {
            findings.memory(&key.child(name), raw.as_deref(), base, 256..=1024 * 1024)
        };
        let request_line = bytes("request_line", request_line, base.request_line);
        let header_bytes = bytes("header_bytes", header_bytes, base.header_bytes);
        let mut count =
            |name: &str, raw, base, most| findings.count(&key.child(name), raw, base, most);
        let headers = u32::try_from(base.header_count).unwrap_or(u32::MAX);
        let headers = count("header_count", header_count, at_least_one(headers), 10_000);
        let connections = count("connections", connections, base.connections, 10_000_000);
        let h2_streams = count("h2_streams", h2_streams, base.h2_streams, 10_000);
        let h2_resets = count("h2_resets", h2_resets, base.h2_resets, 1_000_000);
        let h2_control_frames =
            count("h2_control_frames", h2_control_frames, base.h2_control_frames, 1_000_000);
        let per_address = base.connections_per_address.map_or(0, NonZeroU32::get);
        let connections_per_address = NonZeroU32::new(findings.number(
            &key.child("connections_per_address"),
            connections_per_address,
            per_address,
            0..=10_000_000,
        ));
        Self {
            connections,
            connections_per_address,
            handshake_timeout,
            header_timeout,
            body_idle_timeout,
            keep_alive_timeout,
            park_after: (!park_after.is_zero()).then_some(park_after),
            request_line,
            header_bytes,
            header_count: usize::try_from(headers.get()).unwrap_or(base.header_count),
            h2_streams,
            h2_resets,
            h2_control_frames,
        }
    }
}
