//! Who has failed how often, within bounds.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash};
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use foldhash::quality::RandomState;
use unicode_normalization::UnicodeNormalization as _;

use super::failures::{Failures, Rule};
use super::{Counts, Settings, Throttled};

/// How many users, and how many addresses, are held in each of two halves.
const HALF: usize = 32 * 1024;
/// From how many addresses the failures of a user are told apart.
const MOST_ADDRESSES: usize = 32;
/// How many addresses are known as a user's own.
const MOST_OWN: usize = 8;
/// To how many addresses it is promised at a time when they may try to log in as one user.
const MOST_PROMISES: usize = 8;
/// The longest name that is told, in bytes.
const MAX_TOLD: usize = 64;
/// The longest name that is read as a whole, in bytes.
const MAX_NAME: usize = 1024;

/// What is known of a user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UserCount {
    /// Failures from all addresses since the last success.
    pub failures: u32,
    /// Addresses with failures since their last success.
    pub addresses: usize,
    /// How long an attempt from an address that is not the user's own has to wait.
    pub wait: Duration,
}

/// A user or an address that has to wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The name, as it was given first and cut to 64 bytes. `None`: it is about the address,
    /// whoever it names.
    pub user: Option<Box<str>>,
    /// The address, or the network of 64 bits. `None`: it is about the user from everywhere.
    pub address: Option<IpAddr>,
    /// Failures since the last success.
    pub failures: u32,
    /// How long it has to wait.
    pub wait: Duration,
}

#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) settings: Settings,
    pub(super) failed: u64,
    throttled: u64,
    seed: RandomState,
    users: Halves<u64, User>,
    addresses: Halves<IpAddr, Failures>,
}

/// Where an attempt was counted, and what stood there before.
#[derive(Debug)]
pub(super) struct Place {
    user: u64,
    address: IpAddr,
    before: [Failures; 3],
}

#[derive(Debug, Default)]
struct User {
    all: Failures,
    by_address: Vec<(IpAddr, Failures)>,
    /// Whence the user has logged in, the latest last.
    own: Vec<IpAddr>,
    /// Who was told to wait for others' failures, and until when.
    promised: Vec<(IpAddr, u64)>,
    /// The name, once there was a failure.
    name: Box<str>,
}

