mod content;
mod escape;
mod readings;

use super::*;
use crate::resource::CanonicalHost;
use crate::resource::content::MediaType;

/// A request as it came in.
#[derive(Clone, Copy, Debug)]
struct Raw<'a> {
    path: &'a str,
    query: Option<&'a str>,
    destination: Option<&'a str>,
    condition: Option<&'a str>,
    body: Option<&'a str>,
}

impl<'a> Raw<'a> {
    fn path(path: &'a str) -> Self {
        Self { path, query: None, destination: None, condition: None, body: None }
    }

    fn query(query: &'a str) -> Self {
        Self { query: Some(query), ..Self::path("/list") }
    }

    fn body(body: &'a str) -> Self {
        Self { body: Some(body), ..Self::path("/list") }
    }
}

fn rule(places: &[&str], mode: Mode, dialect: Dialect) -> HomeRule {
    let places = places.iter().map(|place| place.parse().unwrap()).collect();
    HomeRule { places, mode, root: "/files".parse().unwrap(), dialect, ..HomeRule::default() }
}

fn require(places: &[&str]) -> HomeRule {
    rule(places, Mode::Require, Dialect::Posix)
}

fn rewrite(places: &[&str]) -> HomeRule {
    rule(places, Mode::Rewrite, Dialect::Posix)
}

fn host() -> CanonicalHost<'static> {
    CanonicalHost::parse("files.example.org").unwrap()
}

/// Parses and confines, as the gateway does. An outer error: refused before the home matters.
fn send(
    rule: &HomeRule,
    home: Option<&str>,
    raw: Raw<'_>,
) -> Result<Result<Target<'static>, HomeError>, ResourceError> {
    let home = home.map(|home| home.parse::<PathPrefix>().unwrap());
    let path = CanonicalPath::parse(raw.path)?;
    let query = CanonicalQuery::parse(raw.query)?;
    let destination =
        raw.destination.map(|to| Destination::parse(to, &host(), true)).transpose()?;
    let condition = raw.condition.map(|it| Condition::parse(it, &host(), true)).transpose()?;
    let media = if raw.body.is_some_and(|body| body.trim_start().starts_with(['{', '['])) {
        MediaType::Json
    } else {
        MediaType::Form
    };
    let body = raw.body.map(|body| Body::parse(body.as_bytes(), media)).transpose()?;
    let named = Named {
        path: &path,
        query: &query,
        destination: destination.as_ref(),
        condition: condition.as_ref(),
        content: body.as_ref().map_or(Content::Absent, Content::Read),
    };
    Ok(confine(rule, home.as_ref(), &named).map(Target::into_owned))
}

#[track_caller]
fn alice(rule: &HomeRule, raw: Raw<'_>) -> Result<String, HomeError> {
    send(rule, Some("/alice"), raw).unwrap().map(|target| target.path_and_query())
}

#[test]
fn a_path_must_lie_in_the_home_by_whole_segments() {
    let rule = require(&["path"]);

    for inside in ["/files/alice", "/files/alice/", "/files/alice/x/y", "/files/%61lice/x"] {
        let sent = alice(&rule, Raw::path(inside)).unwrap();
        assert_eq!(sent, inside.replace("%61", "a"));
    }
    for outside in [
        "/",
        "/files",
        "/files/",
        "/files/bob/x",
        "/files/alice2/x",
        "/files/alice-evil",
        "/alice/x",
        "/files/alic",
        "/filesalice",
        "/FILES/alice/x",
        "/other/files/alice/x",
        "/files/alice;x/y",
        "/files/alice%3Fx",
    ] {
        assert_eq!(
            alice(&rule, Raw::path(outside)),
            Err(HomeError::Outside(PlaceKind::Path)),
            "{outside}"
        );
    }
}

