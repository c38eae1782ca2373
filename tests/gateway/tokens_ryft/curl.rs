//! The command lines that ryft-server documents.

use std::process::Command;

use serde_json::Value;

use super::before;
use crate::support::gateway::TestGateway;
use crate::support::programs::available;
use crate::support::upstream::TestUpstream;

fn curl(gateway: &TestGateway, path: &str, arguments: &[&str]) -> Value {
    let port = gateway.address("tls").port();
    gateway.files().write("ca.pem", gateway.authority().pem());
    let output = Command::new("curl")
        .args(["-s", "--max-time", "20", "--cacert"])
        .arg(gateway.files().path("ca.pem"))
        .args(["--resolve", &format!("files.test:{port}:127.0.0.1")])
        .args(arguments)
        .arg(format!("https://files.test:{port}{path}"))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn the_documented_command_lines_work() {
    if !available("curl") {
        return;
    }
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();

    let body = "{\"username\": \"root\", \"password\": \"root-of-all-things\"}";
    let said = curl(&gateway, "/login", &["-X", "POST", "-d", body]);
    let bearer = format!("Authorization: Bearer {}", said["token"].as_str().unwrap());
    assert!(said["expire"].is_string());

    let said = curl(&gateway, "/token/refresh", &["-H", &bearer]);
    assert!(said["token"].is_string(), "{said}");
    let said = curl(&gateway, "/user", &["-u", "root:root-of-all-things"]);
    assert_eq!(said.as_array().unwrap().len(), 3);
    let bob = "{\"username\":\"bob\", \"password\":\"bob-the-builder\", \"home\":\"/bob\"}";
    let said = curl(&gateway, "/user", &["-X", "POST", "-H", &bearer, "--data", bob]);
    assert_eq!(said["username"], "bob", "{said}");
    let changed = "{\"username\":\"bob\", \"roles\":[\"user\"]}";
    let said = curl(&gateway, "/user", &["-X", "PUT", "-H", &bearer, "--data", changed]);
    assert_eq!(said["roles"][0], "user", "{said}");
    let said = curl(&gateway, "/user?name=bob", &["-X", "DELETE", "-H", &bearer]);
    assert_eq!(said[0]["username"], "bob", "{said}");
}
