//! Why a connection's bytes are refused before they become a request, and the answer that is
//! written in that case.

/// What a client sent that has no single reading, or more of it than we take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A line that ends in LF alone (RFC 9112 §2.2).
    #[error("a line ends without a carriage return")]
    BareLineFeed,
    /// A chunk that is not framed as RFC 9112 §7.1 says.
    #[error("a chunk is not framed as it must be")]
    ChunkMalformed,
    /// `Content-Length` that is not `1*DIGIT`.
    #[error("content-length is not a number")]
    ContentLengthMalformed,
    /// More than one `Content-Length`.
    #[error("content-length is given twice")]
    ContentLengthRepeated,
    /// Too many frames that cost us and not the peer (RFC 9113 §10.5).
    #[error("more resets or control frames than allowed")]
    Flood,
    /// A header line without a proper name or value, or folded (RFC 9112 §5).
    #[error("a header field is malformed")]
    FieldMalformed,
    /// A target with a fragment.
    #[error("the request target has a fragment")]
    Fragment,
    /// A head that the HTTP engine cannot read.
    #[error("the head is malformed")]
    HeadMalformed,
    /// More header fields or bytes than the listener's limits.
    #[error("the header fields exceed the limit")]
    HeadTooLarge,
    /// The head did not arrive within the listener's `header_timeout`.
    #[error("the request head did not arrive in time")]
    HeadTimeout,
    /// Both `Content-Length` and `Transfer-Encoding` (RFC 9112 §6.3).
    #[error("both content-length and transfer-encoding are given")]
    LengthAndEncoding,
    /// Anything but `method SP target SP version`.
    #[error("the request line is malformed")]
    RequestLineMalformed,
    /// A request line beyond the listener's limit.
    #[error("the request line exceeds the limit")]
    RequestLineTooLong,
    /// More than one `Transfer-Encoding`.
    #[error("transfer-encoding is given twice")]
    TransferEncodingRepeated,
    /// A coding other than `chunked`, or any on HTTP/1.0.
    #[error("the transfer-encoding is not chunked alone")]
    TransferEncodingUnknown,
    /// A version other than HTTP/1.0 and HTTP/1.1.
    #[error("the HTTP version is not supported")]
    VersionNotSupported,
}

/// Errors of HTTP/2 (RFC 9113 §7).
const PROTOCOL_ERROR: u8 = 0x1;
const ENHANCE_YOUR_CALM: u8 = 0xb;

impl Refusal {
    /// The reason as logs and metrics name it.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::BareLineFeed => "bare_line_feed",
            Self::ChunkMalformed => "chunk_malformed",
            Self::ContentLengthMalformed => "content_length_malformed",
            Self::ContentLengthRepeated => "content_length_repeated",
            Self::Flood => "frame_flood",
            Self::FieldMalformed => "field_malformed",
            Self::Fragment => "fragment",
            Self::HeadMalformed => "head_malformed",
            Self::HeadTooLarge => "head_too_large",
            Self::HeadTimeout => "head_timeout",
            Self::LengthAndEncoding => "length_and_encoding",
            Self::RequestLineMalformed => "request_line_malformed",
            Self::RequestLineTooLong => "request_line_too_long",
            Self::TransferEncodingRepeated => "transfer_encoding_repeated",
            Self::TransferEncodingUnknown => "transfer_encoding_unknown",
            Self::VersionNotSupported => "version_not_supported",
        }
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::BareLineFeed
            | Self::ChunkMalformed
            | Self::ContentLengthMalformed
            | Self::ContentLengthRepeated
            | Self::FieldMalformed
            | Self::Flood
            | Self::Fragment
            | Self::HeadMalformed
            | Self::LengthAndEncoding
            | Self::RequestLineMalformed
            | Self::TransferEncodingRepeated => 400,
            Self::HeadTimeout => 408,
            Self::RequestLineTooLong => 414,
            Self::HeadTooLarge => 431,
            Self::TransferEncodingUnknown => 501,
            Self::VersionNotSupported => 505,
        }
    }

    /// The whole HTTP/1.1 answer, after which the connection is closed.
    #[must_use]
    pub fn response(self, decision: &str) -> String {
        let (status, phrase) = match self.status() {
            408 => (408, "Request Timeout"),
            414 => (414, "URI Too Long"),
            431 => (431, "Request Header Fields Too Large"),
            501 => (501, "Not Implemented"),
            505 => (505, "HTTP Version Not Supported"),
            _ => (400, "Bad Request"),
        };
        let body = format!(
            "{{\"type\":\"about:blank\",\"title\":\"{phrase}\",\"status\":{status},\"decision\":\"{decision}\"}}\n"
        );
        format!(
            "HTTP/1.1 {status} {phrase}\r\ncontent-type: application/problem+json\r\n\
             cache-control: no-store\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        )
    }

    /// The GOAWAY frame after which an HTTP/2 connection is closed (RFC 9113 §6.8), where no stream
    /// after `newest` has begun.
    #[must_use]
    pub fn goaway(self, newest: u32) -> [u8; 17] {
        let is_too_much = matches!(self, Self::Flood | Self::HeadTimeout | Self::HeadTooLarge);
        let code = if is_too_much { ENHANCE_YOUR_CALM } else { PROTOCOL_ERROR };
        let [one, two, three, four] = newest.to_be_bytes();
        [0, 0, 8, 7, 0, 0, 0, 0, 0, one, two, three, four, 0, 0, 0, code]
    }
}
