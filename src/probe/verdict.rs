//! What an attack has achieved.

mod texts;

use std::collections::BTreeSet;

use self::texts::{looks_like_json, tags, texts};
use super::attack::{Attack, FORGEABLE, fold};
use super::http1::Outcome;
use super::reading::{Patterns, all, cut, decode, is_below, walk};
use super::record::Record;
use super::site::{Field, Owner, Site};

/// The verdict on one attack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It reached what it must not: how.
    Escaped(String),
    /// It passed and names nothing of anybody else's: what it became.
    Harmless(String),
    /// Nothing can be said: why.
    Inconclusive(String),
    /// It was refused: how.
    Refused(String),
}

impl Verdict {
    /// The name in reports.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Escaped(_) => "escaped",
            Self::Harmless(_) => "harmless",
            Self::Inconclusive(_) => "inconclusive",
            Self::Refused(_) => "refused",
        }
    }

    /// What is told besides.
    #[must_use]
    pub fn detail(&self) -> &str {
        match self {
            Self::Escaped(text)
            | Self::Harmless(text)
            | Self::Inconclusive(text)
            | Self::Refused(text) => text,
        }
    }
}

/// Judges what came of the attacks on a site.
#[derive(Debug)]
pub struct Judge<'s> {
    site: &'s Site,
    /// Identity that came with what was the attacker's own, and must come with everything.
    identity: Vec<(String, Vec<u8>)>,
    own: Homes,
    other: Homes,
}

/// Where a home lies: in the API, and below the root of homes. Its own name may have several
/// readings, and all of them are it.
#[derive(Debug)]
struct Homes {
    in_api: BTreeSet<Vec<Vec<u8>>>,
    in_tree: BTreeSet<Vec<Vec<u8>>>,
}

impl Homes {
    fn of(site: &Site, owner: &Owner) -> Self {
        let places = |path: &str| {
            let readings = all(path.as_bytes(), site.dialect);
            readings.iter().map(|reading| walk(reading, Patterns::Literal)).collect()
        };
        Self {
            in_api: places(&format!("{}{}", site.root, owner.home)),
            in_tree: places(&owner.home),
        }
    }
}

impl<'s> Judge<'s> {
    /// `control` is what the upstream received of a request for the attacker's own.
    #[must_use]
    pub fn new(site: &'s Site, control: Option<&Record>) -> Self {
        let fields = control.into_iter().flat_map(|record| &record.fields);
        let identity = fields
            .map(|(name, value)| (fold(&String::from_utf8_lossy(name)), value.clone()))
            .filter(|(name, value)| is_identity(name) && value == site.own.name.as_bytes());
        Self {
            site,
            identity: identity.collect(),
            own: Homes::of(site, &site.own),
            other: Homes::of(site, &site.other),
        }
    }

    /// By what the upstream received.
    #[must_use]
    pub fn received(&self, attack: &Attack, records: &[Record], outcome: &Outcome) -> Verdict {
        for record in records {
            if let Some(reason) = self.escape(attack, record) {
                return Verdict::Escaped(reason);
            }
        }
        match records {
            [] => match outcome {
                Outcome::Answered { status: status @ ..400, .. } => {
                    Verdict::Harmless(format!("answered {status} without the upstream"))
                }
                Outcome::Answered { status, .. } => Verdict::Refused(status.to_string()),
                Outcome::Closed => Verdict::Refused("closed".to_owned()),
                Outcome::Reset(how) => Verdict::Refused(how.clone()),
                Outcome::Silent => Verdict::Inconclusive("no answer".to_owned()),
            },
            [first, rest @ ..] if rest.iter().any(|record| record.raw != first.raw) => {
                Verdict::Escaped(format!("arrived as {} requests", records.len()))
            }
            [first, ..] => Verdict::Harmless(first.summary()),
        }
    }

    /// By the answer alone, where the attacked file holds `canary`. `twin` is what became of the
    /// same attack on a file that does not exist, where the attack names one.
    #[must_use]
    pub fn answered(&self, canary: &[u8], outcome: &Outcome, twin: Option<&Outcome>) -> Verdict {
        let (status, body) = match outcome {
            Outcome::Answered { status, body } => (*status, body),
            Outcome::Reset(how) => return Verdict::Refused(how.clone()),
            Outcome::Closed => return Verdict::Inconclusive("closed without an answer".to_owned()),
            Outcome::Silent => return Verdict::Inconclusive("no answer".to_owned()),
        };
        if !canary.is_empty() && memchr::memmem::find(body, canary).is_some() {
            return Verdict::Escaped(format!("answered {status} with the canary"));
        }
        match (status, twin) {
            (400.., _) => Verdict::Refused(status.to_string()),
            (_, None) => {
                Verdict::Inconclusive(format!("answered {status}; what arrived is not known"))
            }
            (_, Some(Outcome::Answered { status: twin @ 400.., .. })) => Verdict::Escaped(format!(
                "answered {status}, and {twin} for a file that does not exist"
            )),
            (_, Some(_)) => {
                Verdict::Harmless(format!("answered {status}, as for a file that does not exist"))
            }
        }
    }