#[test]
fn the_home_in_other_case_is_refused_as_ambiguous() {
    let rule = rule(&["path", "query:dir"], Mode::Require, Dialect::Windows);

    for path in ["/files/Alice/x", "/files/ALICE"] {
        let error = alice(&rule, Raw::path(path));
        assert_eq!(error, Err(HomeError::CaseVariant(PlaceKind::Path)), "{path}");
    }
    let raw = Raw { query: Some("dir=/ALICE/x"), ..Raw::path("/files/alice") };
    assert_eq!(alice(&rule, raw), Err(HomeError::CaseVariant(PlaceKind::Query)));
}

#[test]
fn the_home_is_put_behind_the_root() {
    let rule = rewrite(&["path"]);

    for (seen, sent) in [
        ("/files", "/files/alice"),
        ("/files/", "/files/alice/"),
        ("/files/x/y%2c", "/files/alice/x/y,"),
        ("/files/alice/x", "/files/alice/alice/x"),
        ("/files/x?a=b", "/files/alice/x?a=b"),
    ] {
        let (path, query) = seen.split_once('?').map_or((seen, None), |(p, q)| (p, Some(q)));
        assert_eq!(alice(&rule, Raw { query, ..Raw::path(path) }).as_deref(), Ok(sent));
    }
    for outside in ["/", "/file", "/files2/x", "/x"] {
        let error = alice(&rule, Raw::path(outside));
        assert_eq!(error, Err(HomeError::Outside(PlaceKind::Path)), "{outside}");
    }
}

#[test]
fn the_root_may_be_the_whole_api() {
    let mut rule = rewrite(&["path"]);
    rule.root = PathPrefix::root();

    assert_eq!(alice(&rule, Raw::path("/")).as_deref(), Ok("/alice/"));
    assert_eq!(alice(&rule, Raw::path("/x")).as_deref(), Ok("/alice/x"));
}

#[test]
fn every_repeat_of_a_parameter_must_lie_in_the_home() {
    let rule = require(&["query:dir"]);

    for inside in [
        "dir=/alice",
        "dir=alice/x",
        "dir=%2Falice%2fx",
        "a=b&dir=/alice/x&dir=/alice/y&c",
        "dir=/alice/*.{jpg,png}",
        "dir=/alice/??",
        "dir=/alice/a+b",
        "dir=/alice/.cache/[ab]*",
        "di%72=/alice/x",
    ] {
        assert!(alice(&rule, Raw::query(inside)).is_ok(), "{inside}");
    }
    for outside in [
        "dir=/bob",
        "dir=/",
        "dir=/alice/x&dir=/bob",
        "dir=/bob&dir=/alice",
        "dir=/alice2",
        "dir=/files/alice/x",
        "dir=/ali*/x",
        "dir=/*/x",
        "dir=*",
        "dir=/alic?/x",
        "dir=/alice%3Fx",
        "dir=/[a]lice/x",
        "dir=+/alice",
        "dir=/alice+x",
        "dir=/%3F",
    ] {
        let error = alice(&rule, Raw::query(outside));
        assert_eq!(error, Err(HomeError::Outside(PlaceKind::Query)), "{outside}");
    }
    for ambiguous in [
        "dir=/alice/../bob",
        "dir=/alice/%2e%2e/bob",
        "dir=/alice/%252e%252e/bob",
        "dir=..",
        "dir=/alice//x",
        "dir=//alice/x",
        "dir=/alice/x\\..\\..\\bob",
        "dir=/alice\\x",
        "dir=/alice/%00",
        "dir=/alice/%c0%ae",
        "dir=/alice/.*/bob",
        "dir=/alice/.?/bob",
        "dir=/alice/.[.]/bob",
        "dir=/alice/.[.]%3Bx",
        "dir=/alice/[@.ab]*?||",
        "dir=/alice/.\u{FF0E}.%2B/x",
        "dir=/alice/..%2B/x",
        "dir=/alice/.\u{FF0E}.%3B+b",
        "dir=/alice/\u{FF0E}*/x",
        "dir=/alice/.\u{FF0A}/x",
        "dir=/alice/[.(b]*",
        "dir=/alice/[.%3Bb]*",
        "dir=/alice/..?|",
        "dir=/alice/.%25255B.%25255D%3Bx",
        "dir=/alice/[.][.]/bob",
        "dir=/alice/[].][.]/bob",
        "dir=/alice/.[!a]/bob",
        "dir=/alice/{x,../bob}",
        "dir={/alice,/bob}",
        "dir=/alice/{.,x}{.,y}/bob",
        "dir=/alice/{..,x}/bob",
        "dir=/alice/@(..|x)/bob",
        "dir=/alice/.%252a/bob",
        "dir=/alice/.%25253f/bob",
        "dir=/alice/.%255b.]/bob",
        "DIR=/bob&dir=/alice",
        "dir[]=/bob",
        "dir=/alice;dir=/bob",
        "dir=/alice/%252fx",
    ] {
        let error = alice(&rule, Raw::query(ambiguous));
        assert!(matches!(error, Err(HomeError::Ambiguous(PlaceKind::Query, _))), "{ambiguous}");
    }
    for empty in ["dir=", "dir", "dir=/alice&dir="] {
        let error = alice(&rule, Raw::query(empty));
        assert_eq!(error, Err(HomeError::Empty(PlaceKind::Query)), "{empty}");
    }
}

