//! What must hold for every input of the parsers that read what strangers write.
//!
//! Each target is an oracle: a function that takes any bytes and panics when they show something
//! that must never be. The fuzzers of `fuzz/` ask them of what they make up, and a test here asks
//! them of the corpora that they left. None of this is in the program: it is built for tests, and
//! under the feature `fuzzing`.
//!
//! An oracle knows another way to the answer than the parser: a second reading of its own, another
//! library's, the same bytes cut up differently, or what was written read again.

mod api_key;
mod authorization;
mod condition;
mod config;
mod config_unit;
mod content;
mod destination;
mod http1;
mod http2;
mod jwk;
mod multistatus;
mod resource;
mod session;
mod token;
mod upstream_answer;
mod users;
mod users_edit;

#[cfg(test)]
mod tests;

use crate::directory::Format;

/// Asks one input what must hold, and panics if it does not.
pub type Oracle = Box<dyn Fn(&[u8])>;

/// The names of all targets.
pub const TARGETS: [&str; 20] = [
    "api_key",
    "authorization",
    "condition",
    "config",
    "config_unit",
    "content",
    "destination",
    "http1",
    "http2",
    "jwk",
    "multistatus",
    "resource",
    "session",
    "token",
    "upstream_answer",
    "users_edit",
    "users_htpasswd",
    "users_json",
    "users_toml",
    "users_yaml",
];

/// The oracle of a target, with the keys and rules that it needs.
#[must_use]
pub fn oracle(target: &str) -> Option<Oracle> {
    Some(match target {
        "api_key" => Box::new(api_key::ask),
        "authorization" => Box::new(authorization::ask),
        "condition" => condition::oracle()?,
        "config" => config::oracle()?,
        "config_unit" => Box::new(config_unit::ask),
        "content" => content::oracle()?,
        "destination" => Box::new(destination::ask),
        "http1" => Box::new(http1::ask),
        "http2" => Box::new(http2::ask),
        "jwk" => Box::new(jwk::ask),
        "multistatus" => multistatus::oracle()?,
        "resource" => resource::oracle()?,
        "session" => session::oracle()?,
        "token" => token::oracle()?,
        "upstream_answer" => Box::new(upstream_answer::ask),
        "users_edit" => Box::new(users_edit::ask),
        "users_htpasswd" => users::oracle(Format::Htpasswd),
        "users_json" => users::oracle(Format::Json),
        "users_toml" => users::oracle(Format::Toml),
        "users_yaml" => users::oracle(Format::Yaml),
        _ => return None,
    })
}

/// The input as lines of text, which stand for the parts that a target has.
fn lines(input: &[u8]) -> Option<impl Iterator<Item = &str>> {
    Some(std::str::from_utf8(input).ok()?.split('\n'))
}

/// The first line, which says what is asked, and the rest.
fn headed(input: &[u8]) -> (&[u8], &[u8]) {
    let end = memchr::memchr(b'\n', input).unwrap_or(input.len());
    (input.get(..end).unwrap_or_default(), input.get(end + 1..).unwrap_or_default())
}

/// Where to cut an input in two: somewhere else for each.
fn cut(input: &[u8]) -> (&[u8], &[u8]) {
    let sum = input.iter().fold(7_usize, |sum, byte| sum.wrapping_mul(31) ^ usize::from(*byte));
    input.split_at(sum % (input.len() + 1))
}
