//! The way from the workers to the writer: buffers, bounded by their bytes.

use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    mpsc::{Receiver, Sender, SyncSender, channel},
};

/// What became of the lines.
#[derive(Debug, Default)]
pub struct LogCounters {
    written: AtomicU64,
    dropped: AtomicU64,
    errors: AtomicU64,
}

impl LogCounters {
    /// Lines that were written.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.written.load(Relaxed)
    }

    /// Lines that were not: the queue was full, or the file could not be written.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Relaxed)
    }

    /// Writes that failed.
    #[must_use]
    pub fn errors(&self) -> u64 {
        self.errors.load(Relaxed)
    }

    pub(super) fn wrote(&self, lines: u64) {
        self.written.fetch_add(lines, Relaxed);
    }

    pub(super) fn lost(&self, lines: u64) {
        self.dropped.fetch_add(lines, Relaxed);
    }

    pub(super) fn failed(&self) {
        self.errors.fetch_add(1, Relaxed);
    }
}

/// Whole lines, and the way back for the memory they stand in.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) bytes: Vec<u8>,
    pub(super) lines: u64,
    pub(super) recycle: Option<SyncSender<Vec<u8>>>,
}

/// What the writer is asked to do.
#[derive(Debug)]
pub(super) enum Message {
    /// Write these.
    Lines(Batch),
    /// Open the file anew, since it may have been renamed.
    Reopen,
    /// Answer when all before is written.
    Flush(SyncSender<()>),
    /// End, when all before is written.
    Stop,
}

/// The sending side; each worker's buffer has one.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    sender: Sender<Message>,
    waiting_bytes: Arc<AtomicUsize>,
    limit_bytes: usize,
    pub(super) counters: Arc<LogCounters>,
}

impl Queue {
    pub(super) fn new(limit_bytes: usize) -> (Self, Receiver<Message>) {
        let (sender, receiver) = channel();
        let queue =
            Self { sender, waiting_bytes: Arc::default(), limit_bytes, counters: Arc::default() };
        (queue, receiver)
    }

    /// Hands a batch over, or gives its bytes back, having counted its lines as dropped. One batch
    /// always finds a place in an empty queue. Never waits.
    pub(super) fn offer(&self, batch: Batch) -> Result<(), Vec<u8>> {
        let length = batch.bytes.len();
        let waiting = self.waiting_bytes.fetch_add(length, Relaxed);
        if waiting > 0 && waiting.saturating_add(length) > self.limit_bytes {
            self.waiting_bytes.fetch_sub(length, Relaxed);
            self.counters.lost(batch.lines);
            return Err(batch.bytes);
        }
        let Err(unsent) = self.sender.send(Message::Lines(batch)) else { return Ok(()) };
        self.waiting_bytes.fetch_sub(length, Relaxed);
        let Message::Lines(batch) = unsent.0 else { return Ok(()) };
        self.counters.lost(batch.lines);
        Err(batch.bytes)
    }

    /// The writer is done with so many bytes.
    pub(super) fn release(&self, length: usize) {
        self.waiting_bytes.fetch_sub(length, Relaxed);
    }

    /// Sends what holds no lines; `false` if the writer is gone.
    pub(super) fn tell(&self, message: Message) -> bool {
        self.sender.send(message).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(length: usize) -> Batch {
        Batch { bytes: vec![b'x'; length], lines: 2, recycle: None }
    }

    #[test]
    fn what_does_not_fit_is_given_back_and_counted() {
        let (queue, receiver) = Queue::new(100);

        assert!(queue.offer(batch(60)).is_ok());
        assert_eq!(queue.offer(batch(60)).unwrap_err().len(), 60);
        assert!(queue.offer(batch(40)).is_ok());

        assert_eq!(queue.counters.dropped(), 2);
        assert_eq!(receiver.try_iter().count(), 2);
    }

    #[test]
    fn one_large_batch_passes_an_empty_queue() {
        let (queue, _receiver) = Queue::new(10);

        assert!(queue.offer(batch(60)).is_ok());
        assert!(queue.offer(batch(1)).is_err());
        queue.release(60);
        assert!(queue.offer(batch(1)).is_ok());
    }

    #[test]
    fn lines_after_the_writers_end_are_dropped_and_counted() {
        let (queue, receiver) = Queue::new(100);
        drop(receiver);

        assert!(queue.offer(batch(5)).is_err());
        assert!(queue.offer(batch(5)).is_err());

        assert_eq!(queue.counters.dropped(), 4);
    }
}
