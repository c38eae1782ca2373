//! JWK and JWK sets (RFC 7517, RFC 7518 §6, RFC 8037 §2): read, and published.
//!
//! What is published passes through [`jsonwebtoken::jwk::Jwk`], whose key pairs have no room
//! for a private member.

use aws_lc_rs::digest;
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{EcdsaKeyPair, Ed25519KeyPair, RsaPublicKeyComponents};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{
    AlgorithmParameters, CommonParameters, EllipticCurve, EllipticCurveKeyParameters,
    EllipticCurveKeyType, Jwk, JwkSet, OctetKeyPairParameters, OctetKeyPairType, PublicKeyUse,
    RSAKeyParameters, RSAKeyType,
};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::algorithm::Algorithm;
use super::encoding::{Pair, ec_pair};
use super::key::{Key, KeyFault};
use super::public::{Curve, Public, refuse_weak_rsa};
use super::signer::Signing;

/// What a file or an endpoint holds.
pub(super) enum Document {
    One(Box<RawJwk>),
    Set(Vec<RawJwk>),
}

impl Document {
    /// Reads a JWK set, else a JWK. A member twice is an error.
    pub(super) fn parse(json: &[u8]) -> Result<Self, KeyFault> {
        #[derive(Deserialize)]
        struct Set {
            keys: Option<Vec<RawJwk>>,
        }
        let set: Set = serde_json::from_slice(json).map_err(|_| KeyFault::InvalidJwk)?;
        match set.keys {
            Some(keys) => Ok(Self::Set(keys)),
            None => serde_json::from_slice(json).map(Self::One).map_err(|_| KeyFault::InvalidJwk),
        }
    }
}

/// The members of a JWK that we know; others are ignored (RFC 7517 §4).
#[derive(Deserialize)]
pub(super) struct RawJwk {
    kty: Box<str>,
    kid: Option<Box<str>>,
    alg: Option<Box<str>>,
    #[serde(rename = "use")]
    usage: Option<Box<str>>,
    key_ops: Option<Vec<Box<str>>>,
    crv: Option<Box<str>>,
    n: Option<Box<str>>,
    e: Option<Box<str>>,
    x: Option<Box<str>>,
    y: Option<Box<str>>,
    d: Option<Private>,
    p: Option<Private>,
    q: Option<Private>,
    dp: Option<Private>,
    dq: Option<Private>,
    qi: Option<Private>,
    k: Option<Private>,
}

/// A member that must not get out; its text is wiped.
#[derive(Deserialize)]
#[serde(from = "String")]
struct Private(Zeroizing<String>);

