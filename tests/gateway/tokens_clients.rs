//! The token endpoints with other people's clients, which know nothing of this code.

use std::process::Command;

use serde_json::json;

use crate::support::configuration::Builder;
use crate::support::endpoint::STORE_SECRET;
use crate::support::gateway::TestGateway;
use crate::support::programs::{available, packaged, python};
use crate::support::tokens::{AUDIENCE, ISSUER};
use crate::support::upstream::TestUpstream;

const IDENTIFIER: &str = "0f3c2a9e-1111-4222-8333-444455556666";

fn before(upstream: &TestUpstream) -> Builder {
    TestGateway::before(upstream)
        .section("endpoints.tokens", "dialect = \"standard\"\nissuer = \"local\"")
        .section("store", &format!("secret = \"{STORE_SECRET}\""))
        .section(
            "roles",
            "reader = [\"files:read\"]\neditor = [\"files:*\", \"tokens:introspect\"]",
        )
}

fn jwthenticator(upstream: &TestUpstream) -> Builder {
    TestGateway::before(upstream)
        .section(
            "endpoints.jwt",
            "dialect = \"jwthenticator\"\nissuer = \"local\"\npath = \"/auth\"\nsets = [\"external\", \"internal\"]",
        )
        .section("store", &format!("secret = \"{STORE_SECRET}\""))
        .signing_with("RS256")
        .with("issuers.local", "bound = false\nclaims = { subject = \"identifier\" }")
}

fn origin(gateway: &TestGateway) -> String {
    format!("https://localhost:{}", gateway.address("tls").port())
}

/// A command that trusts the authority of the tests and nobody else.
fn trusting(gateway: &TestGateway, program: &str) -> Command {
    gateway.files().write("ca.pem", gateway.authority().pem());
    let authority = gateway.files().path("ca.pem");
    let mut command = Command::new(program);
    command.env("SSL_CERT_FILE", &authority).env("REQUESTS_CA_BUNDLE", &authority);
    command
        .env("CURL_CA_BUNDLE", &authority)
        .env("NO_PROXY", "*")
        .current_dir(gateway.files().root());
    command
}

#[track_caller]
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}\n{said}\n{complained}");
    said
}

/// Runs a script of `tests/clients`; it says that all is well.
#[track_caller]
fn script(gateway: &TestGateway, python: &str, name: &str, arguments: &[&str]) {
    let path = format!("{}/tests/clients/{name}.py", env!("CARGO_MANIFEST_DIR"));
    let said = run(trusting(gateway, python).arg(path).args(arguments));
    assert!(said.ends_with(": well\n"), "{said}");
}

#[track_caller]
fn access_token(gateway: &TestGateway, user: &str, password: &str) -> String {
    let grant = [("grant_type", "password"), ("username", user), ("password", password)];
    let tokens = gateway.post_form("/oauth2/token", &grant, &[]).json();
    tokens["access_token"].as_str().unwrap_or_else(|| panic!("{tokens}")).to_owned()
}

#[test]
fn jwthenticators_clients_live_on_a_key() {
    let Some(python) = python() else { return };
    let upstream = TestUpstream::start();
    let gateway = jwthenticator(&upstream).start();
    let origin = origin(&gateway);

    let (endpoints, protected) = (format!("{origin}/auth/"), format!("{origin}/files/x"));
    script(&gateway, &python, "jwthenticator_clients", &[&endpoints, &protected]);

    assert!(!upstream.requests().is_empty());
}

#[test]
fn authlibs_session_keeps_its_tokens_fresh() {
    let Some(python) = python() else { return };
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let token = format!("Bearer {}", access_token(&gateway, "alice", "wonderland-of-alice"));
    let headers = [("Authorization", &*token)];
    let key = gateway.post_json("/account/keys", &json!({ "label": "script" }), &headers).json();

    let (id, key) = (key["id"].as_str().unwrap(), key["key"].as_str().unwrap());
    let arguments = [&origin(&gateway), "alice", "wonderland-of-alice", id, key];
    script(&gateway, &python, "authlib_session", &arguments);
}

