use serde_json::json;

use super::*;
use crate::support::endpoint::one_time_code;

const PASSWORD: &str = "wonderland-of-alice";

/// Enrols alice; gives her secret and the recovery codes. The code of now is used.
#[track_caller]
fn enrol(gateway: &TestGateway) -> (String, Vec<String>) {
    let authorization = bearer(&alice(gateway));
    let headers = [("Authorization", &*authorization)];
    let begun = gateway.post_json("/totp/enrol", &json!({ "password": PASSWORD }), &headers);
    assert_eq!(begun.status, 200, "{}", begun.text());
    let begun = begun.json();
    let secret = text(&begun["secret"]);
    assert!(text(&begun["uri"]).starts_with("otpauth://totp/"), "{begun}");
    assert!(text(&begun["uri"]).contains(&secret), "{begun}");
    assert!(text(&begun["svg"]).contains("<svg"), "{begun}");
    let code = one_time_code(&secret, -1);
    let confirmed = gateway.post_json("/totp/confirm", &json!({ "code": code }), &headers);
    assert_eq!(confirmed.status, 200, "{}", confirmed.text());
    let codes = confirmed.json()["recovery_codes"].clone();
    (secret, codes.as_array().unwrap().iter().map(text).collect())
}

fn with_code(gateway: &TestGateway, code: &str) -> Response {
    let grant = [&password_grant("alice", PASSWORD)[..], &[("otp", code)]].concat();
    gateway.post_form("/oauth2/token", &grant, &[])
}

fn answer(gateway: &TestGateway, challenge: &str, code: &str) -> Response {
    let grant = [("grant_type", MFA_OTP), ("mfa_token", challenge), ("otp", code)];
    gateway.post_form("/oauth2/token", &grant, &[])
}

#[test]
fn an_enrolled_user_needs_both_factors() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let (secret, _) = enrol(&gateway);

    let response = gateway.post_form("/oauth2/token", &password_grant("alice", PASSWORD), &[]);
    assert_refused(&response, 400, "mfa_required");
    let challenge = response.json();
    assert!((1..=300).contains(&challenge["expires_in"].as_u64().unwrap()), "{challenge}");
    let challenge = text(&challenge["mfa_token"]);
    assert_eq!(on_a_route(&gateway, &challenge), 401);

    assert_refused(&answer(&gateway, &challenge, "000000"), 400, "invalid_grant");
    let code = one_time_code(&secret, 0);
    let tokens = answer(&gateway, &challenge, &code);
    assert_eq!(tokens.status, 200, "{}", tokens.text());
    assert_eq!(on_a_route(&gateway, &text(&tokens.json()["access_token"])), 200);
    assert_refused(&answer(&gateway, &challenge, &code), 400, "invalid_grant");
    assert_refused(&with_code(&gateway, &code), 400, "invalid_grant");

    let next = one_time_code(&secret, 1);
    assert_eq!(with_code(&gateway, &next).status, 200);
    assert_refused(&with_code(&gateway, &next), 400, "invalid_grant");
}

#[test]
fn a_challenge_bears_five_codes_at_most() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).section("throttle", "failures = 1000").start();
    let (secret, _) = enrol(&gateway);
    let response = gateway.post_form("/oauth2/token", &password_grant("alice", PASSWORD), &[]);
    let challenge = text(&response.json()["mfa_token"]);

    for _ in 0..5 {
        assert_refused(&answer(&gateway, &challenge, "000000"), 400, "invalid_grant");
    }

    let code = one_time_code(&secret, 0);
    assert_refused(&answer(&gateway, &challenge, &code), 400, "invalid_grant");
    assert_refused(&answer(&gateway, "nonsense", &code), 400, "invalid_grant");
}

#[test]
fn a_recovery_code_is_good_once() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let (_, codes) = enrol(&gateway);
    assert!(codes.len() >= 8, "{}", codes.len());

    assert_eq!(with_code(&gateway, &codes[0]).status, 200);
    assert_refused(&with_code(&gateway, &codes[0]), 400, "invalid_grant");
    assert_eq!(with_code(&gateway, &codes[1]).status, 200);
}

#[test]
fn a_token_alone_changes_no_second_factor() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let before_it = bearer(&alice(&gateway));
    let send = |path: &str, request: Value| {
        gateway.post_json(path, &request, &[("Authorization", &before_it)])
    };

    assert_refused(&send("/totp/enrol", json!({ "password": "wrong" })), 400, "invalid_grant");
    assert_refused(&send("/totp/enrol", json!({})), 400, "invalid_request");
    assert_refused(&send("/totp/confirm", json!({ "code": "123456" })), 409, "conflict");
    let both = |code: &str| json!({ "password": PASSWORD, "code": code });
    assert_refused(&send("/totp/disable", both("123456")), 409, "conflict");

    let (secret, codes) = enrol(&gateway);
    assert_refused(&send("/totp/enrol", json!({ "password": PASSWORD })), 409, "conflict");
    assert_refused(&send("/totp/disable", both("000000")), 400, "invalid_grant");
    let wrong = json!({ "password": "wrong", "code": one_time_code(&secret, 0) });
    assert_refused(&send("/totp/disable", wrong), 400, "invalid_grant");
    let renewed = send("/totp/recovery", both(&codes[0]));
    assert_eq!(renewed.status, 200, "{}", renewed.text());
    let renewed = text(&renewed.json()["recovery_codes"][0]);
    assert_refused(&send("/totp/disable", both(&codes[1])), 400, "invalid_grant");
    let disabled = send("/totp/disable", both(&renewed));
    assert_eq!(disabled.status, 204, "{}", disabled.text());
    log_in(&gateway, "alice", PASSWORD);
}

#[test]
fn a_gateway_without_a_secret_enrols_nobody() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).section("store", "").start();
    let token = bearer(&alice(&gateway));
    let request = json!({ "password": PASSWORD });

    let response = gateway.post_json("/totp/enrol", &request, &[("Authorization", &token)]);

    assert_refused(&response, 409, "conflict");
}
