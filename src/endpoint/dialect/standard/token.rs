//! `/oauth2/token` (RFC 6749 §3.2): a grant in, tokens out.

use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::response::{IntoResponse as _, Response};
use http::HeaderMap;
use http::header::PRAGMA;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::client::{Client, Presented};
use super::form::Form;
use super::refusal::Refusal;
use crate::secret::Secret;
use crate::service::{Call, Issued, LoggedIn, Shape, Wish};

/// An API key against an access token.
pub(super) const API_KEY: &str = "urn:doorward:grant-type:api-key";
/// A login that waits for its second factor, with the code.
pub(super) const MFA_OTP: &str = "urn:doorward:grant-type:mfa-otp";
/// All grants.
pub(super) const GRANTS: [&str; 5] =
    ["password", "refresh_token", "client_credentials", API_KEY, MFA_OTP];

/// What a client asks for. Which parameters a grant needs is told with each.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "the parameters are read one by one; this is what they are")]
pub(super) struct TokenRequest {
    /// `password`, `refresh_token`, `client_credentials`, `urn:doorward:grant-type:api-key` or
    /// `urn:doorward:grant-type:mfa-otp`.
    grant_type: GrantType,
    /// `password`: the user.
    #[schema(nullable = false)]
    username: Option<String>,
    /// `password`: the user's password.
    #[schema(nullable = false, format = Password)]
    password: Option<String>,
    /// `password`, where the user has a second factor, and `mfa-otp`: a one-time code, or a
    /// recovery code.
    #[schema(nullable = false)]
    otp: Option<String>,
    /// `mfa-otp`: what the error `mfa_required` came with.
    #[schema(nullable = false)]
    mfa_token: Option<String>,
    /// `refresh_token`: the refresh token; it is good once.
    #[schema(nullable = false)]
    refresh_token: Option<String>,
    /// `api-key`: the key.
    #[schema(nullable = false)]
    api_key: Option<String>,
    /// `client_credentials`: the key's id, or its owner. Elsewhere: whatever the client is called.
    #[schema(nullable = false)]
    client_id: Option<String>,
    /// `client_credentials`: the key; or both by Basic.
    #[schema(nullable = false)]
    client_secret: Option<String>,
    /// One of the issuer's audiences. Default: all of them.
    #[schema(nullable = false)]
    audience: Option<String>,
    /// How many seconds the access token should live, if less than the endpoint's limit.
    #[schema(nullable = false, minimum = 1)]
    expires_in: Option<u64>,
}

/// How a client proves that it may have a token.
#[derive(Debug, Deserialize, ToSchema)]
enum GrantType {
    #[serde(rename = "password")]
    Password,
    #[serde(rename = "refresh_token")]
    RefreshToken,
    #[serde(rename = "client_credentials")]
    ClientCredentials,
    #[serde(rename = "urn:doorward:grant-type:api-key")]
    ApiKey,
    #[serde(rename = "urn:doorward:grant-type:mfa-otp")]
    MfaOtp,
}

/// What a client gets (RFC 6749 §5.1).
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TokenResponse {
    /// The access token: a JWT.
    access_token: String,
    /// Always `Bearer`.
    token_type: &'static str,
    /// For how many seconds it holds.
    expires_in: u64,
    /// Good for one more pair; absent for API keys, which are exchanged again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    refresh_token: Option<String>,
}

