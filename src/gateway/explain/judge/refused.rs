//! Why the way of a request ends, in words for people.

use super::super::report::Ambiguity;
use crate::gateway::rejection::Rejection;
use crate::policy;
use crate::resource::ResourceError;

/// Why the way ends.
pub(super) struct Refused {
    pub(super) status: u16,
    pub(super) reason: &'static str,
    pub(super) because: String,
    pub(super) ambiguity: Option<Ambiguity>,
}

impl Refused {
    pub(super) fn new(rejection: Rejection, because: impl Into<String>) -> Self {
        let (status, reason) = (rejection.status().as_u16(), rejection.label());
        Self { status, reason, because: because.into(), ambiguity: None }
    }

    pub(super) fn resource(what: &str, error: ResourceError) -> Self {
        Self::new(error.into(), format!("the {what} {error}")).of_part(what, error.into())
    }

    /// Says what of the request has two readings, if it does.
    pub(super) fn of_part(self, part: &str, rejection: Rejection) -> Self {
        let readings = rejection.readings();
        let ambiguity = readings.map(|readings| Ambiguity {
            part: part.to_owned(),
            readings: readings.map(str::to_owned).to_vec(),
        });
        Self { ambiguity, ..self }
    }
}

/// Why the policy refuses.
pub(super) fn denied_because(denied: policy::Denied) -> Refused {
    let part = denied.part().unwrap_or("path");
    let rejection = Rejection::from(denied);
    Refused::new(rejection, denied.to_string()).of_part(part, rejection)
}

/// Why the gateway refuses `what` of a request.
pub(super) fn refused(what: &str, rejection: Rejection) -> Refused {
    let because = match rejection {
        Rejection::Resource(error) => return Refused::resource(what, error),
        Rejection::AbsentHost => "there must be one Host, which is text",
        Rejection::ContentCoding => "the body is compressed, and would have to be looked into",
        Rejection::ContentType => "the body is not declared as what the route looks into",
        Rejection::Expectation => "only 100-continue can be expected",
        Rejection::FieldMalformed => "a field's value begins or ends with white space",
        Rejection::HeadTooLarge => "there are more header fields than the listener takes",
        Rejection::HostMismatch => "the target names another host than Host does",
        Rejection::Method => "CONNECT and TRACE are never let through",
        Rejection::TargetForm => "the target is neither a path nor an http or https URL",
        Rejection::TargetTooLong => "the target is longer than the listener takes",
        Rejection::Ask(_)
        | Rejection::BodyTooLarge
        | Rejection::ClientBody
        | Rejection::ClientTimeout
        | Rejection::ContentBroken
        | Rejection::ContentTimeout
        | Rejection::Credential(_)
        | Rejection::Csrf
        | Rejection::CutOff
        | Rejection::Denied(_)
        | Rejection::Internal
        | Rejection::Key(_)
        | Rejection::Misdirected
        | Rejection::NoRoute
        | Rejection::Overloaded
        | Rejection::Password
        | Rejection::RouteCase
        | Rejection::SecondFactor
        | Rejection::Session(_)
        | Rejection::StoreAway
        | Rejection::Throttled { .. }
        | Rejection::Token(_)
        | Rejection::UpstreamAnswer
        | Rejection::UpstreamClosed
        | Rejection::UpstreamExhausted
        | Rejection::UpstreamTimeout
        | Rejection::UpstreamUnreachable => rejection.label(),
    };
    Refused::new(rejection, because).of_part(what, rejection)
}
