//! Nothing that a client sends is the gateway's fault.

use std::cell::RefCell;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, json};

use super::*;
use crate::support::endpoint::form;

const PATHS: [&str; 10] = [
    "/oauth2/token",
    "/oauth2/revoke",
    "/oauth2/introspect",
    "/totp/enrol",
    "/totp/confirm",
    "/totp/recovery",
    "/totp/disable",
    "/account/keys",
    "/account/keys/x",
    "/account/password",
];
const NAMES: [&str; 17] = [
    "grant_type",
    "username",
    "password",
    "otp",
    "mfa_token",
    "refresh_token",
    "api_key",
    "client_id",
    "client_secret",
    "audience",
    "expires_in",
    "token",
    "scope",
    "code",
    "label",
    "current_password",
    "new_password",
];
const VALUES: [&str; 17] = [
    "password",
    "refresh_token",
    "client_credentials",
    API_KEY,
    MFA_OTP,
    "alice",
    "",
    "0",
    "18446744073709551615",
    "%",
    "\u{0}",
    "é",
    "null",
    "{}",
    "[]",
    "dw_a_b",
    "dwr_a_b",
];
const METHODS: [&str; 6] = ["POST", "POST", "POST", "DELETE", "GET", "PATCH"];
const TYPES: [&str; 5] =
    ["application/x-www-form-urlencoded", "application/json", "text/plain", "x", ""];

fn body() -> impl Strategy<Value = Vec<u8>> {
    let value = prop_oneof![select(&VALUES[..]).prop_map(str::to_owned), "\\PC{0,20}"];
    let pairs = prop::collection::vec((select(&NAMES[..]), value), 0..6);
    let written_as_form = |pairs: Vec<(&'static str, String)>| {
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| (*name, &**value)).collect();
        form(&pairs).into_bytes()
    };
    let written_as_json = |pairs: Vec<(&'static str, String)>| {
        let object: Map<_, _> =
            pairs.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
        json!(object).to_string().into_bytes()
    };
    prop_oneof![
        3 => pairs.clone().prop_map(written_as_form),
        3 => pairs.prop_map(written_as_json),
        1 => prop::collection::vec(any::<u8>(), 0..100),
    ]
}

#[test]
fn whatever_is_sent_is_answered_and_never_by_an_error_of_ours() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream)
        .section("throttle", "failures = 1000000\nfailures_per_address = 1000000")
        .start();
    let tokens = log_in(&gateway, "alice", "wonderland-of-alice");
    let credential = select(vec![
        None,
        Some(bearer(&text(&tokens["access_token"]))),
        Some(bearer(&text(&tokens["refresh_token"]))),
        Some("Basic YTpi".to_owned()),
        Some("Basic !".to_owned()),
        Some("Bearer".to_owned()),
        Some("\u{e9}".to_owned()),
    ]);
    let request =
        (select(&METHODS[..]), select(&PATHS[..]), select(&TYPES[..]), credential, body());
    let config = Config { cases: 400, failure_persistence: None, ..Config::default() };
    let client = RefCell::new(gateway.connect_tls());

    let judged =
        TestRunner::new(config).run(&request, |(method, path, content_type, credential, body)| {
            let ask = gateway.ask(method, path).header("Content-Type", content_type).body(&body);
            let ask = match &credential {
                Some(credential) => ask.header("Authorization", credential),
                None => ask,
            };
            let mut client = client.borrow_mut();
            let _ = client.try_send(ask.bytes());
            let response = client.response_to(method);
            let response = response.map_err(|error| TestCaseError::fail(error.to_string()))?;
            if response.all("connection").contains(&"close") {
                *client = gateway.connect_tls();
            }
            prop_assert!(response.status < 500, "{} {}: {}", method, path, response.text());
            prop_assert!(!response.text().contains("wonderland"));
            Ok(())
        });

    judged.unwrap_or_else(|error| panic!("{error}"));
}
