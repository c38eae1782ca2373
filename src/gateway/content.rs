//! Bodies that are looked into before the decision: read whole, within a bound, and only for those
//! who may do everything else that they ask for.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use http::request::Parts;
use http::{HeaderValue, header};
use http_body::Body as _;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming as RequestBody;

use bytes::Bytes;

use super::journal::Journal;
use super::rejection::Rejection;
use crate::home::{HomeRule, PlaceKind};
use crate::policy::Admission;
use crate::resource::content::MediaType;

/// A body that was read, and what it is.
#[derive(Debug)]
pub(crate) struct Whole {
    /// All of it; never empty.
    pub(crate) bytes: Bytes,
    /// What it is declared as.
    pub(crate) media: MediaType,
}

/// Whether there may be a body.
pub(super) fn is_present(body: &RequestBody) -> bool {
    body.size_hint().exact() != Some(0)
}

/// Reads the body of a request that lacks nothing else. `None`: it turns out to be empty.
///
/// A client that waits for 100 is told to go on by the reading itself. `patience` is for all of it.
///
/// # Errors
///
/// The [`Rejection`] to answer with: not declared as what the route looks into, too large, not
/// whole, or too slow.
pub(super) async fn read(
    admission: &Admission<'_>,
    rule: &HomeRule,
    parts: &Parts,
    body: RequestBody,
    patience: Duration,
    journal: &mut Journal,
) -> Result<Option<Whole>, Rejection> {
    let media = declared(parts, rule)?;
    let limit = admission.route().body_limit.and_then(|limit| usize::try_from(limit).ok());
    let limit = limit.unwrap_or(usize::MAX).min(rule.inspect_limit);
    if body.size_hint().lower() > limit as u64 {
        return Err(Rejection::BodyTooLarge);
    }
    let reading = Limited::new(body, limit).collect();
    let read = tokio::time::timeout(patience, reading).await;
    let bytes = match read.map_err(|_| Rejection::ContentTimeout)? {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return Err(Rejection::BodyTooLarge),
        Err(_) => return Err(Rejection::ContentBroken),
    };
    journal.received = Some(Rc::new(Cell::new(bytes.len() as u64)));
    Ok((!bytes.is_empty()).then_some(Whole { bytes, media }))
}

/// What a body is declared as. One that is not declared as anything that the rule looks into is
/// refused: the upstream might read it as such all the same.
///
/// # Errors
///
/// The [`Rejection`] to answer with.
pub(crate) fn declared(parts: &Parts, rule: &HomeRule) -> Result<MediaType, Rejection> {
    let is_coded = |coding: &HeaderValue| !coding.as_bytes().eq_ignore_ascii_case(b"identity");
    if parts.headers.get_all(header::CONTENT_ENCODING).iter().any(is_coded) {
        return Err(Rejection::ContentCoding);
    }
    let mut types = parts.headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(only), None) = (types.next(), types.next()) else {
        return Err(Rejection::ContentType);
    };
    let media = only.to_str().ok().and_then(MediaType::read).ok_or(Rejection::ContentType)?;
    let kind = match media {
        MediaType::Form => PlaceKind::Form,
        MediaType::Json => PlaceKind::Json,
    };
    if rule.rests_on(kind) { Ok(media) } else { Err(Rejection::ContentType) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: (&str, &str) = ("content-type", "application/json");

    #[test]
    fn only_what_is_looked_into_may_be_declared() {
        let rule = HomeRule { places: vec!["json:files".parse().unwrap()], ..HomeRule::default() };
        let declared = |fields: &[(&'static str, &str)]| {
            let mut request = http::Request::builder();
            for (name, value) in fields {
                request = request.header(*name, *value);
            }
            declared(&request.body(()).unwrap().into_parts().0, &rule)
        };
        assert_eq!(declared(&[JSON]), Ok(MediaType::Json));
        assert_eq!(declared(&[JSON, ("content-encoding", "identity")]), Ok(MediaType::Json));
        for fields in [
            &[][..],
            &[("content-type", "application/x-www-form-urlencoded")],
            &[("content-type", "text/plain")],
            &[("content-type", "multipart/form-data; boundary=x")],
            &[JSON, JSON],
        ] {
            assert_eq!(declared(fields), Err(Rejection::ContentType), "{fields:?}");
        }
        for coding in ["gzip", "identity, gzip", "br", ""] {
            let coded = declared(&[JSON, ("content-encoding", coding)]);
            assert_eq!(coded, Err(Rejection::ContentCoding), "{coding}");
        }
    }
}
