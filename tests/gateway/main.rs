//! The gateway as its users meet it: the real binary, real sockets, a recording upstream.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod access;
mod admin;
mod admin_api;
mod attacks;
mod authn;
mod cli;
mod container;
mod credentials;
mod curl;
mod demo;
mod forward_auth;
mod forwarding;
mod framing;
mod layering;
mod limits;
mod pages;
mod probe;
mod readme;
mod reload;
mod resilience;
mod shutdown;
mod start;
mod store;
mod support;
mod tls;
mod token_checks;
mod tokens_appmesh;
mod tokens_clients;
mod tokens_jwthenticator;
mod tokens_omegaml;
mod tokens_ryft;
mod tokens_standard;
mod tokens_store_away;
mod two_nodes;
mod webdav;
