//! Who is next: bounded, and in turns over the sources that wait. Those whose last password was
//! wrong come behind all others, but for every fourth turn, which is theirs: a flood of wrong
//! passwords from many addresses makes its senders wait, and who only mistyped still has a turn.

mod suspects;

use std::collections::{HashMap, VecDeque};
use std::mem;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use tokio::sync::oneshot;

use self::suspects::Suspects;
use super::PoolError;
use crate::password::PasswordHash;
use crate::secret::Secret;

/// One verification that somebody waits for.
pub(super) struct Job {
    pub(super) hash: Arc<PasswordHash>,
    pub(super) password: Secret,
    pub(super) reply: oneshot::Sender<Result<bool, PoolError>>,
}

/// What it took to admit a job.
#[derive(Default)]
pub(super) struct Admitted {
    /// Jobs that nobody waits for any more, thrown out to make room.
    pub(super) abandoned: Vec<Job>,
    /// The job that lost its place.
    pub(super) displaced: Option<Job>,
}

/// How many turns others have before a suspect has one.
const MOST_PASSED_OVER: u8 = 3;

/// Jobs by source, and the sources in the order of their turns.
///
/// Invariant: `turns` and `late` together hold each key of `waiting` once, none of the queues is
/// empty, and `total` is the sum of their lengths.
pub(super) struct Queue {
    waiting: HashMap<IpAddr, VecDeque<Job>>,
    turns: VecDeque<IpAddr>,
    /// The turns of suspects.
    late: VecDeque<IpAddr>,
    /// How many turns others have had while suspects waited.
    passed_over: u8,
    suspects: Suspects,
    total: usize,
    bound: usize,
    bound_per_source: usize,
    closed: bool,
}

