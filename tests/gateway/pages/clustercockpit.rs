//! `ClusterCockpit`'s form, session and tokens, with the command lines of its documentation.

use std::process::Command;

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use super::STORE;
use super::visitor::{Visitor, hidden};
use crate::support::configuration::{Builder, USERS};
use crate::support::gateway::TestGateway;
use crate::support::programs::available;
use crate::support::tokens::{SigningKey, Token, now};
use crate::support::upstream::TestUpstream;

const PASSWORD: &str = "wonderland-of-alice";

/// What a token says.
pub(crate) fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64URL_NOPAD.decode(payload.as_bytes()).unwrap()).unwrap()
}

fn gateway(upstream: &TestUpstream) -> Builder {
    let users = USERS.replace(
        "username: root\n    password: root-of-all-things\n    roles: [editor]",
        "username: root\n    password: root-of-all-things\n    roles: [admin, editor]",
    );
    TestGateway::before(upstream)
        .section("store", STORE)
        .section("endpoints.cc", "dialect = \"clustercockpit\"\nissuer = \"local\"")
        .with("roles", "admin = []")
        .users(&users)
}

#[test]
fn the_form_is_answered_as_its_users_know_it() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream).start();
    let alice = Visitor::of(&gateway);

    let page = alice.get("/login?redirect=%2Fmonitoring%2Fjobs%2F");
    for field in ["name=\"username\"", "name=\"password\""] {
        assert!(page.text().contains(field), "{}", page.text());
    }
    assert_eq!(hidden(&page, "redirect").as_deref(), Some("/monitoring/jobs/"));
    let fields = [("username", "alice"), ("password", PASSWORD)];
    let answer = alice.post_with("/login", &fields, &[]);
    assert_eq!((answer.status, answer.header("location")), (302, Some("/")));
    let fields = [&fields[..], &[("redirect", "/monitoring/jobs/?a=b")]].concat();
    let answer = Visitor::of(&gateway).post_with("/login", &fields, &[]);
    assert_eq!(answer.header("location"), Some("/monitoring/jobs/?a=b"));
    let fields = [("username", "alice"), ("password", PASSWORD), ("redirect", "//evil.test")];
    let answer = Visitor::of(&gateway).post_with("/login", &fields, &[]);
    assert_eq!(answer.header("location"), Some("/"));

    let fields = [("username", "alice"), ("password", "wrong")];
    let answer = Visitor::of(&gateway).post_with("/login", &fields, &[]);
    assert_eq!(answer.status, 401);
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    let foreign = alice.post_with("/login", &fields, &[("Sec-Fetch-Site", "cross-site")]);
    assert_eq!(foreign.status, 403);
}

#[test]
fn a_token_is_for_oneself_or_by_an_administrator() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream).start();
    let (alice, root) = (Visitor::of(&gateway), Visitor::of(&gateway));
    alice.log_in("alice", PASSWORD);
    root.log_in("root", "root-of-all-things");

    for path in ["/frontend/jwt/", "/frontend/jwt", "/api/jwt/", "/api/jwt"] {
        let answer = alice.get(&format!("{path}?username=alice"));
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let claims = claims(&answer.text());
        assert_eq!((&claims["sub"], &claims["roles"]), (&json!("alice"), &json!(["editor"])));
        assert!(claims["exp"].as_u64().unwrap() > claims["iat"].as_u64().unwrap());
        assert_eq!(gateway.get("/x").token(&answer.text()).send().status, 200);
    }
    let refused = alice.get("/frontend/jwt/?username=bob");
    assert_eq!((refused.status, &refused.json()["status"]), (403, &json!("Forbidden")));
    let of_bob = root.get("/frontend/jwt/?username=bob");
    assert_eq!(claims(&of_bob.text())["sub"], "bob");
    for name in ["nobody", "carol"] {
        let answer = root.get(&format!("/frontend/jwt/?username={name}"));
        assert_eq!(answer.status, 404, "{name}");
    }
    let nobody = Visitor::of(&gateway).get("/frontend/jwt/?username=alice");
    assert_eq!((nobody.status, &nobody.json()["status"]), (401, &json!("Unauthorized")));
    assert_eq!(root.get("/frontend/jwt/?username=bob&username=alice").status, 400);
    let led = [("Sec-Fetch-Site", "cross-site")];
    assert_eq!(alice.send("GET", "/frontend/jwt/?username=alice", None, &led).status, 403);
}

