//! Refreshing and renewing.

use serde_json::json;

use super::*;

const UUID: &str = "00000000-0000-4000-8000-000000000001";

#[tokio::test]
async fn a_refresh_token_is_exchanged_once_and_its_reuse_ends_the_login() {
    let node = Fixture::new();
    let call = node.call("standard");
    let first = node.issue("standard", "alice", Shape::Standard).await;
    let old = first.refresh_token.unwrap();
    node.advance(10);

    let second = node.service.refresh(&call, &old).await.unwrap();
    assert_eq!((&second.family, second.issued_at), (&first.family, START + 10));
    assert_ne!(claim(&second, "jti"), &first.claims["jti"]);
    assert_eq!(claim(&second, "roles"), &json!(["reader", "editor"]));
    assert!(node.holds("standard", &first.access_token));

    let reused = node.service.refresh(&call, &old).await;
    assert!(matches!(reused, Err(RefreshError::Reused)), "{reused:?}");

    for token in [&first.access_token, &second.access_token] {
        assert!(!node.holds("standard", token), "its access tokens end as well");
    }
    let new = second.refresh_token.unwrap();
    assert!(matches!(node.service.refresh(&call, &new).await, Err(RefreshError::Refused)));
}

#[tokio::test]
async fn of_twenty_equal_refreshes_one_wins() {
    let node = Fixture::new();
    let issued = node.issue("standard", "alice", Shape::Standard).await;
    let token = issued.refresh_token.unwrap();

    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let (call, token) = (node.call("standard"), token.clone());
            let service = Arc::clone(&node.service);
            tokio::spawn(async move { service.refresh(&call, &token).await.is_ok() })
        })
        .collect();
    let mut won = 0;
    for task in tasks {
        won += usize::from(task.await.unwrap());
    }

    assert_eq!(won, 1);
    assert!(!node.holds("standard", &issued.access_token), "and the reuse was noticed");
}

#[tokio::test]
async fn a_family_lives_no_longer_for_being_refreshed() {
    let node = Fixture::new();
    let call = node.call("standard");
    let mut token = node.issue("standard", "alice", Shape::Standard).await.refresh_token.unwrap();

    for _ in 0..29 {
        node.advance(86_400);
        token = node.service.refresh(&call, &token).await.unwrap().refresh_token.unwrap();
    }
    node.advance(86_400);

    assert!(node.service.refresh(&call, &token).await.is_err());
}

#[tokio::test]
async fn a_refresh_token_is_nothing_but_a_refresh_token_of_its_endpoint() {
    let node = Fixture::new();
    let issued = node.issue("standard", "alice", Shape::Standard).await;
    let token = issued.refresh_token.unwrap();

    assert!(!node.holds("standard", &token));
    for (endpoint, token) in [
        ("standard", issued.access_token.as_str()),
        ("standard", ""),
        ("standard", "dwr_aaaaaaaaaaaaaaaa_bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"),
        ("other", token.as_str()),
        ("ryft", token.as_str()),
    ] {
        let refused = node.service.refresh(&node.call(endpoint), token).await;
        assert!(matches!(refused, Err(RefreshError::Refused)), "{endpoint} {refused:?}");
    }
    let call = node.call("standard");
    let bobs = node.service.refresh_as(&call, &token, "bob").await;
    assert!(matches!(bobs, Err(RefreshError::Refused)));
    assert!(node.service.refresh_as(&call, &token, "alice").await.is_ok(), "it was left alone");
}

#[tokio::test]
async fn a_refresh_reads_the_user_again_and_ends_for_one_who_is_disabled_or_gone() {
    let node = Fixture::new();
    let token = node.issue("standard", "alice", Shape::Standard).await.refresh_token.unwrap();
    let bobs = node.issue("standard", "bob", Shape::Standard).await.refresh_token.unwrap();

    node.write_users(&USERS.replace("[reader, editor]", "[reader]"));
    let refreshed = node.service.refresh(&node.call("standard"), &token).await.unwrap();
    assert_eq!(claim(&refreshed, "roles"), &json!(["reader"]));

    node.write_users(
        &USERS
            .replace("home: /alice,", "home: /alice, disabled: true,")
            .replace("username: bob", "username: robert"),
    );
    let (token, call) = (refreshed.refresh_token.unwrap(), node.call("standard"));
    let disabled = node.service.refresh(&call, &token).await;
    assert!(matches!(disabled, Err(RefreshError::UserDisabled)));
    assert!(matches!(node.service.refresh(&call, &bobs).await, Err(RefreshError::UserGone)));

    node.write_users(USERS);
    for token in [&token, &bobs] {
        let refused = node.service.refresh(&node.call("standard"), token).await;
        assert!(matches!(refused, Err(RefreshError::Refused)), "nothing comes back with them");
    }
}

#[tokio::test]
async fn what_was_asked_for_at_login_is_given_at_each_refresh() {
    let node = Fixture::new();
    let call = node.call("standard");
    let who = node.log_in("standard", "alice").await.unwrap();
    let wish = Wish {
        lifetime: Some(Duration::from_mins(1)),
        audience: Some("files".into()),
        refresh: true,
        shape: Shape::Standard,
    };
    let issued = node.service.issue(&call, &who, &wish).await.unwrap();

    let refreshed = node.service.refresh(&call, &issued.refresh_token.unwrap()).await.unwrap();

    assert_eq!(refreshed.expires_in(), 60);
    assert_eq!(claim(&refreshed, "aud"), &json!("files"));
}

