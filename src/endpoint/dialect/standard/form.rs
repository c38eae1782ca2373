//! The parameters of a request to an OAuth endpoint (RFC 6749 §3.2, appendix B), read strictly.

use std::borrow::Cow;

use http::HeaderMap;
use http::header::CONTENT_TYPE;
use percent_encoding::percent_decode;
use zeroize::Zeroizing;

use super::refusal::Refusal;

/// The most parameters that a request has.
const MAX_PARAMETERS: usize = 32;
const MEDIA_TYPE: &str = "application/x-www-form-urlencoded";

/// The parameters of a form: each name once, none without a value.
#[derive(Debug)]
pub(super) struct Form(Vec<(String, Value)>);

/// A value, wiped when it is dropped and never printed: it may be a password.
struct Value(Zeroizing<String>);

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Form {
    /// Reads a form. A parameter without a value counts as absent, and one that comes twice makes
    /// the request invalid (RFC 6749 §3.2).
    pub(super) fn parse(fields: &HeaderMap, body: &[u8]) -> Result<Self, Refusal> {
        if !has_type(fields, MEDIA_TYPE) {
            return Err(Refusal::InvalidRequest("the body must be a form"));
        }
        let mut form = Self(Vec::new());
        for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            let (name, value) = pair.split_at(at);
            let name = decode(name).ok_or(Refusal::InvalidRequest("the form cannot be read"))?;
            let value = decode(value.get(1..).unwrap_or_default())
                .ok_or(Refusal::InvalidRequest("the form cannot be read"))?;
            if form.0.iter().any(|(known, _)| *known == *name) {
                return Err(Refusal::InvalidRequest("a parameter comes twice"));
            }
            if form.0.len() == MAX_PARAMETERS {
                return Err(Refusal::InvalidRequest("too many parameters"));
            }
            form.0.push((name.to_string(), Value(value)));
        }
        form.0.retain(|(_, value)| !value.0.is_empty());
        Ok(form)
    }

    /// The value of a parameter.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(known, _)| known == name)?;
        Some(value.0.as_str())
    }

    /// The value of a parameter that must be there; `missing` says so.
    pub(super) fn require(&self, name: &str, missing: &'static str) -> Result<&str, Refusal> {
        self.get(name).ok_or(Refusal::InvalidRequest(missing))
    }
}

/// Whether a request says, once, that its body is of this type.
pub(super) fn has_type(fields: &HeaderMap, expected: &str) -> bool {
    let mut values = fields.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return false };
    let essence = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case(expected)
}

/// Decodes a name or value. `None`: a `%` that begins no byte, not UTF-8, or a control
/// character, at which other software cuts a text.
pub(super) fn decode(encoded: &[u8]) -> Option<Zeroizing<String>> {
    let mut rest = encoded;
    while let Some(at) = rest.iter().position(|byte| *byte == b'%') {
        let digits = rest.get(at + 1..at + 3)?;
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        rest = rest.get(at + 3..)?;
    }
    let spaced: Cow<'_, [u8]> = if encoded.contains(&b'+') {
        encoded.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect()
    } else {
        encoded.into()
    };
    let decoded = Zeroizing::new(percent_decode(&spaced).collect::<Vec<u8>>());
    let text = str::from_utf8(&decoded).ok()?;
    (!text.chars().any(char::is_control)).then(|| Zeroizing::new(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn parse(content_type: &str, body: &[u8]) -> Result<Form, Refusal> {
        let mut fields = HeaderMap::new();
        fields.insert(CONTENT_TYPE, HeaderValue::from_str(content_type).unwrap());
        Form::parse(&fields, body)
    }

    #[test]
    fn a_form_is_decoded_and_what_has_no_value_is_absent() {
        let form = parse(
            "Application/X-WWW-Form-Urlencoded; charset=UTF-8",
            b"grant_type=password&username=a%20b+c&password=p%26%3D%C3%A9&otp=&scope&&x=1=2",
        );
        let form = form.unwrap();

        assert_eq!(form.get("grant_type"), Some("password"));
        assert_eq!(form.get("username"), Some("a b c"));
        assert_eq!(form.get("password"), Some("p&=é"));
        assert_eq!(form.get("x"), Some("1=2"));
        for absent in ["otp", "scope", "", "Password"] {
            assert_eq!(form.get(absent), None, "{absent}");
        }
        assert!(form.require("otp", "no otp").is_err());
        assert!(!format!("{form:?}").contains("p&=é"));
    }

    #[test]
    fn what_has_two_readings_is_refused() {
        for body in [
            "a=1&a=2",
            "a=1&%61=2",
            "a=&a=2",
            "a=%",
            "a=%4",
            "a=%zz",
            "a=%ff",
            "a=%00",
            "a=b%0a",
            "a=\n",
        ] {
            assert!(parse(MEDIA_TYPE, body.as_bytes()).is_err(), "{body:?}");
        }
        let many: Vec<String> = (0..40).map(|index| format!("p{index}=1")).collect();
        assert!(parse(MEDIA_TYPE, many.join("&").as_bytes()).is_err());
    }

    #[test]
    fn only_a_form_is_read() {
        for content_type in
            ["application/json", "multipart/form-data; boundary=x", "text/plain", ""]
        {
            assert!(parse(content_type, b"a=1").is_err(), "{content_type}");
        }
        assert!(Form::parse(&HeaderMap::new(), b"a=1").is_err());
        let mut twice = HeaderMap::new();
        twice.append(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        twice.append(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        assert!(Form::parse(&twice, b"a=1").is_err());
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(MEDIA_TYPE, &body);
        }

        #[test]
        fn what_was_encoded_is_what_is_read(value in "[^\\p{C}]{1,40}") {
            let encoded: String = percent_encoding::utf8_percent_encode(&value, percent_encoding::NON_ALPHANUMERIC).collect();
            let form = parse(MEDIA_TYPE, format!("v={encoded}").as_bytes()).unwrap();
            prop_assert_eq!(form.get("v"), Some(value.as_str()));
        }
    }
}
