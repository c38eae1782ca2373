//! What is told about a decision: `doorward explain`, for a request that nobody need have made and
//! for one that was refused.
//!
//! The request is read by the code that reads requests and judged by the code that judges them.
//! A kept refusal is told on the worker that made it, when somebody asks; the reason told is the
//! one that it had, whatever would be decided now. Values of the query are shown only where the
//! route's `home` names their parameter, and no user information of a URI is.

mod choice;
pub(crate) mod judge;
mod kept;
mod redact;
pub(crate) mod report;

use std::rc::Rc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use crate::worker::Worker;

/// Questions that may wait for one worker.
const QUEUE: usize = 16;

/// How long a worker may take. It answers between two requests.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is asked of a worker.
#[derive(Debug)]
pub(crate) struct Asked {
    id: String,
    reply: oneshot::Sender<Option<Value>>,
}

/// Where a worker is asked.
pub(crate) type Inbox = mpsc::Receiver<Asked>;

/// Asks all workers for their decisions.
#[derive(Clone, Debug)]
pub(crate) struct Explainers(Vec<mpsc::Sender<Asked>>);

impl Explainers {
    /// For so many workers, with the inbox of each.
    #[must_use]
    pub(crate) fn new(workers: usize) -> (Self, Vec<Inbox>) {
        let (senders, inboxes) = (0..workers).map(|_| mpsc::channel(QUEUE)).unzip();
        (Self(senders), inboxes)
    }

    /// What is known of the decision; `None`: no worker keeps it.
    pub(crate) async fn explain(&self, id: &str) -> Option<Value> {
        let mut answers = Vec::new();
        for worker in &self.0 {
            let (reply, answer) = oneshot::channel();
            // A worker with a full inbox has more to do than this.
            if worker.try_send(Asked { id: id.to_owned(), reply }).is_ok() {
                answers.push(answer);
            }
        }
        let first = async {
            for answer in answers {
                if let Ok(Some(report)) = answer.await {
                    return Some(report);
                }
            }
            None
        };
        tokio::time::timeout(PATIENCE, first).await.ok().flatten()
    }
}

/// Answers questions about this worker's decisions until nobody can ask any more.
pub(crate) async fn answer(worker: Rc<Worker>, mut inbox: Inbox) {
    while let Some(Asked { id, reply }) = inbox.recv().await {
        let decisions = worker.decisions.borrow();
        let report = decisions.find(&id).map(|decision| kept::explain(&worker, decision));
        let _ = reply.send(report.and_then(|report| serde_json::to_value(report).ok()));
    }
}
