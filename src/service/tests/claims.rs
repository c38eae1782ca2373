//! What tokens say, and how long they hold.

use serde_json::json;

use super::*;

const UUID: &str = "3f2c8f0e-4c1e-4b1a-9a53-0c1b6f5f9a01";

/// The claims of a token but for those that differ each time.
async fn claims(node: &Fixture, endpoint: &str, user: &str, shape: Shape) -> Value {
    let who = node.log_in(endpoint, user).await.unwrap();
    let issued = node.service.issue(&node.call(endpoint), &who, &Wish::of(shape)).await.unwrap();
    assert!(node.holds(endpoint, &issued.access_token), "{endpoint}");
    assert!(issued.refresh_token.is_none() && issued.family.is_none());
    let mut claims = issued.claims;
    let id = claims.remove("jti").unwrap();
    assert!(id.as_str().unwrap().len() >= 22);
    Value::Object(claims)
}

#[tokio::test]
async fn every_dialect_says_what_its_clients_read() {
    let node = Fixture::new();

    assert_eq!(
        claims(&node, "standard", "alice", Shape::Standard).await,
        json!({
            "iss": "https://gateway.example", "sub": "alice", "aud": ["doorward", "files"],
            "iat": START, "exp": START + 3600, "roles": ["reader", "editor"],
            "department": "physics", "mail": "Alice@example.org",
        })
    );
    assert_eq!(
        claims(&node, "appmesh", "alice", Shape::AppMesh).await,
        json!({
            "iss": "https://gateway.example", "sub": "alice", "aud": "doorward",
            "iat": START, "exp": START + 7 * 86_400, "orig_iat": START,
            "resource_access": { "appmesh-service": { "roles": ["reader", "editor"] } },
        })
    );
    assert_eq!(
        claims(&node, "ryft", "alice", Shape::Ryft).await,
        json!({
            "iss": "https://ryft.example", "sub": "alice", "aud": "ryft",
            "iat": START, "exp": START + 3600, "orig_iat": START,
            "id": "alice", "roles": ["reader", "editor"], "home-dir": "/alice",
            "cluster-tag": "north",
        })
    );
    assert_eq!(
        claims(&node, "clustercockpit", "alice", Shape::ClusterCockpit).await,
        json!({
            "iss": "https://gateway.example", "sub": "alice", "aud": ["doorward", "files"],
            "iat": START, "exp": START + 3600, "roles": ["reader", "editor"],
        })
    );
}

#[tokio::test]
async fn what_a_user_does_not_have_is_said_as_the_dialects_say_it() {
    let node = Fixture::new();

    let ryft = claims(&node, "ryft", "bob", Shape::Ryft).await;
    assert_eq!(ryft["roles"], Value::Null);
    assert_eq!((&ryft["home-dir"], &ryft["cluster-tag"]), (&json!(""), &json!("")));
    assert_eq!(claims(&node, "standard", "bob", Shape::Standard).await.get("roles"), None);
    let cockpit = claims(&node, "clustercockpit", "bob", Shape::ClusterCockpit).await;
    assert_eq!(cockpit["roles"], json!([]));
}

#[tokio::test]
async fn an_id_of_omegaml_is_the_attribute_or_follows_from_the_name() {
    let node = Fixture::new();
    let who = node.log_in("omegaml", "alice").await.unwrap();
    // Its issuer wants the subject at `sub`, whatever is left out.
    let call = node.call("omegaml");
    let issued = node.service.issue(&call, &who, &Wish::of(Shape::Omegaml)).await.unwrap();
    assert_eq!(claim(&issued, "user_id"), &json!(42));
    assert_eq!(claim(&issued, "username"), &json!("alice"));
    assert_eq!(claim(&issued, "email"), &json!("Alice@example.org"));
    assert_eq!(issued.expires_in(), 300);

    let who = node.log_in("omegaml", "bob").await.unwrap();
    let issued = node.service.issue(&call, &who, &Wish::of(Shape::Omegaml)).await.unwrap();
    let id = claim(&issued, "user_id").as_u64().unwrap();
    assert!(id > 0 && id < 1 << 31);
}

