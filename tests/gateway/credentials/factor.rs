//! Basic on a route, of a user with a second factor.

use serde_json::json;

use super::{PASSWORD, assert_refused, before, text};
use crate::support::endpoint::one_time_code;
use crate::support::gateway::TestGateway;
use crate::support::upstream::TestUpstream;

/// Enrols alice, by the code of the step before this one.
#[track_caller]
fn enrol(gateway: &TestGateway) -> String {
    let grant = [("grant_type", "password"), ("username", "alice"), ("password", PASSWORD)];
    let tokens = gateway.post_form("/own/oauth2/token", &grant, &[]).json();
    let authorization = format!("Bearer {}", text(&tokens["access_token"]));
    let headers = [("Authorization", &*authorization)];
    let begun = gateway.post_json("/own/totp/enrol", &json!({ "password": PASSWORD }), &headers);
    assert_eq!(begun.status, 200, "{}", begun.text());
    let secret = text(&begun.json()["secret"]);
    let code = json!({ "code": one_time_code(&secret, -1) });
    let confirmed = gateway.post_json("/own/totp/confirm", &code, &headers);
    assert_eq!(confirmed.status, 200, "{}", confirmed.text());
    secret
}

#[test]
fn a_password_alone_is_refused_from_the_moment_of_the_enrolment() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let mut client = gateway.connect();
    let ask = gateway.get("/x").basic("alice", PASSWORD);
    assert_eq!(ask.send_over(&mut client).status, 200);

    let secret = enrol(&gateway);

    assert_refused(&gateway, &ask.send_over(&mut client), 401, "second_factor_missing");
    let with_code = format!("{PASSWORD}{}", one_time_code(&secret, 0));
    let response = gateway.get("/x").basic("alice", &with_code).send();
    assert_refused(&gateway, &response, 401, "password");
    let response = gateway.get("/x").basic("alice", "wrong").send();
    assert_refused(&gateway, &response, 401, "password");
    assert_eq!(upstream.requests().len(), 1);
    assert_eq!(gateway.get("/x").basic("bob", "bob-the-builder").send().status, 200);
}

#[test]
fn password_and_code_are_taken_together_where_that_is_configured() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).section("totp", "basic = \"append\"").start();
    let secret = enrol(&gateway);
    let send = |password: &str| gateway.get("/x").basic("alice", password).send();

    assert_refused(&gateway, &send(PASSWORD), 401, "second_factor_missing");
    assert_refused(&gateway, &send(&format!("{PASSWORD}000000")), 401, "password");
    let code = one_time_code(&secret, 0);
    assert_refused(&gateway, &send(&format!("wrong{code}")), 401, "password");
    upstream.assert_untouched();

    // Remembered together: over other connections and on other workers as well.
    for _ in 0..6 {
        assert_eq!(send(&format!("{PASSWORD}{code}")).status, 200);
    }
    assert_refused(&gateway, &send(PASSWORD), 401, "second_factor_missing");
    assert_eq!(upstream.requests().len(), 6);
}
