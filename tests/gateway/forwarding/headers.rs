//! Headers on their way: what is removed, what is set, what passes.

use super::bearer;
use crate::support::answer::Answer;
use crate::support::gateway::TestGateway;
use crate::support::message::header_lines;
use crate::support::tokens::Token;
use crate::support::upstream::TestUpstream;

const FORGED: &[&str] = &[
    "X-Forwarded-User",
    "x-forwarded-user",
    "X_Forwarded_User",
    "X.Forwarded.User",
    "X-Forwarded_User",
    "X_Forwarded-User",
    "X-FORWARDED.USER",
    "X-Forwarded-Groups",
    "X_Forwarded_Groups",
    "X-Forwarded-Email",
    "X.Forwarded-Email",
    "X-Forwarded-Roles",
    "X-Forwarded-Home",
    "X_Forwarded_Home",
    "X-Forwarded-Preferred-Username",
    "X-Forwarded-Access-Token",
    "X-Auth-Request-User",
    "X_Auth_Request_User",
    "X-Auth-Request-Email",
    "X-Auth-Request-Groups",
    "X-Auth-Request-Redirect",
    "Remote-User",
    "Remote_User",
    "Remote.User",
    "REMOTE_USER",
    "Remote-Groups",
    "Remote-Name",
    "Remote-Email",
    "X-Remote-User",
    "X-Remote-Group",
    "X-Authenticated-User",
    "X-WebAuth-User",
    "X-Auth-User",
    "X_Auth_User",
    "X.Auth.User",
    "X-Forwarded-Prefix",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Forwarded-Port",
    "X-Forwarded-For",
    "X_Forwarded_Proto",
    "X-Real-IP",
    "X_Real_IP",
    "Forwarded",
    "X-Forwarded-Uri",
    "X-Forwarded-Method",
    "X-Original-URL",
    "X-Rewrite-URL",
    "X-HTTP-Method-Override",
    "X-HTTP-Method",
    "X-Method-Override",
];

#[test]
fn identity_headers_of_clients_are_removed_in_all_spellings() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream)
        .section("routes.open", "upstream = \"files\"\npath = \"/open\"\naccept = [\"anonymous\"]")
        .start();

    for name in FORGED {
        for target in ["/x", "/open"] {
            let mut ask = gateway.get(target).header(name, "forged");
            if target == "/x" {
                ask = ask.bearer("bob"); // who has neither e-mail nor groups
            }
            for response in [ask.send(), ask.send_h2()] {
                assert!(matches!(response.status(), 200 | 400), "{name}: {response:?}");
            }
        }
    }

    for request in upstream.requests() {
        let all = String::from_utf8_lossy(&request.head).into_owned();
        assert!(!all.contains("forged"), "{all}");
        let user = if request.target == "/x" { Some("bob") } else { None };
        assert_eq!(request.header("x-forwarded-user"), user);
        for name in ["x-forwarded-email", "x-forwarded-groups"] {
            assert_eq!(request.header(name), None, "{all}");
        }
    }
}

#[test]
fn connection_cannot_remove_our_headers() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();
    let ours = "X-Forwarded-User, X-Forwarded-Groups, X-Forwarded-For, x-forwarded-proto, Host, X-Real-IP, Forwarded";

    for lines in [
        format!("Connection: close, {ours}"),
        format!("Connection: {}", ours.to_lowercase()),
        "Connection: keep-alive\r\nConnection: x-forwarded-user,\tx-forwarded-groups".to_owned(),
        "Connection:X-Forwarded-User\t,\tX-Forwarded-Groups , authorization".to_owned(),
        "Connection: x_forwarded_user, x-forwarded-host, content-length".to_owned(),
    ] {
        let bytes = format!("GET /x HTTP/1.1\r\nHost: files.test\r\n{}{lines}\r\n\r\n", bearer());
        assert_eq!(gateway.exchange(bytes).status(), 200, "{lines}");
    }

    let requests = upstream.requests();
    assert_eq!(requests.len(), 5);
    for request in requests {
        assert_eq!(request.header("x-forwarded-user"), Some("alice"));
        assert_eq!(request.header("x-forwarded-groups"), Some("staff,ops"));
        assert!(request.header("x-forwarded-for").is_some());
        assert!(request.header("host").is_some());
    }
}

