use std::time::Duration;

use jsonwebtoken::{EncodingKey, Header, encode};

use super::*;
use crate::directory::{self, DirectorySettings};
use crate::password::Limits;
use crate::token::{ClaimPaths, IssuerSettings, Keyring, RequiredClaims};

const SECRET: &[u8] = b"a secret of thirty-two bytes or so";
const NOW: u64 = 1_800_000_000;
const FIRST: &str = "\
- {username: alice, password: alice-of-the-first, home: /alice, roles: [reader]}
- {username: carol, password: carol-of-the-first, disabled: true}
- {username: erin, home: /erin}
";
const SECOND: &str = "\
- {username: alice, password: alice-of-the-second, home: /, roles: [editor]}
- {username: carol, password: carol-of-the-second}
- {username: frank, password: frank-of-the-second}
";

fn issuer(name: &str, bound: bool) -> IssuerSettings {
    IssuerSettings {
        name: name.to_owned(),
        issuer: name.to_owned(),
        audience: vec!["doorward".to_owned()],
        required: RequiredClaims::default(),
        keyring: Keyring::from_secret(SECRET, &["HS256".parse().unwrap()]).unwrap().0,
        algorithms: None,
        leeway: Duration::from_secs(30),
        max_lifetime: None,
        claims: ClaimPaths::default(),
        bound,
    }
}

fn identities() -> Identities {
    let folder = tempfile::tempdir().unwrap();
    let mut roles = Roles::default();
    roles.define("reader", ["files:read"]).unwrap();
    roles.define("editor", ["files:*"]).unwrap();
    let directories = [("first", FIRST), ("second", SECOND)].map(|(name, users)| {
        let file = folder.path().join(format!("{name}.yaml"));
        std::fs::write(&file, users).unwrap();
        let settings =
            DirectorySettings { name: name.to_owned(), ..DirectorySettings::of_file(&file) };
        directory::load(&settings, &roles, Limits::with_memory(1 << 28), None).unwrap().0
    });
    Identities {
        verifier: Some(
            Verifier::new(vec![issuer("local", true), issuer("foreign", false)]).unwrap(),
        ),
        issuer_names: vec!["local".into(), "foreign".into()],
        directories: directories.into(),
        roles,
        decoy: Arc::new(PasswordHash::written_decoy().unwrap()),
    }
}

fn token(issuer: &str, subject: &str, more: &serde_json::Value) -> String {
    let mut claims = serde_json::json!({
        "iss": issuer, "aud": "doorward", "sub": subject, "exp": NOW + 60
    });
    claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    encode(&Header::default(), &claims, &EncodingKey::from_secret(SECRET)).unwrap()
}

fn identified(issuer: &str, subject: &str, more: &serde_json::Value) -> Result<Principal, String> {
    let identified = identities().identify_token(&token(issuer, subject, more), NOW);
    identified.map(|(principal, _)| principal).map_err(|error| error.label().to_owned())
}

#[test]
fn a_password_is_asked_of_the_first_directory_that_knows_the_name() {
    let identities = identities();

    let question = identities.password_of("alice");
    assert!(question.hash.verify(b"alice-of-the-first"));
    assert!(!question.hash.verify(b"alice-of-the-second"));
    let principal = question.proves(false).unwrap();
    assert_eq!(&*principal.facts().authority, "first");
    assert_eq!(principal.facts().home.as_ref().unwrap().as_str(), "/alice");

    let question = identities.password_of("frank");
    assert!(question.hash.verify(b"frank-of-the-second"));
    assert_eq!(&*question.proves(false).unwrap().facts().authority, "second");
}

#[test]
fn nobody_is_proved_by_whatever_password_of_an_unknown_or_disabled_user() {
    let identities = identities();
    for name in ["carol", "erin", "mallory", ""] {
        assert!(identities.password_of(name).proves(false).is_none(), "{name}");
    }
}

#[test]
fn a_refusal_costs_the_same_family_whoever_it_is() {
    let identities = identities();
    let family = |name: &str| identities.password_of(name).hash.family();
    for name in ["carol", "erin", "mallory", ""] {
        assert_eq!(family(name), family("alice"), "{name}");
    }
}

