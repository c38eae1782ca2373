//! What is known, one by one as far as there is room, and how a change is taken in.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use foldhash::quality::RandomState;

use super::overflow::{Kind, Overflow};
use super::{Change, Revocation, Revoked};
use crate::api_key::{ApiKey, KeyHash};

type Map<K, V> = HashMap<K, V, RandomState>;
type Names = HashSet<Box<str>, RandomState>;

/// How many revocations of a kind, and how many keys, are known one by one.
pub(super) const MOST: usize = 1_000_000;

/// How many changes are held against a list that may be older than they are.
const MOST_RECENT: usize = 10_000;

/// What is known now.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) keys: Map<Box<str>, Arc<ApiKey>>,
    pub(super) keys_by_hash: Map<KeyHash, Arc<ApiKey>>,
    pub(super) families: Map<Box<str>, u64>,
    pub(super) tokens: Map<Box<str>, u64>,
    pub(super) users: Map<Box<str>, UserEnd>,
    pub(super) overflow: Overflow,
    pub(super) second_factors: Names,
    pub(super) recent: Recent,
}

/// What was told since the last full list, which may have been read before.
#[derive(Debug, Default)]
pub(super) struct Recent {
    pub(super) keys: Map<Box<str>, Option<Arc<ApiKey>>>,
    pub(super) second_factors: Map<Box<str>, bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct UserEnd {
    pub(super) since_ms: u64,
    pub(super) until: u64,
}

impl Known {
    pub(super) fn has_family_ended(&self, id: &str) -> bool {
        self.families.contains_key(id) || self.overflow.holds(Kind::Family, id)
    }

    pub(super) fn has_user_ended(&self, user: &str, began_ms: u64) -> bool {
        self.users.get(user).is_some_and(|end| began_ms <= end.since_ms)
            || self.overflow.holds(Kind::User, user)
    }

    /// Takes a change in; whether anything is different now.
    pub(super) fn apply(&mut self, change: Change, is_recent: bool) -> bool {
        match change {
            Change::Key(key) => {
                if self.keys.get(&key.id).is_some_and(|known| *known == key) {
                    return false;
                }
                if is_recent {
                    self.recent.keys.insert(key.id.clone(), Some(Arc::clone(&key)));
                }
                self.insert_key(key)
            }
            Change::KeyEnded(id) => {
                let was_known = self.remove_key(&id);
                if is_recent {
                    self.recent.keys.insert(id, None);
                }
                was_known
            }
            Change::Revoked(Revocation { what, until }) => self.revoke(what, until),
            Change::SecondFactor { user, enrolled } => {
                if is_recent {
                    self.recent.second_factors.insert(user.clone(), enrolled);
                }
                self.set_second_factor(user, enrolled)
            }
        }
    }

    /// A key that finds no room is as good as none.
    pub(super) fn insert_key(&mut self, key: Arc<ApiKey>) -> bool {
        self.remove_key(&key.id);
        if self.keys.len() >= MOST {
            return false;
        }
        self.keys_by_hash.insert(key.hash, Arc::clone(&key));
        self.keys.insert(key.id.clone(), key);
        true
    }

    pub(super) fn remove_key(&mut self, id: &str) -> bool {
        let Some(key) = self.keys.remove(id) else { return false };
        self.keys_by_hash.remove(&key.hash);
        true
    }

    pub(super) fn set_second_factor(&mut self, user: Box<str>, enrolled: bool) -> bool {
        if enrolled { self.second_factors.insert(user) } else { self.second_factors.remove(&user) }
    }

    pub(super) fn revoke(&mut self, what: Revoked, until: u64) -> bool {
        let (kind, of_kind, name) = match what {
            Revoked::Family(id) => (Kind::Family, &mut self.families, id),
            Revoked::Token(id) => (Kind::Token, &mut self.tokens, id),
            Revoked::User { name, since_ms } => return self.end_user(name, since_ms, until),
        };
        if let Some(known) = of_kind.get_mut(&name) {
            *known = until.max(*known);
            return false;
        }
        if of_kind.len() >= MOST {
            return self.overflow.insert(kind, &name, until);
        }
        of_kind.insert(name, until);
        true
    }

    fn end_user(&mut self, name: Box<str>, since_ms: u64, until: u64) -> bool {
        if let Some(known) = self.users.get_mut(&name) {
            let is_later = since_ms > known.since_ms;
            known.since_ms = since_ms.max(known.since_ms);
            known.until = until.max(known.until);
            return is_later;
        }
        if self.users.len() >= MOST {
            return self.overflow.insert(Kind::User, &name, until);
        }
        self.users.insert(name, UserEnd { since_ms, until });
        true
    }

    /// Forgets what was told, if that is too much to be held against a list.
    pub(super) fn sweep_recent(&mut self) {
        if self.recent.keys.len() + self.recent.second_factors.len() > MOST_RECENT {
            self.recent = Recent::default();
        }
    }
}
