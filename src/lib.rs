//! doorward: a reverse-proxy authentication gateway.
//!
//! The program is the product; this library is its parts, so that tests and benches can reach
//! them. From the bottom: what a request names ([`resource`]), who makes it ([`credential`],
//! [`token`], [`password`], [`user`], [`identity`]), whether it may ([`route`], [`home`],
//! [`policy`]), one version of all that ([`config`], [`snapshot`]), and the way of a request
//! through it ([`listener`], [`wire`], [`gateway`], [`forward`]). [`app`] puts them together.

pub mod admin;
pub mod api_key;
pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod control;
pub mod credential;
pub mod directory;
pub mod endpoint;
pub mod forward;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
pub mod gateway;
pub mod home;
pub mod identity;
pub mod listener;
pub mod openapi;
pub mod password;
pub mod policy;
pub mod priority;
pub mod probe;
pub mod resource;
pub mod route;
pub mod secret;
pub mod service;
pub mod session;
pub mod snapshot;
pub mod store;
pub mod telemetry;
pub mod tls;
pub mod token;
pub mod totp;
pub mod user;
pub mod wire;
pub mod worker;
