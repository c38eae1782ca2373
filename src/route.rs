//! What is let through, for whom, and where to: a route as the way of a request uses it, with
//! everything that can be computed beforehand computed at load.

pub mod endpoint;
pub mod table;
pub mod upstream;

use http::{HeaderValue, Method};

use crate::credential::Accepted;
use crate::home::HomeRule;
use crate::resource::{Dialect, HostPattern, PathPrefix};
use crate::user::Permission;

pub use self::table::{NoRoute, Table};

/// One route.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "what it says, each on its own")]
pub struct Route {
    /// Its name in the configuration.
    pub name: Box<str>,
    /// Where it stands: `file:line:column`.
    pub place: Box<str>,
    /// Where each of its demands stands.
    pub places: Places,
    /// The hosts it answers for; empty: any.
    pub hosts: Vec<HostPattern>,
    /// The paths it answers for.
    pub path: PathPrefix,
    /// The methods it lets through, each with the permissions it demands.
    pub methods: Vec<(Method, Vec<Permission>)>,
    /// Index of the listeners it is reached by.
    pub listeners: Vec<usize>,
    /// Index of its upstream.
    pub upstream: usize,
    /// The kinds of credentials it takes.
    pub accepted: Accepted,
    /// Whether browsers without a credential are sent to the login page of their host.
    pub has_login_page: bool,
    /// How its upstream reads paths.
    pub dialect: Dialect,
    /// Confines principals to their homes.
    pub home: Option<HomeRule>,
    /// One of these is needed, unless there are none.
    pub roles: Vec<Box<str>>,
    /// One of these is needed, unless there are none.
    pub groups: Vec<Box<str>>,
    /// Whether the upstream gets the credential as well.
    pub forwards_credential: bool,
    /// How the upstream learns who it is.
    pub identity: IdentityFields,
    /// Whether a connection may become a WebSocket.
    pub websocket: bool,
    /// The largest request body in bytes.
    pub body_limit: Option<u64>,
    /// Whether the upstream sees the client's host rather than its own name.
    pub preserves_host: bool,
    /// One `WWW-Authenticate` value for each kind, without and with `error="invalid_token"`.
    pub challenges: Challenges,
}

/// Where the demands of a route stand: `file:line:column`, or the name of a variable. What is not
/// said has the place of the route, whose default it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// The kinds of credentials.
    pub accept: Box<str>,
    /// The groups.
    pub groups: Box<str>,
    /// The home.
    pub home: Box<str>,
    /// The methods.
    pub methods: Box<str>,
    /// What each method demands.
    pub permissions: Vec<(Method, Box<str>)>,
    /// The roles.
    pub roles: Box<str>,
}

impl Places {
    /// Where it stands what `method` demands.
    #[must_use]
    pub fn permissions(&self, method: &Method) -> &str {
        let found = self.permissions.iter().find(|(known, _)| known == method);
        found.map_or(&self.methods, |(_, place)| place)
    }
}

/// The family of header fields in which an upstream learns who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentityFields {
    /// It does not.
    None,
    /// `Remote-User` and its kin.
    Remote,
    /// `X-Auth-Request-User` and its kin.
    XAuthRequest,
    /// `X-Forwarded-User` and its kin.
    XForwarded,
}

impl IdentityFields {
    /// All families.
    pub const ALL: [Self; 4] = [Self::None, Self::Remote, Self::XAuthRequest, Self::XForwarded];

    /// The fields of user, groups, e-mail address, roles and home, in this order.
    #[must_use]
    pub fn names(self) -> &'static [&'static str] {
        match self {
            Self::None => &[],
            Self::Remote => {
                &["remote-user", "remote-groups", "remote-email", "remote-roles", "remote-home"]
            }
            Self::XAuthRequest => &[
                "x-auth-request-user",
                "x-auth-request-groups",
                "x-auth-request-email",
                "x-auth-request-roles",
                "x-auth-request-home",
            ],
            Self::XForwarded => &[
                "x-forwarded-user",
                "x-forwarded-groups",
                "x-forwarded-email",
                "x-forwarded-roles",
                "x-forwarded-home",
            ],
        }
    }
}

/// Which challenge an answer carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// That the token holds and doesn't suffice (RFC 6750 §3.1).
    InsufficientScope,
    /// One for each kind, with `error="invalid_token"` for tokens.
    InvalidToken,
    /// None.
    None,
    /// One for each kind, without an error code.
    Plain,
}

/// The challenges of a route's refusals, made at load (RFC 9110 §11.6.1).
#[derive(Clone, Debug, Default)]
pub struct Challenges {
    /// When no credential was presented (RFC 6750 §3.1: no error code).
    pub plain: Vec<HeaderValue>,
    /// When a token was presented that does not hold.
    pub invalid_token: Vec<HeaderValue>,
    /// When a token was presented that holds and does not suffice.
    pub insufficient_scope: Vec<HeaderValue>,
}

impl Challenges {
    /// One challenge for each kind. The realm holds nothing that needs escaping.
    #[must_use]
    pub fn new(realm: &str, accepted: Accepted) -> Self {
        let mut challenges = Self::default();
        let mut add = |to: fn(&mut Self) -> &mut Vec<HeaderValue>, challenge: &str| {
            to(&mut challenges).extend(HeaderValue::try_from(challenge));
        };
        if accepted.bearer || accepted.x_auth_token {
            let plain = format!("Bearer realm=\"{realm}\"");
            add(|to| &mut to.plain, &plain);
            add(|to| &mut to.invalid_token, &format!("{plain}, error=\"invalid_token\""));
            add(|to| &mut to.insufficient_scope, &format!("{plain}, error=\"insufficient_scope\""));
        }
        if accepted.basic {
            let plain = format!("Basic realm=\"{realm}\", charset=\"UTF-8\"");
            add(|to| &mut to.plain, &plain);
            add(|to| &mut to.invalid_token, &plain);
        }
        // Neither has a registered scheme; a challenge there must be (RFC 9110 §11.6.1).
        for (scheme, is_taken) in [("ApiKey", accepted.api_key), ("Cookie", accepted.session)] {
            if is_taken {
                let plain = format!("{scheme} realm=\"{realm}\"");
                add(|to| &mut to.plain, &plain);
                add(|to| &mut to.invalid_token, &plain);
            }
        }
        challenges
    }

    /// Those of an answer.
    #[must_use]
    pub fn of(&self, challenge: Challenge) -> &[HeaderValue] {
        match challenge {
            Challenge::InsufficientScope => &self.insufficient_scope,
            Challenge::InvalidToken => &self.invalid_token,
            Challenge::None => &[],
            Challenge::Plain => &self.plain,
        }
    }
}

impl Route {
    /// The permissions that a method demands; `None`: the method is not let through.
    #[must_use]
    pub fn demands(&self, method: &Method) -> Option<&[Permission]> {
        let rule = self.methods.iter().find(|(known, _)| known == method);
        rule.map(|(_, permissions)| permissions.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_challenge_for_each_kind() {
        let accepted = Accepted {
            anonymous: false,
            api_key: true,
            basic: true,
            bearer: true,
            session: true,
            x_auth_token: true,
        };

        let challenges = Challenges::new("gate", accepted);

        assert_eq!(
            challenges.plain,
            [
                "Bearer realm=\"gate\"",
                "Basic realm=\"gate\", charset=\"UTF-8\"",
                "ApiKey realm=\"gate\"",
                "Cookie realm=\"gate\"",
            ]
        );
        assert_eq!(challenges.invalid_token[0], "Bearer realm=\"gate\", error=\"invalid_token\"");
    }
}
