//! The composition root: builds the parts, wires them, and ends them in order.
//!
//! One thread per worker carries requests; the thread that calls [`run`] carries the control
//! plane. Ending has two phases: what runs is finished within `server.grace`, then, or at the
//! second signal, it is cut.

pub mod notify;
mod observe;
mod service;
mod signals;
mod worker;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::admin;
use crate::config::{self, Config, ConfigErrors};
use crate::control::loader::Loader;
use crate::control::{self, Control};
use crate::gateway::explain::Explainers;
use crate::listener::occupancy::Occupancy;
use crate::listener::socket::{self, BindError, Bound};
use crate::service::NoSecrets;
use crate::session::SealError;
use crate::snapshot::LoadErrors;
use crate::store::OpenError;
use crate::telemetry::access_log::{LogBuffer, LogWriter, Sink};
use crate::telemetry::id::{IdSource, NoRandomness};
use crate::telemetry::log::{Format, InitError, Log};
use crate::telemetry::metrics::{ControlMetrics, Layout, WorkerMetrics};

use self::notify::Notifier;
use self::observe::Observed;
use self::service::Service;
use self::worker::Crew;

/// How long log lines may take to be written at the end.
const LAST_LINES: Duration = Duration::from_secs(2);

/// What to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// The configuration file.
    pub config: PathBuf,
}

/// What runs.
#[derive(Clone, Debug)]
pub struct Started {
    /// The listeners by name, with the addresses they got.
    pub listeners: Vec<(String, SocketAddr)>,
    /// Where health, metrics and status are.
    pub admin: Option<admin::Address>,
}

