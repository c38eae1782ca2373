//! The JOSE header: what of it counts, and what refuses the token (RFC 7515 §4, RFC 8725).
//!
//! A key is never taken from a token: `jwk`, `jku`, `x5c` and `x5u` are passed over. `crit`
//! names extensions that we do not have, `b64` changes what is signed, `zip` what is said.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};

use super::algorithm::Algorithm;
use super::json::{AnyValue, Found, Names};
use super::verifier::VerifyError;

/// What the header asks for.
#[derive(Debug, PartialEq)]
pub(super) struct Header {
    pub(super) algorithm: Algorithm,
    pub(super) key_id: Option<Box<str>>,
}

impl Header {
    /// Reads a decoded header.
    pub(super) fn parse(json: &[u8]) -> Result<Self, VerifyError> {
        let text = str::from_utf8(json).map_err(|_| VerifyError::MalformedHeader)?;
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let members = MembersSeed.deserialize(&mut deserializer);
        let members = members.map_err(|_| VerifyError::MalformedHeader)?;
        deserializer.end().map_err(|_| VerifyError::MalformedHeader)?;
        members.judge()
    }
}

#[derive(Default)]
struct Members<'a> {
    algorithm: Option<Found<'a>>,
    has_critical: bool,
    has_transformation: bool,
    key_id: Option<Found<'a>>,
    token_type: Option<Found<'a>>,
}

impl Members<'_> {
    fn judge(self) -> Result<Header, VerifyError> {
        if self.has_critical {
            return Err(VerifyError::CriticalExtension);
        }
        if self.has_transformation {
            return Err(VerifyError::UnsupportedHeader);
        }
        match self.token_type {
            None => {}
            Some(Found::Text(name)) if is_access_token(&name) => {}
            Some(_) => return Err(VerifyError::WrongTokenType),
        }
        let Some(Found::Text(algorithm)) = self.algorithm else {
            return Err(VerifyError::UnsupportedAlgorithm);
        };
        let algorithm = algorithm.parse().map_err(|_| VerifyError::UnsupportedAlgorithm)?;
        let key_id = match self.key_id {
            None => None,
            Some(Found::Text(key_id)) => Some(key_id.into()),
            Some(_) => return Err(VerifyError::MalformedHeader),
        };
        Ok(Header { algorithm, key_id })
    }
}

/// `JWT` or `at+jwt` (RFC 9068 §2.1), with or without `application/`: media types know no case
/// (RFC 7515 §4.1.9).
fn is_access_token(name: &str) -> bool {
    const PREFIX: &str = "application/";
    let bare = match name.split_at_checked(PREFIX.len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case(PREFIX) => rest,
        _ => name,
    };
    bare.eq_ignore_ascii_case("JWT") || bare.eq_ignore_ascii_case("at+jwt")
}

struct MembersSeed;