impl Ledger {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            settings,
            failed: 0,
            throttled: 0,
            seed: RandomState::default(),
            users: Halves::default(),
            addresses: Halves::default(),
        }
    }

    pub(super) fn begin(
        &mut self,
        name: &str,
        client: IpAddr,
        now: u64,
    ) -> Result<Place, Throttled> {
        let (user, address) = (self.key(name), network(client));
        let (of_user, of_address) = self.rules();
        let anybody = self.addresses.get(address);
        // First, so that an address that must wait cannot drive out what is known of users.
        let anywhere = anybody.wait(of_address, now);
        if anywhere > 0 {
            self.throttled += 1;
            return Err(Throttled { retry_after: Duration::from_millis(anywhere) });
        }
        let entry = self.users.get(user);
        let known = entry.by_address.iter().find(|(known, _)| *known == address);
        let here = known.map_or_else(Failures::default, |(_, failures)| *failures);
        let own_wait = here.wait(of_user, now);
        let everywhere =
            if entry.own.contains(&address) { 0 } else { entry.all.wait(of_user, now) };
        let everywhere = if own_wait > 0 || everywhere == 0 {
            everywhere
        } else {
            entry.promised(address, everywhere, now, of_user)
        };
        let wait = own_wait.max(everywhere);
        if wait > 0 {
            self.throttled += 1;
            return Err(Throttled { retry_after: Duration::from_millis(wait) });
        }
        if entry.name.is_empty() {
            let end = name.floor_char_boundary(MAX_TOLD);
            entry.name = name.get(..end).unwrap_or_default().into();
        }
        let before = [here, entry.all, *anybody];
        anybody.add(of_address, now);
        entry.all.add(of_user, now);
        entry.here(address).add(of_user, now);
        Ok(Place { user, address, before })
    }

    pub(super) fn succeeded(&mut self, place: &Place) {
        let [_, _, anybody] = place.before;
        self.addresses.get(place.address).withdraw(anybody);
        let entry = self.users.get(place.user);
        entry.all.clear();
        entry.promised.clear();
        entry.by_address.retain(|(address, _)| *address != place.address);
        entry.own.retain(|own| *own != place.address);
        if entry.own.len() >= MOST_OWN {
            entry.own.remove(0);
        }
        entry.own.push(place.address);
    }

    pub(super) fn withdraw(&mut self, place: &Place) {
        let [here, all, anybody] = place.before;
        self.addresses.get(place.address).withdraw(anybody);
        let entry = self.users.get(place.user);
        entry.all.withdraw(all);
        entry.here(place.address).withdraw(here);
    }

    pub(super) fn of(&mut self, name: &str, now: u64) -> UserCount {
        let (rule, _) = self.rules();
        let key = self.key(name);
        let Some(user) = self.users.peek(key) else { return UserCount::default() };
        UserCount {
            failures: user.all.count(),
            addresses: user.by_address.len(),
            wait: Duration::from_millis(user.all.wait(rule, now)),
        }
    }

    pub(super) fn clear(&mut self, name: &str) -> bool {
        let key = self.key(name);
        let Some(user) = self.users.peek(key) else { return false };
        let had_any = !user.all.is_empty() || !user.by_address.is_empty();
        user.all.clear();
        user.by_address.clear();
        user.promised.clear();
        had_any
    }

    pub(super) fn clear_address(&mut self, client: IpAddr) -> bool {
        let Some(failures) = self.addresses.peek(network(client)) else { return false };
        let had_any = !failures.is_empty();
        failures.clear();
        had_any
    }

    pub(super) fn waiting(&self, now: u64, most: usize) -> (usize, Vec<Waiting>) {
        let (of_user, of_address) = self.rules();
        let mut waiting = Vec::new();
        let mut note = |user, address, failures: &Failures, rule| {
            let wait = failures.wait(rule, now);
            if wait > 0 {
                waiting.push((wait, failures.count(), user, address));
            }
        };
        for (address, failures) in self.addresses.iter() {
            note(None, Some(*address), failures, of_address);
        }
        for (_, user) in self.users.iter() {
            note(Some(&*user.name), None, &user.all, of_user);
            for (address, failures) in &user.by_address {
                note(Some(&*user.name), Some(*address), failures, of_user);
            }
        }
        let all = waiting.len();
        waiting.sort_unstable_by(|one, other| other.cmp(one));
        let told = waiting.into_iter().take(most).map(|(wait, failures, user, address)| Waiting {
            user: user.map(Into::into),
            address,
            failures,
            wait: Duration::from_millis(wait),
        });
        (all, told.collect())
    }

    pub(super) fn counts(&self) -> Counts {
        Counts {
            users: self.users.len(),
            addresses: self.addresses.len(),
            failed: self.failed,
            throttled: self.throttled,
        }
    }

    fn rules(&self) -> (Rule, Rule) {
        let Settings { failures, failures_per_address, delay, max_delay } = self.settings;
        let rule = |free| Rule { free, delay, max_delay };
        (rule(failures), rule(failures_per_address))
    }

    /// All spellings of a name have one key. Two names may have one as well, by chance, and then
    /// share their failures.
    fn key(&self, name: &str) -> u64 {
        let end = name.floor_char_boundary(MAX_NAME);
        self.seed.hash_one(fold(name.get(..end).unwrap_or_default()))
    }
}

