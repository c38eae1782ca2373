//! `[limits]` and `[listeners.NAME.limits]`: what a peer may take.

use std::num::NonZeroU32;
use std::time::Duration;

/// The bounds of one listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Open connections.
    pub connections: NonZeroU32,
    /// Open connections of one address; `None`: as many as the listener has.
    pub connections_per_address: Option<NonZeroU32>,
    /// From accept to the end of the TLS handshake.
    pub handshake_timeout: Duration,
    /// From the first byte of a request to the end of its headers.
    pub header_timeout: Duration,
    /// Silence while a body is awaited, or while the client does not read.
    pub body_idle_timeout: Duration,
    /// Silence between two requests.
    pub keep_alive_timeout: Duration,
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
