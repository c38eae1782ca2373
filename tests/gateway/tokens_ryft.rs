//! ryft-server's dialect, as its clients speak it.

use serde_json::{Value, json};

use crate::support::client::Response;
use crate::support::configuration::Builder;
use crate::support::endpoint::{STORE_SECRET, claims, one_time_code};
use crate::support::gateway::TestGateway;
use crate::support::tokens::{self, Token, basic};
use crate::support::upstream::TestUpstream;

mod curl;

const USERS: &str = r"
# people
- username: root
  password: root-of-all-things
  roles: [admin]
  home: /
  cluster-tag: eu
- username: alice
  password: wonderland-of-alice # soon a hash
  home: /alice
- username: carol
  password: carol-of-the-bells
  disabled: true
";

fn before(upstream: &TestUpstream) -> Builder {
    TestGateway::before(upstream)
        .users(USERS)
        .section("endpoints.ryft", "dialect = \"ryft\"\nissuer = \"local\"")
        .section("store", &format!("secret = \"{STORE_SECRET}\""))
}

#[track_caller]
fn login(gateway: &TestGateway, user: &str, password: &str) -> Response {
    let body = json!({ "username": user, "password": password }).to_string();
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    gateway.send_tls("POST", "/login", &form, body.as_bytes())
}

#[track_caller]
fn token(gateway: &TestGateway, user: &str, password: &str) -> String {
    let answer = login(gateway, user, password);
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["token"].as_str().unwrap().to_owned()
}

fn root(gateway: &TestGateway) -> String {
    format!("Bearer {}", token(gateway, "root", "root-of-all-things"))
}

fn alice(gateway: &TestGateway) -> String {
    format!("Bearer {}", token(gateway, "alice", "wonderland-of-alice"))
}

#[track_caller]
fn send(
    gateway: &TestGateway,
    method: &str,
    target: &str,
    authorization: &str,
    body: &str,
) -> Response {
    let header = [("Authorization", authorization)];
    let header = if authorization.is_empty() { &[][..] } else { &header[..] };
    let answer = gateway.send_tls(method, target, header, body.as_bytes());
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{answer:?}");
    assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    answer
}

/// Status, challenge and body of a refusal.
fn refusal(answer: &Response) -> (u16, Option<&str>, String) {
    (answer.status, answer.header("www-authenticate"), answer.text())
}

const JWT: Option<&str> = Some("JWT realm=Authorization Required");
const BASIC: Option<&str> = Some("Basic realm=\"Authorization Required\"");

fn token_error(message: &str) -> (u16, Option<&'static str>, String) {
    (401, JWT, format!("{{\"message\":\"{message}\",\"status\":401}}"))
}

fn error(status: u16, message: &str, details: Option<&str>) -> (u16, Value) {
    let mut body = json!({ "status": status, "message": message });
    if let Some(details) = details {
        body["details"] = details.into();
    }
    (status, body)
}

#[test]
fn a_login_gives_a_token_with_all_claims_that_routes_accept() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();

    let answer = login(&gateway, "root", "root-of-all-things");

    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
    let body = answer.json();
    let text = body["token"].as_str().unwrap();
    let said = claims(text);
    assert_eq!(said["id"], "root");
    assert_eq!(said["roles"], json!(["admin"]));
    assert_eq!((&said["home-dir"], &said["cluster-tag"]), (&json!("/"), &json!("eu")));
    let issued = said["orig_iat"].as_u64().unwrap();
    let expires = said["exp"].as_u64().unwrap();
    assert!(issued.abs_diff(tokens::now()) < 20 && expires == issued + 3600, "{said}");
    let expire = body["expire"].as_str().unwrap();
    let read = humantime(expire);
    assert_eq!(read, expires, "{expire}");
    let routed = gateway.get("/x").token(text).send_over(&mut gateway.connect_tls());
    assert_eq!(routed.status, 200);

    let said = claims(&token(&gateway, "alice", "wonderland-of-alice"));
    assert_eq!((&said["roles"], &said["home-dir"]), (&Value::Null, &json!("/alice")));
}

