//! What a request names, in the one canonical form that is decided on *and* forwarded.
//!
//! Most gateway bypasses are one mistake: the decision was made on one reading of the request
//! while another was sent. So everything that names a resource is parsed here once. What two
//! common parsers could read differently is refused, either always ([`ResourceError`]) or by
//! the [`Dialect`] of the route ([`Spelling`] and its table, [`RULES`]). The rest has exactly
//! one spelling, and that spelling is a fixed point: parsing it again changes nothing.
//!
//! Pure: no I/O, no clock, and no allocation where the input already is canonical.

pub mod condition;
pub mod content;
pub mod destination;
pub mod error;
pub mod host;
pub mod path;
pub mod prefix;
pub mod query;
mod segment;
pub mod spelling;

pub use condition::Condition;
pub use destination::Destination;
pub use error::ResourceError;
pub use host::{CanonicalHost, HostPattern};
pub use path::CanonicalPath;
pub use prefix::PathPrefix;
pub use query::CanonicalQuery;
pub use spelling::{
    ALWAYS, Always, Dialect, RULES, Readings, Rule, Spelling, Spellings, UnknownDialect,
};

/// Percent-encodes `name` as one path segment, e.g. a user's name in a template of homes.
///
/// A separator in it is encoded too, which [`PathPrefix`] then refuses; so are dot segments:
/// no name can climb out of the place that the template gives it. An empty name has no segment,
/// and would make the parent its home: refuse it before.
#[must_use]
pub fn encode_segment(name: &str) -> String {
    segment::encode(name.as_bytes()).map(char::from).collect()
}
