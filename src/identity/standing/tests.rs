use super::known::MOST;
use super::*;
use crate::api_key::{KeyKind, Scope, digest};

const NOW: u64 = 1_800_000_000;

fn key(id: &str, label: &str) -> Arc<ApiKey> {
    Arc::new(ApiKey {
        id: id.into(),
        hash: digest(id),
        owner: "alice".into(),
        kind: KeyKind::User,
        label: label.into(),
        scope: Scope::default(),
        created_at: NOW,
        expires_at: Some(NOW + 100),
    })
}

fn token() -> TokenFacts {
    TokenFacts {
        token_id: Some("t1".into()),
        family: Some("f1".into()),
        subject: "alice".into(),
        issued_at: Some(NOW),
        key: None,
    }
}

fn revoked(what: Revoked, until: u64) -> Change {
    Change::Revoked(Revocation { what, until })
}

fn user_since(since_ms: u64) -> Change {
    revoked(Revoked::User { name: "alice".into(), since_ms }, NOW + 100)
}

#[test]
fn a_token_ends_by_its_id_its_login_or_its_user() {
    for (what, ended) in [
        (Revoked::Token("t1".into()), Ended::Token),
        (Revoked::Family("f1".into()), Ended::Family),
        (Revoked::User { name: "alice".into(), since_ms: NOW * 1000 }, Ended::User),
    ] {
        let standing = Standing::default();
        assert_eq!(standing.judge(&token(), NOW), Ok(None));
        let before = standing.epoch();

        standing.apply([revoked(what, NOW + 100)]);

        assert_eq!(standing.judge(&token(), NOW), Err(ended));
        assert!(standing.is_revoked(&token()));
        assert!(standing.epoch() > before);
    }
}

#[test]
fn nobody_elses_token_ends() {
    let standing = Standing::default();
    standing.apply([
        revoked(Revoked::Token("f1".into()), NOW + 100),
        revoked(Revoked::Family("t1".into()), NOW + 100),
        revoked(Revoked::User { name: "Alice".into(), since_ms: u64::MAX }, NOW + 100),
    ]);
    assert!(!standing.is_revoked(&token()));
}

#[test]
fn what_a_user_gets_after_the_revocation_holds() {
    let standing = Standing::default();
    standing.apply([user_since(NOW * 1000 + 999)]);
    let issued = |issued_at| TokenFacts { issued_at, ..token() };

    assert!(standing.is_revoked(&issued(Some(NOW))));
    assert!(!standing.is_revoked(&issued(Some(NOW + 1))));
    assert!(standing.is_revoked(&issued(None)));

    standing.apply([user_since(0)]); // an older one takes nothing back
    assert!(standing.is_revoked(&issued(Some(NOW))));
    assert_eq!(standing.judge_session("s", "alice", NOW * 1000 + 999), Err(Ended::User));
    assert_eq!(standing.judge_session("s", "alice", NOW * 1000 + 1000), Ok(()));
}

#[test]
fn a_session_ends_as_a_family() {
    let standing = Standing::default();
    standing.apply([revoked(Revoked::Family("s".into()), NOW + 100)]);
    assert_eq!(standing.judge_session("s", "alice", NOW * 1000), Err(Ended::Family));
    assert_eq!(standing.judge_session("other", "alice", NOW * 1000), Ok(()));
}

#[test]
fn a_token_lives_with_the_key_that_it_was_exchanged_for() {
    let standing = Standing::default();
    let token = TokenFacts { key: Some("k1".into()), ..token() };
    assert_eq!(standing.judge(&token, NOW), Err(Ended::KeyUnknown));

    standing.apply([Change::Key(key("k1", "a"))]);
    assert_eq!(standing.judge(&token, NOW), Ok(Some(key("k1", "a"))));
    assert_eq!(standing.judge(&token, NOW + 100), Err(Ended::KeyExpired));

    standing.apply([Change::KeyEnded("k1".into())]);
    assert_eq!(standing.judge(&token, NOW), Err(Ended::KeyUnknown));
    assert_eq!(standing.key_by_hash(&digest("k1")), None);
}

#[test]
fn a_key_is_found_by_its_id_and_its_hash() {
    let standing = Standing::default();
    standing.apply([Change::Key(key("k1", "a")), Change::Key(key("k2", "b"))]);

    assert_eq!(standing.key("k1"), Some(key("k1", "a")));
    assert_eq!(standing.key_by_hash(&digest("k2")), Some(key("k2", "b")));
    assert_eq!(standing.key_by_hash(&digest("k3")), None);

    let other = ApiKey { hash: digest("other text"), ..(*key("k1", "a")).clone() };
    standing.apply([Change::Key(Arc::new(other))]);
    assert_eq!(standing.key_by_hash(&digest("k1")), None);
    assert_eq!(standing.counts().keys, 2);
}

#[test]
fn what_changes_nothing_does_not_move_the_epoch() {
    let standing = Standing::default();
    let changes = [
        Change::Key(key("k1", "a")),
        revoked(Revoked::Token("t1".into()), NOW + 100),
        Change::SecondFactor { user: "alice".into(), enrolled: true },
        user_since(NOW * 1000),
    ];
    standing.apply(changes.clone());
    let epoch = standing.epoch();

    standing.apply(changes.clone());
    standing.apply([Change::KeyEnded("k9".into())]);
    standing.replace(changes.into());

    assert_eq!(standing.epoch(), epoch);
}

#[test]
fn a_list_that_is_older_than_a_change_takes_nothing_back() {
    let standing = Standing::default();
    standing.replace(vec![Change::Key(key("old", "a"))]);
    standing.apply([
        revoked(Revoked::Token("t1".into()), NOW + 100),
        Change::KeyEnded("old".into()),
        Change::Key(key("new", "a")),
        Change::SecondFactor { user: "alice".into(), enrolled: true },
    ]);

    standing.replace(vec![Change::Key(key("old", "a"))]);

    assert!(standing.is_revoked(&token()));
    assert_eq!(standing.key("old"), None);
    assert!(standing.key("new").is_some());
    assert!(standing.has_second_factor("alice"));

    standing.replace(Vec::new());
    assert!(standing.is_revoked(&token()));
    assert_eq!(standing.key("new"), None);
    assert!(!standing.has_second_factor("alice"));
}

#[test]
fn what_has_expired_is_forgotten() {
    let standing = Standing::default();
    standing.apply([revoked(Revoked::Token("t1".into()), NOW + 100), user_since(NOW * 1000)]);

    standing.sweep(NOW + 99);
    assert_eq!(standing.counts().revocations, 2);
    standing.sweep(NOW + 100);
    assert_eq!(standing.counts(), Counts::default());
    assert!(!standing.is_revoked(&token()));
}

#[test]
fn beyond_the_bound_what_was_revoked_is_still_found() {
    let tokens = (0..MOST).map(|number| (number.to_string().into(), NOW)).collect();
    let mut known = Known { tokens, ..Known::default() };

    assert!(known.revoke(Revoked::Token("t1".into()), NOW + 100));

    assert_eq!((known.tokens.len(), known.overflow.count()), (MOST, 1));
    let standing = Standing { known: RwLock::new(known), ..Standing::default() };
    assert_eq!(standing.judge(&token(), NOW), Err(Ended::Token));
    assert_eq!(standing.judge(&TokenFacts { token_id: None, ..token() }, NOW), Ok(None));
}