/// Seconds since 1970 of `2026-11-22T04:39:19Z`, by counting days.
fn humantime(text: &str) -> u64 {
    let number = |range: std::ops::Range<usize>| text[range].parse::<u64>().unwrap();
    let (year, month, day) = (number(0..4), number(5..7), number(8..10));
    assert_eq!((text.len(), &text[19..]), (20, "Z"));
    let is_leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let days_of = |month: u64| match month {
        2 => 28 + u64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let days = (1970..year).map(|year| 365 + u64::from(is_leap(year))).sum::<u64>()
        + (1..month).map(days_of).sum::<u64>()
        + day
        - 1;
    days * 86400 + number(11..13) * 3600 + number(14..16) * 60 + number(17..19)
}

#[test]
fn a_wrong_login_is_refused_as_clients_know_it() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();

    for (user, password) in
        [("alice", "wrong"), ("nobody", "wrong"), ("carol", "carol-of-the-bells"), ("ALICE", "x")]
    {
        let answer = login(&gateway, user, password);
        assert_eq!(refusal(&answer), token_error("Incorrect Username / Password"), "{user}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    }
    let missing =
        (400, None, "{\"message\":\"Missing Username or Password\",\"status\":400}".to_owned());
    for body in [
        "",
        "{}",
        "[]",
        "null",
        "{",
        "username=alice&password=wonderland-of-alice",
        "{\"username\":\"alice\"}",
        "{\"username\":\"alice\",\"password\":\"\"}",
        "{\"username\":\"\",\"password\":\"x\"}",
        "{\"username\":1,\"password\":\"x\"}",
        "{\"username\":\"alice\",\"password\":null}",
        "{\"username\":\"a\",\"username\":\"b\",\"password\":\"x\"}",
        "{\"username\":\"\\ud800\",\"password\":\"x\"}",
        "\u{feff}{\"username\":\"a\",\"password\":\"x\"}",
    ] {
        let answer = send(&gateway, "POST", "/login", "", body);
        assert_eq!(refusal(&answer), missing, "{body}");
        assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
    }
    let deep = "[".repeat(60_000);
    assert_eq!(refusal(&send(&gateway, "POST", "/login", "", &deep)), missing);
    let answer = gateway.send_tls("POST", "/login", &[], b"{\"username\":\"\xff\"}");
    assert_eq!(refusal(&answer), missing);
    let large = "x".repeat(70_000);
    assert_eq!(gateway.send_tls("POST", "/login", &[], large.as_bytes()).status, 413);
}

#[test]
fn a_token_is_refreshed_by_itself_with_what_the_user_has_become() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let first = token(&gateway, "alice", "wonderland-of-alice");
    let set = "{\"username\":\"alice\",\"home\":\"/elsewhere\",\"roles\":[\"user\"]}";
    assert_eq!(send(&gateway, "PUT", "/user", &root(&gateway), set).status, 200);

    let answer = send(&gateway, "GET", "/token/refresh", &format!("Bearer {first}"), "");

    assert_eq!(answer.status, 200, "{}", answer.text());
    let second = answer.json()["token"].as_str().unwrap().to_owned();
    let (old, new) = (claims(&first), claims(&second));
    assert_eq!(old["orig_iat"], new["orig_iat"]);
    assert_eq!((&new["home-dir"], &new["roles"]), (&json!("/elsewhere"), &json!(["user"])));
    let again = send(&gateway, "GET", "/token/refresh", &format!("Bearer {second}"), "");
    assert_eq!(again.status, 200);
}

#[test]
fn what_is_no_token_of_ours_is_not_refreshed() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let refresh = |authorization: &str| send(&gateway, "GET", "/token/refresh", authorization, "");
    let good = token(&gateway, "alice", "wonderland-of-alice");
    let of = |token: Token| format!("Bearer {}", token.claim("id", "alice").signed());
    let now = tokens::now();

    assert_eq!(refusal(&refresh("")), (401, BASIC, String::new()));
    for (authorization, message) in [
        (basic("alice", "wonderland-of-alice"), "Invalid auth header"),
        (format!("bearer {good}"), "Invalid auth header"),
        ("Basic !!!".to_owned(), "Invalid auth header"),
        ("Digest x".to_owned(), "Invalid auth header"),
        ("Bearer x".to_owned(), "token contains an invalid number of segments"),
        (format!("Bearer {}AAAAAAAA", &good[..good.len() - 8]), "signature is invalid"),
        (format!("Bearer {}", Token::of("alice").unsigned()), "Invalid signing algorithm"),
        (of(Token::of("nobody").claim("orig_iat", now)), "token is not valid"),
        (of(Token::of("carol").claim("orig_iat", now)), "token is not valid"),
        (of(Token::of("alice")), "token is not valid"),
        (of(Token::of("alice").without("exp").claim("orig_iat", now)), "token is not valid"),
        (of(Token::of("alice").claim("orig_iat", now - 36_001)), "Token is expired."),
    ] {
        assert_eq!(refusal(&refresh(&authorization)), token_error(message), "{authorization}");
    }
    let expired = of(Token::of("alice").claim("iat", now - 7200).claim("exp", now - 3662));
    let (status, challenge, body) = {
        let answer = refresh(&expired);
        (answer.status, answer.header("www-authenticate").map(str::to_owned), answer.text())
    };
    assert_eq!((status, challenge.as_deref()), (401, JWT));
    assert!(body.contains("token is expired by 1h1m"), "{body}");
    let later = of(Token::of("alice").claim("nbf", now + 3600));
    assert_eq!(refusal(&refresh(&later)), token_error("token is not valid yet"));
}

