//! Reads the claims of a payload in one pass, by a tree of the names that matter.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};

use super::claims::{ClaimPath, ClaimPaths};
use super::json::{AnyValue, Found, Names};
use super::verifier::VerifyError;

/// A claim that is looked for. Its discriminant is its place in the tables below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    Audience,
    Client,
    Email,
    Expires,
    Family,
    Groups,
    Home,
    IssuedAt,
    Issuer,
    NotBefore,
    Permissions,
    Roles,
    Subject,
    Tag,
    TokenId,
}

const CLAIMS: usize = 15;

impl Claim {
    /// What it is, for an error: never what a token says.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Audience => "aud",
            Self::Client => "client_id",
            Self::Email => "email",
            Self::Expires => "exp",
            Self::Family => "sid",
            Self::Groups => "groups",
            Self::Home => "home",
            Self::IssuedAt => "iat",
            Self::Issuer => "iss",
            Self::NotBefore => "nbf",
            Self::Permissions => "permissions",
            Self::Roles => "roles",
            Self::Subject => "subject",
            Self::Tag => "tag",
            Self::TokenId => "jti",
        }
    }
}

/// Where to find the claims of one issuer.
#[derive(Debug)]
pub(super) struct ClaimTree {
    roots: Vec<Node>,
    leaf_of: [usize; CLAIMS],
}

#[derive(Debug)]
struct Node {
    name: Box<str>,
    leaf: Option<usize>,
    children: Vec<Node>,
}

impl ClaimTree {
    /// The tree for an issuer; an error is the path that leads through another.
    pub(super) fn new(paths: &ClaimPaths) -> Result<Self, ClaimPath> {
        let ClaimPaths { subject, roles, permissions, groups, home, email, tag } = paths;
        let named = |claim: Claim| (claim, ClaimPath::named(claim.name()));
        let all = [
            named(Claim::Audience),
            named(Claim::Client),
            named(Claim::Expires),
            named(Claim::Family),
            named(Claim::IssuedAt),
            named(Claim::Issuer),
            named(Claim::NotBefore),
            named(Claim::TokenId),
            (Claim::Subject, subject.clone()),
            (Claim::Roles, roles.clone()),
            (Claim::Permissions, permissions.clone()),
            (Claim::Groups, groups.clone()),
            (Claim::Home, home.clone()),
            (Claim::Email, email.clone()),
            (Claim::Tag, tag.clone()),
        ];
        let mut tree = Self::empty();
        for (leaf, (claim, path)) in all.into_iter().enumerate() {
            let leaf = insert(&mut tree.roots, path.segments(), leaf).ok_or(path)?;
            if let Some(place) = tree.leaf_of.get_mut(claim as usize) {
                *place = leaf;
            }
        }
        Ok(tree)
    }

    /// The tree that looks for `iss` alone.
    pub(super) fn issuer_only() -> Self {
        let mut tree = Self::empty();
        let node = Node { name: Claim::Issuer.name().into(), leaf: Some(0), children: Vec::new() };
        tree.roots.push(node);
        tree.leaf_of = [0; CLAIMS];
        tree
    }

    fn empty() -> Self {
        Self { roots: Vec::new(), leaf_of: [CLAIMS; CLAIMS] }
    }

    /// Reads a decoded payload.
    pub(super) fn read<'t, 'de>(
        &'t self,
        payload: &'de [u8],
    ) -> Result<FoundClaims<'t, 'de>, VerifyError> {
        let malformed = |_| VerifyError::MalformedClaims;
        let text = str::from_utf8(payload).map_err(|_| VerifyError::MalformedClaims)?;
        let mut claims = FoundClaims { tree: self, leaves: [const { None }; CLAIMS] };
        let mut deserializer = serde_json::Deserializer::from_str(text);
        Branch { nodes: &self.roots, depth: 0, leaves: &mut claims.leaves }
            .deserialize(&mut deserializer)
            .map_err(malformed)?;
        deserializer.end().map_err(malformed)?;
        Ok(claims)
    }
}

