//! Who asks, by an access token (RFC 6750), and what they sent as JSON.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use http::HeaderMap;
use http::request::Parts;
use serde::de::DeserializeOwned;

use super::form::has_type;
use super::refusal::Refusal;
use crate::credential::{Accepted, Credential, CredentialError};
use crate::service::{Call, Verified};

/// The owner of an account, by an access token that may manage it.
#[derive(Debug)]
pub(super) struct Owner {
    pub(super) call: Call,
    pub(super) name: String,
    pub(super) verified: Verified,
    pub(super) token: String,
}

impl<S: Sync> FromRequestParts<S> for Owner {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Refusal> {
        let call = parts.extensions.get::<Call>().cloned().ok_or(Refusal::Impossible)?;
        let token = bearer(&parts.headers)?.to_owned();
        let verified = verify(&call, &token)?;
        let name = verified.account().ok_or(Refusal::InsufficientScope(
            "an account is managed with a token of its user, not of an API key",
        ))?;
        Ok(Self { name: name.to_owned(), call, verified, token })
    }
}

/// Verifies a token.
pub(super) fn verify(call: &Call, token: &str) -> Result<Verified, Refusal> {
    call.service.verify(call, token).map_err(|error| {
        tracing::debug!(error = %error, "Refused an access token at an endpoint");
        Refusal::InvalidToken
    })
}

/// Takes the one token of a request.
pub(super) fn bearer(fields: &HeaderMap) -> Result<&str, Refusal> {
    let accepted = Accepted { bearer: true, ..Accepted::default() };
    match Credential::extract(fields, accepted, None) {
        Ok(Credential::Bearer(token)) => Ok(token),
        Err(CredentialError::Ambiguous) => {
            Err(Refusal::InvalidRequest("more than one credential")) // RFC 6750 §2
        }
        Err(CredentialError::Malformed) => Err(Refusal::InvalidToken),
        Ok(_) | Err(CredentialError::Missing | CredentialError::Unsupported) => {
            Err(Refusal::MissingToken)
        }
    }
}

/// A JSON body, whose members are all known.
#[derive(Debug)]
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        if !has_type(request.headers(), "application/json") {
            return Err(Refusal::UnsupportedMediaType);
        }
        let body = Bytes::from_request(request, state).await;
        let body = body.map_err(|_| Refusal::InvalidRequest("the body cannot be read"))?;
        read_object(&body).map(Self)
    }
}

/// Reads an object. An array, which serde would take for one, is none.
pub(super) fn read_object<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    let refused = Refusal::InvalidRequest("the body is not the object that is expected");
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(refused);
    }
    serde_json::from_slice(body).map_err(|_| refused)
}
