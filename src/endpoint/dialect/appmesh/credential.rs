//! Who asks: by a token in `Authorization`, with `Bearer` or bare, or in the cookie. The header
//! wins, and what comes by the cookie alone must come from a page of ours.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Path};
use axum::response::{IntoResponse as _, Response};
use cookie::Cookie;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, header};

use super::answer::{COOKIE, Refusal};
use crate::service::{Call, Verified};
use crate::user::{Permission, User};

/// A token as it was shown.
pub(super) struct Shown<'h> {
    pub(super) token: &'h str,
    is_cookie: bool,
    /// Whether the cookie was there, used or not: then it is renewed too.
    pub(super) has_cookie: bool,
}

impl<'h> Shown<'h> {
    /// Takes the token out of the header or the cookie. `None`: there is none.
    pub(super) fn find(fields: &'h HeaderMap) -> Result<Option<Self>, Refusal> {
        let unreadable = || Refusal::unauthorized("Authentication failed: malformed credential");
        let cookie = cookie(fields)?;
        let has_cookie = cookie.is_some();
        let mut values = fields.get_all(header::AUTHORIZATION).iter();
        let header = values.next();
        if values.next().is_some() {
            return Err(unreadable());
        }
        let text = header.map(|value| value.to_str().map_err(|_| unreadable())).transpose()?;
        match text.map(str::trim).filter(|text| !text.is_empty()) {
            Some(text) => {
                let token = text.strip_prefix("Bearer ").unwrap_or(text).trim();
                Ok(Some(Self { token, is_cookie: false, has_cookie }))
            }
            None => Ok(cookie.map(|token| Self { token, is_cookie: true, has_cookie })),
        }
    }

    fn read(fields: &'h HeaderMap) -> Result<Self, Refusal> {
        Self::find(fields)?.ok_or_else(missing)
    }

    /// What changes something and comes by the cookie must come from our own origin or one that
    /// is named. A browser sends `Origin` with all of that; other clients send none.
    pub(super) fn check_origin(
        &self,
        call: &Call,
        method: &Method,
        fields: &HeaderMap,
    ) -> Result<(), Refusal> {
        if !self.is_cookie || method.is_safe() {
            return Ok(());
        }
        let refused = || {
            let status = http::StatusCode::FORBIDDEN;
            let message = "CSRF validation failed: origin not allowed";
            Err(Refusal::said(status, message).because("csrf"))
        };
        let mut origins = fields.get_all(header::ORIGIN).iter();
        match (origins.next(), origins.next()) {
            (None, _) => match fields.get("sec-fetch-site").map(HeaderValue::as_bytes) {
                None | Some(b"same-origin" | b"none") => Ok(()),
                Some(_) => refused(),
            },
            (Some(origin), None) => {
                let Ok(origin) = origin.to_str() else { return refused() };
                let mut named = call.profile.origins.iter();
                let is_named = named.any(|allowed| allowed.eq_ignore_ascii_case(origin));
                if is_named || call.origin().eq_ignore_ascii_case(origin) {
                    Ok(())
                } else {
                    refused()
                }
            }
            (Some(_), Some(_)) => refused(),
        }
    }
}

/// There is no token at all.
pub(super) fn missing() -> Refusal {
    Refusal::unauthorized("No authentication token provided").because("credential_missing")
}

/// The token in the cookie, if it is there.
fn cookie(fields: &HeaderMap) -> Result<Option<&str>, Refusal> {
    let unreadable = || Refusal::unauthorized("Authentication failed: malformed cookie");
    let mut found = None;
    for value in fields.get_all(header::COOKIE) {
        let text = value.to_str().map_err(|_| unreadable())?;
        for part in Cookie::split_parse(text).flatten() {
            if part.name() == COOKIE {
                let token = part.value_raw().filter(|token| !token.is_empty());
                if token.is_some() && found.is_some_and(|other| Some(other) != token) {
                    return Err(unreadable());
                }
                found = token.or(found);
            }
        }
    }
    Ok(found)
}

