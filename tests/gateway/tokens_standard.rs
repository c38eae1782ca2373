//! The standard dialect: OAuth 2.0 and what stands around it.

mod account;
mod discovery;
mod grants;
mod introspection;
mod refusals;
mod robustness;
mod second_factor;

use serde_json::{Value, json};

use crate::support::client::Response;
use crate::support::configuration::Builder;
use crate::support::endpoint::STORE_SECRET;
use crate::support::gateway::TestGateway;
use crate::support::upstream::TestUpstream;

pub(crate) const API_KEY: &str = "urn:doorward:grant-type:api-key";
const MFA_OTP: &str = "urn:doorward:grant-type:mfa-otp";

/// A gateway with the dialect at its root.
fn before(upstream: &TestUpstream) -> Builder {
    TestGateway::before(upstream)
        .section("endpoints.tokens", "dialect = \"standard\"\nissuer = \"local\"")
        .section("store", &format!("secret = \"{STORE_SECRET}\""))
}

fn password_grant<'a>(user: &'a str, password: &'a str) -> [(&'a str, &'a str); 3] {
    [("grant_type", "password"), ("username", user), ("password", password)]
}

#[track_caller]
fn log_in(gateway: &TestGateway, user: &str, password: &str) -> Value {
    let response = gateway.post_form("/oauth2/token", &password_grant(user, password), &[]);
    assert_eq!(response.status, 200, "{}", response.text());
    response.json()
}

/// An access token of alice.
#[track_caller]
fn alice(gateway: &TestGateway) -> String {
    text(&log_in(gateway, "alice", "wonderland-of-alice")["access_token"])
}

#[track_caller]
fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

/// A new key of the token's user: its id and its text.
#[track_caller]
fn new_key(gateway: &TestGateway, token: &str, request: &Value) -> (String, String) {
    let response =
        gateway.post_json("/account/keys", request, &[("Authorization", &bearer(token))]);
    assert_eq!(response.status, 201, "{}", response.text());
    let key = response.json();
    (text(&key["id"]), text(&key["key"]))
}

#[track_caller]
fn assert_refused(response: &Response, status: u16, error: &str) {
    assert_eq!(response.status, status, "{}", response.text());
    assert_eq!(response.header("content-type"), Some("application/json"));
    assert_eq!(response.header("cache-control"), Some("no-store"));
    let body = response.json();
    assert_eq!(body["error"], error, "{body}");
    assert!(body["error_description"].is_string(), "{body}");
    if status != 401 && status != 403 {
        assert_eq!(response.header("www-authenticate"), None);
    }
    if status == 429 || status == 503 {
        assert!(response.header("retry-after").is_some());
    }
}

/// What the gateway says to a token on a route.
#[track_caller]
fn on_a_route(gateway: &TestGateway, token: &str) -> u16 {
    gateway.get("/x").token(token).send().status
}

fn refresh(gateway: &TestGateway, token: &str) -> Response {
    let grant = [("grant_type", "refresh_token"), ("refresh_token", token)];
    gateway.post_form("/oauth2/token", &grant, &[])
}

fn no_scope(label: &str) -> Value {
    json!({ "label": label })
}
