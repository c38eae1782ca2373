//! `doorward token`.

use super::Folder;

#[test]
fn a_token_that_is_issued_is_verified() {
    let folder = Folder::new();

    let token = folder.good(&["token", "issue", "--user", "alice", "--lifetime", "5m"]);
    let inspected = folder.run_with(&["token", "inspect", "-"], &token);

    assert_eq!(token.lines().count(), 1);
    assert_eq!(inspected.code, 0, "{inspected:?}");
    assert!(inspected.out.contains("\nVERIFIED: it proves `alice` until"), "{inspected:?}");
}

#[test]
fn the_newest_key_signs() {
    let folder = Folder::new();
    let first = folder.json(&["token", "issue", "--user", "alice", "--json"]);
    let later = std::fs::File::options().append(true).open(folder.files.path("keys/first.pem"));
    folder.good(&["key", "generate", "-a", "ES256", "--out", "keys", "--name", "second"]);
    let hour = std::time::Duration::from_hours(1);
    let modified = folder.files.path("keys/second.pem").metadata().unwrap().modified().unwrap();
    later.unwrap().set_modified(modified - hour).unwrap();

    let second = folder.json(&["token", "issue", "--user", "alice", "--json"]);

    assert_eq!((&first["key_id"], &second["key_id"]), (&"first".into(), &"second".into()));
    folder.good(&["token", "inspect", first["token"].as_str().unwrap()]);
    folder.good(&["token", "inspect", second["token"].as_str().unwrap()]);
}

#[test]
fn a_changed_token_is_shown_and_not_verified() {
    let folder = Folder::new();
    let token = folder.good(&["token", "issue", "--user", "alice"]);
    let (signed, signature) = token.trim().rsplit_once('.').unwrap();
    let flipped = if signature.starts_with('A') { "B" } else { "A" };
    let forged = format!("{signed}.{flipped}{}", &signature[1..]);

    let told = folder.refused(&["token", "inspect", &forged]);
    let json = folder.json(&["token", "inspect", "--json", &forged]);

    assert!(told.contains("NOT VERIFIED: the signature does not verify"), "{told}");
    assert_eq!((&json["verified"], &json["claims"]["sub"]), (&false.into(), &"alice".into()));
}

#[test]
fn a_token_of_a_user_who_is_gone_is_not_verified() {
    let folder = Folder::new();
    let token = folder.good(&["token", "issue", "--user", "alice"]);
    folder.files.write("users.yaml", "- { username: bob }\n");

    let told = folder.refused(&["token", "inspect", token.trim()]);

    assert!(told.contains("FAILS  user: known"), "{told}");
    assert!(told.contains("NOT VERIFIED: the token's subject is no user"), "{told}");
}

#[test]
fn nobody_unknown_gets_a_token() {
    let folder = Folder::new();

    let told = folder.refused(&["token", "issue", "--user", "dave"]);

    assert!(told.contains("no directory has a user `dave`"), "{told}");
}
