//! Path, query, destination and host in every dialect and both modes of homes: what is decided on is
//! what is forwarded, and no reading of it leaves the home.
//!
//! An input is up to four lines: path, query, destination, host.

use std::collections::BTreeSet;

use super::{Oracle, lines};
use crate::home::{Content, HomeRule, Mode, Named, Target, confine, reveal, unconfined};
use crate::probe::reading::{self, Patterns};
use crate::resource::{
    CanonicalHost, CanonicalPath, CanonicalQuery, Destination, Dialect, PathPrefix,
};

type Text = Vec<u8>;

pub(super) const HOST: &str = "files.example.org";

/// What is asked, with the rules of all dialects and modes.
struct Resource {
    rules: Vec<HomeRule>,
    home: PathPrefix,
    host: CanonicalHost<'static>,
}

/// One rule over these places for every dialect and both modes.
pub(super) fn rules(places: &[&str]) -> Option<Vec<HomeRule>> {
    let places: Result<Vec<_>, _> = places.iter().map(|place| place.parse()).collect();
    let (places, root): (Vec<_>, PathPrefix) = (places.ok()?, "/files".parse().ok()?);
    let rules = [Mode::Require, Mode::Rewrite].into_iter().flat_map(|mode| {
        Dialect::ALL.map(|dialect| HomeRule {
            places: places.clone(),
            mode,
            root: root.clone(),
            dialect,
            ..HomeRule::default()
        })
    });
    Some(rules.collect())
}

pub(super) fn oracle() -> Option<Oracle> {
    let rules = rules(&["path", "query:dir", "header:destination"])?;
    let host = CanonicalHost::parse(HOST).ok()?;
    let resource = Resource { rules, home: "/alice".parse().ok()?, host };
    Some(Box::new(move |input| resource.ask(input)))
}

impl Resource {
    fn ask(&self, input: &[u8]) {
        let Some(mut parts) = lines(input) else { return };
        let (path, query) = (parts.next().unwrap_or(""), parts.next().filter(|it| !it.is_empty()));
        let destination = parts.next().filter(|it| !it.is_empty());
        if let Some(host) = parts.next() {
            ask_host(host);
        }
        let Ok(path) = CanonicalPath::parse(path) else { return };
        ask_path(&path);
        let Ok(query) = CanonicalQuery::parse(query) else { return };
        ask_query(&query);
        let destination = match destination.map(|to| Destination::parse(to, &self.host, true)) {
            None => None,
            Some(Ok(destination)) => Some(destination),
            Some(Err(_)) => return,
        };
        if let Some(destination) = &destination {
            ask_path(destination.path());
        }
        let named = Named {
            path: &path,
            query: &query,
            destination: destination.as_ref(),
            condition: None,
            content: Content::Absent,
        };
        let mut seen = BTreeSet::new();
        for rule in &self.rules {
            let Ok(target) = confine(rule, Some(&self.home), &named) else { continue };
            self.ask_target(rule, &named, &target);
            let is_windows = rule.dialect == Dialect::Windows;
            let sent = (target.path_and_query(), target.destination().map(str::to_owned));
            if seen.insert((is_windows, sent)) {
                ask_readings(rule, &target);
            }
        }
    }

    /// It parses to itself, and it is what was asked for.
    fn ask_target(&self, rule: &HomeRule, named: &Named<'_>, target: &Target<'_>) {
        let path = CanonicalPath::parse(target.path());
        assert_eq!(path.as_ref().map(CanonicalPath::as_str), Ok(target.path()));
        assert_eq!(path.and_then(|path| path.admit(rule.dialect)), Ok(()), "{}", target.path());
        let query = CanonicalQuery::parse(target.query());
        assert_eq!(query.as_ref().map(CanonicalQuery::as_str), Ok(target.query()));
        if let Some(to) = target.destination() {
            let read = Destination::parse(to, &self.host, true);
            assert_eq!(read.as_ref().map(|read| read.path().as_str()), Ok(to));
        }
        match rule.mode {
            Mode::Require => assert_eq!(target, &unconfined(named)),
            Mode::Rewrite => {
                let mut expected: Vec<_> = named.path.as_str().split('/').collect();
                expected.insert(2, "alice");
                assert_eq!(target.path(), expected.join("/"));
                let seen = reveal(rule, &self.home, target.path(), &self.host);
                assert_eq!(seen.as_deref(), Some(named.path.as_str()));
            }
        }
    }
}

/// A host is its own canonical form, and nothing but a name, an address and a port.
fn ask_host(raw: &str) {
    let Ok(host) = CanonicalHost::parse(raw) else { return };
    let text = host.to_string();
    assert_eq!(CanonicalHost::parse(&text).as_ref(), Ok(&host));
    let is_plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':');
    let inner = text.strip_prefix('[').map_or(text.clone(), |text| text.replacen(']', "", 1));
    assert!(inner.bytes().all(is_plain), "{text}");
    assert_eq!(text, text.to_lowercase());
}

