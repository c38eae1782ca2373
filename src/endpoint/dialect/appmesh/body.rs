//! What App Mesh's answers hold, and how its endpoints refuse, for the document.

use std::borrow::Cow;

use serde::Serialize;
use utoipa::ToSchema;

/// What was done, or why it was not.
#[derive(Serialize, ToSchema)]
pub(super) struct Message {
    pub(super) message: Cow<'static, str>,
}

/// A one-time code must follow.
#[derive(Serialize, ToSchema)]
pub(super) struct ChallengeBody {
    /// Always `TOTP_CHALLENGE_REQUIRED`.
    pub(super) status: &'static str,
    pub(super) digits: u32,
    pub(super) algorithm: &'static str,
    pub(super) period: u32,
    /// What the code must come with.
    pub(super) totp_challenge: String,
    /// When that is over, in Unix seconds.
    pub(super) expires: u64,
}

/// The refusals of whatever needs a token, for the document.
#[derive(utoipa::IntoResponses)]
#[expect(dead_code, reason = "tells what `Refusal` answers")]
pub(super) enum Refusals {
    /// Not as it must be
    #[response(status = 400)]
    Bad(#[to_schema] Message),
    /// The token does not hold, or there is none
    #[response(status = 401)]
    Unauthorized(#[to_schema] Message),
    /// The user lacks the permission, or another site sent the cookie
    #[response(status = 403)]
    Denied(#[to_schema] Message),
    /// Too many failures; see Retry-After
    #[response(status = 429)]
    Throttled(#[to_schema] Message),
    /// Not now; see Retry-After
    #[response(status = 503)]
    Later(#[to_schema] Message),
}

/// The refusals of whatever changes a user or a role besides, for the document.
#[derive(utoipa::IntoResponses)]
#[expect(dead_code, reason = "tells what `Refusal` answers")]
pub(super) enum Unchanged {
    /// No such user or role
    #[response(status = 404)]
    Unknown(#[to_schema] Message),
    /// It is not kept where it could be changed
    #[response(status = 409)]
    Conflict(#[to_schema] Message),
}

/// A token as all generations of clients read it, and what some answers have besides.
#[derive(Serialize, ToSchema)]
pub(super) struct TokenBody<'t> {
    /// Always `Bearer`.
    pub(super) token_type: &'static str,
    /// The token: a JWT.
    pub(super) access_token: &'t str,
    /// Good for one more pair, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) refresh_token: Option<&'t str>,
    /// For how many seconds the token holds.
    pub(super) expires_in: u64,
    /// The same.
    pub(super) expire_seconds: u64,
    /// Until when, in Unix seconds.
    pub(super) expire_time: u64,
    /// Since when, in Unix seconds.
    pub(super) issued_at: u64,
    pub(super) profile: ProfileBody<'t>,
    #[serde(flatten)]
    pub(super) more: More<'t>,
}

/// Whose a token is.
#[derive(Serialize, ToSchema)]
pub(super) struct ProfileBody<'t> {
    pub(super) name: &'t str,
    pub(super) group: &'t str,
    /// When the user logged in, in Unix seconds.
    pub(super) auth_time: u64,
}

/// What only some answers have.
#[derive(Default, Serialize, ToSchema)]
pub(super) struct More<'t> {
    /// Of a verified token: that it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) success: Option<bool>,
    /// Of a verified token: whose it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) user: Option<&'t str>,
    /// Of a verified token: the permission that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) permission: Option<&'t str>,
    /// Of a verified token: the audience that it was verified for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) audience: Option<&'t str>,
    /// Of a second factor that was confirmed: codes for the day on which it is lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) recovery_codes: Option<Vec<&'t str>>,
}
