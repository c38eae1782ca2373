//! `totp/*`, and logins that need it.

use super::*;

/// Enrols mesh; the secret, and the token that took the place of the first.
fn enrol(gateway: &TestGateway, code: impl Fn(&str) -> String) -> (String, String) {
    let bearer = mesh(gateway);
    let said = good(&post(gateway, "/appmesh/totp/secret", &[("Authorization", &bearer)], ""));
    let uri = STANDARD.decode(said["mfa_uri"].as_str().unwrap()).unwrap();
    let uri = String::from_utf8(uri).unwrap();
    assert!(uri.starts_with("otpauth://totp/"), "{uri}");
    let secret = uri.split_once("secret=").unwrap().1.split('&').next().unwrap().to_owned();
    let headers = [("Authorization", &*bearer), ("X-Totp-Code", &*code(&secret))];
    let said = good(&post(gateway, "/appmesh/totp/setup", &headers, ""));
    assert!(!said["recovery_codes"].as_array().unwrap().is_empty());
    (secret, said["access_token"].as_str().unwrap().to_owned())
}

#[test]
fn a_code_follows_the_challenge_of_a_login() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let (secret, renewed) = enrol(&gateway, |secret| one_time_code(secret, -1));
    let headers = [("Authorization", &*format!("Bearer {renewed}"))];
    let own = send(&gateway, "GET", "/appmesh/user/self", &headers, "");
    assert_eq!(good(&own)["mfa_enabled"], true);

    let answer = login(&gateway, "mesh", "bob-the-builder", &[]);

    assert_eq!(answer.status, 428, "{}", answer.text());
    let challenge = "TOTP realm=\"TOTP Authentication\", qop=\"auth\"";
    assert_eq!(answer.header("www-authenticate"), Some(challenge));
    let said = answer.json();
    for (name, value) in [
        ("status", json!("TOTP_CHALLENGE_REQUIRED")),
        ("digits", json!(6)),
        ("algorithm", json!("SHA1")),
        ("period", json!(30)),
    ] {
        assert_eq!(said[name], value);
    }
    let left = said["expires"].as_u64().unwrap() - tokens::now();
    assert!(left <= 300, "{said}");
    let challenge = said["totp_challenge"].as_str().unwrap();
    let validate = |user: &str, code: &str, challenge: &str| {
        let body = json!({
            "user_name": user, "totp_code": code, "totp_challenge": challenge,
            "expire_seconds": "360000",
        });
        let headers = [("X-Set-Cookie", "true"), ("X-Refresh-Token-Request", "true")];
        post(&gateway, "/appmesh/totp/validate", &headers, &body.to_string())
    };
    let gone = "TOTP challenge is unknown or expired";
    assert_refused(&validate("mesh", "000000", challenge), 401, "Invalid TOTP token");
    assert_refused(&validate("mesh", &one_time_code(&secret, 0), "H123"), 412, gone);
    let answer = validate("mesh", &one_time_code(&secret, 0), challenge);
    let said = good(&answer);
    assert_eq!(said["expires_in"], 360_000);
    assert!(said["refresh_token"].is_string());
    assert!(answer.header("set-cookie").unwrap().starts_with("appmesh_auth_token="));
    assert_refused(&validate("mesh", &one_time_code(&secret, 1), challenge), 412, gone);

    let answer = login(&gateway, "mesh", "bob-the-builder", &[]);
    let other = answer.json()["totp_challenge"].as_str().unwrap().to_owned();
    assert_refused(&validate("admin", &one_time_code(&secret, 1), &other), 412, gone);
    let replayed = [("X-Totp-Code", &*one_time_code(&secret, 0))];
    let answer = login(&gateway, "mesh", "bob-the-builder", &replayed);
    assert_refused(&answer, 401, "Invalid TOTP token");
    let code = [("X-Totp-Code", &*one_time_code(&secret, 1))];
    good(&login(&gateway, "mesh", "bob-the-builder", &code));
    assert_refused(&login(&gateway, "mesh", "wrong", &code), 401, "Authentication failed");
}