/// Adds a path; gives the place of its leaf, which two equal paths share.
fn insert<'p>(
    nodes: &mut Vec<Node>,
    mut path: impl Iterator<Item = &'p str>,
    leaf: usize,
) -> Option<usize> {
    let mut nodes = nodes;
    let mut name = path.next()?;
    loop {
        let index = nodes.iter().position(|node| &*node.name == name).unwrap_or_else(|| {
            nodes.push(Node { name: name.into(), leaf: None, children: Vec::new() });
            nodes.len() - 1
        });
        let node = nodes.get_mut(index)?;
        let Some(next) = path.next() else {
            let is_free = node.children.is_empty();
            return is_free.then(|| *node.leaf.get_or_insert(leaf));
        };
        if node.leaf.is_some() {
            return None;
        }
        nodes = &mut node.children;
        name = next;
    }
}

struct Branch<'t, 'c, 'de> {
    nodes: &'t [Node],
    depth: usize,
    leaves: &'c mut [Option<Found<'de>>; CLAIMS],
}

impl<'de> DeserializeSeed<'de> for Branch<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Branch<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of claims")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let depth = self.depth + 1;
        let mut names = Names::default();
        while let Some(name) = names.next(&mut map)? {
            let Some(node) = self.nodes.iter().find(|node| &*node.name == name) else {
                map.next_value_seed(AnyValue(depth))?;
                continue;
            };
            match node.leaf {
                None => {
                    let leaves = &mut *self.leaves;
                    map.next_value_seed(Branch { nodes: &node.children, depth, leaves })?;
                }
                Some(leaf) => {
                    let found = map.next_value_seed(AnyValue(depth))?;
                    if let Some(place) = self.leaves.get_mut(leaf) {
                        *place = Some(found);
                    }
                }
            }
        }
        Ok(())
    }
}

/// What a payload says, before it is judged. A claim of the wrong type is an error, never an
/// absence.
#[derive(Debug)]
pub(super) struct FoundClaims<'t, 'de> {
    tree: &'t ClaimTree,
    leaves: [Option<Found<'de>>; CLAIMS],
}

impl FoundClaims<'_, '_> {
    fn find(&self, claim: Claim) -> Option<&Found<'_>> {
        let leaf = *self.tree.leaf_of.get(claim as usize)?;
        self.leaves.get(leaf)?.as_ref()
    }

    /// A text without control characters.
    pub(super) fn text(&self, claim: Claim) -> Result<Option<&str>, VerifyError> {
        match self.find(claim) {
            None => Ok(None),
            Some(Found::Text(text)) => printable(text, claim).map(Some),
            Some(
                Found::Fraction(_) | Found::List(_) | Found::Null | Found::Other | Found::Whole(_),
            ) => Err(VerifyError::WrongType(claim.name())),
        }
    }

    /// Texts: a list of them, or one with spaces between them, as `scope` has.
    pub(super) fn texts(&self, claim: Claim) -> Result<Option<Vec<String>>, VerifyError> {
        let owned = |text: &str| printable(text, claim).map(str::to_owned);
        let texts: Result<_, _> = match self.find(claim) {
            None => return Ok(None),
            Some(Found::List(list)) => list.iter().map(|text| owned(text)).collect(),
            Some(Found::Text(text)) => {
                text.split(' ').filter(|word| !word.is_empty()).map(owned).collect()
            }
            // Who writes a list that was never begun as `null`, says that it is empty.
            Some(Found::Null) => return Ok(Some(Vec::new())),
            Some(Found::Fraction(_) | Found::Other | Found::Whole(_)) => {
                return Err(VerifyError::WrongType(claim.name()));
            }
        };
        texts.map(Some)
    }

    /// Whether `aud` is, or holds, one of `expected`; `None`: there is no `aud`.
    pub(super) fn names_audience(&self, expected: &[String]) -> Result<Option<bool>, VerifyError> {
        let is_expected = |name: &Cow<'_, str>| expected.iter().any(|expected| expected == name);
        match self.find(Claim::Audience) {
            None => Ok(None),
            Some(Found::Text(name)) => Ok(Some(is_expected(name))),
            Some(Found::List(names)) => Ok(Some(names.iter().any(is_expected))),
            Some(Found::Fraction(_) | Found::Null | Found::Other | Found::Whole(_)) => {
                Err(VerifyError::WrongType(Claim::Audience.name()))
            }
        }
    }

