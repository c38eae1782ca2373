//! The command line: one file a command.

pub mod certificate;
pub mod check;
pub mod demo;
pub mod hash;
pub mod init;
pub mod prompt;
pub mod schema;
pub mod user;