/// Who asks, proved.
pub(super) struct Account {
    pub(super) user: Arc<User>,
    pub(super) token: String,
    pub(super) has_cookie: bool,
}

/// A verified token, for the little that any of them may.
pub(super) fn verify<'h>(
    call: &Call,
    method: &Method,
    fields: &'h HeaderMap,
) -> Result<(Shown<'h>, Verified), Refusal> {
    let shown = Shown::read(fields)?;
    shown.check_origin(call, method, fields)?;
    let verified = call.service.verify(call, shown.token)?;
    Ok((shown, verified))
}

/// A user who may manage accounts as far as their permissions go, and has this one.
pub(super) fn authorize(
    call: &Call,
    method: &Method,
    fields: &HeaderMap,
    permission: &str,
) -> Result<Account, Refusal> {
    let (shown, verified) = verify(call, method, fields)?;
    let found = verified.account().and_then(|name| call.snapshot.identities.find(name));
    let (_, user) = found.ok_or_else(|| Refusal::denied(&verified.principal.name, permission))?;
    require(user, permission)?;
    let (token, has_cookie) = (shown.token.to_owned(), shown.has_cookie);
    Ok(Account { user: Arc::clone(user), token, has_cookie })
}

/// That the user has a permission.
pub(super) fn require(user: &User, permission: &str) -> Result<(), Refusal> {
    let demanded = permission.parse::<Permission>();
    if demanded.is_ok_and(|demanded| user.permissions.grants(&demanded)) {
        Ok(())
    } else {
        Err(Refusal::denied(&user.name, permission))
    }
}

/// The name in a path.
pub(super) struct Name(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Name {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(name)) => Ok(Self(name)),
            Err(_) => Err(Refusal::bad("a malformed name").into_response()),
        }
    }
}

impl Name {
    /// Whose account is meant: `self` is whoever asks.
    pub(super) fn of(self, user: &User) -> String {
        if self.0 == SELF { user.name.to_string() } else { self.0 }
    }
}

/// Stands for whoever asks, and so is no user's name.
pub(super) const SELF: &str = "self";

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut fields = HeaderMap::new();
        for (name, value) in pairs {
            fields.append(*name, value.parse().unwrap());
        }
        fields
    }

    #[test]
    fn the_header_wins_and_the_cookie_counts_without_one() {
        for (pairs, token, is_cookie) in [
            (&[("authorization", "Bearer a.b.c")][..], "a.b.c", false),
            (&[("authorization", "a.b.c")], "a.b.c", false),
            (&[("authorization", "Bearer  a.b.c ")], "a.b.c", false),
            (&[("authorization", ""), ("cookie", "x=1; appmesh_auth_token=c.c.c")], "c.c.c", true),
            (&[("authorization", "h"), ("cookie", "appmesh_auth_token=c")], "h", false),
            (&[("cookie", "a=b"), ("cookie", "appmesh_auth_token=c; z")], "c", true),
        ] {
            let fields = fields(pairs);
            let shown = Shown::find(&fields).unwrap().unwrap();
            assert_eq!((shown.token, shown.is_cookie), (token, is_cookie), "{pairs:?}");
        }
        assert!(Shown::find(&HeaderMap::new()).unwrap().is_none());
        assert!(Shown::find(&fields(&[("cookie", "appmesh_auth_token=")])).unwrap().is_none());
    }

    #[test]
    fn of_two_that_differ_none_is_chosen() {
        for pairs in [
            [("authorization", "Bearer a"), ("authorization", "Bearer a")],
            [("cookie", "appmesh_auth_token=a; appmesh_auth_token=b"), ("x", "y")],
            [("cookie", "appmesh_auth_token=a"), ("cookie", "appmesh_auth_token=b")],
        ] {
            assert!(Shown::find(&fields(&pairs)).is_err(), "{pairs:?}");
        }
    }
}
