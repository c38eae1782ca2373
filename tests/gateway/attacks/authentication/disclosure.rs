//! What answers, pages, and the operator's listener tell.

use serde_json::{Value, json};

use super::PASSWORD;
use crate::support::endpoint::{STORE_SECRET, one_time_code};
use crate::support::gateway::TestGateway;
use crate::support::tokens::{self, Token};
use crate::support::upstream::TestUpstream;

#[track_caller]
fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

#[test]
fn what_is_sent_comes_back_in_no_page_as_markup() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream)
        .section("store", &format!("secret = \"{STORE_SECRET}\""))
        .section("endpoints.page", "dialect = \"page\"\nissuer = \"local\"\npath = \"/page\"")
        .section(
            "endpoints.cockpit",
            "dialect = \"clustercockpit\"\nissuer = \"local\"\npath = \"/cockpit\"",
        )
        .section("throttle", "failures = 100000\nfailures_per_address = 100000")
        .start();
    let payloads = [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "'><svg/onload=alert(1)>",
        "</title><script>alert(1)</script>",
        "javascript:alert(1)",
        "\" autofocus onfocus=\"alert(1)",
        "<!--<script>",
        "{{7*7}}",
        "\u{2028}<b>",
        "<\u{0}script>",
    ];
    let raw = |payload: &str| payload.contains('<') || payload.contains('"');

    for payload in payloads {
        let encoded = crate::support::endpoint::form(&[("", payload)]);
        let encoded = &encoded[1..];
        let fields = [("username", payload), ("password", payload), ("redirect", payload)];
        let header = payload.replace(['\u{0}', '\u{2028}'], "");
        let origin = [("Origin", "https://files.test"), ("Accept", "text/html")];
        let answers = [
            gateway.post_form("/page/login", &fields, &origin),
            gateway.post_form("/cockpit/login", &fields, &origin),
            gateway.send_tls("GET", &format!("/page/login?redirect={encoded}"), &origin, b""),
            gateway.send_tls("GET", &format!("/cockpit/login?redirect={encoded}"), &origin, b""),
            gateway.send_tls("GET", &format!("/page/{encoded}"), &origin, b""),
            gateway.send_tls("GET", &format!("/x?{encoded}"), &[("Accept", "text/html")], b""),
            gateway.send_tls("GET", "/x", &[("Authorization", &*header)], b""),
            gateway.send_tls("GET", "/x", &[("Accept", "text/html"), ("Cookie", &*header)], b""),
        ];
        for answer in answers {
            let body = answer.text();
            assert!(answer.status >= 200 && answer.status < 500, "{payload:?}: {body}");
            assert!(!raw(payload) || !body.contains(payload), "{payload:?}: {body}");
            if answer.status < 300 || answer.status >= 400 {
                assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{answer:?}");
            }
            if answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html")) {
                let policy = answer.header("content-security-policy").unwrap_or_default();
                assert!(policy.contains("default-src 'none'"), "{policy}");
                assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
                assert!(!policy.contains("unsafe"), "{policy}");
            }
            for location in answer.all("location") {
                assert!(location.starts_with('/') && !location.starts_with("//"), "{location}");
            }
        }
    }
    upstream.assert_untouched();
}

#[test]
fn an_operator_is_shown_no_secret() {
    let upstream = TestUpstream::start();
    let admin_token = "forty-characters-that-nobody-else-knows!";
    let gateway = TestGateway::before(&upstream)
        .section("store", &format!("secret = \"{STORE_SECRET}\""))
        .section("endpoints.own", "dialect = \"standard\"\nissuer = \"local\"\npath = \"/own\"")
        .with("admin", &format!("token = \"{admin_token}\""))
        .start();
    let grant = [("grant_type", "password"), ("username", "alice"), ("password", PASSWORD)];
    let issued = gateway.post_form("/own/oauth2/token", &grant, &[]).json();
    let (access, refresh) = (text(&issued["access_token"]), text(&issued["refresh_token"]));
    let authorization = format!("Bearer {access}");
    let headers = [("Authorization", &*authorization)];
    let key = gateway.post_json("/own/account/keys", &json!({ "label": "ci" }), &headers).json();
    let begun = gateway.post_json("/own/totp/enrol", &json!({ "password": PASSWORD }), &headers);
    let secret = text(&begun.json()["secret"]);
    let code = json!({ "code": one_time_code(&secret, -1) });
    let confirmed = gateway.post_json("/own/totp/confirm", &code, &headers).json();
    let recovery = text(&confirmed["recovery_codes"][0]);
    gateway.get("/x").token(&access).send();
    gateway.get("/x").basic("alice", "a-wrong-password-marker").send();

    let mut told = gateway.output();
    for path in [
        "/status",
        "/metrics",
        "/healthz",
        "/readyz",
        "/users",
        "/users/alice",
        "/users/bob",
        "/keys",
        "/tokens",
        "/revocations",
        "/nothing",
        "/users/nobody",
    ] {
        told += &gateway.admin("GET", path).text();
    }

    let signature = access.rsplit('.').next().unwrap();
    let key_text = text(&key["key"]);
    for hidden in [
        signature,
        &refresh,
        &key_text,
        &secret,
        &recovery,
        PASSWORD,
        "bob-the-builder",
        "a-wrong-password-marker",
        STORE_SECRET,
        tokens::SECRET,
        admin_token,
    ] {
        assert!(!told.contains(hidden), "{hidden} is told: {told}");
    }
    assert!(told.contains("alice") && told.contains("doorward_requests_total"), "{told}");
}

