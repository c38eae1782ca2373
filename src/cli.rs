//! The command line: one file a command.

pub mod demo;
pub mod hash;
pub mod prompt;
pub mod user;
