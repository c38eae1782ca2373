//! The table itself: each spelling, its two readings, and who refuses it. The reference in
//! `docs/paths.md` is written from it.

use super::{Dialect, Spelling};
use crate::resource::ResourceError;

/// A row of the table: a spelling, and who refuses it.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// The spelling.
    pub spelling: Spelling,
    /// Its name in metrics and logs.
    pub label: &'static str,
    /// What it is, as the end of "the path has …".
    pub what: &'static str,
    /// A path that has it.
    pub example: &'static str,
    /// The two ways in which servers read it.
    pub readings: Readings,
    /// The dialects that refuse it.
    pub refused_by: &'static [Dialect],
}

/// Two readings of one spelling. Where they differ, so may the owner of what is named.
pub type Readings = [&'static str; 2];

const ALL_BUT_RAW: &[Dialect] = &[Dialect::Posix, Dialect::Windows, Dialect::Tomcat];
const WINDOWS: &[Dialect] = &[Dialect::Windows];

/// Every spelling that depends on the dialect, and who refuses it.
pub const RULES: [Rule; 11] = [
    BACKSLASH,
    ENCODED_BACKSLASH,
    ENCODED_SLASH,
    EMPTY_SEGMENT,
    DOUBLE_ENCODING,
    LOOK_ALIKE,
    PARAMETER,
    COLON,
    DEVICE_NAME,
    DOT_RUN,
    TRAILING_DOT_OR_SPACE,
];

pub(super) const BACKSLASH: Rule = Rule {
    spelling: Spelling::Backslash,
    label: "backslash",
    what: "a backslash",
    example: "/a\\b",
    readings: ["a character of the name", "a separator"],
    refused_by: ALL_BUT_RAW,
};
pub(super) const COLON: Rule = Rule {
    spelling: Spelling::Colon,
    label: "colon",
    what: "a colon, which names a stream or a drive",
    example: "/a.txt::$DATA",
    readings: [
        "a character of the name",
        "what ends the name of a drive or of a file, whose stream follows",
    ],
    refused_by: WINDOWS,
};
pub(super) const DEVICE_NAME: Rule = Rule {
    spelling: Spelling::DeviceName,
    label: "device_name",
    what: "the name of a device",
    example: "/nul.txt",
    readings: ["the name of a file", "a device, whatever its folder and extension"],
    refused_by: WINDOWS,
};
pub(super) const DOT_RUN: Rule = Rule {
    spelling: Spelling::DotRun,
    label: "dot_run",
    what: "a segment of three or more dots",
    example: "/.../a",
    readings: ["a name of dots", "no name, or the folder above"],
    refused_by: WINDOWS,
};
pub(super) const DOUBLE_ENCODING: Rule = Rule {
    spelling: Spelling::DoubleEncoding,
    label: "double_encoding",
    what: "a doubly encoded special character",
    example: "/a%252Fb",
    readings: [
        "a percent sign and two digits of the name",
        "the special character that decoding once more makes of them",
    ],
    refused_by: ALL_BUT_RAW,
};
pub(super) const EMPTY_SEGMENT: Rule = Rule {
    spelling: Spelling::EmptySegment,
    label: "empty_segment",
    what: "an empty segment",
    example: "/a//b",
    readings: ["a segment without a name", "nothing: two slashes are one"],
    refused_by: ALL_BUT_RAW,
};
pub(super) const ENCODED_BACKSLASH: Rule = Rule {
    spelling: Spelling::EncodedBackslash,
    label: "encoded_backslash",
    what: "an encoded backslash",
    example: "/a%5Cb",
    readings: ["a character of the name", "a separator, or the start of an escape"],
    refused_by: ALL_BUT_RAW,
};
pub(super) const ENCODED_SLASH: Rule = Rule {
    spelling: Spelling::EncodedSlash,
    label: "encoded_slash",
    what: "an encoded slash",
    example: "/a%2Fb",
    readings: ["a slash within one name", "a separator"],
    refused_by: ALL_BUT_RAW,
};
pub(super) const LOOK_ALIKE: Rule = Rule {
    spelling: Spelling::LookAlike,
    label: "look_alike",
    what: "a character that some servers turn into a separator",
    example: "/a%EF%BC%8Fb",
    readings: ["a character of the name", "the separator that it is mapped to"],
    refused_by: ALL_BUT_RAW,
};
pub(super) const PARAMETER: Rule = Rule {
    spelling: Spelling::Parameter,
    label: "parameter",
    what: "a `;` parameter",
    example: "/a;b=c",
    readings: ["characters of the name", "a parameter, cut off before the name is looked at"],
    refused_by: &[Dialect::Tomcat],
};
pub(super) const TRAILING_DOT_OR_SPACE: Rule = Rule {
    spelling: Spelling::TrailingDotOrSpace,
    label: "trailing_dot_or_space",
    what: "a segment that ends in a dot or a space",
    example: "/a./b",
    readings: ["the last character of the name", "nothing: it is dropped"],
    refused_by: WINDOWS,
};

/// A spelling that no dialect admits.
#[derive(Clone, Copy, Debug)]
pub struct Always {
    /// Why.
    pub error: ResourceError,
    /// A path that has it.
    pub example: &'static str,
}

/// What is refused in a path whatever the dialect, each with an example.
pub const ALWAYS: [Always; 10] = [
    Always { error: ResourceError::DotSegment, example: "/a/../b" },
    Always { error: ResourceError::DotSegment, example: "/a/%2e%2E/b" },
    Always { error: ResourceError::DotSegment, example: "/a/..;x=y/b" },
    Always { error: ResourceError::DotSegment, example: "/a/%252e%252e%252fb" },
    Always { error: ResourceError::DotSegment, example: "/a/%EF%BC%8E%EF%BC%8E/b" },
    Always { error: ResourceError::ControlByte, example: "/a%00b" },
    Always { error: ResourceError::InvalidUtf8, example: "/a/%C0%AE%C0%AE/b" },
    Always { error: ResourceError::InvalidPercent, example: "/a%zz" },
    Always { error: ResourceError::NestedEncoding, example: "/a%25252525252525b" },
    Always { error: ResourceError::Fragment, example: "/a#b" },
];
