//! Nothing that is forwarded leaves the home, in any dialect, mode and reading.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::readings::{assert_inside, values};
use super::*;

const PAYLOADS: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpora/paths/payloads.jsonl"));

/// Pieces that paths are made of in attacks, and a few that are harmless.
const TOKENS: &[&str] = &[
    "/",
    "/",
    "/",
    "a",
    "x.txt",
    "é",
    ".",
    "..",
    "...",
    "/../",
    "/..",
    "../",
    "%2e",
    "%2E%2e",
    "%2f",
    "%5c",
    "\\",
    "%25",
    "%252e",
    "%252f",
    "%255c",
    "%25252e",
    "%2500",
    "%00",
    "%",
    "2e",
    "2f",
    ";",
    ";a=b",
    "%3b",
    "%253b",
    "..;",
    "#",
    "%23",
    "?",
    "%3f",
    "%2523",
    "+",
    "%2b",
    "%20",
    " ",
    ":",
    "::$DATA",
    "nul",
    "%c0%ae",
    "%c1%9c",
    "%e0%80%af",
    "%25c0%25ae",
    "／",
    "．．",
    "‥",
    "\u{200B}",
    "%u002e",
    "%25u002f",
    "alice",
    "Alice",
    "bob",
    "files",
    "*",
    "{",
    "}",
    ",",
    "[",
    "]",
    "~",
    "//",
    "http:",
    "@",
    "&",
    "=",
    "dir",
];

const MODES: [Mode; 2] = [Mode::Require, Mode::Rewrite];
const HOME: [&str; 2] = ["files", "alice"];

/// Checks one forwarded target: it is its own canonical form, it was decided on, and no
/// reading of it leaves the home.
fn judge(rule: &HomeRule, target: &Target<'_>) {
    let path = CanonicalPath::parse(target.path()).unwrap();
    assert_eq!(path.as_str(), target.path());
    path.admit(rule.dialect).unwrap();
    if let Some(query) = target.query() {
        assert_eq!(CanonicalQuery::parse(Some(query)).unwrap().as_str(), Some(query));
    }
    if rule.rests_on(PlaceKind::Path) {
        assert_inside(target.path(), &HOME);
    }
    if let Some(to) = target.destination() {
        assert_eq!(Destination::parse(to, &host(), true).unwrap().path().as_str(), to);
        assert_inside(to, &HOME);
    }
    for value in rule.parameters().flat_map(|name| values(target.query().unwrap_or(""), name)) {
        assert_inside(&value, &["alice"]);
    }
}

/// Sends `raw` in every dialect and mode; how often it was forwarded.
fn send_everywhere(places: &[&str], raw: Raw<'_>) -> usize {
    let mut forwarded = 0;
    for mode in MODES {
        for dialect in Dialect::ALL {
            let rule = rule(places, mode, dialect);
            if let Ok(Ok(target)) = send(&rule, Some("/alice"), raw) {
                judge(&rule, &target);
                if mode == Mode::Require {
                    assert_eq!(target.path(), CanonicalPath::parse(raw.path).unwrap().as_str());
                }
                forwarded += 1;
            }
        }
    }
    forwarded
}

fn tokens() -> impl Strategy<Value = String> {
    vec(select(TOKENS), 0..7).prop_map(|tokens| tokens.concat())
}

fn under_a_home() -> impl Strategy<Value = String> {
    let start = select(&["/files/alice/", "/files/alice", "/files/", "/", "/files/bob/"][..]);
    (start, tokens()).prop_map(|(start, rest)| format!("{start}{rest}"))
}

fn value() -> impl Strategy<Value = String> {
    let start = select(&["/alice/", "alice/", "%2Falice", "/alice", "/", ""][..]);
    (start, tokens()).prop_map(|(start, rest)| format!("{start}{rest}"))
}

fn name() -> impl Strategy<Value = &'static str> {
    select(
        &["dir", "dir", "dir", "x", "DIR", "dir[]", "di%72", "+dir", "%2564ir", "dir%00", "dir.x"]
            [..],
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn no_reading_of_a_path_leaves_the_home(path in under_a_home()) {
        send_everywhere(&["path"], Raw::path(&path));
    }

    #[test]
    fn no_reading_of_a_destination_leaves_the_home(
        scheme in select(&["", "", "https://files.example.org", "HTTPS://FILES.EXAMPLE.ORG.:443",
                           "http://files.example.org", "hTtP://files.example.org:80"][..]),
        to in under_a_home(),
    ) {
        let to = format!("{scheme}{to}");
        let raw = Raw { path: "/files/alice/x", query: None, destination: Some(&to) };
        send_everywhere(&["path", "header:destination"], raw);
    }

    #[test]
    fn no_reading_of_a_parameter_leaves_the_home(
        pairs in vec((name(), value(), select(&["&", "&", ";", "&&"][..])), 1..4),
    ) {
        let query = pairs.iter().flat_map(|(name, value, end)| [name, "=", value, end]);
        let query: String = query.collect();
        let raw = Raw { path: "/list", query: Some(&query), destination: None };
        send_everywhere(&["query:dir"], raw);
    }

    #[test]
    fn decided_and_forwarded_are_the_same_segments(path in under_a_home()) {
        for dialect in Dialect::ALL {
            let rewrite = rule(&["path"], Mode::Rewrite, dialect);
            let Ok(Ok(target)) = send(&rewrite, Some("/alice"), Raw::path(&path)) else { continue };

            let asked = CanonicalPath::parse(&path).unwrap();
            let sent = CanonicalPath::parse(target.path()).unwrap();

            let mut expected: Vec<_> = asked.segments().collect();
            expected.insert(1, "alice");
            prop_assert_eq!(sent.segments().collect::<Vec<_>>(), expected);
            let revealed = reveal(&rewrite, &"/alice".parse().unwrap(), target.path(), &host());
            prop_assert_eq!(revealed.as_deref(), Some(asked.as_str()));
        }
    }
}

#[test]
fn no_payload_of_the_corpus_leaves_the_home() {
    let mut lines = 0;
    for line in PAYLOADS.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let payload = line["p"].as_str().unwrap().replace("{FILE}", "etc/passwd");

        for path in
            [format!("/files/alice/{payload}"), format!("/files/{payload}"), payload.clone()]
        {
            let (path, query) = path.split_once('?').map_or((&*path, None), |(p, q)| (p, Some(q)));
            send_everywhere(&["path"], Raw { path, query, destination: None });
        }
        for value in [format!("/alice/{payload}"), payload.clone()] {
            send_everywhere(&["query:dir"], Raw::query(&format!("dir={value}")));
            let to = format!("/files{value}");
            let raw = Raw { path: "/files/alice/x", query: None, destination: Some(&to) };
            send_everywhere(&["path", "header:destination"], raw);
        }
        lines += 1;
    }
    assert_eq!(lines, 3_000);
}

#[test]
fn harmless_paths_are_forwarded_everywhere() {
    for path in
        ["/files/alice/a/b.txt", "/files/alice/é%20x", "/files/alice/", "/files/alice/100%25"]
    {
        assert_eq!(send_everywhere(&["path"], Raw::path(path)), 8, "{path}");
    }
    assert_eq!(send_everywhere(&["query:dir"], Raw::query("dir=/alice/x&y=/z")), 8);
}
