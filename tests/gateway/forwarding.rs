//! What the upstream receives, what the client gets back, and what happens between them.

mod body;
mod failure;
mod headers;
mod hostile;
mod upgrade;

use crate::support::tokens::Token;

fn bearer() -> String {
    format!("Authorization: Bearer {}\r\n", Token::of("alice").signed())
}

fn post(framing: &str) -> String {
    format!("POST /x HTTP/1.1\r\nHost: files.test\r\n{}{framing}\r\n\r\n", bearer())
}