#[test]
fn a_refusal_tells_a_client_no_more_than_that() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream)
        .route("permissions = { \"*\" = \"secret:permission\" }\nhosts = [\"files.test\"]")
        .start();
    let address = upstream.address().to_string();
    let expired = Token::of("alice").claim("exp", 1_000_000_000);

    for answer in [
        gateway.get("/x").send(),
        gateway.get("/x").bearer("alice").send(),
        gateway.get("/x").bearer("nobody").send(),
        gateway.get("/x").basic("alice", "wrong").send(),
        gateway.get("/x").token(&expired.signed()).send(),
        gateway.get("/x/../y").bearer("alice").send(),
        gateway.get("/x").host("unknown.test").bearer("alice").send(),
        gateway.ask("MKCALENDAR", "/x").bearer("alice").send(),
    ] {
        let told = format!("{:?}{}", answer.headers, answer.text());
        assert!((400..500).contains(&answer.status), "{told}");
        for hidden in [
            &*address,
            "secret:permission",
            "users.yaml",
            "doorward.toml",
            "src/",
            ".rs",
            "panicked",
            "alice",
            "disabled",
            env!("CARGO_PKG_VERSION"),
        ] {
            assert!(!told.contains(hidden), "{hidden}: {told}");
        }
    }
    upstream.assert_untouched();
}

/// Comparisons of what somebody presented with what is secret take the same time wherever they
/// differ. Review found these; the test keeps them so.
#[test]
fn secrets_are_compared_in_constant_time() {
    for (file, needle) in [
        ("src/totp.rs", ".ct_eq("),
        ("src/api_key.rs", ".ct_eq("),
        ("src/identity/standing.rs", ".ct_eq("),
        ("src/admin/api.rs", ".ct_eq("),
        ("src/password/plaintext.rs", ".ct_eq("),
        ("src/password/ldap.rs", ".ct_eq("),
        ("src/password/apr1.rs", ".ct_eq("),
        ("src/password/sha_crypt.rs", ".ct_eq("),
        ("src/password/bcrypt.rs", ".ct_eq("),
        ("src/password/scrypt.rs", ".ct_eq("),
        ("src/password/pbkdf2.rs", ".ct_eq("),
        ("src/password/argon2.rs", ".ct_eq("),
    ] {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let source = std::fs::read_to_string(path).unwrap();
        let code = source.split("#[cfg(test)]").next().unwrap();
        assert!(code.contains(needle), "{file} compares in some other way");
        for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
            assert!(!compares_a_secret(line), "{file}: {line}");
        }
    }
}

/// Whether `==` or `!=` stands right beside a name that secrets have.
fn compares_a_secret(line: &str) -> bool {
    const NAMES: [&str; 7] = ["computed", "digest", "expose", "hash", "presented", "secret", "tag"];
    let is_name = |letter: char| letter.is_alphanumeric() || letter == '_';
    [" == ", " != "].iter().filter_map(|operator| line.split_once(operator)).any(|(left, right)| {
        let left = left.trim_end_matches("()").rsplit(|letter| !is_name(letter)).next();
        let right = right.trim_start_matches(['&', '*', '(']).trim_start_matches("self.");
        let right = right.split(|letter| !is_name(letter)).next();
        left.into_iter().chain(right).any(|name| NAMES.contains(&name))
    })
}

#[test]
fn a_comparison_of_a_secret_is_seen() {
    for line in ["if self.hash == computed {", "x.expose() != y", "a == self.digest", "a == *tag"] {
        assert!(compares_a_secret(line), "{line}");
    }
    assert!(!compares_a_secret("let computed = if self.family == Family::Sha {"));
    assert!(!compares_a_secret("digits.len() == DIGITS"));
}
