//! What of a configuration can be attacked.

use std::net::{IpAddr, Ipv4Addr};

use super::credential::Kinds;
use crate::config::{Config, Protocol};
use crate::home::{HomeRule, Mode};
use crate::probe::site::{Field, Owner, Site};
use crate::resource::{HostPattern, PathPrefix};
use crate::route::Route;
use crate::snapshot::Snapshot;

/// A site, and how it is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) site: Site,
    /// Index of the listener.
    pub(super) listener: usize,
    pub(super) accepted: Kinds,
    /// Whose certificate is asked for.
    pub(super) tls_name: String,
}

/// What can be attacked, and what cannot.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) places: Vec<Place>,
    pub(super) left_out: Vec<String>,
}

/// Why nothing can be attacked.
#[derive(Debug, thiserror::Error)]
pub(super) enum SiteError {
    #[error("`{0}` has no home, so that nothing is theirs")]
    NoHome(String),
    #[error("no route of the configuration has homes that `{attacker}` and `{victim}` can be told apart by{}", reasons(.why))]
    Nothing { attacker: String, victim: String, why: Vec<String> },
    #[error("`{attacker}` has the home {own}, which holds all of {other} of `{victim}`")]
    Shared { attacker: String, victim: String, own: String, other: String },
    #[error("the configuration has no route `{0}`")]
    UnknownRoute(String),
    #[error("no directory has a user `{0}`")]
    UnknownUser(String),
}

fn reasons(why: &[String]) -> String {
    why.iter().flat_map(|reason| ["; ", reason.as_str()]).collect()
}

/// The routes with homes.
pub(super) fn find(
    config: &Config,
    snapshot: &Snapshot,
    attacker: &str,
    victim: &str,
    wanted: &[String],
) -> Result<Found, SiteError> {
    let (own, other) = (home(snapshot, attacker)?, home(snapshot, victim)?);
    if own.is_root() || own.strip(other.as_str()).is_some() {
        return Err(SiteError::Shared {
            attacker: attacker.to_owned(),
            victim: victim.to_owned(),
            own: own.to_string(),
            other: other.to_string(),
        });
    }
    let routes = snapshot.routes.routes();
    let unknown = |name: &&String| !routes.iter().any(|route| *route.name == ***name);
    if let Some(name) = wanted.iter().find(unknown) {
        return Err(SiteError::UnknownRoute(name.clone()));
    }
    let (mut places, mut left_out) = (Vec::new(), Vec::new());
    for route in routes {
        if !wanted.is_empty() && !wanted.iter().any(|name| **name == *route.name) {
            continue;
        }
        let Some(rule) = &route.home else {
            left_out.push(format!("{}: has no homes", route.name));
            continue;
        };
        let owners = [owner(attacker, own), owner(victim, other)];
        match place(config, snapshot, route, rule, owners) {
            Some(place) => places.push(place),
            None => {
                left_out.push(format!("{}: nothing in it names what is somebody's", route.name));
            }
        }
    }
    if places.is_empty() {
        let (attacker, victim) = (attacker.to_owned(), victim.to_owned());
        return Err(SiteError::Nothing { attacker, victim, why: left_out });
    }
    Ok(Found { places, left_out })
}

fn home<'s>(snapshot: &'s Snapshot, name: &str) -> Result<&'s PathPrefix, SiteError> {
    let unknown = || SiteError::UnknownUser(name.to_owned());
    let (_, user) = snapshot.identities.find(name).ok_or_else(unknown)?;
    user.home.as_ref().ok_or_else(|| SiteError::NoHome(name.to_owned()))
}

fn owner(name: &str, home: &PathPrefix) -> Owner {
    Owner {
        name: name.to_owned(),
        home: home.as_str().to_owned(),
        file: format!("of-{}.txt", crate::resource::encode_segment(name)),
    }
}

/// A field of a body, by its kind and name.
pub(super) fn field(kind: &str, name: &str) -> Option<Field> {
    match kind {
        "form" => Some(Field::Form(name.to_owned())),
        "json" => Some(Field::Json(name.to_owned())),
        _ => None,
    }
}

fn place(
    config: &Config,
    snapshot: &Snapshot,
    route: &Route,
    rule: &HomeRule,
    [own, other]: [Owner; 2],
) -> Option<Place> {
    let speaks_http2 = |index: &&usize| {
        let listener = config.listeners.get(**index);
        listener.is_some_and(|listener| listener.protocols.contains(&Protocol::Http2))
    };
    let listener = route.listeners.iter().find(speaks_http2).or(route.listeners.first())?;
    let certificate = snapshot.summary.certificates.first();
    let certificate = certificate.map(|certificate| certificate.name.trim_start_matches("*."));
    let is_name = |name: &&str| !name.contains(['/', '*']);
    let fallback = certificate.filter(is_name).unwrap_or("localhost").to_owned();
    let host = route.hosts.first().map_or(fallback, |pattern| match pattern {
        HostPattern::Exact(name) => name.to_string(),
        HostPattern::Wildcard(suffix) => format!("probe{suffix}"),
    });
    let places: Vec<_> = rule.places.iter().map(ToString::to_string).collect();
    let parameters = places.iter().filter_map(|place| place.strip_prefix("query:"));
    let fields = places.iter().filter_map(|place| {
        let (kind, name) = place.split_once(':')?;
        field(kind, name)
    });
    let local = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let mut methods = route.methods.iter().map(|(method, _)| method.as_str());
    let site = Site {
        name: route.name.to_string(),
        authority: host.clone(),
        is_secure: false,
        root: rule.root.as_str().to_owned(),
        path: route.path.as_str().to_owned(),
        own,
        other,
        is_rewritten: rule.mode == Mode::Rewrite,
        dialect: rule.dialect,
        guards_path: places.iter().any(|place| place == "path"),
        guards_destination: places.iter().any(|place| place == "header:destination"),
        guards_condition: places.iter().any(|place| place == "header:if"),
        parameters: parameters.map(str::to_owned).collect(),
        fields: fields.collect(),
        method: if methods.clone().any(|method| method == "GET") {
            "GET".to_owned()
        } else {
            methods.next()?.to_owned()
        },
        is_trusted: config.server.trusted_proxies.iter().any(|network| network.contains(&local)),
    };
    let accepted =
        Kinds { bearer: route.accepted.bearer, x_auth_token: route.accepted.x_auth_token };
    let is_named = site.guards_path || !site.parameters.is_empty() || site.is_by_body();
    is_named.then_some(Place { site, listener: *listener, accepted, tls_name: host })
}
