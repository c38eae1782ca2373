//! How App Mesh answers and refuses.

use std::borrow::Cow;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::header::{self, HeaderValue};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value};

use super::body::{ChallengeBody, Message, More, ProfileBody, TokenBody};
use crate::endpoint::dialect::noted::login_reason;
use crate::endpoint::dialect::retry::{SOON, retry_after};
use crate::endpoint::dialect::users::{Verdict, verdict};
use crate::identity::IdentityError;
use crate::service::{
    ChallengeTicket, IssueError, Issued, LoginError, Outcome, PasswordChangeError, RefreshError,
    RevokeError, TotpError, Unavailable, UsersError,
};

/// Where a token is kept that a browser brings along by itself.
pub(super) const COOKIE: &str = "appmesh_auth_token";

const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");
const TOTP: HeaderValue =
    HeaderValue::from_static("TOTP realm=\"TOTP Authentication\", qop=\"auth\"");

/// Why a client does not get what it asked for.
#[derive(Clone, Debug)]
pub(super) enum Refusal {
    /// A one-time code must follow.
    Challenge(ChallengeTicket),
    /// It will do later.
    Later,
    /// One of these, and what the log is told besides.
    Noted(Outcome, Box<Self>),
    /// A status, and why.
    Said(StatusCode, Cow<'static, str>),
    /// Too many failures.
    Throttled(Duration),
}

impl Refusal {
    pub(super) fn said(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self::Said(status, message.into())
    }

    pub(super) fn bad(message: impl Into<Cow<'static, str>>) -> Self {
        Self::said(StatusCode::BAD_REQUEST, message)
    }

    pub(super) fn unauthorized(message: impl Into<Cow<'static, str>>) -> Self {
        Self::said(StatusCode::UNAUTHORIZED, message)
    }

    pub(super) fn denied(user: &str, permission: &str) -> Self {
        let message =
            format!("Permission denied: user '{user}' lacks required permission '{permission}'");
        Self::said(StatusCode::FORBIDDEN, message).because("missing_permission").about(user)
    }

    /// With the reason for the log.
    pub(super) fn because(self, reason: &'static str) -> Self {
        let (outcome, refusal) = self.split();
        Self::Noted(Outcome { reason: outcome.reason.or(Some(reason)), ..outcome }, refusal)
    }

    /// With whom it is about, for the log.
    pub(super) fn about(self, user: &str) -> Self {
        let (outcome, refusal) = self.split();
        Self::Noted(Outcome { user: Some(user.into()), ..outcome }, refusal)
    }

    fn split(self) -> (Outcome, Box<Self>) {
        if let Self::Noted(outcome, refusal) = self {
            (outcome, refusal)
        } else {
            (Outcome::default(), Box::new(self))
        }
    }

