//! What is sent to the upstream.

use std::borrow::Cow;

/// What will be sent: the path, query and destination of a request in canonical form, after
/// the decision. Only [`confine`](super::confine) and [`unconfined`](super::unconfined) make
/// one, and it parses to itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target<'r> {
    pub(super) path: Cow<'r, str>,
    pub(super) query: Option<Cow<'r, str>>,
    pub(super) destination: Option<Cow<'r, str>>,
}

impl Target<'_> {
    /// The path.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The query, without `?`.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }

    /// The value of the `Destination` header to send: an absolute path. `None`: send none.
    #[must_use]
    pub fn destination(&self) -> Option<&str> {
        self.destination.as_deref()
    }

    /// Writes the request target in origin-form (RFC 9112 §3.2.1).
    pub fn write_path_and_query(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.path.as_bytes());
        if let Some(query) = self.query() {
            out.push(b'?');
            out.extend_from_slice(query.as_bytes());
        }
    }

    /// The request target in origin-form.
    #[must_use]
    pub fn path_and_query(&self) -> String {
        match self.query() {
            Some(query) => [self.path(), "?", query].concat(),
            None => self.path().to_owned(),
        }
    }

    /// The same target, owning its parts.
    #[must_use]
    pub fn into_owned(self) -> Target<'static> {
        let own = |part: Cow<'_, str>| Cow::Owned(part.into_owned());
        Target {
            path: own(self.path),
            query: self.query.map(own),
            destination: self.destination.map(own),
        }
    }
}