/// A path is its own canonical form, and no reading of it has a dot segment.
pub(super) fn ask_path(path: &CanonicalPath<'_>) {
    let again = CanonicalPath::parse(path.as_str());
    assert_eq!(again.as_ref().map(CanonicalPath::as_str), Ok(path.as_str()));
    for dialect in Dialect::ALL {
        let judged = again.as_ref().map(|again| again.admit(dialect).is_ok());
        assert_eq!(judged, Ok(path.admit(dialect).is_ok()), "{path}, {dialect}");
    }
    let is_wire = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#' | b'\\');
    assert!(path.as_str().bytes().all(is_wire), "{path}");
    for reading in reading::all(path.as_str().as_bytes(), Dialect::Posix) {
        ask_no_dots(path.as_str(), &reading);
    }
}

fn ask_no_dots(text: &str, reading: &[u8]) {
    let climbs = reading.split(|byte| *byte == b'/').any(|it| matches!(it, b"." | b".."));
    assert!(!climbs, "{text:?}, read as {:?}, has a dot segment", String::from_utf8_lossy(reading));
}

pub(super) fn ask_query(query: &CanonicalQuery<'_>) {
    let Some(text) = query.as_str() else { return };
    assert_eq!(CanonicalQuery::parse(Some(text)).as_ref(), Ok(query));
    assert!(text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#'), "{text}");
}

/// No reading of anything that is sent leaves the home.
fn ask_readings(rule: &HomeRule, target: &Target<'_>) {
    ask_inside(target.path().as_bytes(), &["files", "alice"], rule.dialect);
    if let Some(to) = target.destination() {
        ask_inside(to.as_bytes(), &["files", "alice"], rule.dialect);
    }
    for value in values(target.query().unwrap_or_default().as_bytes(), b"dir") {
        ask_inside(&value, &["alice"], rule.dialect);
        for reading in reading::all(&value, rule.dialect) {
            let climbs = reading::segments(&reading).any(|pattern| matches(pattern, b"..", true));
            assert!(!climbs, "{:?} matches a parent", String::from_utf8_lossy(&reading));
        }
    }
}

pub(super) fn ask_inside(text: &[u8], home: &[&str], dialect: Dialect) {
    let home: Vec<Text> = home.iter().map(|segment| segment.as_bytes().to_vec()).collect();
    for reading in reading::all(text, dialect) {
        let place = reading::walk(&reading, Patterns::Literal);
        assert!(
            reading::is_below(&place, &home, dialect),
            "{:?}, read as {:?}, leaves the home",
            String::from_utf8_lossy(text),
            String::from_utf8_lossy(&reading)
        );
        ask_no_dots(&String::from_utf8_lossy(text), &reading);
    }
}

/// Whether a shell's pattern matches a name; a wildcard takes no dot at the beginning, brackets do
/// in some shells.
fn matches(pattern: &[u8], name: &[u8], at_start: bool) -> bool {
    let is_hidden = at_start && name.starts_with(b".");
    match (pattern, name) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => {
            let mut tails = (0..=name.len()).filter_map(|from| name.get(from..));
            !is_hidden && tails.any(|tail| matches(rest, tail, false))
        }
        ([b'?', rest @ ..], [_, tail @ ..]) => !is_hidden && matches(rest, tail, false),
        ([b'[', rest @ ..], [first, tail @ ..]) => {
            let Some(end) = rest.iter().skip(1).position(|byte| *byte == b']') else {
                return *first == b'[' && matches(rest, tail, false);
            };
            let (class, rest) = rest.split_at_checked(end + 1).unwrap_or_default();
            let rest = rest.get(1..).unwrap_or_default();
            let is_negated = matches!(class, [b'!' | b'^', ..]);
            let named = class.get(usize::from(is_negated)..).unwrap_or_default();
            let is_named = named.contains(first)
                || named
                    .windows(3)
                    .any(|it| matches!(it, [from, b'-', to] if (from..=to).contains(&first)));
            is_named != is_negated && matches(rest, tail, false)
        }
        ([letter, rest @ ..], [first, tail @ ..]) => letter == first && matches(rest, tail, false),
        (_, []) | ([], _) => false,
    }
}

/// Every value that some server takes for the parameter, decoded as it does first.
pub(super) fn values(query: &[u8], name: &[u8]) -> Vec<Text> {
    let mut found = Vec::new();
    for pair in query.split(|byte| matches!(byte, b'&' | b';')) {
        let mut halves = pair.splitn(2, |byte| *byte == b'=');
        let (key, value) = (halves.next().unwrap_or_default(), halves.next().unwrap_or_default());
        let is_name = |key: Text| {
            let key = reading::cut(&key, b'[').to_ascii_lowercase();
            key.trim_ascii() == name
        };
        if reading::all(key, Dialect::Posix).into_iter().any(is_name) {
            let spaced: Text =
                value.iter().map(|it| if *it == b'+' { b' ' } else { *it }).collect();
            found.extend([reading::decode(value), reading::decode(&spaced)]);
        }
    }
    found
}
