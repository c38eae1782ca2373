//! What an operator changes in the running gateway: by the socket, by the token, by the command
//! line.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::client::{Client, Response};
use crate::support::configuration::Builder;
use crate::support::gateway::TestGateway;
use crate::support::tokens::Token;
use crate::support::upstream::TestUpstream;

const ADMIN_TOKEN: &str = "forty-characters-that-nobody-else-knows!";

/// A gateway with a token service and a store.
fn gateway(upstream: &TestUpstream) -> Builder {
    TestGateway::before(upstream)
        .section("store", "secret = \"a secret of the tests that is long enough\"")
        .section("endpoints.main", "dialect = \"standard\"\nissuer = \"local\"\npath = \"/gate\"")
        .with("routes.all", "accept = [\"bearer\", \"basic\", \"api-key\"]")
}

/// Asks over the socket, as its owner.
#[track_caller]
fn ask(gateway: &TestGateway, method: &str, path: &str, body: &Value) -> Response {
    let socket = gateway.files().path("admin.sock");
    let stream = std::os::unix::net::UnixStream::connect(socket).unwrap();
    send(&mut Client::over(Box::new(stream)), method, path, body, "")
}

#[track_caller]
fn send(client: &mut Client, method: &str, path: &str, body: &Value, fields: &str) -> Response {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n{fields}\r\n",
        body.len()
    );
    client.send(head + &body).response_to(method).unwrap()
}

/// Runs the command line against the gateway's own configuration.
fn doorward(gateway: &TestGateway, arguments: &[&str], input: &str) -> (i32, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_doorward"))
        .args(arguments)
        .args(["--config", "doorward.toml"])
        .current_dir(gateway.files().root())
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(text).unwrap())
}

#[track_caller]
fn good(gateway: &TestGateway, arguments: &[&str]) -> String {
    let (code, text) = doorward(gateway, arguments, "");
    assert_eq!(code, 0, "{arguments:?}: {text}");
    text
}

#[test]
fn users_are_added_shown_changed_and_removed_in_their_file() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream).start();
    let none = Value::Null;

    let new = json!({ "name": "erin", "password": "a-first-one-of-erin", "roles": ["reader"] });
    assert_eq!(ask(&gateway, "POST", "/users", &new).status, 201);
    assert_eq!(ask(&gateway, "POST", "/users", &new).status, 409);
    assert_eq!(gateway.get("/x").basic("erin", "a-first-one-of-erin").send().status, 200);
    let shown = ask(&gateway, "GET", "/users/erin", &none).json();
    assert_eq!((&shown["password"], &shown["roles"]), (&json!("argon2id"), &json!(["reader"])));
    assert!(!shown.to_string().contains("$argon2"));

    let other = json!({ "password": "another-one-of-erin" });
    assert_eq!(ask(&gateway, "PUT", "/users/erin/password", &other).status, 204);
    assert_eq!(gateway.get("/x").basic("erin", "a-first-one-of-erin").send().status, 401);
    assert_eq!(gateway.get("/x").basic("erin", "another-one-of-erin").send().status, 200);

    assert_eq!(ask(&gateway, "POST", "/users/erin/disable", &none).status, 204);
    assert_eq!(gateway.get("/x").basic("erin", "another-one-of-erin").send().status, 401);
    assert_eq!(ask(&gateway, "POST", "/users/erin/enable", &none).status, 204);
    let listed = ask(&gateway, "GET", "/users", &none).json();
    assert_eq!(listed["users"].as_array().unwrap().len(), 6);
    assert_eq!(ask(&gateway, "DELETE", "/users/erin", &none).status, 204);
    assert_eq!(ask(&gateway, "DELETE", "/users/erin", &none).status, 404);
    assert!(!gateway.files().read("users.yaml").contains("erin"));
}

#[test]
fn a_logout_ends_what_was_issued_before_and_nothing_else() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream).start();
    let (alice, bob) = (Token::of("alice").claim("jti", "a").signed(), Token::of("bob").signed());

    assert_eq!(gateway.get("/x").token(&alice).send().status, 200);
    assert_eq!(
        good(&gateway, &["user", "logout", "alice"]),
        "user `alice` is logged out everywhere\n"
    );

    assert_eq!(gateway.get("/x").token(&alice).send().status, 401);
    assert_eq!(gateway.get("/x").token(&bob).send().status, 200);
    let known = ask(&gateway, "GET", "/revocations", &Value::Null).json();
    assert_eq!(known["revocations"][0]["user"], "alice");
}

