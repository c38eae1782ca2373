//! Spellings that some servers read differently, and the dialects that refuse them.
//!
//! [`RULES`] is the one table: parsing records what it finds, the table judges it, and the
//! reference of the `paths` key is written from it.

mod rules;

use std::fmt;
use std::str::FromStr;

use super::ResourceError;
pub use rules::{ALWAYS, Always, RULES, Readings, Rule};
use rules::{
    BACKSLASH, COLON, DEVICE_NAME, DOT_RUN, DOUBLE_ENCODING, EMPTY_SEGMENT, ENCODED_BACKSLASH,
    ENCODED_SLASH, LOOK_ALIKE, PARAMETER, TRAILING_DOT_OR_SPACE,
};

/// How the upstream of a route reads paths: the `paths` key of a route.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// A server that takes a path as POSIX does: only `/` separates, all else is a name.
    #[default]
    Posix,
    /// A server that takes segments as opaque bytes, an object store for example. It admits
    /// separators within segments, but still no reading with a dot segment.
    Raw,
    /// A servlet container: `;parameters` are dropped from segments before they are matched.
    Tomcat,
    /// A server on a Windows file system.
    Windows,
}

impl Dialect {
    /// Every dialect, in the order of the reference.
    pub const ALL: [Self; 4] = [Self::Posix, Self::Windows, Self::Tomcat, Self::Raw];

    /// The dialect as it is written in a configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Posix => "posix",
            Self::Raw => "raw",
            Self::Tomcat => "tomcat",
            Self::Windows => "windows",
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Dialect {
    type Err = UnknownDialect;

    fn from_str(name: &str) -> Result<Self, UnknownDialect> {
        Self::ALL.into_iter().find(|dialect| dialect.as_str() == name).ok_or(UnknownDialect)
    }
}

/// A dialect that does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not one of posix, windows, tomcat, raw")]
pub struct UnknownDialect;

/// A spelling that is harmless to one server and a way round the decision on another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Spelling {
    /// A raw `\`.
    Backslash,
    /// `:`, which names a stream or a drive.
    Colon,
    /// `CON`, `nul.txt`, `COM1`, …
    DeviceName,
    /// A segment of three or more dots.
    DotRun,
    /// Decoding once more gives a dot, a separator, a control character or the like.
    DoubleEncoding,
    /// `//`.
    EmptySegment,
    /// `%5C`.
    EncodedBackslash,
    /// `%2F`.
    EncodedSlash,
    /// A character that compatibility mappings turn into a separator: `／`, `∕`, `℅`.
    LookAlike,
    /// `;` anywhere.
    Parameter,
    /// A segment that ends in a dot or a space.
    TrailingDotOrSpace,
}

impl Spelling {
    /// The name of the spelling in metrics and logs.
    #[must_use]
    pub const fn label(self) -> &'static str {
        self.rule().label
    }

    /// The row of the table.
    #[must_use]
    pub const fn rule(self) -> &'static Rule {
        match self {
            Self::Backslash => &BACKSLASH,
            Self::Colon => &COLON,
            Self::DeviceName => &DEVICE_NAME,
            Self::DotRun => &DOT_RUN,
            Self::DoubleEncoding => &DOUBLE_ENCODING,
            Self::EmptySegment => &EMPTY_SEGMENT,
            Self::EncodedBackslash => &ENCODED_BACKSLASH,
            Self::EncodedSlash => &ENCODED_SLASH,
            Self::LookAlike => &LOOK_ALIKE,
            Self::Parameter => &PARAMETER,
            Self::TrailingDotOrSpace => &TRAILING_DOT_OR_SPACE,
        }
    }

    const fn bit(self) -> u16 {
        1 << self as u8
    }
}

impl fmt::Display for Spelling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.rule().what)
    }
}

/// The spellings found in one path.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Spellings(u16);

impl Spellings {
    /// None.
    pub const NONE: Self = Self(0);

    /// Adds one.
    pub const fn insert(&mut self, spelling: Spelling) {
        self.0 |= spelling.bit();
    }

    /// Adds all of `other`.
    pub const fn extend(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Whether `spelling` is among them.
    #[must_use]
    pub const fn contains(self, spelling: Spelling) -> bool {
        self.0 & spelling.bit() != 0
    }

    /// Whether nothing was found.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// All of them, in the order of the table.
    pub fn iter(self) -> impl Iterator<Item = Spelling> {
        RULES.iter().map(|rule| rule.spelling).filter(move |spelling| self.contains(*spelling))
    }

    /// Judges them by the table.
    ///
    /// # Errors
    ///
    /// [`ResourceError::Spelling`]: the first, in the order of the table, that `dialect` refuses.
    pub fn admit(self, dialect: Dialect) -> Result<(), ResourceError> {
        let refused = Self(self.0 & refused_by(dialect).0);
        refused.iter().next().map_or(Ok(()), |spelling| Err(ResourceError::Spelling(spelling)))
    }
}

impl fmt::Debug for Spellings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// The column of the table that belongs to `dialect`.
fn refused_by(dialect: Dialect) -> Spellings {
    const fn column(dialect: Dialect) -> Spellings {
        let mut refused = Spellings::NONE;
        let mut rules: &[Rule] = &RULES;
        while let [rule, rest @ ..] = rules {
            let mut dialects = rule.refused_by;
            while let [one, others @ ..] = dialects {
                if *one as u8 == dialect as u8 {
                    refused.insert(rule.spelling);
                }
                dialects = others;
            }
            rules = rest;
        }
        refused
    }
    const POSIX: Spellings = column(Dialect::Posix);
    const RAW: Spellings = column(Dialect::Raw);
    const TOMCAT: Spellings = column(Dialect::Tomcat);
    const WINDOWS: Spellings = column(Dialect::Windows);
    match dialect {
        Dialect::Posix => POSIX,
        Dialect::Raw => RAW,
        Dialect::Tomcat => TOMCAT,
        Dialect::Windows => WINDOWS,
    }
}

#[cfg(test)]
mod tests;
