//! What goes back to the client: an upstream's answer as it streams, or one of our own.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body::{Body as HttpBody, Frame, SizeHint};

use super::journal::Journal;
use super::multistatus::Multistatus;
use super::rejection::Rejection;
use crate::forward::body::{BodyError, UpstreamBody};

/// The body of a response.
#[derive(Debug)]
pub enum Body {
    /// All of it.
    Full(Bytes),
    /// On its way from the upstream.
    Streaming(Box<Streaming>),
}

/// A body on its way, and the record that is written down when it has ended.
#[derive(Debug)]
pub struct Streaming {
    body: Flow,
    journal: Journal,
}

/// How it flows.
#[derive(Debug)]
enum Flow {
    Plain(UpstreamBody),
    Translated(Multistatus),
}

impl Flow {
    fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match self {
            Self::Plain(body) => Pin::new(body).poll_frame(cx),
            Self::Translated(body) => body.poll_data(cx).map_ok(Frame::data),
        }
    }
}

impl Body {
    /// A body on its way.
    pub fn streaming(body: UpstreamBody, journal: Journal) -> Self {
        Self::flowing(Flow::Plain(body), journal)
    }

    /// A body on its way, that names places.
    pub(super) fn translated(body: Multistatus, journal: Journal) -> Self {
        Self::flowing(Flow::Translated(body), journal)
    }

    fn flowing(body: Flow, mut journal: Journal) -> Self {
        journal.is_streaming = true;
        // Of HTTP/2 the stream's task takes it, since a stream cannot end the connection for all.
        journal.connection().tenure.replace(journal.tenure());
        Self::Streaming(Box::new(Streaming { body, journal }))
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match self.get_mut() {
            Self::Full(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Full(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Self::Streaming(streaming) => {
                let Streaming { body, journal } = &mut **streaming;
                if journal.has_ended() {
                    journal.broke_off(&BodyError::Ended);
                    return Poll::Ready(Some(Err(BodyError::Ended)));
                }
                let polled = body.poll_frame(cx);
                match &polled {
                    Poll::Pending => journal.connection().wire.wait_for_others(),
                    Poll::Ready(Some(Ok(frame))) => {
                        journal.sent += frame.data_ref().map_or(0, |data| data.len() as u64);
                        journal.connection().wire.hand_on();
                    }
                    Poll::Ready(Some(Err(error))) => journal.broke_off(error),
                    Poll::Ready(None) => journal.is_streaming = false,
                }
                polled
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Full(bytes) => bytes.is_empty(),
            Self::Streaming(streaming) => match &streaming.body {
                Flow::Plain(body) => body.is_end_stream(),
                Flow::Translated(_) => false,
            },
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Streaming(streaming) => match &streaming.body {
                Flow::Plain(body) => body.size_hint(),
                Flow::Translated(_) => SizeHint::default(),
            },
        }
    }
}

/// Our own answer to a refused request: problem details (RFC 9457) with the decision's id and
/// nothing that a client need not know.
#[must_use]
pub fn refusal(
    rejection: Rejection,
    decision: &[u8],
    challenges: &[HeaderValue],
    allow: Option<HeaderValue>,
) -> Response<Body> {
    let status = rejection.status();
    let title = status.canonical_reason().unwrap_or("Refused");
    let body = [
        b"{\"type\":\"about:blank\",\"title\":\"",
        title.as_bytes(),
        b"\",\"status\":",
        status.as_str().as_bytes(),
        b",\"decision\":\"",
        decision,
        b"\"}\n",
    ];
    let body = body.concat();
    let mut response = Response::new(Body::Full(Bytes::from(body)));
    *response.status_mut() = status;
    let fields = response.headers_mut();
    fields.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    fields.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Some(seconds) = rejection.retry_after() {
        fields.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if let Some(allow) = allow {
        fields.insert(header::ALLOW, allow);
    }
    for challenge in challenges {
        fields.append(header::WWW_AUTHENTICATE, challenge.clone());
    }
    let is_body_broken = status == StatusCode::REQUEST_TIMEOUT
        || matches!(rejection, Rejection::BodyTooLarge | Rejection::CutOff);
    if is_body_broken || rejection == Rejection::Internal {
        fields.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