#[test]
fn tokens_are_issued_inspected_and_revoked() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream).start();
    let place = format!("unix:{}", gateway.files().path("admin.sock").display());

    let issued = good(&gateway, &["token", "issue", "--user", "alice", "--admin", &place]);
    let token = issued.trim();
    assert_eq!(gateway.get("/x").token(token).send().status, 200);
    let told = good(&gateway, &["token", "inspect", token]);
    assert!(told.contains("ok     not revoked, as the running gateway knows"), "{told}");

    assert_eq!(good(&gateway, &["token", "revoke", token]), "the token is ended\n");
    assert_eq!(gateway.get("/x").token(token).send().status, 401);
    let (code, told) = doorward(&gateway, &["token", "inspect", token], "");
    assert_eq!(code, 1);
    assert!(told.contains("FAILS  not revoked") && told.contains("NOT VERIFIED"), "{told}");

    let by_id = Token::of("alice").claim("jti", "by-its-id").signed();
    good(&gateway, &["token", "revoke", "--id", "by-its-id"]);
    assert_eq!(gateway.get("/x").token(&by_id).send().status, 401);
    let (code, told) = doorward(&gateway, &["token", "revoke", "-"], "no.such.token");
    assert_eq!((code, told.contains("the token does not hold")), (1, true), "{told}");
}

#[test]
fn logins_are_listed_and_ended() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream).start();
    let login = "grant_type=password&username=alice&password=wonderland-of-alice";
    let granted = gateway
        .ask("POST", "/gate/oauth2/token")
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(login)
        .send();
    let token = granted.json()["access_token"].as_str().unwrap().to_owned();

    let listed = ask(&gateway, "GET", "/tokens?user=alice", &Value::Null).json();
    let family = listed["families"][0]["id"].as_str().unwrap();
    assert!(good(&gateway, &["token", "list"]).contains(family));
    assert!(!good(&gateway, &["token", "list", "--user", "bob"]).contains(family));
    assert_eq!(gateway.get("/x").token(&token).send().status, 200);
    good(&gateway, &["token", "revoke", "--family", family]);

    assert_eq!(gateway.get("/x").token(&token).send().status, 401);
    let (code, told) = doorward(&gateway, &["token", "revoke", "--family", family], "");
    assert_eq!((code, told.contains("no such login")), (1, true), "{told}");
}

#[test]
fn keys_are_issued_once_used_listed_and_ended() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream).start();
    let issue = ["key", "issue", "--user", "alice", "--label", "ci", "--method", "GET", "--json"];

    let issued: Value = serde_json::from_str(&good(&gateway, &issue)).unwrap();
    let (key, id) = (issued["key"].as_str().unwrap(), issued["id"].as_str().unwrap());
    assert_eq!(gateway.get("/x").header("X-Api-Key", key).send().status, 200);
    assert_eq!(gateway.ask("PUT", "/x").header("X-Api-Key", key).send().status, 403);
    let listed = good(&gateway, &["key", "list", "--user", "alice"]);
    assert!(listed.contains(id) && listed.contains("ci") && !listed.contains(key), "{listed}");
    good(&gateway, &["key", "revoke", id]);

    assert_eq!(gateway.get("/x").header("X-Api-Key", key).send().status, 401);
    let (code, told) = doorward(&gateway, &["key", "revoke", id], "");
    assert_eq!((code, told.as_str()), (1, "error: no such key\n"));
    let (code, told) = doorward(&gateway, &["key", "issue", "--user", "nobody"], "");
    assert_eq!((code, told.as_str()), (1, "error: no such user\n"));

    let identifier = "0f4be5cf-f3b1-4e1c-b2ac-5a1f8e1e3c77";
    let register = ["key", "register", "--identifier", identifier, "--json"];
    let (code, told) = doorward(&gateway, &register, "a-key-that-a-service-has-made\n");
    assert_eq!(code, 0, "{told}");
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!((&told["owner"], &told["kind"]), (&json!(identifier), &json!("registered")));
}

