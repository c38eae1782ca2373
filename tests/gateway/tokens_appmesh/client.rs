//! App Mesh's own client, and the command lines that it documents.

use std::process::Command;

use super::*;
use crate::support::programs::{available, python};

#[test]
fn app_meshs_own_client_is_at_home() {
    let Some(python) = python() else { return };
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).certificate("cert", &["127.0.0.1", "localhost"]).start();
    gateway.files().write("ca.pem", gateway.authority().pem());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/appmesh_client.py");
    let url = format!("https://127.0.0.1:{}", gateway.address("tls").port());

    let output = Command::new(python)
        .args([script, &url])
        .arg(gateway.files().path("ca.pem"))
        .args(["mesh", "bob-the-builder", "root-of-all-things"])
        .output()
        .unwrap();

    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && out.contains("all is well"), "{out}\n{err}");
}

fn curl(gateway: &TestGateway, arguments: &[&str], path: &str) -> (u16, String) {
    let port = gateway.address("tls").port();
    gateway.files().write("ca.pem", gateway.authority().pem());
    let output = Command::new("curl")
        .args(["-s", "--max-time", "20", "--write-out", "\n%{http_code}", "--cacert"])
        .arg(gateway.files().path("ca.pem"))
        .args(["--resolve", &format!("files.test:{port}:127.0.0.1")])
        .args(arguments)
        .arg(format!("https://files.test:{port}{path}"))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (body, status) = text.rsplit_once('\n').unwrap();
    (status.parse().unwrap(), body.to_owned())
}

#[test]
fn the_documented_command_lines_work() {
    if !available("curl") {
        return;
    }
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let encoded = STANDARD.encode("mesh:bob-the-builder");

    // As documented, without the scheme: App Mesh itself refuses that.
    let bare = format!("Authorization:{encoded}");
    let (status, said) = curl(&gateway, &["-X", "POST", "-H", &bare], "/appmesh/login");
    assert_eq!((status, &*said), (400, "{\"message\":\"unrecognized authorization type\"}"));
    let basic = format!("Authorization: Basic {encoded}");
    let with = ["-X", "POST", "-k", "-H", &*basic, "-H", "X-Expire-Seconds: 3600"];
    let (status, said) = curl(&gateway, &with, "/appmesh/login");
    assert_eq!(status, 200, "{said}");
    let said: Value = serde_json::from_str(&said).unwrap();
    let bearer = format!("Authorization: Bearer {}", said["access_token"].as_str().unwrap());
    let with = ["-X", "POST", "-H", &*bearer, "-H", "X-Permission:app-view"];
    let (status, said) = curl(&gateway, &with, "/appmesh/auth");
    assert!(status == 200 && said.contains("\"success\":true"), "{said}");
    let (status, said) = curl(&gateway, &["-X", "POST", "-H", &bearer], "/appmesh/token/renew");
    assert_eq!(status, 200, "{said}");
    let said: Value = serde_json::from_str(&said).unwrap();
    let bearer = format!("Authorization: Bearer {}", said["access_token"].as_str().unwrap());
    let (status, said) = curl(&gateway, &["-H", &bearer], "/appmesh/user/self");
    assert!(status == 200 && said.contains("\"name\":\"mesh\""), "{said}");
    let off = curl(&gateway, &["-X", "POST", "-H", &bearer], "/appmesh/self/logoff");
    assert_eq!(off, (200, String::new()));
}
