//! One verification for all who wait for the same answer.
//!
//! After a reload nothing is remembered, and a client with fifty connections asks fifty times at
//! once about one password. It is hashed once: else a good user would fill the places of their
//! own address and be turned away.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// Who asks, and the keyed digest of what. Not shared between addresses, so that one whose places
/// are taken answers for nobody else.
type Question = (IpAddr, [u8; 32]);

type Pending<A> = HashMap<Question, watch::Receiver<Option<A>>>;

/// What is being verified, to which the answer is an `A`.
pub struct Once<A>(Mutex<Pending<A>>);

/// The one who verifies. Who goes before there is an answer leaves the question to the next.
struct Lead<'o, A> {
    once: &'o Once<A>,
    question: Question,
    answer: watch::Sender<Option<A>>,
}

impl<A> Default for Once<A> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<A: Copy> Once<A> {
    /// The answer to a question, which `verify` finds unless somebody is finding it already.
    pub async fn verify(&self, question: Question, verify: impl Future<Output = A>) -> A {
        let lead = loop {
            let mut receiver = match self.ask(question) {
                Ok(lead) => break lead,
                Err(receiver) => receiver,
            };
            if let Ok(answer) = receiver.wait_for(Option::is_some).await
                && let Some(answer) = *answer
            {
                return answer;
            }
        };
        let answer = verify.await;
        lead.answer.send_replace(Some(answer));
        answer
    }

    fn ask(&self, question: Question) -> Result<Lead<'_, A>, watch::Receiver<Option<A>>> {
        let mut pending = self.pending();
        if let Some(receiver) = pending.get(&question) {
            return Err(receiver.clone());
        }
        let (answer, receiver) = watch::channel(None);
        pending.insert(question, receiver);
        Ok(Lead { once: self, question, answer })
    }
}

impl<A> Once<A> {
    fn pending(&self) -> MutexGuard<'_, Pending<A>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<A> Drop for Lead<'_, A> {
    fn drop(&mut self) {
        self.once.pending().remove(&self.question);
    }
}

impl<A> fmt::Debug for Once<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Once").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::pending;
    use std::net::Ipv4Addr;
    use std::time::Duration;

    use tokio::task::yield_now;
    use tokio::time::timeout;

    use super::*;

    fn question(host: u8, digest: u8) -> Question {
        (Ipv4Addr::new(192, 0, 2, host).into(), [digest; 32])
    }

    #[tokio::test]
    async fn those_who_ask_the_same_share_one_verification() {
        for answer in [1, 2] {
            let (once, runs) = (Once::default(), Cell::new(0));
            let ask = |host, digest| {
                once.verify(question(host, digest), async {
                    runs.set(runs.get() + 1);
                    yield_now().await;
                    answer
                })
            };

            let all = tokio::join!(ask(1, 1), ask(1, 1), ask(1, 1), ask(2, 1), ask(1, 2));

            assert_eq!(all, (answer, answer, answer, answer, answer));
            assert_eq!(runs.get(), 3);
            assert!(once.pending().is_empty());
        }
    }

    #[tokio::test]
    async fn who_goes_leaves_the_question_to_the_next() {
        let once = Once::<bool>::default();
        let gone = timeout(Duration::from_millis(5), once.verify(question(1, 1), pending()));
        let next = async {
            yield_now().await;
            once.verify(question(1, 1), async { true }).await
        };

        let (gone, next) = tokio::join!(gone, next);

        assert!(gone.is_err());
        assert!(next);
        assert!(once.pending().is_empty());
    }
}
