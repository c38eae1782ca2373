//! A store that is away: calls fail in time, and work again when it is back.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use doorward::identity::standing::{Revocation, Revoked};
use doorward::store::{OpenError, Rotation, StoreError};
use rusqlite::Connection;
use tokio_postgres::NoTls;

use super::place::{NOW, Node};
use crate::support::PATIENCE;
use crate::support::postgres::TestPostgres;

/// How long a call may take here.
const TIMEOUT: Duration = Duration::from_millis(400);

/// How long it takes at most, on a machine that has other things to do.
const AT_MOST: Duration = Duration::from_secs(10);

fn revocation(id: &str) -> Revocation {
    Revocation { what: Revoked::Token(id.into()), until: NOW + 100 }
}

/// Asks for everything that a login needs, and wants to be told in time that it cannot be had.
async fn expect_away(node: &Node) {
    let started = Instant::now();
    let family = node.family("alice");
    let (old, new) = (node.hash(), node.hash());
    let revocation = revocation("away");
    let (revoked, begun, rotated, tried, is_well) = tokio::join!(
        node.store.revoke(&revocation),
        node.store.begin_family(&family, &old),
        node.store.rotate(&old, &new, NOW),
        node.store.try_challenge(&old, NOW),
        node.store.is_well(),
    );
    assert!(matches!(revoked, Err(StoreError::Unavailable(_))), "{revoked:?}");
    assert!(matches!(begun, Err(StoreError::Unavailable(_))), "{begun:?}");
    assert!(matches!(rotated, Err(StoreError::Unavailable(_))), "{rotated:?}");
    assert!(matches!(tried, Err(StoreError::Unavailable(_))), "{tried:?}");
    assert!(!is_well);
    assert!(started.elapsed() < AT_MOST, "{:?}", started.elapsed());
}

/// Waits until it is well by itself, and uses it.
pub(super) async fn expect_back(node: &Node) {
    let deadline = Instant::now() + PATIENCE;
    while !node.store.is_well().await {
        assert!(Instant::now() < deadline, "the store does not come back");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let user = node.name("user");
    let (family, token) = node.begin(&user).await;
    let rotation = node.store.rotate(&token, &node.hash(), NOW).await.unwrap();
    assert_eq!(rotation, Rotation::Rotated(family));
    node.store.revoke(&revocation(&node.name("back"))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_another_has_locked_is_away_until_it_is_released() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("doorward.db");
    let node = Node::sqlite(&path, TIMEOUT);
    let other = Connection::open(&path).unwrap();

    other.execute_batch("BEGIN IMMEDIATE; UPDATE probe SET count = 0").unwrap();
    expect_away_for_writing(&node).await;
    other.execute_batch("ROLLBACK").unwrap();

    expect_back(&node).await;
    assert!(!node.changes().await.is_empty());
}

/// Whoever only reads a file in WAL mode does not wait for who writes.
async fn expect_away_for_writing(node: &Node) {
    let started = Instant::now();
    let refused = node.store.revoke(&revocation("away")).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert!(started.elapsed() < AT_MOST);
    let refused = Instant::now();
    while node.store.is_well().await {
        assert!(refused.elapsed() < AT_MOST, "it still calls itself well");
    }
    assert!(!node.standing.is_revoked(&doorward::identity::standing::TokenFacts {
        token_id: Some("away".into()),
        ..Default::default()
    }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_taken_away_is_not_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let (path, aside) = (folder.path().join("doorward.db"), folder.path().join("aside.db"));
    let node = Node::sqlite(&path, TIMEOUT);
    let (family, token) = node.begin("alice").await;
    let next = node.hash();
    node.store.rotate(&token, &next, NOW).await.unwrap();

    rename(&path, &aside);
    expect_away(&node).await;
    assert!(!path.exists());
    rename(&aside, &path);

    expect_back(&node).await;
    let reused = node.store.rotate(&token, &node.hash(), NOW).await.unwrap();
    assert_eq!(reused, Rotation::Reused(family));
}

fn rename(from: &Path, to: &Path) {
    for suffix in ["-wal", "-shm", ""] {
        let beside = |path: &Path| format!("{}{suffix}", path.display());
        if Path::new(&beside(from)).exists() {
            fs::rename(beside(from), beside(to)).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_without_its_folder_is_not_opened() {
    let folder = tempfile::tempdir().unwrap();

    let refused = Node::try_sqlite(&folder.path().join("none/doorward.db"), TIMEOUT);

    assert!(matches!(refused, Err(OpenError::File { .. })), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_down_is_away_until_it_is_up() {
    let Some(mut server) = TestPostgres::start() else { return };
    let node = Node::postgres(&server, TIMEOUT).await;
    expect_back(&node).await;

    server.stop();
    expect_away(&node).await;
    let refused = Node::try_postgres(&server.address(), None, TIMEOUT).await;
    assert!(matches!(refused, Err(OpenError::Unreachable(_))), "{refused:?}");
    server.start_again();

    expect_back(&node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_answer_is_away_until_it_does() {
    let Some(server) = TestPostgres::start() else { return };
    let node = Node::postgres(&server, TIMEOUT).await;
    let (family, token) = node.begin("alice").await;
    let (other, connection) = tokio_postgres::connect(&server.address(), NoTls).await.unwrap();
    tokio::spawn(connection);

    other.batch_execute("BEGIN; LOCK TABLE families IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let started = Instant::now();
    // More than there are connections, so that some wait for one.
    let rotations = (0..40).map(|_| {
        let (node, new) = (node.clone(), node.hash());
        tokio::spawn(async move { node.store.rotate(&token, &new, NOW).await })
    });
    for rotation in rotations.collect::<Vec<_>>() {
        let refused = rotation.await.unwrap();
        assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    }
    assert!(started.elapsed() < AT_MOST, "{:?}", started.elapsed());
    other.batch_execute("ROLLBACK").await.unwrap();

    expect_back(&node).await;
    // Nothing of what was given up has happened.
    let rotation = node.store.rotate(&token, &node.hash(), NOW).await.unwrap();
    assert_eq!(rotation, Rotation::Rotated(family));
}
