//! Tokens: keys by id, and signed JWTs in and out.
//!
//! A token is verified by the rules of its issuer (RFC 8725): the algorithm belongs to the key,
//! keys come from the configuration alone, `exp`, `iss` and `aud` are demanded, and whatever is
//! ambiguous is refused. This module is pure but for [`Keyring::load`], which reads files; the
//! time is an argument.

mod algorithm;
mod claims;
mod compact;
mod der;
mod encoding;
mod generate;
mod header;
mod issuer;
mod json;
mod jwk;
mod key;
mod key_set;
mod keyring;
mod payload;
mod public;
mod signer;
mod spki;
mod verifier;

pub use algorithm::{Algorithm, KeyType, UnknownAlgorithm};
pub use claims::{ClaimPath, ClaimPathError, ClaimPaths, VerifiedToken};
pub use generate::{GeneratedKey, generate};
pub use issuer::{IssuerError, IssuerSettings, MAX_LEEWAY, RequiredClaims};
pub use key::{Key, KeyFault};
pub use keyring::{KeyError, Keyring, Warning};
pub use signer::{SignError, Signer, token_id};
pub use verifier::{MAX_TOKEN, Scratch, Verifier, VerifyError};
