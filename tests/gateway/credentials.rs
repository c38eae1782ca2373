//! What proves a principal beside passwords and tokens, and what ends it: API keys, sessions,
//! second factors, revocations, too many failures.

mod cut;
mod factor;
mod key;
mod session;
mod throttle;

use serde_json::{Value, json};

use crate::support::client::Response;
use crate::support::configuration::Builder;
use crate::support::endpoint::STORE_SECRET;
use crate::support::gateway::TestGateway;
use crate::support::upstream::TestUpstream;

const PASSWORD: &str = "wonderland-of-alice";

/// A gateway with a store, and endpoints that fill it.
fn before(upstream: &TestUpstream) -> Builder {
    TestGateway::before(upstream)
        .section("endpoints.tokens", "dialect = \"standard\"\nissuer = \"local\"\npath = \"/own\"")
        .section("store", &format!("secret = \"{STORE_SECRET}\""))
}

#[track_caller]
fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// Something that alice does at an endpoint, as herself.
#[track_caller]
fn as_alice(gateway: &TestGateway, path: &str, body: &Value) -> Value {
    let grant = [("grant_type", "password"), ("username", "alice"), ("password", PASSWORD)];
    let tokens = gateway.post_form("/own/oauth2/token", &grant, &[]);
    assert_eq!(tokens.status, 200, "{}", tokens.text());
    let authorization = format!("Bearer {}", text(&tokens.json()["access_token"]));
    let response = gateway.post_json(path, body, &[("Authorization", &authorization)]);
    assert!((200..300).contains(&response.status), "{}", response.text());
    response.json()
}

/// A new key of alice's: its id and its text.
#[track_caller]
fn new_key(gateway: &TestGateway, scope: &Value) -> (String, String) {
    let request = json!({ "label": "test", "scope": scope });
    let key = as_alice(gateway, "/own/account/keys", &request);
    (text(&key["id"]), text(&key["key"]))
}

/// Refused with this status, and written down with this reason.
#[track_caller]
fn assert_refused(gateway: &TestGateway, response: &Response, status: u16, reason: &str) {
    assert_eq!(response.status, status, "{}", response.text());
    let decision = text(&response.problem()["decision"]);
    let line = gateway.log_lines(&decision).remove(0);
    assert!(line.contains(&format!("\"reason\":\"{reason}\"")), "{line}");
}

/// What the command line says to an operator, which is good news.
#[track_caller]
fn doorward(gateway: &TestGateway, arguments: &[&str]) -> String {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_doorward"))
        .args(arguments)
        .args(["--config", "doorward.toml"])
        .current_dir(gateway.files().root())
        .env_clear()
        .output()
        .unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(output.status.success(), "{arguments:?}: {text}");
    text
}

/// An operator's word.
#[track_caller]
fn operate(gateway: &TestGateway, method: &str, path: &str) {
    let response = gateway.admin(method, path);
    assert!((200..300).contains(&response.status), "{}", response.text());
}
