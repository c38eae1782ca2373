//! Another password, and users who are shut out.

use super::*;
use crate::api_key::Scope;

async fn change(
    node: &Fixture,
    user: &str,
    old: Option<&str>,
    new: &str,
) -> Result<(), PasswordChangeError> {
    let secret = |text: &str| Secret::from(text.to_owned());
    let call = node.call("standard");
    node.service.change_password(&call, user, old.map(secret), secret(new)).await
}

#[tokio::test]
async fn another_password_ends_all_that_came_by_the_old_one() {
    let node = Fixture::new();
    let issued = node.issue("standard", "alice", Shape::Standard).await;
    let new = NewKey {
        owner: "alice".into(),
        label: "ci".into(),
        scope: Scope::default(),
        lifetime: None,
    };
    let identities = &node.loaded.current().identities;
    let (_, key) = node.service.issue_key(identities, new).await.unwrap();
    let began = node.clock.now();
    node.advance(1);

    change(&node, "alice", Some("alice-secret"), "another secret").await.unwrap();
    node.advance(1);

    let call = node.call("standard");
    assert!(!node.holds("standard", &issued.access_token));
    assert!(node.service.refresh(&call, &issued.refresh_token.unwrap()).await.is_err());
    assert!(node.service.exchange_key(&call, &key).await.is_err());
    assert!(node.service.resume(&call, "alice", "session", began).is_err());
    assert_eq!(node.log_in("standard", "alice").await.unwrap_err(), LoginError::Refused);
    let who = node.log_in_with("standard", "alice", "another secret", None).await.unwrap();
    let issued = node.service.issue(&call, &who, &Wish::of(Shape::Standard)).await.unwrap();
    assert!(node.holds("standard", &issued.access_token));
    let text = std::fs::read_to_string(node.folder.path().join("users.yaml")).unwrap();
    assert!(text.contains("$argon2id$") && !text.contains("alice-secret"));
}

#[tokio::test]
async fn a_password_is_changed_by_who_knows_it_or_by_an_administrator() {
    let node = Fixture::new();
    let issued = node.issue("standard", "alice", Shape::Standard).await;

    for (user, old) in [("alice", "wrong"), ("carol", "carol-secret"), ("mallory", "x")] {
        let refused = change(&node, user, Some(old), "another secret").await;
        assert!(matches!(refused, Err(PasswordChangeError::Refused)), "{user} {refused:?}");
    }
    for new in ["", "a\0b", &"x".repeat(1025)] {
        let unfit = change(&node, "alice", Some("alice-secret"), new).await;
        assert!(matches!(unfit, Err(PasswordChangeError::Unfit)), "{unfit:?}");
    }
    assert!(node.holds("standard", &issued.access_token), "nothing has changed");

    change(&node, "bob", None, "another secret").await.unwrap();
    node.advance(1);
    assert!(node.log_in_with("standard", "bob", "another secret", None).await.is_ok());
}

#[tokio::test]
async fn guessing_the_old_password_is_slowed_down_with_all_other_guessing() {
    let node = Fixture::new();
    for _ in 0..5 {
        let _ = change(&node, "alice", Some("wrong"), "another secret").await;
    }

    let throttled = change(&node, "alice", Some("alice-secret"), "another secret").await;

    assert!(matches!(throttled, Err(PasswordChangeError::Throttled { .. })));
    assert!(matches!(node.log_in("ryft", "alice").await, Err(LoginError::Throttled { .. })));
}

#[tokio::test]
async fn a_password_that_is_written_and_not_in_force_is_told_so() {
    let node = Fixture::new();
    let issued = node.issue("standard", "alice", Shape::Standard).await;
    node.loaded.is_broken.store(true, Ordering::Relaxed);

    let changed = change(&node, "alice", Some("alice-secret"), "another secret").await;

    assert!(matches!(changed, Err(PasswordChangeError::NotLoaded)));
    assert!(!node.holds("standard", &issued.access_token));
}

