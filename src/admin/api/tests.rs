use super::*;

#[test]
fn the_api_covers_its_own_paths_and_no_others() {
    for (path, is_covered) in [
        ("/users", true),
        ("/users/alice/totp", true),
        ("/keys", true),
        ("/tokens/revoke", true),
        ("/revocations", true),
        ("/status", false),
        ("/usersx", false),
        ("users", false),
        ("/", false),
        ("//users", false),
    ] {
        assert_eq!(Api::covers(path), is_covered, "{path}");
    }
}

#[test]
fn a_lifetime_is_a_text_or_a_number_of_seconds() {
    let read = |json: &str| serde_json::from_str::<Lifetime>(json).ok().map(|Lifetime(time)| time);

    assert_eq!(read("\"15m\""), Some(Duration::from_mins(15)));
    assert_eq!(read("90"), Some(Duration::from_secs(90)));
    for ill in ["-1", "1.5", "\"soon\"", "null", "[]"] {
        assert_eq!(read(ill), None, "{ill}");
    }
}
