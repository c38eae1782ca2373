//! `doorward key`.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use super::Folder;
use crate::support::programs::available;

const ASYMMETRIC: [&str; 9] =
    ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"];

#[test]
fn a_key_is_made_for_its_owner_alone_and_never_replaced() {
    let folder = Folder::new();
    let before = folder.files.read("keys/first.pem");
    let mode = |name| folder.files.path(name).metadata().unwrap().permissions().mode() & 0o777;

    let told = folder.refused(&["key", "generate", "--out", "keys", "--name", "first"]);

    assert_eq!((mode("keys"), mode("keys/first.pem")), (0o700, 0o600));
    assert!(told.contains("is there already"), "{told}");
    assert_eq!(folder.files.read("keys/first.pem"), before);
}

#[test]
fn the_keys_of_an_issuer_and_of_a_folder_are_listed() {
    let folder = Folder::new();

    let of_issuer = folder.json(&["key", "list", "--issuer", "local", "--json"]);
    let of_folder = folder.json(&["key", "list", "keys", "--json"]);

    assert_eq!(of_issuer[0]["key_id"], "first");
    assert_eq!(of_issuer[0]["algorithms"], serde_json::json!(["EdDSA"]));
    assert_eq!(of_folder[0]["private"], true);
    assert!(folder.good(&["key", "list", "keys"]).contains("Ed25519"));
    assert!(folder.refused(&["key", "list", "--issuer", "x"]).contains("no issuer `x`"));
}

#[test]
fn only_the_public_part_is_shown() {
    let folder = Folder::new();
    for algorithm in ["HS256", "HS384", "HS512"] {
        let generate =
            ["key", "generate", "-a", algorithm, "--out", "secrets", "--name", algorithm];
        folder.good(&generate);
        let file = format!("secrets/{algorithm}.hs");
        let secret = folder.files.read(&file);

        let told = folder.refused(&["key", "show", &file]) + &folder.good(&["key", "list", &file]);

        assert!(!told.contains(&secret), "{told}");
    }
    let jwks = folder.json(&["key", "show", "keys/first.pem", "--jwks"]);
    assert_eq!(jwks["keys"][0]["kid"], "first");
    assert!(jwks["keys"][0]["d"].is_null());
}

#[test]
fn openssl_reads_the_same_public_key_that_is_shown() {
    if !available("openssl") {
        return;
    }
    let folder = Folder::new();
    for algorithm in ASYMMETRIC {
        folder.good(&["key", "generate", "-a", algorithm, "--out", "all", "--name", algorithm]);
        let file = format!("all/{algorithm}.pem");

        let shown = folder.good(&["key", "show", &file]);

        let mut openssl = Command::new("openssl");
        openssl.args(["pkey", "-pubout", "-in"]).arg(folder.files.path(&file));
        let expected = String::from_utf8(openssl.output().unwrap().stdout).unwrap();
        assert_eq!(shown, expected, "{algorithm}");
    }
}
