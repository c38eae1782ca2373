//! The attacks: spelling rules times targets, the same for the same site every time.

mod body;
mod head;
mod http2;
mod path;
mod query;
mod spelling;
mod webdav;

pub(super) use self::head::{IDENTITY as FORGEABLE, fold};

use std::collections::HashSet;
use std::fmt;

use super::MARKER;
use super::site::Site;

/// What an attack tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// Dots and letters in every encoding.
    Encodings,
    /// Dot segments in every position.
    DotSegments,
    /// What may stand for a slash.
    Separators,
    /// `;parameters` of path segments.
    Parameters,
    /// Names that are almost the attacker's or the victim's.
    Prefixes,
    /// Query parameters: repeats, spellings of names and values.
    Query,
    /// The `Destination` header.
    Destination,
    /// The tagged lists of the `If` header.
    Condition,
    /// Fields of bodies, and bodies that are not what they say.
    Body,
    /// Fields that only the gateway may set, and those that change what is asked for.
    Headers,
    /// Methods on what is not the attacker's.
    Methods,
    /// The host, and how often it is named.
    Host,
    /// Targets in absolute and other forms.
    AbsoluteForm,
    /// Messages with two lengths.
    Framing,
    /// Pseudo-headers, and what only HTTP/2 can carry.
    Http2,
}

impl Family {
    /// All, in the order of the report.
    pub const ALL: [Self; 15] = [
        Self::Encodings,
        Self::DotSegments,
        Self::Separators,
        Self::Parameters,
        Self::Prefixes,
        Self::Query,
        Self::Destination,
        Self::Condition,
        Self::Body,
        Self::Headers,
        Self::Methods,
        Self::Host,
        Self::AbsoluteForm,
        Self::Framing,
        Self::Http2,
    ];

    /// The name in reports and on the command line.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::AbsoluteForm => "absolute-form",
            Self::Body => "body",
            Self::Condition => "if",
            Self::Destination => "destination",
            Self::DotSegments => "dot-segments",
            Self::Encodings => "encodings",
            Self::Framing => "framing",
            Self::Headers => "headers",
            Self::Host => "host",
            Self::Http2 => "http2",
            Self::Methods => "methods",
            Self::Parameters => "parameters",
            Self::Prefixes => "prefixes",
            Self::Query => "query",
            Self::Separators => "separators",
        }
    }

    fn generate(self, of: &mut Collector<'_>) {
        match self {
            Self::AbsoluteForm => head::absolute_form(of),
            Self::Body => body::body(of),
            Self::Condition => webdav::condition(of),
            Self::Destination => webdav::destination(of),
            Self::DotSegments => path::dot_segments(of),
            Self::Encodings => path::encodings(of),
            Self::Framing => head::framing(of),
            Self::Headers => head::headers(of),
            Self::Host => head::host(of),
            Self::Http2 => http2::http2(of),
            Self::Methods => head::methods(of),
            Self::Parameters => path::parameters(of),
            Self::Prefixes => path::prefixes(of),
            Self::Query => query::query(of),
            Self::Separators => path::separators(of),
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.label())
    }
}

/// A request that must not get anywhere. `{authority}` and `{marker}` in its texts are filled in
/// when it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attack {
    /// What it tries.
    pub family: Family,
    /// The rule that wrote it.
    pub rule: String,
    /// What is sent.
    pub message: Message,
    /// A field that must not arrive with this in its value: name in lower case with `-` only.
    pub forged: Option<(String, String)>,
    /// Whether it may change what the upstream holds.
    pub writes: bool,
}

/// A message, written out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Message {
    /// HTTP/1.1: credential, marker and `Connection: close` are put behind the first field.
    Http1 {
        /// The request line without its end.
        line: String,
        /// Whole field lines without their ends.
        fields: Vec<String>,
        /// What follows the head.
        body: String,
    },
    /// HTTP/2: credential and marker are put behind these.
    Http2(Vec<(String, String)>),
}

/// What every attack is sent with.
#[derive(Clone, Debug)]
pub struct Sender {
    /// What `Host` says.
    pub authority: String,
    /// Name and value of the field that proves who sends.
    pub credential: (String, String),
    /// To which attack it belongs.
    pub marker: String,
}

/// The bytes, or the fields of a header block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rendered {
    /// A whole HTTP/1.1 message.
    Http1(Vec<u8>),
    /// An HTTP/2 header block, not yet coded.
    Http2(Vec<(String, String)>),
}

