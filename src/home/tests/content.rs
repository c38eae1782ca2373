//! Tags of `If`, fields of bodies, values that go on from the path, and patterns.

use super::*;

/// The body that is sent, or why none is.
#[track_caller]
fn body(rule: &HomeRule, body: &str) -> Result<String, String> {
    match send(rule, Some("/alice"), Raw::body(body)) {
        Err(error) => Err(error.label().to_owned()),
        Ok(Err(error)) => Err(error.label().to_owned()),
        Ok(Ok(target)) => Ok(String::from_utf8(target.content().unwrap().to_vec()).unwrap()),
    }
}

#[test]
fn a_field_must_lie_in_the_home() {
    let rule = require(&["json:files", "json:data", "form:dir"]);

    for (inside, sent) in [
        (r#"{"files":["/alice/a", "alice/b"]}"#, r#"{"files":["/alice/a","alice/b"]}"#),
        (r#"{ "\u0066iles": "\/alice\u002fa", "x": 1.50 }"#, r#"{"files":"/alice/a","x":1.50}"#),
        (
            r#"{"files":[],"data":"/alice/out","x":"/bob"}"#,
            r#"{"files":[],"data":"/alice/out","x":"/bob"}"#,
        ),
        ("dir=%2falice&x=/bob", "dir=%2Falice&x=/bob"),
    ] {
        assert_eq!(body(&rule, inside).as_deref(), Ok(sent), "{inside}");
    }
    for (refused, reason) in [
        (r#"{"files":["/alice/a","/bob/b"]}"#, "outside_home"),
        (r#"{"files":"/alice2"}"#, "outside_home"),
        (r#"{"files":"/Alice/a"}"#, "home_case_variant"),
        (r#"{"files":"/alice/a","data":"/bob"}"#, "outside_home"),
        (r#"{"files":"/alice/\u002e\u002e/bob"}"#, "dot_segment"),
        (r#"{"files":"/alice/%2e%2e/bob"}"#, "dot_segment"),
        (r#"{"files":"/alice\\..\\bob"}"#, "dot_segment"),
        (r#"{"files":"/alice/\u0000"}"#, "control_byte"),
        (r#"{"files":""}"#, "home_empty_value"),
        (r#"{"files":["/alice/a",1]}"#, "field_type"),
        (r#"{"files":[["/alice/a"]]}"#, "field_type"),
        (r#"{"files":{"a":"/alice"}}"#, "field_type"),
        (r#"{"files":null}"#, "field_type"),
        (r#"{"files":true}"#, "field_type"),
        (r#"{"files":"/alice/a","Files":"/bob"}"#, "aliased_parameter"),
        (r#"{"files":"/alice/a","files":"/bob"}"#, "field_repeated"),
        (r#"{"FILES":"/alice/a"}"#, "aliased_parameter"),
        (r#"{"x":"/alice"}"#, "home_names_nothing"),
        (r#"{"files":[]}"#, "home_names_nothing"),
        (r#"{"files":["/alice"]"#, "content_form"),
        (r#"["/alice"]"#, "content_form"),
        ("dir=/alice&dir=/bob", "outside_home"),
        ("dir=/alice&DIR=/bob", "aliased_parameter"),
        ("dir[]=/bob", "aliased_parameter"),
        ("dir=/alice/../bob", "dot_segment"),
        ("dir=/alice;dir=/bob", "ambiguous_separator"),
        ("dir=", "home_empty_value"),
        ("x=/alice", "home_names_nothing"),
    ] {
        assert_eq!(body(&rule, refused), Err(reason.to_owned()), "{refused}");
    }
}

#[test]
fn the_home_is_put_in_front_of_every_field() {
    let rule = rewrite(&["json:files", "form:dir"]);

    for (seen, sent) in [
        (r#"{"files":["/a","b/c"],"n":[1e3]}"#, r#"{"files":["/alice/a","/alice/b/c"],"n":[1e3]}"#),
        (r#"{"files":"/bob/x"}"#, r#"{"files":"/alice/bob/x"}"#),
        ("dir=/a&dir=b&x=%2f", "dir=/alice/a&dir=/alice/b&x=%2F"),
    ] {
        assert_eq!(body(&rule, seen).as_deref(), Ok(sent), "{seen}");
    }
    let target = send(&rule, Some("/a \"b"), Raw::body("{\"files\":\"/x\"}"));
    let target = target.unwrap().unwrap();
    assert_eq!(**target.content().unwrap(), *br#"{"files":"/a \"b/x"}"#);
    let everything = send(&rule, Some("/"), Raw::body("{ \"files\": \"/bob\" }")).unwrap().unwrap();
    assert_eq!(**everything.content().unwrap(), *br#"{"files":"/bob"}"#);
}

#[test]
fn a_body_of_the_kind_in_which_the_rule_does_not_look_is_refused() {
    assert_eq!(body(&require(&["json:files"]), "files=/alice"), Err("unread_body".to_owned()));
    let by_form = require(&["form:files"]);
    assert_eq!(body(&by_form, "{\"files\":\"/alice\"}"), Err("unread_body".to_owned()));
}

#[test]
fn a_body_that_was_not_read_is_no_reason_to_permit() {
    let (path, query) = ("/files/alice/x", None);
    let path = CanonicalPath::parse(path).unwrap();
    let query = CanonicalQuery::parse(query).unwrap();
    let named = Named {
        path: &path,
        query: &query,
        destination: None,
        condition: None,
        content: Content::Unread,
    };
    for home in ["/alice", "/"] {
        let home: PathPrefix = home.parse().unwrap();
        let refused = confine(&require(&["path", "json:files"]), Some(&home), &named);
        assert_eq!(refused, Err(HomeError::UnreadBody));
        assert_eq!(precheck(&require(&["path", "json:files"]), Some(&home), &named), Ok(()));
        assert!(confine(&require(&["path"]), Some(&home), &named).is_ok());
    }
}

fn condition(rule: &HomeRule, condition: &str) -> Result<String, String> {
    let raw = Raw { condition: Some(condition), ..Raw::path("/files/alice/x") };
    match send(rule, Some("/alice"), raw) {
        Err(error) => Err(error.label().to_owned()),
        Ok(Err(error)) => Err(error.label().to_owned()),
        Ok(Ok(target)) => {
            let lists = target.condition().iter().map(|lists| match lists.path() {
                Some(path) => format!("<{path}> {}", lists.lists()),
                None => lists.lists().to_owned(),
            });
            Ok(lists.collect::<Vec<_>>().join(" "))
        }
    }
}

#[test]
fn every_tag_of_if_is_confined_like_a_path() {
    let rule = require(&["path", "header:if"]);
    for (seen, sent) in [
        ("(<urn:1>)", "(<urn:1>)"),
        ("</files/%61lice/x>(<urn:1>)", "</files/alice/x> (<urn:1>)"),
        (
            "<https://files.example.org/files/alice> (Not <urn:1>) </files/alice/b> ([\"e\"])",
            "</files/alice> (Not <urn:1>) </files/alice/b> ([\"e\"])",
        ),
    ] {
        assert_eq!(condition(&rule, seen).as_deref(), Ok(sent), "{seen}");
    }
    for (refused, reason) in [
        ("</files/bob/x> (<urn:1>)", "outside_home"),
        ("</files/alice/a> (<urn:1>) </files/bob/x> (<urn:2>)", "outside_home"),
        ("</files/Alice/x> (<urn:1>)", "home_case_variant"),
        ("</files/alice//x> (<urn:1>)", "empty_segment"),
        ("</files/alice/../bob> (<urn:1>)", "dot_segment"),
        ("<https://evil.example/files/alice> (<urn:1>)", "destination_host"),
        ("</files/alice/x>", "condition_form"),
    ] {
        assert_eq!(condition(&rule, refused), Err(reason.to_owned()), "{refused}");
    }
    let rewritten = condition(&rewrite(&["path", "header:if"]), "</files/a> (<urn:1>)");
    assert_eq!(rewritten.as_deref(), Ok("</files/alice/a> (<urn:1>)"));
}

#[test]
fn a_tag_in_which_the_rule_does_not_look_is_refused() {
    let rule = require(&["path"]);

    assert_eq!(condition(&rule, "(<urn:1>)").as_deref(), Ok("(<urn:1>)"));
    let refused = condition(&rule, "</files/alice/x> (<urn:1>)");
    assert_eq!(refused, Err("unchecked_condition".to_owned()));
}

#[test]
fn what_goes_on_from_the_path_stays_below_it() {
    let relative = |mode| HomeRule {
        relative: vec!["query:file".parse().unwrap(), "query:dir".parse().unwrap()],
        ..rule(&["path"], mode, Dialect::Posix)
    };
    let ask = |mode, path, query| {
        let raw = Raw { query: Some(query), ..Raw::path(path) };
        alice(&relative(mode), raw).map_err(HomeError::label)
    };
    let (require, rewrite) = (Mode::Require, Mode::Rewrite);

    for query in ["dir=a&file=b.txt", "file=", "file=*.txt", "file=a%20b"] {
        let sent = ask(require, "/files/alice/x", query);
        assert_eq!(sent, Ok(format!("/files/alice/x?{query}")));
        assert_eq!(ask(rewrite, "/files/x", query), Ok(format!("/files/alice/x?{query}")));
    }
    assert_eq!(ask(require, "/files/alice", "file=/b"), Err("outside_home"));
    assert_eq!(ask(rewrite, "/files", "file=/b&x=/c"), Ok("/files/alice?file=b&x=/c".to_owned()));
    assert_eq!(ask(rewrite, "/files", "file=%2fb"), Ok("/files/alice?file=b".to_owned()));
    assert_eq!(ask(require, "/files/bob", "file=b"), Err("outside_home"));
    for query in ["file=../bob", "dir=..&file=b", "file=a/%2e%2e/b", "file=a//b", "file=%00"] {
        for mode in MODES {
            assert!(ask(mode, "/files/alice", query).is_err(), "{query}");
        }
    }
    assert_eq!(ask(rewrite, "/files", "FILE=/b"), Err("aliased_parameter"));
    let raw = relative(Mode::Rewrite);
    let raw = HomeRule { dialect: Dialect::Raw, ..raw };
    let slashes = Raw { query: Some("file=//bob"), ..Raw::path("/files") };
    assert_eq!(alice(&raw, slashes).as_deref(), Ok("/files/alice?file=bob"));
}

const MODES: [Mode; 2] = [Mode::Require, Mode::Rewrite];

#[test]
fn a_pattern_stays_in_the_home_or_is_refused() {
    let rule = require(&["query:dir"]);
    let strict = HomeRule { allows_patterns: false, ..rule.clone() };
    let ask = |rule: &HomeRule, value: &str| {
        alice(rule, Raw::query(&format!("dir={value}"))).map(drop).map_err(HomeError::label)
    };

    for inside in [
        "/alice/*.json",
        "/alice/a?.txt".replace('?', "%3F").as_str(),
        "/alice/[ab]*",
        "/alice/{a,b}.txt",
        "/alice/**",
    ] {
        assert_eq!(ask(&rule, inside), Ok(()), "{inside}");
        assert_eq!(ask(&strict, inside), Err("home_pattern"), "{inside}");
    }
    for outside in ["/ali*/x", "/[a]lice/x", "/{alice,bob}/x", "*", "/al%3Fce/x"] {
        assert_eq!(ask(&rule, outside), Err("outside_home"), "{outside}");
    }
    for doubtful in [
        "/alice/{x,../../bob}",
        "/alice/{x,/y}",
        "/alice/x{,/y}",
        "/alice/x[/]y",
        "/alice/x[+-9]y",
        "/alice/x[.-0]y",
        "/alice/[.][.]/bob",
        "/alice/.*/bob",
        "/alice/[!a][!a]/bob",
    ] {
        assert_eq!(ask(&rule, doubtful), Err("dot_segment"), "{doubtful}");
        let rewritten = rewrite(&["query:dir"]);
        assert!(ask(&rewritten, doubtful).is_err(), "{doubtful}");
    }
    assert_eq!(ask(&strict, "/alice/a.json"), Ok(()));
}