#[test]
fn pyjwt_verifies_with_the_published_keys_of_either_dialect() {
    let Some(python) = python() else { return };
    let upstream = TestUpstream::start();
    for algorithm in ["EdDSA", "RS256"] {
        let gateway = before(&upstream).signing_with(algorithm).start();
        let token = access_token(&gateway, "alice", "wonderland-of-alice");
        let keys = format!("{}/.well-known/jwks.json", origin(&gateway));
        script(&gateway, &python, "pyjwt_jwks", &[&keys, &token, ISSUER, AUDIENCE, "alice"]);
    }
    let gateway = jwthenticator(&upstream).start();
    let key = json!({ "key": "a-key", "identifier": IDENTIFIER });
    gateway.post_json("/auth/register_key", &key, &[]);
    let tokens = gateway.post_json("/auth/authenticate", &key, &[]).json();
    let (keys, token) =
        (format!("{}/auth/jwks", origin(&gateway)), tokens["jwt"].as_str().unwrap());
    script(&gateway, &python, "pyjwt_jwks", &[&keys, token, ISSUER, AUDIENCE, IDENTIFIER]);
}

#[test]
fn schemathesis_finds_nothing_that_the_document_does_not_say() {
    let Some(_) = python() else { return };
    let upstream = TestUpstream::start();
    let gateway = before(&upstream)
        .section("throttle", "failures = 1000000\nfailures_per_address = 1000000")
        .start();
    let token = access_token(&gateway, "alice", "wonderland-of-alice");

    let authorization = format!("Bearer {token}");
    let account = || {
        let headers = [("Authorization", &*authorization)];
        gateway.send_tls("GET", "/account", &headers, b"").status
    };
    // What ends the token comes last.
    for (which, after) in [("--exclude-path", 200), ("--include-path", 401)] {
        run(trusting(&gateway, &packaged("schemathesis"))
            .args(["run", &format!("{}/openapi.json", origin(&gateway))])
            .args([which, "/account/logout"])
            .args(["--phases", "examples,coverage,fuzzing", "--max-examples", "15"])
            .args(["--seed", "1", "--workers", "1", "--request-timeout", "20", "--no-shrink"])
            // A grant that is well-formed and not good is a 400 (RFC 6749 §5.2).
            .args(["--exclude-checks", "positive_data_acceptance"])
            .args(["--header", &format!("Authorization: {authorization}")])
            .arg("--tls-verify")
            .arg(gateway.files().path("ca.pem")));
        assert_eq!(account(), after);
    }
}

#[test]
fn curl_logs_in_as_the_documentations_say() {
    if !available("curl") {
        return;
    }
    let upstream = TestUpstream::start();
    let gateway = before(&upstream)
        .section("endpoints.omegaml", "dialect = \"omegaml\"\nissuer = \"local\"")
        .start();
    let origin = origin(&gateway);
    let curl = |arguments: &[&str]| {
        let mut command = trusting(&gateway, "curl");
        command.args(["--silent", "--show-error", "--fail", "--max-time", "20"]).args(arguments);
        let said = run(&mut command);
        serde_json::from_str::<serde_json::Value>(&said).unwrap_or_else(|_| json!(said))
    };

    let tokens = curl(&[
        "-d",
        "grant_type=password&username=alice",
        "--data-urlencode",
        "password=wonderland-of-alice",
        &format!("{origin}/oauth2/token"),
    ]);
    let bearer = format!("Authorization: Bearer {}", tokens["access_token"].as_str().unwrap());
    assert_eq!(curl(&["-H", &bearer, &format!("{origin}/account")])["name"], "alice");
    let key =
        curl(&["-H", &bearer, "--json", r#"{"label":"ci"}"#, &format!("{origin}/account/keys")]);
    let client = format!("{}:{}", key["id"].as_str().unwrap(), key["key"].as_str().unwrap());
    let url = format!("{origin}/oauth2/token");
    let tokens = curl(&["-u", &client, "-d", "grant_type=client_credentials", &url]);
    assert_eq!(tokens["token_type"], "Bearer");

    let login = r#"{"username": "alice@example.org", "password": "wonderland-of-alice"}"#;
    let url = format!("{origin}/token-auth/");
    let json_type = "Content-Type: application/json";
    let token = curl(&["-X", "POST", "-H", json_type, "-d", login, &url])["token"].clone();
    let refresh = json!({ "token": token }).to_string();
    let url = format!("{origin}/token-refresh/");
    let again = curl(&["-X", "POST", "-H", json_type, "-d", &refresh, &url]);
    let bearer = format!("Authorization: Bearer {}", again["token"].as_str().unwrap());
    assert_eq!(curl(&["-H", &bearer, &format!("{origin}/files/x")]), json!("hello"));
}
