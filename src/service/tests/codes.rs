//! The second factor.

use super::*;

async fn challenged(node: &Fixture, endpoint: &str) -> ChallengeTicket {
    match node.log_in(endpoint, "alice").await {
        Err(LoginError::SecondFactor(ticket)) => ticket,
        other => panic!("{other:?}"),
    }
}

async fn answer(
    node: &Fixture,
    endpoint: &str,
    ticket: &ChallengeTicket,
    code: &str,
) -> Result<LoggedIn, LoginError> {
    node.service.answer_challenge(&node.call(endpoint), &ticket.id, None, code).await
}

#[tokio::test]
async fn an_enrolled_user_needs_the_code_and_nobody_else_does() {
    let node = Fixture::new();
    let (secret, _) = node.enrol("alice").await;
    node.advance(30);

    let ticket = challenged(&node, "standard").await;
    assert_eq!((&*ticket.user, ticket.expires_at), ("alice", START + 30 + 300));
    let who = answer(&node, "standard", &ticket, &secret.code(node.now() / 30)).await.unwrap();

    assert_eq!((who.name(), who.how()), ("alice", How::PasswordAndCode));
    assert!(node.log_in("standard", "bob").await.is_ok());
    let again = answer(&node, "standard", &ticket, &secret.code(node.now() / 30)).await;
    assert_eq!(again.unwrap_err(), LoginError::ChallengeGone);
}

#[tokio::test]
async fn password_and_code_may_come_together() {
    let node = Fixture::new();
    let (secret, _) = node.enrol("alice").await;
    node.advance(30);
    let code = secret.code(node.now() / 30);
    let log_in = |code: String, password: &'static str| {
        let node = &node;
        async move { node.log_in_with("ryft", "alice", password, Some(&code)).await }
    };

    assert_eq!(log_in("000000".into(), "alice-secret").await.unwrap_err(), LoginError::WrongCode);
    assert_eq!(log_in(code.to_string(), "wrong").await.unwrap_err(), LoginError::Refused);
    assert!(log_in(code.to_string(), "alice-secret").await.is_ok());
    let replayed = log_in(code.to_string(), "alice-secret").await;
    assert_eq!(replayed.unwrap_err(), LoginError::WrongCode, "a code counts once");
}

#[tokio::test]
async fn a_code_counts_again_within_its_step_only_where_the_endpoint_says_so() {
    let node = Fixture::new();
    let (secret, _) = node.enrol("alice").await;
    let code = secret.code(node.now() / 30).to_string(); // used to confirm
    let log_in = |endpoint: &'static str, code: String| {
        let node = &node;
        async move { node.log_in_with(endpoint, "alice", "alice-secret", Some(&code)).await }
    };

    assert!(log_in("appmesh", code.clone()).await.is_ok());
    assert!(log_in("appmesh", code.clone()).await.is_ok());
    assert_eq!(log_in("ryft", code.clone()).await.unwrap_err(), LoginError::WrongCode);
    node.advance(30);
    assert_eq!(log_in("appmesh", code.clone()).await.unwrap_err(), LoginError::WrongCode);
    let next = secret.code(node.now() / 30).to_string();
    assert!(log_in("appmesh", next.clone()).await.is_ok());
    assert_eq!(log_in("appmesh", code).await.unwrap_err(), LoginError::WrongCode, "it is older");
}

#[tokio::test]
async fn a_challenge_belongs_to_its_user_and_its_endpoint_and_ends_in_time() {
    let node = Fixture::new();
    let (secret, _) = node.enrol("alice").await;
    node.advance(30);
    let code = || secret.code(node.now() / 30);

    let ticket = challenged(&node, "standard").await;
    let elsewhere = answer(&node, "ryft", &ticket, &code()).await;
    assert_eq!(elsewhere.unwrap_err(), LoginError::ChallengeGone);
    let call = node.call("standard");
    let other = node.service.answer_challenge(&call, &ticket.id, Some("bob"), &code()).await;
    assert_eq!(other.unwrap_err(), LoginError::ChallengeGone);
    let unknown = node.service.answer_challenge(&call, "else", Some("alice"), &code()).await;
    assert_eq!(unknown.unwrap_err(), LoginError::ChallengeGone);
    let named = node.service.answer_challenge(&call, &ticket.id, Some("alice"), &code()).await;
    assert!(named.is_ok());

    let late = challenged(&node, "standard").await;
    node.advance(300);
    let gone = answer(&node, "standard", &late, &code()).await;
    assert_eq!(gone.unwrap_err(), LoginError::ChallengeGone);
}

