//! `login` and `totp/validate`: from a password, and a code, to a token.

use axum::body::Bytes;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, header};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::answer::{Refusal, TokenReply};
use super::body::{ChallengeBody, Message, More, TokenBody};
use super::wish;
use crate::endpoint::dialect::object::read_object;
use crate::secret::Secret;
use crate::service::{Call, LoggedIn, Wish};

const CODE: &str = "x-totp-code";

/// The answer to a challenge.
#[derive(Deserialize, ToSchema)]
pub(super) struct Validate {
    /// Who logs in.
    user_name: String,
    /// The one-time code.
    totp_code: String,
    /// What the challenge came with.
    totp_challenge: String,
    /// How long the token should live, as a number or a text.
    expire_seconds: Option<Value>,
}

/// Logs in; a user with a second factor is asked for it, unless it comes along.
#[utoipa::path(
    post,
    path = "/appmesh/login",
    tag = "login",
    params(
        ("X-Expire-Seconds" = Option<String>, Header, description = "How long the token should live, in seconds"),
        ("X-Audience" = Option<String>, Header, description = "One of the endpoint's audiences"),
        ("X-Totp-Code" = Option<String>, Header, description = "A one-time or recovery code"),
        ("X-Set-Cookie" = Option<String>, Header, description = "`true`: as a cookie as well"),
        ("X-Refresh-Token-Request" = Option<String>, Header, description = "`true`: with a refresh token"),
    ),
    security(("basic" = [])),
    responses(
        (status = 200, description = "A token", body = TokenBody<'static>),
        (status = 400, description = "Not as it must be", body = Message),
        (status = 401, description = "The name, the password or the code does not hold", body = Message),
        (status = 428, description = "A one-time code must follow", body = ChallengeBody),
        (status = 429, description = "Too many failures; see Retry-After", body = Message),
        (status = 503, description = "Not now; see Retry-After", body = Message),
    ),
)]
pub(super) async fn login(call: Call, fields: HeaderMap) -> Result<Response, Refusal> {
    let (user, password) = basic(&fields)?;
    let wish = wish::of_login(&call, &fields)?;
    let sets_cookie = wish::wants_cookie(&fields)?;
    let code = code(&fields)?;
    let who = call.service.login(&call, &user, password, code).await;
    let who = who.map_err(|error| Refusal::from(error).about(&user))?;
    issue(&call, &who, &wish, sets_cookie).await
}

/// Ends a login by the code that was asked for.
#[utoipa::path(
    post,
    path = "/appmesh/totp/validate",
    tag = "login",
    request_body = Validate,
    params(
        ("X-Expire-Seconds" = Option<String>, Header, description = "How long the token should live, in seconds"),
        ("X-Audience" = Option<String>, Header, description = "One of the endpoint's audiences"),
        ("X-Set-Cookie" = Option<String>, Header, description = "`true`: as a cookie as well"),
        ("X-Refresh-Token-Request" = Option<String>, Header, description = "`true`: with a refresh token"),
    ),
    responses(
        (status = 200, description = "A token", body = TokenBody<'static>),
        (status = 400, description = "Not as it must be", body = Message),
        (status = 401, description = "The code does not hold", body = Message),
        (status = 412, description = "The challenge is unknown or over", body = Message),
        (status = 429, description = "Too many failures; see Retry-After", body = Message),
        (status = 503, description = "Not now; see Retry-After", body = Message),
    ),
)]
pub(super) async fn validate(
    call: Call,
    fields: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let sent: Validate = read_object(&body).ok_or(Refusal::bad(
        "user_name, totp_code and totp_challenge are needed, as texts in JSON",
    ))?;
    if sent.user_name.is_empty() || sent.totp_code.is_empty() || sent.totp_challenge.is_empty() {
        return Err(Refusal::bad("no TOTP key provided"));
    }
    let mut wish = wish::of_login(&call, &fields)?;
    wish.lifetime = wish::seconds_of(sent.expire_seconds.as_ref())?.or(wish.lifetime);
    let sets_cookie = wish::wants_cookie(&fields)?;
    let (challenge, user) = (&sent.totp_challenge, Some(&*sent.user_name));
    let who = call.service.answer_challenge(&call, challenge, user, &sent.totp_code).await;
    let who = who.map_err(|error| Refusal::from(error).about(&sent.user_name))?;
    issue(&call, &who, &wish, sets_cookie).await
}

async fn issue(
    call: &Call,
    who: &LoggedIn,
    wish: &Wish,
    sets_cookie: bool,
) -> Result<Response, Refusal> {
    let issued = call.service.issue(call, who, wish).await?;
    Ok(TokenReply::of(&issued).respond(sets_cookie, More::default()))
}

/// The one-time code in its header.
pub(super) fn code(fields: &HeaderMap) -> Result<Option<&str>, Refusal> {
    wish::field(fields, CODE)
}

/// Name and password. The scheme is matched as it is written, and the first colon separates.
fn basic(fields: &HeaderMap) -> Result<(String, Secret), Refusal> {
    let refused = || Refusal::bad("unrecognized authorization type");
    let mut values = fields.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return Err(refused()) };
    let text = value.to_str().map_err(|_| refused())?;
    let parameter = text.strip_prefix("Basic ").ok_or_else(refused)?;
    let malformed = || Refusal::bad("malformed Basic authorization");
    let bytes = Zeroizing::new(STANDARD.decode(parameter.trim()).map_err(|_| malformed())?);
    let text = std::str::from_utf8(&bytes).map_err(|_| malformed())?;
    let (user, password) = text.split_once(':').ok_or_else(malformed)?;
    Ok((user.to_owned(), Secret::from(password.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_is_read_strictly() {
        for (value, expected) in [
            ("Basic YTpiOmM=", Some(("a", "b:c"))),
            ("YTpiOmM=", None),
            ("basic YTpiOmM=", None),
            ("Basic YQ==", None),
            ("Basic !", None),
            ("Basic gTpi", None),
            ("Bearer a.b.c", None),
        ] {
            let mut fields = HeaderMap::new();
            fields.insert(header::AUTHORIZATION, value.parse().unwrap());
            let read = basic(&fields).ok();
            let read = read.as_ref().map(|(user, password)| (user.as_str(), password.expose()));
            let expected = expected.map(|(user, password)| (user, password.as_bytes()));
            assert_eq!(read, expected, "{value}");
        }
        assert!(basic(&HeaderMap::new()).is_err());
    }
}
