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
    let (query, content) = (target.query().unwrap_or(""), target.content());
    let content = content.map(|content| std::str::from_utf8(content).unwrap());
    for (name, _) in rule.names(PlaceKind::Query) {
        for value in values(query, name) {
            assert_inside(&value, &["alice"]);
        }
    }
    for lists in target.condition() {
        if let Some(path) = lists.path() {
            assert_eq!(CanonicalPath::parse(path).unwrap().as_str(), path);
            assert_inside(path, &HOME);
        }
    }
    for (name, _) in rule.names(PlaceKind::Form) {
        let form = content.unwrap_or("");
        assert_eq!(CanonicalQuery::parse(Some(form)).unwrap().as_str(), Some(form));
        for value in values(form, name) {
            assert_inside(&value, &["alice"]);
        }
    }
    if let Some(content) = content.filter(|_| rule.rests_on(PlaceKind::Json)) {
        judge_json(rule, content);
    }
}

/// The same for a body of JSON, read by another reader.
fn judge_json(rule: &HomeRule, content: &str) {
    let mut again = String::new();
    let parsed = crate::resource::content::Json::parse(content).unwrap();
    parsed.write(&mut again, |_, value, out| out.push_str(value));
    assert_eq!(again, content);
    let body: serde_json::Value = serde_json::from_str(content).unwrap();
    for (name, _) in rule.names(PlaceKind::Json) {
        for (member, value) in body.as_object().unwrap() {
            if !member.trim_end_matches(['[', ']', '\0']).eq_ignore_ascii_case(name) {
                continue;
            }
            let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
            for value in values {
                assert_inside(value.as_str().unwrap(), &["alice"]);
            }
        }
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
        let raw = Raw { destination: Some(&to), ..Raw::path("/files/alice/x") };
        send_everywhere(&["path", "header:destination"], raw);
    }

    #[test]
    fn no_reading_of_a_parameter_leaves_the_home(
        pairs in vec((name(), value(), select(&["&", "&", ";", "&&"][..])), 1..4),
    ) {
        let query = pairs.iter().flat_map(|(name, value, end)| [name, "=", value, end]);
        let query: String = query.collect();
        send_everywhere(&["query:dir"], Raw::query(&query));
    }

    #[test]
    fn no_reading_of_a_tag_leaves_the_home(
        scheme in select(&["", "", "https://files.example.org", "http://files.example.org"][..]),
        tag in under_a_home(),
        more in select(&["", " </files/alice> ([\"e\"])", " ([W/\"x\"])", ">", ")"][..]),
    ) {
        let condition = format!("<{scheme}{tag}> (<urn:1> Not [\"e\"]){more}");
        let raw = Raw { condition: Some(&condition), ..Raw::path("/files/alice/x") };
        send_everywhere(&["path", "header:if"], raw);
    }

    #[test]
    fn no_reading_of_a_field_leaves_the_home(
        pairs in vec((name(), value(), select(&["&", "&", ";", "&&"][..])), 1..4),
        fields in vec((name(), vec(value(), 1..3)), 1..3),
    ) {
        let form = pairs.iter().flat_map(|(name, value, end)| [name, "=", value, end]);
        let form: String = form.collect();
        send_everywhere(&["form:dir"], Raw::body(&form));
        let member = |(name, values): &(&str, Vec<String>)| {
            format!("{}:{}", serde_json::json!(name), serde_json::json!(values))
        };
        let json = format!("{{{}}}", fields.iter().map(member).collect::<Vec<_>>().join(","));
        send_everywhere(&["json:dir"], Raw::body(&json));
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
            send_everywhere(&["path"], Raw { query, ..Raw::path(path) });
        }
        for value in [format!("/alice/{payload}"), payload.clone()] {
            send_everywhere(&["query:dir"], Raw::query(&format!("dir={value}")));
            let to = format!("/files{value}");
            let raw = Raw { destination: Some(&to), ..Raw::path("/files/alice/x") };
            send_everywhere(&["path", "header:destination"], raw);
            let tag = format!("<{to}> (<urn:1>)");
            let raw = Raw { condition: Some(&tag), ..Raw::path("/files/alice/x") };
            send_everywhere(&["path", "header:if"], raw);
            send_everywhere(&["form:dir"], Raw::body(&format!("dir={value}")));
            let json = serde_json::json!({ "dir": [value, "/alice/x"] }).to_string();
            send_everywhere(&["json:dir"], Raw::body(&json));
            let json = serde_json::json!({ "dir": value }).to_string();
            send_everywhere(&["json:dir"], Raw::body(&json));
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
