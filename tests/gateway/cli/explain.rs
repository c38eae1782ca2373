//! `doorward explain`.

use super::Folder;

#[test]
fn what_is_allowed_is_good_and_shows_what_is_forwarded() {
    let folder = Folder::new();

    let told = folder.good(&["explain", "--user", "alice", "GET", "/files/alice/%61"]);

    assert!(told.contains("path       /files/alice/a, from /files/alice/%61"), "{told}");
    assert!(told.contains("doorward.toml:8:9"), "{told}");
    assert!(told.contains("ALLOW"), "{told}");
    assert!(
        told.contains("GET /files/alice/a to the upstream api, http://127.0.0.1:9000"),
        "{told}"
    );
}

#[test]
fn what_is_denied_is_refused_with_status_and_reason() {
    let folder = Folder::new();
    for (user, method, target, told) in [
        ("alice", "GET", "/files/bob/a", "403, reason outside_home"),
        ("alice", "PUT", "/files/alice/a", "403, reason missing_permission"),
        ("alice", "GET", "/files/alice/..%2fbob", "400, reason dot_segment"),
        ("alice", "GET", "/else", "404, reason no_route"),
        ("alice", "TRACE", "/files", "405, reason method"),
    ] {
        let arguments = ["explain", "--user", user, method, target];

        let explained = folder.refused(&arguments);

        assert!(explained.contains(told), "{arguments:?}: {explained}");
    }
    let nobody = folder.refused(&["explain", "--anonymous", "GET", "/files"]);
    assert!(nobody.contains("401, reason credential_missing"), "{nobody}");
}

#[test]
fn programs_get_json_with_the_same_verdict() {
    let folder = Folder::new();
    let allowed = ["explain", "--json", "--user", "bob", "GET", "/files/bob/x?q=%7e"];
    let denied = ["explain", "--json", "--user", "bob", "GET", "/files/alice/x"];

    let (allow, deny) = (folder.json(&allowed), folder.json(&denied));

    assert_eq!(allow["verdict"], "allow");
    assert_eq!(allow["forwarded"]["target"], "/files/bob/x?q=~");
    assert_eq!((&deny["verdict"], &deny["status"]), (&"deny".into(), &403.into()));
    assert!(deny["forwarded"].is_null());
    folder.good(&allowed);
    folder.refused(&denied);
}

#[test]
fn unknown_users_and_listeners_are_told() {
    let folder = Folder::new();

    let user = folder.refused(&["explain", "--user", "dave", "GET", "/"]);
    let listener = folder.refused(&["explain", "--user", "bob", "--listener", "x", "GET", "/"]);

    assert_eq!(user, "error: no directory has a user `dave`\n");
    assert_eq!(listener, "error: the configuration has no listener `x`\n");
}