#[test]
fn hop_by_hop_headers_stay_on_their_hop() {
    let upstream = TestUpstream::answering(|_| {
        let headers = [
            ("Connection", "x-hop"),
            ("X-Hop", "upstream"),
            ("Keep-Alive", "timeout=5"),
            ("X-End", "kept"),
        ];
        Answer::status(200, &headers, "hello")
    })
    .start();
    let gateway = TestGateway::before(&upstream).start();

    let bytes = format!(
        "GET /x HTTP/1.1\r\nHost: files.test\r\n{}Connection: keep-alive, X-Hop\r\nX-Hop: client\r\n\
         Keep-Alive: 300\r\nTE: trailers\r\nProxy-Connection: close\r\nProxy-Authorization: Basic eDp5\r\n\
         Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nX-End: kept\r\n\r\n",
        bearer()
    );
    let response = gateway.exchange(bytes);

    assert_eq!(response.status(), 200);
    let seen = upstream.only_request();
    for name in [
        "x-hop",
        "keep-alive",
        "te",
        "proxy-connection",
        "proxy-authorization",
        "upgrade",
        "http2-settings",
    ] {
        assert_eq!(seen.header(name), None, "{name}");
    }
    assert_eq!(seen.header("x-end"), Some("kept"));
    assert_eq!((response.header("x-hop"), response.header("keep-alive")), (None, None));
    assert_eq!(response.header("x-end"), Some("kept"));
}

#[test]
fn forwarded_headers_are_overwritten() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();

    let ask = gateway
        .get("/x")
        .bearer("alice")
        .header("X-Forwarded-For", "forged")
        .header("X-Forwarded-Proto", "forged")
        .header("X-Forwarded-Host", "forged.test")
        .header("X-Forwarded-Port", "1")
        .header("X-Real-IP", "forged")
        .header("Forwarded", "for=forged");
    assert_eq!(ask.send().status(), 200);
    assert_eq!(ask.send_h2().status(), 200);

    let requests = upstream.requests();
    for (request, scheme) in requests.iter().zip(["http", "https"]) {
        assert_eq!(request.header("x-forwarded-for"), Some("127.0.0.1"));
        assert_eq!(request.header("x-real-ip"), Some("127.0.0.1"));
        assert_eq!(request.header("x-forwarded-proto"), Some(scheme));
        assert_eq!(request.header("x-forwarded-host"), Some("files.test"));
        let forwarded = request.header("forwarded").unwrap();
        assert!(
            forwarded.contains("for=127.0.0.1") && forwarded.contains(&format!("proto={scheme}")),
            "{forwarded}"
        );
    }
}

#[test]
fn forwarded_headers_of_trusted_proxies_are_extended() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream)
        .with("server", "trusted_proxies = [\"127.0.0.0/8\"]")
        .start();

    let ask = gateway.get("/x").bearer("alice").header("X-Forwarded-For", "192.0.2.7");
    assert_eq!(ask.header("X-Forwarded-Proto", "https").send().status(), 200);

    let seen = upstream.only_request();
    assert_eq!(seen.header("x-forwarded-for"), Some("192.0.2.7, 127.0.0.1"));
    assert_eq!(seen.header("x-forwarded-proto"), Some("https"));
}

#[test]
fn an_ipv6_peer_is_quoted_where_it_must_be() {
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        return; // a machine without IPv6
    }
    let upstream = TestUpstream::start();
    let gateway =
        TestGateway::before(&upstream).section("listeners.main", "address = \"[::1]:0\"").start();

    assert_eq!(gateway.get("/x").bearer("alice").send().status(), 200);

    let seen = upstream.only_request();
    assert_eq!(seen.header("x-forwarded-for"), Some("::1"));
    let forwarded = seen.header("forwarded").unwrap();
    assert!(forwarded.contains("for=\"[::1]\""), "RFC 7239 §6: {forwarded}");
}

