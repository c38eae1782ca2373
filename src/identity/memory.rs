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
use super::basis::Standstill;
use super::standing::{Ended, Standing};

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
    /// Of what is known beside the snapshot, the state in which it was last judged.
    epoch: u64,
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

    /// Whom the key proved, if that still holds at `now` (Unix seconds). What was judged in
    /// another state of `standing` is judged again, and stays if it still holds.
    ///
    /// # Errors
    ///
    /// [`Ended`]: it held once, and is worth nothing any more.
    pub fn recall<Q>(
        &mut self,
        key: &Q,
        standing: &Standing,
        now: u64,
    ) -> Result<Option<Rc<Principal>>, Ended>
    where
        K: std::borrow::Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let epoch = standing.epoch();
        if let Some(entry) = self.young.get_mut(key) {
            if now <= entry.until && entry.epoch == epoch {
                return Ok(Some(Rc::clone(&entry.principal)));
            }
            return match entry.judge(standing, epoch, now) {
                Ok(Some(principal)) => Ok(Some(principal)),
                gone => {
                    self.young.remove(key);
                    gone
                }
            };
        }
        let Some((key, mut entry)) = self.old.remove_entry(key) else { return Ok(None) };
        let judged = entry.judge(standing, epoch, now)?;
        if judged.is_some() {
            self.insert(key, entry);
        }
        Ok(judged)
    }

    /// Remembers whom the key proved, up to and including the second `until`. `epoch` is that of
    /// the standing before it was judged.
    pub fn remember(&mut self, key: K, principal: Rc<Principal>, epoch: u64, until: u64) {
        let weight = key.weight() + principal.weight() + ENTRY_BYTES;
        self.insert(key, Entry { principal, epoch, until, weight });
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

impl Entry {
    #[cold]
    fn judge(
        &mut self,
        standing: &Standing,
        epoch: u64,
        now: u64,
    ) -> Result<Option<Rc<Principal>>, Ended> {
        if now > self.until {
            return Ok(None);
        }
        if self.epoch != epoch {
            match self.principal.judge(standing, now)? {
                Standstill::Changed => return Ok(None),
                Standstill::Holds => self.epoch = epoch,
            }
        }
        Ok(Some(Rc::clone(&self.principal)))
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

    /// Under which a pair is known that came with a code: never that of a pair that did not.
    #[must_use]
    pub fn with_code(&self, digest: &Digest) -> Digest {
        let mut coded = Digest::default();
        let tag = hmac::sign(&self.0, &[&b"with a code"[..], digest].concat());
        for (to, from) in coded.iter_mut().zip(tag.as_ref()) {
            *to = *from;
        }
        coded
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
    use crate::identity::basis::Basis;
    use crate::identity::standing::{Change, Revocation, Revoked, TokenFacts};

    fn recall(memory: &mut Memory<Box<str>>, key: &str, now: u64) -> Option<Rc<Principal>> {
        memory.recall(key, &Standing::default(), now).unwrap()
    }

    fn principal() -> Rc<Principal> {
        Rc::new(super::super::anonymous())
    }

    #[test]
    fn a_success_is_remembered_until_its_last_second() {
        let mut memory = Memory::<Box<str>>::new(10_000);
        memory.remember("token".into(), principal(), 1, 100);

        assert!(recall(&mut memory, "token", 100).is_some());
        assert!(recall(&mut memory, "other", 100).is_none());
        assert!(recall(&mut memory, "token", 101).is_none());
        assert!(recall(&mut memory, "token", 100).is_none());
    }

    #[test]
    fn what_was_revoked_meanwhile_is_judged_again_and_the_rest_stays() {
        let standing = Standing::default();
        let of = |id: &str| {
            let token = TokenFacts { token_id: Some(id.into()), ..TokenFacts::default() };
            let facts = super::super::anonymous().facts().clone();
            Rc::new(Principal::new(facts, Basis::Token { token, is_bound: false }))
        };
        let mut memory = Memory::<Box<str>>::new(100_000);
        for id in ["kept", "ended"] {
            memory.remember(id.into(), of(id), standing.epoch(), 100);
        }

        let revocation = Revocation { what: Revoked::Token("ended".into()), until: 100 };
        standing.apply([Change::Revoked(revocation)]);

        assert!(memory.recall("kept", &standing, 1).unwrap().is_some());
        assert_eq!(memory.young["kept"].epoch, standing.epoch());
        assert!(matches!(memory.recall("ended", &standing, 1), Err(Ended::Token)));
        assert!(matches!(memory.recall("ended", &standing, 1), Ok(None)));
    }

    #[test]
    fn a_password_is_forgotten_when_its_user_enrols_a_second_factor() {
        let standing = Standing::default();
        let of = |has_code| {
            let facts = super::super::anonymous().facts().clone();
            let facts = crate::identity::principal::Facts { name: "alice".into(), ..facts };
            Rc::new(Principal::new(facts, Basis::Password { has_code }))
        };
        let mut memory = Memory::<Box<str>>::new(100_000);
        memory.remember("alone".into(), of(false), standing.epoch(), 100);
        memory.remember("both".into(), of(true), standing.epoch(), 100);

        standing.apply([Change::SecondFactor { user: "alice".into(), enrolled: true }]);

        assert!(memory.recall("alone", &standing, 1).unwrap().is_none());
        assert!(memory.recall("both", &standing, 1).unwrap().is_some());
    }

    #[test]
    fn the_bound_holds_and_what_is_used_stays() {
        let weight = ENTRY_BYTES + principal().weight() + 4;
        let mut memory = Memory::<Box<str>>::new(20 * weight);
        memory.remember("used".into(), principal(), 1, 100);
        for number in 0..1000 {
            memory.remember(format!("{number:04}").into(), principal(), 1, 100);
            assert!(recall(&mut memory, "used", 1).is_some());
            assert!(memory.young.len() + memory.old.len() <= 21);
        }
        assert!(recall(&mut memory, "0000", 1).is_none());
    }

    #[test]
    fn a_principal_of_many_permissions_weighs_what_it_holds() {
        assert!(principal().weight() < 1024);
        let mut facts = super::super::anonymous().facts().clone();
        facts.roles = vec!["a-role-of-some-length".into(); 1000];
        let heavy = Rc::new(Principal::new(facts, Basis::Nobody));
        let mut memory = Memory::<Box<str>>::new(20_000);

        memory.remember("token".into(), heavy, 1, 100);

        assert!(recall(&mut memory, "token", 1).is_none());
    }

    #[test]
    fn a_memory_of_nothing_remembers_nothing() {
        let mut memory = Memory::<Box<str>>::new(0);
        memory.remember("token".into(), principal(), 1, 100);
        assert!(recall(&mut memory, "token", 1).is_none());
    }

    #[test]
    fn pairs_that_join_to_the_same_text_have_different_digests() {
        let key = DigestKey::random().unwrap();
        assert_ne!(key.digest("a", "bc"), key.digest("ab", "c"));
        assert_eq!(key.digest("a", "bc"), key.digest("a", "bc"));
        assert_ne!(key.with_code(&key.digest("a", "bc")), key.digest("a", "bc"));
    }
}
