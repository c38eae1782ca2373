//! App Mesh's dialect, as its clients of all generations speak it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::client::Response;
use crate::support::configuration::Builder;
use crate::support::endpoint::{STORE_SECRET, one_time_code};
use crate::support::gateway::TestGateway;
use crate::support::tokens::{self, basic};
use crate::support::upstream::TestUpstream;

mod client;
mod cookie;
mod login;
mod second_factor;
mod token;
mod users;

const USERS: &str = r"
# people
users:
- username: admin
  password: root-of-all-things
  roles: [manage]
  groups: [admins]
- username: mesh
  password: bob-the-builder # soon a hash
  roles: [member]
  email: mesh@example.org
  groups: [users, more]
  attributes: {exec_user: nobody, other: kept}
- username: bare
  password: dave-has-no-home
- username: locked
  password: carol-of-the-bells
  roles: [manage]
  disabled: true
roles:
  manage: ['*'] # everything
  member: [app-view, user-token-renew, passwd-change-self, user-totp-active, user-totp-disable]
";

fn before(upstream: &TestUpstream) -> Builder {
    let issuer = format!(
        "secret = \"{}\"\nalgorithms = [\"HS256\"]\nissuer = \"{}\"\n\
         audience = [\"appmesh-service\", \"other-service\"]",
        tokens::SECRET,
        tokens::ISSUER,
    );
    TestGateway::before(upstream)
        .users(USERS)
        .section("issuers.local", &issuer)
        .section("endpoints.mesh", "dialect = \"appmesh\"\nissuer = \"local\"")
        .section("store", &format!("secret = \"{STORE_SECRET}\""))
}

/// Sends over TLS and checks what every answer has.
#[track_caller]
fn send(
    gateway: &TestGateway,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Response {
    let answer = gateway.send_tls(method, target, headers, body.as_bytes());
    for (name, value) in [
        ("access-control-allow-origin", "*"),
        ("access-control-allow-methods", "GET, POST, PUT, DELETE, OPTIONS"),
        ("access-control-allow-headers", "Authorization, Content-Type"),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
        ("pragma", "no-cache"),
        ("strict-transport-security", "max-age=31536000"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{method} {target} {answer:?}");
    }
    answer
}

#[track_caller]
fn post(gateway: &TestGateway, target: &str, headers: &[(&str, &str)], body: &str) -> Response {
    send(gateway, "POST", target, headers, body)
}

/// Logs in with more headers.
#[track_caller]
fn login(gateway: &TestGateway, user: &str, password: &str, more: &[(&str, &str)]) -> Response {
    let basic = basic(user, password);
    let headers = [&[("Authorization", &*basic)], more].concat();
    post(gateway, "/appmesh/login", &headers, "")
}

#[track_caller]
fn good(answer: &Response) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

#[track_caller]
fn token(gateway: &TestGateway, user: &str, password: &str) -> String {
    let said = good(&login(gateway, user, password, &[]));
    said["access_token"].as_str().unwrap().to_owned()
}

fn admin(gateway: &TestGateway) -> String {
    format!("Bearer {}", token(gateway, "admin", "root-of-all-things"))
}

fn mesh(gateway: &TestGateway) -> String {
    format!("Bearer {}", token(gateway, "mesh", "bob-the-builder"))
}

/// Status and message of a refusal, which has no challenge and nothing else.
#[track_caller]
fn refusal(answer: &Response) -> (u16, String) {
    assert_eq!(answer.header("www-authenticate"), None);
    assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
    let said = answer.json();
    assert_eq!(said.as_object().unwrap().len(), 1, "{said}");
    (answer.status, said["message"].as_str().unwrap().to_owned())
}

#[track_caller]
fn assert_refused(answer: &Response, status: u16, message: &str) {
    assert_eq!(refusal(answer), (status, message.to_owned()));
}

fn denied(user: &str, permission: &str) -> String {
    format!("Permission denied: user '{user}' lacks required permission '{permission}'")
}
