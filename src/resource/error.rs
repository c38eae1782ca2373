//! Why what a request names was refused.

use super::{Readings, Spelling};

/// Why a path, query, host or destination has no canonical form here.
///
/// All but [`ResourceError::Spelling`] are refused in every dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum ResourceError {
    /// A parameter or field that a rule names occurs in a second spelling: `DIR` or `dir[]` for
    /// `dir`.
    #[error("names a parameter in a second spelling")]
    AliasedParameter,
    /// A path prefix holds `;`, `?`, `#` or `%`, which some servers would cut or decode.
    #[error("holds `;`, `?`, `#` or `%`, on which a prefix cannot rest")]
    AmbiguousPrefix,
    /// `;` in a query of which a rule names a parameter: some servers separate there.
    #[error("has `;` in the query, which may or may not separate parameters")]
    AmbiguousSeparator,
    /// An `If` that is not of the grammar (RFC 4918 §10.4.2).
    #[error("is not what an If header holds")]
    ConditionForm,
    /// A body that is not what it is declared as, to the letter.
    #[error("is not the JSON object or the form that it is declared as")]
    ContentForm,
    /// A control character, raw or percent-encoded.
    #[error("holds a control character")]
    ControlByte,
    /// A `Destination` that is neither an absolute path nor an http(s) URI (RFC 4918 §10.3).
    #[error("is neither an absolute path nor an http or https URI")]
    DestinationForm,
    /// A `Destination` on another host.
    #[error("names another host")]
    DestinationHost,
    /// `.` or `..` as a segment, in any reading: encoded, doubly encoded, with a parameter.
    #[error("has a dot segment")]
    DotSegment,
    /// A member of a JSON object that occurs twice.
    #[error("has two members of one name")]
    FieldRepeated,
    /// A field that names a resource and is neither a string nor an array of strings.
    #[error("has a field that must be a string or an array of strings")]
    FieldType,
    /// `#` in a place that takes no fragment (RFC 9110 §4.2.5).
    #[error("has a fragment")]
    Fragment,
    /// A host that is neither a DNS name nor an IP address.
    #[error("has a host that is neither a name nor an address")]
    HostName,
    /// A port that is not a number from 1 to 65535.
    #[error("has a port that is not a number from 1 to 65535")]
    HostPort,
    /// `%` that is not followed by two hexadecimal digits.
    #[error("has a percent sign without two hexadecimal digits")]
    InvalidPercent,
    /// Octets that are not UTF-8, overlong forms among them.
    #[error("is not UTF-8")]
    InvalidUtf8,
    /// Percent-encoded more often than anybody means to.
    #[error("is percent-encoded again and again")]
    NestedEncoding,
    /// A path that does not start with `/`.
    #[error("does not start with a slash")]
    NotAbsolute,
    /// A raw `?` where only a path may stand.
    #[error("has a query where only a path may stand")]
    QueryInPath,
    /// What the dialect of the route refuses.
    #[error("has {0}")]
    Spelling(Spelling),
}

impl ResourceError {
    /// The name of the condition in metrics and logs.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::AliasedParameter => "aliased_parameter",
            Self::AmbiguousPrefix => "ambiguous_prefix",
            Self::AmbiguousSeparator => "ambiguous_separator",
            Self::ConditionForm => "condition_form",
            Self::ContentForm => "content_form",
            Self::ControlByte => "control_byte",
            Self::DestinationForm => "destination_form",
            Self::DestinationHost => "destination_host",
            Self::DotSegment => "dot_segment",
            Self::FieldRepeated => "field_repeated",
            Self::FieldType => "field_type",
            Self::Fragment => "fragment",
            Self::HostName => "host_name",
            Self::HostPort => "host_port",
            Self::InvalidPercent => "invalid_percent",
            Self::InvalidUtf8 => "invalid_utf8",
            Self::NestedEncoding => "nested_encoding",
            Self::NotAbsolute => "not_absolute",
            Self::QueryInPath => "query_in_path",
            Self::Spelling(spelling) => spelling.label(),
        }
    }

    /// The two readings that disagree about what is named; `None` where there is not even one.
    #[must_use]
    pub fn readings(self) -> Option<Readings> {
        Some(match self {
            Self::AliasedParameter => ["another parameter", "the parameter that the rule names"],
            Self::AmbiguousSeparator => ["part of a value", "the start of the next parameter"],
            Self::ControlByte => ["a character of the name", "the end of the name, or nothing"],
            Self::DestinationForm => ["a path below something", "a host, or no place at all"],
            Self::DestinationHost => ["a path of this host", "a resource of another host"],
            Self::DotSegment => ["a name", "this folder, or the one above"],
            Self::InvalidPercent => {
                ["a percent sign of the name", "an encoding, dropped or mended"]
            }
            Self::InvalidUtf8 => ["octets of the name", "the characters that a decoder mends"],
            Self::NestedEncoding => ["percent signs of the name", "what decoding to the end gives"],
            Self::NotAbsolute => ["a path from the root", "a path below another, or a host"],
            Self::Fragment | Self::QueryInPath => ["part of the path", "the end of the path"],
            Self::Spelling(spelling) => spelling.rule().readings,
            Self::FieldRepeated => ["the first member of the name", "the last one"],
            Self::AmbiguousPrefix
            | Self::ConditionForm
            | Self::ContentForm
            | Self::FieldType
            | Self::HostName
            | Self::HostPort => return None,
        })
    }
}