/// Why nothing runs.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The admin listener.
    #[error("admin")]
    Admin(#[from] admin::BindError),
    /// A listener.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    /// The access log.
    #[error("log.file: cannot be opened")]
    AccessLog(#[source] io::Error),
    /// What the configuration names.
    #[error(transparent)]
    Load(#[from] LoadErrors),
    /// The program's own log.
    #[error("the log cannot be set up")]
    Log(#[from] InitError),
    /// The secrets of sessions and second factors.
    #[error("store.secret")]
    Secrets(#[from] NoSecrets),
    /// The key of sessions.
    #[error("store.secret")]
    Sessions(#[from] SealError),
    /// This program was built without it.
    #[cfg(not(feature = "postgres"))]
    #[error("store.postgres: this program was built without PostgreSQL (feature `postgres`)")]
    NoPostgres,
    /// The store.
    #[error("store")]
    Store(#[from] OpenError),
    /// Two metrics of one name.
    #[error("metrics")]
    Metrics(#[from] prometheus::Error),
    /// There is no randomness.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    /// Threads, signals or sockets of the system.
    #[error("the system does not give what is needed: {0}")]
    System(&'static str, #[source] io::Error),
}

/// Starts the gateway, tells `on_start` once it serves, and comes back when it has ended.
///
/// # Errors
///
/// [`StartError`]: nothing was served.
pub fn run(options: &Options, on_start: impl FnOnce(&Started)) -> Result<(), StartError> {
    let config = Control::read(&options.config)?;
    let log = Log::init(format(&config), control::level_of(config.log.level))?;
    let app = App::build(options, config, &log)?;
    app.serve(on_start)
}

/// All parts, wired and bound, before anything is accepted.
struct App {
    control: Arc<Control>,
    crew: Crew,
    service: Service,
    access_log: Option<LogWriter>,
    observed: Arc<Observed>,
    admin: Option<(admin::Bound, Arc<admin::AdminState>)>,
    started: Started,
}

impl App {
    fn build(options: &Options, config: Config, log: &Log) -> Result<Self, StartError> {
        let passed = socket::Passed::take(passed_sockets());
        let mut bound = Vec::new();
        for listener in &config.listeners {
            bound.push(socket::bind(&listener.name, &listener.address, &passed)?);
        }
        drop(passed);
        let access_log = access_log(&config)?;
        let admin_address = config.admin.clone();
        let workers = config.server.workers.get();
        let control_metrics = Arc::new(ControlMetrics::new());
        let level = Some(log.level().clone());
        let loader = Loader::start().map_err(|error| StartError::System("a thread", error))?;
        let (path, metrics) = (options.config.clone(), Arc::clone(&control_metrics));
        let control = Control::start(loader, path, config, metrics, level)?;
        let layout = Arc::new(Layout {
            reasons: crate::gateway::reason::ALL,
            listeners: bound.iter().map(|bound| bound.name.clone()).collect(),
        });
        let metrics: Vec<_> =
            (0..workers).map(|_| Arc::new(WorkerMetrics::new(Arc::clone(&layout)))).collect();
        let listeners = bound.iter().map(|bound| (bound.name.to_string(), bound.address)).collect();
        let observed = Observed::new(
            &bound,
            Arc::clone(&control),
            control_metrics,
            metrics.clone(),
            access_log.as_ref().map(LogWriter::counters),
            log.counters(),
        );
        let readiness = &observed.readiness;
        let service = control.with_config(|config| Service::start(config, &control, readiness))?;
        let tokens = Arc::clone(service.desk().service());
        let api = admin::Api::new(tokens, Arc::clone(control.snapshots()));
        let (explainers, inboxes) = Explainers::new(workers);
        let admin = bind_admin(&admin_address, &observed, api, explainers)?;
        let metrics = metrics.into_iter().zip(inboxes).collect();
        let crew = Crew::new(&bound, &control, metrics, &service, access_log.as_ref())?;
        let started =
            Started { listeners, admin: admin.as_ref().map(|(bound, _)| bound.address().clone()) };
        Ok(Self { control, crew, service, access_log, observed, admin, started })
    }

    fn serve(self, on_start: impl FnOnce(&Started)) -> Result<(), StartError> {
        let Self { control, crew, service, access_log, observed, admin, started } = self;
        let system = |what| move |error| StartError::System(what, error);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(system("an event loop"))?;
        let notifier = Notifier::from_environment();
        let (stop, cut) = (CancellationToken::new(), CancellationToken::new());
        let finished = runtime.block_on(async {
            let mut signals = signals::Signals::listen().map_err(system("signals"))?;
            let mut working = crew.start(&stop, &cut).map_err(system("a thread"))?;
            let admin_stop = CancellationToken::new();
            let admin_task = admin
                .map(|(bound, state)| tokio::spawn(admin::serve(bound, state, admin_stop.clone())));
            let watching = tokio::spawn(control::watch::run(Arc::clone(&control)));
            let retiring = tokio::spawn(control::retired::run(Arc::clone(&control)));
            observed.readiness.listening();
            observed.readiness.loaded();
            notifier.ready(&observed.status_line());
            for (name, address) in &started.listeners {
                tracing::info!(listener.name = name, %address, "Listening on {address}");
            }
            on_start(&started);

            let serving =
                signals::until_stop(&mut signals, &control, access_log.as_ref(), &notifier);
            let is_broken = tokio::select! {
                () = serving => false,
                () = working.failed() => true,
            };
            if is_broken {
                tracing::error!("A worker has ended; the gateway ends, to be started anew");
            }

            observed.readiness.draining();
            notifier.stopping("Draining");
            let grace = control.with_config(|config| config.server.grace);
            tracing::info!(grace.seconds = grace.as_secs(), "Draining: finishing what runs");
            stop.cancel();
            let is_clean = signals::drain(&mut signals, working, &cut, grace).await;
            watching.abort();
            retiring.abort();
            admin_stop.cancel();
            if let Some(task) = admin_task {
                let _ = tokio::time::timeout(Duration::from_secs(1), task).await;
            }
            if is_broken {
                return Err(StartError::System("a worker", io::ErrorKind::Other.into()));
            }
            Ok::<_, StartError>(is_clean)
        })?;
        runtime.shutdown_timeout(Duration::from_secs(1));
        service.stop();
        if let Some(log) = access_log {
            let _ = log.stop(LAST_LINES); // what is not written by then is lost
        }
        if finished {
            tracing::info!("Stopped: everything was finished");
        } else {
            tracing::warn!("Stopped: what was not finished in time was cut");
        }
        Ok(())
    }
}

fn format(config: &Config) -> Format {
    use std::io::IsTerminal as _;
    match config.log.format {
        config::LogFormat::Text => Format::Text,
        config::LogFormat::Auto if io::stderr().is_terminal() => Format::Text,
        config::LogFormat::Auto | config::LogFormat::Json => Format::Json,
    }
}

fn access_log(config: &Config) -> Result<Option<LogWriter>, StartError> {
    if !config.log.access {
        return Ok(None);
    }
    let sink = match &config.log.file {
        config::LogFile::Stdout => Sink::Stdout,
        config::LogFile::Path(path) => Sink::File(path.clone()),
    };
    let writer = LogWriter::start(sink, format(config), config.log.queue);
    writer.map(Some).map_err(StartError::AccessLog)
}

fn bind_admin(
    address: &config::Admin,
    observed: &Arc<Observed>,
    api: admin::Api,
    explainers: Explainers,
) -> Result<Option<(admin::Bound, Arc<admin::AdminState>)>, StartError> {
    let address = match address {
        config::Admin::Off => return Ok(None),
        config::Admin::Socket(address) => admin::Address::Tcp(*address),
        config::Admin::Unix(path) => admin::Address::Unix(path.clone()),
    };
    if !address.is_local() {
        tracing::warn!("admin.address: {address} can be reached from other machines");
    }
    let bound = admin::bind(&address)?;
    let state = observed.admin_state(api, explainers)?;
    Ok(Some((bound, Arc::new(state))))
}

/// The sockets that the service manager passed (`sd_listen_fds(3)`), with their names.
fn passed_sockets() -> Vec<(String, std::net::TcpListener)> {
    let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
    let mut names = names.split(':').map(ToOwned::to_owned);
    let mut passed = listenfd::ListenFd::from_env();
    let mut sockets = Vec::new();
    for index in 0..passed.len() {
        let name = names.next().unwrap_or_default();
        if let Ok(Some(socket)) = passed.take_tcp_listener(index) {
            sockets.push((name, socket));
        }
    }
    sockets
}

/// What every worker's part of the access log is.
fn buffer(access_log: Option<&LogWriter>) -> LogBuffer {
    access_log.map_or_else(LogBuffer::off, LogWriter::buffer)
}

/// A worker's source of ids.
fn ids() -> Result<IdSource, NoRandomness> {
    IdSource::random()
}

/// The connections of each listener, over all of so many workers.
fn occupancies(bound: &[Bound], workers: usize) -> Vec<Arc<Occupancy>> {
    bound.iter().map(|_| Arc::new(Occupancy::new(workers))).collect()
}
