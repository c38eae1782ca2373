//! Tokens: verified for the first time, and remembered.

use std::hint::black_box;
use std::rc::Rc;
use std::time::Duration;

use criterion::Criterion;
use doorward::clock::unix_seconds;
use doorward::identity::anonymous;
use doorward::identity::memory::{DigestKey, Memory};
use doorward::identity::standing::Standing;
use doorward::token::{
    Algorithm, ClaimPaths, IssuerSettings, KeyType, Keyring, RequiredClaims, Signer, Verifier,
    generate,
};
use serde_json::json;

const ISSUER: &str = "https://idp.example.org";
const REMEMBERED: usize = 10_000;

pub(crate) fn bench(criterion: &mut Criterion) {
    cold(criterion);
    remembered(criterion);
}

fn cold(criterion: &mut Criterion) {
    let now = unix_seconds();
    let rsa = key_for(Algorithm::RS256);
    let mut group = criterion.benchmark_group("token_cold");
    for algorithm in Algorithm::ALL {
        let keyring = if algorithm.key_type() == KeyType::Rsa {
            rsa.clone() // one key serves all of them, and takes long to make
        } else {
            key_for(algorithm)
        };
        let token = sign(&keyring, algorithm, now);
        let verifier = Verifier::new(vec![settings(keyring, algorithm)]).unwrap();
        group.bench_function(algorithm.as_str(), |bencher| {
            bencher.iter(|| verifier.verify(black_box(&token), black_box(now)).unwrap());
        });
    }
    group.finish();
}

fn remembered(criterion: &mut Criterion) {
    let now = unix_seconds();
    let token = sign(&key_for(Algorithm::HS256), Algorithm::HS256, now);
    let principal = Rc::new(anonymous());
    let standing = Standing::new();
    let epoch = standing.epoch();
    let tokens: Vec<String> =
        (0..REMEMBERED).map(|number| token.replace('.', &format!("{number:05}"))).collect();
    let mut memory = Memory::<Box<str>>::new(64 << 20);
    for token in &tokens {
        memory.remember(token.as_str().into(), Rc::clone(&principal), epoch, now + 60);
    }
    let mut group = criterion.benchmark_group("token_remembered");
    group.bench_function("the_same", |bencher| {
        let token = tokens.first().unwrap();
        bencher.iter(|| memory.recall(black_box(token.as_str()), &standing, now).unwrap());
    });
    group.bench_function("one_of_10000", |bencher| {
        let mut tokens = tokens.iter().cycle();
        bencher.iter(|| memory.recall(tokens.next().unwrap().as_str(), &standing, now).unwrap());
    });
    group.bench_function("unknown", |bencher| {
        bencher
            .iter(|| memory.recall(black_box(token.as_str()), &standing, now).unwrap().is_none());
    });
    group.bench_function("new", |bencher| {
        let mut memory = Memory::<Box<str>>::new(1 << 20); // full soon, so that it forgets as well
        let mut tokens = tokens.iter().cycle();
        bencher.iter(|| {
            let token = tokens.next().unwrap().as_str();
            memory.remember(token.into(), Rc::clone(&principal), epoch, now);
        });
    });
    group.bench_function("password_digest", |bencher| {
        let key = DigestKey::random().unwrap();
        bencher.iter(|| key.digest(black_box("alice"), black_box("alice-example")));
    });
    group.finish();
}

/// A new key, read as from its file.
fn key_for(algorithm: Algorithm) -> Keyring {
    let key = generate(algorithm).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(format!("key.{}", key.extension));
    std::fs::write(&file, &*key.content).unwrap();
    Keyring::load(&file).unwrap().0
}

fn sign(keyring: &Keyring, algorithm: Algorithm, now: u64) -> String {
    let claims = json!({
        "iss": ISSUER, "aud": ["files"], "sub": "alice", "iat": now, "exp": now + 3600,
        "jti": "01JDAB3G4ZP8N5V0QK2M", "roles": ["editor"], "home": "/alice",
    });
    let signer = Signer::newest(keyring, Some(&[algorithm])).unwrap();
    signer.sign(claims.as_object().unwrap()).unwrap()
}

fn settings(keyring: Keyring, algorithm: Algorithm) -> IssuerSettings {
    IssuerSettings {
        name: "bench".to_owned(),
        issuer: ISSUER.to_owned(),
        audience: vec!["files".to_owned()],
        required: RequiredClaims::default(),
        keyring,
        algorithms: Some(vec![algorithm]),
        leeway: Duration::from_secs(30),
        max_lifetime: None,
        claims: ClaimPaths::default(),
        bound: false,
    }
}
