//! Several that share a store: what one writes, the other soon knows.

use std::sync::Arc;
use std::time::{Duration, Instant};

use doorward::identity::standing::{Revocation, Revoked};
use doorward::store::feed;
use tokio::task::JoinSet;
use tokio_postgres::NoTls;

use super::place::{NOW, Node, TIMEOUT};
use crate::support::PATIENCE;
use crate::support::postgres::TestPostgres;

/// How long it may take until another node knows.
const SOON: Duration = Duration::from_secs(1);

/// Two nodes that follow what the other does, until it is dropped.
struct Pair {
    one: Node,
    other: Node,
    _feeds: JoinSet<std::convert::Infallible>,
}

impl Pair {
    async fn new(one: Node, other: Node) -> Self {
        let mut feeds = JoinSet::new();
        for node in [&one, &other] {
            feeds.spawn(feed::run(Arc::clone(&node.store), Arc::clone(&node.standing)));
        }
        let pair = Self { one, other, _feeds: feeds };
        pair.both_hear().await;
        pair
    }

    /// Waits until each has heard of something that the other did.
    async fn both_hear(&self) {
        for (teller, hearer) in [(&self.one, &self.other), (&self.other, &self.one)] {
            let family = teller.name("told");
            let told = Revocation { what: Revoked::Family(family.as_str().into()), until: NOW * 2 };
            eventually(|| async { teller.store.revoke(&told).await.is_ok() }).await;
            eventually(|| async { hearer.refuses(&family, "nobody") }).await;
        }
    }
}

/// Waits until it is so, and tells how long that took.
async fn eventually<F: Future<Output = bool>>(mut is_so: impl FnMut() -> F) -> Duration {
    let started = Instant::now();
    while !is_so().await {
        assert!(started.elapsed() < PATIENCE, "it does not come to pass");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    started.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ends_on_one_node_has_soon_ended_on_the_other() {
    let Some(server) = TestPostgres::start() else { return };
    let (one, other) =
        tokio::join!(Node::postgres(&server, TIMEOUT), Node::postgres(&server, TIMEOUT));
    let Pair { one, other, _feeds } = &Pair::new(one, other).await;
    let mut longest = Duration::ZERO;

    for round in 0..50 {
        let user = format!("user-{round}");
        let (family, token) = one.begin(&user).await;
        match round % 4 {
            0 => drop(one.store.end_family(&family.id).await.unwrap()),
            1 => drop(one.store.end_families_of(&user).await.unwrap()),
            2 => {
                let name = user.as_str().into();
                let what = Revoked::User { name, since_ms: NOW * 1_000 };
                one.store.revoke(&Revocation { what, until: NOW * 2 }).await.unwrap();
            }
            _ => {
                one.store.rotate(&token, &one.hash(), NOW).await.unwrap();
                one.store.rotate(&token, &one.hash(), NOW).await.unwrap();
            }
        }
        assert!(one.refuses(&family.id, &user), "it is known here at once");
        let took = eventually(|| async { other.refuses(&family.id, &user) }).await;
        longest = longest.max(took);
    }

    assert!(longest < SOON, "{longest:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_and_second_factors_are_soon_known_on_the_other_node() {
    let Some(server) = TestPostgres::start() else { return };
    let (one, other) =
        tokio::join!(Node::postgres(&server, TIMEOUT), Node::postgres(&server, TIMEOUT));
    let Pair { one, other, _feeds } = &Pair::new(one, other).await;
    let key = one.key("alice");

    one.store.put_key(&key).await.unwrap();
    let took = eventually(|| async { other.standing.key(&key.id).is_some() }).await;
    assert!(took < SOON, "{took:?}");
    assert_eq!(*other.standing.key_by_hash(&key.hash).unwrap(), key);
    one.store.end_key(&key.id).await.unwrap();
    eventually(|| async { other.standing.key(&key.id).is_none() }).await;

    other.store.put_totp("alice", b"sealed", NOW + 9).await.unwrap();
    other.store.confirm_totp("alice", b"sealed", 1, &[]).await.unwrap();
    eventually(|| async { one.standing.has_second_factor("alice") }).await;
    one.store.delete_totp("alice").await.unwrap();
    eventually(|| async { !other.standing.has_second_factor("alice") }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_whose_connections_were_cut_know_everything_again() {
    let Some(mut server) = TestPostgres::start() else { return };
    let (one, other) =
        tokio::join!(Node::postgres(&server, TIMEOUT), Node::postgres(&server, TIMEOUT));
    let pair = Pair::new(one, other).await;

    // Cut by the server.
    let (client, connection) = tokio_postgres::connect(&server.address(), NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
               WHERE application_name = 'doorward'";
    client.batch_execute(cut).await.unwrap();
    // Told while nobody listens.
    let lost = "INSERT INTO revocations VALUES (2, 'lost', 0, 9999999999)";
    client.batch_execute(lost).await.unwrap();
    connection.abort();
    for node in [&pair.one, &pair.other] {
        eventually(|| async { node.refuses("lost", "nobody") }).await;
    }
    pair.both_hear().await;

    // Lost with the server.
    server.kill();
    server.start_again();
    pair.both_hear().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_process_writes_to_the_file_is_soon_known() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("doorward.db");
    let pair = Pair::new(Node::sqlite(&path, TIMEOUT), Node::sqlite(&path, TIMEOUT)).await;
    let key = pair.other.key("alice");

    pair.other.store.put_key(&key).await.unwrap();

    eventually(|| async { pair.one.standing.key(&key.id).is_some() }).await;
}
