//! Headers that a client must not be able to speak through (section H).

use std::fmt::Write as _;

use serde_json::Value;

use super::exchange::{Streams, authorization, get, is_refusal, status};
use super::spelling::aliases;
use crate::support::answer::Answer;
use crate::support::configuration::Builder;
use crate::support::endpoint::STORE_SECRET;
use crate::support::frames::Outcome;
use crate::support::gateway::TestGateway;
use crate::support::tokens::{SigningKey, Token, basic};
use crate::support::upstream::{Recorded, TestUpstream};

/// By what applications behind gateways learn who it is.
const IDENTITY: &[&str] = &[
    "X-Forwarded-User",
    "X-Forwarded-Groups",
    "X-Forwarded-Email",
    "X-Forwarded-Roles",
    "X-Forwarded-Home",
    "X-Forwarded-Preferred-Username",
    "X-Forwarded-Access-Token",
    "X-Auth-Request-User",
    "X-Auth-Request-Email",
    "X-Auth-Request-Groups",
    "X-Auth-Request-Roles",
    "X-Auth-Request-Home",
    "X-Auth-User",
    "X-Auth-Username",
    "Remote-User",
    "Remote-Groups",
    "Remote-Email",
    "Remote-Name",
    "Remote-Roles",
    "Remote-Home",
    "X-Remote-User",
    "X-WebAuth-User",
    "X-Authenticated-User",
    "X-User",
    "X-Authentik-Username",
    "X-Vouch-User",
    "X-Pomerium-Claim-Email",
    "X-Consumer-Username",
    "X-SSL-Client-CN",
    "SSL-Client-CN",
];

/// By what they learn of the way that a request came.
const WAY: &[&str] = &[
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Forwarded-Port",
    "X-Forwarded-Prefix",
    "X-Forwarded-Uri",
    "X-Forwarded-Method",
    "X-Forwarded-Server",
    "X-Real-IP",
    "X-Client-IP",
    "True-Client-IP",
    "CF-Connecting-IP",
    "Forwarded",
];

/// By what they take a request for another one, or for one that was let through before.
const OVERRIDES: &[&str] = &[
    "X-Original-URL",
    "X-Original-URI",
    "X-Rewrite-URL",
    "X-HTTP-Method-Override",
    "X-HTTP-Method",
    "X-Method-Override",
    "X-Middleware-Subrequest",
    "Proxy",
    "HTTP2-Settings",
];

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

/// Lines of a head that forge every spelling of `name`.
fn forged(name: &str, value: &str) -> String {
    aliases(name).iter().fold(String::new(), |mut lines, name| {
        let _ = write!(lines, "{name}: {value}\r\n");
        lines
    })
}

fn head(request: &Recorded) -> String {
    String::from_utf8_lossy(&request.head).into_owned()
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
            lines.push(format!("Connection: ,,{name},,close,\r\n{name}: forged"));
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

#[test]
fn no_word_about_the_way_opens_what_is_closed() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream)
        .route("permissions = { GET = \"files:read\", \"*\" = \"files:write\" }")
        .section("routes.open", "upstream = \"files\"\npath = \"/open\"\naccept = [\"anonymous\"]\nhosts = [\"open.test\"]")
        .start();
    let values = [
        "/open",
        "GET",
        "https",
        "open.test",
        "127.0.0.1",
        "443",
        "for=127.0.0.1;host=open.test;proto=https",
        "middleware:middleware:middleware",
        "true",
    ];
    let bob = authorization("bob"); // who may read

    for name in WAY.iter().chain(OVERRIDES) {
        for value in values {
            let lines = forged(name, value);
            assert_eq!(status(&gateway, get("/x", &lines)), 401, "{name}: {value}");
            let put = get("/x", &format!("{bob}{lines}")).replace("GET /x", "PUT /x");
            assert_eq!(status(&gateway, put), 403, "{name}: {value}");
        }
    }
    for agent in
        ["GoogleHC/1.0", "kube-probe/1.30", "ELB-HealthChecker/2.0", "Googlebot", "internal", ""]
    {
        for target in ["/", "/x", "/ping", "/healthz", "/ready", "/oauth2/auth", "/favicon.ico"] {
            let status = status(
                &gateway,
                get(target, &format!("User-Agent: {agent}\r\nX-Internal: true\r\n")),
            );
            assert_eq!(status, 401, "{agent} {target}");
        }
    }
    upstream.assert_untouched();
}

