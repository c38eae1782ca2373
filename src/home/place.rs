//! Where requests name resources.

use std::fmt;
use std::str::FromStr;

/// Where a request names a resource.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// The tagged lists of WebDAV's `If` header: `header:if`.
    Condition,
    /// The `Destination` header of WebDAV: `header:destination`.
    Destination,
    /// Every field of this name in a body that is a form: `form:dir`.
    Form(Box<str>),
    /// The field of this name in a body that is a JSON object: `json:files`.
    Json(Box<str>),
    /// The path: `path`.
    Path,
    /// Every query parameter of this name: `query:dir`.
    Query(Box<str>),
}

impl Place {
    /// The kind of place, without a name from the configuration.
    #[must_use]
    pub const fn kind(&self) -> PlaceKind {
        match self {
            Self::Condition => PlaceKind::Condition,
            Self::Destination => PlaceKind::Destination,
            Self::Form(_) => PlaceKind::Form,
            Self::Json(_) => PlaceKind::Json,
            Self::Path => PlaceKind::Path,
            Self::Query(_) => PlaceKind::Query,
        }
    }

    /// The name of the parameter or field, where it is one.
    #[must_use]
    pub const fn name(&self) -> Option<&str> {
        match self {
            Self::Form(name) | Self::Json(name) | Self::Query(name) => Some(name),
            Self::Condition | Self::Destination | Self::Path => None,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Condition => f.write_str("header:if"),
            Self::Destination => f.write_str("header:destination"),
            Self::Form(name) => write!(f, "form:{name}"),
            Self::Json(name) => write!(f, "json:{name}"),
            Self::Path => f.write_str("path"),
            Self::Query(name) => write!(f, "query:{name}"),
        }
    }
}

impl FromStr for Place {
    type Err = UnknownPlace;

    fn from_str(raw: &str) -> Result<Self, UnknownPlace> {
        match raw.split_once(':') {
            None if raw == "path" => Ok(Self::Path),
            Some(("header", name)) if name.eq_ignore_ascii_case("destination") => {
                Ok(Self::Destination)
            }
            Some(("header", name)) if name.eq_ignore_ascii_case("if") => Ok(Self::Condition),
            Some((kind, name)) if is_parameter_name(name) => match kind {
                "form" => Ok(Self::Form(name.into())),
                "json" => Ok(Self::Json(name.into())),
                "query" => Ok(Self::Query(name.into())),
                _ => Err(UnknownPlace),
            },
            _ => Err(UnknownPlace),
        }
    }
}

/// Names of parameters are plain, so that no two servers read them differently.
fn is_parameter_name(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// A place that does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not one of path, query:NAME, form:NAME, json:NAME, header:destination, header:if")]
pub struct UnknownPlace;

/// The kind of a [`Place`], for reasons and metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PlaceKind {
    /// The `If` header.
    Condition,
    /// The `Destination` header.
    Destination,
    /// A field of a form.
    Form,
    /// A field of a JSON object.
    Json,
    /// The path.
    Path,
    /// A query parameter.
    Query,
}

impl PlaceKind {
    /// The kind in words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Condition => "tag of If",
            Self::Destination => "destination",
            Self::Form => "form field",
            Self::Json => "JSON field",
            Self::Path => "path",
            Self::Query => "query parameter",
        }
    }
}

impl fmt::Display for PlaceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
