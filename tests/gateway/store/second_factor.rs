//! What every store does: second factors, and the challenges for them.

use doorward::store::{Challenge, MAX_CHALLENGES, StoreError, Totp};
use tokio::task::JoinSet;

use super::contract::{Demand, demands};
use super::place::{NOW, Node};

pub(super) const DEMANDS: &[(&str, Demand)] = demands![
    a_second_factor_counts_once_it_is_confirmed,
    only_the_secret_that_was_seen_is_confirmed,
    a_second_factor_that_was_begun_is_forgotten,
    a_step_is_used_once,
    a_recovery_code_is_used_once,
    new_recovery_codes_replace_the_old,
    a_challenge_has_so_many_tries_and_no_more,
    a_challenge_ends_once_and_in_time,
    a_user_has_so_many_challenges_and_no_more,
];

async fn a_second_factor_counts_once_it_is_confirmed(node: Node) {
    let user = node.name("user");
    let codes = [node.hash(), node.hash()];
    let pending =
        Totp { sealed: b"sealed".to_vec(), is_confirmed: false, last_step: 0, recovery_codes: 0 };
    assert_eq!(node.store.totp(&user, NOW).await.unwrap(), None);

    node.store.put_totp(&user, b"sealed", NOW + 9).await.unwrap();
    assert_eq!(node.store.totp(&user, NOW).await.unwrap(), Some(pending.clone()));
    assert!(!node.standing.has_second_factor(&user));
    assert!(!node.store.use_totp_step(&user, 41).await.unwrap(), "not confirmed");

    assert!(node.store.confirm_totp(&user, b"sealed", 41, &codes).await.unwrap());
    let confirmed = Totp { is_confirmed: true, last_step: 41, recovery_codes: 2, ..pending };
    assert_eq!(node.store.totp(&user, NOW + 9).await.unwrap(), Some(confirmed));
    assert!(node.standing.has_second_factor(&user));
    assert!(node.afresh().await.has_second_factor(&user));
    let again = node.store.put_totp(&user, b"other", NOW + 9).await;
    assert!(matches!(again, Err(StoreError::Conflict)), "{again:?}");

    assert!(node.store.delete_totp(&user).await.unwrap());
    assert!(!node.store.delete_totp(&user).await.unwrap());
    assert!(!node.standing.has_second_factor(&user));
    assert!(!node.afresh().await.has_second_factor(&user));
    assert!(!node.store.use_recovery_code(&user, &codes[0]).await.unwrap());
}

async fn only_the_secret_that_was_seen_is_confirmed(node: Node) {
    let user = node.name("user");
    node.store.put_totp(&user, b"first", NOW + 9).await.unwrap();
    node.store.put_totp(&user, b"second", NOW + 9).await.unwrap();

    assert!(!node.store.confirm_totp(&user, b"first", 41, &[]).await.unwrap());
    assert!(!node.standing.has_second_factor(&user));

    assert!(node.store.confirm_totp(&user, b"second", 41, &[]).await.unwrap());
    assert!(!node.store.confirm_totp(&user, b"second", 42, &[]).await.unwrap(), "once");
}

async fn a_second_factor_that_was_begun_is_forgotten(node: Node) {
    let user = node.name("user");
    node.store.put_totp(&user, b"sealed", NOW + 9).await.unwrap();

    assert_eq!(node.store.totp(&user, NOW + 9).await.unwrap(), None);
}

async fn a_step_is_used_once(node: Node) {
    let user = node.name("user");
    node.store.put_totp(&user, b"sealed", NOW + 9).await.unwrap();
    node.store.confirm_totp(&user, b"sealed", 41, &[]).await.unwrap();
    let mut attempts = JoinSet::new();
    for _ in 0..20 {
        let (node, user) = (node.clone(), user.clone());
        attempts.spawn(async move { node.store.use_totp_step(&user, 42).await.unwrap() });
    }

    let successes = attempts.join_all().await.into_iter().filter(|&used| used).count();

    assert_eq!(successes, 1);
    for (step, expected) in [(41, false), (42, false), (40, false), (44, true), (43, false)] {
        assert_eq!(node.store.use_totp_step(&user, step).await.unwrap(), expected, "{step}");
    }
}