#[test]
fn what_a_decision_rests_on_comes_once() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream)
        .route("home = { in = [\"path\", \"header:destination\"], mode = \"require\", root = \"/\" }\naccept = [\"bearer\", \"basic\", \"x-auth-token\"]")
        .start();
    let good = Token::of("alice").signed();
    let bad = "e30.e30.e30";
    let cases = [
        ("Authorization", format!("Bearer {good}"), format!("Bearer {bad}")),
        ("Authorization", format!("Bearer {good}"), basic("alice", "wonderland-of-alice")),
        ("X-Auth-Token", good.clone(), bad.to_owned()),
        ("Destination", "/alice/y".to_owned(), "/bob/y".to_owned()),
        ("Host", "files.test".to_owned(), "other.test".to_owned()),
        ("Content-Length", "0".to_owned(), "5".to_owned()),
        ("Expect", "100-continue".to_owned(), "200-ok".to_owned()),
        ("Transfer-Encoding", "chunked".to_owned(), "identity".to_owned()),
    ];

    for (name, one, two) in &cases {
        for (one, two) in [(one, two), (two, one), (one, one)] {
            let mut all = vec![
                format!("{name}: {one}\r\n{}: {two}\r\n", name.to_lowercase()),
                format!("{name}: {one}\r\nX-Between: x\r\n{}: {two}\r\n", name.to_uppercase()),
            ];
            if *name != "Destination" {
                // In a path a comma is a letter like others.
                all.extend(
                    [", ", ",", "\t,"].map(|comma| format!("{name}: {one}{comma}{two}\r\n")),
                );
            }
            for lines in all {
                let auth =
                    if name.contains("Auth") { String::new() } else { authorization("alice") };
                let host = if *name == "Host" { "" } else { "Host: files.test\r\n" };
                let text = format!("MOVE /alice/x HTTP/1.1\r\n{host}{auth}{lines}\r\n");
                let status = status(&gateway, text);
                assert!(matches!(status, 400 | 401 | 403 | 417 | 501), "{lines}: {status}");
            }
        }
    }
    upstream.assert_untouched();
}

#[test]
fn a_second_token_anywhere_is_one_too_many() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();
    let (alice, bob) = (Token::of("alice").signed(), Token::of("bob").signed());
    let password = basic("alice", "wonderland-of-alice");
    let good = [
        format!("Authorization: Bearer {alice}"),
        format!("X-Auth-Token: {alice}"),
        format!("Authorization: {password}"),
    ];

    for first in &good {
        for second in [
            format!("Authorization: Bearer {bob}"),
            "Authorization: Bearer e30.e30.e30".to_owned(),
            format!("AUTHORIZATION: {}", basic("bob", "wrong")),
            format!("X-Auth-Token: {bob}"),
            "x-auth-token: nonsense".to_owned(),
        ] {
            for lines in [format!("{first}\r\n{second}\r\n"), format!("{second}\r\n{first}\r\n")] {
                assert_eq!(status(&gateway, get("/x", &lines)), 400, "{lines}");
            }
        }
        for name in ["access_token", "%61ccess_token", "access%5Ftoken"] {
            for query in [
                format!("{name}={bob}"),
                format!("a=b&{name}={bob}"),
                name.to_owned(),
                format!("{name}=&a=b"),
            ] {
                let target = format!("/x?{query}");
                assert_eq!(
                    status(&gateway, get(&target, &format!("{first}\r\n"))),
                    400,
                    "{target}"
                );
            }
        }
    }
    for name in ["access_token", "token", "jwt", "api_key", "auth"] {
        assert_eq!(status(&gateway, get(&format!("/x?{name}={alice}"), "")), 401, "{name}");
        assert_eq!(
            status(&gateway, get("/x", &format!("Cookie: {name}={alice}\r\n"))),
            401,
            "{name}"
        );
        let form = format!("{name}={alice}");
        let text = format!(
            "POST /x HTTP/1.1\r\nHost: files.test\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\n\r\n{form}",
            form.len()
        );
        assert_eq!(status(&gateway, text), 401, "{name}");
    }
    upstream.assert_untouched();
}

