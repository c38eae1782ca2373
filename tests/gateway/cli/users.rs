//! `doorward hash`, `doorward user` and `doorward check` on the files that they leave.

use super::Folder;

#[test]
fn a_piped_password_becomes_a_hash_that_the_gateway_takes() {
    let folder = Folder::new();

    let ran = folder.run_with(&["hash"], "correct horse\n");

    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.starts_with("$argon2id$"), "{ran:?}");
    folder.files.write(
        "users.yaml",
        format!("- {{ username: alice, passhash: \"{}\" }}\n", ran.out.trim()),
    );
    let checked = folder.good(&["check"]);
    assert!(!checked.contains("alice"), "{checked}"); // no warning of the hash
}

#[test]
fn users_come_change_and_go_and_comments_stay() {
    let folder = Folder::new();
    let user = |arguments: &[&str]| {
        let mut all = vec!["user"];
        all.extend(arguments);
        all.extend(["--file", "users.yaml"]);
        let ran = folder.run_with(&all, "a-long-enough-password\n");
        assert_eq!(ran.code, 0, "{all:?}: {ran:?}");
        ran.out
    };

    user(&["add", "carol", "--role", "reader", "--home", "/carol"]);
    let added = folder.good(&["explain", "--user", "carol", "GET", "/files/carol/x"]);
    user(&["passwd", "alice"]);
    user(&["disable", "carol"]);
    let disabled = folder.refused(&["explain", "--user", "carol", "GET", "/files/carol/x"]);
    let listed = user(&["list"]);
    user(&["remove", "carol"]);
    let removed = folder.refused(&["explain", "--user", "carol", "GET", "/files/carol/x"]);

    assert!(added.contains("ALLOW"), "{added}");
    assert!(disabled.contains("the user is disabled"), "{disabled}");
    assert!(listed.contains("alice") && listed.contains("carol"), "{listed}");
    assert!(removed.contains("no directory has a user `carol`"), "{removed}");
    let text = folder.files.read("users.yaml");
    assert!(text.starts_with("# who may in\n- username: alice # the first\n"), "{text}");
    folder.good(&["check"]);
}

#[test]
fn an_unknown_user_is_not_changed() {
    let folder = Folder::new();
    let before = folder.files.read("users.yaml");

    let told = folder.refused(&["user", "disable", "dave", "--file", "users.yaml"]);

    assert!(told.contains("dave"), "{told}");
    assert_eq!(folder.files.read("users.yaml"), before);
}
