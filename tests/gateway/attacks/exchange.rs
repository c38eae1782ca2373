//! Many requests in one test: over HTTP/1.1 each on a connection of its own, so that none is read
//! as the tail of another; over HTTP/2 on as few as the gateway keeps open.

use crate::support::client::Response;
use crate::support::frames::{self, END_STREAM, Outcome, RawH2};
use crate::support::gateway::TestGateway;
use crate::support::tokens::Token;

/// `Authorization`, with a good token of `user`, as a header line.
pub(super) fn authorization(user: &str) -> String {
    format!("Authorization: Bearer {}\r\n", Token::of(user).signed())
}

/// Sends exactly `bytes`, and reads one answer. `None`: closed without one.
pub(super) fn answer(gateway: &TestGateway, bytes: impl AsRef<[u8]>) -> Option<Response> {
    let method = if bytes.as_ref().starts_with(b"HEAD ") { "HEAD" } else { "GET" };
    let mut client = gateway.connect();
    let _ = client.try_send(bytes);
    client.response_to(method).ok()
}

/// The status of the answer to exactly `bytes`; 0: closed without one.
pub(super) fn status(gateway: &TestGateway, bytes: impl AsRef<[u8]>) -> u16 {
    answer(gateway, bytes).map_or(0, |response| response.status())
}

/// Refused by its status, or by closing.
pub(super) fn is_refusal(status: u16) -> bool {
    status == 0 || (400..500).contains(&status) || status == 501 || status == 505
}

/// The bytes of GET `target`, with these header lines.
pub(super) fn get(target: &str, lines: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: files.test\r\n{lines}\r\n")
}

/// An HTTP/2 client that goes on with another connection when one has ended.
pub(super) struct Streams<'g> {
    gateway: &'g TestGateway,
    open: Option<(RawH2, u32)>,
}

impl<'g> Streams<'g> {
    pub(super) fn of(gateway: &'g TestGateway) -> Self {
        Self { gateway, open: None }
    }

    /// Sends one header block as it stands, without a body.
    #[track_caller]
    pub(super) fn block(&mut self, block: &[u8]) -> Outcome {
        self.with(|raw, stream| {
            raw.frame(frames::HEADERS, END_STREAM | frames::END_HEADERS, stream, block)
        })
    }

    /// Sends these fields, without a body.
    #[track_caller]
    pub(super) fn fields(&mut self, fields: &[(&str, &str)]) -> Outcome {
        self.with(|raw, stream| raw.headers(stream, END_STREAM, fields))
    }

    /// Sends on a new stream, and says how that ended.
    #[track_caller]
    pub(super) fn with(
        &mut self,
        send: impl FnOnce(&mut RawH2, u32) -> std::io::Result<()>,
    ) -> Outcome {
        let (mut raw, stream) = self.open.take().unwrap_or_else(|| {
            let mut raw = self.gateway.connect_frames();
            // Without a table of earlier fields every status is written out.
            raw.frame(frames::SETTINGS, 0, 0, &[0, 1, 0, 0, 0, 0]).unwrap();
            (raw, 1)
        });
        let _ = send(&mut raw, stream);
        let outcome = raw.outcome(stream);
        // So few resets on one connection that they are no flood.
        if !matches!(outcome, Outcome::Closed | Outcome::GoneAway(_)) && stream < 101 {
            self.open = Some((raw, stream + 2));
        }
        outcome
    }

    /// GET `path` with a good token of `user`.
    #[track_caller]
    pub(super) fn get(&mut self, path: &str, user: &str) -> Outcome {
        let authorization = format!("Bearer {}", Token::of(user).signed());
        self.fields(&[
            (":method", "GET"),
            (":scheme", "https"),
            (":authority", "files.test"),
            (":path", path),
            ("authorization", &authorization),
        ])
    }
}