async fn a_recovery_code_is_used_once(node: Node) {
    let (user, other) = (node.name("user"), node.name("user"));
    let codes = [node.hash(), node.hash()];
    for user in [&user, &other] {
        node.store.put_totp(user, b"sealed", NOW + 9).await.unwrap();
        node.store.confirm_totp(user, b"sealed", 41, &codes[..1]).await.unwrap();
    }
    let mut attempts = JoinSet::new();
    for _ in 0..20 {
        let (node, user) = (node.clone(), user.clone());
        attempts
            .spawn(async move { node.store.use_recovery_code(&user, &codes[0]).await.unwrap() });
    }

    let successes = attempts.join_all().await.into_iter().filter(|&used| used).count();

    assert_eq!(successes, 1);
    assert!(!node.store.use_recovery_code(&user, &codes[1]).await.unwrap());
    assert!(node.store.use_recovery_code(&other, &codes[0]).await.unwrap());
}

async fn new_recovery_codes_replace_the_old(node: Node) {
    let user = node.name("user");
    let (old, new) = (node.hash(), [node.hash(), node.hash(), node.hash()]);
    assert!(!node.store.replace_recovery_codes(&user, &new).await.unwrap());
    node.store.put_totp(&user, b"sealed", NOW + 9).await.unwrap();
    assert!(!node.store.replace_recovery_codes(&user, &new).await.unwrap());
    node.store.confirm_totp(&user, b"sealed", 41, &[old]).await.unwrap();

    assert!(node.store.replace_recovery_codes(&user, &new).await.unwrap());

    assert_eq!(node.store.totp(&user, NOW).await.unwrap().unwrap().recovery_codes, 3);
    assert!(!node.store.use_recovery_code(&user, &old).await.unwrap());
    assert!(node.store.use_recovery_code(&user, &new[2]).await.unwrap());
}

async fn a_challenge_has_so_many_tries_and_no_more(node: Node) {
    let challenge = node.challenge("trier", 5);
    node.store.put_challenge(&challenge).await.unwrap();
    let again = node.store.put_challenge(&challenge).await;
    assert!(matches!(again, Err(StoreError::Conflict)), "{again:?}");
    let mut tries = JoinSet::new();
    for _ in 0..20 {
        let (node, id) = (node.clone(), challenge.id);
        tries.spawn(async move { node.store.try_challenge(&id, NOW).await.unwrap() });
    }

    let found = tries.join_all().await.into_iter().flatten().collect::<Vec<_>>();

    let mut left = found.iter().map(|challenge| challenge.tries).collect::<Vec<_>>();
    left.sort_unstable();
    assert_eq!(left, [0, 1, 2, 3, 4]);
    assert!(found.iter().all(|found| Challenge { tries: 5, ..found.clone() } == challenge));
}

async fn a_challenge_ends_once_and_in_time(node: Node) {
    let challenge = node.challenge("answerer", 5);
    node.store.put_challenge(&challenge).await.unwrap();
    let over = challenge.expires_at;
    assert_eq!(node.store.try_challenge(&challenge.id, over).await.unwrap(), None);
    assert!(node.store.try_challenge(&challenge.id, over - 1).await.unwrap().is_some());
    let mut ends = JoinSet::new();
    for _ in 0..20 {
        let (node, id) = (node.clone(), challenge.id);
        ends.spawn(async move { node.store.end_challenge(&id).await.unwrap() });
    }

    let ended = ends.join_all().await.into_iter().filter(|&ended| ended).count();

    assert_eq!(ended, 1);
    assert_eq!(node.store.try_challenge(&challenge.id, NOW).await.unwrap(), None);
    assert_eq!(node.store.try_challenge(&node.hash(), NOW).await.unwrap(), None);
}

async fn a_user_has_so_many_challenges_and_no_more(node: Node) {
    let user = node.name("user");
    let mut challenges = Vec::new();
    for later in 0..=u64::from(MAX_CHALLENGES) {
        let challenge = Challenge { expires_at: NOW + 1 + later, ..node.challenge(&user, 5) };
        node.store.put_challenge(&challenge).await.unwrap();
        challenges.push(challenge);
    }

    let oldest = node.store.try_challenge(&challenges[0].id, NOW).await.unwrap();

    assert_eq!(oldest, None);
    for challenge in &challenges[1..] {
        assert!(node.store.try_challenge(&challenge.id, NOW).await.unwrap().is_some());
    }
}
