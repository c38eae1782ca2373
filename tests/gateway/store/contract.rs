//! What every store does: keys, families, revocations.

use std::pin::Pin;

use doorward::api_key::ApiKey;
use doorward::identity::standing::{Change, Revocation, Revoked, TokenFacts};
use doorward::store::{
    Family, Found, MAX_DETAILS_BYTES, MAX_KEYS, MAX_NAME_BYTES, Rotation, StoreError,
};
use tokio::task::JoinSet;

use super::place::{NOW, Node, TIMEOUT, refuses};
use super::second_factor;
use crate::support::postgres::TestPostgres;

/// A demand on every store.
pub(super) type Demand = fn(Node) -> Pin<Box<dyn Future<Output = ()>>>;

/// Demands, with the sentences that name them.
macro_rules! demands {
    ($($name:ident),* $(,)?) => {
        &[$((stringify!($name), |node| Box::pin($name(node)))),*]
    };
}

pub(super) use demands;

const DEMANDS: &[(&str, Demand)] = demands![
    a_key_is_known_until_it_is_ended,
    a_key_is_put_once,
    an_owner_has_so_many_keys_and_no_more,
    families_begun_with_a_key_end_with_it,
    a_refresh_token_is_exchanged_once,
    a_used_refresh_token_ends_its_family,
    of_twenty_equal_refreshes_one_wins,
    a_family_that_has_expired_is_not_refreshed,
    a_family_is_found_by_all_of_its_tokens,
    a_family_is_begun_once,
    an_ended_family_is_revoked,
    all_families_of_a_user_end_and_nobody_elses,
    a_revoked_user_loses_families_and_tokens,
    a_revoked_family_ends_for_as_long_as_its_tokens_live,
    a_revocation_is_never_shortened,
    what_was_never_there_is_ended_by_nobody,
    a_name_that_does_not_fit_is_refused_and_found_nowhere,
    what_has_expired_is_forgotten_and_nothing_else,
    a_store_is_well,
];

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_does_what_a_store_must() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::sqlite(&folder.path().join("doorward.db"), TIMEOUT);

    meet(&node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_does_what_a_store_must() {
    let Some(server) = TestPostgres::start() else { return };
    let node = Node::postgres(&server, TIMEOUT).await;

    meet(&node).await;
}

#[expect(clippy::print_stderr, reason = "tells which demand is not met")]
async fn meet(node: &Node) {
    for (name, demand) in DEMANDS.iter().chain(second_factor::DEMANDS) {
        eprintln!("{name}");
        demand(node.clone()).await;
    }
}

async fn a_key_is_known_until_it_is_ended(node: Node) {
    let owner = node.name("owner");
    let key = node.key(&owner);
    let forever = ApiKey { expires_at: None, created_at: NOW + 1, ..node.key(&owner) };

    node.store.put_key(&key).await.unwrap();
    node.store.put_key(&forever).await.unwrap();

    assert_eq!(*node.standing.key(&key.id).unwrap(), key);
    assert_eq!(node.store.key_by_hash(&key.hash).await.unwrap().unwrap(), key);
    assert_eq!(node.store.key_by_hash(&node.hash()).await.unwrap(), None);
    let listed = node.store.keys(Some(&owner), NOW).await.unwrap();
    assert_eq!(listed, [key.clone(), forever.clone()]);
    let left = node.store.keys(Some(&owner), NOW + 1_000).await.unwrap();
    assert_eq!(left, std::slice::from_ref(&forever));
    assert!(node.store.keys(None, NOW).await.unwrap().contains(&key));

    assert!(node.store.end_key(&key.id).await.unwrap());

    assert!(!node.store.end_key(&key.id).await.unwrap());
    assert_eq!(node.standing.key(&key.id), None);
    assert_eq!(node.store.key_by_hash(&key.hash).await.unwrap(), None);
    assert_eq!(node.afresh().await.key(&forever.id).as_deref(), Some(&forever));
}

async fn a_key_is_put_once(node: Node) {
    let key = node.key("once");
    let same_text = ApiKey { id: node.name("key").into(), ..key.clone() };
    let same_id = ApiKey { hash: node.hash(), label: "other".into(), ..key.clone() };
    node.store.put_key(&key).await.unwrap();

    for other in [&key, &same_text, &same_id] {
        let refused = node.store.put_key(other).await;
        assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
    }

    assert_eq!(*node.standing.key(&key.id).unwrap(), key);
    assert_eq!(node.standing.key(&same_text.id), None);
}

async fn an_owner_has_so_many_keys_and_no_more(node: Node) {
    let owner = node.name("owner");
    let mut puts = JoinSet::new();
    for _ in 0..MAX_KEYS {
        let (node, key) = (node.clone(), node.key(&owner));
        puts.spawn(async move { node.store.put_key(&key).await });
    }
    puts.join_all().await.into_iter().collect::<Result<Vec<_>, _>>().unwrap();

    let refused = node.store.put_key(&node.key(&owner)).await;

    assert!(matches!(refused, Err(StoreError::Full)), "{refused:?}");
    node.store.put_key(&node.key("another")).await.unwrap();
}

async fn families_begun_with_a_key_end_with_it(node: Node) {
    let (user, key) = (node.name("user"), node.key("owner"));
    node.store.put_key(&key).await.unwrap();
    let family = Family { key: Some(key.id.clone()), ..node.family(&user) };
    let token = node.hash();
    node.store.begin_family(&family, &token).await.unwrap();
    let (other, _) = node.begin(&user).await;

    node.store.end_key(&key.id).await.unwrap();

    let rotation = node.store.rotate(&token, &node.hash(), NOW).await.unwrap();
    assert_eq!(rotation, Rotation::Unknown);
    assert!(node.refuses(&family.id, &user));
    assert!(!node.refuses(&other.id, &user));
    assert_eq!(node.store.families(Some(&user), NOW).await.unwrap(), [other]);
}

async fn a_refresh_token_is_exchanged_once(node: Node) {
    let user = node.name("user");
    let (family, first) = node.begin(&user).await;
    let (second, third) = (node.hash(), node.hash());

    let rotation = node.store.rotate(&first, &second, NOW).await.unwrap();
    assert_eq!(rotation, Rotation::Rotated(family.clone()));
    let rotation = node.store.rotate(&second, &third, NOW + 999).await.unwrap();
    assert_eq!(rotation, Rotation::Rotated(family.clone()));

    let unknown = node.store.rotate(&node.hash(), &node.hash(), NOW).await.unwrap();
    assert_eq!(unknown, Rotation::Unknown);
    assert!(!node.refuses(&family.id, &user));
}

async fn a_used_refresh_token_ends_its_family(node: Node) {
    let user = node.name("user");
    let (family, first) = node.begin(&user).await;
    let (other, _) = node.begin(&user).await;
    let (second, third) = (node.hash(), node.hash());
    node.store.rotate(&first, &second, NOW).await.unwrap();
    node.store.rotate(&second, &third, NOW).await.unwrap();

    let reused = node.store.rotate(&first, &node.hash(), NOW).await.unwrap();

    assert_eq!(reused, Rotation::Reused(family.clone()));
    assert!(node.refuses(&family.id, &user));
    assert!(refuses(&*node.afresh().await, &family.id, &user));
    assert!(!node.refuses(&other.id, &user));
    for token in [first, second, third] {
        let rotation = node.store.rotate(&token, &node.hash(), NOW).await.unwrap();
        assert_eq!(rotation, Rotation::Unknown);
    }
}

async fn of_twenty_equal_refreshes_one_wins(node: Node) {
    for _ in 0..10 {
        let user = node.name("user");
        let (family, token) = node.begin(&user).await;
        let mut refreshes = JoinSet::new();
        for _ in 0..20 {
            let (node, new) = (node.clone(), node.hash());
            refreshes.spawn(async move { node.store.rotate(&token, &new, NOW).await.unwrap() });
        }

        let rotations = refreshes.join_all().await;

        let rotated = Rotation::Rotated(family.clone());
        let reused = Rotation::Reused(family.clone());
        assert_eq!(rotations.iter().filter(|&rotation| *rotation == rotated).count(), 1);
        assert_eq!(rotations.iter().filter(|&rotation| *rotation == reused).count(), 1);
        assert!(node.refuses(&family.id, &user));
        assert_eq!(node.store.families(Some(&user), NOW).await.unwrap(), []);
    }
}

async fn a_family_that_has_expired_is_not_refreshed(node: Node) {
    let user = node.name("user");
    let (family, token) = node.begin(&user).await;

    let expired = node.store.rotate(&token, &node.hash(), family.expires_at).await.unwrap();

    assert_eq!(expired, Rotation::Expired);
    assert_eq!(node.store.families(Some(&user), family.expires_at).await.unwrap(), []);
    assert_eq!(node.store.family_of(&token, family.expires_at).await.unwrap(), None);
    let in_time = node.store.rotate(&token, &node.hash(), family.expires_at - 1).await.unwrap();
    assert_eq!(in_time, Rotation::Rotated(family));
}

async fn a_family_is_found_by_all_of_its_tokens(node: Node) {
    let (family, first) = node.begin("finder").await;
    let second = node.hash();
    node.store.rotate(&first, &second, NOW).await.unwrap();

    let by_first = node.store.family_of(&first, NOW).await.unwrap().unwrap();
    let by_second = node.store.family_of(&second, NOW).await.unwrap().unwrap();

    assert_eq!(by_first, Found { family: family.clone(), is_current: false });
    assert_eq!(by_second, Found { family, is_current: true });
    assert_eq!(node.store.family_of(&node.hash(), NOW).await.unwrap(), None);
}

async fn a_family_is_begun_once(node: Node) {
    let (family, token) = node.begin("beginner").await;

    let same_id = node.store.begin_family(&family, &node.hash()).await;
    let same_token = node.store.begin_family(&node.family("beginner"), &token).await;

    assert!(matches!(same_id, Err(StoreError::Conflict)), "{same_id:?}");
    assert!(matches!(same_token, Err(StoreError::Conflict)), "{same_token:?}");
}

async fn an_ended_family_is_revoked(node: Node) {
    let user = node.name("user");
    let (family, token) = node.begin(&user).await;

    assert!(node.store.end_family(&family.id).await.unwrap());

    assert!(!node.store.end_family(&family.id).await.unwrap());
    assert!(node.refuses(&family.id, &user));
    let rotation = node.store.rotate(&token, &node.hash(), NOW).await.unwrap();
    assert_eq!(rotation, Rotation::Unknown);
    let revocation = Revocation { what: Revoked::Family(family.id), until: family.tokens_until };
    assert!(node.changes().await.contains(&Change::Revoked(revocation)));
}

async fn all_families_of_a_user_end_and_nobody_elses(node: Node) {
    let (user, other) = (node.name("user"), node.name("user"));
    let mine = [node.begin(&user).await.0, node.begin(&user).await.0];
    let (others, token) = node.begin(&other).await;

    assert_eq!(node.store.end_families_of(&user).await.unwrap(), 2);

    assert!(mine.iter().all(|family| node.refuses(&family.id, &user)));
    let rotation = node.store.rotate(&token, &node.hash(), NOW).await.unwrap();
    assert_eq!(rotation, Rotation::Rotated(others));
    assert_eq!(node.store.end_families_of(&user).await.unwrap(), 0);
}

async fn a_revoked_user_loses_families_and_tokens(node: Node) {
    let user = node.name("user");
    let (family, token) = node.begin(&user).await;
    let what = Revoked::User { name: user.as_str().into(), since_ms: NOW * 1_000 + 5 };

    node.store.revoke(&Revocation { what, until: NOW + 50 }).await.unwrap();

    assert!(node.refuses("no family", &user));
    for standing in [&node.standing, &node.afresh().await] {
        assert!(refuses(standing, &family.id, "whoever"), "the family is revoked by itself");
        let later = TokenFacts {
            subject: user.as_str().into(),
            issued_at: Some(NOW + 1),
            ..TokenFacts::default()
        };
        assert!(!standing.is_revoked(&later));
    }
    let rotation = node.store.rotate(&token, &node.hash(), NOW).await.unwrap();
    assert_eq!(rotation, Rotation::Unknown);
}

async fn a_revoked_family_ends_for_as_long_as_its_tokens_live(node: Node) {
    let (family, token) = node.begin("reader").await;
    let what = Revoked::Family(family.id.clone());

    node.store.revoke(&Revocation { what: what.clone(), until: NOW + 1 }).await.unwrap();

    let rotation = node.store.rotate(&token, &node.hash(), NOW).await.unwrap();
    assert_eq!(rotation, Rotation::Unknown);
    let revocation = Change::Revoked(Revocation { what, until: family.tokens_until });
    assert!(node.changes().await.contains(&revocation));
}

async fn a_revocation_is_never_shortened(node: Node) {
    let (token, user) = (node.name("token"), node.name("user"));
    let of_token = |until| Revocation { what: Revoked::Token(token.as_str().into()), until };
    let of_user = |since_ms, until| {
        let what = Revoked::User { name: user.as_str().into(), since_ms };
        Revocation { what, until }
    };

    for revocation in
        [of_token(NOW + 9), of_token(NOW + 3), of_user(7, NOW + 2), of_user(5, NOW + 8)]
    {
        node.store.revoke(&revocation).await.unwrap();
    }

    let changes = node.changes().await;
    assert!(changes.contains(&Change::Revoked(of_token(NOW + 9))));
    assert!(changes.contains(&Change::Revoked(of_user(7, NOW + 8))));
    let is_over = node.store.standing(NOW + 9).await.unwrap();
    assert!(!is_over.contains(&Change::Revoked(of_token(NOW + 9))));
}

async fn what_was_never_there_is_ended_by_nobody(node: Node) {
    assert!(!node.store.end_key("nothing").await.unwrap());
    assert!(!node.store.end_family("nothing").await.unwrap());
    assert_eq!(node.store.end_families_of("nobody").await.unwrap(), 0);
    assert_eq!(node.store.keys(Some("nobody"), NOW).await.unwrap(), []);
    assert!(!node.refuses("nothing", "nobody"));
}

async fn a_name_that_does_not_fit_is_refused_and_found_nowhere(node: Node) {
    let long = "a".repeat(MAX_NAME_BYTES + 1);
    for name in ["nul\0", &*long] {
        let family = Family { id: name.into(), ..node.family("u") };
        let revocation = Revocation { what: Revoked::Token(name.into()), until: NOW + 1 };
        let refused = [
            node.store.put_key(&node.key(name)).await,
            node.store.begin_family(&family, &node.hash()).await,
            node.store.begin_family(&node.family(name), &node.hash()).await,
            node.store.revoke(&revocation).await,
            node.store.put_totp(name, b"sealed", NOW + 1).await,
            node.store.put_challenge(&node.challenge(name, 1)).await,
        ];
        for refused in refused {
            assert!(matches!(refused, Err(StoreError::Unfit)), "{refused:?}");
        }

        assert!(!node.store.end_key(name).await.unwrap());
        assert!(!node.store.end_family(name).await.unwrap());
        assert_eq!(node.store.end_families_of(name).await.unwrap(), 0);
        assert_eq!(node.store.keys(Some(name), NOW).await.unwrap(), []);
        assert_eq!(node.store.families(Some(name), NOW).await.unwrap(), []);
        assert_eq!(node.store.totp(name, NOW).await.unwrap(), None);
        assert!(!node.store.use_totp_step(name, 1).await.unwrap());
        assert!(!node.store.use_recovery_code(name, &node.hash()).await.unwrap());
        assert!(!node.store.delete_totp(name).await.unwrap());
    }
    let details = "x".repeat(MAX_DETAILS_BYTES + 1).into();
    let family = Family { details, ..node.family("u") };
    let refused = node.store.begin_family(&family, &node.hash()).await;
    assert!(matches!(refused, Err(StoreError::Unfit)), "{refused:?}");
}

async fn what_has_expired_is_forgotten_and_nothing_else(node: Node) {
    let user = node.name("user");
    let token = |id: &str, until| Revocation { what: Revoked::Token(id.into()), until };
    let old = Family { expires_at: NOW - 500, ..node.family(&user) };
    let (old_token, spent) = (node.hash(), node.hash());
    node.store.begin_family(&old, &spent).await.unwrap();
    node.store.rotate(&spent, &old_token, NOW - 501).await.unwrap();
    let (young, young_token) = node.begin(&user).await;
    let old_key = ApiKey { expires_at: Some(NOW - 500), ..node.key(&user) };
    node.store.put_key(&old_key).await.unwrap();
    let young_key = node.key(&user);
    node.store.put_key(&young_key).await.unwrap();
    node.store.revoke(&token("old", NOW - 500)).await.unwrap();
    node.store.revoke(&token("young", NOW + 500)).await.unwrap();
    node.store.put_totp(&user, b"old", NOW - 500).await.unwrap();

    while node.store.sweep(NOW - 400).await.unwrap() {}

    // All of it is gone, not only out of sight.
    for old in [spent, old_token] {
        let rotation = node.store.rotate(&old, &node.hash(), NOW - 501).await.unwrap();
        assert_eq!(rotation, Rotation::Unknown);
    }
    assert_eq!(node.store.keys(Some(&user), 0).await.unwrap(), [young_key]);
    assert_eq!(node.store.key_by_hash(&old_key.hash).await.unwrap(), None);
    assert_eq!(node.store.totp(&user, 0).await.unwrap(), None);
    let all = node.store.standing(0).await.unwrap();
    assert!(!all.contains(&Change::Revoked(token("old", NOW - 500))));
    assert!(all.contains(&Change::Revoked(token("young", NOW + 500))));
    let rotation = node.store.rotate(&young_token, &node.hash(), NOW).await.unwrap();
    assert_eq!(rotation, Rotation::Rotated(young));
}

async fn a_store_is_well(node: Node) {
    assert!(node.store.is_well().await);
}