#[test]
fn a_space_in_the_home_has_two_spellings_in_a_query_and_one_decision() {
    let rule = require(&["query:dir"]);
    let send = |home, query| send(&rule, Some(home), Raw::query(query)).unwrap().is_ok();

    assert!(send("/al ice", "dir=/al%20ice/x"));
    assert!(!send("/al ice", "dir=/al+ice/x"));
    assert!(send("/al+ice", "dir=/al%2Bice/x"));
    assert!(!send("/al+ice", "dir=/al+ice/x"));
}

#[test]
fn the_home_is_put_in_front_of_every_repeat() {
    let rule = rewrite(&["query:dir", "query:file"]);

    for (seen, sent) in [
        ("dir=/sub", "dir=/alice/sub"),
        ("dir=sub", "dir=/alice/sub"),
        ("dir=/", "dir=/alice/"),
        ("dir=%2fsub%2F", "dir=/alice%2Fsub%2F"),
        ("x=/y&dir=/a&file=b+c&&dir=/d", "x=/y&dir=/alice/a&file=/alice/b+c&&dir=/alice/d"),
        ("dir=/alice", "dir=/alice/alice"),
        ("%64ir=/a", "dir=/alice/a"),
    ] {
        assert_eq!(alice(&rule, Raw::query(seen)), Ok(format!("/list?{sent}")));
    }
    for refused in ["dir=", "dir=..", "dir=/../bob", "dir=//bob", "file=a/../../bob", "Dir=/x"] {
        assert!(alice(&rule, Raw::query(refused)).is_err(), "{refused}");
    }
    let target = send(&rule, Some("/a&b+c=d e"), Raw::query("dir=/x")).unwrap().unwrap();
    assert_eq!(target.query(), Some("dir=/a%26b%2Bc%3Dd%20e/x"));
}

#[test]
fn a_place_named_twice_is_rewritten_once() {
    let rule = rewrite(&["path", "path", "query:dir", "query:dir"]);
    let raw = Raw { query: Some("dir=/y"), ..Raw::path("/files/x") };

    assert_eq!(alice(&rule, raw).as_deref(), Ok("/files/alice/x?dir=/alice/y"));
}

