//! doorward: a reverse-proxy authentication gateway.

pub mod admin;
pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod control;
pub mod credential;
pub mod directory;
pub mod forward;
pub mod gateway;
pub mod home;
pub mod identity;
pub mod listener;
pub mod password;
pub mod policy;
pub mod resource;
pub mod route;
pub mod secret;
pub mod snapshot;
pub mod telemetry;
pub mod tls;
pub mod token;
pub mod user;
pub mod wire;
pub mod worker;