#[test]
fn a_second_factor_is_enrolled_and_taken_away() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream).start();

    let begun = ask(&gateway, "POST", "/users/alice/totp", &Value::Null);
    assert_eq!(begun.status, 201);
    assert!(begun.json()["uri"].as_str().unwrap().starts_with("otpauth://totp/"));
    assert!(begun.json()["svg"].as_str().unwrap().contains("<svg"));
    assert!(good(&gateway, &["totp", "show", "alice"]).contains("not confirmed"));
    let (code, told) = doorward(&gateway, &["totp", "enrol", "alice", "--code", "12"], "");
    assert_eq!((code, told.contains("the code is wrong")), (1, true), "{told}");
    let (code, told) = doorward(&gateway, &["totp", "disable", "bob"], "");
    assert_eq!((code, told.as_str()), (1, "error: no second factor is there\n"));
    let wrong = json!({ "code": "000000", "more": 1 });
    assert_eq!(ask(&gateway, "POST", "/users/alice/totp/confirm", &wrong).status, 422);
}

#[test]
fn failed_logins_are_forgotten() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream).start();
    for _ in 0..3 {
        assert_eq!(gateway.get("/x").basic("bob", "wrong").send().status, 401);
    }
    assert_eq!(ask(&gateway, "GET", "/users/bob", &Value::Null).json()["failed_logins"], 3);
    good(&gateway, &["user", "unlock", "bob"]);
    assert_eq!(ask(&gateway, "GET", "/users/bob", &Value::Null).json()["failed_logins"], 0);
}

#[test]
fn over_tcp_nobody_gets_in_without_the_token() {
    let upstream = TestUpstream::start();
    // The socket of the tests is needed to wait for the start, so a second gateway listens by TCP.
    let first = gateway(&upstream).start();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    first.files().write("admin.token", ADMIN_TOKEN);
    let text = first.files().read("doorward.toml");
    let socket = format!("unix:{}/admin.sock", first.files().root().display());
    let text = text.replace(&socket, &format!("{port}\"\ntoken = \"@admin.token"));
    first.files().write("tcp.toml", text.replace("[store]", "[store]\nsqlite = \"tcp.db\""));
    let mut second = Command::new(env!("CARGO_BIN_EXE_doorward"))
        .args(["serve", "--config", "tcp.toml"])
        .current_dir(first.files().root())
        .env_clear()
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    first.wait("the second gateway", || std::net::TcpStream::connect(port).is_ok());

    let get = |fields: &str| send(&mut Client::tcp(port), "GET", "/users", &Value::Null, fields);
    let bearer = format!("Authorization: Bearer {ADMIN_TOKEN}\r\n");
    assert_eq!(get(&bearer).status, 200);
    for fields in [
        String::new(),
        "Authorization: Bearer \r\n".to_owned(),
        format!("Authorization: Bearer {ADMIN_TOKEN}x\r\n"),
        format!("Authorization: Basic {ADMIN_TOKEN}\r\n"),
        format!("{bearer}{bearer}"),
    ] {
        assert_eq!(get(&fields).status, 401, "{fields}");
    }
    let decision =
        |fields| send(&mut Client::tcp(port), "GET", "/decisions/abc", &Value::Null, fields).status;
    assert_eq!([decision(""), decision(&bearer)], [401, 404]);
    assert_eq!(get(&format!("{bearer}Origin: http://localhost\r\n")).status, 403);
    assert_eq!(get(&format!("{bearer}Sec-Fetch-Site: cross-site\r\n")).status, 403);
    let answer = get(&bearer);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("access-control-allow-origin"), None);
    assert_eq!(answer.header("set-cookie"), None);
    let users = Command::new(env!("CARGO_BIN_EXE_doorward"))
        .args(["user", "list", "--config", "tcp.toml"])
        .current_dir(first.files().root())
        .env_clear()
        .output()
        .unwrap();
    let users = String::from_utf8([users.stdout, users.stderr].concat()).unwrap();
    assert!(users.contains("alice"), "{users}");
    second.kill().unwrap();
    second.wait().unwrap();
}

