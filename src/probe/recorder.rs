//! The recording upstream: reads each request as leniently as any server would, remembers its
//! head, and answers with it.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::record::Record;

/// Where the records of an attack are asked for; its marker follows.
pub const RECORDS: &str = "/.doorward-probe/";

/// So many records are kept; then the oldest goes.
const KEPT: usize = 4_096;

const HEAD_LIMIT: usize = 256 * 1024;
const BODY_LIMIT: usize = 4 * 1024 * 1024;

/// A silent connection is closed after this.
const PATIENCE: Duration = Duration::from_mins(1);

/// What an upstream received. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Recorder(Arc<Mutex<VecDeque<Record>>>);

impl Recorder {
    /// Accepts and records until it is dropped; errors of accepting are passed over.
    pub async fn serve(self, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let recorder = self.clone();
                    // A client that breaks off is none of our concern.
                    tokio::spawn(async move { recorder.talk(stream).await.ok() });
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    /// Binds a free port of the loopback address, or the one named.
    ///
    /// # Errors
    ///
    /// The address cannot be had.
    pub async fn bind(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    }

    /// What came for an attack, in order.
    #[must_use]
    pub fn records(&self, marker: &str) -> Vec<Record> {
        let records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        records.iter().filter(|record| record.marker() == Some(marker)).cloned().collect()
    }

    fn keep(&self, record: Record) {
        let mut records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if records.len() >= KEPT {
            records.pop_front();
        }
        records.push_back(record);
    }

    /// Adds the body of a record that is kept already.
    fn keep_body(&self, record: &Record) {
        if record.body.is_empty() {
            return;
        }
        let mut records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = records.iter_mut().rev().find(|kept| kept.raw == record.raw);
        if let Some(kept) = kept {
            kept.body.clone_from(&record.body);
        }
    }

    async fn talk(&self, mut stream: TcpStream) -> io::Result<()> {
        let mut buffer = Vec::new();
        loop {
            let Some(end) = fill(&mut stream, &mut buffer, head_end, HEAD_LIMIT).await? else {
                return Ok(());
            };
            let mut record = Record::read(buffer.get(..end).unwrap_or_default());
            buffer.drain(..end);
            let target = std::str::from_utf8(&record.target).ok();
            let answer = if let Some(marker) = target.and_then(|it| it.strip_prefix(RECORDS)) {
                let records = self.records(marker);
                Value::from(records.iter().map(Record::to_json).collect::<Vec<_>>())
            } else {
                // Kept before its body has come, since that may never end.
                self.keep(record.clone());
                record.body = take_body(&record, &mut stream, &mut buffer).await?;
                self.keep_body(&record);
                record.to_json()
            };
            stream.write_all(&response(&record, &answer)).await?;
        }
    }
}

/// The answer; without its body to HEAD.
fn response(record: &Record, answer: &Value) -> Vec<u8> {
    let body = format!("{answer:#}\n");
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    let body = if record.method == b"HEAD" { "" } else { &body };
    [head.as_bytes(), body.as_bytes()].concat()
}

/// Reads until `end` finds something; `None`: the connection has ended.
async fn fill(
    stream: &mut TcpStream,
    buffer: &mut Vec<u8>,
    end: impl Fn(&[u8]) -> Option<usize>,
    limit: usize,
) -> io::Result<Option<usize>> {
    loop {
        if let Some(end) = end(buffer) {
            return Ok(Some(end));
        }
        if buffer.len() > limit {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let read = timeout(PATIENCE, stream.read_buf(buffer)).await;
        if read.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?? == 0 {
            return Ok(None);
        }
    }
}

/// Where a head ends. Empty lines in front of it belong to it.
pub(super) fn head_end(bytes: &[u8]) -> Option<usize> {
    let start = bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n'))?;
    let rest = bytes.get(start..)?;
    let found = |mark: &[u8]| {
        rest.windows(mark.len()).position(|window| window == mark).map(|at| at + mark.len())
    };
    match (found(b"\r\n\r\n"), found(b"\n\n")) {
        (Some(one), Some(other)) => Some(start + one.min(other)),
        (one, other) => one.or(other).map(|end| start + end),
    }
}

/// Takes the body, so that what follows it is the next request.
async fn take_body(
    record: &Record,
    stream: &mut TcpStream,
    buffer: &mut Vec<u8>,
) -> io::Result<Vec<u8>> {
    let mut codings = record.values("transfer-encoding");
    let is_chunked = codings.any(|coding| coding.to_ascii_lowercase().ends_with(b"chunked"));
    let end = if is_chunked {
        fill(stream, buffer, chunked_end, BODY_LIMIT).await?
    } else {
        let length = record.values("content-length").next();
        let length = length.and_then(|value| std::str::from_utf8(value).ok()?.parse().ok());
        let length: usize = length.unwrap_or_default();
        fill(stream, buffer, |bytes| (bytes.len() >= length).then_some(length), BODY_LIMIT).await?
    };
    let taken: Vec<u8> = buffer.drain(..end.unwrap_or(buffer.len()).min(buffer.len())).collect();
    Ok(if is_chunked { unchunked(&taken) } else { taken })
}

/// The data of a chunked body, as far as it is one.
fn unchunked(mut rest: &[u8]) -> Vec<u8> {
    let mut data = Vec::new();
    while let Some(line) = rest.iter().position(|byte| *byte == b'\n') {
        let size = rest.get(..line).unwrap_or_default();
        let size = size.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
        let size = std::str::from_utf8(size).ok().and_then(|it| usize::from_str_radix(it, 16).ok());
        let Some(size) = size.filter(|size| *size > 0 && *size <= BODY_LIMIT) else { break };
        let start = line + 1;
        data.extend_from_slice(rest.get(start..start + size).unwrap_or_default());
        rest = rest.get(start + size + 2..).unwrap_or_default();
    }
    data
}

/// Where a chunked body ends; at the first chunk that is none, if there is one.
fn chunked_end(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let rest = bytes.get(at..)?;
        let line = rest.iter().position(|byte| *byte == b'\n')?;
        let size = rest.get(..line)?.trim_ascii();
        let size = size.split(|byte| *byte == b';').next().unwrap_or_default();
        let size = std::str::from_utf8(size).ok().and_then(|size| {
            usize::from_str_radix(size.trim(), 16).ok().filter(|size| *size <= BODY_LIMIT)
        });
        match size {
            None => return Some(at),
            Some(0) => {
                let trailer = rest.get(line + 1..)?;
                let end = trailer.windows(2).position(|window| window == b"\r\n")?;
                let end = if end == 0 { 2 } else { head_end(trailer)? };
                return Some(at + line + 1 + end);
            }
            Some(size) => at += line + 1 + size + 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn started() -> (Recorder, SocketAddr) {
        let recorder = Recorder::default();
        let (listener, address) = Recorder::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        tokio::spawn(recorder.clone().serve(listener));
        (recorder, address)
    }

    async fn exchange(address: SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn what_came_is_told_and_remembered_by_its_marker() {
        let (recorder, address) = started().await;

        let answer = exchange(
            address,
            "GET /a HTTP/1.1\r\nDoorward-Probe: one\r\n\r\n\
             POST /b HTTP/1.1\r\nDoorward-Probe: two\r\nContent-Length: 3\r\n\r\nabc\
             PUT /c HTTP/1.1\r\nDoorward-Probe: two\r\nTransfer-Encoding: chunked\r\n\r\n\
             3;x\r\nabc\r\n0\r\n\r\nHEAD /d HTTP/1.1\r\n\r\n",
        )
        .await;

        assert_eq!(answer.matches("HTTP/1.1 200").count(), 4, "{answer}");
        assert_eq!(recorder.records("one").len(), 1);
        let targets = recorder.records("two").into_iter().map(|record| record.target);
        assert_eq!(targets.collect::<Vec<_>>(), [b"/b", b"/c"]);
        assert!(recorder.records("two").iter().all(|record| record.body == b"abc"));
        let told = exchange(address, "GET /.doorward-probe/one HTTP/1.1\r\n\r\n").await;
        let (_, body) = told.split_once("\r\n\r\n").unwrap();
        let told: Vec<Value> = serde_json::from_str(body).unwrap();
        assert_eq!(Record::from_json(&told[0]).unwrap().target, b"/a");
    }

    #[tokio::test]
    async fn what_is_no_request_ends_the_connection_and_nothing_else() {
        let (recorder, address) = started().await;

        for odd in ["", "\r\n\r\n", "GET", "0\r\n\r\n", "X\n\n"] {
            exchange(address, odd).await;
        }

        exchange(address, "GET / HTTP/1.1\r\nDoorward-Probe: last\n\n").await;
        assert_eq!(recorder.records("last").len(), 1);
    }
}
