//! Tokens: verified for the first time, and remembered.

use std::hint::black_box;
use std::rc::Rc;
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, ParsedPublicKey,
    RsaEncoding, RsaParameters,
};
use aws_lc_rs::{hmac, rsa};
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
    let rsa_keys = key_for(Algorithm::RS256);
    let mut group = criterion.benchmark_group("token_cold");
    for algorithm in Algorithm::ALL {
        let keyring = if algorithm.key_type() == KeyType::Rsa {
            rsa_keys.clone() // one key serves all of them, and takes long to make
        } else {
            key_for(algorithm)
        };
        let token = sign(&keyring, algorithm, now);
        let verifier = Verifier::new(vec![settings(keyring, algorithm)]).unwrap();
        group.bench_function(algorithm.as_str(), |bencher| {
            bencher.iter(|| verifier.verify(black_box(&token), black_box(now)).unwrap());
        });
        let (signed, _) = token.rsplit_once('.').unwrap();
        let alone = Alone::new(algorithm, signed.as_bytes());
        group.bench_function(format!("{}_signature_alone", algorithm.as_str()), |bencher| {
            bencher.iter(|| alone.verify(black_box(signed.as_bytes())));
        });
    }
    group.finish();
}

/// What the library alone takes for a signature of the same kind over the same bytes.
enum Alone {
    Mac(Box<(hmac::Key, hmac::Tag)>),
    Signature(ParsedPublicKey, Vec<u8>),
}

impl Alone {
    fn new(algorithm: Algorithm, message: &[u8]) -> Self {
        let random = SystemRandom::new();
        let rsa = |signs: &'static dyn RsaEncoding, parameters: &'static RsaParameters| {
            let pair = rsa::KeyPair::generate(rsa::KeySize::Rsa3072).unwrap();
            let mut made = vec![0; pair.public_modulus_len()];
            pair.sign(signs, &random, message, &mut made).unwrap();
            let key = ParsedPublicKey::new(parameters, pair.public_key().as_ref());
            Self::Signature(key.unwrap(), made)
        };
        let ecdsa = |signs: &'static EcdsaSigningAlgorithm, parameters| {
            let pair = EcdsaKeyPair::generate(signs).unwrap();
            let made = pair.sign(&random, message).unwrap();
            let key = ParsedPublicKey::new(parameters, pair.public_key().as_ref());
            Self::Signature(key.unwrap(), made.as_ref().to_vec())
        };
        let mac = |algorithm| {
            let key = hmac::Key::new(algorithm, &[7; 32]);
            let tag = hmac::sign(&key, message);
            Self::Mac(Box::new((key, tag)))
        };
        match algorithm {
            Algorithm::HS256 => mac(hmac::HMAC_SHA256),
            Algorithm::HS384 => mac(hmac::HMAC_SHA384),
            Algorithm::HS512 => mac(hmac::HMAC_SHA512),
            Algorithm::RS256 => {
                rsa(&signature::RSA_PKCS1_SHA256, &signature::RSA_PKCS1_2048_8192_SHA256)
            }
            Algorithm::RS384 => {
                rsa(&signature::RSA_PKCS1_SHA384, &signature::RSA_PKCS1_2048_8192_SHA384)
            }
            Algorithm::RS512 => {
                rsa(&signature::RSA_PKCS1_SHA512, &signature::RSA_PKCS1_2048_8192_SHA512)
            }
            Algorithm::PS256 => {
                rsa(&signature::RSA_PSS_SHA256, &signature::RSA_PSS_2048_8192_SHA256)
            }
            Algorithm::PS384 => {
                rsa(&signature::RSA_PSS_SHA384, &signature::RSA_PSS_2048_8192_SHA384)
            }
            Algorithm::PS512 => {
                rsa(&signature::RSA_PSS_SHA512, &signature::RSA_PSS_2048_8192_SHA512)
            }
            Algorithm::ES256 => ecdsa(
                &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
                &signature::ECDSA_P256_SHA256_FIXED,
            ),
            Algorithm::ES384 => ecdsa(
                &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
                &signature::ECDSA_P384_SHA384_FIXED,
            ),
            Algorithm::EdDSA => {
                let pair = Ed25519KeyPair::generate().unwrap();
                let key = ParsedPublicKey::new(&signature::ED25519, pair.public_key().as_ref());
                Self::Signature(key.unwrap(), pair.sign(message).as_ref().to_vec())
            }
        }
    }

    fn verify(&self, message: &[u8]) {
        match self {
            Self::Mac(mac) => hmac::verify(&mac.0, message, mac.1.as_ref()).unwrap(),
            Self::Signature(key, made) => key.verify_sig(message, made).unwrap(),
        }
    }
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
