//! `doorward token`: issues tokens with the configured keys, and looks into tokens.

mod inspect;
mod issue;

use std::path::Path;

use clap::Subcommand;

use super::{Answer, Failure};
use crate::clock::unix_seconds;

/// What to do with tokens.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Decode a token, and verify it against the configuration
    Inspect(inspect::Arguments),
    /// Sign a token for a user
    Issue(issue::Arguments),
}

pub(super) fn run(command: &Command, config: &Path) -> Result<Answer, Failure> {
    match command {
        Command::Inspect(arguments) => inspect::run(arguments, config, unix_seconds()),
        Command::Issue(arguments) => issue::run(arguments, config, unix_seconds()),
    }
}
