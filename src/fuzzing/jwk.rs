//! JWK and JWK sets: what is read as keys is published without anything private and read as the same
//! keys again, and what can sign signs what it verifies.
//!
//! An input is the JSON.

use std::time::Duration;

use serde_json::{Value, json};

use crate::token::{
    ClaimPaths, IssuerSettings, Key, KeyType, Keyring, RequiredClaims, Signer, Verifier,
};

const NOW: u64 = 1_800_000_000;

pub(super) fn ask(input: &[u8]) {
    let Ok((keyring, _)) = Keyring::from_jwks(input) else { return };
    let mut public_ids = Vec::new();
    for key in keyring.keys() {
        let id = key.id();
        assert!(!id.is_empty() && id.len() <= 128 && !id.contains(char::is_control), "{id:?}");
        if key.key_type() != KeyType::Secret {
            public_ids.push(id);
        }
    }
    let secrets = keyring.keys().count() - public_ids.len();
    assert!(secrets == 0 || public_ids.is_empty(), "secrets beside public keys");
    let published = serde_json::to_value(keyring.public_jwks()).unwrap_or_default();
    ask_public(&published);
    if let Ok((again, _)) = Keyring::from_jwks(published.to_string().as_bytes()) {
        let ids: Vec<_> = again.keys().map(Key::id).collect();
        assert_eq!(ids, public_ids);
        assert!(!again.can_sign());
    } else {
        assert!(public_ids.is_empty(), "{published} cannot be read again");
    }
    ask_signer(&keyring);
}

fn ask_public(published: &Value) {
    let keys = published.get("keys").and_then(Value::as_array);
    for key in keys.into_iter().flatten().filter_map(Value::as_object) {
        for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            assert!(!key.contains_key(private), "{private} is published");
        }
    }
}

fn ask_signer(keyring: &Keyring) {
    let Ok(signer) = Signer::newest(keyring, None) else { return };
    let Value::Object(claims) = json!({"iss": "i", "aud": "a", "sub": "alice", "exp": NOW + 1})
    else {
        return;
    };
    let Ok(token) = signer.sign(&claims) else { return };
    let settings = IssuerSettings {
        name: "i".into(),
        issuer: "i".into(),
        audience: vec!["a".into()],
        required: RequiredClaims::default(),
        keyring: keyring.clone(),
        algorithms: None,
        leeway: Duration::ZERO,
        max_lifetime: None,
        claims: ClaimPaths::default(),
        bound: false,
    };
    let Ok(verifier) = Verifier::new(vec![settings]) else { return };
    let subject = verifier.verify(&token, NOW).map(|token| token.subject);
    assert_eq!(subject.as_deref(), Ok("alice"), "its own signature");
}
