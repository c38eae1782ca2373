//! The form of a target, and what is decided on.

use serde_json::Value;

use super::super::exchange::{Streams, authorization, get, is_refusal, status};
use super::super::spelling::{climbs, dots, stays_below};
use super::homes;
use crate::support::client::Client;
use crate::support::gateway::TestGateway;
use crate::support::upstream::TestUpstream;

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
    for dots in dots().into_iter().step_by(2) {
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

fn without_query(target: &str) -> String {
    target.split('?').next().unwrap().to_owned()
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
            decided.map(|line| without_query(line["path"].as_str().unwrap())).collect();
        let requests = upstream.requests();
        let paths = requests.iter().map(|request| without_query(&request.target));
        let mut forwarded: Vec<_> = paths.collect();
        decided.sort_unstable();
        forwarded.sort_unstable();
        assert_eq!(decided, forwarded, "{name}");
    }
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
            let status = status(&gateway, text);
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