#[test]
fn a_token_dies_with_its_user() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let (admin, alice) = (root(&gateway), alice(&gateway));
    assert_eq!(send(&gateway, "GET", "/user", &alice, "").status, 200);

    let removed = send(&gateway, "DELETE", "/user?name=alice", &admin, "");

    assert_eq!(removed.json(), json!([{ "username": "alice", "home": "/alice" }]));
    for path in ["/user", "/token/refresh"] {
        let answer = send(&gateway, "GET", path, &alice, "");
        assert_eq!(refusal(&answer), token_error("token is not valid"), "{path}");
    }
    let again = "{\"username\":\"alice\",\"password\":\"wonderland-of-alice\"}";
    assert_eq!(send(&gateway, "POST", "/user", &admin, again).status, 200);
    let answer = send(&gateway, "GET", "/user", &alice, "");
    assert_eq!(refusal(&answer), token_error("token is not valid"), "another of the same name");
}

#[test]
fn users_are_asked_for_by_admins_and_by_themselves() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let (admin, alice) = (root(&gateway), alice(&gateway));
    let get = |target: &str, authorization: &str| {
        let answer = send(&gateway, "GET", target, authorization, "");
        assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
        (answer.status, answer.json())
    };
    let of_root = json!(
        { "username": "root", "roles": ["admin"], "home": "/", "cluster-tag": "eu" });
    let of_alice = json!({ "username": "alice", "home": "/alice" });
    let of_carol = json!({ "username": "carol" });

    assert_eq!(get("/user", &admin), (200, json!([of_root, of_alice, of_carol])));
    assert_eq!(get("/user?name=carol&name=alice", &admin), (200, json!([of_carol, of_alice])));
    let basic = basic("alice", "wonderland-of-alice");
    for alice in [&alice, &basic] {
        assert_eq!(get("/user", alice), (200, json!([of_alice])));
        assert_eq!(get("/user?name=alice", alice), (200, json!([of_alice])));
        let denied = error(403, "access to \"root\" denied", None);
        assert_eq!(get("/user?name=alice&name=root", alice), denied);
    }
    let unknown = error(404, "no \"x\" user found", Some("failed to get users"));
    assert_eq!(get("/user?name=x", &admin), unknown);
}

