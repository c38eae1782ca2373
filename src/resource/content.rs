//! Bodies whose fields name resources: small, whole, and with one reading only.

mod json;

use super::{CanonicalQuery, ResourceError};

pub use json::{Json, Value};

/// What a body is declared as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MediaType {
    /// `application/x-www-form-urlencoded`.
    Form,
    /// `application/json`.
    Json,
}

impl MediaType {
    /// Reads the value of a `Content-Type`. The only parameter that passes is the character set
    /// UTF-8: another one would be another reading.
    #[must_use]
    pub fn read(value: &str) -> Option<Self> {
        let mut parts = value.split(';').map(|part| part.trim_matches([' ', '\t']));
        let essence = parts.next()?;
        let found =
            [("application/x-www-form-urlencoded", Self::Form), ("application/json", Self::Json)];
        let (_, media) = found.into_iter().find(|(name, _)| essence.eq_ignore_ascii_case(name))?;
        let is_utf8 = |part: &str| {
            let value =
                part.split_once('=').filter(|(name, _)| name.eq_ignore_ascii_case("charset"));
            value.is_some_and(|(_, value)| value.trim_matches('"').eq_ignore_ascii_case("utf-8"))
        };
        match (parts.next(), parts.next()) {
            (None, _) => Some(media),
            (Some(part), None) if is_utf8(part) => Some(media),
            _ => None,
        }
    }
}

/// A body that was read whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body<'b> {
    /// A form, which is written as a query is.
    Form(CanonicalQuery<'b>),
    /// A JSON object.
    Json(Json<'b>),
}

impl<'b> Body<'b> {
    /// Parses all of a body.
    ///
    /// # Errors
    ///
    /// [`ResourceError::ContentForm`]: not what it is declared as; for a form as
    /// [`CanonicalQuery::parse`] does, for JSON as [`Json::parse`].
    pub fn parse(bytes: &'b [u8], media: MediaType) -> Result<Self, ResourceError> {
        let text = std::str::from_utf8(bytes).map_err(|_| ResourceError::InvalidUtf8)?;
        match media {
            MediaType::Form => CanonicalQuery::parse(Some(text)).map(Self::Form),
            MediaType::Json => Json::parse(text).map(Self::Json),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_read_as_everybody_reads_it() {
        for (value, media) in [
            ("application/json", Some(MediaType::Json)),
            ("Application/JSON ; charset=UTF-8", Some(MediaType::Json)),
            ("application/x-www-form-urlencoded;charset=\"utf-8\"", Some(MediaType::Form)),
            ("application/json; charset=utf-16", None),
            ("application/json; charset=utf-8; charset=utf-16", None),
            ("application/json; profile=x", None),
            ("application/json;", None),
            ("application/merge-patch+json", None),
            ("application/json, text/plain", None),
            ("text/json", None),
            ("multipart/form-data; boundary=x", None),
            ("", None),
        ] {
            assert_eq!(MediaType::read(value), media, "{value}");
        }
    }

    #[test]
    fn a_form_is_read_as_a_query_is() {
        let read = |body: &'static str| Body::parse(body.as_bytes(), MediaType::Form);

        assert!(
            matches!(read("a=%2fb&c"), Ok(Body::Form(form)) if form.as_str() == Some("a=%2Fb&c"))
        );
        for broken in ["a=b\r\n", "a=%zz", "a=b#c", "a=\0"] {
            assert!(read(broken).is_err(), "{broken:?}");
        }
        assert_eq!(Body::parse(b"a=\xff", MediaType::Form), Err(ResourceError::InvalidUtf8));
    }
}