    pub(super) fn audience(audience: &str) -> Self {
        Self::bad(format!("Audience <{audience}> verification failed"))
    }
}

impl From<Unavailable> for Refusal {
    fn from(Unavailable: Unavailable) -> Self {
        Self::Later
    }
}

impl From<LoginError> for Refusal {
    fn from(error: LoginError) -> Self {
        let reason = login_reason(&error);
        let refusal = match error {
            LoginError::Busy | LoginError::Unavailable(_) => Self::Later,
            LoginError::ChallengeGone => {
                Self::said(StatusCode::PRECONDITION_FAILED, "TOTP challenge is unknown or expired")
            }
            LoginError::Refused => Self::unauthorized("Authentication failed"),
            LoginError::SecondFactor(ticket) => Self::Challenge(ticket),
            LoginError::Throttled { retry_after } => Self::Throttled(retry_after),
            LoginError::WrongCode => Self::unauthorized("Invalid TOTP token"),
        };
        refusal.because(reason)
    }
}

impl From<IssueError> for Refusal {
    fn from(error: IssueError) -> Self {
        match error {
            IssueError::Audience => Self::bad("Audience verification failed"),
            IssueError::Impossible => {
                Self::said(StatusCode::INTERNAL_SERVER_ERROR, "no token can be issued")
            }
            IssueError::Lifetime => Self::bad("Invalid token expire seconds"),
            IssueError::Refused => Self::unauthorized("Authentication failed"),
            IssueError::Unavailable(_) => Self::Later,
        }
    }
}

impl From<IdentityError> for Refusal {
    fn from(error: IdentityError) -> Self {
        let refusal = if matches!(error, IdentityError::Ended(_)) {
            Self::unauthorized("Token has been revoked")
        } else {
            Self::unauthorized(format!("Authentication failed: {error}"))
        };
        refusal.because(error.label())
    }
}

impl From<RefreshError> for Refusal {
    fn from(error: RefreshError) -> Self {
        match error {
            RefreshError::Invalid(error) => error.into(),
            RefreshError::Issue(error) => error.into(),
            RefreshError::Unavailable(_) => Self::Later,
            RefreshError::Refused | RefreshError::Reused => {
                Self::unauthorized("Refresh token has been revoked")
            }
            RefreshError::Over => Self::unauthorized("Authentication failed: log in again"),
            RefreshError::MissingOrigin | RefreshError::UserDisabled | RefreshError::UserGone => {
                Self::unauthorized("Authentication failed")
            }
        }
    }
}

impl From<RevokeError> for Refusal {
    fn from(error: RevokeError) -> Self {
        match error {
            RevokeError::Invalid(error) => error.into(),
            RevokeError::Nameless => Self::bad("the token has no id to revoke it by"),
            RevokeError::Unavailable(_) => Self::Later,
        }
    }
}

impl From<TotpError> for Refusal {
    fn from(error: TotpError) -> Self {
        match error {
            TotpError::Enrolled => Self::bad("2FA is active already, please disable it first"),
            TotpError::NoSecret => {
                let status = StatusCode::PRECONDITION_FAILED;
                Self::said(status, "2FA is not available: the gateway has no secret to keep it")
            }
            TotpError::NotBegun => Self::bad("please generate TOTP secret first"),
            TotpError::Throttled { retry_after } => Self::Throttled(retry_after),
            TotpError::Unavailable(_) => Self::Later,
            TotpError::UnknownUser => Self::unauthorized("Authentication failed"),
            TotpError::WrongCode => Self::unauthorized("Invalid TOTP token"),
        }
    }
}

impl From<UsersError> for Refusal {
    fn from(error: UsersError) -> Self {
        match verdict(&error) {
            Verdict::Later => Self::Later,
            Verdict::Refused(status, message) => Self::Said(status, message),
        }
    }
}

impl Refusal {
    /// A password that was not changed.
    pub(super) fn of_password(error: PasswordChangeError, user: &str) -> Self {
        match error {
            PasswordChangeError::Busy | PasswordChangeError::Unavailable(_) => Self::Later,
            PasswordChangeError::Edit(error) => UsersError::Edit(error).into(),
            PasswordChangeError::NoFile => UsersError::NoDirectory.into(),
            PasswordChangeError::NotLoaded => UsersError::NotLoaded.into(),
            PasswordChangeError::Refused => {
                Self::bad(format!("old password for user <{user}> is incorrect"))
            }
            PasswordChangeError::Throttled { retry_after } => Self::Throttled(retry_after),
            PasswordChangeError::Unfit => UsersError::Password.into(),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, after, message) = match self {
            Self::Noted(outcome, refusal) => {
                let mut answer = refusal.into_response();
                answer.extensions_mut().insert(outcome);
                return answer;
            }
            Self::Challenge(ticket) => return challenge(&ticket),
            Self::Said(status, message) => (status, None, message),
            Self::Later => {
                (StatusCode::SERVICE_UNAVAILABLE, Some(SOON), "temporarily unavailable".into())
            }
            Self::Throttled(after) => {
                (StatusCode::TOO_MANY_REQUESTS, Some(after), "too many failures".into())
            }
        };
        let mut answer = json_body(status, &Message { message });
        if let Some(after) = after {
            answer.headers_mut().insert(header::RETRY_AFTER, retry_after(after));
        }
        answer
    }
}

fn challenge(ticket: &ChallengeTicket) -> Response {
    let said = ChallengeBody {
        status: "TOTP_CHALLENGE_REQUIRED",
        digits: 6,
        algorithm: "SHA1",
        period: 30,
        totp_challenge: ticket.id.clone(),
        expires: ticket.expires_at,
    };
    let mut answer = json_body(StatusCode::PRECONDITION_REQUIRED, &said);
    answer.headers_mut().insert(header::WWW_AUTHENTICATE, TOTP);
    answer
}

/// A JSON answer.
pub(super) fn json_body(status: StatusCode, said: &impl Serialize) -> Response {
    let fields = HeaderMap::from_iter([(header::CONTENT_TYPE, JSON)]);
    (status, fields, serde_json::to_vec(said).unwrap_or_default()).into_response()
}

/// `{"message": …}` of what was done.
pub(super) fn done(message: &'static str) -> Response {
    json_body(StatusCode::OK, &Message { message: message.into() })
}

/// A token to be answered with.
#[derive(Clone, Copy, Debug)]
pub(super) struct TokenReply<'t> {
    pub(super) token: &'t str,
    pub(super) refresh_token: Option<&'t str>,
    pub(super) issued_at: u64,
    pub(super) expires_at: u64,
    /// For how many seconds it holds from now on.
    pub(super) expires_in: u64,
    pub(super) user: &'t str,
    pub(super) group: &'t str,
    pub(super) claims: &'t Map<String, Value>,
}

impl<'t> TokenReply<'t> {
    pub(super) fn of(issued: &'t Issued) -> Self {
        let user = issued.user.as_deref();
        Self {
            token: &issued.access_token,
            refresh_token: issued.refresh_token.as_ref().map(|token| token.as_str()),
            issued_at: issued.issued_at,
            expires_at: issued.expires_at,
            expires_in: issued.expires_in(),
            user: &issued.subject,
            group: user.and_then(|user| user.groups.first()).map_or("", |group| group),
            claims: &issued.claims,
        }
    }

    /// What is said, with `more`.
    pub(super) fn respond(&self, sets_cookie: bool, more: More<'_>) -> Response {
        let logged_in = self.claims.get("orig_iat").and_then(Value::as_u64);
        let auth_time = logged_in.unwrap_or(self.issued_at);
        let said = TokenBody {
            token_type: "Bearer",
            access_token: self.token,
            refresh_token: self.refresh_token,
            expires_in: self.expires_in,
            expire_seconds: self.expires_in,
            expire_time: self.expires_at,
            issued_at: self.issued_at,
            profile: ProfileBody { name: self.user, group: self.group, auth_time },
            more,
        };
        let mut answer = json_body(StatusCode::OK, &said);
        let user = Some(self.user.into());
        answer.extensions_mut().insert(Outcome { user, reason: None });
        if sets_cookie {
            set_cookie(&mut answer, self.token, self.expires_in);
        }
        answer
    }
}

/// Has a browser keep the token for its requests to this host, and no script see it.
fn set_cookie(answer: &mut Response, token: &str, seconds: u64) {
    let cookie =
        format!("{COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict; Secure; Max-Age={seconds}");
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        answer.headers_mut().insert(header::SET_COOKIE, cookie);
    }
}

/// Has a browser forget it.
pub(super) fn clear_cookie(answer: &mut Response) {
    set_cookie(answer, "", 0);
}
