//! The documents of all endpoints: what they say is answered, and nothing else is; and whatever is
//! sent, the mistake is the client's.

use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::support::client::Client;
use crate::support::configuration::{Builder, USERS};
use crate::support::endpoint::STORE_SECRET;
use crate::support::gateway::TestGateway;
use crate::support::programs::{packaged, python};
use crate::support::request::Ask;
use crate::support::tokens;
use crate::support::upstream::TestUpstream;

/// Where each dialect is mounted, and its document below that.
const MOUNTS: [(&str, &str, &str); 8] = [
    ("appmesh", "", "/openapi/appmesh.json"),
    ("clustercockpit", "/cc", "/openapi/clustercockpit.json"),
    ("forward-auth", "/ask", ""),
    ("jwthenticator", "/jwt", "/openapi/jwthenticator.json"),
    ("omegaml", "/omegaml", "/openapi/omegaml.json"),
    ("page", "/pages", "/openapi/page.json"),
    ("ryft", "/ryft", "/openapi/ryft.json"),
    ("standard", "/standard", "/openapi.json"),
];

const METHODS: [&str; 5] = ["DELETE", "GET", "PATCH", "POST", "PUT"];

/// All dialects in one gateway, with a user who may do everything in each of them.
fn before(upstream: &TestUpstream) -> Builder {
    let users = USERS.replace("roles: [editor]\n    home: /\n", "roles: [admin]\n    home: /\n");
    let free = format!(
        "secret = \"{}-of-another\"\nalgorithms = [\"HS256\"]\nissuer = \"free\"\n\
         audience = [\"{}\"]\nbound = false\nclaims = {{ subject = \"identifier\" }}",
        tokens::SECRET,
        tokens::AUDIENCE
    );
    TestGateway::before(upstream)
        .users(&users)
        .section("issuers.free", &free)
        .section("roles", "reader = [\"files:read\"]\neditor = [\"files:*\"]\nadmin = [\"*\", \"*:*\"]")
        .section("store", &format!("secret = \"{STORE_SECRET}\""))
        .section("throttle", "failures = 1000000\nfailures_per_address = 1000000")
        .section("endpoints.appmesh", "dialect = \"appmesh\"\nissuer = \"local\"")
        .section(
            "endpoints.cc",
            "dialect = \"clustercockpit\"\nissuer = \"local\"\npath = \"/cc\"\nlogin_issuers = [\"local\"]",
        )
        .section(
            "endpoints.ask",
            "dialect = \"forward-auth\"\npath = \"/ask\"\ntrusted = [\"127.0.0.1\"]",
        )
        .section(
            "endpoints.jwt",
            "dialect = \"jwthenticator\"\nissuer = \"free\"\npath = \"/jwt\"\nsets = [\"external\", \"internal\"]",
        )
        .section("endpoints.omegaml", "dialect = \"omegaml\"\nissuer = \"local\"\npath = \"/omegaml\"")
        .section("endpoints.page", "dialect = \"page\"\nissuer = \"local\"\npath = \"/pages\"")
        .section("endpoints.ryft", "dialect = \"ryft\"\nissuer = \"local\"\npath = \"/ryft\"")
        .section("endpoints.tokens", "dialect = \"standard\"\nissuer = \"local\"\npath = \"/standard\"")
}

/// What the program prints of a dialect.
fn printed(dialect: &str, server: &str) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_doorward"))
        .args(["schema", "openapi", "--dialect", dialect, "--server", server])
        .env_clear()
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Its operations: path and method, in capitals.
fn operations(document: &Value) -> Vec<(String, String)> {
    let paths = document["paths"].as_object().unwrap();
    let methods = |(path, item): (&String, &Value)| {
        let methods = item.as_object().unwrap().keys();
        methods.map(|method| (path.clone(), method.to_uppercase())).collect::<Vec<_>>()
    };
    paths.iter().flat_map(methods).collect()
}

fn origin(gateway: &TestGateway) -> String {
    format!("https://localhost:{}", gateway.address("tls").port())
}

#[test]
fn every_mount_serves_the_document_that_the_program_prints() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();

    for (dialect, prefix, path) in MOUNTS.into_iter().filter(|(_, _, path)| !path.is_empty()) {
        let served = gateway.send_tls("GET", &format!("{prefix}{path}"), &[], b"");
        assert_eq!(served.status, 200, "{dialect}");
        assert_eq!(served.json(), printed(dialect, &format!("https://files.test{prefix}")));
    }
    let admin = gateway.admin("GET", "/openapi.json");
    assert_eq!(admin.json(), printed("admin", "/"));
    upstream.assert_untouched();
}