impl Queue {
    pub(super) fn new(bound: usize, bound_per_source: usize) -> Self {
        Self {
            waiting: HashMap::new(),
            turns: VecDeque::new(),
            late: VecDeque::new(),
            passed_over: 0,
            suspects: Suspects::default(),
            total: 0,
            bound: bound.max(1),
            bound_per_source: bound_per_source.max(1),
            closed: false,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.total
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Puts a job at the end of its source's queue, if there is room or room can be made.
    pub(super) fn push(&mut self, address: IpAddr, job: Job) -> Result<Admitted, PoolError> {
        if self.closed {
            return Err(PoolError::Stopped);
        }
        let source = source(address);
        let mut admitted = Admitted::default();
        if self.waiting_for(source) >= self.bound_per_source || self.total >= self.bound {
            admitted.abandoned = self.remove_abandoned();
        }
        let waiting = self.waiting_for(source);
        if waiting >= self.bound_per_source {
            return Err(PoolError::AddressFull);
        }
        if self.total >= self.bound {
            let is_suspect = self.suspects.contains(source);
            let displaced = self.displace(waiting).or_else(|| self.displace_late(is_suspect));
            admitted.displaced = Some(displaced.ok_or(PoolError::Full)?);
        }
        let queue = self.waiting.entry(source).or_default();
        let is_new = queue.is_empty();
        queue.push_back(job);
        if is_new {
            self.take_turn(source);
        }
        self.total += 1;
        Ok(admitted)
    }

    /// Takes the oldest job of the source whose turn it is.
    pub(super) fn pop(&mut self) -> Option<(IpAddr, Job)> {
        let source = self.next_source()?;
        let queue = self.waiting.get_mut(&source)?;
        let job = queue.pop_front()?;
        if queue.is_empty() {
            self.waiting.remove(&source);
        } else {
            self.take_turn(source);
        }
        self.total -= 1;
        Some((source, job))
    }

    /// Notes how a job of this source ended.
    pub(super) fn note(&mut self, source: IpAddr, was_right: bool) {
        if was_right {
            self.suspects.remove(source);
        } else {
            self.suspects.insert(source);
        }
    }

    fn take_turn(&mut self, source: IpAddr) {
        let is_suspect = self.suspects.contains(source);
        let turns = if is_suspect { &mut self.late } else { &mut self.turns };
        turns.push_back(source);
    }

    fn next_source(&mut self) -> Option<IpAddr> {
        let is_due = self.passed_over >= MOST_PASSED_OVER || self.turns.is_empty();
        if is_due && let Some(source) = self.late.pop_front() {
            self.passed_over = 0;
            return Some(source);
        }
        self.passed_over = if self.late.is_empty() { 0 } else { self.passed_over + 1 };
        self.turns.pop_front()
    }

    /// Takes no more jobs, and gives back those that wait.
    pub(super) fn close(&mut self) -> Vec<Job> {
        self.closed = true;
        self.turns.clear();
        self.late.clear();
        self.total = 0;
        self.waiting.drain().flat_map(|(_, jobs)| jobs).collect()
    }

    fn waiting_for(&self, source: IpAddr) -> usize {
        self.waiting.get(&source).map_or(0, VecDeque::len)
    }

    /// Takes the youngest job of the source with the most, if that has more waiting than the
    /// newcomer will have.
    fn displace(&mut self, waiting: usize) -> Option<Job> {
        let queues = self.waiting.values_mut().filter(|queue| queue.len() > waiting + 1);
        let job = queues.max_by_key(|queue| queue.len())?.pop_back()?;
        self.total -= 1;
        Some(job)
    }

    /// Takes the youngest job of the suspect whose turn comes last, for one who is none.
    fn displace_late(&mut self, is_suspect: bool) -> Option<Job> {
        let source = if is_suspect { None } else { self.late.back().copied() }?;
        let queue = self.waiting.get_mut(&source)?;
        let job = queue.pop_back()?;
        if queue.is_empty() {
            self.waiting.remove(&source);
            self.late.pop_back();
        }
        self.total -= 1;
        Some(job)
    }

    fn remove_abandoned(&mut self) -> Vec<Job> {
        let mut abandoned = Vec::new();
        for queue in self.waiting.values_mut() {
            let (gone, kept): (VecDeque<Job>, _) =
                mem::take(queue).into_iter().partition(|job| job.reply.is_closed());
            abandoned.extend(gone);
            *queue = kept;
        }
        self.waiting.retain(|_, queue| !queue.is_empty());
        self.turns.retain(|source| self.waiting.contains_key(source));
        self.late.retain(|source| self.waiting.contains_key(source));
        self.total -= abandoned.len();
        abandoned
    }
}

/// Who shares a turn: an address, or all of an IPv6 /64, which is one customer's.
fn source(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)))
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(source: u8) -> (IpAddr, Job, oneshot::Receiver<Result<bool, PoolError>>) {
        let (reply, answer) = oneshot::channel();
        let hash = Arc::new(PasswordHash::plaintext(b"x").unwrap());
        let job = Job { hash, password: Secret::new(vec![source]), reply };
        (IpAddr::from([192, 0, 2, source]), job, answer)
    }

    /// Pushes a job that somebody waits for as long as the returned vector lives.
    fn push(
        queue: &mut Queue,
        source: u8,
        waiters: &mut Vec<oneshot::Receiver<Result<bool, PoolError>>>,
    ) -> Result<Admitted, PoolError> {
        let (address, job, answer) = job(source);
        waiters.push(answer);
        queue.push(address, job)
    }

    fn order(queue: &mut Queue) -> Vec<u8> {
        std::iter::from_fn(|| queue.pop()).map(|(_, job)| job.password.expose()[0]).collect()
    }

    #[test]
    fn sources_take_turns() {
        let (mut queue, mut waiters) = (Queue::new(64, 8), Vec::new());
        for source in [1, 1, 1, 2, 3, 2] {
            push(&mut queue, source, &mut waiters).unwrap();
        }

        assert_eq!(order(&mut queue), [1, 2, 3, 1, 2, 1]);
        assert_eq!(queue.len(), 0);
    }

    #[test]
    fn a_source_has_its_own_bound() {
        let (mut queue, mut waiters) = (Queue::new(64, 2), Vec::new());
        push(&mut queue, 1, &mut waiters).unwrap();
        push(&mut queue, 1, &mut waiters).unwrap();

        assert_eq!(push(&mut queue, 1, &mut waiters).err(), Some(PoolError::AddressFull));
        assert!(push(&mut queue, 2, &mut waiters).is_ok());
    }

    #[test]
    fn a_newcomer_takes_the_last_place_of_the_greediest() {
        let (mut queue, mut waiters) = (Queue::new(4, 8), Vec::new());
        for source in [1, 1, 1, 2] {
            push(&mut queue, source, &mut waiters).unwrap();
        }

        let admitted = push(&mut queue, 3, &mut waiters).unwrap();

        assert_eq!(admitted.displaced.unwrap().password.expose(), [1]);
        assert_eq!(push(&mut queue, 1, &mut waiters).err(), Some(PoolError::Full));
        assert_eq!(order(&mut queue), [1, 2, 3, 1]);
    }

    #[test]
    fn nobody_is_displaced_by_one_who_would_then_have_as_much() {
        let (mut queue, mut waiters) = (Queue::new(2, 8), Vec::new());
        push(&mut queue, 1, &mut waiters).unwrap();
        push(&mut queue, 2, &mut waiters).unwrap();

        assert_eq!(push(&mut queue, 3, &mut waiters).err(), Some(PoolError::Full));
        assert_eq!(queue.len(), 2);
    }

    #[test]
    fn abandoned_jobs_make_room() {
        let (mut queue, mut waiters) = (Queue::new(2, 2), Vec::new());
        push(&mut queue, 1, &mut waiters).unwrap();
        push(&mut queue, 1, &mut waiters).unwrap();
        waiters.clear();

        let admitted = push(&mut queue, 1, &mut waiters).unwrap();

        assert_eq!(admitted.abandoned.len(), 2);
        assert_eq!(order(&mut queue), [1]);
        assert!(queue.turns.is_empty() && queue.waiting.is_empty());
    }

    #[test]
    fn who_was_wrong_comes_behind_and_has_every_fourth_turn() {
        let (mut queue, mut waiters) = (Queue::new(64, 8), Vec::new());
        for source in [1, 2] {
            queue.note(job(source).0, false);
        }
        for source in [1, 2, 1, 3, 4, 5, 6, 7] {
            push(&mut queue, source, &mut waiters).unwrap();
        }

        assert_eq!(order(&mut queue), [3, 4, 5, 1, 6, 7, 2, 1]);
    }

    #[test]
    fn a_flood_from_many_addresses_gives_way_to_who_was_not_wrong() {
        let (mut queue, mut waiters) = (Queue::new(4, 8), Vec::new());
        for source in 1..=4 {
            queue.note(job(source).0, false);
            push(&mut queue, source, &mut waiters).unwrap();
        }

        assert_eq!(push(&mut queue, 1, &mut waiters).err(), Some(PoolError::Full));
        let admitted = push(&mut queue, 5, &mut waiters).unwrap();

        assert_eq!(admitted.displaced.unwrap().password.expose(), [4]);
        assert_eq!(queue.len(), 4);
        assert_eq!(order(&mut queue), [5, 1, 2, 3]);
    }

    #[test]
    fn who_is_right_again_is_no_suspect() {
        let (mut queue, mut waiters) = (Queue::new(64, 8), Vec::new());
        queue.note(job(1).0, false);
        queue.note(job(1).0, true);
        for source in [1, 2] {
            push(&mut queue, source, &mut waiters).unwrap();
        }

        assert_eq!(order(&mut queue), [1, 2]);
        assert!(queue.turns.is_empty() && queue.late.is_empty() && queue.waiting.is_empty());
    }

    #[test]
    fn a_closed_queue_admits_nothing() {
        let (mut queue, mut waiters) = (Queue::new(4, 4), Vec::new());
        push(&mut queue, 1, &mut waiters).unwrap();

        assert_eq!(queue.close().len(), 1);
        assert_eq!(push(&mut queue, 1, &mut waiters).err(), Some(PoolError::Stopped));
        assert!(queue.pop().is_none());
    }

    #[test]
    fn one_network_is_one_source() {
        let of = |text: &str| source(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:0:0:1"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }
}
