//! Paths, hosts and targets that two readers read differently (section P).

use serde_json::Value;

use super::exchange::{Streams, answer, authorization, get, is_refusal, status};
use super::spelling::{cased, climbs, dots, neighbours, separators, stays_below};
use crate::support::client::Client;
use crate::support::configuration::Builder;
use crate::support::frames::{self, Outcome};
use crate::support::gateway::TestGateway;
use crate::support::upstream::TestUpstream;

const HOMES: &str = "path = \"/files\"\n\
    home = { in = [\"path\", \"header:destination\", \"query:file\"], mode = \"require\" }";

/// One route with homes, and nothing beside it.
fn homes(upstream: &TestUpstream) -> Builder {
    TestGateway::before(upstream).route(HOMES)
}

/// None of `targets` passes with alice's token, and none reaches the upstream.
#[track_caller]
fn nothing_passes(gateway: &TestGateway, upstream: &TestUpstream, targets: &[String]) {
    let authorization = authorization("alice");
    for target in targets {
        let status = status(gateway, get(target, &authorization));
        assert!((400..500).contains(&status), "{target}: {status}");
    }
    upstream.assert_untouched();
    assert_eq!(status(gateway, get("/files/alice/x", &authorization)), 200);
}

#[test]
fn no_spelling_of_a_climb_leads_out_of_a_home() {
    let upstream = TestUpstream::start();
    let gateway = homes(&upstream).start();
    let climbs = climbs();

    assert!(climbs.len() > 600, "{}", climbs.len());
    nothing_passes(&gateway, &upstream, &climbs);
}

