//! `docs/tokens.md`: the checks that a service makes for itself, in four languages, accept what the
//! gateway issues and refuse everything else.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::configuration::Builder;
use crate::support::gateway::TestGateway;
use crate::support::programs::{available, python};
use crate::support::upstream::TestUpstream;

/// The Rust of the document, as it stands there: a test says so.
mod documented {
    use jsonwebtoken::jwk::JwkSet;
    use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};

    #[derive(serde::Deserialize)]
    struct Claims {
        sub: String,
    }

    /// Whom a token proves; `set` is what `/.well-known/jwks.json` answered.
    pub(super) fn subject(set: &JwkSet, token: &str) -> Option<String> {
        let kid = decode_header(token).ok()?.kid?;
        let key = DecodingKey::from_jwk(set.find(&kid)?).ok()?;
        let mut rules = Validation::new(Algorithm::EdDSA); // ours, never the token's
        rules.set_audience(&["doorward"]);
        rules.set_issuer(&["https://gateway.example.org"]);
        rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        Some(decode::<Claims>(token, &key, &rules).ok()?.claims.sub)
    }
}

fn document(language: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/tokens.md");
    let text = fs::read_to_string(path).unwrap();
    let (_, below) = text.split_once(&format!("\n```{language}\n")).unwrap();
    below.split_once("\n```").unwrap().0.to_owned()
}

/// A gateway that signs with Ed25519, and publishes the key.
fn gateway(upstream: &TestUpstream) -> TestGateway {
    let builder: Builder = TestGateway::before(upstream);
    let keys = builder.root().join("keys");
    let made = Command::new(env!("CARGO_BIN_EXE_doorward"))
        .args(["key", "generate", "--name", "first", "--out"])
        .arg(&keys)
        .output()
        .unwrap();
    assert!(made.status.success());
    let issuer =
        "keys = \"keys\"\nissuer = \"https://gateway.example.org\"\naudience = [\"doorward\"]";
    builder
        .section("issuers.keys", issuer)
        .section("endpoints.tokens", "dialect = \"standard\"\nissuer = \"keys\"")
        .start()
}

/// A good token of alice, and others that must not hold.
fn tokens(gateway: &TestGateway) -> (String, Vec<String>) {
    let issue = |issuer: &str| {
        let issued = Command::new(env!("CARGO_BIN_EXE_doorward"))
            .args(["token", "issue", "--user", "alice", "--issuer", issuer, "--config"])
            .arg(gateway.files().path("doorward.toml"))
            .env_clear()
            .output()
            .unwrap();
        String::from_utf8(issued.stdout).unwrap().trim().to_owned()
    };
    let good = issue("keys");
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let (header, payload) = signed.split_once('.').unwrap();
    let flipped = if signature.starts_with('A') { "B" } else { "A" };
    let bad = vec![
        issue("local"), // another issuer's, with a secret
        format!("{signed}.{flipped}{}", &signature[1..]),
        format!("{header}.{}.{signature}", payload.replacen('e', "f", 1)),
        format!("eyJhbGciOiJub25lIiwia2lkIjoiZmlyc3QifQ.{payload}."),
        "a.b.c".to_owned(),
    ];
    (good, bad)
}

/// Runs a check: the first arguments are the program and its script, then gateway and token.
#[track_caller]
fn check(gateway: &TestGateway, program: &[&str]) {
    let (good, bad) = tokens(gateway);
    let address = format!("http://{}", gateway.address("main"));
    let run = |token: &str| {
        let mut command = Command::new(program[0]);
        let output = command.args(&program[1..]).args([&address, token]).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.success(), text, String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (is_good, said, errors) = run(&good);
    assert!(is_good && said.trim() == "alice", "{program:?}: {said} {errors}");
    for token in bad {
        let (is_good, said, _) = run(&token);
        assert!(!is_good && !said.contains("alice"), "{program:?} took {token}: {said}");
    }
}

#[test]
fn the_check_in_python_holds() {
    let Some(python) = python() else { return };
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream);
    let script = gateway.files().write("check.py", document("python"));
    check(&gateway, &[&python, script.to_str().unwrap()]);
}

#[test]
fn the_check_in_javascript_holds() {
    if !available("node") {
        return;
    }
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream);
    let script = gateway.files().write("check.mjs", document("javascript"));
    check(&gateway, &["node", script.to_str().unwrap()]);
}

#[test]
fn the_check_in_go_holds() {
    if !available("go") {
        return;
    }
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream);
    let script = gateway.files().write("check.go", document("go"));
    let program = gateway.files().path("check");
    let built = Command::new("go")
        .args(["build", "-o"])
        .arg(&program)
        .arg(&script)
        .env("GOCACHE", gateway.files().path("go-cache"))
        .env("GOFLAGS", "-mod=mod")
        .current_dir(gateway.files().root())
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    check(&gateway, &[program.to_str().unwrap()]);
}

#[test]
fn the_check_in_rust_holds() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream);
    let (good, bad) = tokens(&gateway);
    let set = gateway.get("/.well-known/jwks.json").send();
    let set = serde_json::from_slice(&set.body).unwrap();

    assert_eq!(documented::subject(&set, &good).as_deref(), Some("alice"));
    for token in bad {
        assert_eq!(documented::subject(&set, &token), None, "{token}");
    }
    let this = include_str!("token_checks.rs");
    let (_, inner) = this.split_once("mod documented {\n").unwrap();
    let (inner, _) = inner.split_once("\n}\n").unwrap();
    let inner: Vec<_> = inner.lines().map(|line| line.trim_start_matches("    ")).collect();
    let unindented = |text: &str| text.lines().map(str::trim).collect::<Vec<_>>().join("\n");
    let printed = unindented(&document("rust"));
    assert_eq!(unindented(&inner.join("\n")).replace("pub(super) fn", "fn"), printed);
}