#[test]
fn what_a_mount_leaves_out_its_document_leaves_out() {
    let upstream = TestUpstream::start();
    let sets = "dialect = \"jwthenticator\"\nissuer = \"free\"\npath = \"/jwt\"";
    let gateway = before(&upstream)
        .section("endpoints.jwt", sets)
        .section("endpoints.cc", "dialect = \"clustercockpit\"\nissuer = \"local\"\npath = \"/cc\"")
        .start();

    for (document, absent, present) in [
        ("/jwt/openapi/jwthenticator.json", "/register_key", "/authenticate"),
        ("/jwt/openapi/jwthenticator.json", "/is_key_registered", "/jwks"),
        ("/cc/openapi/clustercockpit.json", "/jwt-login", "/login"),
    ] {
        let served = gateway.send_tls("GET", document, &[], b"").json();
        assert!(served["paths"][absent].is_null(), "{absent}");
        assert!(served["paths"][present].is_object(), "{present}");
    }
}

#[test]
fn what_is_documented_is_answered_and_no_other_method_is() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();

    for (dialect, prefix, _) in MOUNTS.into_iter().filter(|(name, ..)| *name != "forward-auth") {
        let documented = operations(&printed(dialect, "/"));
        let mut paths: Vec<_> = documented.iter().map(|(path, _)| path.clone()).collect();
        paths.dedup();
        // App Mesh's own word for it is 404, which its users and roles have as well.
        let refused = |status: u16, text: &str| match dialect {
            "appmesh" => status == 404 && text.contains("Path not found"),
            _ => status == 405,
        };
        for (path, method) in paths.iter().flat_map(|path| METHODS.map(|method| (path, method))) {
            let is_documented = documented.contains(&(path.clone(), method.to_owned()));
            let filled = path.replace("{name}", "self").replace("{id}", "none");
            let answer = gateway.send_tls(method, &format!("{prefix}{filled}"), &[], b"");
            let place = format!("{dialect} {method} {path}: {} {}", answer.status, answer.text());
            assert!(answer.status < 500, "{place}");
            let is_any = path == "/jwt-login"; // which is answered whatever the method is
            let is_refused = refused(answer.status, &answer.text());
            assert!(is_refused != (is_documented || is_any), "{place}");
        }
    }
    upstream.assert_untouched();
}

#[test]
fn what_is_documented_of_the_admin_listener_is_answered_and_no_other_method_is() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let documented = operations(&printed("admin", "/"));
    let mut paths: Vec<_> = documented.iter().map(|(path, _)| path.clone()).collect();
    paths.dedup();

    for (path, method) in paths.iter().flat_map(|path| METHODS.map(|method| (path, method))) {
        let filled = path.replace("{name}", "dave").replace("{id}", "none");
        let filled = filled.replace("{address}", "192.0.2.1");
        let answer = gateway.admin(method, &filled);
        let is_documented = documented.contains(&(path.clone(), method.to_owned()));
        let place = format!("{method} {path}: {} {}", answer.status, answer.text());
        assert!(answer.status < 500, "{place}");
        assert_eq!(answer.status == 405, !is_documented, "{place}");
    }
}

/// What a run is to be told of besides the document.
#[derive(Default)]
struct Told<'a> {
    /// Fields of every request.
    fields: &'a [(&'a str, &'a str)],
    /// Paths that would take away what the run is about.
    without: &'a [&'a str],
}

/// Has schemathesis send what the document says, and what it does not say.
#[track_caller]
fn storm(gateway: &TestGateway, document: &str, server: &str, told: &Told<'_>) {
    gateway.files().write("ca.pem", gateway.authority().pem());
    let authority = gateway.files().path("ca.pem");
    let mut command = Command::new(packaged("schemathesis"));
    command
        .args(["run", document, "--url", server, "--checks", "not_a_server_error"])
        .args(["--phases", "examples,coverage,fuzzing", "--max-examples", "8", "--mode", "all"])
        .args(["--seed", "1", "--workers", "1", "--request-timeout", "20", "--no-shrink"])
        .arg("--tls-verify")
        .arg(&authority)
        .env("SSL_CERT_FILE", &authority)
        .env("NO_PROXY", "*")
        .current_dir(gateway.files().root());
    for (name, value) in told.fields {
        command.args(["--header", &format!("{name}: {value}")]);
    }
    for path in told.without {
        command.args(["--exclude-path", path]);
    }
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}\n{said}\n{complained}");
    assert!(said.contains("Coverage"), "{said}"); // it did run
}

/// A token of the user who may do everything.
fn token(gateway: &TestGateway) -> String {
    let login = serde_json::json!({ "username": "root", "password": "root-of-all-things" });
    let answer = gateway.post_json("/ryft/login", &login, &[]);
    format!("Bearer {}", answer.json()["token"].as_str().unwrap())
}

