//! Goes the way of a request, step by step as the gateway does, and notes what it finds.

mod content;
mod refused;

use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;

use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};

pub(crate) use self::content::Sent;
use self::content::{sent_condition, shown};
use self::refused::{Refused, denied_because, refused};
use super::choice;
use super::report::{Asked, Canonical, Demand, Forwarded, Report, User};
use crate::credential::CredentialError;
use crate::directory::Directory;
use crate::gateway::incoming::{DESTINATION, IF, Incoming};
use crate::gateway::rejection::Rejection;
use crate::home::{Content, Named, PlaceKind};
use crate::identity::{self, Principal};
use crate::policy::{self, explanation};
use crate::resource::{CanonicalPath, Condition, PathPrefix};
use crate::route::{NoRoute, Route};
use crate::snapshot::{Listener, Snapshot};
use crate::wire::framing::{Framing, HeadLimits};
use crate::{credential, user};

/// A request that nobody makes, or that somebody made.
pub(crate) struct Question<'q> {
    /// Index of the listener that it comes to.
    pub(crate) listener: usize,
    /// The value of `Host`; `None`: that of the target, else `localhost`.
    pub(crate) host: Option<&'q str>,
    /// Its other header fields.
    pub(crate) fields: HeaderMap,
    /// Its body.
    pub(crate) body: Sent<'q>,
    pub(crate) method: &'q Method,
    /// Its target, as it would be sent.
    pub(crate) target: &'q str,
    pub(crate) who: Who<'q>,
    /// The address that it comes from.
    pub(crate) client: IpAddr,
}

/// Who makes the request.
#[derive(Clone)]
pub(crate) enum Who<'q> {
    /// No credential.
    Nobody,
    /// Somebody who was proved when the request was made.
    Proved(Rc<Principal>),
    /// Somebody whose credential was refused, for this reason.
    Refused(Rejected),
    /// A directory's entry, supposed to be proved.
    User { user: &'q Arc<user::User>, directory: &'q Directory },
}

/// How the credential of a request was refused.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rejected {
    pub(crate) status: u16,
    pub(crate) reason: &'static str,
}

/// Answers the question.
pub(crate) fn judge(snapshot: &Snapshot, question: Question<'_>) -> Report {
    let uri = question.target.parse::<Uri>().ok();
    let named = uri.as_ref().and_then(|uri| uri.authority()).map(Authority::as_str);
    let sent = question.fields.get(header::HOST).and_then(|value| value.to_str().ok());
    let host = question.host.or(sent).or(named).unwrap_or("localhost").to_owned();
    let listener = snapshot.listeners.get(question.listener);
    let mut report = Report {
        decision: None,
        request: Asked {
            method: question.method.to_string(),
            target: question.target.to_owned(),
            host: host.clone(),
            listener: listener.map(|listener| listener.name.to_string()).unwrap_or_default(),
            tls: listener.is_some_and(|listener| listener.tls.is_some()),
        },
        user: match &question.who {
            Who::Nobody | Who::Refused(_) => None,
            Who::Proved(principal) => known(principal),
            Who::User { user, directory } => Some(describe(user, directory)),
        },
        canonical: None,
        route: None,
        passed_over: Vec::new(),
        demands: Vec::new(),
        verdict: "deny".to_owned(),
        status: None,
        reason: None,
        because: None,
        ambiguity: None,
        forwarded: None,
    };
    let way = match listener {
        Some(listener) => Way { snapshot, listener, question, host },
        None => return report, // the caller has looked it up
    };
    match way.go(uri, &mut report) {
        Ok(forwarded) => {
            "allow".clone_into(&mut report.verdict);
            report.forwarded = Some(forwarded);
        }
        Err(Refused { status, reason, because, ambiguity }) => {
            report.status = Some(status);
            report.reason = Some(reason.to_owned());
            report.because = Some(because);
            report.ambiguity = ambiguity;
        }
    }
    report
}

fn owned(names: &[Box<str>]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

/// Who was proved, as the credential and the directory had it.
pub(super) fn known(principal: &Principal) -> Option<User> {
    let facts = principal.facts();
    Some(User {
        name: principal.name()?.to_owned(),
        directory: facts.authority.to_string(),
        place: None,
        home: facts.home.as_ref().map(PathPrefix::to_string),
        roles: owned(&facts.roles),
        groups: owned(&facts.groups),
        disabled: false,
    })
}

fn describe(user: &user::User, directory: &Directory) -> User {
    User {
        name: user.name.to_string(),
        directory: directory.name().to_owned(),
        place: directory.place(&user.name),
        home: user.home.as_ref().map(PathPrefix::to_string),
        roles: owned(&user.roles),
        groups: owned(&user.groups),
        disabled: user.disabled,
    }
}

/// A request under way.
struct Way<'w> {
    snapshot: &'w Snapshot,
    listener: &'w Listener,
    question: Question<'w>,
    host: String,
}

