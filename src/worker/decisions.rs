//! The latest refusals of a worker, with as much of each as explains it.
//!
//! A ring of entries that are written over, each with one text that grows to at most
//! [`MAX_TEXT`] bytes and is used again: once the ring is full, keeping a refusal is a copy of the
//! request's target and three of its fields. Nothing is formatted, and no credential, cookie or body
//! is kept. The query is, since it may name what was refused; what is told of it is decided by who
//! tells. Only the worker's own thread reads and writes, so nothing is locked.

use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;
use std::time::Duration;

use http::request::Parts;
use http::{HeaderName, header};

use crate::identity::Principal;
use crate::telemetry::id::Id;

/// The most that is kept of one request, in bytes.
pub const MAX_TEXT: usize = 2048;

/// How many texts of a request are kept.
const TEXTS: usize = 6;

static DESTINATION: HeaderName = HeaderName::from_static("destination");
static IF: HeaderName = HeaderName::from_static("if");

/// What is known of a refusal besides the request itself.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Its name.
    pub id: Id,
    /// When it was made, since the Unix epoch.
    pub unix: Duration,
    /// Under which version of the configuration.
    pub generation: u64,
    /// Index of the listener.
    pub listener: usize,
    /// Who sent the request.
    pub client: IpAddr,
    /// Index of the endpoint of ours that was asked.
    pub endpoint: Option<usize>,
    /// Whether a proxy asked about the request at that endpoint, instead of sending it.
    pub is_asked: bool,
    /// The kind of credential.
    pub credential: Option<&'static str>,
    /// Who was proved.
    pub principal: Option<Rc<Principal>>,
    /// Whether it was permitted, and failed on its way.
    pub is_permitted: bool,
    /// The status of the answer.
    pub status: u16,
    /// Why.
    pub reason: &'static str,
    /// The part of the request that it was about.
    pub part: &'static str,
    /// The readings of it that disagreed, if they did.
    pub readings: Option<[&'static str; 2]>,
}

/// A refusal.
#[derive(Debug)]
pub struct Decision {
    /// What is known of it.
    pub facts: Facts,
    /// Whether the request was too long to be kept whole.
    pub is_cut: bool,
    text: Vec<u8>,
    ends: [usize; TEXTS],
}

/// One of the texts that are kept.
#[derive(Clone, Copy, Debug)]
pub enum Text {
    /// The method.
    Method,
    /// The target, as an absolute URI where it came as one.
    Target,
    /// The `Host` field; empty: there was none.
    Host,
    /// The `Destination` field; empty: there was none.
    Destination,
    /// The `If` field; empty: there was none.
    Condition,
    /// The name that came with the credential; empty: there was none.
    Claimed,
}

impl Decision {
    /// One of its texts.
    #[must_use]
    pub fn text(&self, text: Text) -> &[u8] {
        let index = text as usize;
        let start = index.checked_sub(1).and_then(|before| self.ends.get(before)).copied();
        let end = self.ends.get(index).copied().unwrap_or_default();
        self.text.get(start.unwrap_or_default()..end).unwrap_or_default()
    }

    fn write(&mut self, parts: Option<&Parts>, claimed: Option<&str>) {
        self.text.clear();
        self.ends = [0; TEXTS];
        self.is_cut = false;
        let Some(parts) = parts else { return };
        self.push(&[parts.method.as_str().as_bytes()], Text::Method);
        let uri = &parts.uri;
        let target = uri.path_and_query().map_or("", |target| target.as_str());
        match (uri.scheme_str(), uri.authority()) {
            (Some(scheme), Some(authority)) => {
                let (scheme, authority) = (scheme.as_bytes(), authority.as_str().as_bytes());
                self.push(&[scheme, b"://", authority, target.as_bytes()], Text::Target);
            }
            (None, Some(authority)) => self.push(&[authority.as_str().as_bytes()], Text::Target),
            (_, None) => self.push(&[target.as_bytes()], Text::Target),
        }
        for (name, text) in
            [(&header::HOST, Text::Host), (&DESTINATION, Text::Destination), (&IF, Text::Condition)]
        {
            let value = parts.headers.get(name).map(http::HeaderValue::as_bytes);
            self.push(&[value.unwrap_or_default()], text);
        }
        self.push(&[claimed.unwrap_or_default().as_bytes()], Text::Claimed);
    }

    fn push(&mut self, pieces: &[&[u8]], text: Text) {
        for piece in pieces {
            let room = MAX_TEXT - self.text.len().min(MAX_TEXT);
            let fits = piece.get(..room).unwrap_or(piece);
            self.is_cut |= fits.len() < piece.len();
            self.text.extend_from_slice(fits);
        }
        if let Some(end) = self.ends.get_mut(text as usize) {
            *end = self.text.len();
        }
    }
}