#[tokio::test]
async fn without_a_store_no_password_is_changed() {
    let node = Fixture::without_store();

    let refused = change(&node, "alice", Some("alice-secret"), "another secret").await;

    assert!(matches!(refused, Err(PasswordChangeError::Unavailable(_))));
    let text = std::fs::read_to_string(node.folder.path().join("users.yaml")).unwrap();
    assert_eq!(text, USERS);
}

#[tokio::test]
async fn nothing_comes_back_with_a_user_who_was_shut_out() {
    let node = Fixture::new();
    let alices = node.issue("standard", "alice", Shape::Standard).await;
    let bobs = node.issue("standard", "bob", Shape::Standard).await;
    let daves = node.issue("standard", "dave", Shape::Standard).await;
    let before = node.loaded.current();
    node.advance(1);

    node.write_users(
        &USERS
            .replace("home: /alice,", "home: /alice, disabled: true,")
            .replace("username: bob", "username: robert"),
    );
    let after = node.loaded.current();
    node.service.end_shut_out(&before, &after).await.unwrap();
    node.write_users(USERS);

    assert!(!node.holds("standard", &alices.access_token));
    assert!(!node.holds("standard", &bobs.access_token));
    assert!(node.holds("standard", &daves.access_token));
}

#[tokio::test]
async fn another_hash_in_the_file_ends_what_came_by_the_old_one() {
    another_password_ends(|password| {
        let hash = crate::password::hash(password.as_bytes()).unwrap();
        USERS.replace("password: alice-secret", &format!("passhash: '{hash}'"))
    })
    .await;
}

#[tokio::test]
async fn another_plaintext_in_the_file_ends_what_came_by_the_old_one() {
    another_password_ends(|password| USERS.replace("alice-secret", password)).await;
}

#[tokio::test]
async fn a_plaintext_that_is_read_anew_ends_nothing() {
    let node = Fixture::new();
    let issued = node.issue("standard", "alice", Shape::Standard).await;
    let before = node.loaded.current();

    node.write_users(&USERS.replace("username: bob", "username: robert"));
    let after = node.loaded.current();
    node.service.end_shut_out(&before, &after).await.unwrap();

    assert!(node.holds("standard", &issued.access_token));
}

/// `file` writes the users with this password of alice's.
async fn another_password_ends(file: impl Fn(&str) -> String) {
    let node = Fixture::new();
    node.write_users(&file("alice-secret"));
    let old = node.loaded.current();
    let who = node.log_in("standard", "alice").await.unwrap();
    let call = node.call("standard");
    let wish = Wish::of(Shape::Standard);
    let issued = node.service.issue(&call, &who, &wish).await.unwrap();

    node.write_users(&file("another secret"));
    let new = node.loaded.current();
    // The clock of the test is not that of the snapshot.
    let changed_at = new.loaded_at.saturating_sub(Duration::from_secs(1));
    node.clock.0.store(time::millis(changed_at), Ordering::Relaxed);
    node.service.end_shut_out(&old, &new).await.unwrap();

    let facts = crate::identity::standing::TokenFacts {
        subject: "alice".into(),
        issued_at: Some(issued.issued_at.min(changed_at.as_secs())),
        ..Default::default()
    };
    assert!(node.service.standing().is_revoked(&facts));
    let later = crate::identity::standing::TokenFacts {
        issued_at: Some(new.loaded_at.as_secs() + 1),
        ..facts
    };
    assert!(!node.service.standing().is_revoked(&later), "the new password counts");
}

#[tokio::test]
async fn who_is_shut_out_while_logging_in_is_issued_nothing() {
    let node = Fixture::new();
    let (call, wish) = (node.call("standard"), Wish::of(Shape::Standard));
    let who = node.log_in("standard", "alice").await.unwrap();

    node.write_users(&USERS.replace("home: /alice,", "home: /alice, disabled: true,"));
    let refused = node.service.issue(&call, &who, &wish).await;

    assert_eq!(refused.unwrap_err(), IssueError::Refused);
}