#[test]
fn identity_is_set_in_the_family_that_the_route_names() {
    let upstream = TestUpstream::start();
    let route = |name: &str| {
        format!("upstream = \"files\"\npath = \"/{name}\"\nidentity_headers = \"{name}\"")
    };
    let gateway = TestGateway::before(&upstream)
        .section("routes.a", &route("x-auth-request"))
        .section("routes.b", &route("remote"))
        .section("routes.c", &route("none"))
        .start();

    for target in ["/x-auth-request", "/remote", "/none"] {
        assert_eq!(gateway.get(target).bearer("alice").send().status(), 200);
    }

    let requests = upstream.requests();
    assert_eq!(requests[0].header("x-auth-request-user"), Some("alice"));
    assert_eq!(requests[1].header("remote-user"), Some("alice"));
    assert_eq!(requests[0].header("x-forwarded-user"), None);
    for name in ["x-auth-request-user", "remote-user", "x-forwarded-user"] {
        assert_eq!(requests[2].header(name), None, "{name}");
    }
}

#[test]
fn all_of_the_principal_is_told() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();

    assert_eq!(gateway.get("/x").bearer("alice").send().status(), 200);

    let seen = upstream.only_request();
    let values = ["user", "groups", "email", "roles", "home"]
        .map(|name| seen.header(&format!("x-forwarded-{name}")).unwrap_or("").to_owned());
    assert_eq!(values, ["alice", "staff,ops", "alice@example.org", "editor", "/alice"]);
}

#[test]
fn cookies_and_own_headers_pass() {
    let upstream = TestUpstream::answering(|_| {
        Answer::status(
            200,
            &[("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("X-Own", "here")],
            "hello",
        )
    })
    .start();
    let gateway = TestGateway::before(&upstream).start();

    let ask =
        gateway.get("/x").bearer("alice").header("Cookie", "a=b").header("Accept", "text/plain");
    for response in [ask.send(), ask.send_h2()] {
        assert_eq!(response.all("set-cookie"), ["a=1", "b=2"]);
        assert_eq!(response.header("x-own"), Some("here"));
    }

    for seen in upstream.requests() {
        assert_eq!(seen.header("cookie"), Some("a=b"));
        assert_eq!(seen.header("accept"), Some("text/plain"));
    }
}

#[test]
fn cookie_crumbs_are_joined() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();
    let mut raw = gateway.connect_frames();
    let authorization = format!("Bearer {}", Token::of("alice").signed());

    let fields = [
        (":method", "GET"),
        (":scheme", "https"),
        (":authority", "files.test"),
        (":path", "/x"),
        ("authorization", authorization.as_str()),
        ("cookie", "a=1"),
        ("cookie", "b=2"),
    ];
    raw.headers(1, crate::support::frames::END_STREAM, &fields).unwrap();
    raw.outcome(1);

    assert_eq!(upstream.only_request().header("cookie"), Some("a=1; b=2"));
}

#[test]
fn the_host_is_kept_or_replaced() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream)
        .section("routes.own", "upstream = \"files\"\npath = \"/own\"\nhost = \"upstream\"")
        .start();

    gateway.get("/x").host("FILES.test:8080").bearer("alice").send();
    gateway.get("/own").host("files.test").bearer("alice").send();

    let requests = upstream.requests();
    assert_eq!(
        requests[0].header("host").map(str::to_lowercase).as_deref(),
        Some("files.test:8080")
    );
    assert_eq!(requests[1].header("host"), Some(&*upstream.address().to_string()));
}

#[test]
fn a_request_id_is_made_and_told() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();

    let response = gateway.get("/x").bearer("alice").send();

    let seen = upstream.only_request();
    let id = seen.header("x-request-id").unwrap().to_owned();
    assert!(id.len() >= 16, "{id}");
    assert!(gateway.log_lines(&id).iter().any(|line| line.contains("alice")));
    assert!(response.header("x-request-id").is_none_or(|told| told == id));
}

#[test]
fn the_head_that_is_sent_is_ours() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();

    let bytes = format!("gEt /x HTTP/1.1\r\nHost: files.test\r\n{}\r\n", bearer());
    let odd = gateway.exchange(bytes).status();
    let good = gateway.get("/x").bearer("alice").header("x-ODD-Case", "  spaced  ").send().status();

    assert_eq!((odd, good), (405, 200));
    let seen = upstream.only_request();
    let names = header_lines(&seen.head).into_iter().map(|(name, _)| name.to_lowercase());
    let mut names = names.collect::<Vec<_>>();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count, "a header came twice");
    assert_eq!(seen.header("x-odd-case"), Some("spaced"));
}