#[test]
fn what_is_not_understood_is_refused_with_the_reason() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream).start();
    let none = Value::Null;

    for (method, path, body, status) in [
        ("GET", "/users/nobody", none.clone(), 404),
        ("PATCH", "/users", none.clone(), 405),
        ("GET", "/keys/x/y", none.clone(), 404),
        ("POST", "/keys", json!({ "owner": "alice", "scope": { "fly": true } }), 422),
        ("POST", "/keys", json!({ "owner": "alice", "colour": "red" }), 422),
        ("POST", "/keys", json!([1]), 422),
        ("POST", "/tokens/revoke", json!({ "id": "a", "user": "b" }), 400),
        ("POST", "/tokens/revoke", json!({ "all": true }), 422),
        ("POST", "/tokens", json!({ "user": "nobody" }), 404),
        ("POST", "/tokens", json!({ "user": "carol" }), 409),
        ("POST", "/tokens", json!({ "user": "alice", "lifetime": "0s" }), 422),
        ("POST", "/tokens", json!({ "user": "alice", "claims": { "sub": "bob" } }), 422),
        ("POST", "/users", json!({ "name": "" }), 422),
        ("POST", "/users", json!({ "name": "x", "home": "/a/../b" }), 422),
        ("PUT", "/users/alice/password", json!({ "password": "" }), 422),
        ("POST", "/users", json!({ "name": "x".repeat(70_000) }), 413),
    ] {
        let answer = ask(&gateway, method, path, &body);
        assert_eq!(answer.status, status, "{method} {path} {body}: {}", answer.text());
    }
    assert_eq!(ask(&gateway, "GET", "/users/nobody", &none).problem()["detail"], "no such user");
}

#[test]
fn without_a_gateway_the_command_line_says_that_one_is_needed() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream).start();
    let place = "unix:/nowhere/admin.sock";
    for arguments in [
        &["user", "logout", "alice", "--admin", place][..],
        &["user", "list", "--admin", place],
        &["key", "issue", "--user", "alice", "--admin", place],
        &["token", "list", "--admin", place],
        &["totp", "show", "alice", "--admin", place],
    ] {
        let (code, told) = doorward(&gateway, arguments, "");
        assert_eq!(code, 1, "{told}");
        assert!(told.contains("this needs a running gateway"), "{arguments:?}: {told}");
    }
}

#[test]
fn a_rotated_key_signs_at_once_and_the_old_one_goes_on_verifying() {
    let upstream = TestUpstream::start();
    let builder = gateway(&upstream);
    let keys = builder.root().join("keys");
    let made = Command::new(env!("CARGO_BIN_EXE_doorward"))
        .args(["key", "generate", "--name", "first", "--out"])
        .arg(&keys)
        .output()
        .unwrap();
    assert!(made.status.success());
    let issuer = "keys = \"keys\"\nissuer = \"https://keys.test\"\naudience = [\"doorward\"]";
    let gateway = builder.section("issuers.rotated", issuer).start();
    let place = format!("unix:{}", gateway.files().path("admin.sock").display());
    let order =
        ["token", "issue", "--user", "alice", "--issuer", "rotated", "--admin", &place, "--json"];
    let issue = || serde_json::from_str::<Value>(&good(&gateway, &order)).unwrap();

    let before = issue();
    let told = good(&gateway, &["key", "rotate", "--issuer", "rotated", "--json"]);
    let told: Value = serde_json::from_str(&told).unwrap();
    let after = issue();

    assert_eq!((&told["previous"], &told["loaded"]), (&json!("first"), &json!(true)));
    assert_eq!((&before["key_id"], &after["key_id"]), (&json!("first"), &told["key_id"]));
    for issued in [&before, &after] {
        let token = issued["token"].as_str().unwrap();
        assert_eq!(gateway.get("/x").token(token).send().status, 200);
    }
    let (code, told) = doorward(&gateway, &["key", "rotate", "--issuer", "local"], "");
    assert_eq!((code, told.contains("signs with a secret")), (1, true), "{told}");
}
