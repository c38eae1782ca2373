use std::{
    fs,
    sync::{
        Mutex,
        mpsc::{Sender, channel},
    },
};

use super::*;
use crate::priority::stands_back;
use crate::telemetry::access_log::{Origin, Record, Verdict};

const PATIENCE: Duration = Duration::from_secs(30);

fn record(request_id: &str) -> Record<'_> {
    Record {
        time_unix_ms: 0,
        request_id: request_id.as_bytes(),
        decision_id: None,
        origin: Box::leak(Box::new(Origin::new("main".into(), "127.0.0.1:1".parse().unwrap()))),
        client: None,
        protocol: "HTTP/1.1",
        method: "GET",
        host: None,
        path: b"/",
        has_query: false,
        status: 200,
        verdict: Verdict::Allow,
        reason: "allowed",
        ambiguity: None,
        user: None,
        credential: None,
        authority: None,
        route: None,
        endpoint: None,
        upstream: None,
        request_bytes: 0,
        response_bytes: 0,
        duration_us: 0,
        first_byte_us: None,
        generation: 1,
        user_agent: None,
    }
}

/// An output that does what it is told for each write, then takes everything.
struct Scripted {
    outcomes: std::vec::IntoIter<io::Result<usize>>,
    seen: Arc<Mutex<Vec<u8>>>,
}

impl Write for Scripted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.outcomes.next().unwrap_or(Ok(bytes.len()))?.min(bytes.len());
        self.seen.lock().unwrap().extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn scripted(outcomes: Vec<io::Result<usize>>) -> (LogWriter, Arc<Mutex<Vec<u8>>>) {
    let seen = Arc::default();
    let output = Scripted { outcomes: outcomes.into_iter(), seen: Arc::clone(&seen) };
    let open: Open = Box::new(|| Err(io::ErrorKind::NotFound.into()));
    (LogWriter::start_with(Box::new(output), open, Format::Json, 1 << 20).unwrap(), seen)
}

/// An output that fails unless the thread that writes stands back.
struct Patient;

