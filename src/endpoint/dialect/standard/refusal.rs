//! Why a request is refused, in the words of OAuth (RFC 6749 §5.2, RFC 6750 §3, RFC 7009 §2.2.1).

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The body of a refusal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(super) struct ErrorBody {
    /// What kind of refusal it is, for programs.
    pub error: String,
    /// The same for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub error_description: Option<String>,
    /// With `mfa_required`: names the login that waits for a one-time code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub mfa_token: Option<String>,
    /// With `mfa_required`: for how many seconds it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub expires_in: Option<u64>,
}

/// The body of a refusal before the endpoint is asked (RFC 9457), such as of a path with two
/// readings.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the gateway writes it; this is what it is")]
pub(super) struct Problem {
    /// Always `about:blank`.
    r#type: &'static str,
    /// The status in words.
    title: String,
    /// The status.
    status: u16,
    /// What the gateway's log knows the refusal by.
    decision: String,
}

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The store already knows such a thing.
    Conflict(&'static str),
    /// The token is good, and does not allow this.
    InsufficientScope(&'static str),
    /// The client is not who it says; `basic`: it said so in `Authorization`.
    InvalidClient { basic: bool },
    /// The password, code, token or key is not good.
    InvalidGrant(&'static str),
    /// The request is not one.
    InvalidRequest(&'static str),
    /// The endpoint is configured so that it cannot answer.
    Impossible,
    /// A scope was asked for.
    InvalidScope,
    /// An audience that is not offered was asked for.
    InvalidTarget,
    /// The access token is not good.
    InvalidToken,
    /// The method is not offered here; axum says which are.
    MethodNotAllowed,
    /// The password is right, and a one-time code is needed.
    MfaRequired { token: String, expires_in: u64 },
    /// No access token.
    MissingToken,
    /// No such thing.
    NotFound,
    /// Too many failures.
    Throttled { retry_after: u64 },
    /// The client may not use this grant.
    UnauthorizedClient,
    /// The gateway cannot answer now.
    Unavailable { retry_after: u64 },
    /// The grant is not offered.
    UnsupportedGrantType,
    /// The body has another type.
    UnsupportedMediaType,
    /// The token is of a kind that cannot be revoked here.
    UnsupportedTokenType,
}

impl Refusal {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::InvalidGrant(_)
            | Self::InvalidRequest(_)
            | Self::InvalidScope
            | Self::InvalidTarget
            | Self::MfaRequired { .. }
            | Self::UnauthorizedClient
            | Self::UnsupportedGrantType
            | Self::UnsupportedTokenType => StatusCode::BAD_REQUEST,
            Self::InvalidClient { .. } | Self::InvalidToken | Self::MissingToken => {
                StatusCode::UNAUTHORIZED
            }
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::InsufficientScope(_) => StatusCode::FORBIDDEN,
            Self::Impossible => StatusCode::INTERNAL_SERVER_ERROR,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Throttled { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        }
    }

    fn error(&self) -> &'static str {
        match self {
            Self::Conflict(_) => "conflict",
            Self::InsufficientScope(_) => "insufficient_scope",
            Self::Impossible => "server_error",
            Self::InvalidClient { .. } => "invalid_client",
            Self::InvalidGrant(_) => "invalid_grant",
            Self::InvalidRequest(_) | Self::MethodNotAllowed | Self::UnsupportedMediaType => {
                "invalid_request"
            }
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::InvalidToken | Self::MissingToken => "invalid_token",
            Self::MfaRequired { .. } => "mfa_required",
            Self::NotFound => "not_found",
            Self::Throttled { .. } | Self::Unavailable { .. } => "temporarily_unavailable",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::UnsupportedTokenType => "unsupported_token_type",
        }
    }

    fn description(&self) -> &'static str {
        match self {
            Self::Conflict(why)
            | Self::InsufficientScope(why)
            | Self::InvalidGrant(why)
            | Self::InvalidRequest(why) => why,
            Self::Impossible => "the endpoint cannot issue such tokens",
            Self::InvalidClient { .. } => "the client is not who it says it is",
            Self::InvalidScope => "scopes are not offered; an API key can be narrowed",
            Self::InvalidTarget => "the audience is not one of this issuer's",
            Self::InvalidToken => "the access token does not hold",
            Self::MethodNotAllowed => "the method is not offered here",
            Self::MfaRequired { .. } => "a one-time code is needed",
            Self::MissingToken => "an access token is needed",
            Self::NotFound => "there is no such thing",
            Self::Throttled { .. } => "too many failures, try again later",
            Self::UnauthorizedClient => "an API key cannot use this grant",
            Self::Unavailable { .. } => "try again later",
            Self::UnsupportedGrantType => "the grant is not offered",
            Self::UnsupportedMediaType => "the body must be JSON",
            Self::UnsupportedTokenType => "tokens of this kind are not revoked here",
        }
    }

    fn challenge(&self) -> Option<HeaderValue> {
        let challenge = match self {
            Self::InvalidClient { basic: true } => r#"Basic realm="doorward", charset="UTF-8""#,
            Self::InvalidToken => r#"Bearer realm="doorward", error="invalid_token""#,
            Self::MissingToken => r#"Bearer realm="doorward""#, // without an error: RFC 6750 §3.1
            Self::InsufficientScope(_) => r#"Bearer realm="doorward", error="insufficient_scope""#,
            Self::Conflict(_)
            | Self::Impossible
            | Self::InvalidClient { basic: false }
            | Self::InvalidGrant(_)
            | Self::InvalidRequest(_)
            | Self::InvalidScope
            | Self::InvalidTarget
            | Self::MethodNotAllowed
            | Self::MfaRequired { .. }
            | Self::NotFound
            | Self::Throttled { .. }
            | Self::UnauthorizedClient
            | Self::Unavailable { .. }
            | Self::UnsupportedGrantType
            | Self::UnsupportedMediaType
            | Self::UnsupportedTokenType => return None,
        };
        Some(HeaderValue::from_static(challenge))
    }

    fn body(self) -> ErrorBody {
        let body = ErrorBody {
            error: self.error().to_owned(),
            error_description: Some(self.description().to_owned()),
            ..ErrorBody::default()
        };
        if let Self::MfaRequired { token, expires_in } = self {
            return ErrorBody { mfa_token: Some(token), expires_in: Some(expires_in), ..body };
        }
        body
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut fields = HeaderMap::new();
        if let Some(challenge) = self.challenge() {
            fields.insert(WWW_AUTHENTICATE, challenge);
        }
        if let Self::Throttled { retry_after } | Self::Unavailable { retry_after } = self {
            fields.insert(RETRY_AFTER, retry_after.into());
        }
        (self.status(), fields, Json(self.body())).into_response()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;
    use serde_json::{Value, json};

    use super::*;

    async fn answer(refusal: Refusal) -> (u16, HeaderMap, Value) {
        let (parts, body) = refusal.into_response().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (parts.status.as_u16(), parts.headers, serde_json::from_slice(&body).unwrap())
    }

    #[tokio::test]
    async fn a_client_that_used_basic_is_challenged_and_no_other() {
        let (status, fields, body) = answer(Refusal::InvalidClient { basic: true }).await;
        assert_eq!((status, &body["error"]), (401, &json!("invalid_client")));
        assert!(fields["www-authenticate"].to_str().unwrap().starts_with("Basic "));

        let (status, fields, _) = answer(Refusal::InvalidClient { basic: false }).await;
        assert_eq!(status, 401);
        assert!(!fields.contains_key("www-authenticate"));
    }

    #[tokio::test]
    async fn the_second_factor_is_asked_for_with_what_names_the_login() {
        let refusal = Refusal::MfaRequired { token: "c1".to_owned(), expires_in: 300 };
        let (status, _, body) = answer(refusal).await;
        assert_eq!(status, 400);
        assert_eq!(
            body,
            json!({
                "error": "mfa_required",
                "error_description": "a one-time code is needed",
                "mfa_token": "c1",
                "expires_in": 300,
            })
        );
    }

    #[tokio::test]
    async fn who_must_wait_is_told_how_long() {
        for refusal in
            [Refusal::Throttled { retry_after: 7 }, Refusal::Unavailable { retry_after: 7 }]
        {
            let (_, fields, body) = answer(refusal).await;
            assert_eq!(fields["retry-after"], "7");
            assert_eq!(body["error"], "temporarily_unavailable");
        }
    }
}