#[test]
fn who_asks_without_proof_is_challenged() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    for method in ["GET", "POST", "PUT", "DELETE"] {
        for authorization in ["", &basic("alice", "wrong"), &basic("x", "y"), &basic("carol", "c")]
        {
            let answer = send(&gateway, method, "/user", authorization, "");
            assert_eq!(refusal(&answer), (401, BASIC, String::new()), "{method} {authorization}");
        }
        let answer = send(&gateway, method, "/user", "Basic !!!", "");
        assert_eq!(refusal(&answer), token_error("Invalid auth header"));
        let foreign = format!("Bearer {}", Token::of("root").claim("iss", "other").signed());
        assert_eq!(send(&gateway, method, "/user", &foreign, "").status, 401);
    }
    assert_eq!(gateway.files().read("users.yaml"), USERS);
}

#[test]
fn admins_add_users() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let (admin, alice) = (root(&gateway), alice(&gateway));
    let post = |authorization: &str, body: &str| {
        let answer = send(&gateway, "POST", "/user", authorization, body);
        (answer.status, answer.json())
    };
    let bob = "{\"username\":\"bob\",\"password\":\"bob-the-builder\",\"roles\":[\"user\"],\
               \"home\":\"/bob\",\"cluster-tag\":\"us\"}";

    assert_eq!(post(&alice, bob), error(403, "only admin can create new users", None));
    let (status, said) = post(&admin, bob);
    assert_eq!(status, 200, "{said}");
    assert_eq!(
        said,
        json!({ "username": "bob", "roles": ["user"], "home": "/bob", "cluster-tag": "us" })
    );
    assert_eq!(claims(&token(&gateway, "bob", "bob-the-builder"))["home-dir"], "/bob");
    let file = gateway.files().read("users.yaml");
    assert!(file.starts_with(USERS) && file.contains("$argon2id$"), "{file}");
    assert!(!file.contains("bob-the-builder"));

    let failed = Some("failed to create new user");
    assert_eq!(post(&admin, bob), error(409, "\"bob\" user already exists", failed));
    for (body, expected) in [
        ("{\"password\":\"x\"}", error(400, "no username provided", None)),
        ("{\"username\":\"x\"}", error(400, "no password provided", None)),
        ("{\"username\":\"x\",\"password\":\"\"}", error(400, "no password provided", None)),
        (
            "{\"username\":\"x\",\"password\":\"y\",\"passhash\":\"z\"}",
            error(400, "cannot change password hash", None),
        ),
    ] {
        assert_eq!(post(&admin, body), expected, "{body}");
    }
    for body in [
        "",
        "[]",
        "{",
        "{\"username\":1}",
        "{\"username\":\"x\",\"password\":\"y\",\"roles\":\"z\"}",
        "{\"username\":\" x\",\"password\":\"y\"}",
        "{\"username\":\"x\\u0000\",\"password\":\"y\"}",
        "{\"username\":\"x\",\"password\":\"y\",\"home\":\"/a/../b\"}",
        "{\"username\":\"x\",\"password\":\"y\\u0000\"}",
        "{\"username\":\"x\",\"password\":\"y\",\"roles\":[\"a,b\"]}",
    ] {
        let (status, said) = post(&admin, body);
        assert_eq!((status, &said["status"]), (400, &json!(400)), "{body}: {said}");
        assert!(said["message"].is_string());
    }
    assert_eq!(gateway.files().read("users.yaml"), file);
}

