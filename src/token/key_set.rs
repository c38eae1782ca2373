//! Which key of an issuer verifies a token: by id, else the only one that could.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::quality::RandomState;

use super::algorithm::{Algorithm, KeyType};
use super::header::Header;
use super::issuer::{IssuerError, IssuerSettings};
use super::key::{Key, MAX_KEY_ID};
use super::keyring::Keyring;
use super::verifier::VerifyError;

/// The keys of one issuer with the algorithms that they may serve there.
#[derive(Debug)]
pub(super) struct KeySet {
    by_id: HashMap<Box<str>, Usable, RandomState>,
}

#[derive(Debug)]
struct Usable {
    key: Arc<Key>,
    algorithms: Vec<Algorithm>,
}

impl KeySet {
    /// The keys of an issuer, narrowed as it says.
    pub(super) fn of(settings: &IssuerSettings) -> Result<Self, IssuerError> {
        let narrowing = settings.algorithms.as_deref();
        let symmetric = narrowing.unwrap_or_default().iter().filter(|it| it.is_symmetric()).count();
        if symmetric != 0 && symmetric != narrowing.map_or(0, <[_]>::len) {
            return Err(IssuerError::MixedAlgorithms(settings.name.clone()));
        }
        for key in settings.keyring.keys().filter(|key| key.key_type() == KeyType::Secret) {
            let wanted = narrowing.unwrap_or_default().iter().copied();
            let mut unserved = wanted.filter(|algorithm| key.verifying(*algorithm).is_none());
            if key.declared().is_none()
                && let Some(algorithm) = unserved.next()
            {
                let (issuer, key) = (settings.name.clone(), key.id().to_owned());
                return Err(IssuerError::ShortSecret { issuer, key, algorithm });
            }
        }
        let keys = Self::new(&settings.keyring, narrowing);
        if keys.by_id.values().all(|usable| usable.algorithms.is_empty()) {
            return Err(IssuerError::NoUsableKey(settings.name.clone()));
        }
        Ok(keys)
    }

    pub(super) fn new(keyring: &Keyring, narrowing: Option<&[Algorithm]>) -> Self {
        let usable = |key: &Arc<Key>| {
            let algorithms = key.allowed(narrowing);
            (key.id().into(), Usable { key: Arc::clone(key), algorithms })
        };
        Self { by_id: keyring.shared().map(usable).collect() }
    }

    /// Verifies a signature with the key that the header names, else with the only one that
    /// serves the algorithm.
    pub(super) fn verify(
        &self,
        header: &Header,
        signed: &[u8],
        signature: &[u8],
    ) -> Result<(), VerifyError> {
        let usable = match &header.key_id {
            Some(id) if id.len() > MAX_KEY_ID => return Err(VerifyError::UnknownKey),
            Some(id) => self.by_id.get(&**id).ok_or(VerifyError::UnknownKey)?,
            None => self.only_one_for(header.algorithm)?,
        };
        if !usable.algorithms.contains(&header.algorithm) {
            return Err(VerifyError::AlgorithmNotAllowed);
        }
        let verifying =
            usable.key.verifying(header.algorithm).ok_or(VerifyError::AlgorithmNotAllowed)?;
        if !verifying.verify(signed, signature) {
            return Err(VerifyError::BadSignature);
        }
        Ok(())
    }

    fn only_one_for(&self, algorithm: Algorithm) -> Result<&Usable, VerifyError> {
        let mut serving =
            self.by_id.values().filter(|usable| usable.algorithms.contains(&algorithm));
        match (serving.next(), serving.next()) {
            (Some(only), None) => Ok(only),
            (Some(_), Some(_)) => Err(VerifyError::AmbiguousKey),
            (None, _) => Err(VerifyError::UnknownKey),
        }
    }
}
