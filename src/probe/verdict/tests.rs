use super::*;
use crate::probe::attack::{Family, Message};
use crate::probe::site::tests::site;
use crate::resource::Dialect;

fn attack() -> Attack {
    Attack {
        family: Family::Headers,
        rule: "a test".to_owned(),
        message: Message::Http2(Vec::new()),
        forged: Some(("x-original-url".to_owned(), "/files/bob".to_owned())),
        writes: false,
    }
}

/// The verdict on a head whose first line and further fields are these.
fn verdict(site: &Site, line: &str, fields: &str) -> Verdict {
    let raw = format!("{line} HTTP/1.1\r\nHost: x\r\n{fields}\r\n");
    let record = Record::read(raw.as_bytes());
    let outcome = Outcome::Answered { status: 200, body: Vec::new() };
    Judge::new(site, None).received(&attack(), &[record], &outcome)
}

#[track_caller]
fn assert_escape(site: &Site, line: &str, fields: &str, expected: &str) {
    let verdict = verdict(site, line, fields);
    let is_it = matches!(&verdict, Verdict::Escaped(reason) if reason.contains(expected));
    assert!(is_it, "{line} {fields}: {verdict:?}");
}

#[track_caller]
fn assert_harmless(site: &Site, line: &str, fields: &str) {
    let verdict = verdict(site, line, fields);
    assert!(matches!(verdict, Verdict::Harmless(_)), "{line} {fields}: {verdict:?}");
}

#[test]
fn what_names_something_of_the_other_has_escaped() {
    let site = site();
    for line in [
        "GET /files/bob/x",
        "GET /files/alice/../bob/x",
        "GET /files/alice/..%252fbob/x",
        "GET http://evil/files/bob/x",
        "GET //evil/files/bob/x",
        "GET files/bob/x",
        "GET /files/alice/x?dir=/bob",
        "GET /files/alice/x?dir=/alice&DIR=bob/x",
        "GET /files/alice/x?dir%5B%5D=%2Fbob",
        "GET /files/alice/x?dir=/alice;dir=/bob",
        "GET /files/alice/x?x%26dir=/bob",
    ] {
        assert_escape(&site, line, "", "of bob");
    }
    for fields in [
        "Destination: /files/bob/x\r\n",
        "destination: https://evil/files/bob\r\n",
        "Destination: //evil/files/bob\r\n",
        "Destination: ../bob/x\r\n",
        "Destination: /files/alice/..;/bob\r\n",
    ] {
        assert_escape(&site, "MOVE /files/alice/x", fields, "Destination names");
    }
}

#[test]
fn what_leaves_the_home_has_escaped() {
    for line in [
        "GET /files/alice2/x",
        "GET /files/",
        "GET *",
        "GET /",
        "GET /files/Alice/x",
        "GET /files/alice/?dir=/",
        "GET /files/alice/?dir",
    ] {
        assert_escape(&site(), line, "", "outside the home");
    }
}

#[test]
fn what_stays_at_home_is_harmless() {
    for line in [
        "GET /files/alice/bob",
        "GET /files/alice/x?other=/bob",
        "GET /files/alice/x?dir=/alice/bob",
        "GET /files/alice/a%20b",
        "GET http://gateway.test/files/alice/x",
    ] {
        assert_harmless(&site(), line, "");
    }
    assert_harmless(&site(), "MOVE /files/alice/x", "Destination: /files/alice/bob\r\n");
}

#[test]
fn a_home_whose_name_has_several_readings_is_still_a_home() {
    let mut site = site();
    site.own.home = "/staff/al%20ice+co".to_owned();

    assert_harmless(&site, "GET /files/staff/al%20ice+co/x?dir=/staff/al%20ice+co/x", "");
    assert_escape(&site, "GET /files/staff/al%20ice/x", "", "outside the home");
    assert_escape(&site, "GET /files/staff/al%20ice+co/../../bob", "", "of bob");
}

#[test]
fn case_counts_but_for_windows() {
    let windows = Site { dialect: Dialect::Windows, ..site() };

    assert_escape(&windows, "GET /Files/BOB/x", "", "of bob");
    assert_escape(&windows, "GET /files/bob.::$DATA", "", "of bob");
    assert_harmless(&windows, "GET /files/ALICE/x", "");
}

#[test]
fn identity_of_another_has_escaped() {
    for field in ["X-Forwarded-User: bob\r\n", "REMOTE_USER: bob\r\n", "x.auth.user: a, bob\r\n"] {
        assert_escape(&site(), "GET /files/alice/x", field, "says bob");
    }
    assert_escape(
        &site(),
        "GET /files/alice/x",
        "X_Original_URL: /files/bob\r\n",
        "x-original-url",
    );
    assert_harmless(&site(), "GET /files/alice/x", "X-Forwarded-User: alice\r\nX-Note: bob\r\n");
}

