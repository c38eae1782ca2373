//! `doorward key`: keys that sign tokens, in files, and API keys, in the running gateway.

mod api;
mod generate;
mod list;
mod rotate;
mod show;

use std::path::Path;

use clap::Subcommand;

use super::{Answer, Failure};

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a new signing key, readable by its owner alone
    Generate(generate::Arguments),
    /// Issue an API key to a user; it is shown once
    Issue(api::Issue),
    /// List the API keys of the running gateway, or the signing keys of a folder, file or issuer
    List(list::Arguments),
    /// Take over an API key that a service has made for an identifier
    Register(api::Register),
    /// End an API key, and what was issued for it
    Revoke(api::Revoke),
    /// Let an issuer sign with a new key; the old ones go on verifying
    Rotate(rotate::Arguments),
    /// Print the public part of a signing key
    Show(show::Arguments),
}

pub(super) fn run(command: &Command, config: &Path) -> Result<Answer, Failure> {
    match command {
        Command::Generate(arguments) => generate::run(arguments, crate::clock::since_epoch()),
        Command::Issue(arguments) => api::issue(arguments, config),
        Command::List(arguments) => list::run(arguments, config),
        Command::Register(arguments) => api::register(arguments, config),
        Command::Revoke(arguments) => api::revoke(arguments, config),
        Command::Rotate(arguments) => rotate::run(arguments, config, crate::clock::since_epoch()),
        Command::Show(arguments) => show::run(arguments),
    }
}