#[test]
fn no_spelling_of_a_climb_leads_out_of_a_home_in_any_dialect() {
    for dialect in ["windows", "tomcat", "raw"] {
        let upstream = TestUpstream::answering(|_| crate::support::answer::Answer::ok("hello"))
            .with_raw_paths();
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
fn a_fragment_is_a_part_of_no_target() {
    let upstream = TestUpstream::start();
    let gateway = homes(&upstream).start();
    let authorization = authorization("alice");
    let whole = "/files/alice/x?file=/files/alice/y&z=1";
    let cut = (0..=whole.len()).map(|at| format!("{}#{}", &whole[..at], &whole[at..]));
    let hidden =
        ["/files/bob/x#/../../alice/ok", "/files/alice/x#/../../bob", "#", "/#", "/x.html#.png"]
            .map(str::to_owned);

    for target in cut.chain(hidden) {
        assert_eq!(status(&gateway, get(&target, &authorization)), 400, "{target}");
        let absolute = format!("http://files.test{target}");
        assert_eq!(status(&gateway, get(&absolute, &authorization)), 400, "{absolute}");
    }
    upstream.assert_untouched();
}

/// `:path` with this value, in every way that RFC 7541 §6 has for a literal: with the name by index
/// or as text, plain or in Huffman code, kept in the table or not.
fn written(path: &str, coded: &[u8]) -> Vec<Vec<u8>> {
    let plain = [&[u8::try_from(path.len()).unwrap()], path.as_bytes()].concat();
    let coded = [&[0x80 | u8::try_from(coded.len()).unwrap()], coded].concat();
    let name = [&[5], &b":path"[..]].concat();
    let coded_name = [0x84, 0xb9, 0x58, 0xd3, 0x3f];
    let mut all = Vec::new();
    for kind in [0x00, 0x10, 0x40] {
        for value in [&plain, &coded] {
            all.push([&[kind | 4], &value[..]].concat());
            all.push([&[kind | 5], &value[..]].concat());
            all.push([&[kind], &name[..], value].concat());
            all.push([&[kind], &coded_name[..], value].concat());
        }
    }
    all
}

#[test]
fn a_fragment_is_a_part_of_no_http_2_path_however_it_is_coded() {
    let upstream = TestUpstream::start();
    let gateway = homes(&upstream).start();
    let authorization = format!("Bearer {}", crate::support::tokens::Token::of("alice").signed());
    let head =
        frames::block(&[(":method", "GET"), (":scheme", "https"), (":authority", "files.test")]);
    let tail = frames::block(&[("authorization", &authorization)]);
    // "/x#" and "/x": 011000 1111001 111111111010, and padding.
    let (bad, good) = (written("/x#", &[0x63, 0xcf, 0xfd, 0x7f]), written("/x", &[0x63, 0xcf]));
    let mut streams = Streams::of(&gateway);

    for path in &bad {
        let outcome = streams.block(&[&head[..], path, &tail].concat());
        assert!(outcome.is_refusal(), "{path:?}: {outcome:?}");
        // The name from an entry of the table that was made by a good request.
        let mut streams = Streams::of(&gateway);
        let kept = [&[0x44, 2], &b"/x"[..]].concat();
        streams.block(&[&head[..], &kept, &tail].concat());
        let again = [&[0x0f, 62 - 15, 3], &b"/x#"[..]].concat();
        let outcome = streams.block(&[&head[..], &again, &tail].concat());
        assert!(outcome.is_refusal(), "{outcome:?}");
    }
    upstream.assert_untouched();
    gateway.log_lines("\"reason\":\"fragment\"");
    for path in &good {
        // `/x` is nobody's: that it was read is what the answer says.
        let outcome = streams.block(&[&head[..], path, &tail].concat());
        assert!(matches!(outcome, Outcome::Response(404, _)), "{path:?}: {outcome:?}");
    }
}

#[test]
fn a_fragment_in_pieces_of_a_header_block_is_seen() {
    let upstream = TestUpstream::start();
    let gateway = homes(&upstream).start();
    let authorization = format!("Bearer {}", crate::support::tokens::Token::of("alice").signed());
    let block = frames::block(&[
        (":method", "GET"),
        (":scheme", "https"),
        (":authority", "files.test"),
        (":path", "/files/alice/x#/../../bob"),
        ("authorization", &authorization),
    ]);

    for at in [1, 45, 60, 70, 80, block.len() - 1] {
        let outcome = Streams::of(&gateway).with(|raw, stream| {
            let (left, right) = block.split_at(at);
            let padded = [&[4, 0, 0, 0, 0, 7][..], left, &[0; 4]].concat();
            let flags = frames::END_STREAM | 0x8 | 0x20;
            raw.frame(frames::HEADERS, flags, stream, &padded)?;
            raw.frame(frames::CONTINUATION, frames::END_HEADERS, stream, right)
        });
        assert!(outcome.is_refusal(), "{at}: {outcome:?}");
    }
    upstream.assert_untouched();
}

#[test]
fn a_path_over_http_2_begins_with_a_slash() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();
    let mut streams = Streams::of(&gateway);

    for path in [
        "files/bob/x",
        "?x=/",
        "?",
        "*",
        "",
        ".",
        "..",
        "\\x",
        "%2fx",
        ";/x",
        "@files.test/x",
        ":443/x",
        "http://files.test/x",
        "https://other.test/x",
        "https:/x",
        "files.test:443",
        " /x",
        "\t/x",
        "/x ",
        "/x\u{7f}",
    ] {
        let outcome = streams.get(path, "alice");
        assert!(outcome.is_refusal(), "{path:?}: {outcome:?}");
    }
    upstream.assert_untouched();
}

#[test]
fn what_is_open_to_all_is_decided_on_the_whole_path_and_nothing_else() {
    let upstream = TestUpstream::start();
    let open = "upstream = \"files\"\npath = \"/public\"\naccept = [\"anonymous\"]";
    let gateway = TestGateway::before(&upstream).section("routes.open", open).start();
    let mut targets = Vec::new();
    for glue in [
        "#", "%23", "?", "%3f", "?x=", ";", "%3b", "%00", "%0a", "%20", "%2f", "%5c", "\\", "/",
        "&", ":", "//",
    ] {
        targets.push(format!("/private{glue}/public"));
        targets.push(format!("/private{glue}public"));
        targets.push(format!("/private{glue}/public/x.css"));
    }
    for dots in dots() {
        targets.push(format!("/public/{dots}/private"));
        targets.push(format!("/public{dots}/private"));
        targets.push(format!("/public/{dots};x/private"));
    }
    targets.extend(
        [
            "/publicly",
            "/public2",
            "/Public",
            "/%50ublic",
            "/public%00",
            "/public%2fx",
            "/public\\x",
            "//public",
            "/./public/../private",
            "/public.",
            "/public%2e",
            "/pub/../public/../private",
        ]
        .map(str::to_owned),
    );

    for target in &targets {
        for lines in [
            "",
            "X-Forwarded-Uri: /public\r\nX-Original-URL: /public\r\nUser-Agent: GoogleHC/1.0\r\n",
        ] {
            let status = status(&gateway, get(target, lines));
            assert!((400..500).contains(&status), "{target}: {status}");
        }
    }

    upstream.assert_untouched();
    assert_eq!(status(&gateway, get("/public/x", "")), 200);
    assert_eq!(status(&gateway, get("/private", "")), 401);
}

#[test]
fn the_route_that_decides_is_the_route_that_forwards() {
    let upstreams = [TestUpstream::start(), TestUpstream::start(), TestUpstream::start()];
    let routes = [("all", "/"), ("a", "/a"), ("b", "/a/b")];
    let mut gateway = TestGateway::before(&upstreams[0])
        .section("server", "workers = 1")
        .section("upstreams.files", "")
        .section("routes.all", "");
    for ((name, path), upstream) in routes.iter().zip(&upstreams) {
        let [upstream_section, route_section] = match *name {
            "all" => ["upstreams.all", "routes.all"],
            "a" => ["upstreams.a", "routes.a"],
            _ => ["upstreams.b", "routes.b"],
        };
        gateway = gateway
            .section(upstream_section, &format!("url = \"http://{}\"", upstream.address()))
            .section(route_section, &format!("upstream = \"{name}\"\npath = \"{path}\""));
    }
    let gateway = gateway.start();
    let authorization = authorization("alice");
    let parts = [
        "a", "A", "%61", "b", "%62", "a;b", "a%20", "ab", ".a", "", "..", "%2e%2e", "a%2fb", "a\\b",
    ];
    let mut targets: Vec<_> = parts.iter().map(|one| format!("/{one}")).collect();
    for one in parts {
        for two in parts {
            targets.push(format!("/{one}/{two}"));
            targets.push(format!("/{one}/{two}/x?/a/b"));
        }
    }

    let mut streams = Streams::of(&gateway);
    for (number, target) in targets.iter().enumerate() {
        status(&gateway, get(target, &authorization));
        if number % 4 == 0 {
            streams.get(target, "alice");
        }
    }

    let allowed = || {
        let output = gateway.output();
        let lines = output.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.filter(|line| line["verdict"] == "allow").collect::<Vec<_>>()
    };
    let sent = upstreams.iter().map(|upstream| upstream.requests().len()).sum::<usize>();
    assert!(sent > 100, "{sent}");
    gateway.wait("all lines", || allowed().len() >= sent);
    let allowed = allowed();
    assert_eq!(allowed.len(), sent);
    for ((name, _), upstream) in routes.iter().zip(&upstreams) {
        let decided = allowed.iter().filter(|line| line["route"] == *name);
        let mut decided: Vec<_> =
            decided.map(|line| line["path"].as_str().unwrap().to_owned()).collect();
        let requests = upstream.requests();
        let paths =
            requests.iter().map(|request| request.target.split('?').next().unwrap().to_owned());
        let mut forwarded: Vec<_> = paths.collect();
        decided.sort_unstable();
        forwarded.sort_unstable();
        assert_eq!(decided, forwarded, "{name}");
    }
}

#[test]
fn a_home_put_in_front_never_makes_a_dot_segment() {
    let upstream = TestUpstream::start();
    let rewritten = HOMES.replace("require", "rewrite");
    let gateway = TestGateway::before(&upstream).route(&rewritten).start();
    let authorization = authorization("alice");
    let mut targets = Vec::new();
    for dots in dots() {
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
            value = crate::support::lint::percent_decode(&value);
        }
    }
}

