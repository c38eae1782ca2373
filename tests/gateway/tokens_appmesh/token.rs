//! `auth`, `token/renew`, `self/logoff`.

use super::*;
use crate::support::endpoint::claims;
use crate::support::tokens::Token;

#[track_caller]
fn auth(gateway: &TestGateway, authorization: &str, more: &[(&str, &str)]) -> Response {
    let headers = [&[("Authorization", authorization)], more].concat();
    post(gateway, "/appmesh/auth", &headers, "")
}

fn own_token(subject: &str) -> Token {
    Token::of(subject).claim("aud", "appmesh-service")
}

#[test]
fn a_token_is_verified_for_an_audience_and_a_permission() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let text = token(&gateway, "mesh", "bob-the-builder");
    let bearer = format!("Bearer {text}");

    let said = good(&auth(&gateway, &bearer, &[("X-Permission", "app-view")]));

    for (name, value) in [
        ("success", json!(true)),
        ("user", json!("mesh")),
        ("permission", json!("app-view")),
        ("audience", json!("appmesh-service")),
        ("access_token", json!(text)),
        ("token_type", json!("Bearer")),
    ] {
        assert_eq!(said[name], value, "{name}");
    }
    let profile = &said["profile"];
    assert_eq!((&profile["name"], &profile["group"]), (&json!("mesh"), &json!("")));
    assert!(said["expires_in"].as_u64().unwrap() > 604_700);
    for shown in [&*bearer, &text, &format!("Bearer   {text} ")] {
        assert_eq!(auth(&gateway, shown, &[]).status, 200);
    }
    let missing = denied("mesh", "user-add");
    assert_refused(&auth(&gateway, &bearer, &[("X-Permission", "user-add")]), 403, &missing);
    let odd = auth(&gateway, &bearer, &[("X-Permission", "a b*")]);
    assert_refused(&odd, 403, &denied("mesh", "a b*"));
    assert_eq!(good(&auth(&gateway, &bearer, &[("X-Permission", "")]))["permission"], "");
    for audience in ["other-service", "unheard-of"] {
        let message = format!("Authentication failed: audience <{audience}> verification failed");
        assert_refused(&auth(&gateway, &bearer, &[("X-Audience", audience)]), 401, &message);
    }
    let other =
        good(&login(&gateway, "mesh", "bob-the-builder", &[("X-Audience", "other-service")]));
    let other = format!("Bearer {}", other["access_token"].as_str().unwrap());
    assert_eq!(auth(&gateway, &other, &[("X-Audience", "other-service")]).status, 200);
    assert_eq!(auth(&gateway, &other, &[]).status, 401);
}

#[test]
fn whatever_does_not_verify_is_401() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let text = token(&gateway, "mesh", "bob-the-builder");
    let now = tokens::now();
    let none = post(&gateway, "/appmesh/auth", &[], "");
    assert_refused(&none, 401, "No authentication token provided");
    let tampered = format!("{}AAAAAAAA", &text[..text.len() - 8]);
    for shown in [
        "Bearer x",
        "x",
        "Bearer a.b.c",
        "Bearer",
        "bearer x.y.z",
        "Basic bWVzaDpib2ItdGhlLWJ1aWxkZXI=",
        "Bearer \u{e9}",
        &tampered,
        &own_token("mesh").unsigned(),
        &own_token("nobody").signed(),
        &own_token("locked").signed(),
        &own_token("mesh").without("exp").signed(),
        &own_token("mesh").claim("iat", now - 7200).claim("exp", now - 3600).signed(),
        &own_token("mesh").claim("nbf", now + 3600).signed(),
        &own_token("mesh").claim("aud", "another").signed(),
        &own_token("mesh").claim("iss", "another").signed(),
    ] {
        for path in ["/appmesh/auth", "/appmesh/token/renew", "/appmesh/self/logoff"] {
            let answer = post(&gateway, path, &[("Authorization", shown)], "");
            assert_eq!(refusal(&answer).0, 401, "{path} {shown}");
        }
        let head = send(&gateway, "HEAD", "/appmesh/user/self", &[("Authorization", shown)], "");
        assert_eq!(head.status, 401, "{shown}");
    }
}

