//! `doorward probe`: attacks a gateway as one user against another, and says what became of it.
//!
//! With a configuration alone it starts a gateway of its own from it, every upstream replaced by
//! a recording one; with `--url` it attacks a gateway that runs. Exit code 1 also means that
//! nothing could be tested: silence is no proof.

mod credential;
mod echo;
mod gateway;
mod report;
mod sites;
mod upstream;
mod url;

use std::io::{self, IsTerminal as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::{Subcommand, ValueEnum};
use tokio::signal::unix::{SignalKind, signal};

use self::credential::Kinds;
use self::gateway::OwnGateway;
use self::report::Told;
use self::sites::Place;
use self::url::Remote;
use super::{Answer, Failure, settings};
use crate::clock::unix_seconds;
use crate::probe::Family;
use crate::probe::recorder::Recorder;
use crate::probe::run::{Plan, Report, Sight, run as send};
use crate::resource::Dialect;
use crate::secret::SecretError;
use crate::token::{SignError, token_id};

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Who attacks: a user with a home
    #[arg(long = "as", value_name = "NAME", required_unless_present = "upstream_echo")]
    attacker: Option<String>,
    /// Whose home is attacked
    #[arg(long = "against", value_name = "NAME", required_unless_present = "upstream_echo")]
    victim: Option<String>,
    /// How the attacker proves who they are: `user:password` or a token, or `@FILE` or `env:NAME`
    /// with one in it [default: a token of the configuration's own issuer]
    #[arg(long, value_name = "CREDENTIAL")]
    credential: Option<String>,
    /// Only these routes [default: all with homes]
    #[arg(long = "route", value_name = "NAME")]
    routes: Vec<String>,
    /// Only these families of attacks
    #[arg(long = "family", value_name = "FAMILY", value_enum)]
    families: Vec<Family>,
    /// Only the attack with this id, as a report names it
    #[arg(long, value_name = "ID")]
    attack: Option<String>,
    #[command(flatten)]
    remote: Remote,
    /// Ask the upstream itself how it reads paths, and propose `paths`
    #[arg(long, requires = "files")]
    upstream_echo: bool,
    /// The upstream for --upstream-echo [default: the configuration's, if it has one]
    #[arg(long, value_name = "URL", requires = "upstream_echo")]
    upstream: Option<String>,
    /// Two files in different folders of the upstream, such as `/files/a/one.txt`
    #[arg(long = "file", value_name = "PATH", requires = "upstream_echo")]
    files: Vec<String>,
    /// How long each answer may take
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = humantime::parse_duration)]
    timeout: Duration,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the recording upstream: it answers each request with what it received
    Upstream(upstream::Arguments),
}

impl ValueEnum for Family {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(self.label()))
    }
}