#[test]
fn a_guesser_is_known_by_the_socket_and_not_by_what_it_says() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream)
        .section(
            "throttle",
            "failures = 3\nfailures_per_address = 6\ndelay = \"5m\"\nmax_delay = \"5m\"",
        )
        .start();
    let ask = |number: usize, user: &str| {
        let address = format!("198.51.100.{number}");
        let lines = format!(
            "{}{}Forwarded: for={address}\r\nAuthorization: {}\r\n",
            forged("X-Forwarded-For", &address),
            forged("X-Real-IP", &address),
            basic(user, "wrong")
        );
        status(&gateway, get("/x", &lines))
    };

    let alice: Vec<_> = (1..6).map(|number| ask(number, "alice")).collect();
    assert_eq!(alice, [401, 401, 401, 429, 429]);
    let others: Vec<_> = (6..16).map(|number| ask(number, &format!("nobody{number}"))).collect();
    assert_eq!(others.last(), Some(&429), "{others:?}");
    upstream.assert_untouched();
    for line in gateway.log_lines("\"reason\":\"throttled\"") {
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["peer.address"], "127.0.0.1");
        assert!(!line.to_string().contains("198.51.100"), "{line}");
    }
}

#[test]
fn no_host_of_a_client_ends_up_in_what_the_gateway_says() {
    let upstream =
        TestUpstream::answering(|_| Answer::status(302, &[("Location", "/files/alice/y")], ""))
            .start();
    let gateway = TestGateway::before(&upstream)
        .route("path = \"/files\"\nhome = { in = [\"path\"], mode = \"rewrite\" }")
        .section(
            "routes.pages",
            "upstream = \"files\"\npath = \"/app\"\naccept = [\"session\"]\nlogin = \"page\"",
        )
        .section("endpoints.page", "dialect = \"page\"\nissuer = \"local\"")
        .section("endpoints.tokens", "dialect = \"standard\"\nissuer = \"local\"\npath = \"/auth\"")
        .section("store", &format!("secret = \"{STORE_SECRET}\""))
        .start();
    let mut lines = String::new();
    for name in [
        "X-Forwarded-Host",
        "X-Forwarded-Proto",
        "X-Forwarded-Port",
        "X-Forwarded-Prefix",
        "X-Host",
        "X-Original-Host",
    ] {
        lines += &format!("{name}: evil.test\r\n{}: evil.test\r\n", name.replace('-', "_"));
    }
    lines += "Forwarded: host=evil.test;proto=evil.test\r\n";
    let alice = authorization("alice");

    for (target, extra) in [
        ("/files/x", alice.as_str()),
        ("/files/../x", &alice),
        ("/app", "Accept: text/html\r\n"),
        ("/login", "Accept: text/html\r\n"),
        ("/auth/.well-known/oauth-authorization-server", ""),
        ("/auth/.well-known/jwks.json", ""),
        ("/auth/openapi.json", ""),
        ("/nowhere", ""),
    ] {
        let mut client = gateway.connect_tls();
        let _ = client.try_send(get(target, &format!("{extra}{lines}")));
        let response = client.response_to("GET").unwrap();
        let all = format!("{:?} {}", response.headers, response.text());
        assert!(!all.contains("evil"), "{target}: {all}");
    }
    for host in ["evil.test", "evil.test:1", "EVIL.test"] {
        // Of a host that the certificate does not hold nothing is said at all.
        let mut client = gateway.connect_tls();
        let _ = client.try_send(get("/login", "").replace("files.test", host));
        assert_eq!(client.response_to("GET").unwrap().status(), 421, "{host}");
    }
}

