//! Something real of one kind, shown where another kind is asked for.

use serde_json::{Value, json};

use crate::support::endpoint::{STORE_SECRET, one_time_code};
use crate::support::tokens::{Token, basic};
use crate::support::upstream::TestUpstream;

const PASSWORD: &str = "wonderland-of-alice";

#[track_caller]
fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

fn password_grant() -> [(&'static str, &'static str); 3] {
    [("grant_type", "password"), ("username", "alice"), ("password", PASSWORD)]
}

#[test]
fn what_proves_one_thing_proves_nothing_else() {
    let upstream = TestUpstream::start();
    let gateway = super::before(&upstream)
        .section("endpoints.tokens", "dialect = \"standard\"\nissuer = \"local\"\npath = \"/own\"")
        .section("store", &format!("secret = \"{STORE_SECRET}\""))
        .route("accept = [\"bearer\", \"basic\", \"x-auth-token\"]")
        .start();
    let issued = gateway.post_form("/own/oauth2/token", &password_grant(), &[]).json();
    let (access, refresh) = (text(&issued["access_token"]), text(&issued["refresh_token"]));
    let authorization = format!("Bearer {access}");
    let headers = [("Authorization", &*authorization)];
    let key = gateway.post_json("/own/account/keys", &json!({ "label": "ci" }), &headers).json();
    let begun = gateway.post_json("/own/totp/enrol", &json!({ "password": PASSWORD }), &headers);
    let secret = text(&begun.json()["secret"]);
    let code = json!({ "code": one_time_code(&secret, -1) });
    let confirmed = gateway.post_json("/own/totp/confirm", &code, &headers);
    assert_eq!(confirmed.status, 200, "{}", confirmed.text());
    let recovery = text(&confirmed.json()["recovery_codes"][0]);
    let challenge = gateway.post_form("/own/oauth2/token", &password_grant(), &[]).json();
    let challenge = text(&challenge["mfa_token"]);

    let mut things = vec![
        refresh.clone(),
        challenge.clone(),
        text(&key["key"]),
        text(&key["id"]),
        secret.clone(),
        one_time_code(&secret, 0),
        recovery,
        PASSWORD.to_owned(),
        "alice".to_owned(),
    ];
    for kind in ["refresh+jwt", "id+jwt", "totp+jwt", "logout+jwt", "dpop+jwt", "JOSE", "", "jwt2"]
    {
        things.push(Token::of("alice").header("typ", kind).signed());
    }
    super::assert_refused(&gateway, &upstream, &things);
    // As a name a password would be written down.
    for thing in things.iter().filter(|thing| *thing != PASSWORD) {
        for (name, value) in [
            ("X-Api-Key", thing.clone()),
            ("Authorization", format!("ApiKey {thing}")),
            ("Authorization", format!("ApiKey alice:{thing}")),
            ("Authorization", basic("jwt", thing)),
            ("Authorization", basic(thing, "")),
            ("Cookie", format!("__Host-doorward={thing}; doorward={thing}; token={thing}")),
        ] {
            let status = gateway.get("/x").header(name, &value).send().status();
            assert!(matches!(status, 400 | 401), "{name}: {value}: {status}");
        }
    }
    upstream.assert_untouched();

    for thing in things.iter().chain([&access]).filter(|thing| **thing != refresh) {
        let grant = [("grant_type", "refresh_token"), ("refresh_token", &**thing)];
        let answer = gateway.post_form("/own/oauth2/token", &grant, &[]);
        assert_eq!(answer.status, 400, "{thing}: {}", answer.text());
    }
    let mfa = "urn:doorward:grant-type:mfa-otp";
    let code = one_time_code(&secret, 0);
    for thing in things.iter().chain([&access]).filter(|thing| **thing != challenge) {
        let grant = [("grant_type", mfa), ("mfa_token", &**thing), ("otp", &*code)];
        let answer = gateway.post_form("/own/oauth2/token", &grant, &[]);
        assert!(matches!(answer.status, 400 | 429), "{thing}: {}", answer.text());
    }
    super::assert_serves(&gateway, &access);
}
