//! Configuration at start: what is wrong is refused with its place, and nothing is served.

use crate::support::gateway::TestGateway;
use crate::support::upstream::TestUpstream;

#[track_caller]
fn refused(section: &'static str, text: &str, named: &[&str]) {
    let upstream = TestUpstream::start();
    let said = TestGateway::before(&upstream).section(section, text).fail_to_start();
    for part in named {
        assert!(said.contains(part), "{part:?} is not in: {said}");
    }
    assert!(!said.contains("panicked"), "{said}");
    upstream.assert_untouched();
}

#[test]
fn unknown_keys_are_refused_with_their_place() {
    refused("server", "workers = 2\nworkerz = 3", &["doorward.toml:", "workerz"]);
    refused(
        "routes.all",
        "upstream = \"files\"\nacept = [\"basic\"]",
        &["doorward.toml:", "acept"],
    );
    refused("passwords", "worker = 1", &["doorward.toml:", "worker"]);
}

#[test]
fn wrong_values_are_refused_with_their_place() {
    refused("server", "grace = 30", &["doorward.toml:", "grace"]);
    refused("server", "grace = \"soon\"", &["doorward.toml:", "grace"]);
    refused("limits", "header_bytes = \"many\"", &["doorward.toml:", "header_bytes"]);
    refused("upstreams.files", "url = \"https://127.0.0.1:1\"", &["url"]);
    refused("upstreams.files", "url = \"http://127.0.0.1:1/path\"", &["url"]);
    refused("routes.all", "upstream = \"none\"", &["none"]);
    refused("routes.all", "upstream = \"files\"\npath = \"/a/../b\"", &["path"]);
    refused("routes.all", "upstream = \"files\"\naccept = [\"basics\"]", &["accept", "basics"]);
    refused("routes.all", "upstream = \"files\"\naccept = []", &["accept"]);
    refused("routes.all", "upstream = \"files\"\nhosts = [\"a b\"]", &["hosts"]);
}

#[test]
fn a_weak_or_missing_secret_is_refused_and_not_told() {
    let rest = "algorithms = [\"HS256\"]\nissuer = \"i\"\naudience = [\"a\"]";
    refused("issuers.local", &format!("secret = \"too-short\"\n{rest}"), &["secret"]);
    refused("issuers.local", &format!("secret = \"\"\n{rest}"), &["secret"]);
    refused("issuers.local", &format!("secret = \"@absent.key\"\n{rest}"), &["absent.key"]);
    refused(
        "issuers.local",
        &format!("secret = \"env:ABSENT_SECRET\"\n{rest}"),
        &["ABSENT_SECRET"],
    );
    refused("issuers.local", "keys = \"absent\"\nissuer = \"i\"\naudience = [\"a\"]", &["absent"]);
}

#[test]
fn every_form_of_a_secret_is_read() {
    use crate::support::tokens::{SECRET, Token};
    use base64::Engine as _;
    let hex = SECRET.bytes().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    let base64 = base64::engine::general_purpose::STANDARD.encode(SECRET);
    let forms = [
        "@hs.key".to_owned(),
        format!("hex:{hex}"),
        format!("base64:{base64}"),
        "env:HS_KEY".to_owned(),
    ];

    for form in forms {
        let upstream = TestUpstream::start();
        let issuer = format!(
            "secret = \"{form}\"\nalgorithms = [\"HS256\"]\nissuer = \"https://gateway.test\"\naudience = [\"doorward\"]"
        );
        let gateway = TestGateway::before(&upstream)
            .file("hs.key", SECRET)
            .environment("HS_KEY", SECRET)
            .section("issuers.local", &issuer)
            .start();
        let response = gateway.get("/x").token(&Token::of("alice").signed()).send();
        assert_eq!(response.status(), 200, "{form}");
    }
}

#[test]
fn the_environment_overrides_the_file() {
    let upstream = TestUpstream::start();
    let gateway =
        TestGateway::before(&upstream).environment("DOORWARD_SERVER_REALM", "overridden").start();

    let response = gateway.get("/x").send();

    let challenges = response.all("www-authenticate").join("\n");
    assert!(challenges.contains("realm=\"overridden\""), "{challenges}");
}

#[test]
fn an_unknown_override_is_refused() {
    let upstream = TestUpstream::start();
    let said = TestGateway::before(&upstream)
        .environment("DOORWARD_SERVER_REALMS", "overridden")
        .fail_to_start();

    assert!(said.contains("DOORWARD_SERVER_REALMS"), "{said}");
}

#[test]
fn includes_are_merged() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream)
        .section("routes.all", "")
        .file("conf.d/10-route.toml", "[routes.more]\nupstream = \"files\"\npath = \"/more\"\n")
        .prelude("include = [\"conf.d/*.toml\"]")
        .start();

    assert_eq!(gateway.get("/more").bearer("alice").send().status(), 200);
    assert_eq!(gateway.get("/").bearer("alice").send().status(), 404);
}

#[test]
fn an_address_in_use_is_a_start_error() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();

    refused("listeners.main", &format!("address = \"{address}\""), &[&address.to_string()]);
}

#[test]
fn a_missing_configuration_is_a_start_error() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_doorward"))
        .args(["serve", "--config", "/nonexistent/doorward.toml"])
        .output()
        .unwrap();

    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("/nonexistent/doorward.toml"), "{said}");
}

#[test]
fn a_socket_that_systemd_passes_is_used() {
    let upstream = TestUpstream::start();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();

    let gateway = TestGateway::before(&upstream)
        .section("listeners.main", "address = \"systemd:web\"")
        .passing(listener, "web")
        .start();

    assert_eq!(gateway.address("main"), address);
    assert_eq!(gateway.get("/x").bearer("alice").send().status(), 200);
}

#[test]
fn a_socket_that_systemd_does_not_pass_is_a_start_error() {
    refused("listeners.main", "address = \"systemd:web\"", &["web"]);
}