#[tokio::test]
async fn a_token_of_jwthenticator_has_one_id_and_the_identifier_of_its_key() {
    let node = Fixture::new();
    let call = node.call("jwthenticator");
    let identifier = "00000000-0000-4000-8000-000000000001";
    node.service.register_key(&call, "some key of a device", identifier).await.unwrap();
    let who = node.service.exchange_key(&call, "some key of a device").await.unwrap();
    let wish = |identifier: &str| Wish::of(Shape::Jwthenticator { identifier: identifier.into() });

    let issued = node.service.issue(&call, &who, &wish(identifier)).await.unwrap();
    let refused = node.service.issue(&call, &who, &wish(UUID)).await;

    assert_eq!(claim(&issued, "identifier"), &json!(identifier));
    assert_eq!(claim(&issued, "token_id"), claim(&issued, "jti"));
    assert!(uuid::Uuid::try_parse(claim(&issued, "jti").as_str().unwrap()).is_ok());
    assert_eq!(claim(&issued, "aud"), &json!(["free"]));
    assert_eq!(issued.expires_in(), 25 * 3600);
    assert_eq!(refused.unwrap_err(), IssueError::Refused);
    let verified = node.service.verify(&call, &issued.access_token).unwrap();
    assert_eq!(verified.account(), None, "nobody's account is managed with it");
}

#[tokio::test]
async fn a_client_may_ask_for_less_time_and_never_gets_more_than_the_endpoint_gives() {
    let node = Fixture::new();
    let who = node.log_in("standard", "alice").await.unwrap();
    let call = node.call("standard");

    for (asked, given) in [(1, 1), (60, 60), (86_400, 86_400), (86_401, 86_400), (u64::MAX, 86_400)]
    {
        let wish = Wish { lifetime: Some(Duration::from_secs(asked)), ..Wish::of(Shape::Standard) };
        let issued = node.service.issue(&call, &who, &wish).await.unwrap();
        assert_eq!(issued.expires_in(), given);
        assert_eq!(claim(&issued, "exp").as_u64(), Some(issued.expires_at));
    }
    for asked in [Duration::ZERO, Duration::from_millis(999)] {
        let wish = Wish { lifetime: Some(asked), ..Wish::of(Shape::Standard) };
        let refused = node.service.issue(&call, &who, &wish).await;
        assert_eq!(refused.unwrap_err(), IssueError::Lifetime);
    }
}

#[tokio::test]
async fn an_audience_is_one_of_the_endpoints() {
    let node = Fixture::new();
    let who = node.log_in("standard", "alice").await.unwrap();
    let call = node.call("standard");
    let wish = |name: &str| Wish { audience: Some(name.to_owned()), ..Wish::of(Shape::Standard) };

    let issued = node.service.issue(&call, &who, &wish("files")).await.unwrap();
    assert_eq!(claim(&issued, "aud"), &json!("files"));
    for name in ["", "Files", "else", "free"] {
        let refused = node.service.issue(&call, &who, &wish(name)).await;
        assert_eq!(refused.unwrap_err(), IssueError::Audience, "{name}");
    }
}

#[tokio::test]
async fn where_no_directory_is_asked_the_token_says_all_and_of_a_key_what_it_passes_on() {
    let node = Fixture::new();
    let call = node.call("jwthenticator");
    let who = node.log_in("jwthenticator", "alice").await.unwrap();
    let issued = node.service.issue(&call, &who, &Wish::of(Shape::Standard)).await.unwrap();
    for (name, value) in [
        ("identifier", json!("alice")),
        ("roles", json!(["reader", "editor"])),
        ("permissions", json!(["files:read", "files:*"])),
        ("home", json!("/alice")),
        ("email", json!("Alice@example.org")),
        ("cluster_tag", json!("north")),
    ] {
        assert_eq!(claim(&issued, name), &value, "{name}");
    }

    for (scope, permissions) in [
        (r#"{"permissions": ["files:read", "admin:all", "*:*"]}"#, json!(["files:read"])),
        (r#"{"permissions": ["files:*"]}"#, json!(["files:*"])),
        (r#"{"permissions": []}"#, Value::Null),
        (r#"{"path": "/alice"}"#, Value::Null),
    ] {
        let new = NewKey {
            owner: "alice".into(),
            label: String::new(),
            scope: serde_json::from_str(scope).unwrap(),
            lifetime: None,
        };
        let (_, text) = node.service.issue_key(&call.snapshot.identities, new).await.unwrap();
        let who = node.service.exchange_key(&call, &text).await.unwrap();
        let issued = node.service.issue(&call, &who, &Wish::of(Shape::Standard)).await.unwrap();

        assert_eq!(claim(&issued, "permissions"), &permissions, "{scope}");
        assert_eq!(claim(&issued, "roles"), &Value::Null, "{scope}");
        let verified = node.service.verify(&call, &issued.access_token).unwrap();
        assert!(!verified.may(&"files:write".parse().unwrap()) || scope.contains("files:*"));
        assert_eq!(verified.account(), None);
    }
}
