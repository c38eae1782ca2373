//! The `If` header of WebDAV in every dialect and both modes of homes: what is decided on is what is
//! forwarded, it parses to itself, and no reading of a tag of it leaves the home.
//!
//! An input is two lines: path and value.

use super::resource::{HOST, ask_inside, ask_path, rules};
use super::{Oracle, lines};
use crate::home::{Content, HomeRule, Mode, Named, Target, confine};
use crate::resource::{CanonicalHost, CanonicalPath, CanonicalQuery, Condition, PathPrefix};

struct Conditions {
    rules: Vec<HomeRule>,
    home: PathPrefix,
    host: CanonicalHost<'static>,
}

pub(super) fn oracle() -> Option<Oracle> {
    let rules = rules(&["path", "header:if"])?;
    let host = CanonicalHost::parse(HOST).ok()?;
    let conditions = Conditions { rules, home: "/alice".parse().ok()?, host };
    Some(Box::new(move |input| conditions.ask(input)))
}

/// Paths and lists, in order.
type Told = Vec<(Option<String>, String)>;

fn told(condition: &Condition<'_>) -> Told {
    let lists = condition.lists().iter();
    let path = |path: &CanonicalPath<'_>| path.as_str().to_owned();
    lists.map(|one| (one.path().map(path), one.as_str().to_owned())).collect()
}

fn sent(target: &Target<'_>) -> Told {
    let lists = target.condition().iter();
    lists.map(|one| (one.path().map(str::to_owned), one.lists().to_owned())).collect()
}

/// As it stands in a header.
fn written(told: &Told) -> String {
    let one = |(path, lists): &(Option<String>, String)| match path {
        Some(path) => format!("<http://{HOST}{path}> {lists}"),
        None => lists.clone(),
    };
    told.iter().map(one).collect::<Vec<_>>().join(" ")
}

impl Conditions {
    fn ask(&self, input: &[u8]) {
        let Some(mut parts) = lines(input) else { return };
        let (path, value) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
        let Ok(path) = CanonicalPath::parse(path) else { return };
        let Ok(condition) = Condition::parse(value, &self.host, false) else { return };
        condition.paths().for_each(ask_path);
        let asked = told(&condition);
        self.ask_wire(&asked);
        let query = CanonicalQuery::default();
        let named = Named {
            path: &path,
            query: &query,
            destination: None,
            condition: Some(&condition),
            content: Content::Absent,
        };
        for rule in &self.rules {
            let Ok(target) = confine(rule, Some(&self.home), &named) else { continue };
            let sent = sent(&target);
            self.ask_wire(&sent);
            for path in sent.iter().filter_map(|(path, _)| path.as_deref()) {
                ask_inside(path.as_bytes(), &["files", "alice"], rule.dialect);
            }
            match rule.mode {
                Mode::Require => assert_eq!(sent, asked),
                Mode::Rewrite => {
                    let below = |path: &String| {
                        let rest = path.strip_prefix("/files").unwrap_or_default();
                        format!("/files/alice{rest}")
                    };
                    let lead = |(path, lists): &(Option<String>, String)| {
                        (path.as_ref().map(below), lists.clone())
                    };
                    assert_eq!(sent, asked.iter().map(lead).collect::<Told>());
                }
            }
        }
    }

    /// What is written is read as what was meant, and a careless reader finds no other tag in it.
    fn ask_wire(&self, meant: &Told) {
        let text = written(meant);
        assert!(text.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{text:?}");
        let again = Condition::parse(&text, &self.host, false);
        assert_eq!(again.as_ref().map(told).as_ref(), Ok(meant), "{text}");
        // Tags end at the next `>`, and lists at the next `)`, whatever stands in them.
        let (mut tags, mut rest) = (Vec::new(), text.as_str());
        while let Some(at) = rest.find(['<', '(']) {
            let (_, from) = rest.split_at(at);
            let is_tag = from.starts_with('<');
            let inner = from.strip_prefix(['<', '(']).unwrap_or_default();
            let (inner, after) =
                inner.split_once(if is_tag { '>' } else { ')' }).unwrap_or((inner, ""));
            tags.extend(is_tag.then_some(inner));
            rest = after;
        }
        let expected = meant.iter().filter_map(|(path, _)| path.as_ref());
        let expected: Vec<_> = expected.map(|path| format!("http://{HOST}{path}")).collect();
        assert_eq!(tags, expected, "{text}");
    }
}