#[test]
fn users_change_their_password_and_admins_everything() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let (admin, alice_before) = (root(&gateway), alice(&gateway));
    let put = |authorization: &str, body: &str| {
        let answer = send(&gateway, "PUT", "/user", authorization, body);
        (answer.status, answer.json())
    };
    for (body, message) in [
        (
            "{\"username\":\"root\",\"password\":\"x\"}",
            "only admin can change other user passwords",
        ),
        ("{\"home\":\"/\"}", "only admin can change home directories"),
        ("{\"cluster-tag\":\"\"}", "only admin can change cluster tag"),
        ("{\"roles\":[\"admin\"]}", "only admin can change roles"),
        ("{\"username\":\"root\"}", "access to \"root\" denied"),
    ] {
        assert_eq!(put(&alice_before, body), error(403, message, None), "{body}");
    }
    for authorization in [&alice_before, &admin] {
        let refused = put(authorization, "{\"passhash\":\"x\"}");
        assert_eq!(refused, error(400, "cannot change password hash", None));
    }
    let (status, said) = put(&alice_before, "{\"password\":\"looking-glass\"}");
    assert_eq!((status, said), (200, json!({ "username": "alice", "home": "/alice" })));
    assert_eq!(login(&gateway, "alice", "wonderland-of-alice").status, 401);
    assert_eq!(send(&gateway, "GET", "/user", &alice_before, "").status, 401);
    token(&gateway, "alice", "looking-glass");

    let body = "{\"username\":\"alice\",\"password\":\"third\",\"home\":\"\",\"roles\":[\"user\"],\
                \"cluster-tag\":\"asia\"}";
    let (status, said) = put(&admin, body);
    let expected = json!({ "username": "alice", "roles": ["user"], "cluster-tag": "asia" });
    assert_eq!((status, said), (200, expected));
    assert_eq!(claims(&token(&gateway, "alice", "third"))["home-dir"], "");
    let failed = Some("failed to update user");
    let unknown = put(&admin, "{\"username\":\"x\",\"roles\":[]}");
    assert_eq!(unknown, error(404, "no \"x\" user found", failed));
    let file = gateway.files().read("users.yaml");
    assert!(file.contains("# people") && file.contains("# soon a hash"), "{file}");
}

#[test]
fn admins_remove_users() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let (admin, alice) = (root(&gateway), alice(&gateway));
    let delete = |target: &str, authorization: &str| {
        let answer = send(&gateway, "DELETE", target, authorization, "");
        (answer.status, answer.json())
    };
    let denied = error(403, "only admin can delete users", None);
    assert_eq!(delete("/user?name=alice", &alice), denied);
    assert_eq!(delete("/user", &admin), (200, json!([])));
    let unknown = error(404, "no \"x\" user found", Some("failed to delete users"));
    assert_eq!(delete("/user?name=alice&name=x", &admin), unknown);
    assert_eq!(gateway.files().read("users.yaml"), USERS);
    let both = delete("/user?name=carol&name=alice&name=carol", &admin);
    let gone = json!([{ "username": "carol" }, { "username": "alice", "home": "/alice" }]);
    assert_eq!(both, (200, gone));
    assert_eq!(login(&gateway, "alice", "wonderland-of-alice").status, 401);
}

#[test]
fn a_file_that_can_not_be_loaded_is_said_so() {
    let upstream = TestUpstream::start();
    let mut gateway = before(&upstream).start();
    let admin = root(&gateway);
    gateway.rewrite("routes.all", "upstream = \"nowhere\"");

    let body = "{\"username\":\"bob\",\"password\":\"bob-the-builder\"}";
    let answer = send(&gateway, "POST", "/user", &admin, body);

    assert_eq!(answer.status, 500, "{}", answer.text());
    assert!(answer.text().contains("takes effect once"), "{}", answer.text());
    assert_eq!(login(&gateway, "bob", "bob-the-builder").status, 401);
    gateway.rewrite("routes.all", "upstream = \"files\"");
    gateway.reload();
    gateway.wait("bob", || login(&gateway, "bob", "bob-the-builder").status == 200);
}