#[tokio::test]
async fn a_challenge_has_five_tries_and_a_right_password_makes_up_for_no_wrong_code() {
    let node = Fixture::new();
    let (secret, _) = node.enrol("alice").await;
    node.advance(30);

    let ticket = challenged(&node, "standard").await;
    for _ in 0..5 {
        let wrong = answer(&node, "standard", &ticket, "000000").await;
        assert_eq!(wrong.unwrap_err(), LoginError::WrongCode);
    }
    let right = secret.code(node.now() / 30);
    let used_up = answer(&node, "standard", &ticket, &right).await;
    assert_eq!(used_up.unwrap_err(), LoginError::ChallengeGone);

    let throttled = node.log_in("standard", "alice").await;
    assert!(matches!(throttled, Err(LoginError::Throttled { .. })), "{throttled:?}");
}

#[tokio::test]
async fn a_challenge_ends_with_everything_of_its_user_and_when_the_user_is_disabled() {
    let node = Fixture::new();
    let (secret, _) = node.enrol("alice").await;
    node.advance(30);

    let ticket = challenged(&node, "standard").await;
    node.advance(1);
    node.service.revoke_user("alice").await.unwrap();
    let gone = answer(&node, "standard", &ticket, &secret.code(node.now() / 30)).await;
    assert_eq!(gone.unwrap_err(), LoginError::ChallengeGone);

    node.advance(1);
    let ticket = challenged(&node, "standard").await;
    node.write_users(&USERS.replace("home: /alice,", "home: /alice, disabled: true,"));
    let gone = answer(&node, "standard", &ticket, &secret.code(node.now() / 30)).await;
    assert_eq!(gone.unwrap_err(), LoginError::ChallengeGone);
}

#[tokio::test]
async fn of_many_equal_answers_one_logs_in() {
    let node = Fixture::new();
    let (secret, _) = node.enrol("alice").await;
    node.advance(30);
    let tickets = [challenged(&node, "appmesh").await, challenged(&node, "standard").await];
    let code = secret.code(node.now() / 30).to_string();

    // Where codes may be used again, the challenge still is not.
    for (ticket, endpoint) in tickets.iter().zip(["appmesh", "standard"]) {
        let tasks: Vec<_> = (0..5)
            .map(|_| {
                let (call, id, code) = (node.call(endpoint), ticket.id.clone(), code.clone());
                let service = Arc::clone(&node.service);
                tokio::spawn(async move {
                    service.answer_challenge(&call, &id, None, &code).await.is_ok()
                })
            })
            .collect();
        let mut won = 0;
        for task in tasks {
            won += usize::from(task.await.unwrap());
        }
        assert_eq!(won, usize::from(endpoint == "appmesh"), "{endpoint}");
        node.advance(600);
    }
}

#[tokio::test]
async fn a_recovery_code_lets_in_once() {
    let node = Fixture::new();
    let (_, recovery) = node.enrol("alice").await;
    assert_eq!(recovery.len(), 10);
    let code = recovery[3].to_uppercase();
    let log_in = |code: String| {
        let node = &node;
        async move { node.log_in_with("standard", "alice", "alice-secret", Some(&code)).await }
    };

    let who = log_in(code.clone()).await.unwrap();
    assert_eq!(who.how(), How::PasswordAndRecoveryCode);
    assert_eq!(log_in(code).await.unwrap_err(), LoginError::WrongCode);
    assert_eq!(node.service.totp_state("alice").await.unwrap().recovery_codes, 9);

    let fresh = node.service.totp_recovery("alice").await.unwrap();
    assert_eq!(log_in(recovery[4].clone()).await.unwrap_err(), LoginError::WrongCode);
    assert!(log_in(fresh[0].to_string()).await.is_ok());
    let nobody = node.service.totp_recovery("bob").await;
    assert_eq!(nobody.unwrap_err(), TotpError::NotBegun);
}

