//! API keys and refresh tokens as texts, and the scopes of keys as JSON: a text is one of a kind or
//! none, and a scope that is written is read as the same again.
//!
//! An input is a line that says what is asked (`text`, `scope`), and the rest.

use http::Method;

use super::headed;
use crate::api_key::{Scope, TextKind, digest, is_key};
use crate::resource::CanonicalPath;

pub(super) fn ask(input: &[u8]) {
    let (head, rest) = headed(input);
    let Ok(text) = std::str::from_utf8(rest) else { return };
    match head {
        b"text" => ask_text(text),
        b"scope" => ask_scope(text),
        _ => {}
    }
}

fn ask_text(text: &str) {
    let kinds = [(TextKind::ApiKey, "dw", 52), (TextKind::RefreshToken, "dwr", 53)];
    let mut found = 0;
    for (kind, prefix, length) in kinds {
        let Some(id) = kind.id_of(text) else { continue };
        found += 1;
        let parts: Vec<&str> = text.split('_').collect();
        assert!(matches!(parts.as_slice(), [first, second, third]
            if *first == prefix && *second == id && third.len() == 32));
        assert_eq!((text.len(), id.len()), (length, 16), "{text}");
        assert!(text.bytes().all(|it| matches!(it, b'a'..=b'z' | b'2'..=b'7' | b'_')), "{text}");
    }
    assert!(found < 2, "{text} is two things");
    assert_eq!(is_key(text), TextKind::ApiKey.id_of(text).is_some());
    assert_ne!(digest(text), digest(&format!("{text} ")));
}

fn ask_scope(text: &str) {
    let Ok(scope) = serde_json::from_str::<Scope>(text) else { return };
    let written = serde_json::to_string(&scope).unwrap_or_default();
    let again = serde_json::from_str::<Scope>(&written).ok();
    assert_eq!(again.as_ref(), Some(&scope), "{text}, written {written}");
    let paths = ["/", "/alice", "/alice/a", "/alice2", "/bob/alice"];
    for path in paths.into_iter().filter_map(|path| CanonicalPath::parse(path).ok()) {
        let below = |prefix: &str| {
            path.as_str()
                .strip_prefix(prefix)
                .is_some_and(|it| it.is_empty() || it.starts_with('/'))
        };
        let expected = scope.path.as_ref().is_none_or(|prefix| below(prefix.as_str()));
        assert_eq!(scope.allows_path(&path), expected, "{text} {path}");
    }
    if scope.is_unlimited() {
        assert!(scope.allows_method(&Method::DELETE));
    }
    let has_list = |list: Option<usize>| list == Some(0);
    if has_list(scope.methods.as_ref().map(Vec::len)) {
        assert!(!scope.allows_method(&Method::GET), "no method is none");
    }
    if has_list(scope.sources.as_ref().map(Vec::len)) {
        assert!(!scope.allows_source([127, 0, 0, 1].into()), "no source is none");
    }
}