#[tokio::test]
async fn jwthenticators_clients_keep_their_refresh_token() {
    let node = Fixture::new();
    let call = node.call("jwthenticator");
    node.service.register_key(&call, "a key of a device", UUID).await.unwrap();
    let who = node.service.exchange_key(&call, "a key of a device").await.unwrap();
    let shape = Shape::Jwthenticator { identifier: UUID.into() };
    let wish = Wish { refresh: true, ..Wish::of(shape) };
    let token = node.service.issue(&call, &who, &wish).await.unwrap().refresh_token.unwrap();

    for _ in 0..3 {
        let refreshed = node.service.refresh_as(&call, &token, UUID).await.unwrap();
        assert!(refreshed.refresh_token.is_none());
        assert_eq!(claim(&refreshed, "identifier"), &json!(UUID));
    }
    node.advance(48 * 3600);

    let refused = node.service.refresh_as(&call, &token, UUID).await;
    assert!(refused.is_err(), "no longer than its key");
}

#[tokio::test]
async fn a_token_is_renewed_by_itself_until_ten_lifetimes_after_the_login() {
    let node = Fixture::new();
    let wish = Wish::of(Shape::Ryft);
    let mut token = node.issue("ryft", "alice", Shape::Ryft).await.access_token;

    for hour in 1..=10 {
        node.advance(3599);
        let renewed = node.service.renew(&node.call("ryft"), &token, &wish).await.unwrap();
        assert_eq!(claim(&renewed, "orig_iat"), &json!(START), "{hour}");
        assert!(renewed.expires_at <= START + 11 * 3600);
        assert!(node.holds("ryft", &token), "the old one holds on");
        token = renewed.access_token;
    }
    node.advance(11);

    let over = node.service.renew(&node.call("ryft"), &token, &wish).await;
    assert!(matches!(over, Err(RefreshError::Over)), "{over:?}");
    assert!(node.holds("ryft", &token));
}

#[tokio::test]
async fn a_renewal_reads_the_user_again() {
    let node = Fixture::new();
    let wish = Wish::of(Shape::Ryft);
    let token = node.issue("ryft", "alice", Shape::Ryft).await.access_token;

    node.write_users(&USERS.replace("[reader, editor]", "[]").replace("/alice", "/al"));
    let renewed = node.service.renew(&node.call("ryft"), &token, &wish).await.unwrap();
    assert_eq!(claim(&renewed, "home-dir"), &json!("/al"));
    assert_eq!(claim(&renewed, "roles"), &Value::Null);

    node.write_users(&USERS.replace("home: /alice,", "home: /alice, disabled: true,"));
    let disabled = node.service.renew(&node.call("ryft"), &token, &wish).await;
    assert!(matches!(disabled, Err(RefreshError::UserDisabled)));
    node.write_users(&USERS.replace("username: alice", "username: alicia"));
    let gone = node.service.renew(&node.call("ryft"), &token, &wish).await;
    assert!(matches!(gone, Err(RefreshError::UserGone)));
}

#[tokio::test]
async fn a_renewal_wants_a_token_of_its_issuer_and_of_a_line() {
    let node = Fixture::new();
    let wish = Wish::of(Shape::Ryft);
    let standard = node.issue("standard", "alice", Shape::Standard).await.access_token;
    let ryft = node.issue("ryft", "alice", Shape::Ryft).await.access_token;

    let other = node.service.renew(&node.call("ryft"), &standard, &wish).await;
    assert!(matches!(other, Err(RefreshError::Invalid(_))));
    let lineless =
        node.service.renew(&node.call("standard"), &standard, &Wish::of(Shape::Standard)).await;
    assert!(matches!(lineless, Err(RefreshError::MissingOrigin)));
    for token in ["", "a.b.c", &ryft[..ryft.len() - 1]] {
        let garbage = node.service.renew(&node.call("ryft"), token, &wish).await;
        assert!(matches!(garbage, Err(RefreshError::Invalid(_))), "{garbage:?}");
    }
    node.service.revoke_token(&node.call("ryft"), &ryft).await.unwrap();
    let revoked = node.service.renew(&node.call("ryft"), &ryft, &wish).await;
    assert!(matches!(revoked, Err(RefreshError::Invalid(_))));
}

#[tokio::test]
async fn a_renewal_keeps_audience_and_login() {
    let node = Fixture::new();
    let call = node.call("appmesh");
    let who = node.log_in("appmesh", "alice").await.unwrap();
    let wish = Wish { audience: Some("files".into()), refresh: true, ..Wish::of(Shape::AppMesh) };
    let issued = node.service.issue(&call, &who, &wish).await.unwrap();

    let wish = Wish::of(Shape::AppMesh);
    let renewed = node.service.renew(&call, &issued.access_token, &wish).await.unwrap();
    assert_eq!(claim(&renewed, "aud"), &json!("files"));
    assert_eq!(claim(&renewed, "sid"), claim(&issued, "sid"));

    node.service.log_out(&call, &renewed.access_token).await.unwrap();
    assert!(!node.holds("appmesh", &issued.access_token));
}
