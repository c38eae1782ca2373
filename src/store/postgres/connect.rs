//! The way to the database: its address, TLS, time limits, and bringing its tables up to date.
//!
//! | `sslmode` | |
//! |---|---|
//! | absent or `prefer` | none over loopback or a Unix socket, otherwise as `require` |
//! | `disable` | none |
//! | `require`, `verify-ca`, `verify-full` | TLS; the certificate must be right, and name the host |
//!
//! So a password never goes over a network in clear, or to a host that is not the right one, unless
//! somebody has written `disable`.

use std::error::Error;
use std::future::poll_fn;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{AsyncMessage, Client, Config, Connection};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::super::{OpenError, migrations};
use crate::secret::Secret;

/// How many connections carry what is asked.
const POOL: usize = 16;

/// How many notifications wait to be read.
const NOTIFICATIONS: usize = 4_096;

/// How long migrating, or reading all, may take on the server.
const LONG_MILLIS: u64 = 60_000;

/// After how much silence it is looked whether a connection still stands.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// Held while the tables are brought up to date, so that one node does it.
const MIGRATION_LOCK: i64 = 0x646f_6f72_7761_7264; // "doorward"

/// Where the database is, and how it is reached.
#[derive(Debug)]
pub struct Settings {
    /// Its address: `postgres://user:password@host/database?…`, or `host=… user=…`.
    pub address: Secret,
    /// PEM, with the authorities that vouch for it; the system's where there is none.
    pub authorities: Option<PathBuf>,
    /// No call waits longer.
    pub timeout: Duration,
}

/// Makes connections.
#[derive(Clone)]
pub(super) struct Connector {
    config: Config,
    tls: MakeRustlsConnect,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connector").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Connector {
    pub(super) fn new(settings: &Settings) -> Result<Self, OpenError> {
        let address = std::str::from_utf8(settings.address.expose())
            .map_err(|error| OpenError::Address(Box::new(error)))?;
        let mut config = parse(address).map_err(|error| OpenError::Address(Box::new(error)))?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(OpenError::Address("names no host".into()));
        }
        if config.get_ssl_mode() == SslMode::Prefer {
            let is_near = is_near(&config);
            config.ssl_mode(if is_near { SslMode::Disable } else { SslMode::Require });
        }
        limit(&mut config, settings.timeout);
        let roots = if config.get_ssl_mode() == SslMode::Disable {
            RootCertStore::empty()
        } else {
            roots(settings.authorities.as_deref())?
        };
        Ok(Self { config, tls: MakeRustlsConnect::new(tls(roots)?) })
    }

    /// A pool of connections, none of which is made yet.
    pub(super) fn pool(&self, timeout: Duration) -> Result<Pool, OpenError> {
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_config(self.config.clone(), self.tls.clone(), recycling);
        Pool::builder(manager)
            .max_size(POOL)
            .wait_timeout(Some(timeout))
            .create_timeout(Some(timeout))
            .recycle_timeout(Some(timeout))
            .runtime(Runtime::Tokio1)
            .post_create(Hook::async_fn(|client, _| {
                Box::pin(async move { make_durable(client).await.map_err(HookError::Backend) })
            }))
            .build()
            .map_err(|error| OpenError::Unreachable(Box::new(error)))
    }

    /// A connection of its own, on which notifications can be heard, and which may take its time.
    pub(super) async fn connect(&self) -> Result<Line, tokio_postgres::Error> {
        let (client, connection) = self.config.connect(self.tls.clone()).await?;
        let (sender, notifications) = mpsc::channel(NOTIFICATIONS);
        let task = tokio::spawn(carry(connection, sender)).abort_handle();
        let line = Line { client, notifications, task };
        let limits =
            format!("SET statement_timeout = {LONG_MILLIS}; SET lock_timeout = {LONG_MILLIS}");
        line.client.batch_execute(&limits).await?;
        Ok(line)
    }
}

/// A connection of its own; closed when dropped.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) client: Client,
    /// The payloads that were heard; ends with the connection.
    pub(super) notifications: mpsc::Receiver<String>,
    task: AbortHandle,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Line {
    /// Brings the tables up to date, after other nodes that may be at it.
    pub(super) async fn migrate(&mut self) -> Result<(), OpenError> {
        let lock = format!("SELECT pg_advisory_lock({MIGRATION_LOCK})");
        let locked = self.client.batch_execute(&lock).await;
        locked.map_err(|error| OpenError::Unreachable(Box::new(error)))?;
        let runner = migrations::for_postgres();
        let migrated = runner.run_async(&mut self.client).await;
        let unlock = format!("SELECT pg_advisory_unlock({MIGRATION_LOCK})");
        let unlocked = self.client.batch_execute(&unlock).await;
        migrated.map_err(|error| migrations::refused(&runner, error))?;
        unlocked.map_err(|error| OpenError::Unreachable(Box::new(error)))
    }
}

/// Carries a connection until it ends, and passes on what is notified. Where there is no room for
/// that the connection is given up: all is read again on the next one.
async fn carry<S, T>(mut connection: Connection<S, T>, notifications: mpsc::Sender<String>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
        let AsyncMessage::Notification(notification) = message else { continue };
        if notifications.try_send(notification.payload().to_owned()).is_err() {
            return;
        }
    }
}