/// Has it sent to one dialect, by the user who may do everything.
#[track_caller]
fn assert_never_fails(dialect: &str, without: &[&str]) {
    let Some(_) = python() else { return };
    let (_, prefix, path) = MOUNTS.into_iter().find(|(name, ..)| *name == dialect).unwrap();
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let server = format!("{}{prefix}", origin(&gateway));
    let document = match path {
        "" => {
            gateway.files().write("ask.json", printed(dialect, &server).to_string());
            gateway.files().path("ask.json").display().to_string()
        }
        path => format!("{server}{path}"),
    };
    let token = token(&gateway);
    let fields = [("Authorization", &*token)];

    storm(&gateway, &document, &server, &Told { fields: &fields, without });

    // Whatever was sent, it goes on.
    assert_eq!(gateway.send_tls("GET", "/jwt/health", &[], b"").status, 200, "{dialect}");
}

#[test]
fn appmesh_does_not_fail_whatever_is_sent_to_it() {
    assert_never_fails("appmesh", &["/appmesh/self/logoff", "/appmesh/token/renew"]);
}

#[test]
fn clustercockpit_does_not_fail_whatever_is_sent_to_it() {
    assert_never_fails("clustercockpit", &[]);
}

#[test]
fn forward_auth_does_not_fail_whatever_is_sent_to_it() {
    assert_never_fails("forward-auth", &[]);
}

#[test]
fn jwthenticator_does_not_fail_whatever_is_sent_to_it() {
    assert_never_fails("jwthenticator", &[]);
}

#[test]
fn omegaml_does_not_fail_whatever_is_sent_to_it() {
    assert_never_fails("omegaml", &[]);
}

#[test]
fn pages_do_not_fail_whatever_is_sent_to_them() {
    assert_never_fails("page", &[]);
}

#[test]
fn ryft_does_not_fail_whatever_is_sent_to_it() {
    assert_never_fails("ryft", &[]);
}

#[test]
fn standard_does_not_fail_whatever_is_sent_to_it() {
    assert_never_fails("standard", &["/account/logout"]);
}

/// A session of the user who may do everything, as the cookie's value.
fn session(gateway: &TestGateway, prefix: &str) -> String {
    let fields = [("username", "root"), ("password", "root-of-all-things")];
    let answer = gateway.post_form(&format!("{prefix}/login"), &fields, &[]);
    let cookie = answer.all("set-cookie").into_iter().find(|it| it.contains("__Host-doorward="));
    cookie.unwrap().split(';').next().unwrap().to_owned()
}

#[test]
fn no_page_fails_whatever_a_browser_with_a_session_sends() {
    let Some(_) = python() else { return };
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let cookie = session(&gateway, "/cc");

    for (prefix, document) in
        [("/pages", "/openapi/page.json"), ("/cc", "/openapi/clustercockpit.json")]
    {
        let server = format!("{}{prefix}", origin(&gateway));
        let (fields, without) = ([("Cookie", &*cookie)], ["/logout", "/logout/everywhere"]);
        let told = Told { fields: &fields, without: &without };
        storm(&gateway, &format!("{server}{document}"), &server, &told);
    }
    assert_eq!(gateway.send_tls("GET", "/pages/me", &[("Cookie", &cookie)], b"").status, 200);
}

const ADMIN_TOKEN: &str = "forty-characters-that-nobody-else-knows!";

/// Ends with its value.
struct Second(Child);

impl Drop for Second {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_admin_api_does_not_fail_whatever_is_sent_to_it() {
    let Some(_) = python() else { return };
    let upstream = TestUpstream::start();
    // The socket of the tests is needed to wait for the start, so a second gateway listens by TCP.
    let first = before(&upstream).start();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    first.files().write("admin.token", ADMIN_TOKEN);
    let text = first.files().read("doorward.toml");
    let socket = format!("unix:{}/admin.sock", first.files().root().display());
    let text = text.replace(&socket, &format!("{port}\"\ntoken = \"@admin.token"));
    first.files().write("tcp.toml", text.replace("[store]", "[store]\nsqlite = \"tcp.db\""));
    let second = Command::new(env!("CARGO_BIN_EXE_doorward"))
        .args(["serve", "--config", "tcp.toml"])
        .current_dir(first.files().root())
        .env_clear()
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _second = Second(second);
    first.wait("the second gateway", || std::net::TcpStream::connect(port).is_ok());

    let server = format!("http://{port}");
    let authorization = format!("Bearer {ADMIN_TOKEN}");
    let told = Told { fields: &[("Authorization", &authorization)], without: &[] };
    storm(&first, &format!("{server}/openapi.json"), &server, &told);

    let ask = Ask::new(&first, "GET", "/healthz").host(&port.to_string());
    assert_eq!(ask.send_over(&mut Client::tcp(port)).status, 200);
}