#[test]
fn a_letter_has_one_case_whether_it_is_encoded_or_not() {
    for (dialect, folds) in [("posix", false), ("windows", true)] {
        let upstream = TestUpstream::start();
        let admin = format!(
            "upstream = \"files\"\npath = \"/adm\"\nroles = [\"boss\"]\npaths = \"{dialect}\""
        );
        let gateway = TestGateway::before(&upstream).section("routes.admin", &admin).start();
        let authorization = authorization("alice");

        for (written, meant) in cased("adm") {
            for tail in ["", "/x"] {
                let status = status(&gateway, get(&format!("/{written}{tail}"), &authorization));
                if meant == "adm" {
                    assert_eq!(status, 403, "{dialect} {written}");
                } else if folds {
                    assert_eq!(status, 400, "{dialect} {written}");
                } else {
                    assert_eq!(status, 200, "{dialect} {written}");
                }
            }
        }
        let seen = upstream.requests();
        assert!(seen.iter().all(|request| !request.target.starts_with("/adm")), "{seen:#?}");
        assert_eq!(seen.is_empty(), folds);
    }
}

#[test]
fn a_host_has_one_spelling_among_few_routes_and_many() {
    for count in [1, 200] {
        let upstream = TestUpstream::start();
        let mut many = String::new();
        for number in 1..count {
            use std::fmt::Write as _;
            let _ = write!(
                many,
                "\n[routes.exact{number}]\nupstream = \"files\"\nhosts = [\"h{number}.test\", \"*.w{number}.test\"]\nmethods = [\"PUT\"]"
            );
        }
        let gateway = TestGateway::before(&upstream)
            .section("routes.all", "")
            .section("routes.local", &format!("upstream = \"files\"\nhosts = [\"localhost\", \"*.wild.test\"]\nmethods = [\"GET\"]{many}"))
            .start();
        let authorization = authorization("alice");
        let ask = |host: &str| {
            status(&gateway, format!("GET /x HTTP/1.1\r\nHost: {host}\r\n{authorization}\r\n"))
        };

        for host in [
            "localhost",
            "LOCALHOST",
            "LocalHost",
            "localhost.",
            "LOCALHOST.",
            "localhost:80",
            "LOCALhost.:8080",
            "localhost:",
        ] {
            assert_eq!(ask(host), 200, "{host} among {count}");
        }
        for host in ["a.wild.test", "A.WILD.TEST", "a.Wild.test.", "A.wild.test:1"] {
            assert_eq!(ask(host), 200, "{host} among {count}");
        }
        let reached = upstream.requests().len();
        for host in [
            "localhos",
            "localhost2",
            "xlocalhost",
            "localhost.evil",
            "localhost..",
            ".localhost",
            "wild.test",
            "a.b.wild.test",
            "a.wild.test.evil",
            "%6cocalhost",
            "locaſhost",
            "l\u{f6}calhost",
        ] {
            assert!(matches!(ask(host), 400 | 404 | 421), "{host} among {count}");
        }
        if count > 1 {
            for host in ["h150.test", "H150.TEST.", "x.w150.test", "X.W150.test."] {
                assert_eq!(ask(host), 405, "{host}");
            }
        }
        assert_eq!(upstream.requests().len(), reached);
    }
}