#[test]
fn clients_that_use_a_code_several_times_may_be_let() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).with("endpoints.mesh", "totp_reuse = true").start();
    let (secret, _) = enrol(&gateway, |secret| one_time_code(secret, 0));
    for _ in 0..3 {
        let code = [("X-Totp-Code", &*one_time_code(&secret, 0))];
        good(&login(&gateway, "mesh", "bob-the-builder", &code));
    }
}

#[test]
fn the_answer_to_a_challenge_is_read_strictly() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let validate = |body: &str| post(&gateway, "/appmesh/totp/validate", &[], body);
    for body in [
        "",
        "[]",
        "{}",
        "{",
        "[\"mesh\",\"1\",\"2\",3]",
        "{\"user_name\":\"mesh\",\"totp_code\":123456,\"totp_challenge\":\"x\"}",
        "{\"user_name\":\"mesh\",\"totp_code\":\"123456\"}",
        "{\"user_name\":\"mesh\",\"totp_code\":\"\",\"totp_challenge\":\"x\"}",
    ] {
        assert_eq!(refusal(&validate(body)).0, 400, "{body}");
    }
    for seconds in ["-1", "1.5", "true", "\"x\"", "[]", "1e999"] {
        let body = format!(
            "{{\"user_name\":\"mesh\",\"totp_code\":\"123456\",\"totp_challenge\":\"x\",\
             \"expire_seconds\":{seconds}}}"
        );
        assert_eq!(refusal(&validate(&body)).0, 400, "{seconds}");
    }
}

#[test]
fn enrolment_needs_its_permissions_and_its_order() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let bare = format!("Bearer {}", token(&gateway, "bare", "dave-has-no-home"));
    let bearer = mesh(&gateway);
    let ask = |path: &str, authorization: &str, code: &str| {
        let headers = [("Authorization", authorization), ("X-Totp-Code", code)];
        post(&gateway, path, &headers, "")
    };
    for (path, permission) in [
        ("/appmesh/totp/secret", "user-totp-active"),
        ("/appmesh/totp/setup", "user-totp-active"),
        ("/appmesh/totp/self/disable", "user-totp-disable"),
    ] {
        assert_refused(&ask(path, &bare, "123456"), 403, &denied("bare", permission));
        assert_eq!(refusal(&ask(path, "", "123456")).0, 401, "{path}");
    }
    let first = ask("/appmesh/totp/setup", &bearer, "123456");
    assert_refused(&first, 400, "please generate TOTP secret first");
    assert_refused(&ask("/appmesh/totp/setup", &bearer, ""), 400, "no TOTP key provided");
    good(&ask("/appmesh/totp/secret", &bearer, ""));
    assert_refused(&ask("/appmesh/totp/setup", &bearer, "000000"), 401, "Invalid TOTP token");
    good(&login(&gateway, "mesh", "bob-the-builder", &[]));

    let (_, renewed) = enrol(&gateway, |secret| one_time_code(secret, 0));
    let renewed = format!("Bearer {renewed}");
    let again = ask("/appmesh/totp/secret", &renewed, "");
    assert_refused(&again, 400, "2FA is active already, please disable it first");
    let others = ask("/appmesh/totp/admin/disable", &renewed, "");
    assert_refused(&others, 403, &denied("mesh", "passwd-change-user"));
    let admin = admin(&gateway);
    assert_eq!(refusal(&ask("/appmesh/totp/nobody/disable", &admin, "")).0, 404);
    let said = good(&ask("/appmesh/totp/mesh/disable", &admin, ""));
    assert_eq!(said, json!({ "message": "2FA deactive success" }));
    good(&login(&gateway, "mesh", "bob-the-builder", &[]));
    let (_, renewed) = enrol(&gateway, |secret| one_time_code(secret, 0));
    let own = ask("/appmesh/totp/self/disable", &format!("Bearer {renewed}"), "");
    assert_eq!(good(&own), json!({ "message": "2FA deactive success" }));
    good(&login(&gateway, "mesh", "bob-the-builder", &[]));
}

#[test]
fn without_a_secret_to_keep_them_there_are_no_second_factors() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).section("store", "sqlite = \"s.db\"").start();
    let bearer = mesh(&gateway);
    let answer = post(&gateway, "/appmesh/totp/secret", &[("Authorization", &bearer)], "");
    assert_eq!(refusal(&answer).0, 412);
}