impl Way<'_> {
    fn go(mut self, uri: Option<Uri>, report: &mut Report) -> Result<Forwarded, Refused> {
        let parts = self.receive(uri)?;
        let incoming = Incoming::read(&parts, &self.listener.limits)
            .map_err(|rejection| refused("host", rejection))?;
        let method = &parts.method;
        let path = CanonicalPath::parse(incoming.path)
            .map_err(|error| Refused::resource("path", error))?;
        report.canonical = Some(Canonical {
            host: incoming.host.to_string(),
            path: path.as_str().to_owned(),
            path_from: incoming.path.to_owned(),
            query: None,
            query_from: incoming.query.map(ToOwned::to_owned),
            destination: None,
            destination_from: field_of(&parts.headers, &DESTINATION),
            condition: None,
            condition_from: field_of(&parts.headers, &IF),
        });
        let (table, listener) = (&self.snapshot.routes, self.question.listener);
        let found = choice::find(table, listener, &incoming.host, &path, method, report);
        let route = found.map_err(|error| {
            let rejection = match error {
                NoRoute::CaseVariant(_) => Rejection::RouteCase,
                NoRoute::Method(_) => Rejection::Method,
                NoRoute::Nothing => Rejection::NoRoute,
            };
            Refused::new(rejection, error.to_string()).of_part("path", rejection)
        })?;
        path.admit(route.dialect).map_err(|error| Refused::resource("path", error))?;
        let query = incoming.query().map_err(|rejection| refused("query", rejection))?;
        let destination = incoming
            .destination(self.listener.tls.is_some())
            .map_err(|rejection| refused("destination", rejection))?;
        if let Some(destination) = &destination {
            let admitted = destination.path().admit(route.dialect);
            admitted.map_err(|error| Refused::resource("destination", error))?;
        }
        let condition = incoming
            .condition(self.listener.tls.is_some())
            .map_err(|rejection| refused(PlaceKind::Condition.as_str(), rejection))?;
        for path in condition.iter().flat_map(Condition::paths) {
            path.admit(route.dialect)
                .map_err(|error| Refused::resource(PlaceKind::Condition.as_str(), error))?;
        }
        if let Some(canonical) = &mut report.canonical {
            canonical.condition = condition.as_ref().map(shown);
            canonical.query = query.as_str().map(ToOwned::to_owned);
            canonical.destination = destination.as_ref().map(|to| to.path().as_str().to_owned());
        }
        let (principal, identified) = self.suppose(route, report);
        let Some(principal) = principal else {
            return Err(identified
                .err()
                .unwrap_or_else(|| refused("credential", Rejection::Internal)));
        };
        let (client, identities) = (self.question.client, &self.snapshot.identities);
        let (body, unreadable) = match self.question.body.read(route, &parts) {
            Ok(body) => (body, None),
            Err(refused) => (None, Some(refused)),
        };
        let content = match &body {
            Some(body) => Content::Read(body),
            None if unreadable.is_none() && self.question.body == Sent::Nothing => Content::Absent,
            None => Content::Unread,
        };
        let named = Named {
            path: &path,
            query: &query,
            destination: destination.as_ref(),
            condition: condition.as_ref(),
            content,
        };
        let roles = identities.roles_of(&principal.facts().authority);
        let findings = explanation::explain(&principal, route, method, &named, roles, client);
        report.demands.extend(findings.into_iter().map(Demand::from));
        identified?;
        if let Some(unreadable) = unreadable {
            // A body is read of those alone who may do all else.
            policy::admit(&principal, route, method, &named, client).map_err(denied_because)?;
            return Err(unreadable);
        }
        let permit =
            policy::authorize(&principal, route, method, &named, client).map_err(denied_because)?;
        let upstream = self.snapshot.upstreams.get(route.upstream);
        Ok(Forwarded {
            upstream: upstream.map(|upstream| upstream.name.to_string()).unwrap_or_default(),
            url: upstream
                .map(|upstream| format!("http://{}", upstream.authority))
                .unwrap_or_default(),
            target: permit.target().path_and_query(),
            destination: permit.target().destination().map(ToOwned::to_owned),
            condition: sent_condition(permit.target()),
            body: permit.target().content().map(|body| String::from_utf8_lossy(body).into_owned()),
        })
    }

    /// Receives the request as a listener does over HTTP/1.1.
    fn receive(&mut self, uri: Option<Uri>) -> Result<Parts, Refused> {
        let limits = &self.listener.limits;
        let mut framing = Framing::new(HeadLimits {
            request_line: limits.request_line,
            header_bytes: limits.header_bytes,
            header_count: limits.header_count,
        });
        let Question { method, target, .. } = &self.question;
        framing.feed(format!("{method} {target} HTTP/1.1\r\n").as_bytes()).map_err(|refusal| {
            Refused {
                status: refusal.status(),
                reason: refusal.label(),
                because: refusal.to_string(),
                ambiguity: None,
            }
        })?;
        let form = || Refused::new(Rejection::TargetForm, "the target is not one of HTTP");
        let mut request = http::Request::new(());
        *request.method_mut() = self.question.method.clone();
        *request.uri_mut() = uri.ok_or_else(form)?;
        let fields = std::mem::take(&mut self.question.fields);
        *request.headers_mut() = fields;
        if self.question.host.is_some() || !request.headers().contains_key(header::HOST) {
            let host = HeaderValue::try_from(&self.host);
            let absent = |_| Refused::new(Rejection::AbsentHost, "the host is no header value");
            request.headers_mut().append(header::HOST, host.map_err(absent)?);
        }
        Ok(request.into_parts().0)
    }

    /// Who makes the request, as far as that is known, and whether the route takes a credential of
    /// theirs.
    fn suppose(
        &self,
        route: &Route,
        report: &mut Report,
    ) -> (Option<Rc<Principal>>, Result<(), Refused>) {
        let accepted = route.accepted;
        let credential::Accepted { anonymous, api_key, basic, bearer, session, x_auth_token } =
            accepted;
        let kinds = [
            ("bearer", bearer),
            ("basic", basic),
            ("api-key", api_key),
            ("session", session),
            ("x-auth-token", x_auth_token),
        ];
        let kinds: Vec<_> = kinds.into_iter().filter(|(_, on)| *on).map(|(kind, _)| kind).collect();
        let what = match (kinds.as_slice(), anonymous) {
            ([], _) => "nothing to prove".to_owned(),
            (kinds, false) => format!("a credential ({})", kinds.join(", ")),
            (kinds, true) => format!("a credential ({}) or none", kinds.join(", ")),
        };
        let unproved = Rejection::Credential(CredentialError::Missing);
        let nobody = || Some(Rc::new(identity::anonymous()));
        let place = route.places.accept.to_string();
        let (principal, refusal, because) = match &self.question.who {
            Who::Nobody => {
                let because = "there is no credential";
                (nobody(), (!anonymous).then_some(unproved), because)
            }
            Who::Proved(principal) => (Some(Rc::clone(principal)), None, "proved"),
            Who::Refused(Rejected { status, reason }) => {
                let because = format!("{reason}; the rest was not looked at");
                report.demands.push(Demand {
                    what,
                    is_met: false,
                    because: because.clone(),
                    place,
                });
                let (status, reason) = (*status, *reason);
                return (None, Err(Refused { status, reason, because, ambiguity: None }));
            }
            Who::User { .. } if kinds.is_empty() => {
                let because = "the route looks at no credential, so everybody is nobody to it";
                (nobody(), (!anonymous).then_some(unproved), because)
            }
            Who::User { user, directory } => {
                let only_basic = !bearer && !x_auth_token && !api_key && !session;
                let has_issuer = self.snapshot.identities.verifier.is_some();
                let (refusal, because) = if user.disabled {
                    (Some(Rejection::Password), "the user is disabled")
                } else if only_basic && !has_issuer && user.password.is_none() {
                    (Some(Rejection::Password), "the user has no password")
                } else {
                    (None, "supposed to be the user's, and good")
                };
                (Some(Rc::new(Principal::supposed(user, directory.name()))), refusal, because)
            }
        };
        let is_met = refusal.is_none();
        report.demands.push(Demand { what, is_met, because: because.to_owned(), place });
        (principal, refusal.map_or(Ok(()), |rejection| Err(Refused::new(rejection, because))))
    }
}

/// A field as it came, where there is one.
fn field_of(fields: &HeaderMap, name: &HeaderName) -> Option<String> {
    let value = fields.get(name)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests;