/// Exchanges a grant for tokens.
#[utoipa::path(
    post,
    path = "/oauth2/token",
    tag = "oauth2",
    request_body(
        content = TokenRequest,
        content_type = "application/x-www-form-urlencoded",
    ),
    security((), ("client" = [])),
    responses(
        (status = 200, description = "Tokens", body = TokenResponse),
        (status = 400, description = "Refused", body = super::refusal::ErrorBody),
        (status = 401, description = "The API key of the client does not hold", body = super::refusal::ErrorBody),
        (status = 429, description = "Too many failures; see Retry-After", body = super::refusal::ErrorBody),
        (status = 503, description = "Nothing can be issued now; see Retry-After", body = super::refusal::ErrorBody),
    ),
)]
pub(super) async fn token(call: Call, fields: HeaderMap, body: Bytes) -> Result<Response, Refusal> {
    let form = Form::parse(&fields, &body)?;
    let client = Client::of(&fields, &form)?;
    let issued = match form.require("grant_type", "grant_type is missing")? {
        "password" => {
            client.require_public()?;
            let wish = wish(&form, true)?;
            let user = form.require("username", "username is missing")?;
            let password = form.require("password", "password is missing")?;
            let password = Secret::new(password.as_bytes().to_vec());
            let who = call.service.login(&call, user, password, form.get("otp")).await?;
            call.service.issue(&call, &who, &wish).await?
        }
        MFA_OTP => {
            client.require_public()?;
            let wish = wish(&form, true)?;
            let challenge = form.require("mfa_token", "mfa_token is missing")?;
            let code = form.require("otp", "otp is missing")?;
            let user = form.get("username");
            let who = call.service.answer_challenge(&call, challenge, user, code).await?;
            call.service.issue(&call, &who, &wish).await?
        }
        "refresh_token" => {
            client.require_public()?;
            let wish = wish(&form, true)?;
            if wish.lifetime.is_some() || wish.audience.is_some() {
                return Err(Refusal::InvalidRequest(
                    "a refresh changes neither audience nor lifetime",
                ));
            }
            let token = form.require("refresh_token", "refresh_token is missing")?;
            call.service.refresh(&call, token).await?
        }
        "client_credentials" => {
            let Client::Key(presented) = client else {
                return Err(Refusal::InvalidClient { basic: fields.contains_key("authorization") });
            };
            let wish = wish(&form, false)?;
            let who = authenticate(&call, &presented).await?;
            call.service.issue(&call, &who, &wish).await?
        }
        API_KEY => {
            client.require_public()?;
            let wish = wish(&form, false)?;
            let key = form.require("api_key", "api_key is missing")?;
            let who = call.service.exchange_key(&call, key).await?;
            call.service.issue(&call, &who, &wish).await?
        }
        _ => return Err(Refusal::UnsupportedGrantType),
    };
    Ok(answer(&issued))
}

/// Logs a client in by its API key, which must be the one that it calls itself by, or its
/// owner's.
pub(super) async fn authenticate(call: &Call, presented: &Presented) -> Result<LoggedIn, Refusal> {
    use crate::service::LoginError;
    let refused = Refusal::InvalidClient { basic: presented.basic };
    let who = match call.service.exchange_key(call, &presented.secret).await {
        Ok(who) => who,
        Err(LoginError::Refused) => return Err(refused),
        Err(error) => return Err(error.into()),
    };
    let is_its_own = who.key().is_some_and(|key| *key.id == *presented.id);
    if is_its_own || who.name() == presented.id { Ok(who) } else { Err(refused) }
}

fn wish(form: &Form, refresh: bool) -> Result<Wish, Refusal> {
    if form.get("scope").is_some() {
        return Err(Refusal::InvalidScope);
    }
    let lifetime = match form.get("expires_in") {
        None => None,
        Some(text) => match text.parse::<u64>() {
            Ok(seconds @ 1..) => Some(Duration::from_secs(seconds)),
            _ => return Err(Refusal::InvalidRequest("expires_in is not a number of seconds")),
        },
    };
    let audience = form.get("audience").map(str::to_owned);
    Ok(Wish { lifetime, audience, refresh, shape: Shape::Standard })
}

fn answer(issued: &Issued) -> Response {
    let body = TokenResponse {
        access_token: issued.access_token.to_string(),
        token_type: "Bearer",
        expires_in: issued.expires_in(),
        refresh_token: issued.refresh_token.as_ref().map(|token| token.as_str().to_owned()),
    };
    ([(PRAGMA, "no-cache")], Json(body)).into_response()
}