#[test]
fn a_renewed_token_takes_the_place_of_the_old_one() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let old = token(&gateway, "mesh", "bob-the-builder");
    let bearer = format!("Bearer {old}");
    let headers = [("Authorization", &*bearer), ("X-Expire-Seconds", "120")];

    let said = good(&post(&gateway, "/appmesh/token/renew", &headers, ""));

    assert_eq!(said["expires_in"], 120);
    let new = said["access_token"].as_str().unwrap();
    assert_ne!(new, old);
    assert_eq!(claims(new)["aud"], claims(&old)["aud"]);
    assert_eq!(said["profile"]["auth_time"], claims(&old)["iat"]);
    assert_eq!(auth(&gateway, &format!("Bearer {new}"), &[]).status, 200);
    let gone = "Token has been revoked";
    assert_refused(&auth(&gateway, &bearer, &[]), 401, gone);
    assert_refused(&post(&gateway, "/appmesh/token/renew", &headers, ""), 401, gone);
    let routed = gateway.get("/x").token(&old).send_over(&mut gateway.connect_tls());
    assert_eq!(routed.status, 401);

    let bare = format!("Bearer {}", token(&gateway, "bare", "dave-has-no-home"));
    let answer = post(&gateway, "/appmesh/token/renew", &[("Authorization", &bare)], "");
    assert_refused(&answer, 403, &denied("bare", "user-token-renew"));
    assert_eq!(auth(&gateway, &bare, &[]).status, 200, "a refusal ends nothing");
    let bad = [("Authorization", &*bare), ("X-Expire-Seconds", "x")];
    let answer = post(&gateway, "/appmesh/token/renew", &bad, "");
    assert_refused(&answer, 400, "Invalid token expire seconds");
}

#[test]
fn a_refresh_token_needs_nothing_else_and_holds_once() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let renew = |refresh_token: &str| {
        post(&gateway, "/appmesh/token/renew", &[("X-Refresh-Token", refresh_token)], "")
    };
    let of = |said: &Value| said["refresh_token"].as_str().unwrap().to_owned();
    let wants = [("X-Refresh-Token-Request", "true")];
    let first = good(&login(&gateway, "mesh", "bob-the-builder", &wants));

    let second = good(&renew(&of(&first)));

    assert_ne!(of(&first), of(&second));
    let bearer = format!("Bearer {}", second["access_token"].as_str().unwrap());
    assert_eq!(auth(&gateway, &bearer, &[]).status, 200);
    let third = good(&renew(&of(&second)));
    assert_refused(&renew(&of(&first)), 401, "Refresh token has been revoked");
    assert_refused(&renew(&of(&third)), 401, "Refresh token has been revoked");
    assert_eq!(auth(&gateway, &bearer, &[]).status, 401, "reuse ends the login");
    for other in ["x", "dwr_a_b", second["access_token"].as_str().unwrap()] {
        assert_refused(&renew(other), 401, "Refresh token has been revoked");
    }
    let without = good(&login(&gateway, "mesh", "bob-the-builder", &[]));
    assert_eq!(without.get("refresh_token"), None);
    let shown = format!("Bearer {}", of(&third));
    assert_eq!(auth(&gateway, &shown, &[]).status, 401, "it is no access token");

    let bare = good(&login(&gateway, "bare", "dave-has-no-home", &wants));
    assert_refused(&renew(&of(&bare)), 403, &denied("bare", "user-token-renew"));
}

#[test]
fn of_many_equal_renewals_one_wins() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let wants = [("X-Refresh-Token-Request", "1")];
    let said = good(&login(&gateway, "mesh", "bob-the-builder", &wants));
    let refresh_token = said["refresh_token"].as_str().unwrap();
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let renew = || {
            post(&gateway, "/appmesh/token/renew", &[("X-Refresh-Token", refresh_token)], "").status
        };
        let threads: Vec<_> = (0..20).map(|_| scope.spawn(renew)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [200, 401].contains(status)), "{statuses:?}");
}

#[test]
fn who_logs_off_has_nothing_left() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let wants = [("X-Refresh-Token-Request", "true")];
    let log_off = |headers: &[(&str, &str)]| post(&gateway, "/appmesh/self/logoff", headers, "");
    let logged_in = || {
        let said = good(&login(&gateway, "mesh", "bob-the-builder", &wants));
        let text = |name: &str| said[name].as_str().unwrap().to_owned();
        (format!("Bearer {}", text("access_token")), text("refresh_token"))
    };
    for shows in [[true, false], [false, true], [true, true]] {
        let (bearer, refresh_token) = logged_in();
        let mut headers = Vec::new();
        if shows[0] {
            headers.push(("Authorization", &*bearer));
        }
        if shows[1] {
            headers.push(("X-Refresh-Token", &*refresh_token));
        }
        let answer = log_off(&headers);
        assert_eq!((answer.status, answer.text().as_str()), (200, ""), "{shows:?}");
        assert_eq!(auth(&gateway, &bearer, &[]).status, 401, "{shows:?}");
        let renewed =
            post(&gateway, "/appmesh/token/renew", &[("X-Refresh-Token", &refresh_token)], "");
        assert_eq!(renewed.status, 401, "{shows:?}");
        assert_eq!(log_off(&headers).status, 401, "{shows:?}");
    }
    assert_refused(&log_off(&[]), 401, "No authentication token provided");
    let unknown = log_off(&[("X-Refresh-Token", "dwr_x_y")]);
    assert_refused(&unknown, 401, "Refresh token has been revoked");
}