#[test]
fn a_letter_whose_length_changes_with_its_case_moves_no_boundary() {
    let upstream = TestUpstream::start();
    let windows = HOMES.to_owned() + "\npaths = \"windows\"";
    let users = "users:\n  - username: alice\n    password: wonderland-of-alice\n    home: /alice\n\
                 \x20 - username: ipek\n    password: ipek-and-her-home\n    home: /İpek\n";
    let gateway = TestGateway::before(&upstream)
        .route("roles = [\"nobody\"]")
        .section(
            "routes.windows",
            &format!("upstream = \"files\"\n{}", windows.replace("/files", "/win")),
        )
        .section("routes.files", &format!("upstream = \"files\"\n{HOMES}"))
        .users(users)
        .start();
    let authorization = authorization("alice");
    let letters = ["İ", "ſ", "\u{212a}", "ß", "ŉ", "ǰ", "ΐ", "\u{212b}", "ﬃ", "Ⱥ", "I\u{307}", "ẞ"];

    for letter in letters {
        let encoded: String = letter.bytes().map(|byte| format!("%{byte:02X}")).collect();
        for letter in [letter, &encoded] {
            for root in ["files", "win"] {
                for target in [
                    format!("/{letter}/{root}/bob/x"),
                    format!("/{letter}{root}/bob/x"),
                    format!("/{root}/{letter}alice/x"),
                    format!("/{root}/alice{letter}/x"),
                    format!("/{root}{letter}/alice/x"),
                    format!("/{root}/a{letter}ice/x"),
                    format!("/{root}/{letter}/../bob/x"),
                ] {
                    let status = status(&gateway, get(&target, &authorization));
                    assert!((400..500).contains(&status), "{target}: {status}");
                }
            }
        }
    }
    upstream.assert_untouched();
    let ipek = gateway.get("/files/%C4%B0pek/K/ſ").basic("ipek", "ipek-and-her-home").send();
    assert_eq!(ipek.status(), 200);
    assert_eq!(upstream.only_request().target, "/files/%C4%B0pek/K/%C5%BF");
}