/// Why nothing is probed.
#[derive(Debug, thiserror::Error)]
enum ProbeCommandError {
    #[error("an attack needs somebody else: --as and --against name the same user")]
    Alone,
    #[error("--credential")]
    Credential(#[from] SecretError),
    #[error("interrupted: nothing is proved")]
    Interrupted,
    #[error("there is no randomness")]
    Randomness(#[from] SignError),
    #[error("no network")]
    Runtime(#[source] io::Error),
    #[error("the recording upstream cannot listen")]
    Recorder(#[source] io::Error),
}

pub(super) fn run(arguments: &Arguments, named: Option<PathBuf>) -> Result<Answer, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(ProbeCommandError::Runtime)?;
    match &arguments.command {
        Some(Command::Upstream(arguments)) => return runtime.block_on(upstream::run(arguments)),
        None if arguments.upstream_echo => {
            let config = settings::path(named);
            return runtime.block_on(echo::run(arguments, &config));
        }
        None => {}
    }
    let (Some(attacker), Some(victim)) = (&arguments.attacker, &arguments.victim) else {
        return Err(ProbeCommandError::Alone.into()); // the parser has seen to both
    };
    if attacker == victim {
        return Err(ProbeCommandError::Alone.into());
    }
    let told = runtime.block_on(async {
        let attack = async {
            if arguments.remote.url.is_some() {
                arguments.attack_remote(attacker, victim, named).await
            } else {
                arguments.attack_own(attacker, victim, &settings::path(named)).await
            }
        };
        tokio::select! {
            told = attack => told,
            // The gateway of our own ends with the attack that is dropped here.
            () = interrupted() => Err(ProbeCommandError::Interrupted.into()),
        }
    })?;
    told.answer(arguments.json)
}

impl Arguments {
    /// Attacks a gateway of our own, before a recording upstream.
    async fn attack_own(&self, attacker: &str, victim: &str, path: &Path) -> Result<Told, Failure> {
        let (config, snapshot) = settings::snapshot(path)?;
        let found = sites::find(&config, &snapshot, attacker, victim, &self.routes)?;
        let recorder = Recorder::default();
        let any = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
        let (listener, upstream) =
            Recorder::bind(any).await.map_err(ProbeCommandError::Recorder)?;
        tokio::spawn(recorder.clone().serve(listener));
        let gateway = OwnGateway::start(path, &config, upstream)?;
        let token = match &self.credential {
            Some(_) => None,
            None => Some(credential::issue(&snapshot, attacker, unix_seconds())?),
        };
        let mut told = Told::new(found.left_out);
        for Place { mut site, listener, accepted, tls_name } in found.places {
            let target = gateway.target(&config, listener, &tls_name, self.timeout)?;
            site.is_secure = target.is_secure();
            let credential = self.credential(token.as_deref(), attacker, accepted)?;
            let sight = Sight::Here(recorder.clone());
            let plan = self.plan(target, credential, sight)?;
            let report = send(&plan, &site, progress(&site.name)).await?;
            told.add(site, report);
        }
        Ok(told)
    }

    /// Attacks a gateway that runs.
    async fn attack_remote(
        &self,
        attacker: &str,
        victim: &str,
        named: Option<PathBuf>,
    ) -> Result<Told, Failure> {
        let loaded = named.as_deref().map(settings::snapshot).transpose()?;
        let target = self.remote.target(self.timeout)?;
        let sight = self.remote.sight(self.timeout)?;
        let (places, left_out) = match &loaded {
            None => (vec![self.remote.place(attacker, victim)?], Vec::new()),
            Some((config, snapshot)) => {
                let found = sites::find(config, snapshot, attacker, victim, &self.routes)?;
                (self.remote.settle(found.places)?, found.left_out)
            }
        };
        let token = match (&self.credential, &loaded) {
            (None, Some((_, snapshot))) => {
                Some(credential::issue(snapshot, attacker, unix_seconds())?)
            }
            _ => None,
        };
        let mut told = Told::new(left_out);
        for Place { mut site, accepted, .. } in places {
            site.is_secure = target.is_secure();
            let credential = self.credential(token.as_deref(), attacker, accepted)?;
            let plan = self.plan(target.clone(), credential, sight.clone())?;
            let report = send(&plan, &site, progress(&site.name)).await?;
            told.add(site, report);
        }
        Ok(told)
    }

    fn credential(
        &self,
        token: Option<&str>,
        attacker: &str,
        accepted: Kinds,
    ) -> Result<(String, String), Failure> {
        Ok(match (&self.credential, token) {
            (Some(form), _) => credential::read(form)?,
            (None, Some(token)) => credential::present(token, attacker, accepted),
            (None, None) => return Err(credential::CredentialError::Missing.into()),
        })
    }

    fn plan(
        &self,
        target: crate::probe::dial::Target,
        credential: (String, String),
        sight: Sight,
    ) -> Result<Arc<Plan>, Failure> {
        let families =
            if self.families.is_empty() { Family::ALL.into() } else { self.families.clone() };
        Ok(Arc::new(Plan {
            target,
            credential,
            families,
            only: self.attack.clone(),
            run: token_id().map_err(ProbeCommandError::Randomness)?,
            sight,
        }))
    }
}

/// Waits for SIGINT or SIGTERM.
async fn interrupted() {
    let signals = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    let (Ok(mut interrupt), Ok(mut terminate)) = signals else {
        return std::future::pending().await; // then they end the process as ever
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

/// Shows on a terminal how far it is.
fn progress(name: &str) -> impl FnMut(usize, usize) {
    let is_shown = io::stderr().is_terminal();
    let name = super::answer::printable(name);
    move |done, total| {
        if is_shown && (done.is_multiple_of(10) || done == total) {
            let end = if done == total { "\r\u{1b}[K" } else { "" };
            let mut errors = io::stderr().lock();
            let _ = write!(errors, "\r{name}: {done} of {total}{end}");
            let _ = errors.flush();
        }
    }
}

/// What is told of how a site was attacked, besides the verdicts.
fn shape(dialect: Dialect, is_rewritten: bool) -> String {
    format!("paths {dialect}, mode {}", if is_rewritten { "rewrite" } else { "require" })
}

/// Nothing was sent at all.
fn is_empty(report: &Report) -> bool {
    report.findings.is_empty()
}
