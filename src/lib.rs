//! doorward: a reverse-proxy authentication gateway.

pub mod admin;
pub mod app;
pub mod cli;
pub mod config;
pub mod directory;
pub mod password;
pub mod policy;
pub mod resource;
pub mod secret;
pub mod telemetry;
pub mod token;
pub mod user;
