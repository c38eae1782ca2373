//! HTTP/1.1 written raw, and its answer read.

use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use super::dial::{Protocol, Target};
use super::recorder::head_end;

/// No answer that matters is larger.
const ANSWER_LIMIT: usize = 1024 * 1024;

/// What became of a message on its connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An answer, perhaps not the whole body.
    Answered {
        /// Its status.
        status: u16,
        /// Its body, as it came.
        body: Vec<u8>,
    },
    /// The connection was closed without a word.
    Closed,
    /// HTTP/2 refused it in its own way.
    Reset(String),
    /// Nothing came in time.
    Silent,
}

/// Sends `message` on a connection of its own.
///
/// # Errors
///
/// There is no connection.
pub async fn exchange(target: &Target, message: &[u8]) -> io::Result<Outcome> {
    let mut stream = target.connect(Protocol::Http1).await?;
    // A gateway that has seen enough closes before it has read all: its answer counts.
    let _ = timeout(target.patience(), stream.write_all(message)).await;
    let _ = timeout(target.patience(), stream.flush()).await;
    let mut answer = Vec::new();
    loop {
        while let Some((status, length)) = read_head(&answer) {
            if (100..200).contains(&status) && status != 101 {
                answer.drain(..length);
                continue;
            }
            if is_whole(&answer, length, message) {
                return Ok(answered(&answer));
            }
            break;
        }
        match timeout(target.patience(), stream.read_buf(&mut answer)).await {
            Ok(Ok(1..)) if answer.len() < ANSWER_LIMIT => {}
            Ok(Ok(_) | Err(_)) => {
                let is_empty = read_head(&answer).is_none();
                return Ok(if is_empty { Outcome::Closed } else { answered(&answer) });
            }
            Err(_) => {
                let is_empty = read_head(&answer).is_none();
                return Ok(if is_empty { Outcome::Silent } else { answered(&answer) });
            }
        }
    }
}

/// Status and length of the head, once it is whole.
fn read_head(answer: &[u8]) -> Option<(u16, usize)> {
    let end = head_end(answer)?;
    let status = answer.split(|byte| *byte == b' ').nth(1)?;
    let status = status.get(..3).and_then(|status| std::str::from_utf8(status).ok())?;
    Some((status.parse().ok()?, end))
}

fn is_whole(answer: &[u8], head: usize, message: &[u8]) -> bool {
    if message.starts_with(b"HEAD ") {
        return true;
    }
    let text = String::from_utf8_lossy(answer.get(..head).unwrap_or_default()).to_lowercase();
    let length = text.split("\r\ncontent-length:").nth(1).and_then(|rest| {
        rest.split("\r\n").next().and_then(|value| value.trim().parse::<usize>().ok())
    });
    match length {
        Some(length) => answer.len() >= head.saturating_add(length),
        None => {
            text.contains("\r\ntransfer-encoding:") && answer.ends_with(b"0\r\n\r\n")
                || matches!(read_head(answer), Some((204 | 304, _)))
        }
    }
}

fn answered(answer: &[u8]) -> Outcome {
    let (status, head) = read_head(answer).unwrap_or((0, answer.len()));
    Outcome::Answered { status, body: answer.get(head..).unwrap_or_default().to_vec() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_an_answer_is_found() {
        let get = b"GET / HTTP/1.1\r\n";
        for (answer, whole) in [
            (&b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab"[..], true),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", false),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", true),
            (b"HTTP/1.1 204 No Content\r\n\r\n", true),
            (b"HTTP/1.1 200 OK\r\n\r\nab", false),
        ] {
            let (_, head) = read_head(answer).unwrap();
            assert_eq!(is_whole(answer, head, get), whole, "{}", answer.escape_ascii());
        }
        assert_eq!(read_head(b"HTTP/1.1 200 OK\r\nCont"), None);
        assert_eq!(read_head(b"nonsense\r\n\r\n"), None);
    }
}