#[test]
fn a_token_that_is_not_verified_tells_nothing() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream)
        .route("accept = [\"bearer\", \"x-auth-token\", \"basic\", \"anonymous\"]")
        .start();
    let good = || Token::of("root").claim("roles", vec!["editor"]).claim("home", "/");
    let other = SigningKey::Hs256(b"another-secret-that-is-long-enough-for-hs256".to_vec());
    let (head, signature) = {
        let signed = good().signed();
        let (head, signature) = signed.rsplit_once('.').unwrap();
        (head.to_owned(), signature.to_owned())
    };
    let tokens = [
        good().unsigned(),
        good().signed_with(&other),
        good().signed_with(&SigningKey::ed25519()),
        head.clone(),
        format!("{head}."),
        format!("{head}.{}", signature.chars().rev().collect::<String>()),
        format!("{head}.{}", &signature[..signature.len() - 2]),
        good().claim("exp", 1).signed(),
        good().claim("aud", "another").signed(),
    ];

    for token in &tokens {
        for line in [
            format!("Authorization: Bearer {token}"),
            format!("X-Auth-Token: {token}"),
            format!("Authorization: {}", basic("root", token)),
        ] {
            let status = status(&gateway, get("/x", &format!("{line}\r\n")));
            assert!(matches!(status, 401 | 429), "{line}: {status}");
        }
    }
    upstream.assert_untouched();
    // Where nobody's credential is looked at, none tells anything either.
    for name in [
        "X-Id-Token",
        "X-Access-Token",
        "X-JWT-Assertion",
        "X-Amzn-Oidc-Data",
        "X-Goog-IAP-JWT-Assertion",
    ] {
        assert_eq!(status(&gateway, get("/x", &forged(name, &tokens[1]))), 200, "{name}");
    }
    for request in upstream.requests() {
        assert!(!head_holds(&request, &tokens[1]), "{request:?}");
        assert_eq!(request.header("x-forwarded-user"), None);
    }
}

fn head_holds(request: &Recorded, text: &str) -> bool {
    head(request).contains(text)
}

#[test]
fn a_refusal_asks_nobody_else() {
    let upstream = TestUpstream::start();
    let gateway =
        TestGateway::before(&upstream).route("roles = [\"boss\"]\nmethods = [\"GET\"]").start();
    let alice = authorization("alice");

    for (text, expected) in [
        (get("/x", &alice), 403),
        (get("/x", "Authorization: Bearer e30.e30.e30\r\nCookie: a=b\r\n"), 401),
        (get("/x", ""), 401),
        (get("/../x", &alice), 400),
        (get("/x", &alice).replace("GET", "PUT"), 405),
    ] {
        assert_eq!(status(&gateway, &text), expected, "{text}");
    }

    upstream.assert_untouched();
    assert_eq!(upstream.connections(), 0);
}