#[test]
fn a_second_factor_is_asked_for() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream)
        .section("endpoints.std", "dialect = \"standard\"\nissuer = \"local\"")
        .start();
    let bearer = alice(&gateway);
    let header = [("Authorization", bearer.as_str())];
    let enrolled = gateway
        .post_json("/totp/enrol", &json!({ "password": "wonderland-of-alice" }), &header)
        .json();
    let secret = enrolled["secret"].as_str().unwrap_or_else(|| panic!("{enrolled}")).to_owned();
    let code = json!({ "code": one_time_code(&secret, 0) });
    let confirmed = gateway.post_json("/totp/confirm", &code, &header);
    assert_eq!(confirmed.status, 200, "{}", confirmed.text());

    let refused = login(&gateway, "alice", "wonderland-of-alice");
    assert_eq!(refusal(&refused), token_error("Missing one-time code: totp_code"));
    let with = |code: &str| {
        let body = json!(
            { "username": "alice", "password": "wonderland-of-alice", "totp_code": code });
        gateway.send_tls("POST", "/login", &[], body.to_string().as_bytes())
    };
    assert_eq!(refusal(&with("000000")), token_error("Incorrect one-time code"));
    assert_eq!(with(&one_time_code(&secret, 1)).status, 200);
    let basic = basic("alice", "wonderland-of-alice");
    let answer = send(&gateway, "GET", "/user", &basic, "");
    assert_eq!(refusal(&answer), (401, BASIC, String::new()), "a password alone is not enough");
}

#[test]
fn browsers_may_ask_before_they_send() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    for path in ["/login", "/token/refresh", "/user", "/version"] {
        let answer = send(&gateway, "OPTIONS", path, "", "");
        assert_eq!((answer.status, answer.text().as_str()), (200, ""), "{path}");
        for (name, value) in [
            ("access-control-max-age", "86400"),
            ("access-control-allow-methods", "POST, OPTIONS, GET, PUT, DELETE, HEAD"),
            (
                "access-control-allow-headers",
                "Origin, Content-Type, Content-Length, Accept, Accept-Encoding, X-CSRF-Token, \
                 Authorization, x-requested-with",
            ),
            ("access-control-expose-headers", "Content-Length,Set-Cookie"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{path}");
        }
    }
}

#[test]
fn other_methods_and_the_version_are_answered_as_known() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let answer = send(&gateway, "GET", "/login", "", "");
    assert_eq!(answer.status, 405);
    assert_eq!(
        answer.text(),
        "{\n    \"status\": 405,\n    \"message\": \"Method not allowed\"\n}"
    );
    assert_eq!(send(&gateway, "POST", "/token/refresh", "", "").status, 405);
    let version = send(&gateway, "GET", "/version", "", "");
    assert_eq!(version.status, 200);
    assert_eq!(version.json()["version"], env!("CARGO_PKG_VERSION"));
    assert!(version.json()["git-hash"].is_string());
}

#[test]
fn too_many_failures_are_429() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).section("throttle", "failures = 2\ndelay = \"30s\"").start();
    let mut last = login(&gateway, "alice", "wrong");
    for _ in 0..4 {
        last = login(&gateway, "alice", "wrong");
    }
    assert_eq!(last.status, 429, "{}", last.text());
    assert_eq!(last.json()["status"], 429);
    assert!(last.header("retry-after").unwrap().parse::<u64>().unwrap() > 0);
}

#[test]
fn no_second_entry_of_a_name_comes_to_count() {
    let upstream = TestUpstream::start();
    let more = "- {username: alice, password: alice-of-the-second, roles: [admin]}\n";
    let gateway = before(&upstream)
        .section("directories.zmore", "file = \"more.yaml\"")
        .file("more.yaml", more)
        .start();
    let admin = root(&gateway);
    assert_eq!(login(&gateway, "alice", "alice-of-the-second").status, 401);
    let add = "{\"username\":\"alice\",\"password\":\"x\"}";
    assert_eq!(send(&gateway, "POST", "/user", &admin, add).status, 409);

    assert_eq!(send(&gateway, "DELETE", "/user?name=alice", &admin, "").status, 200);

    assert_eq!(login(&gateway, "alice", "alice-of-the-second").status, 401);
    assert!(!gateway.files().read("more.yaml").contains("alice"));
    assert!(!gateway.files().read("users.yaml").contains("alice"));
}
