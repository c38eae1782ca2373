//! The writer's thread: takes buffers from the queue and writes them to a file or standard output.
//! The program's own log goes the same way to standard error, since a worker that warns must not
//! wait for whoever reads that.
//!
//! A write that fails (disk full, broken pipe) costs its lines, which are counted; the next buffer
//! is tried anew, so the log comes back by itself. A line is never continued after a failure in its
//! middle: the next write starts on a line of its own.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::{fd::AsFd, unix::fs::OpenOptionsExt},
    path::PathBuf,
    sync::{
        Arc,
        mpsc::{Receiver, sync_channel},
    },
    thread,
    time::Duration,
};

use super::{
    buffer::LogBuffer,
    queue::{Batch, LogCounters, Message, Queue},
};
use crate::{priority::stand_back, telemetry::log::Format};

/// The owner writes, the group may read.
const FILE_MODE: u32 = 0o640;

/// Where lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sink {
    /// Appended to this file, which is made where it does not exist.
    File(PathBuf),
    /// Standard error.
    Stderr,
    /// Standard output.
    Stdout,
}

impl Sink {
    fn open(&self) -> io::Result<Box<dyn Write + Send>> {
        let file = match self {
            Self::File(path) => {
                OpenOptions::new().append(true).create(true).mode(FILE_MODE).open(path)?
            }
            // Handles of our own, past the lock and the buffer of `io::stdout`.
            Self::Stderr => File::from(io::stderr().as_fd().try_clone_to_owned()?),
            Self::Stdout => File::from(io::stdout().as_fd().try_clone_to_owned()?),
        };
        Ok(Box::new(file))
    }
}

/// The access log's writer. Workers get their [`LogBuffer`]s from it.
#[derive(Debug)]
pub struct LogWriter {
    queue: Queue,
    format: Format,
}

impl LogWriter {
    /// Opens the sink and starts the thread. `queue_bytes` bounds what may wait to be written.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened, or no thread can be started.
    pub fn start(sink: Sink, format: Format, queue_bytes: usize) -> io::Result<Self> {
        let output = sink.open()?;
        Self::start_with(output, Box::new(move || sink.open()), format, queue_bytes)
    }

    fn start_with(
        output: Box<dyn Write + Send>,
        open: Open,
        format: Format,
        queue_bytes: usize,
    ) -> io::Result<Self> {
        let (queue, messages) = Queue::new(queue_bytes);
        let output = Output { open, current: Some(output), is_torn: false };
        let back = queue.clone();
        thread::Builder::new().name("log".to_owned()).spawn(move || {
            stand_back(); // nobody waits for a line
            run(&messages, &back, output);
        })?;
        Ok(Self { queue, format })
    }

    /// A buffer for one worker.
    #[must_use]
    pub fn buffer(&self) -> LogBuffer {
        LogBuffer::new(self.queue.clone(), self.format)
    }

    /// Where whole lines that somebody else formatted go.
    pub(in crate::telemetry) fn lines(&self) -> Lines {
        Lines(self.queue.clone())
    }

    /// Lines written, dropped, and writes that failed.
    #[must_use]
    pub fn counters(&self) -> Arc<LogCounters> {
        Arc::clone(&self.queue.counters)
    }

    /// Opens the file anew before the next line, since it may have been renamed.
    pub fn reopen(&self) {
        self.queue.tell(Message::Reopen);
    }

    /// Waits until all that was handed over before is written; `false` if that took longer than
    /// `patience` (a reader that does not read).
    #[must_use]
    pub fn flush(&self, patience: Duration) -> bool {
        let (done, wait) = sync_channel(1);
        self.queue.tell(Message::Flush(done)) && wait.recv_timeout(patience).is_ok()
    }

    /// As [`LogWriter::flush`], then ends the thread.
    #[must_use]
    pub fn stop(self, patience: Duration) -> bool {
        let is_flushed = self.flush(patience);
        self.queue.tell(Message::Stop);
        is_flushed
    }
}

/// Takes one line with each write, and never waits: what does not fit is dropped and counted.
#[derive(Clone, Debug)]
pub(in crate::telemetry) struct Lines(Queue);

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let _ = self.0.offer(Batch { bytes: line.to_vec(), lines: 1, recycle: None }); // counted
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

type Open = Box<dyn Fn() -> io::Result<Box<dyn Write + Send>> + Send>;

struct Output {
    open: Open,
    current: Option<Box<dyn Write + Send>>,
    /// The last write ended within a line.
    is_torn: bool,
}

impl Output {
    /// Opens anew; keeps what is open if that fails.
    fn reopen(&mut self) -> io::Result<()> {
        self.current = Some((self.open)()?);
        self.is_torn = false;
        Ok(())
    }

    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        if self.current.is_none() {
            self.reopen()?;
        }
        let Some(output) = &mut self.current else { return Ok(()) };
        if self.is_torn {
            output.write_all(b"\n")?;
            self.is_torn = false;
        }
        let mut rest = lines;
        while !rest.is_empty() {
            match output.write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    self.is_torn = rest.get(count.saturating_sub(1)) != Some(&b'\n');
                    rest = rest.get(count..).unwrap_or_default();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

fn run(messages: &Receiver<Message>, queue: &Queue, mut output: Output) {
    while let Ok(message) = messages.recv() {
        match message {
            Message::Lines(batch) => write(batch, queue, &mut output),
            Message::Reopen => {
                if let Err(error) = output.reopen() {
                    queue.counters.failed();
                    tracing::error!(error = %error, "Could not reopen a log file");
                }
            }
            Message::Flush(done) => {
                let _ = done.try_send(()); // whoever asked may have given up
            }
            Message::Stop => return,
        }
    }
}

fn write(batch: Batch, queue: &Queue, output: &mut Output) {
    let Batch { mut bytes, lines, recycle } = batch;
    match output.write(&bytes) {
        Ok(()) => queue.counters.wrote(lines),
        Err(error) => {
            queue.counters.failed();
            queue.counters.lost(lines);
            if queue.counters.errors().is_power_of_two() {
                tracing::error!(error = %error, "Could not write a log; lines are lost");
            }
        }
    }
    queue.release(bytes.len());
    if let Some(recycle) = recycle {
        bytes.clear();
        let _ = recycle.try_send(bytes); // the worker has enough, or is gone
    }
}

#[cfg(test)]
mod tests;
