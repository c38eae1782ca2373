//! Kinds of credentials: which a route accepts, and that a wrong one never falls through.

use super::challenges;
use crate::support::gateway::TestGateway;
use crate::support::tokens::{Token, basic};
use crate::support::upstream::TestUpstream;

#[test]
fn both_work_over_http_2() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();
    let mut connection = gateway.connect_h2();

    let token = gateway.get("/x").bearer("alice").send_over_h2(&mut connection);
    let password = gateway.get("/x").basic("bob", "bob-the-builder").send_over_h2(&mut connection);

    assert_eq!((token.status(), password.status()), (200, 200));
    let users = upstream.requests();
    let users = users.iter().map(|r| r.header("x-forwarded-user").unwrap()).collect::<Vec<_>>();
    assert_eq!(users, ["alice", "bob"]);
}

#[test]
fn the_scheme_is_read_in_any_case() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();
    let token = Token::of("alice").signed();
    let password = basic("alice", "wonderland-of-alice");

    for value in
        [format!("bearer {token}"), format!("BEARER {token}"), password.replace("Basic", "bAsIc")]
    {
        let response = gateway.get("/x").header("Authorization", &value).send();
        assert_eq!(response.status(), 200, "{value}");
    }
}

#[test]
fn a_route_accepts_only_the_kinds_that_it_lists() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream)
        .section("routes.tokens", "upstream = \"files\"\npath = \"/tokens\"\naccept = [\"bearer\"]")
        .section(
            "routes.passwords",
            "upstream = \"files\"\npath = \"/passwords\"\naccept = [\"basic\"]",
        )
        .start();
    let token = Token::of("alice").signed();

    let refused = [
        gateway.get("/tokens").basic("alice", "wonderland-of-alice").send(),
        gateway.get("/tokens").header("X-Auth-Token", &token).send(),
        gateway.get("/tokens").basic("alice", &token).send(),
        gateway.get("/passwords").token(&token).send(),
        gateway.get("/passwords").header("X-Auth-Token", &token).send(),
    ];

    assert_eq!(refused.map(|response| response.status()), [401; 5]);
    upstream.assert_untouched();
}

#[test]
fn a_refusal_names_one_challenge_for_each_kind() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream)
        .section("routes.tokens", "upstream = \"files\"\npath = \"/tokens\"\naccept = [\"bearer\"]")
        .section(
            "routes.passwords",
            "upstream = \"files\"\npath = \"/passwords\"\naccept = [\"basic\"]",
        )
        .start();

    let both = challenges(&gateway.get("/").send());
    let tokens = challenges(&gateway.get("/tokens").send());
    let passwords = challenges(&gateway.get("/passwords").send());

    let bearer = r#"Bearer realm="doorward""#;
    let basic = r#"Basic realm="doorward", charset="UTF-8""#;
    assert_eq!(tokens, [bearer]);
    assert_eq!(passwords, [basic]);
    assert!(both.contains(&bearer.to_owned()) && both.contains(&basic.to_owned()), "{both:?}");
    upstream.assert_untouched();
}

#[test]
fn the_bearer_challenge_says_what_was_wrong() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();

    let without = challenges(&gateway.get("/x").send());
    let bad = challenges(&gateway.get("/x").token("not-a-token").send());

    assert!(without.iter().all(|challenge| !challenge.contains("error")), "{without:?}");
    let named =
        bad.iter().any(|c| c.starts_with("Bearer") && c.contains(r#"error="invalid_token""#));
    assert!(named, "{bad:?}");
    upstream.assert_untouched();
}

#[test]
fn a_refusal_is_a_problem_with_a_decision_id() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();

    for response in [gateway.get("/x").send(), gateway.get("/x").send_h2()] {
        let problem = response.problem();
        assert_eq!(problem["status"], 401, "{problem}");
        assert!(problem["decision"].as_str().is_some_and(|id| id.len() >= 8), "{problem}");
        let id = problem["decision"].as_str().unwrap().to_owned();
        assert!(gateway.log_lines(&id).iter().any(|line| line.contains("401")));
    }
    upstream.assert_untouched();
}

