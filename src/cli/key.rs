//! `doorward key`: makes the keys of issuers, and shows what is public of them.

mod generate;
mod list;
mod show;

use std::path::Path;

use clap::Subcommand;

use super::{Answer, Failure};

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a new key, readable by its owner alone
    Generate(generate::Arguments),
    /// List the keys of a folder, a file or an issuer
    List(list::Arguments),
    /// Print the public part of a key
    Show(show::Arguments),
}

pub(super) fn run(command: &Command, config: &Path) -> Result<Answer, Failure> {
    match command {
        Command::Generate(arguments) => generate::run(arguments, crate::clock::since_epoch()),
        Command::List(arguments) => list::run(arguments, config),
        Command::Show(arguments) => show::run(arguments),
    }
}
