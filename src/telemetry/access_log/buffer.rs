//! A worker's side of the access log.

use std::{
    mem,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
};

use super::{
    format::{self, Stamp},
    queue::{Batch, Queue},
    record::Record,
};
use crate::telemetry::log::Format;

/// A buffer is handed over when it holds so much.
const FULL: usize = 128 * 1024;
/// A line is shorter than this, so a buffer of both never grows.
const LINE: usize = 12 * 1024;
/// How many empty buffers may be on their way back.
const SPARE: usize = 4;

/// Collects one worker's lines and hands them to the writer, without ever waiting.
#[derive(Debug)]
pub struct LogBuffer {
    on: Option<Handle>,
    bytes: Vec<u8>,
    lines: u64,
    stamp: Stamp,
}

#[derive(Debug)]
struct Handle {
    queue: Queue,
    format: Format,
    recycle: SyncSender<Vec<u8>>,
    recycled: Receiver<Vec<u8>>,
}

impl LogBuffer {
    pub(super) fn new(queue: Queue, format: Format) -> Self {
        let (recycle, recycled) = sync_channel(SPARE);
        let on = Some(Handle { queue, format, recycle, recycled });
        Self { on, bytes: Vec::with_capacity(FULL + LINE), lines: 0, stamp: Stamp::new() }
    }

    /// A buffer that keeps nothing: `log.access = false`.
    #[must_use]
    pub fn off() -> Self {
        Self { on: None, bytes: Vec::new(), lines: 0, stamp: Stamp::new() }
    }

    /// Whether lines are kept at all, so that a caller can save itself the record.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.on.is_some()
    }

    /// Adds a line, and hands the buffer over when it is full.
    pub fn write(&mut self, record: &Record<'_>) {
        let Some(handle) = &self.on else { return };
        match handle.format {
            Format::Json => format::json(&mut self.bytes, &mut self.stamp, record),
            Format::Text => format::plain(&mut self.bytes, &mut self.stamp, record),
        }
        self.lines += 1;
        if self.bytes.len() >= FULL {
            self.flush();
        }
    }

    /// Hands over what there is. A worker calls this a few times a second and before it ends.
    pub fn flush(&mut self) {
        let Some(handle) = &self.on else { return };
        if self.bytes.is_empty() {
            return;
        }
        let lines = mem::take(&mut self.lines);
        if self.bytes.len() < FULL / 4 {
            // The queue counts bytes: a few lines must not hold a whole buffer's memory in it.
            let bytes = self.bytes.as_slice().to_vec();
            let _ = handle.queue.offer(Batch { bytes, lines, recycle: None }); // drops are counted
            self.bytes.clear();
            return;
        }
        let empty = handle.recycled.try_recv().unwrap_or_else(|_| Vec::with_capacity(FULL + LINE));
        let bytes = mem::replace(&mut self.bytes, empty);
        let batch = Batch { bytes, lines, recycle: Some(handle.recycle.clone()) };
        if let Err(mut dropped) = handle.queue.offer(batch) {
            dropped.clear();
            self.bytes = dropped;
        }
    }
}

impl Drop for LogBuffer {
    fn drop(&mut self) {
        self.flush();
    }
}