impl<'de> DeserializeSeed<'de> for MembersSeed {
    type Value = Members<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Members<'de>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for MembersSeed {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JOSE header")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
        enum Member {
            Algorithm,
            Critical,
            KeyId,
            Other,
            Transformation,
            Type,
        }
        const MOST: usize = 32;
        let mut members = Members::default();
        let mut names = Names::default();
        for _ in 0..MOST {
            let Some(name) = names.next(&mut map)? else { return Ok(members) };
            let member = match name {
                "alg" => Member::Algorithm,
                "b64" | "zip" => Member::Transformation,
                "crit" => Member::Critical,
                "kid" => Member::KeyId,
                "typ" => Member::Type,
                _ => Member::Other,
            };
            let value = map.next_value_seed(AnyValue(1))?;
            match member {
                Member::Algorithm => members.algorithm = Some(value),
                Member::Critical => members.has_critical = true,
                Member::KeyId => members.key_id = Some(value),
                Member::Other => {}
                Member::Transformation => members.has_transformation = true,
                Member::Type => members.token_type = Some(value),
            }
        }
        Err(A::Error::custom("too many members"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<Header, VerifyError> {
        Header::parse(json.as_bytes())
    }

    #[test]
    fn keys_that_a_token_brings_are_passed_over() {
        let header = parse(
            r#"{"alg":"ES256","kid":"k","typ":"JWT","jwk":{"kty":"EC"},"jku":"https://e.example",
                "x5u":"https://e.example","x5c":["MII"],"x5t":"a"}"#,
        );

        let key_id = Some("k".into());
        assert_eq!(header, Ok(Header { algorithm: Algorithm::ES256, key_id }));
    }

    #[test]
    fn only_access_tokens_are_accepted() {
        for name in ["JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt", "Application/jwt"] {
            assert!(parse(&format!(r#"{{"alg":"HS256","typ":"{name}"}}"#)).is_ok(), "{name}");
        }
        for name in [
            r#""refresh+jwt""#,
            r#""id+jwt""#,
            r#""JOSE""#,
            r#""logout+jwt""#,
            r#""dpop+jwt""#,
            r#""""#,
            r#""JWT ""#,
            "null",
            "1",
            r#"["JWT"]"#,
        ] {
            let error = parse(&format!(r#"{{"alg":"HS256","typ":{name}}}"#)).unwrap_err();
            assert_eq!(error, VerifyError::WrongTokenType, "{name}");
        }
    }

    #[test]
    fn what_changes_the_meaning_of_a_token_is_refused() {
        for (member, error) in [
            (r#""crit":["exp"]"#, VerifyError::CriticalExtension),
            (r#""crit":[]"#, VerifyError::CriticalExtension),
            (r#""crit":null"#, VerifyError::CriticalExtension),
            (r#""b64":false"#, VerifyError::UnsupportedHeader),
            (r#""b64":true"#, VerifyError::UnsupportedHeader),
            (r#""zip":"DEF""#, VerifyError::UnsupportedHeader),
            (r#""kid":{}"#, VerifyError::MalformedHeader),
            (r#""kid":7"#, VerifyError::MalformedHeader),
            (r#""kid":null"#, VerifyError::MalformedHeader),
            (r#""alg":"HS256""#, VerifyError::MalformedHeader),
            (r#""\u0061lg":"none""#, VerifyError::MalformedHeader),
        ] {
            assert_eq!(parse(&format!(r#"{{"alg":"HS256",{member}}}"#)), Err(error), "{member}");
        }
    }

    #[test]
    fn no_algorithm_is_not_an_algorithm() {
        for algorithm in [
            r#""alg":"none""#,
            r#""alg":"None""#,
            r#""alg":"nOnE""#,
            r#""alg":"""#,
            r#""alg":null"#,
            r#""alg":["HS256"]"#,
            r#""alg":"hs256""#,
            r#""typ":"JWT""#,
            r#""alg":"RSA-OAEP""#,
            r#""alg":"dir""#,
        ] {
            assert_eq!(
                parse(&format!("{{{algorithm}}}")),
                Err(VerifyError::UnsupportedAlgorithm),
                "{algorithm}"
            );
        }
    }

    #[test]
    fn a_header_is_one_json_object() {
        let deep = format!(r#"{{"alg":"HS256","a":{}{}}}"#, "[".repeat(5000), "]".repeat(5000));
        let members: Vec<_> = (0..40).map(|index| format!(r#""m{index}":1"#)).collect();
        let many = format!(r#"{{"alg":"HS256",{}}}"#, members.join(","));
        for json in
            ["", "{", "[]", "\"HS256\"", "{}{}", "\u{feff}{\"alg\":\"HS256\"}", &deep, &many]
        {
            assert_eq!(parse(json), Err(VerifyError::MalformedHeader));
        }
        assert_eq!(
            Header::parse(b"{\"alg\":\"HS256\",\"a\":\"\xff\"}"),
            Err(VerifyError::MalformedHeader)
        );
    }
}