#[test]
fn identity_that_the_gateway_sets_must_arrive() {
    let site = site();
    let read = |fields: &str| {
        Record::read(format!("GET /files/alice/x HTTP/1.1\r\n{fields}\r\n").as_bytes())
    };
    let judge = Judge::new(&site, Some(&read("Remote-User: alice\r\n")));
    let outcome = Outcome::Closed;

    let without = judge.received(&attack(), &[read("Accept: x\r\n")], &outcome);
    let with = judge.received(&attack(), &[read("Remote-User: alice\r\n")], &outcome);

    assert!(matches!(without, Verdict::Escaped(_)), "{without:?}");
    assert!(matches!(with, Verdict::Harmless(_)), "{with:?}");
}

#[test]
fn a_head_with_two_readings_has_escaped() {
    for fields in [
        "Host: y\r\n",
        "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: +1\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "A: b\nC: d\r\n",
        "A: b\r\n c\r\n",
        "A : b\r\n",
        "A: b\rC: d\r\n",
        "A: \0\r\n",
    ] {
        let verdict = verdict(&site(), "GET /files/alice/x", fields);
        assert!(matches!(verdict, Verdict::Escaped(_)), "{fields:?}: {verdict:?}");
    }
}

#[test]
fn what_did_not_arrive_was_refused_or_is_unknown() {
    let site = site();
    let judge = Judge::new(&site, None);
    let of = |outcome: Outcome| judge.received(&attack(), &[], &outcome);
    let status = |status| Outcome::Answered { status, body: Vec::new() };

    assert_eq!(of(status(403)), Verdict::Refused("403".to_owned()));
    assert_eq!(of(Outcome::Closed), Verdict::Refused("closed".to_owned()));
    assert!(matches!(of(Outcome::Silent), Verdict::Inconclusive(_)));
    assert!(matches!(of(status(204)), Verdict::Harmless(_)));
}

#[test]
fn a_canary_or_the_status_of_what_exists_is_an_escape() {
    let site = site();
    let judge = Judge::new(&site, None);
    let answer = |status, body: &str| Outcome::Answered { status, body: body.into() };
    let missing = answer(404, "");

    for (outcome, twin, label) in [
        (answer(200, "a secret b"), None, "escaped"),
        (answer(200, ""), Some(&missing), "escaped"),
        (answer(200, "mine"), Some(&answer(200, "mine")), "harmless"),
        (answer(200, "mine"), None, "inconclusive"),
        (answer(403, ""), Some(&missing), "refused"),
        (Outcome::Closed, None, "inconclusive"),
    ] {
        let verdict = judge.answered(b"secret", &outcome, twin);
        assert_eq!(verdict.label(), label, "{outcome:?}");
    }
}

#[test]
fn tags_and_fields_that_name_something_of_the_other_have_escaped() {
    let site = site();
    for fields in [
        "If: </files/bob/x> (<urn:1>)\r\n",
        "If: (<urn:1>) <http://x/files/bob> (<urn:1>)\r\n",
        "If: </files/alice/../bob> ([\"e\"])\r\n",
    ] {
        assert_escape(&site, "PUT /files/alice/x", fields, "If names");
    }
    assert_harmless(&site, "PUT /files/alice/x", "If: </files/alice/y> (<urn:1>)\r\n");
    assert_harmless(&site, "PUT /files/alice/x", "If: (<http://x/files/bob>)\r\n");

    let judged = |body: &str| {
        let mut record = Record::read(b"POST /files/alice/x HTTP/1.1\r\nHost: x\r\n\r\n");
        record.body = body.into();
        let outcome = Outcome::Answered { status: 200, body: Vec::new() };
        Judge::new(&site, None).received(&attack(), &[record], &outcome)
    };
    for body in [
        r#"{"files":"/bob/x"}"#,
        r#"{"files":["/alice/x","/bob/x"]}"#,
        r#"{"files":"\u002fbob\/x"}"#,
        r#"{"files":"/alice/a","files":"/bob/x"}"#,
        r"{'FILES':'/bob/x'}",
        "dir=/bob/x",
        "dir=/alice/x&DIR[]=%2fbob",
    ] {
        assert!(matches!(judged(body), Verdict::Escaped(_)), "{body}: {:?}", judged(body));
    }
    for body in [r#"{"files":["/alice/x"],"n":1}"#, "dir=/alice/x&x=1", "", "{"] {
        assert!(matches!(judged(body), Verdict::Harmless(_)), "{body}: {:?}", judged(body));
    }
}
