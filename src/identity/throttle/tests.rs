use super::*;

const SETTINGS: Settings = Settings {
    failures: 3,
    failures_per_address: 1000,
    delay: Duration::from_secs(1),
    max_delay: Duration::from_mins(1),
};
const HERE: &str = "192.0.2.1";
const THERE: &str = "198.51.100.1";

fn at(seconds: u64) -> Duration {
    Duration::from_secs(1_800_000_000 + seconds)
}

fn throttle() -> Throttle {
    Throttle::new(SETTINGS)
}

/// How long an attempt has to wait that fails if it is made.
fn fail(throttle: &Throttle, user: &str, client: &str, now: Duration) -> u64 {
    match throttle.attempt(user, client.parse().unwrap(), now) {
        Ok(attempt) => {
            attempt.has_failed();
            0
        }
        Err(throttled) => throttled.retry_after_seconds(),
    }
}

fn succeed(throttle: &Throttle, user: &str, client: &str, now: Duration) {
    throttle.attempt(user, client.parse().unwrap(), now).unwrap().has_succeeded();
}

#[test]
fn each_failure_beyond_the_free_ones_doubles_the_wait() {
    let throttle = throttle();
    for _ in 0..3 {
        assert_eq!(fail(&throttle, "alice", HERE, at(0)), 0);
    }
    let mut now = at(0);
    for wait in [1, 2, 4, 8, 16, 32, 60, 60] {
        assert_eq!(fail(&throttle, "alice", HERE, now), wait);
        now += Duration::from_secs(wait);
        assert_eq!(fail(&throttle, "alice", HERE, now), 0);
    }
}

#[test]
fn asking_while_one_must_wait_makes_nobody_wait_longer() {
    let throttle = throttle();
    for _ in 0..3 {
        fail(&throttle, "alice", HERE, at(0));
    }
    for _ in 0..100 {
        assert_eq!(fail(&throttle, "alice", HERE, at(0)), 1);
    }
    succeed(&throttle, "alice", HERE, at(1));
    assert_eq!(throttle.counts().throttled, 100);
    assert_eq!(throttle.counts().failed, 3);
}

#[test]
fn a_success_makes_failures_forgotten() {
    let throttle = throttle();
    for now in 0..10 {
        fail(&throttle, "alice", HERE, at(now));
        fail(&throttle, "alice", HERE, at(now));
        succeed(&throttle, "alice", HERE, at(now));
    }
    assert_eq!(throttle.of("alice", at(10)), UserCount::default());
}

#[test]
fn all_spellings_of_a_name_share_one_count() {
    let throttle = throttle();
    for spelling in ["alice", "ALICE ", "ａlice"] {
        assert_eq!(fail(&throttle, spelling, HERE, at(0)), 0);
    }
    assert_eq!(fail(&throttle, "Alice", HERE, at(0)), 1);
    assert_eq!(throttle.of("aLiCe", at(0)).failures, 3);
    assert_eq!(fail(&throttle, "bob", HERE, at(0)), 0);
}

#[test]
fn addresses_do_not_share_the_guessing_of_one_user() {
    let throttle = throttle();
    for host in 1..=3 {
        assert_eq!(fail(&throttle, "alice", &format!("198.51.100.{host}"), at(0)), 0);
    }
    assert_eq!(fail(&throttle, "alice", "198.51.100.4", at(0)), 1);
}

#[test]
fn nobody_elsewhere_locks_the_owner_out_of_their_own_address() {
    let throttle = throttle();
    succeed(&throttle, "alice", HERE, at(0));
    let mut now = at(0);
    for host in 0..200 {
        fail(&throttle, "alice", &format!("198.51.100.{host}"), now);
        now += Duration::from_mins(1);
    }
    let before = now.checked_sub(Duration::from_secs(59)).unwrap();
    assert!(fail(&throttle, "alice", THERE, before) > 0);

    succeed(&throttle, "alice", HERE, before);
}

#[test]
fn an_address_does_not_try_one_password_on_everybody() {
    let throttle = Throttle::new(Settings { failures_per_address: 10, ..SETTINGS });
    for user in 0..10 {
        assert_eq!(fail(&throttle, &format!("user{user}"), "2001:db8::1", at(0)), 0);
    }
    assert_eq!(fail(&throttle, "another", "2001:db8::2", at(0)), 1);
    assert_eq!(fail(&throttle, "another", "2001:db8:0:1::1", at(0)), 0);
    assert_eq!(throttle.counts().users, 11);
}

#[test]
fn good_logins_from_one_address_never_make_it_wait() {
    let throttle = Throttle::new(Settings { failures_per_address: 10, ..SETTINGS });
    for user in 0..100 {
        succeed(&throttle, &format!("user{user}"), HERE, at(0));
    }
    assert_eq!(fail(&throttle, "alice", HERE, at(0)), 0);
}

#[test]
fn many_attempts_at_once_are_worth_no_more_than_one_after_the_other() {
    let throttle = throttle();
    let client = HERE.parse().unwrap();
    let attempts: Vec<_> = (0..100).map(|_| throttle.attempt("alice", client, at(0))).collect();
    assert_eq!(attempts.iter().filter(|attempt| attempt.is_ok()).count(), 3);

    drop(attempts);
    assert_eq!(throttle.of("alice", at(0)).failures, 3);
}

