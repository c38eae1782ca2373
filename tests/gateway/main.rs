//! The gateway as its users meet it: the real binary, real sockets, a recording upstream.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

#[expect(dead_code, reason = "the tests of each behaviour come with it")]
mod support;
