//! Ending tokens, logins and all of a user's.

use super::*;

#[tokio::test]
async fn a_revoked_token_holds_no_more_and_others_do() {
    let node = Fixture::new();
    let call = node.call("standard");
    let first = node.issue("standard", "alice", Shape::Standard).await;
    let second = node.issue("standard", "alice", Shape::Standard).await;

    node.service.revoke_token(&call, &first.access_token).await.unwrap();

    assert!(!node.holds("standard", &first.access_token));
    assert!(node.holds("standard", &second.access_token));
    let again = node.service.revoke_token(&call, &first.access_token).await;
    assert!(matches!(again, Err(RevokeError::Invalid(_))));
    let id = claim(&second, "jti").as_str().unwrap();
    node.service.revoke_token_id(id).await.unwrap();
    assert!(!node.holds("standard", &second.access_token));
}

#[tokio::test]
async fn a_logout_ends_the_login_and_all_that_came_of_it() {
    let node = Fixture::new();
    let call = node.call("standard");
    let issued = node.issue("standard", "alice", Shape::Standard).await;
    let refresh = issued.refresh_token.unwrap();
    let refreshed = node.service.refresh(&call, &refresh).await.unwrap();

    node.service.log_out(&call, &refreshed.access_token).await.unwrap();

    for token in [&issued.access_token, &refreshed.access_token] {
        assert!(!node.holds("standard", token));
    }
    let refresh = refreshed.refresh_token.unwrap();
    assert!(matches!(node.service.refresh(&call, &refresh).await, Err(RefreshError::Refused)));
}

#[tokio::test]
async fn a_revoked_refresh_token_takes_its_access_tokens_along() {
    let node = Fixture::new();
    let issued = node.issue("standard", "alice", Shape::Standard).await;
    let refresh = issued.refresh_token.unwrap();

    assert!(!node.service.revoke_refresh("dwr_a_b").await.unwrap());
    assert!(node.service.revoke_refresh(&refresh).await.unwrap());

    assert!(!node.holds("standard", &issued.access_token));
    assert!(!node.service.revoke_refresh(&refresh).await.unwrap());
}

#[tokio::test]
async fn everything_of_a_user_ends_and_what_comes_after_holds() {
    let node = Fixture::new();
    let alices = node.issue("standard", "alice", Shape::Standard).await;
    let bobs = node.issue("standard", "bob", Shape::Standard).await;
    node.advance(5);

    node.service.revoke_user("alice").await.unwrap();

    assert!(!node.holds("standard", &alices.access_token));
    assert!(node.holds("standard", &bobs.access_token));
    let refresh = alices.refresh_token.unwrap();
    assert!(node.service.refresh(&node.call("standard"), &refresh).await.is_err());
    node.advance(1);
    let fresh = node.issue("standard", "alice", Shape::Standard).await;
    assert!(node.holds("standard", &fresh.access_token));
}

#[tokio::test]
async fn a_login_in_the_second_of_a_revocation_waits_for_the_next() {
    let node = Fixture::new();
    node.clock.0.fetch_add(980, Ordering::Relaxed);
    node.service.revoke_user("alice").await.unwrap();
    node.clock.0.fetch_add(10, Ordering::Relaxed);
    let who = node.log_in("standard", "alice").await.unwrap();
    let (call, wish) = (node.call("standard"), Wish::of(Shape::Standard));

    let time_goes_on = async {
        tokio::task::yield_now().await;
        node.clock.0.fetch_add(10, Ordering::Relaxed);
    };
    let (issued, ()) = tokio::join!(node.service.issue(&call, &who, &wish), time_goes_on);

    let issued = issued.unwrap();
    assert_eq!(issued.issued_at, START + 1);
    assert!(node.holds("standard", &issued.access_token));
}

#[tokio::test]
async fn what_was_proved_before_everything_ended_proves_nothing_after() {
    let node = Fixture::new();
    let who = node.log_in("standard", "alice").await.unwrap();
    node.advance(1);
    node.service.revoke_user("alice").await.unwrap();
    node.advance(1);

    let wish = Wish::of(Shape::Standard);
    let refused = node.service.issue(&node.call("standard"), &who, &wish).await;

    assert_eq!(refused.unwrap_err(), IssueError::Refused);
}

#[tokio::test]
async fn what_is_known_of_a_token_is_told_while_it_is_active() {
    let node = Fixture::new();
    let call = node.call("standard");
    let issued = node.issue("standard", "alice", Shape::Standard).await;
    let refresh = issued.refresh_token.unwrap();

    let access = node.service.introspect(&call, &issued.access_token).await.unwrap().unwrap();
    assert_eq!((&*access.subject, access.is_refresh_token), ("alice", false));
    assert_eq!(access.claims, issued.claims);
    let told = node.service.introspect(&call, &refresh).await.unwrap().unwrap();
    assert_eq!((&*told.subject, told.is_refresh_token), ("alice", true));
    assert_eq!(told.claims["exp"], serde_json::json!(START + 30 * 86_400));

    let other = node.service.introspect(&node.call("other"), &refresh).await.unwrap();
    assert!(other.is_none(), "another endpoint's");
    node.service.refresh(&call, &refresh).await.unwrap();
    for token in [refresh.as_str(), "", "dwr_", "a.b.c"] {
        assert!(node.service.introspect(&call, token).await.unwrap().is_none());
    }
    node.advance(3600);
    assert!(node.service.introspect(&call, &issued.access_token).await.unwrap().is_none());
}
