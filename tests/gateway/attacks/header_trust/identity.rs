//! Who somebody is, is told by the gateway alone.

use super::super::exchange::{Streams, authorization, get, status};
use super::super::spelling::aliases;
use super::{IDENTITY, OVERRIDES, WAY, forged, head};
use crate::support::configuration::Builder;
use crate::support::frames::Outcome;
use crate::support::gateway::TestGateway;
use crate::support::tokens::Token;
use crate::support::upstream::TestUpstream;

/// A route for each family of identity headers, and one for everybody.
fn families(upstream: &TestUpstream) -> Builder {
    let route = |family: &str| {
        format!("upstream = \"files\"\npath = \"/{family}\"\nidentity_headers = \"{family}\"")
    };
    TestGateway::before(upstream)
        .section("routes.a", &route("x-auth-request"))
        .section("routes.b", &route("remote"))
        .section("routes.c", &route("none"))
        .section("routes.open", "upstream = \"files\"\npath = \"/open\"\naccept = [\"anonymous\"]")
}

#[test]
fn no_spelling_of_a_header_of_ours_gets_through() {
    let upstream = TestUpstream::start();
    let gateway = families(&upstream).start();
    // Dave has nothing but his name: nothing of ours overwrites what is forged.
    let (alice, dave) = (authorization("alice"), authorization("dave"));

    for name in IDENTITY.iter().chain(WAY).chain(OVERRIDES) {
        let lines = forged(name, "forged");
        for target in ["/x", "/x-auth-request", "/remote", "/none", "/open"] {
            let by = if target == "/open" { "" } else { &dave };
            let status = status(&gateway, get(target, &format!("{lines}{by}")));
            assert_eq!(status, 200, "{name} {target}");
        }
        let status = status(&gateway, get("/x", &format!("{alice}{lines}")));
        assert_eq!(status, 200, "{name}");
    }

    let mut names = std::collections::BTreeMap::new();
    for request in upstream.requests() {
        let all = head(&request);
        assert!(!all.contains("forged"), "{all}");
        for (name, value) in &request.headers {
            let user = name.ends_with("-user").then_some(value.as_str());
            assert!(user.is_none_or(|user| user == "alice" || user == "dave"), "{all}");
        }
        *names.entry(request.target.clone()).or_insert(0) += 1;
        let user = request.headers.iter().filter(|(name, _)| name.ends_with("-user")).count();
        let expected = usize::from(!matches!(request.target.as_str(), "/none" | "/open"));
        assert_eq!(user, expected, "{all}");
    }
    assert_eq!(names.len(), 5);
}

#[test]
fn no_spelling_of_a_header_of_ours_gets_through_over_http_2() {
    let upstream = TestUpstream::start();
    let gateway = families(&upstream).start();
    let token = format!("Bearer {}", Token::of("dave").signed());
    let mut streams = Streams::of(&gateway);

    for name in IDENTITY.iter().chain(WAY).chain(OVERRIDES) {
        let names: Vec<_> = aliases(name).iter().map(|name| name.to_lowercase()).collect();
        let mut fields = vec![
            (":method", "GET"),
            (":scheme", "https"),
            (":authority", "files.test"),
            (":path", "/x"),
            ("authorization", &token),
        ];
        fields.extend(names.iter().map(|name| (name.as_str(), "forged")));
        let outcome = streams.fields(&fields);
        assert!(matches!(outcome, Outcome::Response(200, _)), "{name}: {outcome:?}");
    }

    for request in upstream.requests() {
        assert!(!head(&request).contains("forged"), "{}", head(&request));
        assert_eq!(request.header("x-forwarded-user"), Some("dave"));
    }
}

#[test]
fn the_names_of_identity_headers_are_not_for_operators_to_misspell() {
    for family in
        ["x-AUTH_user", "X-Forwarded", "x_forwarded", "X-Forwarded-User", "remote_user", ""]
    {
        let upstream = TestUpstream::start();
        let said = TestGateway::before(&upstream)
            .route(&format!("identity_headers = \"{family}\""))
            .fail_to_start();
        assert!(said.contains("identity_headers"), "{said}");
    }
}

#[test]
fn connection_takes_away_nothing_that_is_ours() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();
    let alice = authorization("alice");
    let ours = [
        "X-Forwarded-User",
        "X-Forwarded-Groups",
        "X-Forwarded-Email",
        "X-Forwarded-Roles",
        "X-Forwarded-Home",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Forwarded-Proto",
        "X-Real-IP",
        "Forwarded",
        "X-Request-Id",
        "Host",
        "Authorization",
        "Content-Length",
    ];
    let mut lines = Vec::new();
    for name in ours {
        for name in
            [name.to_owned(), name.to_lowercase(), name.to_uppercase(), name.replace('-', "_")]
        {
            lines.push(format!("Connection: close, {name}"));
            lines.push(format!("connection:\t{name}\t,\tclose"));
            lines.push(format!("CONNECTION: {name}\r\nConnection: close\r\nconnection: {name}"));
            // A request id is taken over from clients.
            if !name.eq_ignore_ascii_case("X-Request-Id") {
                lines.push(format!("Connection: ,,{name},,close,\r\n{name}: forged"));
            }
        }
    }
    let all = ours.join(", ");
    lines.push(format!("Connection: {all}"));

    let mut passed = 0;
    for line in &lines {
        let status = status(&gateway, get("/x", &format!("{alice}{line}\r\n")));
        // A second Host, Authorization or Content-Length is refused for itself.
        assert!(status == 200 || status == 400, "{line}: {status}");
        passed += usize::from(status == 200);
    }

    assert!(passed > lines.len() * 9 / 10, "{passed}");
    let requests = upstream.requests();
    assert_eq!(requests.len(), passed);
    for request in requests {
        let values = ["user", "groups", "email", "roles", "home"]
            .map(|name| request.header(&format!("x-forwarded-{name}")).unwrap_or("").to_owned());
        assert_eq!(values, ["alice", "staff,ops", "alice@example.org", "editor", "/alice"]);
        for name in [
            "x-forwarded-for",
            "x-forwarded-host",
            "x-forwarded-proto",
            "x-real-ip",
            "forwarded",
            "x-request-id",
            "host",
        ] {
            assert!(request.header(name).is_some(), "{name} is gone: {}", head(&request));
        }
        assert!(!head(&request).contains("forged"));
    }
}
