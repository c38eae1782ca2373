//! Request → permit: the same way for a request that is ours to forward and for one that a proxy
//! asks about.

use std::net::IpAddr;
use std::rc::Rc;

use http::request::Parts;

use super::csrf;
use super::identify::{Asker, identify};
use super::incoming::Incoming;
use super::journal::Journal;
use super::rejection::Rejection;
use crate::credential::{Credential, CredentialError};
use crate::home::{Content, HomeRule, Named, PlaceKind};
use crate::identity::Principal;
use crate::policy::{Admission, Permit, admit, authorize};
use crate::resource::{CanonicalPath, CanonicalQuery, Condition, Destination};
use crate::route::{NoRoute, Route, Table};
use crate::session::cookie::CookieName;
use crate::telemetry::access_log::Verdict;
use crate::worker::{View, Worker};

/// The parameter in which some clients send a token (RFC 6750 §2.3). It is none here.
const IN_QUERY: &str = "access_token";

/// A request, and what is known of the way that it came.
#[derive(Debug)]
pub(super) struct Held<'r> {
    /// Its head.
    pub(super) parts: &'r Parts,
    /// Its target and host.
    pub(super) incoming: &'r Incoming<'r>,
    /// Index of the listener whose routes may answer.
    pub(super) listener_index: usize,
    /// Whether it came by TLS.
    pub(super) is_secure: bool,
    /// Whether the client sent it by TLS, to us or to a proxy before us.
    pub(super) is_client_secure: bool,
    /// Who sent it.
    pub(super) client: IpAddr,
}

/// A request that has a route, with all that it names in canonical form.
#[derive(Debug)]
pub(super) struct Case<'r> {
    held: &'r Held<'r>,
    route: &'r Route,
    path: CanonicalPath<'r>,
    query: CanonicalQuery<'r>,
    destination: Option<Destination<'r>>,
    condition: Option<Condition<'r>>,
}

impl<'r> Case<'r> {
    /// Finds the route and reads what the request names as the route's upstream would.
    ///
    /// # Errors
    ///
    /// The [`Rejection`] to answer with.
    pub(super) fn open(
        held: &'r Held<'r>,
        view: &'r View,
        path: CanonicalPath<'r>,
        journal: &mut Journal,
    ) -> Result<Self, Rejection> {
        let (index, route) = find(&view.snapshot.routes, held, &path, journal)?;
        journal.route = Some(index);
        path.admit(route.dialect)?;
        journal.part = "query";
        let query = held.incoming.query()?;
        journal.part = "destination";
        let destination = held.incoming.destination(held.is_secure)?;
        if let Some(destination) = &destination {
            destination.path().admit(route.dialect)?;
        }
        journal.part = PlaceKind::Condition.as_str();
        let condition = held.incoming.condition(held.is_secure)?;
        for path in condition.iter().flat_map(Condition::paths) {
            path.admit(route.dialect)?;
        }
        Ok(Self { held, route, path, query, destination, condition })
    }

    /// The rule of a route that looks into bodies; `None`: this one does not.
    pub(super) fn inspecting(&self) -> Option<&'r HomeRule> {
        self.route.home.as_ref().filter(|rule| rule.inspects())
    }

    /// Says who it is made by.
    ///
    /// # Errors
    ///
    /// The [`Rejection`] to answer with.
    pub(super) async fn identify(
        &self,
        worker: &Worker,
        view: &View,
        journal: &mut Journal,
    ) -> Result<Rc<Principal>, Rejection> {
        let Self { held, route, .. } = self;
        let cookie = CookieName::session(held.is_client_secure, held.client);
        let credential = Credential::extract(&held.parts.headers, route.accepted, cookie)?;
        let is_by_session = matches!(credential, Credential::Session(_));
        let is_in_header = !is_by_session && !matches!(credential, Credential::Anonymous);
        // RFC 6750 §2: a token is sent in one way; the upstream might take that of the query.
        if route.accepted.bearer
            && is_in_header
            && self.query.pairs().any(|it| it.is_called(IN_QUERY))
        {
            return Err(CredentialError::Ambiguous.into());
        }
        let takes_keys = route.accepted.api_key;
        let asker = Asker { worker, view, client: held.client, cookie, takes_keys };
        let principal = identify(asker, credential, journal).await?;
        journal.principal = Some(Rc::clone(&principal));
        let (host, is_secure) = (&held.incoming.host, held.is_client_secure);
        if is_by_session && !csrf::is_meant(held.parts, host, is_secure) {
            return Err(Rejection::Csrf);
        }
        Ok(principal)
    }

    /// Says whether they may, as far as that can be told without the body.
    ///
    /// # Errors
    ///
    /// The [`Rejection`] to answer with.
    pub(super) fn admit(
        &self,
        principal: &Principal,
        journal: &mut Journal,
    ) -> Result<Admission<'r>, Rejection> {
        let Self { held, route, .. } = self;
        let named = self.named(Content::Unread);
        let admission = admit(principal, route, &held.parts.method, &named, held.client)
            .inspect_err(|denied| journal.part = denied.part().unwrap_or("path"))?;
        journal.part = "body";
        Ok(admission)
    }

    /// Says whether they may.
    ///
    /// # Errors
    ///
    /// The [`Rejection`] to answer with.
    pub(super) fn decide(
        &'r self,
        principal: &Rc<Principal>,
        content: Content<'r>,
        journal: &mut Journal,
    ) -> Result<Permit<'r>, Rejection> {
        let Self { held, route, .. } = self;
        let named = self.named(content);
        let permit = authorize(principal, route, &held.parts.method, &named, held.client)
            .inspect_err(|denied| journal.part = denied.part().unwrap_or("path"))?;
        journal.verdict = Verdict::Allow;
        Ok(permit)
    }

    /// All that it names.
    fn named<'n>(&'n self, content: Content<'n>) -> Named<'n> {
        let Self { path, query, destination, condition, .. } = self;
        let (destination, condition) = (destination.as_ref(), condition.as_ref());
        Named { path, query, destination, condition, content }
    }
}

/// Finds the route. On a route for other methods its name is noted all the same, for the
/// answer's `Allow`.
fn find<'v>(
    table: &'v Table,
    held: &Held<'_>,
    path: &CanonicalPath<'_>,
    journal: &mut Journal,
) -> Result<(usize, &'v Route), Rejection> {
    let Held { parts, incoming, listener_index, .. } = held;
    table.find(*listener_index, &incoming.host, path, &parts.method).map_err(|error| match error {
        NoRoute::Method(name) => {
            journal.route = table.routes().iter().position(|route| &*route.name == name);
            Rejection::Method
        }
        NoRoute::CaseVariant(_) => Rejection::RouteCase,
        NoRoute::Nothing => Rejection::NoRoute,
    })
}
