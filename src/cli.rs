//! The command line: one file a command.
//!
//! A command is a function from its arguments to an [`Answer`], which is printed here, in one
//! place; only commands that keep running write while they do. Exit codes: 0 good, 1 refused or
//! failed, 2 wrong usage.

mod answer;
pub mod certificate;
pub mod check;
mod completions;
pub mod demo;
mod explain;
pub mod hash;

mod healthcheck;
pub mod init;
mod key;
mod man;
mod probe;
pub mod prompt;
mod reload;
mod remote;
pub mod schema;
mod serve;
mod settings;
mod status;
mod table;
mod token;
mod totp;
pub mod user;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

pub use self::answer::{Answer, Failure, Verdict};
use self::answer::{finish, refuse};
use self::init::InitError;
use crate::config::Config;
use crate::snapshot::{Keep, Snapshot};

/// A reverse-proxy authentication gateway
///
/// Exit codes: 0 good, 1 refused or failed, 2 wrong usage.
#[derive(Debug, Parser)]
#[command(name = "doorward", version, disable_help_subcommand = true)]
struct Arguments {
    /// The configuration [default: ./doorward.toml, else /etc/doorward/doorward.toml]
    #[arg(
        long,
        short,
        global = true,
        env = "DOORWARD_CONFIG",
        hide_env_values = true,
        hide_env = true,
        value_name = "PATH"
    )]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

/// In the order in which help lists them.
#[derive(Debug, Subcommand)]
enum Command {
    /// Run the gateway
    Serve(serve::Arguments),
    /// Try it: a complete gateway, a file API, two users, and the lines to paste
    Demo(demo::Arguments),
    /// Write a configuration that works, with a user, a key and a certificate
    Init(init::Arguments),
    /// Say all that a start would find wrong, without starting
    Check(check::Arguments),
    /// Say what would become of a request, and why
    Explain(explain::Arguments),
    /// Attack a gateway as one user against another, and say what got through
    Probe(Box<probe::Arguments>),
    /// Look into users, and change them: in a file, or in the running gateway
    User(user::Arguments),
    /// Make and show the keys of issuers, and API keys
    #[command(subcommand)]
    Key(key::Command),
    /// Issue tokens, look into them, and end them
    #[command(subcommand)]
    Token(token::Command),
    /// Enrol second factors, and take them away
    #[command(subcommand)]
    Totp(totp::Command),
    /// Hash a password, for a file of users
    Hash(hash::Arguments),
    /// Let the running gateway read its files again
    Reload(reload::Arguments),
    /// Show what the running gateway is doing
    Status(status::Arguments),
    /// Say whether the running gateway is ready; for probes
    Healthcheck(healthcheck::Arguments),
    /// Print the JSON Schema of the configuration
    Schema(schema::Arguments),
    /// Print a completion script for a shell
    Completions(completions::Arguments),
    /// Print the manual page, or write one for each command
    Man(man::Arguments),
}

/// Runs the command that the process was started with.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print(); // whoever closed the pipe has seen enough
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match run(arguments) {
        Ok(answer) => finish(&answer),
        Err(failure) => refuse(&failure),
    }
}

fn run(arguments: Arguments) -> Result<Answer, Failure> {
    let named = arguments.config.clone();
    let config = settings::path(arguments.config);
    match arguments.command {
        Command::Check(mut arguments) => {
            arguments.config = config;
            check(&arguments)
        }
        Command::Completions(arguments) => Ok(completions::run(&arguments, Arguments::command())),
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments, &config),
        Command::Hash(arguments) => written(|out| Ok(hash::run(&arguments, out).map(drop)?)),
        Command::Healthcheck(arguments) => healthcheck::run(&arguments, &config),
        Command::Init(arguments) => init(&arguments),
        Command::Key(command) => key::run(&command, &config),
        Command::Man(arguments) => man::run(&arguments, Arguments::command()),
        Command::Probe(arguments) => probe::run(&arguments, named),
        Command::Reload(arguments) => reload::run(&arguments, &config),
        Command::Schema(arguments) => written(|out| Ok(schema::run(&arguments, out)?)),
        Command::Serve(arguments) => serve::run(&arguments, config),
        Command::Status(arguments) => status::run(&arguments, &config),
        Command::Token(command) => token::run(&command, &config),
        Command::Totp(command) => totp::run(&command, &config),
        Command::User(arguments) => {
            written(|out| Ok(user::run(&arguments, &config, out).map(drop)?))
        }
    }
}

/// The answer of a command that writes it.
fn written(command: impl FnOnce(&mut dyn Write) -> Result<(), Failure>) -> Result<Answer, Failure> {
    let mut text = Vec::new();
    command(&mut text)?;
    Ok(Answer::good(String::from_utf8_lossy(&text)))
}

/// Checks as start and reload do: everything is read and built, and nothing is kept.
fn check(arguments: &check::Arguments) -> Result<Answer, Failure> {
    let mut text = Vec::new();
    let build = |config: &Config| match Snapshot::build(config, 1, &mut Keep::default()) {
        Ok(snapshot) => {
            let told: Vec<_> = config.warnings.iter().map(ToString::to_string).collect();
            let warnings = snapshot.summary.warnings.into_iter();
            Ok(warnings.filter(|warning| !told.contains(warning)).collect())
        }
        Err(errors) => Err(errors.0.iter().map(|error| answer::chain(error)).collect()),
    };
    let verdict = check::run(arguments, settings::environment(), build, &mut text)?;
    let text = answer::printable(&String::from_utf8_lossy(&text));
    let verdict = Verdict::of(verdict == check::Verdict::Good);
    Ok(Answer { text, verdict, ..Answer::default() })
}

/// Asks and answers while it runs.
fn init(arguments: &init::Arguments) -> Result<Answer, Failure> {
    match init::run(arguments, &mut io::stdout().lock()) {
        Err(InitError::Terminal(error)) if error.kind() == io::ErrorKind::BrokenPipe => {}
        outcome => outcome?,
    }
    Ok(Answer::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_fit_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_configuration_may_be_named_before_and_behind_the_command() {
        for line in
            [["doorward", "--config", "x", "status"], ["doorward", "status", "--config", "x"]]
        {
            let arguments = Arguments::try_parse_from(line).unwrap();

            assert_eq!(arguments.config, Some("x".into()));
        }
    }

    #[test]
    fn wrong_usage_is_two() {
        for line in [&["doorward"][..], &["doorward", "fly"], &["doorward", "status", "--fly"]] {
            assert_eq!(Arguments::try_parse_from(line).unwrap_err().exit_code(), 2, "{line:?}");
        }
    }
}