#[tokio::test]
async fn an_enrolment_counts_once_it_is_confirmed() {
    let node = Fixture::new();
    let call = node.call("standard");
    let service = &node.service;
    assert_eq!(service.totp_state("alice").await.unwrap(), TotpState::default());
    assert_eq!(service.totp_confirm(&call, "alice", "000000").await, Err(TotpError::NotBegun));

    let first = service.totp_begin(&call, "alice").await.unwrap();
    assert!(first.uri.contains("/doorward:alice?secret=") && first.svg.starts_with("<svg"));
    assert!(service.totp_state("alice").await.unwrap().is_pending);
    assert!(node.log_in("standard", "alice").await.is_ok());
    let second = service.totp_begin(&call, "alice").await.unwrap();
    let code = |enrolment: &Enrolment| {
        let secret = crate::totp::TotpSecret::from_base32(&enrolment.secret_base32).unwrap();
        secret.code(node.now() / 30).to_string()
    };
    let stale = service.totp_confirm(&call, "alice", &code(&first)).await;
    assert_eq!(stale, Err(TotpError::WrongCode), "the first was replaced");
    service.totp_confirm(&call, "alice", &code(&second)).await.unwrap();

    assert!(matches!(node.log_in("standard", "alice").await, Err(LoginError::SecondFactor(_))));
    let again = service.totp_begin(&call, "alice").await;
    assert!(matches!(again, Err(TotpError::Enrolled)), "it would take the old one away");
    for user in ["carol", "mallory"] {
        let unknown = service.totp_begin(&call, user).await;
        assert!(matches!(unknown, Err(TotpError::UnknownUser)));
    }
    assert!(service.totp_disable("alice").await.unwrap());
    assert!(!service.totp_disable("alice").await.unwrap());
    assert!(node.log_in("standard", "alice").await.is_ok());
}

#[tokio::test]
async fn a_checked_code_is_used_up_and_guesses_count() {
    let node = Fixture::new();
    let (secret, _) = node.enrol("alice").await;
    node.advance(30);
    let call = node.call("standard");
    let code = secret.code(node.now() / 30);

    assert_eq!(node.service.totp_check(&call, "alice", &code).await, Ok(()));
    for _ in 0..5 {
        let wrong = node.service.totp_check(&call, "alice", &code).await;
        assert_eq!(wrong, Err(TotpError::WrongCode));
    }
    let throttled = node.service.totp_check(&call, "alice", &code).await;
    assert!(matches!(throttled, Err(TotpError::Throttled { .. })));
    assert_eq!(node.service.totp_check(&call, "bob", &code).await, Err(TotpError::NotBegun));
}

#[tokio::test]
async fn who_is_enrolled_stays_out_when_the_store_secret_is_another() {
    let node = Fixture::new();
    let (secret, _) = node.enrol("alice").await;
    node.advance(30);
    let other = TokenService::new(Parts {
        store: node.service.store.clone(),
        standing: Arc::clone(&node.service.standing),
        throttle: Arc::new(Throttle::default()),
        secrets: Secrets::derive(None).unwrap(),
        clock: Arc::clone(&node.clock) as Arc<dyn Clock>,
        reload: None,
    });
    let call = node.call("standard");
    let password = || Secret::from("alice-secret".to_owned());

    let code = secret.code(node.now() / 30);
    let refused = other.login(&call, "alice", password(), Some(&code)).await;
    assert_eq!(refused.unwrap_err(), LoginError::Unavailable(Unavailable));
    let without = other.login(&call, "alice", password(), None).await;
    assert!(matches!(without, Err(LoginError::SecondFactor(_))));
    let begun = other.totp_begin(&call, "bob").await;
    assert!(matches!(begun, Err(TotpError::NoSecret)), "it would end with the process");
}
