//! Who asks, by `Basic` or `Bearer`, as ryft-server reads them.

use std::borrow::Cow;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, header};
use zeroize::Zeroizing;

use super::answer::Refusal;
use crate::endpoint::dialect::noted::login_reason;
use crate::identity::IdentityError;
use crate::secret::Secret;
use crate::service::Call;
use crate::token::VerifyError;
use crate::user::User;

/// What a request shows.
pub(super) enum Shown<'h> {
    /// Name and password.
    Basic(String, Secret),
    /// A token.
    Bearer(&'h str),
    /// Nothing at all.
    Nothing,
    /// Something else, or something broken.
    Other,
}

impl<'h> Shown<'h> {
    /// Reads the header. The schemes are matched as they are written, and two headers are none
    /// that could be chosen between.
    pub(super) fn read(fields: &'h HeaderMap) -> Self {
        let mut values = fields.get_all(header::AUTHORIZATION).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            let is_absent = !fields.contains_key(header::AUTHORIZATION);
            return if is_absent { Self::Nothing } else { Self::Other };
        };
        match value.to_str() {
            Ok("") => Self::Nothing,
            Ok(text) => {
                let basic = text.strip_prefix("Basic ").and_then(basic);
                let bearer = || text.strip_prefix("Bearer ").map(Self::Bearer);
                basic.or_else(bearer).unwrap_or(Self::Other)
            }
            Err(_) => Self::Other,
        }
    }
}

fn basic(parameter: &str) -> Option<Shown<'static>> {
    let bytes = Zeroizing::new(STANDARD.decode(parameter).ok()?);
    let text = std::str::from_utf8(&bytes).ok()?;
    let (name, password) = text.split_once(':')?;
    Some(Shown::Basic(name.to_owned(), Secret::from(password.to_owned())))
}

/// The user who asks, with the right to speak for the account.
pub(super) async fn identify(call: &Call, fields: &HeaderMap) -> Result<Arc<User>, Refusal> {
    match Shown::read(fields) {
        Shown::Basic(name, password) => {
            let who = call.service.login(call, &name, password, None).await;
            let who = who.map_err(|error| {
                let reason = login_reason(&error);
                Refusal::from(error).noted(Some(&name), reason)
            })?;
            who.user().cloned().ok_or(Refusal::Challenge)
        }
        Shown::Bearer(token) => {
            let verified = call.service.verify(call, token).map_err(|error| refused(&error))?;
            let found = verified.account().and_then(|name| call.snapshot.identities.find(name));
            let (_, user) = found.ok_or(Refusal::Token("token is not valid here".into()))?;
            Ok(Arc::clone(user))
        }
        Shown::Nothing => Err(Refusal::Challenge.noted(None, "credential_missing")),
        Shown::Other => Err(Refusal::Token("Invalid auth header".into())),
    }
}

/// A token that does not hold, in the words that clients know.
pub(super) fn refused(error: &IdentityError) -> Refusal {
    let message = if let IdentityError::Token(error) = error { words(*error) } else { INVALID };
    Refusal::Token(message).noted(None, error.label())
}

const INVALID: Cow<'static, str> = Cow::Borrowed("token is not valid");

fn words(error: VerifyError) -> Cow<'static, str> {
    if let VerifyError::Expired { expires, now } = error {
        return format!("token is expired by {}", Ago(now.saturating_sub(expires))).into();
    }
    let known = [
        (matches!(error, VerifyError::NotYetValid { .. }), "token is not valid yet"),
        (error == VerifyError::NotAToken, "token contains an invalid number of segments"),
        (error == VerifyError::AlgorithmNotAllowed, "Invalid signing algorithm"),
        (error == VerifyError::UnsupportedAlgorithm, "Invalid signing algorithm"),
        (error == VerifyError::UnknownKey, "Invalid signing algorithm"),
        (error == VerifyError::BadSignature, "signature is invalid"),
    ];
    known.into_iter().find(|(is_it, _)| *is_it).map_or(INVALID, |(_, words)| words.into())
}

/// A span of time as `1h2m3s`.
struct Ago(u64);

impl std::fmt::Display for Ago {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (hours, minutes, seconds) = (self.0 / 3600, self.0 / 60 % 60, self.0 % 60);
        match (hours, minutes) {
            (0, 0) => write!(f, "{seconds}s"),
            (0, _) => write!(f, "{minutes}m{seconds}s"),
            _ => write!(f, "{hours}h{minutes}m{seconds}s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(values: &[&str]) -> &'static str {
        let mut fields = HeaderMap::new();
        for value in values {
            fields.append(header::AUTHORIZATION, value.parse().unwrap());
        }
        match Shown::read(&fields) {
            Shown::Basic(name, password) => {
                assert_eq!((name.as_str(), password.expose()), ("u", &b"p:q"[..]));
                "basic"
            }
            Shown::Bearer(token) => {
                assert_eq!(token, "a.b.c");
                "bearer"
            }
            Shown::Nothing => "nothing",
            Shown::Other => "other",
        }
    }

    #[test]
    fn schemes_are_read_as_ryft_server_reads_them() {
        for (values, expected) in [
            (&[][..], "nothing"),
            (&[""], "nothing"),
            (&["Basic dTpwOnE="], "basic"),
            (&["basic dTpwOnE="], "other"),
            (&["Basic !!!"], "other"),
            (&["Basic dQ=="], "other"),
            (&["Basic dTpwOnE"], "other"),
            (&["Basic gHU6cA=="], "other"),
            (&["Bearer a.b.c"], "bearer"),
            (&["bearer a.b.c"], "other"),
            (&["Bearer"], "other"),
            (&["Digest x"], "other"),
            (&["Bearer a.b.c", "Bearer a.b.c"], "other"),
        ] {
            assert_eq!(shown(values), expected, "{values:?}");
        }
    }

    #[test]
    fn a_token_is_refused_in_words_that_clients_know() {
        let said = |error: VerifyError| {
            let refusal = refused(&IdentityError::Token(error));
            let Refusal::Noted(_, refusal) = refusal else { panic!("{refusal:?}") };
            let Refusal::Token(message) = *refusal else { panic!("{refusal:?}") };
            message.into_owned()
        };
        let expired = |ago: u64| said(VerifyError::Expired { expires: 10, now: 10 + ago });
        assert_eq!(expired(2), "token is expired by 2s");
        assert_eq!(expired(62), "token is expired by 1m2s");
        assert_eq!(expired(7262), "token is expired by 2h1m2s");
        assert_eq!(said(VerifyError::BadSignature), "signature is invalid");
        assert_eq!(
            said(VerifyError::NotYetValid { not_before: 2, now: 1 }),
            "token is not valid yet"
        );
        assert_eq!(said(VerifyError::NotAToken), "token contains an invalid number of segments");
    }
}