#[test]
fn a_destination_is_confined_like_a_path_and_sent_as_one() {
    let to = |to| Raw { destination: Some(to), ..Raw::path("/files/alice/x") };
    let rule = require(&["path", "header:destination"]);

    let target = send(&rule, Some("/alice"), to("https://files.example.org/files/alice/y"));
    assert_eq!(target.unwrap().unwrap().destination(), Some("/files/alice/y"));
    let error = alice(&rule, to("/files/bob/y"));
    assert_eq!(error, Err(HomeError::Outside(PlaceKind::Destination)));
    let error = alice(&rule, to("/files/alice//y"));
    assert!(matches!(error, Err(HomeError::Ambiguous(PlaceKind::Destination, _))));

    let rule = rewrite(&["path", "header:destination"]);
    let target = send(&rule, Some("/alice"), to("/files/y")).unwrap().unwrap();
    assert_eq!(target.destination(), Some("/files/alice/y"));
}

#[test]
fn a_destination_in_which_the_rule_does_not_look_is_refused() {
    let raw = Raw { destination: Some("/files/bob/y"), ..Raw::path("/files/alice/x") };

    let error = alice(&require(&["path"]), raw);

    assert_eq!(error, Err(HomeError::UncheckedDestination));
}

#[test]
fn a_request_that_names_nothing_is_refused() {
    let rule = require(&["query:dir", "header:destination"]);

    for query in [None, Some(""), Some("x=/alice"), Some("dirs=/alice")] {
        let error = alice(&rule, Raw { query, ..Raw::path("/list") });
        assert_eq!(error, Err(HomeError::NamesNothing), "{query:?}");
    }
}

#[test]
fn without_a_home_everything_is_refused() {
    for rule in [require(&["path"]), rewrite(&["path"]), require(&[])] {
        let error = send(&rule, None, Raw::path("/files/alice")).unwrap();
        assert_eq!(error, Err(HomeError::NoHome));
    }
    assert_eq!(alice(&require(&[]), Raw::path("/files/alice")), Err(HomeError::NamesNothing));
}

#[test]
fn the_home_slash_is_everything_below_the_root() {
    let root = |rule: &HomeRule, raw| {
        send(rule, Some("/"), raw).unwrap().map(|target| target.path_and_query())
    };
    for mode in [Mode::Require, Mode::Rewrite] {
        let by_path = rule(&["path"], mode, Dialect::Posix);
        let by_query = rule(&["query:dir"], mode, Dialect::Posix);

        assert_eq!(root(&by_path, Raw::path("/files/bob/x")).as_deref(), Ok("/files/bob/x"));
        assert_eq!(root(&by_query, Raw::query("dir=/bob")).as_deref(), Ok("/list?dir=/bob"));
        assert_eq!(root(&by_query, Raw::path("/list")).as_deref(), Ok("/list"));
        assert!(root(&by_path, Raw::path("/other")).is_err());
        assert!(root(&by_query, Raw::query("dir=/bob/../x")).is_err());
    }
}

#[test]
fn a_home_that_the_upstream_reads_differently_is_refused() {
    let windows = rule(&["path"], Mode::Rewrite, Dialect::Windows);

    for home in ["/nul", "/bob.", "/bob:x"] {
        let error = send(&windows, Some(home), Raw::path("/files/x")).unwrap();
        assert!(matches!(error, Err(HomeError::AmbiguousHome(_))), "{home}");
    }
}

#[test]
fn without_a_rule_what_is_named_is_sent_in_canonical_form() {
    let path = CanonicalPath::parse("/%61/b c").unwrap();
    let query = CanonicalQuery::parse(Some("%61=é")).unwrap();
    let destination = Destination::parse("/%64", &host(), true).unwrap();

    let condition = Condition::parse("</%65> (<u:1>)", &host(), true).unwrap();
    let target = unconfined(&Named {
        path: &path,
        query: &query,
        destination: Some(&destination),
        condition: Some(&condition),
        content: Content::Unread,
    });

    assert_eq!(target.path_and_query(), "/a/b%20c?a=%C3%A9");
    assert_eq!(target.destination(), Some("/d"));
    assert_eq!(target.condition()[0].path(), Some("/e"));
    assert_eq!(target.content(), None);
    let mut written = Vec::new();
    target.write_path_and_query(&mut written);
    assert_eq!(written, target.path_and_query().into_bytes());
}

