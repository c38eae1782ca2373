//! The cookie, and what keeps pages of others from using it.

use super::*;

const ATTRIBUTES: &str = "; Path=/; HttpOnly; SameSite=Strict; Secure; Max-Age=";

/// The token in the cookie that an answer sets.
#[track_caller]
fn set(answer: &Response) -> String {
    let cookie = answer.header("set-cookie").unwrap_or_else(|| panic!("{answer:?}"));
    let (token, age) = cookie
        .strip_prefix("appmesh_auth_token=")
        .and_then(|rest| rest.split_once(ATTRIBUTES))
        .unwrap_or_else(|| panic!("{cookie}"));
    assert!(age.parse::<u64>().unwrap() > 0, "{cookie}");
    token.to_owned()
}

fn cookie(token: &str) -> String {
    format!("theme=dark; appmesh_auth_token={token}")
}

#[test]
fn a_cookie_comes_where_it_is_asked_for_and_is_renewed_where_it_is_used() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    for value in ["true", "1"] {
        let answer = login(&gateway, "mesh", "bob-the-builder", &[("X-Set-Cookie", value)]);
        assert_eq!(set(&answer), answer.json()["access_token"].as_str().unwrap());
    }
    for value in ["false", "0", ""] {
        let answer = login(&gateway, "mesh", "bob-the-builder", &[("X-Set-Cookie", value)]);
        assert_eq!(answer.header("set-cookie"), None, "{value}");
    }
    let token = token(&gateway, "mesh", "bob-the-builder");
    let bearer = format!("Bearer {token}");
    let asked = [("Authorization", &*bearer), ("X-Set-Cookie", "true")];
    assert_eq!(set(&post(&gateway, "/appmesh/auth", &asked, "")), token);

    let by_cookie = cookie(&token);
    let own = send(&gateway, "GET", "/appmesh/user/self", &[("Cookie", &by_cookie)], "");
    assert_eq!(good(&own)["name"], "mesh");
    let renewed = post(&gateway, "/appmesh/token/renew", &[("Cookie", &by_cookie)], "");
    let second = set(&renewed);
    assert_eq!(second, good(&renewed)["access_token"].as_str().unwrap());
    let by_both = [("Cookie", &*cookie(&second)), ("Authorization", &*format!("Bearer {second}"))];
    let renewed = post(&gateway, "/appmesh/token/renew", &by_both, "");
    let third = set(&renewed);
    let bearer = format!("Bearer {third}");
    let renewed = post(&gateway, "/appmesh/token/renew", &[("Authorization", &bearer)], "");
    assert_eq!(renewed.header("set-cookie"), None);
    let last = cookie(good(&renewed)["access_token"].as_str().unwrap());
    let ended = post(&gateway, "/appmesh/self/logoff", &[("Cookie", &last)], "");
    assert_eq!(ended.status, 200);
    let cleared = "appmesh_auth_token=; Path=/; HttpOnly; SameSite=Strict; Secure; Max-Age=0";
    assert_eq!(ended.header("set-cookie"), Some(cleared));
    assert_eq!(post(&gateway, "/appmesh/auth", &[("Cookie", &last)], "").status, 401);
}

#[test]
fn the_header_wins_over_the_cookie() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let by_cookie = cookie(&token(&gateway, "admin", "root-of-all-things"));
    let bearer = mesh(&gateway);
    let both = [("Cookie", &*by_cookie), ("Authorization", &*bearer)];
    assert_eq!(good(&post(&gateway, "/appmesh/auth", &both, ""))["user"], "mesh");
    let wrong = [("Cookie", &*by_cookie), ("Authorization", "Bearer x")];
    assert_eq!(post(&gateway, "/appmesh/auth", &wrong, "").status, 401);
    let several = format!("{by_cookie}; appmesh_auth_token=x");
    assert_eq!(post(&gateway, "/appmesh/auth", &[("Cookie", &several)], "").status, 401);
}

#[test]
fn pages_of_others_do_not_use_the_cookie() {
    let upstream = TestUpstream::start();
    let origins = "origins = [\"https://console.example\"]";
    let gateway = before(&upstream).with("endpoints.mesh", origins).start();
    let text = token(&gateway, "admin", "root-of-all-things");
    let (by_cookie, bearer) = (cookie(&text), format!("Bearer {text}"));
    let refused = "CSRF validation failed: origin not allowed";
    let ask = |method: &str, path: &str, name: &'static str, value: &str| {
        send(&gateway, method, path, &[("Cookie", &by_cookie), (name, value)], "[]")
    };
    for origin in [
        "https://evil.example",
        "null",
        "",
        "http://files.test",
        "https://files.test.evil.example",
        "https://files.test:444",
        "https://sub.files.test",
        "https://console.example.evil",
    ] {
        for (method, path) in [
            ("POST", "/appmesh/auth"),
            ("POST", "/appmesh/token/renew"),
            ("POST", "/appmesh/self/logoff"),
            ("POST", "/appmesh/totp/secret"),
            ("POST", "/appmesh/user/mesh/lock"),
            ("POST", "/appmesh/role/x"),
            ("PUT", "/appmesh/user/x"),
            ("DELETE", "/appmesh/user/mesh"),
            ("DELETE", "/appmesh/role/x"),
        ] {
            assert_refused(&ask(method, path, "Origin", origin), 403, refused);
        }
        assert_eq!(ask("GET", "/appmesh/user/self", "Origin", origin).status, 200);
        let headers = [("Cookie", &*by_cookie), ("Authorization", &*bearer), ("Origin", origin)];
        assert_eq!(post(&gateway, "/appmesh/auth", &headers, "").status, 200);
    }
    for origin in ["https://files.test", "https://FILES.test", "https://console.example"] {
        assert_eq!(ask("POST", "/appmesh/auth", "Origin", origin).status, 200, "{origin}");
    }
    assert_refused(&ask("POST", "/appmesh/auth", "Sec-Fetch-Site", "cross-site"), 403, refused);
    assert_eq!(ask("POST", "/appmesh/auth", "Sec-Fetch-Site", "same-origin").status, 200);
    let forged = [
        ("Cookie", &*by_cookie),
        ("Origin", "https://evil.example"),
        ("X-Forwarded-Host", "evil.example"),
    ];
    assert_refused(&post(&gateway, "/appmesh/auth", &forged, ""), 403, refused);
    assert_eq!(gateway.files().read("users.yaml"), USERS);
}