impl From<String> for Private {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl RawJwk {
    pub(super) fn id(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Builds the key. Without a `kid` it gets `fallback_id`, or its thumbprint.
    ///
    /// [`KeyFault::Unsupported`] is a key that a set may hold beside ours.
    pub(super) fn into_key(self, fallback_id: Option<&str>) -> Result<Key, KeyFault> {
        self.require_signature_use()?;
        let declared =
            match self.alg.as_deref() {
                Some(name) => Some(name.parse::<Algorithm>().map_err(|_| {
                    KeyFault::Unsupported("its algorithm is not one that is offered")
                })?),
                None => None,
            };
        if &*self.kty == "oct" {
            let secret = decode_private(self.k.as_ref())?;
            let id = self.id().or(fallback_id).ok_or(KeyFault::InvalidKeyId)?;
            return Key::secret(id, &secret, declared);
        }
        let (public, signing) = self.pair()?;
        let thumbprint;
        let id = if let Some(id) = self.id().or(fallback_id) {
            id
        } else {
            thumbprint = public.thumbprint();
            &thumbprint
        };
        Key::asymmetric(id, public, signing, declared)
    }

    fn require_signature_use(&self) -> Result<(), KeyFault> {
        if self.usage.as_deref().is_some_and(|usage| usage != "sig") {
            return Err(KeyFault::Unsupported("it is not for signatures (`use`)"));
        }
        let signs = |operations: &Vec<Box<str>>| {
            operations.iter().any(|operation| matches!(&**operation, "sign" | "verify"))
        };
        if self.key_ops.as_ref().is_some_and(|operations| !signs(operations)) {
            return Err(KeyFault::Unsupported("it is not for signatures (`key_ops`)"));
        }
        Ok(())
    }

    fn pair(&self) -> Result<Pair, KeyFault> {
        match (&*self.kty, self.crv.as_deref()) {
            ("RSA", _) => self.rsa(),
            ("EC", Some("P-256")) => self.ec(Curve::P256),
            ("EC", Some("P-384")) => self.ec(Curve::P384),
            ("OKP", Some("Ed25519")) => self.ed25519(),
            ("EC" | "OKP", _) => Err(KeyFault::Unsupported("its curve is not offered")),
            _ => Err(KeyFault::Unsupported("its type is not offered")),
        }
    }

    fn rsa(&self) -> Result<Pair, KeyFault> {
        let n = decode(self.n.as_deref())?.to_vec();
        let e = decode(self.e.as_deref())?.to_vec();
        refuse_weak_rsa(&n, &e)?;
        let signing = if self.d.is_some() {
            let private = |member: &Option<Private>| decode_private(member.as_ref());
            let components = rsa::KeyPairComponents {
                public_key: RsaPublicKeyComponents { n: &*n, e: &*e },
                d: &**private(&self.d)?,
                p: &**private(&self.p)?,
                q: &**private(&self.q)?,
                dP: &**private(&self.dp)?,
                dQ: &**private(&self.dq)?,
                qInv: &**private(&self.qi)?,
            };
            let pair = rsa::KeyPair::from_components(&components);
            Some(Signing::Rsa(pair.map_err(|_| KeyFault::InvalidKey)?))
        } else {
            None
        };
        Ok((Public::Rsa { n, e }, signing))
    }

    fn ec(&self, curve: Curve) -> Result<Pair, KeyFault> {
        let (x, y) = (decode(self.x.as_deref())?, decode(self.y.as_deref())?);
        let length = curve.coordinate_length(); // whole coordinates: RFC 7518 §6.2.1.2
        if x.len() != length || y.len() != length {
            return Err(KeyFault::InvalidKey);
        }
        let point = [&[4], x.as_slice(), y.as_slice()].concat();
        if self.d.is_none() {
            return Ok((Public::Ec { curve, point }, None));
        }
        let d = decode_private(self.d.as_ref())?;
        ec_pair(curve, |algorithm| {
            EcdsaKeyPair::from_private_key_and_public_key(algorithm, &d, &point)
        })
    }

    fn ed25519(&self) -> Result<Pair, KeyFault> {
        let x = decode(self.x.as_deref())?.to_vec();
        let signing = match &self.d {
            Some(d) => {
                let seed = decode_private(Some(d))?;
                let pair = Ed25519KeyPair::from_seed_and_public_key(&seed, &x);
                Some(Signing::Ed25519(pair.map_err(|_| KeyFault::InvalidKey)?))
            }
            None => None,
        };
        Ok((Public::Ed25519(x), signing))
    }
}

fn decode(text: Option<&str>) -> Result<Zeroizing<Vec<u8>>, KeyFault> {
    let text = text.ok_or(KeyFault::InvalidJwk)?;
    URL_SAFE_NO_PAD.decode(text).map(Zeroizing::new).map_err(|_| KeyFault::InvalidJwk)
}

fn decode_private(member: Option<&Private>) -> Result<Zeroizing<Vec<u8>>, KeyFault> {
    decode(member.map(|member| member.0.as_str()))
}

/// The two coordinates of an uncompressed point.
fn coordinates(point: &[u8]) -> (&[u8], &[u8]) {
    let coordinates = point.get(1..).unwrap_or_default();
    coordinates.split_at(coordinates.len() / 2)
}

impl Public {
    fn parameters(&self) -> AlgorithmParameters {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Self::Rsa { n, e } => AlgorithmParameters::RSA(RSAKeyParameters {
                key_type: RSAKeyType::RSA,
                n: encode(n),
                e: encode(e),
            }),
            Self::Ec { curve, point } => {
                let (x, y) = coordinates(point);
                let curve = match curve {
                    Curve::P256 => EllipticCurve::P256,
                    Curve::P384 => EllipticCurve::P384,
                };
                AlgorithmParameters::EllipticCurve(EllipticCurveKeyParameters {
                    key_type: EllipticCurveKeyType::EC,
                    curve,
                    x: encode(x),
                    y: encode(y),
                })
            }
            Self::Ed25519(x) => AlgorithmParameters::OctetKeyPair(OctetKeyPairParameters {
                key_type: OctetKeyPairType::OctetKeyPair,
                curve: EllipticCurve::Ed25519,
                x: encode(x),
            }),
        }
    }

    /// The thumbprint of RFC 7638 under SHA-256, in base64url.
    pub(super) fn thumbprint(&self) -> String {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let canonical = match self {
            Self::Rsa { n, e } => {
                format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, encode(e), encode(n))
            }
            Self::Ec { curve, point } => {
                let (x, y) = coordinates(point);
                let (x, y) = (encode(x), encode(y));
                let curve = match curve {
                    Curve::P256 => "P-256",
                    Curve::P384 => "P-384",
                };
                format!(r#"{{"crv":"{curve}","kty":"EC","x":"{x}","y":"{y}"}}"#)
            }
            Self::Ed25519(x) => {
                format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, encode(x))
            }
        };
        URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, canonical.as_bytes()))
    }
}

impl Key {
    /// The public half as a JWK with `alg`, `kid` and `use`. `None`: a secret has no such half.
    ///
    /// `alg` is the declared algorithm, else the one that the type has alone; an RSA key that
    /// serves several publishes RS256, which is what it signs with.
    #[must_use]
    pub fn public_jwk(&self) -> Option<Jwk> {
        let algorithm = self.declared().or(self.key_type().algorithms().first().copied())?;
        Some(Jwk {
            common: CommonParameters {
                public_key_use: Some(PublicKeyUse::Signature),
                key_algorithm: Some(jsonwebtoken::Algorithm::from(algorithm).into()),
                key_id: Some(self.id().to_owned()),
                ..CommonParameters::default()
            },
            algorithm: self.public()?.parameters(),
        })
    }

    /// The thumbprint of RFC 7638 under SHA-256, in base64url. `None` for a secret: its
    /// thumbprint would help to guess it.
    #[must_use]
    pub fn thumbprint(&self) -> Option<String> {
        self.public().map(Public::thumbprint)
    }
}

/// The public halves of `keys` as a JWK set; secrets are left out.
pub(super) fn public_set<'a>(keys: impl Iterator<Item = &'a Key>) -> JwkSet {
    JwkSet { keys: keys.filter_map(Key::public_jwk).collect() }
}
