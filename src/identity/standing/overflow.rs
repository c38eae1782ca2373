//! Revocations beyond the number that is known one by one: a pattern of fixed size in which each
//! leaves a few marks.
//!
//! What was revoked is always found. Something else may be taken for it, the more often the more
//! there is: its holder then has to log in again, which is the safe side to err on.

use std::hash::BuildHasher as _;

use foldhash::quality::RandomState;

/// Sixteen MiB: with ten million revocations one in two hundred others is taken for one.
const BITS: u64 = 1 << 27;
const WORDS: usize = 1 << 21;

/// What a mark is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Family,
    Token,
    User,
}

/// The pattern. It takes no room while it is not needed.
#[derive(Debug, Default)]
pub(super) struct Overflow {
    seeds: [RandomState; 2],
    words: Vec<u64>,
    count: u64,
    /// When all of it may be forgotten, in Unix seconds.
    until: u64,
}

impl Overflow {
    /// Whether this was revoked, or looks as if.
    pub(super) fn holds(&self, kind: Kind, name: &str) -> bool {
        if self.words.is_empty() {
            return false;
        }
        let is_marked =
            |(word, mask): (usize, u64)| self.words.get(word).is_some_and(|word| word & mask != 0);
        self.marks(kind, name).into_iter().all(is_marked)
    }

    /// Marks a revocation; whether anything is different now.
    pub(super) fn insert(&mut self, kind: Kind, name: &str, until: u64) -> bool {
        self.until = until.max(self.until);
        if self.holds(kind, name) {
            return false;
        }
        self.words.resize(WORDS, 0);
        for (word, mask) in self.marks(kind, name) {
            if let Some(word) = self.words.get_mut(word) {
                *word |= mask;
            }
        }
        self.count += 1;
        true
    }

    /// How many have left marks.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Forgets all of it once none of it matters.
    pub(super) fn sweep(&mut self, now: u64) {
        if self.count > 0 && self.until <= now {
            *self = Self::default();
        }
    }

    fn marks(&self, kind: Kind, name: &str) -> [(usize, u64); 4] {
        let [first, second] = self.seeds.each_ref().map(|seed| seed.hash_one((kind, name)));
        [0, 1, 2, 3].map(|index| {
            let bit = first.wrapping_add(second.wrapping_mul(index)) % BITS;
            (usize::try_from(bit / 64).unwrap_or(0), 1 << (bit % 64))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_marked_is_found_and_little_else() {
        let mut overflow = Overflow::default();
        assert!(!overflow.holds(Kind::Token, "0"));

        for number in 0..1000 {
            assert!(overflow.insert(Kind::Token, &number.to_string(), 100));
            assert!(!overflow.insert(Kind::Token, &number.to_string(), 100));
        }

        let found = |kind| (0..2000).filter(|n: &u32| overflow.holds(kind, &n.to_string())).count();
        assert!((1000..1003).contains(&found(Kind::Token)));
        assert!(found(Kind::User) < 3);
    }

    #[test]
    fn it_is_forgotten_when_the_last_of_it_no_longer_matters() {
        let mut overflow = Overflow::default();
        overflow.insert(Kind::Family, "a", 100);
        overflow.insert(Kind::User, "b", 200);

        overflow.sweep(199);
        assert!(overflow.holds(Kind::Family, "a"));
        overflow.sweep(200);
        assert!(!overflow.holds(Kind::Family, "a") && !overflow.holds(Kind::User, "b"));
        assert_eq!(overflow.count(), 0);
    }
}