#[test]
fn a_logout_ends_the_session() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream).start();
    let alice = Visitor::of(&gateway);
    alice.log_in("alice", PASSWORD);
    let cookie = alice.cookie("doorward").unwrap();

    let foreign = alice.post_with("/logout", &[], &[("Origin", "https://evil.test")]);
    assert_eq!(foreign.status, 403);
    assert_eq!(alice.get("/frontend/jwt/").status, 200);
    let answer = alice.post("/logout", &[]);
    assert_eq!(answer.status, 200);
    assert!(alice.cookie("doorward").is_none());
    alice.plant("doorward", &cookie);
    assert_eq!(alice.get("/frontend/jwt/").status, 401);
    assert_eq!(alice.get("/logout").status, 405);
}

#[test]
fn a_token_of_a_trusted_issuer_logs_in_and_no_other() {
    let upstream = TestUpstream::start();
    let trusting = gateway(&upstream).with("endpoints.cc", "login_issuers = [\"local\"]").start();
    let bearer = |gateway: &TestGateway, path: &str, token: &str| {
        let visitor = Visitor::of(gateway);
        let bearer = format!("Bearer {token}");
        let answer = visitor.send("GET", path, None, &[("Authorization", &bearer)]);
        (answer.status, answer.header("location").map(str::to_owned), visitor.cookie("doorward"))
    };
    let good = Token::of("alice").signed();

    let (status, place, cookie) = bearer(&trusting, "/jwt-login?redirect=%2Fjobs", &good);
    assert_eq!((status, place.as_deref()), (302, Some("/jobs")));
    let alice = Visitor::of(&trusting);
    alice.plant("doorward", &cookie.unwrap());
    assert_eq!(claims(&alice.get("/frontend/jwt/").text())["sub"], "alice");
    let posted = Visitor::of(&trusting).post("/jwt-login", &[("login-token", &good)]);
    assert_eq!((posted.status, posted.header("location")), (302, Some("/")));

    for subject in ["nobody", "carol"] {
        let token = Token::of(subject).signed();
        assert_eq!(bearer(&trusting, "/jwt-login", &token).0, 401, "{subject}");
    }
    assert_eq!(bearer(&trusting, "/jwt-login", &good[..good.len() - 2]).0, 401);
    let foreign = Visitor::of(&trusting).post_with(
        "/jwt-login",
        &[("login-token", &good)],
        &[("Origin", "https://evil.test")],
    );
    assert_eq!(foreign.status, 403);
    let in_url = Visitor::of(&trusting).get(&format!("/jwt-login?login-token={good}"));
    assert_eq!(in_url.status, 400);
    assert_eq!(Visitor::of(&trusting).get("/jwt-login").status, 401);
    drop(trusting);
    let other = gateway(&upstream).start();
    assert_eq!(bearer(&other, "/jwt-login", &good), (404, None, None));
}