    /// A time in Unix seconds (RFC 7519 §2 `NumericDate`), rounded to the stricter side.
    pub(super) fn time(&self, claim: Claim) -> Result<Option<u64>, VerifyError> {
        const LARGEST: f64 = 9_007_199_254_740_992.0; // 2^53, the last that is exact
        match self.find(claim) {
            None => Ok(None),
            Some(Found::Whole(seconds)) => Ok(Some(*seconds)),
            Some(Found::Fraction(seconds)) if (0.0..=LARGEST).contains(seconds) => {
                let rounded =
                    if claim == Claim::NotBefore { seconds.ceil() } else { seconds.floor() };
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a whole number between 0 and 2^53"
                )]
                Ok(Some(rounded as u64))
            }
            Some(
                Found::Fraction(_) | Found::List(_) | Found::Null | Found::Other | Found::Text(_),
            ) => Err(VerifyError::WrongType(claim.name())),
        }
    }
}

fn printable(text: &str, claim: Claim) -> Result<&str, VerifyError> {
    if text.chars().any(char::is_control) {
        return Err(VerifyError::ControlCharacter(claim.name()));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(roles: &str) -> ClaimTree {
        ClaimTree::new(&ClaimPaths { roles: roles.parse().unwrap(), ..ClaimPaths::default() })
            .unwrap()
    }

    #[test]
    fn roles_are_found_along_their_path() {
        for (path, json) in [
            ("roles", r#"{"roles":["a","b"]}"#),
            ("roles", r#"{"roles":"a  b"}"#),
            ("realm_access.roles", r#"{"x":{"roles":1},"realm_access":{"y":2,"roles":["a","b"]}}"#),
            (r"https://example\.org/r", r#"{"https:\/\/example.org/r":["a","b"]}"#),
        ] {
            let tree = tree(path);
            let claims = tree.read(json.as_bytes()).unwrap();
            assert_eq!(claims.texts(Claim::Roles).unwrap().unwrap(), ["a", "b"], "{json}");
        }
    }

    #[test]
    fn a_wrong_type_is_no_absence() {
        let tree = tree("a.b");
        assert_eq!(tree.read(br#"{"a":{}}"#).unwrap().texts(Claim::Roles), Ok(None));
        let null = tree.read(br#"{"a":{"b":null}}"#).unwrap();
        assert_eq!(null.texts(Claim::Roles), Ok(Some(Vec::new())));
        for json in [r#"{"a":{"b":[null]}}"#, r#"{"a":{"b":[1]}}"#, r#"{"a":{"b":{"c":1}}}"#] {
            let claims = tree.read(json.as_bytes()).unwrap();
            assert_eq!(claims.texts(Claim::Roles), Err(VerifyError::WrongType("roles")));
        }
        for json in [r#"{"a":null}"#, r#"{"a":"b"}"#, r#"{"a":["b"]}"#] {
            let error = tree.read(json.as_bytes()).unwrap_err();
            assert_eq!(error, VerifyError::MalformedClaims);
        }
    }

    #[test]
    fn a_path_does_not_lead_through_another() {
        let overlapping = |roles: &str, home: &str| {
            let paths = ClaimPaths {
                roles: roles.parse().unwrap(),
                home: home.parse().unwrap(),
                ..ClaimPaths::default()
            };
            ClaimTree::new(&paths).is_err()
        };
        assert!(overlapping("a", "a.b"));
        assert!(overlapping("a.b", "a"));
        assert!(overlapping("exp.a", "home"));
        assert!(!overlapping("a.b", "a.c"));
        assert!(!overlapping("a.b", "a.b"));
    }

    #[test]
    fn fractions_are_rounded_to_the_stricter_side() {
        let tree = tree("roles");
        let claims = tree.read(br#"{"exp":10.9,"nbf":10.1,"iat":1e1}"#).unwrap();
        assert_eq!(claims.time(Claim::Expires), Ok(Some(10)));
        assert_eq!(claims.time(Claim::NotBefore), Ok(Some(11)));
        assert_eq!(claims.time(Claim::IssuedAt), Ok(Some(10)));
    }
}