#[test]
fn a_question_about_a_malformed_target_is_answered_with_no() {
    let upstream = TestUpstream::start();
    let proxies = "dialect = \"forward-auth\"";
    let gateway = homes(&upstream).section("endpoints.proxies", proxies).start();
    let authorization = authorization("alice");
    let ask = |target: &str| {
        let mut client = Client::tcp(gateway.address("main"));
        let _ = client.try_send(format!(
            "GET /auth/nginx HTTP/1.1\r\nHost: files.test\r\n{authorization}X-Original-Method: GET\r\n\
             X-Original-Host: files.test\r\nX-Original-URI: {target}\r\n\r\n"
        ));
        client.response_to("GET").map_or(0, |response| response.status())
    };

    let good = "/files/alice/x";
    assert_eq!(ask(good), 200);
    for byte in
        (0x01..0x20_u8).chain([b' ', b'#', b'%', 0x7f, b'\\', b'"', b'<', b'>', b'`', b'^', b'|'])
    {
        for at in [0, 1, 7, 13, good.len()] {
            let (left, right) = good.split_at(at);
            let target = format!("{left}{}{right}", char::from(byte));
            // White space around a value is no part of it.
            if target.trim() != good {
                let status = ask(&target);
                assert!(
                    is_refusal(status) || stays_below(&target, "/files/alice"),
                    "{target:?}: {status}"
                );
                assert!(
                    is_refusal(status) || !b"#%\\\x7f ".contains(&byte),
                    "{target:?}: {status}"
                );
            }
        }
    }
    for target in [
        "",
        "%zz",
        "/%zz",
        "/files/alice/%",
        "/files/alice/%2",
        "*",
        "x",
        "?",
        "http://",
        "//",
        "/files/alice/%ff",
        "/files/alice/\u{7f}",
    ] {
        assert!(is_refusal(ask(target)), "{target:?}");
    }
    for target in climbs().iter().step_by(5) {
        assert!(is_refusal(ask(target)), "{target}");
    }
    upstream.assert_untouched();
}

#[test]
fn a_host_is_a_name_and_a_port_and_nothing_else() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();
    let authorization = authorization("alice");
    let host = "files.test";
    let mut hosts = Vec::new();
    for byte in "\u{1}\t !\"#$%&'()*+,/;<=>?@[\\]^`{|}~\u{7f}\u{80}".chars() {
        for at in [0, 1, 5, host.len()] {
            let (left, right) = host.split_at(at);
            hosts.push(format!("{left}{byte}{right}"));
        }
        hosts.push(format!("{host}:80{byte}"));
        hosts.push(format!("{host}{byte}evil.test"));
        hosts.push(format!("[::1{byte}]"));
    }
    hosts.extend(
        ["0", "65536", "99999", "080", "+80", "-1", "8 0", "80,81", "0x50", "٣"]
            .map(|port| format!("{host}:{port}")),
    );
    hosts.extend(
        ["", ".", "..", "a..test", ".a.test", ":80", "::1", "[::1", "[]", "[::1]x", "a:80:80"]
            .map(str::to_owned),
    );
    hosts.extend(["a".repeat(64), "a.".repeat(127) + "test"]);

    for host in &hosts {
        if host.trim() == "files.test" || host.trim() == "files.test:80" || host.trim() == "[::1]" {
            continue; // white space around a value is no part of it
        }
        for target in ["/x", "http://files.test/x"] {
            let text = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n{authorization}\r\n");
            let status = status(&gateway, text);
            assert!(matches!(status, 0 | 400 | 421), "{host:?}: {status}");
        }
        let absolute =
            format!("GET http://{host}/x HTTP/1.1\r\nHost: files.test\r\n{authorization}\r\n");
        let status = status(&gateway, absolute);
        assert!(is_refusal(status), "{host:?}: {status}");
    }
    for lines in
        ["", "Host: files.test\r\nHost: files.test\r\n", "Host: a.test\r\nhost: files.test\r\n"]
    {
        assert_eq!(status(&gateway, format!("GET /x HTTP/1.1\r\n{lines}{authorization}\r\n")), 400);
    }
    upstream.assert_untouched();
}

#[test]
fn a_target_has_the_form_that_its_method_has() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();
    let authorization = authorization("alice");

    for method in
        ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PROPFIND", "MOVE", "CONNECT", "TRACE"]
    {
        for target in [
            "*",
            "*/x",
            "x",
            "admin",
            "files.test:80",
            "host:80",
            "?x",
            "@/x",
            ";x",
            ":80",
            ".",
            "..",
            "\\x",
            "http:",
            "http:/x",
            "http:///x",
            "http://",
            "https:x",
            "//",
            "ftp://files.test/x",
            "urn:x:y",
            "http://u@files.test/x",
            "http://files.test@evil/x",
            "http://evil.test/x",
            "file:///x",
        ] {
            let text = format!(
                "{method} {target} HTTP/1.1\r\nHost: files.test\r\n{authorization}Content-Length: 0\r\n\r\n"
            );
            let status = answer(&gateway, text).map_or(0, |response| response.status());
            assert!(is_refusal(status), "{method} {target}: {status}");
        }
    }
    for method in ["CONNECT", "TRACE", "TRACK", "connect", "trace"] {
        for target in ["/", "/x", "files.test:443"] {
            let text =
                format!("{method} {target} HTTP/1.1\r\nHost: files.test\r\n{authorization}\r\n");
            let status = status(&gateway, text);
            assert!(matches!(status, 400 | 405), "{method} {target}: {status}");
        }
    }
    upstream.assert_untouched();
}
