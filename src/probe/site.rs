//! What is attacked: how an API tells the homes of its users apart.

use super::reading::segments;
use crate::resource::Dialect;

/// A user, and the part of the API that is theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The name, as identity headers carry it.
    pub name: String,
    /// The home below the root of all homes, percent-encoded, with a leading slash and none at
    /// the end.
    pub home: String,
    /// The name of a file in it.
    pub file: String,
}

impl Owner {
    /// The file below the root of all homes.
    #[must_use]
    pub fn resource(&self) -> String {
        format!("{}/{}", self.home, self.file)
    }
}

/// A field of a body that names a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// Of a form.
    Form(String),
    /// Of a JSON object.
    Json(String),
}

/// One route of a gateway, and two users of it.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// What it is called in reports: the route's name.
    pub name: String,
    /// What `Host` says.
    pub authority: String,
    /// Whether it is reached by TLS.
    pub is_secure: bool,
    /// Where the tree of homes lies in the API, with a leading slash and none at the end; empty
    /// for the whole API.
    pub root: String,
    /// The path that the route answers for, written likewise.
    pub path: String,
    /// Who attacks.
    pub own: Owner,
    /// Who is attacked.
    pub other: Owner,
    /// Whether users see their home as the root, and the gateway puts it in front.
    pub is_rewritten: bool,
    /// How the upstream reads paths.
    pub dialect: Dialect,
    /// Whether homes are told apart by the path.
    pub guards_path: bool,
    /// Whether `Destination` names a second resource.
    pub guards_destination: bool,
    /// Whether the tagged lists of `If` name resources.
    pub guards_condition: bool,
    /// The query parameters that name resources.
    pub parameters: Vec<String>,
    /// The fields of bodies that name resources.
    pub fields: Vec<Field>,
    /// A method that the attacker may use there.
    pub method: String,
    /// Whether the gateway believes what this machine says about the client.
    pub is_trusted: bool,
}

impl Site {
    /// The attacker's own folder as a client names it, with a slash at the end.
    #[must_use]
    pub fn own_base(&self) -> String {
        if !self.guards_path {
            return format!("{}/", self.path);
        }
        let home = if self.is_rewritten { "" } else { &self.own.home };
        format!("{}{home}/", self.root)
    }

    /// A resource of the attacker's own as a client names it: what must be let through.
    #[must_use]
    pub fn own_target(&self) -> String {
        let path = if self.guards_path {
            format!("{}{}", self.own_base(), self.own.file)
        } else {
            self.own_base()
        };
        match self.parameters.first() {
            Some(name) if !self.guards_path => format!("{path}?{name}={}", self.own_value()),
            Some(_) | None => path,
        }
    }

    /// Whether nothing but a body names resources there.
    #[must_use]
    pub fn is_by_body(&self) -> bool {
        !self.guards_path && self.parameters.is_empty() && !self.fields.is_empty()
    }

    /// Where bodies are sent.
    #[must_use]
    pub fn body_target(&self) -> String {
        match self.own_target() {
            path if self.guards_path => path,
            _ if self.path.is_empty() => "/".to_owned(),
            _ => self.path.clone(),
        }
    }

    /// A request for the attacker's own that must be let through: its first line, further fields
    /// and body.
    #[must_use]
    pub fn own_message(&self) -> (String, Vec<String>, String) {
        let Some(field) = self.fields.first().filter(|_| self.is_by_body()) else {
            let line = format!("{} {} HTTP/1.1", self.method, self.own_target());
            return (line, Vec::new(), String::new());
        };
        let (media, body) = match field {
            Field::Form(name) => {
                ("application/x-www-form-urlencoded", format!("{name}={}", self.own_value()))
            }
            Field::Json(name) => {
                let value = serde_json::Value::from(self.own_value());
                ("application/json", format!("{{\"{name}\":{value}}}"))
            }
        };
        let fields =
            vec![format!("Content-Type: {media}"), format!("Content-Length: {}", body.len())];
        (format!("POST {} HTTP/1.1", self.body_target()), fields, body)
    }

    /// The same resource as a query parameter names it.
    #[must_use]
    pub fn own_value(&self) -> String {
        if self.is_rewritten { format!("/{}", self.own.file) } else { self.own.resource() }
    }

    /// The attacked resource as the upstream names it.
    #[must_use]
    pub fn other_target(&self) -> String {
        format!("{}{}", self.root, self.other.resource())
    }

    /// The way up from the attacker's own folder to the root of all homes, written with `dots`
    /// and `slash`.
    #[must_use]
    pub fn up(&self, dots: &str, slash: &str) -> String {
        let depth = segments(self.own.home.as_bytes()).count().max(1);
        format!("{dots}{slash}").repeat(depth)
    }

    /// The attacked resource below the root of all homes, without a slash in front.
    #[must_use]
    pub fn other_below(&self) -> String {
        self.other.resource().trim_start_matches('/').to_owned()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Homes below `/files` with everything guarded.
    pub(in crate::probe) fn site() -> Site {
        let owner = |name: &str| Owner {
            name: name.to_owned(),
            home: format!("/{name}"),
            file: format!("of-{name}.txt"),
        };
        Site {
            name: "files".to_owned(),
            authority: "gateway.test".to_owned(),
            is_secure: true,
            root: "/files".to_owned(),
            path: "/files".to_owned(),
            own: owner("alice"),
            other: owner("bob"),
            is_rewritten: false,
            dialect: Dialect::Posix,
            guards_path: true,
            guards_destination: true,
            guards_condition: true,
            parameters: vec!["dir".to_owned()],
            fields: vec![Field::Json("files".to_owned()), Field::Form("dir".to_owned())],
            method: "GET".to_owned(),
            is_trusted: false,
        }
    }

    #[test]
    fn a_client_names_its_own_as_the_route_shows_it() {
        let site = site();
        let rewritten = Site { is_rewritten: true, ..site.clone() };
        let by_parameter = Site { guards_path: false, path: "/list".to_owned(), ..site.clone() };

        assert_eq!(site.own_target(), "/files/alice/of-alice.txt");
        assert_eq!(rewritten.own_target(), "/files/of-alice.txt");
        assert_eq!(by_parameter.own_target(), "/list/?dir=/alice/of-alice.txt");
        assert_eq!(site.other_target(), "/files/bob/of-bob.txt");
    }

    #[test]
    fn the_way_up_is_as_long_as_the_home_is_deep() {
        let mut site = site();
        site.own.home = "/staff/alice".to_owned();

        assert_eq!(site.up("..", "/"), "../../");
    }
}