#[test]
fn what_was_not_decided_does_not_count() {
    let throttle = throttle();
    for _ in 0..100 {
        throttle.attempt("alice", HERE.parse().unwrap(), at(0)).unwrap().is_undecided();
    }
    fail(&throttle, "alice", HERE, at(0));
    throttle.attempt("alice", HERE.parse().unwrap(), at(50)).unwrap().is_undecided();
    assert_eq!(throttle.of("alice", at(0)).failures, 1);
    assert_eq!(throttle.counts().failed, 1);
}

#[test]
fn an_operator_can_make_a_users_failures_forgotten() {
    let throttle = throttle();
    for _ in 0..5 {
        fail(&throttle, "alice", HERE, at(0));
    }
    assert!(throttle.clear("Alice "));
    assert!(!throttle.clear("alice") && !throttle.clear("nobody"));
    assert_eq!(fail(&throttle, "alice", HERE, at(0)), 0);
}

#[test]
fn failures_are_forgotten_after_a_long_rest_and_a_clock_that_went_back_locks_nobody_out() {
    let throttle = throttle();
    for _ in 0..3 {
        fail(&throttle, "alice", HERE, at(10_000));
    }
    assert_eq!(fail(&throttle, "alice", HERE, at(0)), 1);
    assert_eq!(fail(&throttle, "alice", HERE, at(10_300)), 0);
    assert_eq!(fail(&throttle, "alice", HERE, at(10_300)), 0);
    assert_eq!(throttle.of("alice", at(10_300)).failures, 2);
}

#[test]
fn other_settings_hold_from_the_next_attempt_on() {
    let throttle = throttle();
    fail(&throttle, "alice", HERE, at(0));
    throttle.configure(Settings { failures: 1, ..SETTINGS });
    assert_eq!(fail(&throttle, "alice", HERE, at(0)), 1);
}

#[test]
fn nobody_elsewhere_locks_the_owner_out_of_an_address_that_is_new() {
    let throttle = throttle();
    let mut now = at(0);
    // One guesser elsewhere, who never misses the moment at which an attempt is let in.
    let guess = |throttle: &Throttle, now: Duration| {
        while fail(throttle, "alice", THERE, now) == 0 {}
    };
    for _ in 0..20 {
        guess(&throttle, now);
        now += Duration::from_mins(1);
    }
    guess(&throttle, now);

    let told = fail(&throttle, "alice", HERE, now);
    assert!((1..=60).contains(&told), "{told}");
    let due = now + Duration::from_secs(told);
    for second in 1..=told {
        guess(&throttle, now + Duration::from_secs(second));
    }
    assert_eq!(fail(&throttle, "alice", "198.51.100.9", due), 60);

    succeed(&throttle, "alice", HERE, due);
}

#[test]
fn a_promise_is_kept_once_and_to_few() {
    let throttle = throttle();
    for _ in 0..3 {
        fail(&throttle, "alice", THERE, at(0));
    }
    for host in 1..=100 {
        assert_eq!(fail(&throttle, "alice", &format!("203.0.113.{host}"), at(0)), 1);
    }
    assert_eq!(fail(&throttle, "alice", THERE, at(1)), 0);
    let let_in = |now| {
        let hosts = 1..=100;
        hosts
            .filter(|host| fail(&throttle, "alice", &format!("203.0.113.{host}"), now) == 0)
            .count()
    };

    assert_eq!(let_in(at(1)), 8);
    assert_eq!(let_in(at(1)), 0);
}

#[test]
fn who_has_to_wait_is_told_in_order_and_within_bounds() {
    let throttle = Throttle::new(Settings { failures_per_address: 10, ..SETTINGS });
    for _ in 0..4 {
        fail(&throttle, "Alice", HERE, at(0));
    }
    fail(&throttle, "bob", THERE, at(0));
    for user in 0..9 {
        fail(&throttle, &format!("user{user}"), THERE, at(0));
    }

    let (all, waiting) = throttle.waiting(at(0), 2);
    assert_eq!((all, waiting.len()), (3, 2));
    let (_, waiting) = throttle.waiting(at(0), 100);
    let told: Vec<_> = waiting
        .iter()
        .map(|one| (one.user.as_deref(), one.address.map(|it| it.to_string()), one.failures))
        .collect();
    assert!(told.contains(&(Some("Alice"), None, 3)), "{told:?}");
    assert!(told.contains(&(Some("Alice"), Some(HERE.to_owned()), 3)), "{told:?}");
    assert!(told.contains(&(None, Some(THERE.to_owned()), 10)), "{told:?}");
    assert!(throttle.waiting(at(100), 100).1.is_empty());
}

#[test]
fn an_operator_can_make_the_failures_of_an_address_forgotten() {
    let throttle = Throttle::new(Settings { failures_per_address: 3, ..SETTINGS });
    for user in 0..3 {
        fail(&throttle, &format!("user{user}"), HERE, at(0));
    }
    assert_eq!(fail(&throttle, "another", HERE, at(0)), 1);

    assert!(throttle.clear_address(HERE.parse().unwrap()));

    assert_eq!(fail(&throttle, "another", HERE, at(0)), 0);
    assert!(!throttle.clear_address("203.0.113.1".parse().unwrap()));
}