/// The latest refusals.
#[derive(Debug, Default)]
pub struct Decisions {
    kept: Vec<Decision>,
    /// Where the next one goes, once the ring is full.
    next: usize,
}

impl Decisions {
    /// Keeps one of at most `capacity`; 0: none. `parts` is the head, unless it could not be read.
    pub fn keep(
        &mut self,
        capacity: usize,
        facts: Facts,
        parts: Option<&Parts>,
        claimed: Option<&str>,
    ) {
        if self.kept.len() > capacity {
            *self = Self::default(); // another configuration keeps fewer
        }
        if capacity == 0 {
            return;
        }
        if self.kept.len() < capacity {
            self.next = 0;
            let (text, ends) = (Vec::new(), [0; TEXTS]);
            let mut decision = Decision { facts, is_cut: false, text, ends };
            decision.write(parts, claimed);
            self.kept.push(decision);
            return;
        }
        if let Some(oldest) = self.kept.get_mut(self.next) {
            oldest.facts = facts;
            oldest.write(parts, claimed);
        }
        self.next = (self.next + 1) % capacity;
    }

    /// The refusal of this name.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&Decision> {
        self.kept.iter().find(|decision| decision.facts.id.as_str() == id)
    }
}

/// Nowhere in particular.
pub const NOWHERE: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;
    use crate::telemetry::id::IdSource;

    fn facts(id: Id) -> Facts {
        Facts {
            id,
            unix: Duration::from_secs(1),
            generation: 1,
            listener: 0,
            client: NOWHERE,
            endpoint: None,
            is_asked: false,
            credential: None,
            principal: None,
            is_permitted: false,
            status: 403,
            reason: "outside_home",
            part: "path",
            readings: None,
        }
    }

    fn parts(target: &str) -> Parts {
        let request = Request::builder().method("MOVE").uri(target).header("host", "a.test");
        request.header("destination", "/b").body(()).unwrap().into_parts().0
    }

    fn text(decision: &Decision, text: Text) -> String {
        String::from_utf8(decision.text(text).to_vec()).unwrap()
    }

    #[test]
    fn what_is_kept_is_found_until_it_is_written_over() {
        let (mut ring, mut ids) = (Decisions::default(), IdSource::seeded(1, 2));
        let made: Vec<_> = (0..5).map(|_| ids.next_id()).collect();
        for (number, id) in made.iter().enumerate() {
            ring.keep(3, facts(*id), Some(&parts(&format!("/files/{number}?a=b"))), Some("alice"));
        }

        assert!(ring.find(made[0].as_str()).is_none() && ring.find(made[1].as_str()).is_none());
        for (number, id) in made.iter().enumerate().skip(2) {
            let found = ring.find(id.as_str()).unwrap();
            assert_eq!(text(found, Text::Method), "MOVE");
            assert_eq!(text(found, Text::Target), format!("/files/{number}?a=b"));
            assert_eq!(text(found, Text::Host), "a.test");
            assert_eq!(text(found, Text::Destination), "/b");
            assert_eq!(text(found, Text::Claimed), "alice");
            assert!(!found.is_cut);
        }
        assert!(ring.find("").is_none());
    }

    #[test]
    fn an_absolute_target_stays_one() {
        let (mut ring, id) = (Decisions::default(), IdSource::seeded(1, 2).next_id());

        ring.keep(1, facts(id), Some(&parts("https://a.test:8443/x?y")), None);

        let found = ring.find(id.as_str()).unwrap();
        assert_eq!(text(found, Text::Target), "https://a.test:8443/x?y");
        assert_eq!(text(found, Text::Claimed), "");
    }

    #[test]
    fn no_entry_grows_beyond_its_bound() {
        let (mut ring, mut ids) = (Decisions::default(), IdSource::seeded(1, 2));
        let long = format!("/{}", "x".repeat(10 * MAX_TEXT));
        for _ in 0..4 {
            ring.keep(2, facts(ids.next_id()), Some(&parts(&long)), Some("alice"));
        }

        assert_eq!(ring.kept.len(), 2);
        assert!(ring.kept.iter().all(|kept| kept.is_cut && kept.text.capacity() <= 2 * MAX_TEXT));
        assert_eq!(text(&ring.kept[0], Text::Claimed), "");
    }

    #[test]
    fn a_smaller_ring_begins_anew_and_none_keeps_nothing() {
        let (mut ring, mut ids) = (Decisions::default(), IdSource::seeded(1, 2));
        for _ in 0..8 {
            ring.keep(8, facts(ids.next_id()), Some(&parts("/")), None);
        }
        ring.keep(4, facts(ids.next_id()), Some(&parts("/")), None);
        assert_eq!(ring.kept.len(), 1);

        ring.keep(0, facts(ids.next_id()), None, None);
        assert!(ring.kept.is_empty());
    }
}