    /// Why what was received must not have been sent.
    fn escape(&self, attack: &Attack, record: &Record) -> Option<String> {
        let target = &record.target;
        let (path, query) = split(target);
        if self.site.guards_path
            && let Some(reason) = self.leaves(&paths(path))
        {
            return Some(format!("the target {reason}"));
        }
        for parameter in &self.site.parameters {
            let values = values(query, parameter);
            let place = |value: &Vec<u8>| self.leaves_tree(value);
            if let Some(reason) = values.iter().find_map(place) {
                return Some(format!("the parameter `{parameter}` {reason}"));
            }
        }
        if self.site.guards_path || self.site.guards_destination {
            for value in record.values("destination") {
                if let Some(reason) = self.leaves(&destinations(value, path)) {
                    return Some(format!("Destination {reason}"));
                }
            }
        }
        if self.site.guards_path || self.site.guards_condition {
            for tag in record.values("if").flat_map(tags) {
                if let Some(reason) = self.leaves(&destinations(tag, path)) {
                    return Some(format!("If {reason}"));
                }
            }
        }
        for field in &self.site.fields {
            let (name, values) = match field {
                Field::Form(name) => (name, values(&record.body, name)),
                Field::Json(name) if looks_like_json(&record.body) => (name, texts(&record.body)),
                Field::Json(_) => continue,
            };
            if let Some(reason) = values.iter().find_map(|value| self.leaves_tree(value)) {
                return Some(format!("the field `{name}` {reason}"));
            }
        }
        self.forged(attack, record).or_else(|| ambiguous(record))
    }

    /// Whether one of these paths leads out of the attacker's home in some reading.
    fn leaves(&self, paths: &[Vec<u8>]) -> Option<String> {
        self.leads_out(paths, &self.own.in_api, &self.other.in_api, Patterns::Literal)
    }

    /// The same for the value of a parameter, which names a place below the root of homes.
    fn leaves_tree(&self, value: &Vec<u8>) -> Option<String> {
        // APIs that take paths as parameters take patterns there as well.
        self.leads_out(
            std::slice::from_ref(value),
            &self.own.in_tree,
            &self.other.in_tree,
            Patterns::Matched,
        )
    }

    fn leads_out(
        &self,
        paths: &[Vec<u8>],
        own: &BTreeSet<Vec<Vec<u8>>>,
        other: &BTreeSet<Vec<Vec<u8>>>,
        patterns: Patterns,
    ) -> Option<String> {
        let dialect = self.site.dialect;
        let places: BTreeSet<_> = paths
            .iter()
            .flat_map(|path| all(path, dialect))
            .map(|reading| walk(&reading, patterns))
            .collect();
        let is_in = |place: &[Vec<u8>], homes: &BTreeSet<Vec<Vec<u8>>>| {
            homes.iter().any(|home| is_below(place, home, dialect))
        };
        if let Some(found) = places.iter().find(|place| is_in(place, other)) {
            return Some(format!("names {} of {}", shown(found), self.site.other.name));
        }
        let found = places.iter().find(|place| !is_in(place, own))?;
        Some(format!("names {}, outside the home of {}", shown(found), self.site.own.name))
    }

    /// Whether a field arrived that only the gateway may set, or one of its own did not.
    fn forged(&self, attack: &Attack, record: &Record) -> Option<String> {
        let other = self.site.other.name.as_bytes();
        let fields: Vec<_> = record
            .fields
            .iter()
            .map(|(name, value)| (fold(&String::from_utf8_lossy(name)), value))
            .collect();
        for (name, value) in &fields {
            let mut names = value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
            if is_identity(name) && names.any(|name| name == other) {
                return Some(format!("{name} says {}", self.site.other.name));
            }
        }
        if let Some((forged, value)) = &attack.forged
            && !(self.site.is_trusted && attack.rule == "forged way")
        {
            let is_it = |(name, found): &(String, &Vec<u8>)| {
                name == forged && memchr::memmem::find(found, value.as_bytes()).is_some()
            };
            if fields.iter().any(is_it) {
                return Some(format!("{forged} arrived with what the client wrote"));
            }
        }
        let missing = self.identity.iter().find(|(name, value)| {
            !fields.iter().any(|(found, other)| found == name && *other == value)
        });
        missing.map(|(name, _)| format!("{name}, which the gateway sets, did not arrive"))
    }
}

fn is_identity(folded: &str) -> bool {
    FORGEABLE.iter().any(|name| fold(name) == folded)
}