impl Message {
    /// Fills in who sends it.
    #[must_use]
    pub fn render(&self, sender: &Sender) -> Rendered {
        let fill = |text: &str| {
            let text = text.replace("{authority}", &sender.authority);
            text.replace("{marker}", &sender.marker)
        };
        let (name, value) = &sender.credential;
        match self {
            Self::Http1 { line, fields, body } => {
                let mut lines = vec![fill(line)];
                let mut fields = fields.iter().map(|field| fill(field)).peekable();
                lines.extend(fields.next());
                lines.push(format!("{name}: {value}"));
                lines.push(format!("{MARKER}: {}", sender.marker));
                let fields: Vec<_> = fields.collect();
                let is_connection =
                    |field: &String| field.to_ascii_lowercase().starts_with("connection");
                if !fields.iter().any(is_connection) {
                    lines.push("Connection: close".to_owned());
                }
                lines.extend(fields);
                Rendered::Http1(format!("{}\r\n\r\n{}", lines.join("\r\n"), fill(body)).into())
            }
            Self::Http2(fields) => {
                let mut fields: Vec<_> =
                    fields.iter().map(|(name, value)| (fill(name), fill(value))).collect();
                fields.push((name.to_ascii_lowercase(), value.clone()));
                fields.push((MARKER.to_ascii_lowercase(), sender.marker.clone()));
                Rendered::Http2(fields)
            }
        }
    }
}

/// All attacks of the site, without repeats, family by family.
#[must_use]
pub fn generate(site: &Site) -> Vec<Attack> {
    let mut collector =
        Collector { site, family: Family::Encodings, attacks: Vec::new(), seen: HashSet::new() };
    for family in Family::ALL {
        collector.family = family;
        family.generate(&mut collector);
    }
    collector.attacks
}

/// Where generators put what they write.
struct Collector<'s> {
    site: &'s Site,
    family: Family,
    attacks: Vec<Attack>,
    seen: HashSet<Message>,
}

impl Collector<'_> {
    /// Adds a message unless it is there already.
    fn push(&mut self, rule: &str, message: Message, forged: Option<(String, String)>) {
        if !self.seen.insert(message.clone()) {
            return;
        }
        let method = match &message {
            Message::Http1 { line, .. } => line.split(' ').next().unwrap_or_default(),
            Message::Http2(fields) => {
                let method = fields.iter().find(|(name, _)| name == ":method");
                method.map_or("", |(_, value)| value)
            }
        };
        let has_body = matches!(&message, Message::Http1 { body, .. } if !body.is_empty());
        let writes =
            has_body || !matches!(method, "GET" | "HEAD" | "OPTIONS" | "PROPFIND" | "get" | "Get");
        let rule = rule.to_owned();
        self.attacks.push(Attack { family: self.family, rule, message, forged, writes });
    }

    /// Adds a request with the site's method.
    fn ask(&mut self, rule: &str, target: &str) {
        let method = self.site.method.clone();
        self.send(rule, &method, target, &[]);
    }

    /// Adds a request with these field lines behind `Host`.
    fn send(&mut self, rule: &str, method: &str, target: &str, fields: &[&str]) {
        let mut lines = vec!["Host: {authority}".to_owned()];
        lines.extend(fields.iter().map(|&field| field.to_owned()));
        let line = format!("{method} {target} HTTP/1.1");
        self.push(rule, Message::Http1 { line, fields: lines, body: String::new() }, None);
    }

    /// Adds a request for what is the attacker's own, with a field that must not arrive.
    fn forge(&mut self, rule: &str, field: &str, name: &str, value: &str) {
        let line = format!("{} {} HTTP/1.1", self.site.method, self.site.own_target());
        let fields = vec!["Host: {authority}".to_owned(), field.to_owned()];
        let forged = Some((name.to_owned(), value.to_owned()));
        self.push(rule, Message::Http1 { line, fields, body: String::new() }, forged);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::site::tests::site;

    #[test]
    fn there_are_hundreds_and_some_in_every_family() {
        let attacks = generate(&site());

        assert!(attacks.len() >= 600, "{}", attacks.len());
        for family in Family::ALL {
            let count = attacks.iter().filter(|attack| attack.family == family).count();
            assert!(count >= 15, "{family}: {count}");
        }
    }

    #[test]
    fn no_attack_is_sent_twice() {
        let sender = Sender {
            authority: "a".to_owned(),
            credential: ("Authorization".to_owned(), "Bearer t".to_owned()),
            marker: "m".to_owned(),
        };
        let attacks = generate(&site());

        let messages: HashSet<_> =
            attacks.iter().map(|attack| format!("{:?}", attack.message.render(&sender))).collect();

        assert_eq!(messages.len(), attacks.len());
    }

    #[test]
    fn the_same_site_is_attacked_in_the_same_way_every_time() {
        assert_eq!(generate(&site()), generate(&site()));
    }

    #[test]
    fn a_message_is_filled_in_and_marked() {
        let sender = Sender {
            authority: "gw".to_owned(),
            credential: ("Authorization".to_owned(), "Bearer t".to_owned()),
            marker: "7".to_owned(),
        };
        let message = Message::Http1 {
            line: "GET http://{authority}/ HTTP/1.1".to_owned(),
            fields: vec!["Host: {authority}".to_owned(), "X: y".to_owned()],
            body: "{marker}".to_owned(),
        };

        let expected = "GET http://gw/ HTTP/1.1\r\nHost: gw\r\nAuthorization: Bearer t\r\n\
                        Doorward-Probe: 7\r\nConnection: close\r\nX: y\r\n\r\n7";
        assert_eq!(message.render(&sender), Rendered::Http1(expected.into()));
    }
}