#[test]
fn places_and_modes_read_back_what_they_write() {
    for place in ["path", "query:dir", "header:destination", "header:if", "json:files", "form:new"]
    {
        assert_eq!(place.parse::<Place>().unwrap().to_string(), place);
    }
    for unknown in [
        "",
        "Path",
        "query:",
        "query",
        "query:a b",
        "query:d[]",
        "header:host",
        "body:x",
        "json:",
        "form:a[]",
    ] {
        assert_eq!(unknown.parse::<Place>(), Err(UnknownPlace), "{unknown}");
    }
    for mode in ["require", "rewrite"] {
        assert_eq!(mode.parse::<Mode>().unwrap().to_string(), mode);
    }
    assert_eq!("none".parse::<Mode>(), Err(UnknownMode));
}

#[test]
fn a_location_in_the_home_is_shown_without_it() {
    let rule = rewrite(&["path", "query:dir"]);
    let reveal = |location: &str| reveal(&rule, &"/alice".parse().unwrap(), location, &host());
    for (upstream, seen) in [
        ("/files/alice/x", "/files/x"),
        ("/files/alice", "/files"),
        ("/files/%61lice/x/", "/files/x/"),
        ("/files/alice/x?a=b#c", "/files/x?a=b#c"),
        ("/list?dir=/alice/s&x=/y", "/list?dir=/s&x=/y"),
        ("/list?dir=/alice", "/list?dir=/"),
        ("/list?dir=alice/s+t", "/list?dir=/s%2Bt"),
        ("https://files.example.org/files/alice/x", "https://files.example.org/files/x"),
        ("HTTP://FILES.example.org:8080/files/alice/x", "HTTP://FILES.example.org:8080/files/x"),
        ("//files.example.org/files/alice/x", "//files.example.org/files/x"),
        ("/login", "/login"),
        ("x/y", "x/y"),
        ("?page=2", "?page=2"),
        ("", ""),
        ("https://files.example.org", "https://files.example.org"),
        ("https://elsewhere.example/files/bob/x", "https://elsewhere.example/files/bob/x"),
        ("mailto:a@b", "mailto:a@b"),
    ] {
        assert_eq!(reveal(upstream).as_deref(), Some(seen), "{upstream}");
    }
    for hidden in [
        "/files",
        "/files/",
        "/files/bob/x",
        "/files/alice2",
        "/files/alice/../bob",
        "/files/%zz",
        "/list?dir=/bob",
        "/list?dir=/alice2",
        "/list?dir=/alice/x&dir=/bob",
        "/list?dir=%zz",
        "https://files.example.org/files/bob",
        "//files.example.org/files/bob",
    ] {
        assert_eq!(reveal(hidden), None, "{hidden}");
    }
}

#[test]
fn a_location_stays_as_it_is_where_nothing_is_rewritten() {
    let location = "/files/bob/x";
    let home: PathPrefix = "/alice".parse().unwrap();

    for (rule, home) in [
        (require(&["path"]), &home),
        (rewrite(&["query:dir"]), &home),
        (rewrite(&["path"]), &PathPrefix::root()),
    ] {
        assert_eq!(reveal(&rule, home, location, &host()).as_deref(), Some(location));
    }
}

#[test]
fn what_is_sent_is_revealed_as_what_was_asked_for() {
    let mut rule = rewrite(&["path"]);
    for root in ["/files", "/"] {
        rule.root = root.parse().unwrap();
        for path in ["/files", "/files/", "/files/a/b%20c", "/files/alice/x"] {
            let sent = alice(&rule, Raw::path(path)).unwrap();
            let seen = reveal(&rule, &"/alice".parse().unwrap(), &sent, &host());
            assert_eq!(seen.as_deref(), Some(path));
        }
    }
}
