//! `POST /appmesh/login`, and what no path answers.

use super::*;
use crate::support::endpoint::claims;

#[test]
fn a_login_is_answered_for_clients_of_all_generations() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();

    let answer = login(&gateway, "mesh", "bob-the-builder", &[]);

    let said = good(&answer);
    assert_eq!(answer.header("set-cookie"), None);
    let text = said["access_token"].as_str().unwrap();
    let of_token = claims(text);
    let issued = of_token["iat"].as_u64().unwrap();
    assert!(issued.abs_diff(tokens::now()) < 20);
    assert_eq!(
        said,
        json!({
            "token_type": "Bearer",
            "access_token": text,
            "expires_in": 604_800,
            "expire_seconds": 604_800,
            "expire_time": issued + 604_800,
            "issued_at": issued,
            "profile": { "name": "mesh", "group": "users", "auth_time": issued },
        })
    );
    assert_eq!(of_token["sub"], "mesh");
    assert_eq!(of_token["aud"], "appmesh-service");
    assert_eq!(of_token["iss"], tokens::ISSUER);
    assert_eq!(of_token["exp"], issued + 604_800);
    assert_eq!(of_token["resource_access"]["appmesh-service"]["roles"], json!(["member"]));
    assert!(of_token["jti"].is_string());
    let routed = gateway.get("/x").token(text).send_over(&mut gateway.connect_tls());
    assert_eq!(routed.status, 200);
}

#[test]
fn nobody_learns_whether_a_user_exists() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    for (user, password) in [
        ("mesh", "wrong"),
        ("nobody", "x"),
        ("locked", "carol-of-the-bells"),
        ("", "x"),
        ("mesh", ""),
    ] {
        let answer = login(&gateway, user, password, &[]);
        assert_refused(&answer, 401, "Authentication failed");
    }
}

#[test]
fn only_basic_logs_in() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let basic = basic("mesh", "bob-the-builder");
    let unrecognized = "unrecognized authorization type";
    for (headers, message) in [
        (&[][..], unrecognized),
        (&[("Authorization", "")], unrecognized),
        (&[("Authorization", &basic[6..])], unrecognized),
        (&[("Authorization", "basic bWVzaDpib2ItdGhlLWJ1aWxkZXI=")], unrecognized),
        (&[("Authorization", "Bearer x")], unrecognized),
        (&[("Authorization", "Basic !")], "malformed Basic authorization"),
        (&[("Authorization", "Basic bWVzaA==")], "malformed Basic authorization"),
        (&[("Authorization", "Basic gDp4")], "malformed Basic authorization"),
    ] {
        assert_refused(&post(&gateway, "/appmesh/login", headers, ""), 400, message);
    }
    let twice = [("Authorization", &*basic), ("Authorization", &*basic)];
    assert!((400..500).contains(&gateway.send_tls("POST", "/appmesh/login", &twice, b"").status));
}

#[test]
fn clients_wish_for_a_lifetime_and_an_audience() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let with =
        |name: &str, value: &str| login(&gateway, "mesh", "bob-the-builder", &[(name, value)]);
    for (seconds, expected) in [
        ("60", 60),
        ("0", 604_800),
        ("", 604_800),
        ("2592000", 2_592_000),
        ("2592001", 2_592_000),
        ("18446744073709551615", 2_592_000),
    ] {
        let said = good(&with("X-Expire-Seconds", seconds));
        assert_eq!(said["expires_in"], expected, "{seconds}");
        assert_eq!(said["expire_seconds"], expected);
    }
    for seconds in ["-1", "x", "1.5", "P1W", "18446744073709551616", "1 2"] {
        let refused = with("X-Expire-Seconds", seconds);
        assert_refused(&refused, 400, "Invalid token expire seconds");
    }
    let said = good(&with("X-Audience", "other-service"));
    assert_eq!(claims(said["access_token"].as_str().unwrap())["aud"], "other-service");
    assert_refused(&with("X-Audience", "x"), 400, "Audience <x> verification failed");
    for audience in ["appmesh-file-service", "appmesh-refresh"] {
        assert_refused(&with("X-Audience", audience), 400, "illegal audience");
    }
}

#[test]
fn a_path_is_known_by_its_method_too() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    for (method, path) in [
        ("GET", "/appmesh/login"),
        ("PUT", "/appmesh/auth"),
        ("POST", "/appmesh/users"),
        ("GET", "/appmesh/user/mesh"),
        ("DELETE", "/appmesh/user/permissions"),
    ] {
        let answer = send(&gateway, method, path, &[], "");
        assert_refused(&answer, 404, &format!("Path not found {method}:{path}"));
    }
    for path in ["/appmesh/login", "/appmesh/user/self", "/appmesh/roles"] {
        let answer = send(&gateway, "OPTIONS", path, &[], "");
        assert_eq!((answer.status, answer.text().as_str()), (200, ""), "{path}");
        assert_ne!(send(&gateway, "HEAD", path, &[], "").status, 200, "{path}");
    }
}

#[test]
fn too_many_failures_are_429() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).section("throttle", "failures = 2\ndelay = \"30s\"").start();
    let mut last = login(&gateway, "mesh", "wrong", &[]);
    for _ in 0..4 {
        last = login(&gateway, "mesh", "wrong", &[]);
    }
    assert_refused(&last, 429, "too many failures");
    assert!(last.header("retry-after").unwrap().parse::<u64>().unwrap() > 0);
}