impl User {
    /// How long an address has to wait that has done nothing itself: until the time that it was
    /// told first. Then it is let in once, and so is nobody to whom nothing was promised.
    fn promised(&mut self, address: IpAddr, wait: u64, now: u64, rule: Rule) -> u64 {
        let keeps = u64::try_from(rule.max_delay.as_millis()).unwrap_or(u64::MAX);
        self.promised.retain(|(_, until)| now <= until.saturating_add(keeps));
        if let Some(place) = self.promised.iter().position(|(known, _)| *known == address) {
            let until = self.promised.get(place).map_or(0, |(_, until)| *until);
            if until <= now {
                self.promised.swap_remove(place);
            }
            return until.saturating_sub(now).min(wait);
        }
        if self.promised.len() < MOST_PROMISES {
            self.promised.push((address, now.saturating_add(wait)));
        }
        wait
    }

    fn here(&mut self, address: IpAddr) -> &mut Failures {
        let known = self.by_address.iter().position(|(known, _)| *known == address);
        let place = known.unwrap_or_else(|| {
            if self.by_address.len() >= MOST_ADDRESSES {
                self.by_address.remove(0);
            }
            self.by_address.push((address, Failures::default()));
            self.by_address.len() - 1
        });
        match self.by_address.get_mut(place) {
            Some((_, failures)) => failures,
            None => &mut self.all, // never: the place was just made
        }
    }
}

/// What two spellings of one name have in common: compatible characters are one (NFKC), and case,
/// blanks and what is not seen do not count.
fn fold(name: &str) -> String {
    let folded = name.nfkc().flat_map(char::to_uppercase).flat_map(char::to_lowercase);
    let is_seen = |c: &char| !c.is_whitespace() && !c.is_control() && !is_ignorable(*c);
    folded.nfkc().filter(is_seen).collect()
}

fn is_ignorable(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Whoever has one address of an IPv6 network of 64 bits has them all.
fn network(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
    }
}

/// What is used moves to the young half; when that is full, the old one is forgotten at once.
#[derive(Debug)]
struct Halves<K, V> {
    young: HashMap<K, V, RandomState>,
    old: HashMap<K, V, RandomState>,
}

impl<K, V> Default for Halves<K, V> {
    fn default() -> Self {
        Self { young: HashMap::default(), old: HashMap::default() }
    }
}

impl<K: Eq + Hash + Copy, V: Default> Halves<K, V> {
    fn get(&mut self, key: K) -> &mut V {
        if !self.young.contains_key(&key) {
            let value = self.old.remove(&key).unwrap_or_default();
            if self.young.len() >= HALF {
                self.old = std::mem::take(&mut self.young);
            }
            self.young.insert(key, value);
        }
        self.young.entry(key).or_default()
    }

    fn peek(&mut self, key: K) -> Option<&mut V> {
        self.young.get_mut(&key).or_else(|| self.old.get_mut(&key))
    }

    fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.young.iter().chain(&self.old)
    }

    fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_name_fold_to_one() {
        for other in
            ["ALICE", "alice ", " Alice", "ａｌｉｃｅ", "al\u{200b}ice", "𝐚𝐥𝐢𝐜𝐞", "al\u{ad}ice"]
        {
            assert_eq!(fold(other), "alice", "{other}");
        }
        assert_eq!(fold("STRASSE"), fold("straße"));
        assert_ne!(fold("alice"), fold("al1ce"));
        assert_eq!(fold("x".repeat(5000).as_str()).len(), 5000);
    }

    #[test]
    fn an_address_stands_for_its_network() {
        let of = |text: &str| network(text.parse().unwrap()).to_string();
        assert_eq!(of("192.0.2.1"), "192.0.2.1");
        assert_eq!(of("::ffff:192.0.2.1"), "192.0.2.1");
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
    }

    #[test]
    fn halves_hold_no_more_than_they_may_and_what_is_used_stays() {
        let mut halves = Halves::<usize, u8>::default();
        *halves.get(0) = 1;
        for key in 1..5 * HALF {
            halves.get(key);
            assert_eq!(*halves.get(0), 1);
        }
        assert!(halves.len() <= 2 * HALF);
    }
}
