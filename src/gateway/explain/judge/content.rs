//! The body of a request that nobody makes, and what `If` says in it.

use http::request::Parts;

use super::{Refused, refused};
use crate::gateway::content::declared;
use crate::gateway::rejection::Rejection;
use crate::home::Target;
use crate::resource::Condition;
use crate::resource::content::Body;
use crate::route::Route;

/// The body of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent<'q> {
    /// All of it.
    Body(&'q str),
    /// There is none.
    Nothing,
    /// It was not kept: what it names cannot be told.
    Unknown,
}

impl<'q> Sent<'q> {
    /// Reads the body as the gateway does before it decides, where the route looks into bodies.
    pub(super) fn read(self, route: &Route, parts: &Parts) -> Result<Option<Body<'q>>, Refused> {
        let rule = route.home.as_ref().filter(|rule| rule.inspects());
        let (Some(rule), Self::Body(body)) = (rule, self) else { return Ok(None) };
        let limit = route.body_limit.and_then(|limit| usize::try_from(limit).ok());
        let media = declared(parts, rule).map_err(|rejection| refused("body", rejection))?;
        if body.len() > limit.unwrap_or(usize::MAX).min(rule.inspect_limit) {
            return Err(Refused::new(
                Rejection::BodyTooLarge,
                "the body is larger than is looked into",
            ));
        }
        let read = Body::parse(body.as_bytes(), media);
        read.map(Some).map_err(|error| Refused::resource("body", error))
    }
}

/// An `If` in canonical form.
pub(super) fn shown(condition: &Condition<'_>) -> String {
    let lists = condition.lists().iter().map(|lists| match lists.path() {
        Some(path) => format!("<{path}> {}", lists.as_str()),
        None => lists.as_str().to_owned(),
    });
    lists.collect::<Vec<_>>().join(" ")
}

/// The `If` that would be sent, with paths instead of URIs.
pub(super) fn sent_condition(target: &Target<'_>) -> Option<String> {
    let lists = target.condition().iter().map(|lists| match lists.path() {
        Some(path) => format!("<{path}> {}", lists.lists()),
        None => lists.lists().to_owned(),
    });
    let lists: Vec<_> = lists.collect();
    (!lists.is_empty()).then(|| lists.join(" "))
}
