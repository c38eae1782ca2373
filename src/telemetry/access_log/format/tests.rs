use serde_json::{Value, json};

use super::*;
use crate::telemetry::access_log::{Origin, Verdict};

fn from(peer: &str) -> &'static Origin {
    Box::leak(Box::new(Origin::new("main".into(), peer.parse().unwrap())))
}

fn record() -> Record<'static> {
    Record {
        time_unix_ms: 1_795_391_642_007,
        request_id: b"r-1",
        decision_id: Some(b"d-1"),
        origin: from("192.0.2.7:50001"),
        client: None,
        protocol: "HTTP/1.1",
        method: "GET",
        host: Some("files.example.org"),
        path: b"/files/bob/x",
        has_query: true,
        status: 403,
        verdict: Verdict::Deny,
        reason: "outside_home",
        ambiguity: None,
        user: Some("alice"),
        credential: Some("basic"),
        authority: Some("users"),
        route: Some("files"),
        endpoint: None,
        upstream: None,
        request_bytes: 0,
        response_bytes: 120,
        duration_us: 1234,
        first_byte_us: None,
        generation: 7,
        user_agent: Some(b"curl/8.0"),
    }
}

fn as_json(record: &Record<'_>) -> (String, Value) {
    let mut out = Vec::new();
    json(&mut out, &mut Stamp::new(), record);
    let line = String::from_utf8(out).unwrap();
    let value = serde_json::from_str(&line).unwrap();
    (line, value)
}

fn as_text(record: &Record<'_>) -> String {
    let mut out = Vec::new();
    plain(&mut out, &mut Stamp::new(), record);
    String::from_utf8(out).unwrap()
}

#[test]
fn a_refusal_is_one_line_of_json() {
    let (line, value) = as_json(&record());

    assert_eq!(line.matches('\n').count(), 1);
    assert_eq!(
        value,
        json!({
            "time": "2026-11-22T23:54:02.007Z", "log": "access", "request.id": "r-1",
            "decision.id": "d-1", "listener": "main", "peer.address": "192.0.2.7",
            "peer.port": 50001, "protocol": "HTTP/1.1", "method": "GET",
            "host": "files.example.org", "path": "/files/bob/x?…", "status": 403,
            "verdict": "deny", "reason": "outside_home", "user.name": "alice",
            "credential": "basic", "authority": "users", "route": "files",
            "request.bytes": 0, "response.bytes": 120, "duration_us": 1234,
            "generation": 7, "user_agent": "curl/8.0",
        })
    );
}

#[test]
fn allowed_and_denied_have_the_same_fields_where_as_much_is_known() {
    let allowed = Record { verdict: Verdict::Allow, reason: "permitted", ..record() };

    let keys =
        |value: Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    assert_eq!(keys(as_json(&allowed).1), keys(as_json(&record()).1));
}

#[test]
fn what_is_not_known_is_left_out() {
    let unknown = Record { decision_id: None, user: None, host: None, ..record() };

    let (_, line) = as_json(&unknown);

    for key in ["decision.id", "user.name", "host"] {
        assert!(line.get(key).is_none(), "{key}");
    }
}

#[test]
fn a_line_for_people_names_what_is_known() {
    assert_eq!(
        as_text(&record()),
        "2026-11-22T23:54:02.007Z deny 403 GET /files/bob/x?… reason=outside_home user=alice \
         credential=basic authority=users host=files.example.org route=files \
         peer=192.0.2.7:50001 listener=main protocol=HTTP/1.1 bytes=0/120 took=1.234ms \
         generation=7 request=r-1 decision=d-1 agent=curl/8.0\n"
    );
}

#[test]
fn a_name_with_line_ends_escapes_or_bidi_controls_stays_one_harmless_line() {
    let name = "eve\r\n{\"verdict\":\"allow\"}\u{1b}[2J\u{202e}\u{2028}";
    let hostile = Record { user: Some(name), user_agent: Some(name.as_bytes()), ..record() };

    let (line, value) = as_json(&hostile);
    let text = as_text(&hostile);

    assert_eq!(value["user.name"], name);
    for line in [line, text] {
        assert_eq!(line.matches('\n').count(), 1);
        assert!(!line.contains(['\r', '\u{1b}', '\u{202e}', '\u{2028}']));
    }
}

#[test]
fn neither_query_nor_authority_of_a_raw_target_is_shown() {
    for (target, shown) in [
        ("/a?token=s3cret", "/a"),
        ("/a#s3cret", "/a"),
        ("http://eve:s3cret@host/a?x", "/a"),
        ("http://eve:s3cret@host", "/"),
        ("//eve:s3cret@host/a", "//eve:s3cret@host/a"), // a path: an authority needs a scheme
        ("eve:s3cret@host:443", ""),
        ("host:443", "host:443"),
        ("*", "*"),
        ("", ""),
    ] {
        assert_eq!(shown_path(target.as_bytes()), shown.as_bytes(), "{target}");
    }
}

#[test]
fn a_line_is_bounded_whatever_came() {
    let long = "\u{1}".repeat(100_000);
    let hostile = Record {
        request_id: long.as_bytes(),
        method: &long,
        host: Some(&long),
        path: long.as_bytes(),
        user: Some(&long),
        user_agent: Some(long.as_bytes()),
        ..record()
    };

    assert!(as_json(&hostile).0.len() < 12_000);
    assert!(as_text(&hostile).len() < 12_000);
}

#[test]
fn days_become_dates() {
    for (second, text) in [
        (0, "1970-01-01T00:00:00"),
        (951_782_399, "2000-02-28T23:59:59"),
        (951_782_400, "2000-02-29T00:00:00"),
        (951_868_800, "2000-03-01T00:00:00"),
        (4_107_542_399, "2100-02-28T23:59:59"),
        (4_107_542_400, "2100-03-01T00:00:00"),
        (253_402_300_799, "9999-12-31T23:59:59"),
    ] {
        assert_eq!(std::str::from_utf8(&date_time(second)).unwrap(), text);
    }
}

#[test]
fn a_time_beyond_all_calendars_is_no_panic() {
    let mut out = Vec::new();

    Stamp::new().write(&mut out, u64::MAX);

    assert_eq!(out.len(), 24);
}

#[test]
fn addresses_are_written_as_people_know_them() {
    for (peer, shown) in [
        ("[::ffff:192.0.2.1]:80", "192.0.2.1:80"),
        ("[2001:db8::1]:443", "[2001:db8::1]:443"),
        ("0.0.0.0:0", "0.0.0.0:0"),
        ("255.255.255.255:65535", "255.255.255.255:65535"),
    ] {
        let mut out = Vec::new();
        socket(&mut out, peer.parse().unwrap());
        assert_eq!(String::from_utf8(out).unwrap(), shown);
    }
}

#[test]
fn what_had_two_readings_is_told_with_both() {
    let readings = ["a slash within one name", "a separator"];
    let ambiguity = Some(Ambiguity { part: "path", readings });
    let ambiguous = Record { ambiguity, reason: "encoded_slash", status: 400, ..record() };

    let (_, read) = as_json(&ambiguous);
    assert_eq!(read["ambiguous"], "path");
    assert_eq!(read["readings"], json!(readings));
    let mut text = Vec::new();
    plain(&mut text, &mut Stamp::new(), &ambiguous);
    let text = String::from_utf8(text).unwrap();
    let told = " ambiguous=path readings=\"a slash within one name|a separator\"";
    assert!(text.contains(told), "{text}");
    assert_eq!(as_json(&record()).1.get("readings"), None);
}
