//! Why the gateway answers instead of an upstream, and with which status.
//!
//! This is the one place where reasons become answers. What the client learns is the status,
//! a challenge, and an id with which the operator finds the reason.

use http::StatusCode;

use crate::credential::CredentialError;
use crate::endpoint::forward_auth::AskError;
use crate::forward::ForwardError;
use crate::forward::head::HeadError;
use crate::home::HomeError;
use crate::identity::IdentityError;
use crate::identity::standing::Ended;
use crate::password::PoolError;
use crate::policy::Denied;
use crate::resource::{Readings, ResourceError};
use crate::route::Challenge;

/// A refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// No `Host`, or more than one.
    AbsentHost,
    /// A proxy's question cannot be answered with yes.
    Ask(AskError),
    /// The body exceeds the route's limit.
    BodyTooLarge,
    /// The client's body did not arrive.
    ClientBody,
    /// The client was silent within its body.
    ClientTimeout,
    /// A body that would have to be looked into broke off.
    ContentBroken,
    /// A body that would have to be looked into is compressed.
    ContentCoding,
    /// A body that would have to be looked into came too slowly.
    ContentTimeout,
    /// A body is not declared as what the route looks into.
    ContentType,
    /// No credential, or none that could be taken.
    Credential(CredentialError),
    /// Whoever the request was for was ended while it was under way.
    CutOff,
    /// A known principal without the right.
    Denied(Denied),
    /// A request with a browser's session that another site may have made it send.
    Csrf,
    /// Another expectation than `100-continue` (RFC 9110 §10.1.1).
    Expectation,
    /// A field's value begins or ends with white space, which only HTTP/2 can carry.
    FieldMalformed,
    /// More header fields, or bytes of them, than the listener takes.
    HeadTooLarge,
    /// The target's authority is not that of `Host`.
    HostMismatch,
    /// A bug of ours: nothing was let through.
    Internal,
    /// The API key does not hold; the reason's label.
    Key(&'static str),
    /// A password is wrong, or its user unknown.
    Password,
    /// The password of a user with a second factor, alone.
    SecondFactor,
    /// The browser's session does not hold; the reason's label.
    Session(&'static str),
    /// What the decision needs cannot be asked: the store is away.
    StoreAway,
    /// Too many wrong passwords: nothing was verified.
    Throttled {
        /// When the next attempt may be made.
        seconds: u32,
    },
    /// The token does not hold; the reason's label.
    Token(&'static str),
    /// The route does not let the method through, or nothing does.
    Method,
    /// The connection's TLS name is not that of another certificate's host.
    Misdirected,
    /// Nothing answers for host and path.
    NoRoute,
    /// No place to verify the password in.
    Overloaded,
    /// What the request names has no single reading.
    Resource(ResourceError),
    /// The path is another spelling of a route's whose upstream does not tell case apart.
    RouteCase,
    /// The target is neither in origin-form nor in absolute-form.
    TargetForm,
    /// The target exceeds the listener's limit.
    TargetTooLong,
    /// The upstream's answer cannot be passed on.
    UpstreamAnswer,
    /// The upstream closed without an answer.
    UpstreamClosed,
    /// All connections to the upstream are in use.
    UpstreamExhausted,
    /// The upstream did not answer in time.
    UpstreamTimeout,
    /// The upstream cannot be reached.
    UpstreamUnreachable,
}

impl Rejection {
    /// The status of the answer.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::AbsentHost
            | Self::ClientBody
            | Self::ContentBroken
            | Self::Credential(CredentialError::Ambiguous)
            | Self::FieldMalformed
            | Self::HostMismatch
            | Self::Resource(_)
            | Self::RouteCase
            | Self::TargetForm => StatusCode::BAD_REQUEST,
            Self::Credential(
                CredentialError::Malformed
                | CredentialError::Missing
                | CredentialError::Unsupported,
            )
            | Self::CutOff
            | Self::Key(_)
            | Self::Password
            | Self::SecondFactor
            | Self::Session(_)
            | Self::Token(_) => StatusCode::UNAUTHORIZED,
            Self::Denied(Denied::Home(error)) if error.is_malformed() => StatusCode::BAD_REQUEST,
            Self::Denied(Denied::Method) | Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Denied(
                Denied::Home(_)
                | Denied::MissingGroup
                | Denied::MissingPermission
                | Denied::MissingRole
                | Denied::OutsideScope(_),
            )
            | Self::Csrf => StatusCode::FORBIDDEN,
            Self::Ask(error) => error.status(),
            Self::NoRoute => StatusCode::NOT_FOUND,
            Self::ClientTimeout | Self::ContentTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::ContentCoding | Self::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TargetTooLong => StatusCode::URI_TOO_LONG,
            Self::Expectation => StatusCode::EXPECTATION_FAILED,
            Self::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            Self::HeadTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::UpstreamAnswer | Self::UpstreamClosed | Self::UpstreamUnreachable => {
                StatusCode::BAD_GATEWAY
            }
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Overloaded | Self::StoreAway | Self::UpstreamExhausted => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Throttled { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::UpstreamTimeout => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    /// The reason as logs and metrics name it.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::AbsentHost => "host_absent_or_repeated",
            Self::Ask(error) => error.label(),
            Self::BodyTooLarge => "body_too_large",
            Self::ClientBody | Self::ContentBroken => "client_body",
            Self::ClientTimeout | Self::ContentTimeout => "client_timeout",
            Self::ContentCoding => "content_coding",
            Self::ContentType => "content_type",
            Self::Credential(CredentialError::Ambiguous) => "credential_ambiguous",
            Self::Credential(CredentialError::Malformed) => "credential_malformed",
            Self::Credential(CredentialError::Missing) => "credential_missing",
            Self::Credential(CredentialError::Unsupported) => "credential_unsupported",
            Self::Csrf => "csrf",
            Self::CutOff => "cut_off",
            Self::Denied(denied) => denied.label(),
            Self::Expectation => "expectation",
            Self::FieldMalformed => "field_malformed",
            Self::HeadTooLarge => "head_too_large",
            Self::HostMismatch => "host_mismatch",
            Self::Internal => "internal",
            Self::Method => "method",
            Self::Misdirected => "misdirected",
            Self::NoRoute => "no_route",
            Self::Overloaded => "password_overload",
            Self::Password => "password",
            Self::SecondFactor => "second_factor_missing",
            Self::StoreAway => "store_away",
            Self::Throttled { .. } => "throttled",
            Self::Resource(error) => error.label(),
            Self::RouteCase => "route_case_variant",
            Self::TargetForm => "target_form",
            Self::TargetTooLong => "target_too_long",
            Self::Key(label) | Self::Session(label) | Self::Token(label) => label,
            Self::UpstreamAnswer => "upstream_answer",
            Self::UpstreamClosed => "upstream_closed",
            Self::UpstreamExhausted => "upstream_exhausted",
            Self::UpstreamTimeout => "upstream_timeout",
            Self::UpstreamUnreachable => "upstream_unreachable",
        }
    }

    /// The two readings that disagree, where what the request names has more than one.
    #[must_use]
    pub fn readings(self) -> Option<Readings> {
        Some(match self {
            Self::Denied(Denied::Home(HomeError::CaseVariant(_))) => {
                ["somebody else's place", "the home, in other upper and lower case"]
            }
            Self::Denied(Denied::Home(HomeError::Empty(_))) => ["no place", "the root of the tree"],
            Self::HostMismatch => ["the host of the target", "that of the Host field"],
            Self::Resource(error) => return error.readings(),
            Self::RouteCase => ["a path of another route", "the route's, in other case"],
            Self::AbsentHost
            | Self::Ask(_)
            | Self::BodyTooLarge
            | Self::ClientBody
            | Self::ClientTimeout
            | Self::ContentBroken
            | Self::ContentCoding
            | Self::ContentTimeout
            | Self::ContentType
            | Self::Credential(_)
            | Self::Csrf
            | Self::CutOff
            | Self::Denied(_)
            | Self::Expectation
            | Self::FieldMalformed
            | Self::HeadTooLarge
            | Self::Internal
            | Self::Key(_)
            | Self::Method
            | Self::Misdirected
            | Self::NoRoute
            | Self::Overloaded
            | Self::Password
            | Self::SecondFactor
            | Self::Session(_)
            | Self::StoreAway
            | Self::TargetForm
            | Self::TargetTooLong
            | Self::Throttled { .. }
            | Self::Token(_)
            | Self::UpstreamAnswer
            | Self::UpstreamClosed
            | Self::UpstreamExhausted
            | Self::UpstreamTimeout
            | Self::UpstreamUnreachable => return None,
        })
    }

    /// Which challenge goes with it. `is_by_token`: a token came in a field of its own.
    #[must_use]
    pub fn challenge(self, is_by_token: bool) -> Challenge {
        match self.status() {
            StatusCode::UNAUTHORIZED => {}
            StatusCode::FORBIDDEN if is_by_token => return Challenge::InsufficientScope,
            _ => return Challenge::None,
        }
        // RFC 6750 §3.1: an error code only for a token that was presented.
        let is_of_token =
            matches!(self, Self::Credential(CredentialError::Malformed) | Self::Token(_));
        if is_of_token { Challenge::InvalidToken } else { Challenge::Plain }
    }

    /// Seconds after which another attempt makes sense.
    #[must_use]
    pub fn retry_after(self) -> Option<u32> {
        if let Self::Throttled { seconds } = self {
            return Some(seconds);
        }
        (self.status() == StatusCode::SERVICE_UNAVAILABLE).then_some(1)
    }

    /// Whether the request was permitted, and only its forwarding failed.
    #[must_use]
    pub fn is_after_permit(self) -> bool {
        matches!(
            self,
            Self::ClientBody
                | Self::ClientTimeout
                | Self::CutOff
                | Self::UpstreamAnswer
                | Self::UpstreamClosed
                | Self::UpstreamExhausted
                | Self::UpstreamTimeout
                | Self::UpstreamUnreachable
        )
    }
}

impl From<AskError> for Rejection {
    fn from(error: AskError) -> Self {
        Self::Ask(error)
    }
}

impl From<CredentialError> for Rejection {
    fn from(error: CredentialError) -> Self {
        Self::Credential(error)
    }
}

impl From<Denied> for Rejection {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Home(HomeError::Ambiguous(_, error)) => Self::Resource(error),
            Denied::Home(_)
            | Denied::Method
            | Denied::MissingGroup
            | Denied::MissingPermission
            | Denied::MissingRole
            | Denied::OutsideScope(_) => Self::Denied(denied),
        }
    }
}