#[test]
fn no_secret_is_written_down_wherever_it_stands() {
    let upstream = TestUpstream::start();
    let gateway =
        TestGateway::before(&upstream).section("limits", "header_bytes = \"8KiB\"").start();
    let marker = |number: usize| format!("marker-of-a-secret-{number}");
    let token = Token::of("alice").signed();
    let mut number = 0;
    let mut secret = || {
        number += 1;
        marker(number)
    };
    let texts = [
        get("/x", &format!("Authorization: {}\r\n", basic("alice", &secret()))),
        get("/x", &format!("Authorization: Basic {}\r\n", secret())),
        get("/x", &format!("Authorization: Bearer {}\r\n", secret())),
        get("/x", &format!("Authorization: Bearer {token}.{}\r\n", secret())),
        get("/x", &format!("Authorization: {}\r\n", secret())),
        get("/x", &format!("Authorization : Bearer {}\r\n", secret())),
        get(
            "/x",
            &format!("Authorization: Bearer {token}\r\nAuthorization: Bearer {}\r\n", secret()),
        ),
        get("/x", &format!("X-Auth-Token: {}\r\n", secret())),
        get("/x", &format!("X-Api-Key: {}\r\n", secret())),
        get("/x", &format!("Cookie: __Host-doorward={}; a={}\r\n", secret(), secret())),
        get("/x", &format!("Proxy-Authorization: Basic {}\r\n", secret())),
        get(&format!("/x?access_token={}", secret()), ""),
        get(&format!("/x?access_token={}", secret()), &authorization("alice")),
        get(&format!("/../x?password={}", secret()), ""),
        get(&format!("/x?password={}#", secret()), ""),
        get("/x", &format!("Referer: http://files.test/?token={}\r\n", secret())),
        get("/x", &format!("Authorization: Bearer {}\r\nX: {}\r\n", secret(), "x".repeat(9000))),
        format!(
            "POST /x HTTP/1.1\r\nHost: files.test\r\nContent-Length: 40\r\n\r\npassword={:<31}",
            secret()
        ),
        format!("GET http://alice:{}@files.test/x HTTP/1.1\r\nHost: files.test\r\n\r\n", secret()),
        format!("GET /x HTTP/1.1\r\nHost: alice:{}@files.test\r\n\r\n", secret()),
        format!("GET /x HTTP/1.1\nAuthorization: Bearer {}\n\n", secret()),
    ];

    for text in &texts {
        status(&gateway, text);
    }
    assert_eq!(status(&gateway, get("/the-end", "")), 401);
    gateway.log_lines("/the-end");

    let told = [gateway.output(), gateway.metrics(), gateway.status().to_string()].concat();
    for number in 1..=number {
        assert!(!told.contains(&marker(number)), "{number}: {told}");
    }
    let signature = token.rsplit('.').next().unwrap();
    assert!(!told.contains(signature));
}

#[test]
fn a_credential_ends_at_the_gateway_wherever_it_stands() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream)
        .route("accept = [\"bearer\", \"basic\", \"x-auth-token\", \"api-key\", \"anonymous\"]")
        .section("endpoints.tokens", "dialect = \"standard\"\nissuer = \"local\"\npath = \"/auth\"")
        .section("store", &format!("secret = \"{STORE_SECRET}\""))
        .start();
    let token = Token::of("alice").signed();
    let password = basic("alice", "wonderland-of-alice");
    let secrets =
        [token.as_str(), password.trim_start_matches("Basic "), "wonderland", "sealed-by-nobody"];

    for line in [
        format!("Authorization: Bearer {token}"),
        format!("authorization: bearer {token}"),
        format!("AUTHORIZATION: {password}"),
        format!("Authorization: {}", basic("alice", &token)),
        format!("X-Auth-Token: {token}"),
        format!("x-AUTH-token: {token}"),
        format!(
            "Authorization: Bearer {token}\r\nAuthorization_: x\r\nCookie: a=b; doorward-form=sealed-by-nobody; c=d"
        ),
        format!("Authorization: Bearer {token}\r\nProxy-Authorization: {password}"),
        format!("Authorization: Bearer {token}\r\n{}", forged("X-Access-Token", &token).trim_end()),
        format!("Authorization: Bearer {token}\r\nX_Auth_Token: {token}\r\nX.Api.Key: {token}"),
    ] {
        let status = status(&gateway, get("/x", &format!("{line}\r\n")));
        assert!(status == 200 || is_refusal(status), "{line}: {status}");
        assert!(status == 200 || line.contains("X_Auth"), "{line}: {status}");
    }

    assert!(upstream.requests().len() >= 9);
    for request in upstream.requests() {
        let all = head(&request);
        assert!(secrets.iter().all(|secret| !all.contains(secret)), "{all}");
    }
}