#[test]
fn a_token_of_a_foreign_issuer_logs_in_where_that_one_is_trusted() {
    let upstream = TestUpstream::start();
    let (portal, stranger) = (SigningKey::ed25519(), SigningKey::ed25519());
    let issuer = "keys = \"portal.pem\"\nissuer = \"https://portal.test\"\naudience = [\"jobs\"]\n\
                  claims = { subject = \"preferred_username\" }";
    let gateway = gateway(&upstream)
        .file("portal.pem", portal.public_pem())
        .section("issuers.portal", issuer)
        .with("endpoints.cc", "login_issuers = [\"portal\"]")
        .start();
    let says = |name: &str| {
        let token = Token::of("4711").claim("iss", "https://portal.test").claim("aud", "jobs");
        token.claim("preferred_username", name)
    };
    let login = |token: &str| {
        let visitor = Visitor::of(&gateway);
        let bearer = format!("Bearer {token}");
        let answer = visitor.send("GET", "/jwt-login", None, &[("Authorization", &bearer)]);
        assert_eq!(visitor.cookie("doorward").is_some(), answer.status == 302);
        (answer.status, visitor)
    };

    let (status, alice) = login(&says("alice").signed_with(&portal));
    assert_eq!(status, 302);
    // What she gets is a token of this gateway, which holds on its own.
    let token = alice.get("/frontend/jwt/").text();
    assert_eq!(claims(&token)["sub"], "alice");
    assert_eq!(gateway.get("/x").token(&token).send().status, 200);
    let posted = says("bob").signed_with(&portal);
    let posted = Visitor::of(&gateway).post("/jwt-login", &[("login-token", &posted)]);
    assert_eq!(posted.status, 302);

    for token in [
        says("alice").signed_with(&stranger),
        says("carol").signed_with(&portal), // is disabled here
        says("4711").signed_with(&portal),
        says("alice").without("preferred_username").signed_with(&portal),
        says("alice").claim("aud", "others").signed_with(&portal),
        says("alice").claim("exp", now() - 3600).signed_with(&portal),
        Token::of("alice").signed(), // our own, whose issuer is not trusted for that
    ] {
        assert_eq!(login(&token).0, 401, "{}", claims(&token));
    }
    gateway.admin("POST", "/users/alice/logout");
    assert_eq!(alice.get("/frontend/jwt/").status, 401);
}

/// Runs a command line of the documentation in a shell, with the address and the authority of
/// this gateway put in; gives what curl printed.
#[track_caller]
fn run(gateway: &TestGateway, line: &str) -> String {
    gateway.files().write("ca.pem", gateway.authority().pem());
    let port = gateway.address("tls").port();
    let curl = format!(
        "curl --silent --show-error --max-time 20 --cacert ca.pem \
         --resolve files.test:{port}:127.0.0.1"
    );
    let line = line.replace("curl", &curl).replace("$CC", &format!("https://files.test:{port}"));
    let output = Command::new("sh")
        .args(["-c", &line])
        .current_dir(gateway.files().root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn curl_logs_in_with_a_cookie_jar_and_takes_a_token() {
    if !available("curl") {
        return;
    }
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream).start();

    let status = run(
        &gateway,
        "curl -c jar -o login -w '%{http_code} %{redirect_url}' \
         -d 'username=alice&password=wonderland-of-alice&redirect=/jobs' $CC/login",
    );
    assert_eq!(status, format!("302 https://files.test:{}/jobs", gateway.address("tls").port()));
    let token = run(&gateway, "curl -b jar \"$CC/frontend/jwt/?username=alice\"");
    assert_eq!(claims(&token)["sub"], "alice");
    gateway.files().write("token", &token);

    for line in [
        "curl -w '%{http_code}' -o x -H \"Authorization: Bearer $(cat token)\" $CC/api/jobs/",
        "curl -w '%{http_code}' -o x -H \"X-Auth-Token: $(cat token)\" $CC/api/jobs/",
        "curl -w '%{http_code}' -o x -X POST -H \"Authorization: Bearer $(cat token)\" \
         -d 'cpu_load,cluster=alex,hostname=a0,type=node value=0.5' \"$CC/api/write?cluster=alex\"",
    ] {
        assert_eq!(run(&gateway, line), "200", "{line}");
    }
    assert_eq!(
        run(&gateway, "curl -w '%{http_code}' -o x -b jar -c jar -X POST $CC/logout"),
        "200"
    );
    assert_eq!(run(&gateway, "curl -w '%{http_code}' -o x -b jar $CC/frontend/jwt/"), "401");
}
