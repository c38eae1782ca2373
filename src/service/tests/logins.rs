//! Logging in with a password.

use super::*;

#[tokio::test]
async fn a_right_password_logs_in_and_a_token_is_what_it_says() {
    let node = Fixture::new();

    let issued = node.issue("standard", "alice", Shape::Standard).await;

    let verified = node.service.verify(&node.call("standard"), &issued.access_token).unwrap();
    assert_eq!(&*verified.principal.name, "alice");
    assert_eq!(verified.account(), Some("alice"));
    assert_eq!(verified.family, issued.family);
    assert_eq!(verified.claims, issued.claims);
    assert_eq!((issued.issued_at, issued.expires_at), (START, START + 3600));
    assert!(verified.may(&"files:read".parse().unwrap()));
}

#[tokio::test]
async fn every_refusal_is_the_same() {
    let node = Fixture::new();

    for (user, password) in [
        ("alice", "wrong"),
        ("alice", ""),
        ("alice", "alice-secret\0"),
        ("alice ", "alice-secret"),
        ("Alice", "alice-secret"),
        ("carol", "carol-secret"),
        ("mallory", "mallory-secret"),
        ("", ""),
        ("alice@example.org", "alice-secret"),
    ] {
        let refused = node.log_in_with("standard", user, password, None).await;
        assert_eq!(refused.unwrap_err(), LoginError::Refused, "{user}");
        node.advance(600);
    }
}

#[tokio::test]
async fn guessing_is_slowed_down_and_ends_for_the_right_one() {
    let node = Fixture::new();
    for _ in 0..5 {
        let refused = node.log_in_with("standard", "alice", "wrong", None).await;
        assert_eq!(refused.unwrap_err(), LoginError::Refused);
    }

    let throttled = node.log_in("ryft", "alice").await.unwrap_err();
    let LoginError::Throttled { retry_after } = throttled else { panic!("{throttled}") };
    node.clock.0.fetch_add(time::millis(retry_after), Ordering::Relaxed);

    assert!(node.log_in("ryft", "alice").await.is_ok());
    assert!(node.log_in_with("standard", "alice", "wrong", None).await.is_err());
    assert!(node.log_in("standard", "alice").await.is_ok(), "a success forgets the failures");
}

#[tokio::test]
async fn unknown_users_are_slowed_down_like_known_ones() {
    let node = Fixture::new();
    for user in ["alice", "mallory"] {
        for _ in 0..5 {
            let _ = node.log_in_with("standard", user, "wrong", None).await;
        }
        let throttled = node.log_in_with("standard", user, "wrong", None).await;
        assert!(matches!(throttled, Err(LoginError::Throttled { .. })), "{user}");
    }
}

#[tokio::test]
async fn an_address_is_a_name_where_the_dialect_says_so_and_one_user_has_it() {
    let node = Fixture::new();
    let log_in = |address: &'static str, password: &'static str| {
        let node = &node;
        async move { node.log_in_with("omegaml", address, password, None).await }
    };

    let who = log_in("alice@EXAMPLE.org", "alice-secret").await.unwrap();
    assert_eq!(who.name(), "alice");

    for (address, password) in [
        ("shared@example.org", "bob-secret"),
        ("shared@example.org", "dave-secret"),
        ("carol@example.org", "carol-secret"),
        ("nobody@example.org", "alice-secret"),
        ("@", "alice-secret"),
    ] {
        assert_eq!(log_in(address, password).await.unwrap_err(), LoginError::Refused, "{address}");
        node.advance(600);
    }
}

#[tokio::test]
async fn nothing_is_issued_without_a_store_and_what_was_issued_holds() {
    let node = Fixture::new();
    let issued = node.issue("standard", "alice", Shape::Standard).await;
    let alone = Fixture::without_store();

    let away = LoginError::Unavailable(Unavailable);
    assert_eq!(alone.log_in("standard", "alice").await.unwrap_err(), away);
    let call = alone.call("standard");
    assert_eq!(alone.service.exchange_key(&call, "dw_a_b").await.unwrap_err(), away);
    let refresh = issued.refresh_token.unwrap();
    let refreshed = alone.service.refresh(&call, &refresh).await;
    assert!(matches!(refreshed, Err(RefreshError::Unavailable(_))));
    let wish = Wish::of(Shape::Standard);
    let renewed = alone.service.renew(&call, &issued.access_token, &wish).await;
    assert!(matches!(renewed, Err(RefreshError::Unavailable(_))));
    assert!(alone.holds("standard", &issued.access_token));
    assert!(!alone.service.is_well().await && node.service.is_well().await);
}

#[tokio::test]
async fn a_remembered_password_is_right_and_no_other() {
    let config = CONFIG.replace("remember = \"0s\"", "remember = \"1m\"");
    let node = Fixture::with(&config, |standing, folder| {
        let path = folder.join("store.db");
        Some(Arc::new(Sqlite::open(&path, Duration::from_secs(5), standing, START).unwrap()))
    });

    for _ in 0..3 {
        assert!(node.log_in("standard", "alice").await.is_ok());
        assert!(node.log_in_with("standard", "alice", "wrong", None).await.is_err());
        assert!(node.log_in_with("standard", "bob", "alice-secret", None).await.is_err());
    }
}

#[tokio::test]
async fn a_session_goes_on_until_it_is_ended_or_its_user_is_shut_out() {
    let node = Fixture::new();
    let call = node.call("clustercockpit");
    let began = node.clock.now();
    let resume = |user: &str| node.service.resume(&call, user, "session", began);

    let who = resume("alice").unwrap();
    assert_eq!((who.name(), who.how()), ("alice", How::Session));
    for user in ["carol", "mallory"] {
        assert_eq!(resume(user).unwrap_err(), LoginError::Refused);
    }
    node.service.end_session("session", node.now() + 60).await.unwrap();

    assert_eq!(resume("alice").unwrap_err(), LoginError::Refused);
}