fn key(owner: &str, kind: KeyKind) -> Arc<ApiKey> {
    Arc::new(ApiKey {
        id: "k".into(),
        hash: [0; 32],
        owner: owner.into(),
        kind,
        label: Box::default(),
        scope: serde_json::from_str(r#"{"permissions": ["files:read"]}"#).unwrap(),
        created_at: NOW,
        expires_at: Some(NOW + 10),
    })
}

#[test]
fn a_token_of_an_api_key_has_its_scope_and_ends_with_it() {
    let (identities, standing) = (identities(), Standing::default());
    let token = token("local", "alice", &serde_json::json!({ "client_id": "k" }));
    let identify = |now| {
        let scratch = &mut Scratch::default();
        let identified = identities.identify_token_with(scratch, &standing, &token, now);
        identified.map(|(principal, _)| principal).map_err(|error| error.label())
    };
    assert_eq!(identify(NOW).unwrap_err(), "key_unknown");

    standing.apply([standing::Change::Key(key("alice", KeyKind::User))]);
    let principal = identify(NOW).unwrap();
    assert_eq!(principal.key().unwrap().owner, "alice".into());
    assert!(principal.facts().roles.is_empty());
    assert_eq!(identify(NOW + 10).unwrap_err(), "key_expired");
}

#[test]
fn a_key_proves_its_owner_while_they_are_welcome() {
    let identities = identities();
    let prove = |owner, kind, now| {
        let identified = identities.identify_key(key(owner, kind), now);
        identified.map(|(_, until)| until).map_err(|error| error.label())
    };

    assert_eq!(prove("alice", KeyKind::User, NOW), Ok(NOW + 9));
    assert_eq!(prove("alice", KeyKind::User, NOW + 10), Err("key_expired"));
    for (owner, kind) in [
        ("carol", KeyKind::User),
        ("nobody", KeyKind::User),
        ("alice", KeyKind::Registered),
        ("nobody", KeyKind::Registered),
    ] {
        assert_eq!(prove(owner, kind, NOW), Err("key_owner"), "{owner}");
    }
}

#[test]
fn what_is_under_way_goes_on_for_as_long_as_its_user_may() {
    let (identities, standing) = (identities(), Standing::default());
    let began_ms = NOW * 1000;
    let may = |principal: &Principal| principal.may_go_on(&identities, &standing, NOW, began_ms);
    let by_password = identities.password_of("alice").proves(false).unwrap();
    let (by_key, _) = identities.identify_key(key("alice", KeyKind::User), NOW).unwrap();
    let nobody = anonymous();
    let mut gone = by_password.facts().clone();
    gone.name = "carol".into();
    let disabled = Principal::new(gone, Basis::Password { has_code: false });

    assert!(may(&by_password) && may(&nobody) && !may(&disabled));
    assert!(!may(&by_key), "there is no such key");
    standing.apply([standing::Change::Key(key("alice", KeyKind::User))]);
    assert!(may(&by_key));

    let what = standing::Revoked::User { name: "alice".into(), since_ms: began_ms };
    let revocation = standing::Revocation { what, until: NOW + 100 };
    standing.apply([standing::Change::Revoked(revocation)]);
    assert!(!may(&by_password) && !may(&by_key) && may(&nobody));
}

#[test]
fn a_bound_token_is_worth_what_its_user_is_now() {
    let none = serde_json::json!({});
    let more = serde_json::json!({ "home": "/", "roles": ["editor"], "permissions": ["*"] });

    let principal = identified("local", "alice", &more).unwrap();

    assert_eq!(principal.facts().home.as_ref().unwrap().as_str(), "/alice");
    assert!(principal.facts().permissions.grants(&"files:read".parse().unwrap()));
    assert!(!principal.facts().permissions.grants(&"files:write".parse().unwrap()));
    for subject in ["carol", "mallory"] {
        let refused = identified("local", subject, &none);
        assert_eq!(refused.unwrap_err(), "token_unknown_subject", "{subject}");
    }
}

#[test]
fn a_foreign_token_is_worth_what_it_says_and_nothing_where_it_says_nonsense() {
    let said = serde_json::json!({ "home": "/m", "roles": ["reader", "unknown"] });
    let principal = identified("foreign", "mallory", &said).unwrap();
    assert_eq!(principal.facts().home.as_ref().unwrap().as_str(), "/m");
    assert!(principal.facts().permissions.grants(&"files:read".parse().unwrap()));

    let empty = serde_json::json!({ "home": "", "permissions": ["", "a b", "::"] });
    let principal = identified("foreign", "mallory", &empty).unwrap();
    assert!(principal.facts().home.is_none());
    assert!(!principal.facts().permissions.grants(&"a:b".parse().unwrap()));

    for home in ["relative", "/a/../b", "/a;b", "/a%2fb"] {
        let refused = identified("foreign", "mallory", &serde_json::json!({ "home": home }));
        assert_eq!(refused.unwrap_err(), "token_home_claim", "{home}");
    }
}