#[test]
fn several_credentials_are_refused_in_every_combination() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();
    let good = format!("Bearer {}", Token::of("alice").signed());
    let other = format!("Bearer {}", Token::of("bob").signed());
    let raw = Token::of("alice").signed();
    let password = basic("alice", "wonderland-of-alice");
    let pairs = [
        ("Authorization", &good, "Authorization", &good),
        ("Authorization", &good, "Authorization", &other),
        ("Authorization", &good, "authorization", &password),
        ("Authorization", &password, "AUTHORIZATION", &password),
        ("X-Auth-Token", &raw, "x-auth-token", &raw),
        ("Authorization", &good, "X-Auth-Token", &raw),
        ("X-Auth-Token", &raw, "Authorization", &password),
    ];

    for (first, one, second, two) in pairs {
        let ask = gateway.get("/x").header(first, one).header(second, two);
        for response in [ask.send(), ask.send_h2()] {
            assert!(matches!(response.status(), 400 | 401), "{first} and {second}: {response:?}");
        }
    }

    upstream.assert_untouched();
}

#[test]
fn a_wrong_credential_never_falls_through() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream)
        .route("accept = [\"bearer\", \"basic\", \"x-auth-token\", \"anonymous\"]")
        .start();
    let token = Token::of("alice").signed();
    let wrong = [
        ("Authorization", "Bearer nonsense".to_owned()),
        ("Authorization", "Bearer ".to_owned()),
        ("Authorization", "Bearer".to_owned()),
        ("Authorization", format!("Bearer  {token}")),
        ("Authorization", format!("Bearer {token} x")),
        ("Authorization", format!("Bearer {token},{token}")),
        ("Authorization", format!("Token {token}")),
        ("Authorization", "Negotiate abc".to_owned()),
        ("Authorization", String::new()),
        ("Authorization", "Basic".to_owned()),
        ("Authorization", "Basic !!!".to_owned()),
        ("Authorization", "Basic YWxpY2U=".to_owned()), // no colon
        ("Authorization", basic("alice", "wrong")),
        ("Authorization", basic("alice", "")),
        ("Authorization", basic("alice", "wonderland-of-alice\0x")),
        ("Authorization", basic("alice\0", "wonderland-of-alice")),
        ("Authorization", basic("alice", "wonderland-of-alice\n")),
        ("Authorization", basic("ALICE", "wonderland-of-alice")),
        ("Authorization", basic(" alice", "wonderland-of-alice")),
        ("Authorization", basic("nobody", "wonderland-of-alice")),
        ("Authorization", basic("carol", "carol-of-the-bells")), // disabled
        ("X-Auth-Token", "nonsense".to_owned()),
        ("X-Auth-Token", String::new()),
        ("X-Auth-Token", format!("Bearer {token}")),
    ];

    for (name, value) in wrong {
        let response = gateway.get("/x").header(name, &value).send();
        assert!(matches!(response.status(), 400 | 401), "{name}: {value:?} gave {response:?}");
    }

    upstream.assert_untouched();
    let anonymous = gateway.get("/x").send();
    assert_eq!(anonymous.status(), 200);
    assert_eq!(upstream.only_request().header("x-forwarded-user"), None);
}

#[test]
fn nobody_is_anonymous_unless_a_route_says_so() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream)
        .section("routes.open", "upstream = \"files\"\npath = \"/open\"\naccept = [\"anonymous\"]")
        .start();

    assert_eq!(gateway.get("/open").send().status(), 200);
    assert_eq!(gateway.get("/openly").send().status(), 401);
    assert_eq!(gateway.get("/").send().status(), 401);
    let seen = upstream.only_request();
    assert_eq!(seen.target, "/open");
}

#[test]
fn the_credential_is_forwarded_where_the_route_says_so() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).route("credential = \"forward\"").start();

    let ask = gateway.get("/x").basic("alice", "wonderland-of-alice");
    assert_eq!(ask.send().status(), 200);

    let seen = upstream.only_request();
    assert_eq!(seen.header("authorization"), Some(&*basic("alice", "wonderland-of-alice")));
    assert_eq!(seen.header("x-forwarded-user"), Some("alice"));
}

#[test]
fn a_token_that_does_not_suffice_is_told_so_and_a_password_is_not() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).route("permissions = { \"*\" = \"x:y\" }").start();

    let token = gateway.get("/x").bearer("dave").send();
    let password = gateway.get("/x").basic("bob", "bob-the-builder").send();

    assert_eq!((token.status(), password.status()), (403, 403));
    let told = challenges(&token);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("Bearer ") && told[0].contains("error=\"insufficient_scope\""));
    assert_eq!(challenges(&password), [""; 0]);
    upstream.assert_untouched();
}
