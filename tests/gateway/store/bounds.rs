//! What a store keeps, and what waits for it, has a bound.

use std::time::{Duration, Instant};

use doorward::identity::standing::{Revocation, Revoked};
use doorward::store::{MAX_FAMILIES, MAX_ROTATIONS, Rotation, StoreError};
use rusqlite::Connection;
use tokio::task::JoinSet;

use super::away::expect_back;
use super::place::{NOW, Node, TIMEOUT};

#[tokio::test(flavor = "multi_thread")]
async fn a_family_is_refreshed_so_often_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("doorward.db");
    let node = Node::sqlite(&path, TIMEOUT);
    let (family, first) = node.begin("alice").await;
    let (second, third) = (node.hash(), node.hash());
    let nearly = "UPDATE families SET rotations = $1";
    Connection::open(&path).unwrap().execute(nearly, [MAX_ROTATIONS - 1]).unwrap();

    let last = node.store.rotate(&first, &second, NOW).await.unwrap();
    let one_more = node.store.rotate(&second, &third, NOW).await.unwrap();

    assert_eq!(last, Rotation::Rotated(family.clone()));
    assert_eq!(one_more, Rotation::Expired);
    // Every one of them is still known to have been used.
    let reused = node.store.rotate(&first, &third, NOW).await.unwrap();
    assert_eq!(reused, Rotation::Reused(family));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_has_so_many_families_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::sqlite(&folder.path().join("doorward.db"), TIMEOUT);
    let (_, oldest) = node.begin("alice").await;
    let mut logins = JoinSet::new();
    for _ in 0..64 {
        let node = node.clone();
        logins.spawn(async move {
            for _ in 0..MAX_FAMILIES / 64 {
                let family = doorward::store::Family { began_at: NOW + 1, ..node.family("alice") };
                node.store.begin_family(&family, &node.hash()).await.unwrap();
            }
        });
    }
    logins.join_all().await;

    let families = node.store.families(Some("alice"), NOW).await.unwrap();

    assert_eq!(families.len(), usize::try_from(MAX_FAMILIES).unwrap());
    let rotation = node.store.rotate(&oldest, &node.hash(), NOW).await.unwrap();
    assert_eq!(rotation, Rotation::Unknown);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_finds_no_place_in_the_queue_is_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("doorward.db");
    let node = Node::sqlite(&path, TIMEOUT);
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE; UPDATE probe SET count = 0").unwrap();
    let mut calls = JoinSet::new();
    for _ in 0..3_000 {
        let node = node.clone();
        calls.spawn(async move {
            let what = Revoked::Token(node.name("token").into());
            node.store.revoke(&Revocation { what, until: NOW + 1 }).await
        });
    }

    // As many as can't wait, long before the others are answered.
    let started = Instant::now();
    for _ in 0..1_000 {
        let refused = calls.join_next().await.unwrap().unwrap();
        assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    }
    assert!(started.elapsed() < TIMEOUT / 2, "{:?}", started.elapsed());
    calls.shutdown().await;
    other.execute_batch("ROLLBACK").unwrap();

    expect_back(&node).await;
    // Whoever has gone is not served: all of theirs is dropped, not written.
    let written = node.changes().await.len();
    assert!(written < 1_000, "{written}");
    assert!(started.elapsed() < TIMEOUT + Duration::from_secs(10));
}
