//! What one worker remembers of credentials that it has verified, within a bound in bytes.
//!
//! Tokens are keyed by the whole token, compared in full: a digest as the key gives back what
//! the memory saves, and a short hash as the key is a login for whoever finds a collision. The
//! hash that finds a key is seeded at random, and only what has verified is ever put in.
//! Passwords are keyed by a MAC under a random key. Key and memory belong to one snapshot; with
//! the next it starts empty.

use std::collections::HashMap;
use std::hash::Hash;
use std::rc::Rc;

use aws_lc_rs::hmac;
use foldhash::quality::RandomState;

use super::Principal;

/// Remembered successes of one kind, keyed by what was presented.
///
/// Two halves: what is used moves to the young one, and when that is full the old one is
/// forgotten at once. So the bound holds and nothing is ever searched for a victim.
#[derive(Debug)]
pub struct Memory<K> {
    young: HashMap<K, Entry, RandomState>,
    old: HashMap<K, Entry, RandomState>,
    young_bytes: usize,
    half: usize,
}

#[derive(Clone, Debug)]
struct Entry {
    principal: Rc<Principal>,
    /// The last second at which it holds.
    until: u64,
    /// Its part in the bound.
    weight: usize,
}

/// A key's part in the bound.
pub trait Weight {
    /// Bytes that it holds outside itself.
    fn weight(&self) -> usize;
}

impl Weight for Box<str> {
    fn weight(&self) -> usize {
        self.len()
    }
}

impl Weight for Digest {
    fn weight(&self) -> usize {
        0
    }
}

const ENTRY_BYTES: usize = 160;

impl<K: Eq + Hash + Weight> Memory<K> {
    /// A memory that holds about so many bytes; zero remembers nothing.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        Self { young: HashMap::default(), old: HashMap::default(), young_bytes: 0, half: bytes / 2 }
    }

    /// Whom the key proved, if that still holds at `now` (Unix seconds).
    pub fn recall<Q>(&mut self, key: &Q, now: u64) -> Option<Rc<Principal>>
    where
        K: std::borrow::Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        if let Some(entry) = self.young.get(key) {
            if now <= entry.until {
                return Some(Rc::clone(&entry.principal));
            }
            self.young.remove(key);
            return None;
        }
        let (key, entry) = self.old.remove_entry(key)?;
        if now > entry.until {
            return None;
        }
        let principal = Rc::clone(&entry.principal);
        self.insert(key, entry);
        Some(principal)
    }

    /// Remembers whom the key proved, up to and including the second `until`.
    pub fn remember(&mut self, key: K, principal: Rc<Principal>, until: u64) {
        let weight = key.weight() + principal.weight() + ENTRY_BYTES;
        self.insert(key, Entry { principal, until, weight });
    }

    fn insert(&mut self, key: K, entry: Entry) {
        let weight = entry.weight;
        if weight > self.half {
            return;
        }
        if self.young_bytes + weight > self.half {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        self.young_bytes += weight;
        self.young.insert(key, entry);
    }
}

/// The MAC of a user name and a password.
pub type Digest = [u8; 32];

/// The key under which passwords are remembered: random, never stored.
#[derive(Clone, Debug)]
pub struct DigestKey(hmac::Key);

impl DigestKey {
    /// A new random key.
    ///
    /// # Errors
    ///
    /// There is no randomness.
    pub fn random() -> Result<Self, aws_lc_rs::error::Unspecified> {
        let random = aws_lc_rs::rand::SystemRandom::new();
        hmac::Key::generate(hmac::HMAC_SHA256, &random).map(Self)
    }

    /// The digest of a pair; lengths are part of it, so that no two pairs share one.
    #[must_use]
    pub fn digest(&self, user: &str, password: &str) -> Digest {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(&(user.len() as u64).to_be_bytes());
        context.update(user.as_bytes());
        context.update(password.as_bytes());
        let mut digest = Digest::default();
        let tag = context.sign();
        for (to, from) in digest.iter_mut().zip(tag.as_ref()) {
            *to = *from;
        }
        digest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn principal() -> Rc<Principal> {
        Rc::new(super::super::anonymous())
    }

    #[test]
    fn a_success_is_remembered_until_its_last_second() {
        let mut memory = Memory::<Box<str>>::new(10_000);
        memory.remember("token".into(), principal(), 100);

        assert!(memory.recall("token", 100).is_some());
        assert!(memory.recall("other", 100).is_none());
        assert!(memory.recall("token", 101).is_none());
        assert!(memory.recall("token", 100).is_none());
    }

    #[test]
    fn the_bound_holds_and_what_is_used_stays() {
        let weight = ENTRY_BYTES + principal().weight() + 4;
        let mut memory = Memory::<Box<str>>::new(20 * weight);
        memory.remember("used".into(), principal(), 100);
        for number in 0..1000 {
            memory.remember(format!("{number:04}").into(), principal(), 100);
            assert!(memory.recall("used", 1).is_some());
            assert!(memory.young.len() + memory.old.len() <= 21);
        }
        assert!(memory.recall("0000", 1).is_none());
    }

    #[test]
    fn a_principal_of_many_permissions_weighs_what_it_holds() {
        assert!(principal().weight() < 1024);
        let mut facts = super::super::anonymous().facts().clone();
        facts.roles = vec!["a-role-of-some-length".into(); 1000];
        let heavy = Rc::new(Principal::new(facts));
        let mut memory = Memory::<Box<str>>::new(20_000);

        memory.remember("token".into(), heavy, 100);

        assert!(memory.recall("token", 1).is_none());
    }

    #[test]
    fn a_memory_of_nothing_remembers_nothing() {
        let mut memory = Memory::<Box<str>>::new(0);
        memory.remember("token".into(), principal(), 100);
        assert!(memory.recall("token", 1).is_none());
    }

    #[test]
    fn pairs_that_join_to_the_same_text_have_different_digests() {
        let key = DigestKey::random().unwrap();
        assert_ne!(key.digest("a", "bc"), key.digest("ab", "c"));
        assert_eq!(key.digest("a", "bc"), key.digest("a", "bc"));
    }
}
