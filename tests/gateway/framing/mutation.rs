//! Requests broken at random: whatever the gateway makes of them, what it sends is canonical, is
//! alice's, and never is a request that stood inside a body.

use crate::support::gateway::TestGateway;
use crate::support::tokens::Token;
use crate::support::upstream::TestUpstream;

/// Stands in bodies, without a credential: an upstream that sees it was desynchronised.
const INNER: &str = "GET /smuggled HTTP/1.1\r\nHost: files.test\r\n\r\n";

const PIECES: &[&str] = &[
    "\r",
    "\n",
    "\r\n",
    "\r\n\r\n",
    "\0",
    " ",
    "\t",
    "\u{b}",
    ":",
    ",",
    ";",
    "chunked",
    "0",
    "5",
    "ffffffff",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding: identity\r\n",
    "Content-Length: 5\r\n",
    "Content-Length: 0\r\n",
    "Content-Length: 999\r\n",
    "0\r\n\r\n",
    "Host: other.test\r\n",
    "Connection: close\r\n",
    "Connection: upgrade\r\nUpgrade: h2c\r\n",
    "Expect: 100-continue\r\n",
    "HTTP/1.0",
    "HTTP/1.1",
    "%2e%2e/",
    "/../",
    "#",
    "?",
    "\\",
    "%00",
    "X-Forwarded-User: mallory\r\n",
    "X_Forwarded_User: mallory\r\n",
    " folded\r\n",
    "\u{80}",
    "POST /x HTTP/1.1\r\n",
];

/// A small generator, so that a failure comes again with its number.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % bound.max(1)
    }
}

fn mutated(number: u64, originals: &[Vec<u8>]) -> Vec<u8> {
    let mut random = Random(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut bytes = originals[random.below(originals.len())].clone();
    for _ in 0..=random.below(3) {
        let at = random.below(bytes.len());
        let end = (at + random.below(12)).min(bytes.len());
        match random.below(5) {
            0 => bytes[at] = u8::try_from(random.below(256)).unwrap(),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let copy = bytes[at..end].to_vec();
                bytes.splice(at..at, copy);
            }
            _ => {
                let piece = PIECES[random.below(PIECES.len())];
                bytes.splice(at..at, piece.bytes());
            }
        }
    }
    bytes
}

#[test]
fn mutated_requests_never_desynchronise_the_upstream() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream)
        .section("limits", "header_timeout = \"1s\"\nbody_idle_timeout = \"1s\"")
        .section("log", "level = \"warn\"\naccess = false")
        .start();
    let auth =
        format!("Host: files.test\r\nAuthorization: Bearer {}\r\n", Token::of("alice").signed());
    let inner = format!("{:x}\r\n{INNER}\r\n0\r\n\r\n", INNER.len());
    let originals = [
        format!("GET /x?y=z HTTP/1.1\r\n{auth}X: y\r\n\r\n"),
        format!("POST /x HTTP/1.1\r\n{auth}Content-Length: {}\r\n\r\n{INNER}", INNER.len()),
        format!("POST /x HTTP/1.1\r\n{auth}Transfer-Encoding: chunked\r\n\r\n{inner}"),
        format!(
            "PUT /x HTTP/1.1\r\n{auth}Content-Length: {}\r\n\r\n{INNER}GET /y HTTP/1.1\r\n{auth}\r\n",
            INNER.len()
        ),
    ]
    .map(String::into_bytes);

    for number in 1..=4000 {
        let bytes = mutated(number, &originals);
        let mut client = gateway.connect();
        let _ = client.try_send(&bytes);
        client.finish();
        let answer = client.rest();
        let text = String::from_utf8_lossy(&answer);
        assert!(text.is_empty() || text.starts_with("HTTP/1."), "number {number}: {text}");
    }

    for request in upstream.requests() {
        assert_eq!(request.header("x-forwarded-user"), Some("alice"), "{request:?}");
        assert!(!request.target.contains("smuggled"), "{request:?}");
    }
    assert!(upstream.requests().len() > 100, "hardly a mutant was good enough to be forwarded");
    assert!(gateway.is_running());
}
