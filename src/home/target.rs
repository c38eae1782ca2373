//! What is sent to the upstream.

use std::borrow::Cow;

use bytes::Bytes;

use crate::resource::Condition;

/// What will be sent: the path, query, destination and whatever else names resources in a
/// request, in canonical form, after the decision. Only [`confine`](super::confine) and [`unconfined`](super::unconfined) make
/// one, and it parses to itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target<'r> {
    pub(super) path: Cow<'r, str>,
    pub(super) query: Option<Cow<'r, str>>,
    pub(super) destination: Option<Cow<'r, str>>,
    /// Boxed: few requests have any of it.
    pub(super) more: Option<Box<More<'r>>>,
}

/// What few requests have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct More<'r> {
    condition: Vec<Conditional<'r>>,
    content: Option<Bytes>,
}

/// Lists of an `If` header that speak of one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conditional<'r> {
    path: Option<Cow<'r, str>>,
    lists: Cow<'r, str>,
}

impl Conditional<'_> {
    /// The resource: an absolute path. `None`: that of the request.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        self.path.as_deref()
    }

    /// The lists.
    #[must_use]
    pub fn lists(&self) -> &str {
        &self.lists
    }
}

impl<'r> Target<'r> {
    /// Sets the `If` header to `condition` with each path as `lead` makes it.
    pub(super) fn set_condition<E>(
        &mut self,
        condition: &'r Condition<'r>,
        mut lead: impl FnMut(&'r str) -> Result<Cow<'r, str>, E>,
    ) -> Result<(), E> {
        let mut sent = Vec::with_capacity(condition.lists().len());
        for lists in condition.lists() {
            let path = lists.path().map(|path| lead(path.as_str())).transpose()?;
            sent.push(Conditional { path, lists: Cow::Borrowed(lists.as_str()) });
        }
        self.more.get_or_insert_default().condition = sent;
        Ok(())
    }

    /// Sets the body.
    pub(super) fn set_content(&mut self, content: impl Into<Bytes>) {
        self.more.get_or_insert_default().content = Some(content.into());
    }
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

    /// The `If` header to send, by resource; empty: send none.
    #[must_use]
    pub fn condition(&self) -> &[Conditional<'_>] {
        self.more.as_ref().map_or(&[], |more| &more.condition)
    }

    /// The body to send, where it was decided on. `None`: it was not looked into.
    #[must_use]
    pub fn content(&self) -> Option<&Bytes> {
        self.more.as_ref()?.content.as_ref()
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
            more: self.more.map(|more| {
                let More { condition, content } = *more;
                let condition = condition.into_iter().map(|Conditional { path, lists }| {
                    Conditional { path: path.map(own), lists: own(lists) }
                });
                Box::new(More { condition: condition.collect(), content })
            }),
        }
    }
}
