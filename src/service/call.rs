//! One request to one of the gateway's own endpoints, as its handler sees it.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::StatusCode;
use http::request::Parts;

use super::TokenService;
use crate::snapshot::{Profile, Snapshot};

/// What a handler tells the log of its answer: put it among the extensions of the response.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Who it was about.
    pub user: Option<Box<str>>,
    /// Why it was answered so: a label of `gateway::reason`.
    pub reason: Option<&'static str>,
}

/// What a handler needs to know besides the request itself. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Call {
    /// The version of everything that this request sees.
    pub snapshot: Arc<Snapshot>,
    /// The endpoint's settings.
    pub profile: Arc<Profile>,
    /// Who asks: the peer, or whom a trusted proxy names.
    pub client: IpAddr,
    /// Whether the peer itself is a proxy whose word is believed (`server.trusted_proxies`).
    pub peer: IpAddr,
    /// Whether the client came by TLS.
    pub is_secure: bool,
    /// Host and, if it is not the scheme's own, port, as the client names them.
    pub authority: Box<str>,
    /// Where to ask.
    pub service: Arc<TokenService>,
}

impl Call {
    /// `https://host` or `http://host`, as the client sees this endpoint's origin.
    #[must_use]
    pub fn origin(&self) -> String {
        let scheme = if self.is_secure { "https" } else { "http" };
        format!("{scheme}://{}", self.authority)
    }
}

impl<S: Sync> FromRequestParts<S> for Call {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, StatusCode> {
        parts.extensions.get::<Self>().cloned().ok_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}
