//! Bodies whose fields name resources, in every dialect and both modes of homes: what is decided on
//! is what is forwarded as others read it, it parses to itself, and no reading of a field leaves the
//! home.
//!
//! An input is `json` or `form` in the first line, and the body.

use serde_json::Value;

use super::resource::{ask_inside, ask_query, values};
use super::{Oracle, headed};
use crate::home::{Content, HomeRule, Mode, Named, confine};
use crate::resource::content::{Body, Json, MediaType};
use crate::resource::{CanonicalPath, CanonicalQuery, Dialect, PathPrefix};

/// The member or field that is looked at.
const NAME: &str = "dir";

struct Contents {
    rules: Vec<HomeRule>,
    home: PathPrefix,
    root: PathPrefix,
}

pub(super) fn oracle() -> Option<Oracle> {
    let places: Result<Vec<_>, _> = ["json:dir", "form:dir"].into_iter().map(str::parse).collect();
    let places: Vec<_> = places.ok()?;
    let rules = [Mode::Require, Mode::Rewrite].into_iter().flat_map(|mode| {
        Dialect::ALL.map(|dialect| HomeRule {
            places: places.clone(),
            mode,
            dialect,
            ..HomeRule::default()
        })
    });
    let home = "/alice".parse().ok()?;
    let contents = Contents { rules: rules.collect(), home, root: PathPrefix::root() };
    Some(Box::new(move |input| contents.ask(input)))
}

impl Contents {
    fn ask(&self, input: &[u8]) {
        let (kind, bytes) = headed(input);
        let media = match kind {
            b"form" => MediaType::Form,
            b"json" => MediaType::Json,
            _ => return,
        };
        let Ok(body) = Body::parse(bytes, media) else { return };
        ask_same(&body, bytes);
        for rule in &self.rules {
            // Who has the whole tree changes nothing, and is told no lie.
            if let Some(sent) = confined(rule, &self.root, &body) {
                ask_same(&body, &sent);
            }
            let Some(sent) = confined(rule, &self.home, &body) else { continue };
            let again = Body::parse(&sent, media);
            let text = String::from_utf8_lossy(&sent);
            let Ok(again) = again else { unreachable!("{text} does not parse") };
            match rule.mode {
                Mode::Require => assert_eq!(again, body, "{text}"),
                Mode::Rewrite => {
                    let rule = HomeRule { mode: Mode::Require, ..rule.clone() };
                    let kept = confined(&rule, &self.home, &again);
                    assert_eq!(kept.as_deref(), Some(&*sent), "{text}");
                }
            }
            let found = match media {
                MediaType::Form => values(&sent, NAME.as_bytes()),
                // With a number that serde_json has no room for, it tells of nothing.
                MediaType::Json if serde_json::from_slice::<Value>(&sent).is_err() => continue,
                MediaType::Json => members(&sent),
            };
            assert!(!found.is_empty(), "{text} names nothing");
            for value in found {
                ask_inside(&value, &["alice"], rule.dialect);
            }
        }
    }
}

/// What is sent for somebody with this home.
fn confined(rule: &HomeRule, home: &PathPrefix, body: &Body<'_>) -> Option<Vec<u8>> {
    let path = CanonicalPath::parse("/search").ok()?;
    let query = CanonicalQuery::default();
    let named = Named {
        path: &path,
        query: &query,
        destination: None,
        condition: None,
        content: Content::Read(body),
    };
    let target = confine(rule, Some(home), &named).ok()?;
    target.content().map(|content| content.to_vec())
}

/// Another reader finds the same in these bytes as we do.
fn ask_same(body: &Body<'_>, bytes: &[u8]) {
    match body {
        Body::Form(form) => {
            ask_query(form);
            let read = |text: &[u8]| form_urlencoded(text);
            assert_eq!(read(bytes), read(form.as_str().unwrap_or_default().as_bytes()));
        }
        Body::Json(json) => {
            let written = written(json);
            if bytes.windows(11).any(|it| it == b"$serde_json") {
                return; // a name that serde_json keeps for itself
            }
            // A number may be one that serde_json has no room for.
            let theirs = serde_json::from_slice::<Value>(bytes).ok();
            assert_eq!(theirs, serde_json::from_str::<Value>(&written).ok(), "{written}");
        }
    }
}

fn written(json: &Json<'_>) -> String {
    let mut out = String::new();
    json.write(&mut out, |_, value, out| out.push_str(value));
    out
}

/// Names and values as browsers and most servers read them.
fn form_urlencoded(text: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let decode = |part: &[u8]| {
        let spaced: Vec<u8> = part.iter().map(|it| if *it == b'+' { b' ' } else { *it }).collect();
        percent_encoding::percent_decode(&spaced).collect::<Vec<u8>>()
    };
    let pairs = text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
    let halves = pairs.map(|pair| {
        let mut halves = pair.splitn(2, |byte| *byte == b'=');
        (halves.next().unwrap_or_default(), halves.next().unwrap_or_default())
    });
    halves.map(|(name, value)| (decode(name), decode(value))).collect()
}

/// The strings of every member that some reader takes for the one that is looked at.
fn members(sent: &[u8]) -> Vec<Vec<u8>> {
    let Ok(Value::Object(members)) = serde_json::from_slice(sent) else { return Vec::new() };
    let named = members.into_iter().filter(|(name, _)| name.trim().eq_ignore_ascii_case(NAME));
    let texts =
        named.flat_map(|(_, value)| value.as_array().cloned().unwrap_or_else(|| vec![value]));
    texts.map(|text| text.as_str().unwrap_or("/").as_bytes().to_vec()).collect()
}