/// Sees to it that a commit which was acknowledged is on the server's disk, whatever the server is
/// set to.
async fn make_durable(client: &Client) -> Result<(), tokio_postgres::Error> {
    client
        .batch_execute(
            "SELECT set_config('synchronous_commit', 'on', false) \
             WHERE current_setting('synchronous_commit') = 'off'",
        )
        .await
}

/// The address. What libpq's `verify-…` ask for is what is done here for `require`.
fn parse(address: &str) -> Result<Config, tokio_postgres::Error> {
    let (place, parameters) = match address.rsplit_once('?') {
        Some((place, parameters)) if address.contains("://") => (format!("{place}?"), parameters),
        _ if address.contains("://") => (address.to_owned(), ""),
        _ => (String::new(), address),
    };
    let parameters = parameters
        .replace("sslmode=verify-full", "sslmode=require")
        .replace("sslmode=verify-ca", "sslmode=require");
    format!("{place}{parameters}").parse()
}

/// Whether all ways to it stay on this machine.
fn is_near(config: &Config) -> bool {
    if !config.get_hostaddrs().is_empty() {
        return config.get_hostaddrs().iter().all(IpAddr::is_loopback);
    }
    config.get_hosts().iter().all(|host| match host {
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        Host::Unix(_) => true,
    })
}

/// Puts a limit to everything that may take long, where the address says nothing of it.
fn limit(config: &mut Config, timeout: Duration) {
    let millis = timeout.as_millis();
    let limits = format!(
        "-c statement_timeout={millis} -c lock_timeout={millis} \
         -c idle_in_transaction_session_timeout={millis}"
    );
    // The later outweighs: what the address says stays.
    let options = config.get_options().map_or(limits.clone(), |own| format!("{limits} {own}"));
    config.options(options);
    if config.get_application_name().is_none() {
        config.application_name("doorward");
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(timeout);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(timeout.saturating_mul(2));
    }
    config.keepalives_idle(KEEPALIVE);
}

fn roots(authorities: Option<&Path>) -> Result<RootCertStore, OpenError> {
    let mut roots = RootCertStore::empty();
    let Some(path) = authorities else {
        let system = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(system.certs);
        let error = system.errors.into_iter().next().map(Into::into);
        return if roots.is_empty() { Err(OpenError::Roots(error)) } else { Ok(roots) };
    };
    let refused = |source: Box<dyn Error + Send + Sync>| OpenError::Certificates {
        path: path.to_owned(),
        source,
    };
    for certificate in CertificateDer::pem_file_iter(path).map_err(|e| refused(e.into()))? {
        let certificate = certificate.map_err(|error| refused(error.into()))?;
        roots.add(certificate).map_err(|error| refused(error.into()))?;
    }
    if roots.is_empty() { Err(refused("holds no certificate".into())) } else { Ok(roots) }
}

fn tls(roots: RootCertStore) -> Result<ClientConfig, OpenError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| OpenError::Unreachable(Box::new(error)))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"postgresql".to_vec()];
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connector(address: &str) -> Result<Connector, OpenError> {
        Connector::new(&Settings {
            address: Secret::from(address.to_owned()),
            authorities: Some(PathBuf::from("/nonexistent/ca.pem")),
            timeout: Duration::from_secs(5),
        })
    }

    #[test]
    fn nothing_goes_over_a_network_in_clear_unless_it_is_asked_for() {
        for address in [
            "postgres://a:b@localhost/d",
            "postgres://a:b@127.0.0.1:5433/d?sslmode=prefer",
            "host=/run/postgresql user=a dbname=d",
            "postgres://a:b@db.example/d?sslmode=disable",
            "host=[::1] hostaddr=::1 user=a",
        ] {
            let mode = connector(address).unwrap().config.get_ssl_mode();
            assert_eq!(mode, SslMode::Disable, "{address}");
        }
        for address in [
            "postgres://a:b@db.example/d",
            "postgres://a:b@db.example/d?sslmode=prefer",
            "postgres://a:b@localhost/d?sslmode=require",
            "postgres://a:b@localhost/d?sslmode=verify-ca&connect_timeout=3",
            "postgres://a:b@localhost/d?sslmode=verify-full",
            "host=db.example user=a sslmode=verify-full",
            "host=localhost,db.example user=a",
            "host=localhost hostaddr=192.0.2.1 user=a",
        ] {
            // Certificates are looked for, and there are none.
            let refused = connector(address);
            assert!(matches!(refused, Err(OpenError::Certificates { .. })), "{address}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_without_being_repeated() {
        for address in ["", "postgres://", "mysql://u:hunter2@h", "host=h passwort=hunter2", "x\0y"]
        {
            let refused = connector(address).unwrap_err();

            assert!(matches!(refused, OpenError::Address(_)), "{address}: {refused:?}");
            assert!(!format!("{refused:?}").contains("hunter2"), "{refused:?}");
        }
    }

    #[test]
    fn every_statement_has_a_limit_unless_the_address_sets_one() {
        let limited = connector("host=localhost").unwrap();
        let own = connector("host=localhost options='-c statement_timeout=7'").unwrap();

        assert!(limited.config.get_options().unwrap().starts_with("-c statement_timeout=5000 "));
        assert!(own.config.get_options().unwrap().ends_with(" -c statement_timeout=7"));
    }
}
