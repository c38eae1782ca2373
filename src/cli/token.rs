//! `doorward token`: issues tokens, looks into them, and ends them.

mod inspect;
mod issue;
mod list;
mod revoke;

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
    /// List the logins that can be refreshed
    List(list::Arguments),
    /// End a token, a login, or everything of a user
    Revoke(revoke::Arguments),
}

pub(super) fn run(command: &Command, config: &Path) -> Result<Answer, Failure> {
    match command {
        Command::Inspect(arguments) => inspect::run(arguments, config, unix_seconds()),
        Command::Issue(arguments) => issue::run(arguments, config, unix_seconds()),
        Command::List(arguments) => list::run(arguments, config),
        Command::Revoke(arguments) => revoke::run(arguments, config),
    }
}
