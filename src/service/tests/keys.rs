//! API keys.

use serde_json::json;

use super::*;
use crate::api_key::{ApiKey, KeyKind, Scope, is_key};

const UUID: &str = "00000000-0000-4000-8000-000000000001";

async fn key_of(node: &Fixture, owner: &str, scope: &str) -> (ApiKey, String) {
    let new = NewKey {
        owner: owner.into(),
        label: "ci".into(),
        scope: serde_json::from_str::<Scope>(scope).unwrap(),
        lifetime: Some(Duration::from_mins(10)),
    };
    let identities = &node.loaded.current().identities;
    let (key, text) = node.service.issue_key(identities, new).await.unwrap();
    (key, text.to_string())
}

#[tokio::test]
async fn a_key_is_exchanged_for_a_token_that_is_no_wider_and_ends_with_it() {
    let node = Fixture::new();
    let call = node.call("standard");
    let (key, text) = key_of(&node, "alice", r#"{"permissions": ["files:read"]}"#).await;
    assert!(is_key(&text));

    let who = node.service.exchange_key(&call, &text).await.unwrap();
    assert_eq!((who.name(), who.how()), ("alice", How::Key));
    let wish = Wish { refresh: true, ..Wish::of(Shape::Standard) };
    let issued = node.service.issue(&call, &who, &wish).await.unwrap();

    assert_eq!(claim(&issued, "client_id"), &json!(&*key.id));
    assert_eq!(claim(&issued, "scope"), &json!("files:read"));
    assert_eq!(claim(&issued, "roles"), &Value::Null, "its reader would not know of the scope");
    assert_eq!(issued.expires_at, START + 600, "no longer than the key");
    let verified = node.service.verify(&call, &issued.access_token).unwrap();
    assert!(verified.may(&"files:read".parse().unwrap()));
    assert!(!verified.may(&"files:write".parse().unwrap()));
    assert_eq!(verified.account(), None, "it would make itself a wider key");

    assert!(node.service.end_key(Some("alice"), &key.id).await.unwrap());
    assert!(!node.holds("standard", &issued.access_token));
    let refresh = issued.refresh_token.unwrap();
    assert!(node.service.refresh(&call, &refresh).await.is_err());
    let gone = node.service.exchange_key(&call, &text).await;
    assert_eq!(gone.unwrap_err(), LoginError::Refused);
}

#[tokio::test]
async fn a_key_that_is_not_narrowed_says_what_its_owner_is() {
    let node = Fixture::new();
    let (_, text) = key_of(&node, "alice", "{}").await;
    let call = node.call("standard");
    let who = node.service.exchange_key(&call, &text).await.unwrap();

    let issued = node.service.issue(&call, &who, &Wish::of(Shape::Standard)).await.unwrap();

    assert_eq!(claim(&issued, "roles"), &json!(["reader", "editor"]));
    assert_eq!(claim(&issued, "scope"), &Value::Null);
}

#[tokio::test]
async fn a_key_holds_from_its_networks_in_its_time_and_for_a_welcome_owner() {
    let node = Fixture::new();
    let (_, text) = key_of(&node, "bob", r#"{"sources": ["192.0.2.0/24"]}"#).await;
    let exchange = |client: &str| {
        let (call, text) = (node.call_from("standard", client), text.clone());
        let service = Arc::clone(&node.service);
        async move { service.exchange_key(&call, &text).await.map(|_| ()) }
    };

    assert_eq!(exchange("192.0.2.9").await, Ok(()));
    assert_eq!(exchange("198.51.100.1").await, Err(LoginError::Refused));
    node.write_users(&USERS.replace("username: bob,", "username: bob, disabled: true,"));
    assert_eq!(exchange("192.0.2.9").await, Err(LoginError::Refused));
    node.write_users(USERS);
    assert_eq!(exchange("192.0.2.9").await, Ok(()));
    node.advance(600);
    assert_eq!(exchange("192.0.2.9").await, Err(LoginError::Refused));
}

#[tokio::test]
async fn guesses_at_keys_slow_their_address_down() {
    let node = Fixture::new();
    let (_, text) = key_of(&node, "bob", "{}").await;
    let call = node.call_from("standard", "203.0.113.1");

    let mut refused = 0;
    let mut number = 0;
    let throttled = loop {
        number += 1;
        match node.service.exchange_key(&call, &format!("guess {number}")).await {
            Err(LoginError::Refused) => refused += 1,
            other => break other,
        }
    };

    assert!(matches!(throttled, Err(LoginError::Throttled { .. })), "{throttled:?}");
    assert_eq!(refused, 50);
    let elsewhere = node.call_from("standard", "203.0.113.77");
    assert!(node.service.exchange_key(&elsewhere, &text).await.is_ok());
}

#[tokio::test]
async fn many_exchanges_of_a_right_key_at_once_are_no_failures() {
    let node = Fixture::new();
    let (_, text) = key_of(&node, "bob", "{}").await;

    let tasks: Vec<_> = (0..40)
        .map(|_| {
            let (call, text) = (node.call("standard"), text.clone());
            let service = Arc::clone(&node.service);
            tokio::spawn(async move { service.exchange_key(&call, &text).await.is_ok() })
        })
        .collect();
    for task in tasks {
        assert!(task.await.unwrap());
    }
}

#[tokio::test]
async fn keys_are_listed_and_ended_by_their_owner_alone() {
    let node = Fixture::new();
    let (first, _) = key_of(&node, "alice", "{}").await;
    let (second, _) = key_of(&node, "bob", "{}").await;

    assert_eq!(node.service.list_keys(Some("alice")).await.unwrap(), [first]);
    assert_eq!(node.service.list_keys(None).await.unwrap().len(), 2);
    assert!(!node.service.end_key(Some("alice"), &second.id).await.unwrap());
    assert!(node.service.end_key(None, &second.id).await.unwrap());
    assert!(!node.service.end_key(None, &second.id).await.unwrap());
    assert!(node.service.list_keys(Some("bob")).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_can_be_no_key_is_not_issued() {
    let node = Fixture::new();
    let new = |owner: &str, label: &str, seconds: u64| NewKey {
        owner: owner.into(),
        label: label.into(),
        scope: Scope::default(),
        lifetime: Some(Duration::from_secs(seconds)),
    };
    let identities = &node.loaded.current().identities;
    for (new, error) in [
        (new("carol", "a", 1), KeyError::UnknownUser),
        (new("mallory", "a", 1), KeyError::UnknownUser),
        (new("alice", "a\nb", 1), KeyError::Ill),
        (new("alice", &"a".repeat(129), 1), KeyError::Ill),
        (new("alice", "a", 0), KeyError::Ill),
    ] {
        assert_eq!(node.service.issue_key(identities, new).await.unwrap_err(), error);
    }
}

#[tokio::test]
async fn a_registered_key_belongs_to_one_identifier_and_may_be_registered_again() {
    let node = Fixture::new();
    let call = node.call("jwthenticator");
    let other = "00000000-0000-4000-8000-000000000002";
    let service = &node.service;

    let key = service.register_key(&call, "a key", &UUID.replace('-', "")).await.unwrap();
    assert_eq!((&*key.owner, key.kind), (UUID, KeyKind::Registered));
    assert_eq!(key.expires_at, Some(START + 48 * 3600));
    assert!(service.is_key_registered("a key").await.unwrap());
    assert!(!service.is_key_registered("another key").await.unwrap());
    node.advance(3600);
    assert_eq!(service.register_key(&call, "a key", UUID).await.unwrap(), key);
    node.advance(30 * 3600);
    let again = service.register_key(&call, "a key", UUID).await.unwrap();
    assert_eq!(again.expires_at, Some(START + 79 * 3600));
    assert_eq!(service.register_key(&call, "a key", other).await, Err(KeyError::Taken));
    for (key, identifier) in [("", UUID), ("a key", "alice"), ("a key", ""), ("a key", "{}")] {
        assert_eq!(service.register_key(&call, key, identifier).await, Err(KeyError::Ill));
    }
    let (_, users) = key_of(&node, "alice", "{}").await;
    assert_eq!(service.register_key(&call, &users, UUID).await, Err(KeyError::Ill));
    node.advance(49 * 3600);
    assert!(!service.is_key_registered("a key").await.unwrap());
    assert_eq!(service.exchange_key(&call, "a key").await.unwrap_err(), LoginError::Refused);
}

#[tokio::test]
async fn a_registered_key_is_nobody_where_tokens_are_bound_to_users() {
    let node = Fixture::new();
    let call = node.call("jwthenticator");
    node.service.register_key(&call, "a key", UUID).await.unwrap();
    let standard = node.call("standard");
    let who = node.service.exchange_key(&standard, "a key").await.unwrap();

    let issued = node.service.issue(&standard, &who, &Wish::of(Shape::Standard)).await;

    assert_eq!(issued.unwrap_err(), IssueError::Refused);
}