impl From<&ForwardError> for Rejection {
    fn from(error: &ForwardError) -> Self {
        match error {
            ForwardError::BodyTooLarge => Self::BodyTooLarge,
            ForwardError::Client(_) => Self::ClientBody,
            ForwardError::ClientTimeout => Self::ClientTimeout,
            ForwardError::Closed => Self::UpstreamClosed,
            ForwardError::Connect(_) => Self::UpstreamUnreachable,
            ForwardError::ConnectTimeout | ForwardError::FirstByteTimeout => Self::UpstreamTimeout,
            ForwardError::Exhausted => Self::UpstreamExhausted,
            ForwardError::Head(HeadError::Framing | HeadError::Malformed | HeadError::TooLarge)
            | ForwardError::UnaskedUpgrade => Self::UpstreamAnswer,
        }
    }
}

impl From<IdentityError> for Rejection {
    fn from(error: IdentityError) -> Self {
        match error {
            IdentityError::Password => Self::Password,
            IdentityError::SecondFactor => Self::SecondFactor,
            IdentityError::KeyMismatch
            | IdentityError::KeyOwner
            | IdentityError::Ended(Ended::KeyExpired | Ended::KeyUnknown) => {
                Self::Key(error.label())
            }
            IdentityError::SessionUser => Self::Session(error.label()),
            IdentityError::Ended(Ended::Family | Ended::Token | Ended::User)
            | IdentityError::HomeClaim
            | IdentityError::SubjectMismatch
            | IdentityError::Token(_)
            | IdentityError::UnknownSubject => Self::Token(error.label()),
        }
    }
}

impl From<PoolError> for Rejection {
    fn from(_: PoolError) -> Self {
        Self::Overloaded
    }
}

impl From<ResourceError> for Rejection {
    fn from(error: ResourceError) -> Self {
        Self::Resource(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_users_and_wrong_passwords_are_one_answer() {
        let rejection = Rejection::from(IdentityError::Password);
        assert_eq!(rejection.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(rejection.challenge(false), Challenge::Plain);
    }

    #[test]
    fn a_missing_token_has_no_error_code_and_a_bad_one_has() {
        let missing = Rejection::from(CredentialError::Missing);
        assert_eq!(missing.challenge(false), Challenge::Plain);
        assert_eq!(Rejection::Token("expired").challenge(true), Challenge::InvalidToken);
    }

    #[test]
    fn a_token_that_holds_and_does_not_suffice_is_told_so() {
        let denied = Rejection::Denied(Denied::MissingPermission);
        assert_eq!(denied.challenge(true), Challenge::InsufficientScope);
        assert_eq!(denied.challenge(false), Challenge::None);
        assert_eq!(Rejection::NoRoute.challenge(true), Challenge::None);
    }
}
