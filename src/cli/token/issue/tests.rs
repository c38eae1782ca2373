use std::fs;

use super::*;
use crate::admin::issue::{IssueError, Issued};
use crate::token::{Algorithm, generate};

/// Two issuers that sign, a bound and an unbound one, and three users.
pub(in crate::cli::token) fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &[u8]| fs::write(folder.path().join(name), content).unwrap();
    write(
        "doorward.toml",
        br#"
        [listeners.main]
        address = "127.0.0.1:0"
        [issuers.local]
        keys = "local.pem"
        issuer = "https://local.test"
        audience = ["doorward", "other"]
        max_lifetime = "2h"
        [issuers.foreign]
        keys = "foreign.pem"
        issuer = "https://foreign.test"
        audience = ["doorward"]
        bound = false
        [issuers.foreign.claims]
        roles = "realm_access.roles"
        [directories.users]
        file = "users.yaml"
        [roles]
        editor = ["files:*"]
        "#,
    );
    write(
        "users.yaml",
        b"- { username: alice, roles: [editor], groups: [staff], home: /alice }\n\
          - { username: bob, home: / }\n\
          - { username: carol, disabled: true }\n",
    );
    for (name, algorithm) in [("local.pem", Algorithm::EdDSA), ("foreign.pem", Algorithm::ES256)] {
        write(name, &generate(algorithm).unwrap().content);
    }
    folder
}

/// A token that a test asks for.
pub(in crate::cli::token) fn issue(folder: &Path, order: Order<'_>) -> Result<Issued, IssueError> {
    let (_, snapshot) = settings::snapshot(&folder.join("doorward.toml")).unwrap();
    order.fill(&snapshot, 1_800_000_000)
}

/// The plainest order.
pub(in crate::cli::token) fn order<'a>(user: &'a str, issuer: &'a str) -> Order<'a> {
    Order { user, issuer: Some(issuer), lifetime: None, claims: &[] }
}

fn claims(token: &str) -> Value {
    use base64::Engine as _;
    let payload = token.split('.').nth(1).unwrap();
    let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    serde_json::from_slice(&engine.decode(payload).unwrap()).unwrap()
}

#[test]
fn a_bound_token_says_who_it_is_and_no_more() {
    let folder = folder();

    let issued = issue(folder.path(), order("alice", "local")).unwrap();

    let mut claims = claims(&issued.token);
    let id = claims.as_object_mut().unwrap().remove("jti").unwrap();
    let expected = json!({
        "iss": "https://local.test", "aud": "doorward", "sub": "alice",
        "iat": 1_800_000_000, "exp": 1_800_003_600,
    });
    assert_eq!(claims, expected);
    assert_eq!(id.as_str().unwrap().len(), 22);
}

#[test]
fn an_unbound_token_says_what_the_user_may_do() {
    let folder = folder();

    let issued = issue(folder.path(), order("alice", "foreign")).unwrap();

    let claims = claims(&issued.token);
    assert_eq!(claims["realm_access"], json!({ "roles": ["editor"] }));
    assert_eq!(claims["groups"], json!(["staff"]));
    assert_eq!(claims["home"], "/alice");
}

#[test]
fn claims_are_added_and_never_replaced() {
    let folder = folder();
    let added = ["nbf=1", "realm_access.more=[1]", "note=a=b"].map(|claim| claim.parse().unwrap());

    let issued = issue(folder.path(), Order { claims: &added, ..order("bob", "foreign") }).unwrap();

    let claims = claims(&issued.token);
    assert_eq!(claims["nbf"], 1);
    assert_eq!(claims["realm_access"]["more"], json!([1]));
    assert_eq!(claims["note"], "a=b");
    for claim in ["sub=alice", "exp=1", "iss=x", "aud=x", "jti=x", "iat.x=1", "home=/x"] {
        let claims = [claim.parse().unwrap()];

        let refused = issue(folder.path(), Order { claims: &claims, ..order("bob", "foreign") });

        assert!(matches!(refused, Err(IssueError::Reserved(_))), "{claim}: {refused:?}");
    }
}

#[test]
fn a_token_that_the_gateway_would_refuse_is_not_issued() {
    let folder = folder();
    let claims = ["nbf=1900000000".parse().unwrap()];

    let refused = issue(folder.path(), Order { claims: &claims, ..order("bob", "local") });

    assert!(matches!(refused, Err(IssueError::Refused(_))), "{refused:?}");
}

#[test]
fn nobody_gets_a_token_who_could_not_use_it() {
    let folder = folder();
    let refused = |user, issuer| issue(folder.path(), order(user, issuer)).unwrap_err();

    assert!(matches!(refused("dave", "local"), IssueError::UnknownUser(_)));
    assert!(matches!(refused("carol", "local"), IssueError::Disabled(_)));
    assert!(matches!(refused("carol", "foreign"), IssueError::Disabled(_)));
    assert!(matches!(refused("bob", "nobody"), IssueError::UnknownIssuer(_)));
    let unnamed = Order { issuer: None, ..order("bob", "") };
    let ambiguous = issue(folder.path(), unnamed).unwrap_err();
    assert_eq!(
        ambiguous.to_string(),
        "several issuers can sign: name one of local, foreign with --issuer"
    );
}

#[test]
fn a_lifetime_is_within_what_the_issuer_allows() {
    let folder = folder();
    for (seconds, is_issued) in [(0, false), (1, true), (7200, true), (7201, false)] {
        let lifetime = Some(Duration::from_secs(seconds));

        let issued = issue(folder.path(), Order { lifetime, ..order("bob", "local") });

        assert_eq!(issued.is_ok(), is_issued, "{seconds}: {issued:?}");
    }
}

#[test]
fn a_claim_is_a_name_and_a_value() {
    assert!("novalue".parse::<ExtraClaim>().is_err());
    assert!("=x".parse::<ExtraClaim>().is_err());
    assert!("a..b=x".parse::<ExtraClaim>().is_err());
}
