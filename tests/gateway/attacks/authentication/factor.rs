//! A second factor that one endpoint asks for and another forgets.

use serde_json::{Value, json};

use super::PASSWORD;
use crate::support::client::Response;
use crate::support::endpoint::{STORE_SECRET, one_time_code};
use crate::support::gateway::TestGateway;
use crate::support::tokens::basic;
use crate::support::upstream::TestUpstream;

fn endpoint(dialect: &str) -> String {
    format!("dialect = \"{dialect}\"\nissuer = \"local\"\npath = \"/{dialect}\"")
}

#[track_caller]
fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

fn gateway(upstream: &TestUpstream) -> TestGateway {
    TestGateway::before(upstream)
        .section("store", &format!("secret = \"{STORE_SECRET}\""))
        .section("endpoints.standard", &endpoint("standard"))
        .section("endpoints.ryft", &endpoint("ryft"))
        .section("endpoints.omegaml", &endpoint("omegaml"))
        .section("endpoints.mesh", &endpoint("appmesh"))
        .section("endpoints.page", &endpoint("page"))
        .section("endpoints.cockpit", &endpoint("clustercockpit"))
        .section("throttle", "failures = 100000\nfailures_per_address = 100000")
        .start()
}

/// Enrols alice at the standard endpoint, with the code of the step before this one.
fn enrol(gateway: &TestGateway) -> String {
    let grant = [("grant_type", "password"), ("username", "alice"), ("password", PASSWORD)];
    let issued = gateway.post_form("/standard/oauth2/token", &grant, &[]).json();
    let authorization = format!("Bearer {}", text(&issued["access_token"]));
    let headers = [("Authorization", &*authorization)];
    let begun =
        gateway.post_json("/standard/totp/enrol", &json!({ "password": PASSWORD }), &headers);
    let secret = text(&begun.json()["secret"]);
    let code = json!({ "code": one_time_code(&secret, -1) });
    let confirmed = gateway.post_json("/standard/totp/confirm", &code, &headers);
    assert_eq!(confirmed.status, 200, "{}", confirmed.text());
    secret
}

/// All ways to log in with a password, and perhaps with something beside it.
fn logins(gateway: &TestGateway, user: &str, password: &str, code: Option<&str>) -> Vec<Response> {
    let pair = [("username", user), ("password", password)];
    let mut form = vec![("grant_type", "password"), pair[0], pair[1]];
    let mut body = json!({ "username": user, "password": password });
    let authorization = basic(user, password);
    let mut headers = vec![("Authorization", &*authorization)];
    if let Some(code) = code {
        form.push(("otp", code));
        body["totp_code"] = json!(code);
        body["otp"] = json!(code);
        headers.push(("X-Totp-Code", code));
    }
    let body = body.to_string();
    let form_type = [("Content-Type", "application/x-www-form-urlencoded")];
    vec![
        gateway.post_form("/standard/oauth2/token", &form, &[]),
        gateway.send_tls("POST", "/ryft/login", &form_type, body.as_bytes()),
        gateway.send_tls("POST", "/omegaml/token-auth/", &form_type, body.as_bytes()),
        gateway.send_tls("POST", "/appmesh/appmesh/login", &headers, b""),
        gateway.post_form("/page/login", &pair, &[("Origin", "https://files.test")]),
        gateway.post_form("/clustercockpit/login", &pair, &[("Origin", "https://files.test")]),
        gateway.send_tls("GET", "/ryft/user", &headers, b""),
        gateway.send_tls("GET", "/x", &headers, b""),
    ]
}

/// Whatever could be used afterwards: tokens, whole sessions.
fn gives_something(response: &Response) -> bool {
    let text = response.text();
    // Three parts, since three letters alone may stand in any random value of a form.
    let is_token = |word: &str| word.starts_with("eyJ") && word.matches('.').count() == 2;
    let mut words =
        text.split(|letter: char| !(letter.is_ascii_alphanumeric() || "-_.".contains(letter)));
    ["access_token", "refresh_token", "\"token\""].iter().any(|name| text.contains(name))
        || words.any(is_token)
        || response.all("set-cookie").iter().any(|cookie| {
            let (name, value) = cookie.split_once('=').unwrap();
            !name.contains("form") && !value.starts_with(';') && cookie.contains("session")
        })
}

#[test]
fn no_endpoint_lets_a_password_alone_pass() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream);
    let whole = logins(&gateway, "alice", PASSWORD, None);
    let given = whole.iter().filter(|response| gives_something(response)).count();
    assert!(given >= 4, "the requests are right as far as they go: {whole:#?}");
    let reached = upstream.requests().len();

    enrol(&gateway);

    for code in [None, Some(""), Some("000000"), Some("null"), Some("0")] {
        for response in logins(&gateway, "alice", PASSWORD, code) {
            assert!(!gives_something(&response), "{code:?}: {response:#?} {}", response.text());
        }
    }
    assert_eq!(upstream.requests().len(), reached);
}

#[test]
fn a_code_is_used_up_wherever_it_was_used() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream);
    let secret = enrol(&gateway);
    let form = |code: &str| {
        let pair = [("username", "alice"), ("password", PASSWORD), ("otp", code)];
        gateway.post_form(
            "/standard/oauth2/token",
            &[&pair[..], &[("grant_type", "password")]].concat(),
            &[],
        )
    };
    let code = one_time_code(&secret, 0);
    let used = form(&code);
    assert_eq!(used.status, 200, "{}", used.text());

    for response in logins(&gateway, "alice", PASSWORD, Some(&code)) {
        assert!(!gives_something(&response), "{response:#?}");
    }
    for steps in [-3, -2, -1, 2, 3, 10] {
        let other = one_time_code(&secret, steps);
        assert_eq!(form(&other).status, 400, "{steps} steps away");
    }
    let mut statuses = Vec::new();
    let next = &one_time_code(&secret, 1);
    let form = &form;
    std::thread::scope(|scope| {
        let threads = (0..12).map(|_| scope.spawn(move || form(next).status)).collect::<Vec<_>>();
        statuses.extend(threads.into_iter().map(|thread| thread.join().unwrap()));
    });
    let good = statuses.iter().filter(|status| **status == 200).count();
    assert_eq!(good, 1, "{statuses:?}");
}

#[test]
fn guesses_at_a_code_have_to_wait_like_all_others() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream)
        .section("store", &format!("secret = \"{STORE_SECRET}\""))
        .section("endpoints.standard", &endpoint("standard"))
        .section("throttle", "failures = 10\ndelay = \"10m\"\nmax_delay = \"20m\"")
        .start();
    let secret = enrol(&gateway);
    let grant = [("grant_type", "password"), ("username", "alice"), ("password", PASSWORD)];
    let with = |code: &str| {
        let grant = [&grant[..], &[("otp", code)]].concat();
        gateway.post_form("/standard/oauth2/token", &grant, &[]).status
    };

    let wrong = (0..11).map(|number| with(&format!("00000{}", number % 10))).collect::<Vec<_>>();

    assert_eq!(wrong[..10], [400; 10], "{wrong:?}");
    assert_eq!(wrong[10], 429, "{wrong:?}");
    assert_eq!(with(&one_time_code(&secret, 0)), 429, "the right one has to wait as well");
}