impl Write for Patient {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if stands_back() { Ok(bytes.len()) } else { Err(io::ErrorKind::PermissionDenied.into()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn whoever_writes_stands_back_behind_those_that_serve() {
    let open: Open = Box::new(|| Err(io::ErrorKind::NotFound.into()));
    let writer = LogWriter::start_with(Box::new(Patient), open, Format::Json, 1 << 20).unwrap();

    writer.buffer().write(&record("a"));

    assert!(writer.flush(PATIENCE));
    assert_eq!((writer.counters().written(), writer.counters().errors()), (1, 0));
}

/// An output whose writes wait for a word.
struct Stalled(Receiver<()>);

impl Write for Stalled {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.0.recv();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn stalled(queue_bytes: usize) -> (LogWriter, Sender<()>) {
    let (go, wait) = channel();
    let open: Open = Box::new(|| Err(io::ErrorKind::NotFound.into()));
    let output = Box::new(Stalled(wait));
    (LogWriter::start_with(output, open, Format::Json, queue_bytes).unwrap(), go)
}

#[test]
fn lines_reach_the_file_and_a_renamed_file_is_left_at_a_reopen() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("access.log");
    let writer = LogWriter::start(Sink::File(path.clone()), Format::Json, 1 << 20).unwrap();
    let mut buffer = writer.buffer();

    buffer.write(&record("one"));
    buffer.flush();
    assert!(writer.flush(PATIENCE));
    let rotated = directory.path().join("access.log.1");
    fs::rename(&path, &rotated).unwrap();
    writer.reopen();
    buffer.write(&record("two"));
    buffer.flush();
    assert!(writer.stop(PATIENCE));

    assert!(fs::read_to_string(rotated).unwrap().contains("\"request.id\":\"one\""));
    let fresh = fs::read_to_string(&path).unwrap();
    assert!(fresh.contains("\"request.id\":\"two\"") && fresh.ends_with("}\n"));
}

#[test]
fn the_file_is_not_for_everybody() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("access.log");

    let _writer = LogWriter::start(Sink::File(path.clone()), Format::Json, 1 << 20).unwrap();

    assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o007, 0);
}

#[test]
fn a_file_that_cannot_be_opened_is_an_error_at_start() {
    let directory = tempfile::tempdir().unwrap();

    let sink = Sink::File(directory.path().join("absent/access.log"));

    assert!(LogWriter::start(sink, Format::Json, 1 << 20).is_err());
}

#[test]
fn a_buffer_that_is_dropped_hands_over_its_lines() {
    let (writer, seen) = scripted(Vec::new());

    let mut buffer = writer.buffer();
    buffer.write(&record("last"));
    drop(buffer);
    assert!(writer.flush(PATIENCE));

    assert!(String::from_utf8(seen.lock().unwrap().clone()).unwrap().contains("last"));
    assert_eq!(writer.counters().written(), 1);
}

#[test]
fn a_full_disk_costs_its_lines_and_nothing_after() {
    let full = || Err(io::ErrorKind::StorageFull.into());
    let (writer, seen) = scripted(vec![Ok(10), full(), full()]);
    let mut buffer = writer.buffer();

    for name in ["torn", "lost", "back"] {
        buffer.write(&record(name));
        buffer.flush();
    }
    assert!(writer.flush(PATIENCE));

    let text = String::from_utf8(seen.lock().unwrap().clone()).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert_eq!(lines[0].len(), 10);
    assert!(serde_json::from_str::<serde_json::Value>(lines[1]).is_ok());
    let counters = writer.counters();
    assert_eq!((counters.written(), counters.dropped(), counters.errors()), (1, 2, 2));
}

#[test]
fn a_writer_that_stands_still_costs_lines_and_never_time() {
    let (writer, go) = stalled(64 * 1024);
    let mut buffer = writer.buffer();

    for _ in 0..2000 {
        buffer.write(&record("flood"));
    }
    buffer.flush();

    let counters = writer.counters();
    assert!(counters.dropped() > 0 && counters.written() == 0);
    drop(go);
    assert!(writer.flush(PATIENCE));
    assert_eq!(counters.written() + counters.dropped(), 2000);
}

#[test]
fn stopping_does_not_wait_for_a_reader_that_never_reads() {
    let (writer, _go) = stalled(64 * 1024);
    let mut buffer = writer.buffer();
    buffer.write(&record("stuck"));
    buffer.flush();

    assert!(!writer.stop(Duration::from_millis(20)));
}

#[test]
fn a_failed_reopen_keeps_the_old_file() {
    let (writer, seen) = scripted(Vec::new());
    let mut buffer = writer.buffer();

    writer.reopen();
    buffer.write(&record("still"));
    buffer.flush();
    assert!(writer.flush(PATIENCE));

    assert_eq!(writer.counters().errors(), 1);
    assert!(!seen.lock().unwrap().is_empty());
}

#[test]
fn buffers_come_back_and_serve_again() {
    let (writer, seen) = scripted(Vec::new());
    let mut buffer = writer.buffer();

    for round in 0..50 {
        for _ in 0..100 {
            buffer.write(&record(&format!("r{round}")));
        }
        assert!(writer.flush(PATIENCE));
    }
    buffer.flush();
    assert!(writer.flush(PATIENCE));

    let text = String::from_utf8(seen.lock().unwrap().clone()).unwrap();
    assert_eq!(text.lines().count(), 5000);
    assert!(text.lines().all(|line| line.starts_with("{\"time\"") && line.ends_with('}')));
}

#[test]
fn without_an_access_log_nothing_is_kept() {
    let mut buffer = LogBuffer::off();

    buffer.write(&record("nobody"));
    buffer.flush();

    assert!(!buffer.is_on());
}