fn shown(place: &[Vec<u8>]) -> String {
    let names = place.iter().map(|name| format!("/{}", name.escape_ascii()));
    let path = names.collect::<String>();
    if path.is_empty() { "/".to_owned() } else { path }
}

/// Path and query of a target.
fn split(target: &[u8]) -> (&[u8], &[u8]) {
    let path = cut(target, b'?');
    (path, target.get(path.len() + 1..).unwrap_or_default())
}

/// The paths that a target may mean: itself, and what follows an authority.
fn paths(target: &[u8]) -> Vec<Vec<u8>> {
    let mut paths = vec![target.to_vec()];
    if let Some(at) = memchr::memmem::find(target, b"//") {
        let is_scheme = at == 0 || target.get(at - 1) == Some(&b':');
        let rest = target.get(at + 2..).unwrap_or_default();
        let authority = cut(rest, b'/').len();
        if is_scheme {
            let path = rest.get(authority..).unwrap_or_default().to_vec();
            if at > 0 {
                paths = vec![path]; // a URL has no other reading
            } else {
                paths.push(path);
            }
        }
    }
    paths
}

/// The paths that a `Destination` may mean; a relative one goes from the request's.
fn destinations(value: &[u8], path: &[u8]) -> Vec<Vec<u8>> {
    let is_rooted = value.starts_with(b"/") || memchr::memmem::find(value, b"//").is_some();
    if is_rooted {
        return paths(value);
    }
    let folder = path.iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
    vec![[path.get(..folder).unwrap_or_default(), value].concat()]
}

/// Every value that some server takes for the parameter `name`, decoded as it does first.
fn values(query: &[u8], name: &str) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for pair in query.split(|byte| matches!(byte, b'&' | b';')) {
        let key = cut(pair, b'=');
        let value = pair.get(key.len() + 1..).unwrap_or_default();
        if is_called(key, name) {
            found.push(decode(value));
            let plus: Vec<u8> =
                value.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
            found.push(decode(&plus));
        }
        // A name that holds the parameter, once it is decoded.
        let decoded = decode(&decode(key));
        if let Some(at) = decoded.iter().position(|byte| matches!(byte, b'&' | b'=' | b';')) {
            let rest = decoded.get(at..).unwrap_or_default();
            let rest = rest.trim_ascii_start();
            let hidden = rest.get(1..).unwrap_or_default();
            if is_called(decoded.get(..at).unwrap_or_default(), name) || is_called(hidden, name) {
                found.push(decode(value));
            }
        }
    }
    found
}

fn is_called(key: &[u8], name: &str) -> bool {
    let mut key = key.to_vec();
    for _ in 0..3 {
        let text = String::from_utf8_lossy(&key).to_lowercase();
        let text = text.split(['[', '\0', '?']).next().unwrap_or_default().to_owned();
        let text = text.trim_matches(|c: char| c.is_whitespace() || c.is_control() || c == '+');
        if text == name.to_lowercase() {
            return true;
        }
        key = decode(&key);
    }
    false
}

/// What lets a head be read in two ways.
fn ambiguous(record: &Record) -> Option<String> {
    let count = |name: &str| record.values(name).count();
    if count("host") > 1 {
        return Some("Host arrived more than once".to_owned());
    }
    let is_odd = |byte: &u8| matches!(byte, b'/' | b'?' | b'#' | b'@' | b',' | b' ' | b'\t');
    if record.values("host").any(|host| host.iter().any(is_odd)) {
        return Some("Host arrived with more in it than a host".to_owned());
    }
    let codings = count("transfer-encoding");
    if codings + count("content-length") > 1
        || record.values("transfer-encoding").any(|coding| coding != b"chunked")
        || record
            .values("content-length")
            .any(|length| length.is_empty() || !length.iter().all(u8::is_ascii_digit))
    {
        return Some("the message arrived with more than one length".to_owned());
    }
    let head = &record.raw;
    let is_bare = |at: usize, byte: u8| match byte {
        b'\n' => at == 0 || head.get(at - 1) != Some(&b'\r'),
        b'\r' => head.get(at + 1) != Some(&b'\n'),
        b'\0' => true,
        _ => false,
    };
    let mut lines = head.split(|byte| *byte == b'\n').skip(1);
    let is_folded = lines.clone().any(|line| matches!(line, [b' ' | b'\t', ..]));
    let has_blank = lines.any(|line| {
        let name = cut(line, b':');
        name.len() < line.len() && matches!(name, [.., b' ' | b'\t'])
    });
    let is_doubtful =
        is_folded || has_blank || head.iter().enumerate().any(|(at, byte)| is_bare(at, *byte));
    is_doubtful.then(|| "the head arrived in a form that has two readings".to_owned())
}

#[cfg(test)]
mod tests;
