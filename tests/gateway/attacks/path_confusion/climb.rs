//! Ways out of a home, and into what is nearly one.

use super::super::exchange::{Streams, authorization, get, status};
use super::super::spelling::{climbs, dots, neighbours, separators, stays_below};
use super::{HOMES, homes, nothing_passes};
use crate::support::answer::Answer;
use crate::support::frames::Outcome;
use crate::support::gateway::TestGateway;
use crate::support::lint::percent_decode;
use crate::support::upstream::TestUpstream;

#[test]
fn no_spelling_of_a_climb_leads_out_of_a_home() {
    let upstream = TestUpstream::start();
    let gateway = homes(&upstream).start();
    let climbs = climbs();

    assert!(climbs.len() > 600, "{}", climbs.len());
    nothing_passes(&gateway, &upstream, &climbs);
}

#[test]
fn no_pattern_in_a_value_leads_out_of_a_home() {
    let upstream = TestUpstream::start();
    let gateway = homes(&upstream).start();
    let refused = [
        ".*/bob",
        ".%3F/bob",
        ".%5B.%5D/bob",
        "%5B!a%5D%5B!a%5D/bob",
        "%5Ba/%5D..%3Bx",
        "%7Bx,../bob%7D",
        "%7Bx,/y%7D",
        "@(..%7Cx)/bob",
        ".%252a/bob",
        "..%3Bx",
        "..%2B/bob",
        "%EF%BC%8E*/bob",
        "%EF%BC%8E***%2500",
    ];
    let targets = refused.map(|value| format!("/files/alice/x?file=/alice/{value}"));

    nothing_passes(&gateway, &upstream, &targets);

    for value in
        ["*.%7Bjpg,png%7D", ".cache/%5Bab%5D*", "disk%3F.*", "%5BA%20b%5D%20c%20(live).mp3"]
    {
        let target = format!("/files/alice/x?file=/alice/{value}");
        assert_eq!(status(&gateway, get(&target, &authorization("alice"))), 200, "{target}");
    }
}

#[test]
fn no_spelling_of_a_climb_leads_out_of_a_home_in_any_dialect() {
    for dialect in ["windows", "tomcat", "raw"] {
        let upstream = TestUpstream::answering(|_| Answer::ok("hello")).with_raw_paths();
        let upstream = upstream.start();
        let gateway =
            homes(&upstream).with("routes.all", &format!("paths = \"{dialect}\"")).start();
        let authorization = authorization("alice");
        let mut blanks = dots();
        blanks.truncate(20);
        let blanks = blanks.iter().map(|dots| format!("/files/alice/{dots}%20/bob/x"));

        for target in climbs().into_iter().step_by(3).chain(blanks) {
            status(&gateway, get(&target, &authorization));
        }

        for request in upstream.requests() {
            let target = request.target;
            assert!(stays_below(&target, "/files/alice"), "{dialect}: {target}");
            assert!(dialect == "raw" || !target.contains(";.."), "{dialect}: {target}");
        }
    }
}

#[test]
fn no_spelling_of_a_climb_leads_out_of_a_home_over_http_2() {
    let upstream = TestUpstream::start();
    let gateway = homes(&upstream).start();
    let mut streams = Streams::of(&gateway);

    for path in climbs().iter().step_by(3).chain(&separators()) {
        let outcome = streams.get(path, "alice");
        assert!(outcome.is_refusal(), "{path}: {outcome:?}");
    }

    upstream.assert_untouched();
    assert!(matches!(streams.get("/files/alice/x", "alice"), Outcome::Response(200, _)));
}

#[test]
fn encoded_reserved_characters_before_a_climb_are_refused() {
    let upstream = TestUpstream::start();
    let gateway = homes(&upstream).start();
    let mut targets = Vec::new();
    for encoded in ["%2f", "%5c", "%00", "%3b", "%25", "%3f", "%23"] {
        for encoded in [encoded.to_owned(), encoded.to_uppercase(), encoded.replace('%', "%25")] {
            for climb in ["../bob", "%2e%2e/bob", "..%2fbob", "./../bob"] {
                targets.push(format!("/files/alice/{encoded}/{climb}/x"));
                targets.push(format!("/files/alice/x{encoded}/../{climb}/x"));
                targets.push(format!("/files/alice{encoded}/{climb}/x"));
                targets.push(format!("/files{encoded}/../files/alice/{climb}/x"));
            }
        }
    }

    let authorization = authorization("alice");
    for target in &targets {
        assert_eq!(status(&gateway, get(target, &authorization)), 400, "{target}");
    }
    upstream.assert_untouched();
}

#[test]
fn nothing_but_a_slash_separates_and_one_is_enough() {
    let upstream = TestUpstream::start();
    let gateway = homes(&upstream).start();

    nothing_passes(&gateway, &upstream, &separators());
}

#[test]
fn a_name_that_is_nearly_a_home_is_another_name() {
    let upstream = TestUpstream::start();
    let gateway = homes(&upstream).start();
    let names = neighbours("alice").into_iter().chain(neighbours("bob"));
    let targets: Vec<_> =
        names.flat_map(|name| [format!("/files/{name}/x"), format!("/files/{name}")]).collect();

    nothing_passes(&gateway, &upstream, &targets);
    let rooted = neighbours("files").into_iter().map(|name| format!("/{name}/alice/x"));
    let authorization = authorization("alice");
    for target in rooted {
        let status = status(&gateway, get(&target, &authorization));
        assert!((400..500).contains(&status), "{target}: {status}");
    }
    assert_eq!(upstream.only_request().target, "/files/alice/x");
}

#[test]
fn a_home_put_in_front_never_makes_a_dot_segment() {
    let upstream = TestUpstream::start();
    let rewritten = HOMES.replace("require", "rewrite");
    let gateway = TestGateway::before(&upstream).route(&rewritten).start();
    let authorization = authorization("alice");
    let mut targets = Vec::new();
    for dots in dots().into_iter().step_by(2) {
        targets.push(format!("/files{dots}/bob/x"));
        targets.push(format!("/files/{dots}/bob/x"));
        targets.push(format!("/files/{dots}bob"));
        targets.push(format!("/files/x/{dots}/{dots}/bob"));
        targets.push(format!("/files/x?file=/{dots}/bob/x"));
    }

    for target in targets.iter().chain(&climbs()).chain(&separators()) {
        status(&gateway, get(target, &authorization));
    }

    for request in upstream.requests() {
        assert!(stays_below(&request.target, "/files/alice"), "{}", request.target);
        let query = request.target.split_once('?').map_or("", |(_, query)| query);
        let mut value = query.trim_start_matches("file=").as_bytes().to_vec();
        for _ in 0..3 {
            let text = String::from_utf8_lossy(&value).into_owned();
            assert!(!text.split(['/', '\\']).any(|part| part == ".."), "{}", request.target);
            value = percent_decode(&value);
        }
    }
}
