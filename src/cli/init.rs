//! `doorward init`: a configuration that works, with a user, a key and a certificate.
//!
//! Everything is made in a folder of its own, checked as a start would check it, and only then
//! moved into place. What exists is not overwritten unless it is asked for.

mod files;

use std::io::{self, BufRead, IsTerminal, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::config::ConfigErrors;
use crate::password::PasswordHashError;
use crate::resource::{CanonicalHost, ResourceError};
use crate::secret::Secret;
use crate::token::KeyFault;
use crate::user::NameError;

/// Writes a configuration that works: doorward.toml, users.yaml, a signing key, a certificate.
///
/// What is not given is asked for on a terminal.
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    /// The folder to write to; made if it is not there.
    #[arg(short, long, default_value = ".")]
    pub directory: PathBuf,
    /// Where the API is. [default: `http://127.0.0.1:9000`]
    #[arg(short, long, value_name = "URL")]
    pub upstream: Option<String>,
    /// Where to listen. [default: 127.0.0.1:8443]
    #[arg(short, long, value_name = "ADDRESS:PORT")]
    pub listen: Option<String>,
    /// The name of the first user. [default: admin]
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// Read the user's password from standard input; without this one is made up and printed.
    #[arg(long)]
    pub password_stdin: bool,
    /// A self-signed certificate, or plain HTTP. [default: self-signed]
    #[arg(long, value_enum)]
    pub tls: Option<TlsChoice>,
    /// A name by which clients reach the gateway, for the certificate and the issuer; may be
    /// repeated.
    #[arg(long = "host", value_name = "NAME", default_value = "localhost")]
    pub hosts: Vec<String>,
    /// Ask nothing, take the defaults.
    #[arg(short, long)]
    pub yes: bool,
    /// Overwrite what exists.
    #[arg(long)]
    pub force: bool,
}

/// How the listener speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum TlsChoice {
    /// With a certificate that is made now.
    SelfSigned,
    /// Without TLS.
    Plain,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// The certificate could not be made.
    #[error("cannot make a certificate for these names")]
    Certificate(#[source] rcgen::Error),
    /// What was given does not make a configuration.
    #[error("what was given does not make a configuration:\n{0}")]
    Config(#[from] ConfigErrors),
    /// A file is there already.
    #[error("`{}` exists already; --force overwrites", .0.display())]
    Exists(PathBuf),
    /// A file could not be read or written.
    #[error("{action} `{}`: {source}", .path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A name in `--host` that no client can use.
    #[error("`{name}` {source}")]
    Host {
        /// The name.
        name: String,
        /// Why not.
        #[source]
        source: ResourceError,
    },
    /// The key could not be made.
    #[error("cannot make a key")]
    Key(#[from] KeyFault),
    /// No user can be called so.
    #[error("no user can be called so")]
    Name(#[from] NameError),
    /// Standard input ended, or cannot be read; or output cannot be written.
    #[error("cannot ask or answer: {0}")]
    Terminal(#[from] io::Error),
    /// The password could not be hashed.
    #[error("cannot take this password")]
    Password(#[from] PasswordHashError),
}

/// Writes the files, asking for what is not given if standard input is a terminal.
///
/// # Errors
///
/// [`InitError`]; then nothing was written.
pub fn run(args: &Arguments, out: &mut dyn Write) -> Result<(), InitError> {
    let input = io::stdin();
    let may_ask = input.is_terminal() && !args.yes && !args.password_stdin;
    create(args, may_ask, &mut input.lock(), out)
}

/// As [`run`], with the input as an argument.
fn create(
    args: &Arguments,
    may_ask: bool,
    input: &mut dyn BufRead,
    out: &mut dyn Write,
) -> Result<(), InitError> {
    let mut dialogue = Dialogue { may_ask, input, out };
    let upstream =
        dialogue.ask("URL of the API", args.upstream.as_deref(), "http://127.0.0.1:9000")?;
    let listen = dialogue.ask("Listen on", args.listen.as_deref(), "127.0.0.1:8443")?;
    let tls = match args.tls {
        Some(tls) => tls,
        None => match dialogue.ask("TLS (self-signed or plain)", None, "self-signed")?.as_str() {
            "plain" => TlsChoice::Plain,
            _ => TlsChoice::SelfSigned,
        },
    };
    let user = dialogue.ask("Name of the first user", args.user.as_deref(), "admin")?;
    crate::user::check_name(&user)?;
    let password = if args.password_stdin { Some(Secret::from(dialogue.line()?)) } else { None };

    let hosts = args.hosts.iter().map(|name| host(name)).collect::<Result<_, _>>()?;
    let plan = files::Plan { upstream, listen, tls, user, password, hosts };
    let made = plan.write(&args.directory, args.force)?;
    report(&made, &args.directory, out).map_err(InitError::Terminal)
}

/// A name or address by which clients reach the gateway, as a certificate holds it.
fn host(name: &str) -> Result<String, InitError> {
    if name.parse::<IpAddr>().is_ok() {
        return Ok(name.to_owned());
    }
    match CanonicalHost::parse(name) {
        Ok(host) if host.port().is_none() => Ok(host.name().to_owned()),
        Ok(_) => Err(InitError::Host { name: name.to_owned(), source: ResourceError::HostName }),
        Err(source) => Err(InitError::Host { name: name.to_owned(), source }),
    }
}

fn report(made: &files::Made, directory: &Path, out: &mut dyn Write) -> io::Result<()> {
    for file in &made.files {
        writeln!(out, "wrote {}", directory.join(file).display())?;
    }
    if let Some(password) = &made.password {
        let password = String::from_utf8_lossy(password.expose());
        writeln!(out, "\nuser {} has the password {password}", made.user)?;
        writeln!(out, "It is not shown again.")?;
    }
    let config = directory.join("doorward.toml");
    writeln!(out, "\nNext:\n  doorward serve --config {}", config.display())?;
    writeln!(out, "  curl {}-u {} {}/", made.trust(directory), made.user, made.url)
}

/// Longer answers are cut.
const MAX_LINE: usize = 4096;

/// Questions and answers on a terminal.
struct Dialogue<'a> {
    may_ask: bool,
    input: &'a mut dyn BufRead,
    out: &'a mut dyn Write,
}

impl Dialogue<'_> {
    /// What was given; else what is answered; else the default.
    fn ask(&mut self, question: &str, given: Option<&str>, default: &str) -> io::Result<String> {
        if let Some(given) = given {
            return Ok(given.to_owned());
        }
        if !self.may_ask {
            return Ok(default.to_owned());
        }
        write!(self.out, "{question} [{default}]: ")?;
        self.out.flush()?;
        let answer = self.line()?;
        Ok(if answer.trim().is_empty() { default.to_owned() } else { answer.trim().to_owned() })
    }

    /// A line without its end.
    fn line(&mut self) -> io::Result<String> {
        // It may be a password.
        let mut line = Zeroizing::new(String::with_capacity(MAX_LINE));
        io::Read::take(&mut self.input, MAX_LINE as u64).read_line(&mut line)?;
        let line = line.strip_suffix('\n').unwrap_or(&line);
        Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
    }
}

#[cfg(test)]
mod tests;
