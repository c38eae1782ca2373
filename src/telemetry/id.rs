//! Names for requests and decisions, by which a client, an operator and an upstream can speak of
//! the same one.
//!
//! They are unique, not secret: a random start for each source and a counter, so that making one
//! costs no system call.

use std::fmt;

/// Lower case, and without the letters that are read as digits.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const LENGTH: usize = 18;
const FOREIGN_LENGTH_MAX: usize = 64;

/// An id made here: 18 characters of `[0-9a-z]`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Id([u8; LENGTH]);

impl Id {
    /// The id's characters, all of them ASCII: what is written needs no second look at them.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default() // always ASCII
    }
}

impl fmt::Display for Id {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Id({self})")
    }
}

/// Makes ids; each worker has its own.
#[derive(Debug)]
pub struct IdSource {
    /// 50 bits that tell this source from others.
    source: u64,
    /// 40 bits that count.
    counter: u64,
}

impl IdSource {
    /// A source with a random start.
    ///
    /// # Errors
    ///
    /// When the system has no randomness to give.
    pub fn random() -> Result<Self, NoRandomness> {
        let mut seed = [0; 16];
        aws_lc_rs::rand::fill(&mut seed).map_err(|_| NoRandomness)?;
        let seed = u128::from_ne_bytes(seed);
        let half = |bits: u128| u64::try_from(bits & u128::from(u64::MAX)).unwrap_or_default();
        Ok(Self::seeded(half(seed), half(seed >> 64)))
    }

    /// A source with a given start, for tests.
    #[must_use]
    pub fn seeded(source: u64, counter: u64) -> Self {
        Self { source, counter }
    }

    /// The next id.
    pub fn next_id(&mut self) -> Id {
        self.counter = self.counter.wrapping_add(1);
        let mut id = [0; LENGTH];
        let (source, counter) = id.split_at_mut(10);
        write_digits(source, self.source);
        write_digits(counter, self.counter);
        Id(id)
    }
}

/// The system gave no random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system has no randomness to give")]
pub struct NoRandomness;

/// Writes the low bits of `value`, five for each place, the least significant last.
fn write_digits(places: &mut [u8], mut value: u64) {
    for place in places.iter_mut().rev() {
        let digit = usize::try_from(value & 31).unwrap_or_default();
        *place = ALPHABET.get(digit).copied().unwrap_or(b'0');
        value >>= 5;
    }
}

/// The id that a client or a proxy before us gave a request, if we can take it as it is: 1 to 64
/// characters of `[A-Za-z0-9._-]`, harmless in a log, a header and a shell.
#[must_use]
pub fn foreign(value: &[u8]) -> Option<&str> {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    if value.is_empty() || value.len() > FOREIGN_LENGTH_MAX || !value.iter().all(allowed) {
        return None;
    }
    std::str::from_utf8(value).ok()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_of_two_sources_never_meet() {
        let mut sources = [IdSource::random().unwrap(), IdSource::random().unwrap()];

        let ids: HashSet<_> =
            sources.iter_mut().flat_map(|source| [source.next_id(), source.next_id()]).collect();

        assert_eq!(ids.len(), 4);
    }

    #[test]
    fn an_id_is_its_source_and_its_number() {
        let mut source = IdSource::seeded(1, 30);

        assert_eq!(source.next_id().as_str(), "00000000010000000z");
        assert_eq!(source.next_id().as_str(), "000000000100000010");
    }

    #[test]
    fn the_counter_wraps_without_a_panic() {
        let mut source = IdSource::seeded(u64::MAX, u64::MAX);

        assert_eq!(source.next_id().as_str(), "zzzzzzzzzz00000000");
    }

    #[test]
    fn a_made_id_would_be_taken_from_others() {
        let id = IdSource::seeded(3, 9).next_id();

        assert_eq!(foreign(id.as_str().as_bytes()), Some(id.as_str()));
    }

    #[test]
    fn a_foreign_id_is_taken_only_if_it_is_harmless() {
        for good in ["a", "7f0c-B.x_1", &"x".repeat(64)] {
            assert_eq!(foreign(good.as_bytes()), Some(good));
        }
        for bad in ["", " a", "a\nb", "a\"b", "a;b", "é", "$(id)", &"x".repeat(65)] {
            assert_eq!(foreign(bad.as_bytes()), None, "{bad:?}");
        }
    }
}
