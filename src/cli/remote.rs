//! How the command line finds and asks the running gateway.

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

use super::settings::{self, SettingsError};
use crate::admin::Address;
use crate::admin::address::AddressError;
use crate::admin::client::{Answer, Client, ClientError};
use crate::config::{Admin, ConfigErrors};

/// Where it listens when nothing else is said: the default of `admin.address`.
const DEFAULT: &str = "127.0.0.1:9180";

/// Where the running gateway is asked.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct Where {
    /// The admin listener, as `127.0.0.1:9180` or `unix:/path` [default: as configured]
    #[arg(long, value_name = "ADDRESS")]
    pub(super) admin: Option<Address>,
}

/// Why the gateway has no answer for us.
#[derive(Debug, thiserror::Error)]
pub(super) enum RemoteError {
    /// The configured address is none.
    #[error("`admin.address`")]
    Address(#[from] AddressError),
    /// No answer.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The configuration does not say where the gateway is.
    #[error("the configuration does not tell where the admin listener is; name it with --admin")]
    Config(#[source] SettingsError),
    /// The answer cannot be read.
    #[error("the answer cannot be read")]
    Malformed(#[from] serde_json::Error),
    /// The token is not known.
    #[error("over TCP this needs `admin.token`, which the configuration does not tell")]
    NoToken(#[source] SettingsError),
    /// Nothing listens where the gateway should.
    #[error("this needs a running gateway, and none answers at {address}")]
    NotRunning {
        /// Where it was looked for.
        address: Address,
        /// Why.
        source: ClientError,
    },
    /// There is no admin listener.
    #[error("the admin listener is off: set `admin.address`, or name one with --admin")]
    Off,
    /// The gateway does not do it.
    #[error("{0}")]
    Refused(String),
    /// An answer of another kind.
    #[error("the admin listener answers {status}: {text}")]
    Unexpected {
        /// The status.
        status: u16,
        /// What it says.
        text: String,
    },
}

impl RemoteError {
    /// What an answer that no command knows says.
    pub(super) fn unexpected(answer: &Answer) -> Self {
        let text = String::from_utf8_lossy(&answer.body).trim().to_owned();
        Self::Unexpected { status: answer.status, text }
    }
}

impl Where {
    /// A client for the gateway that is meant.
    pub(super) fn client(&self, config: &Path, patience: Duration) -> Result<Client, RemoteError> {
        let address = match &self.admin {
            Some(address) => address.clone(),
            None => configured(config)?,
        };
        Ok(Client::new(address, patience))
    }

    /// Asks for a change, or for what not everybody is told. `Null`: it is done, and there is
    /// nothing to tell.
    pub(super) fn ask(
        &self,
        config: &Path,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, RemoteError> {
        let (token, broken) = match settings::load(config) {
            Ok(config) => (config.admin_token, None),
            Err(errors) => (None, Some(errors)), // the socket needs none
        };
        let client = self.client(config, PATIENCE)?.with_token(token);
        let body = body.map(serde_json::to_vec).transpose()?.unwrap_or_default();
        let body = Zeroizing::new(body); // may hold a password
        let answer = client.send(method, path, &body).map_err(|error| match error {
            ClientError::Io { .. } => {
                RemoteError::NotRunning { address: client.address().clone(), source: error }
            }
            ClientError::NotOurs(_) | ClientError::TimedOut { .. } => error.into(),
        })?;
        match answer.status {
            204 => Ok(Value::Null),
            200 | 201 => Ok(serde_json::from_slice(&answer.body)?),
            401 if let Some(errors) = broken => Err(RemoteError::NoToken(errors.into())),
            _ => Err(refusal(&answer)),
        }
    }
}

/// Hashing a password and reading everything again may take a while.
const PATIENCE: Duration = Duration::from_mins(1);

fn refusal(answer: &Answer) -> RemoteError {
    let told = serde_json::from_slice::<Value>(&answer.body).unwrap_or_default();
    let detail = ["detail", "error"].into_iter().find_map(|key| told.get(key)?.as_str());
    match detail {
        Some(detail) => RemoteError::Refused(detail.to_owned()),
        None => RemoteError::unexpected(answer),
    }
}

/// Something's name as a segment of a path.
pub(super) fn segment(name: &str) -> String {
    percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// The admin address of the configuration. A configuration that is broken elsewhere still tells
/// it: that is when the running gateway is asked most.
fn configured(config: &Path) -> Result<Address, RemoteError> {
    match settings::load(config) {
        Ok(config) => match config.admin {
            Admin::Off => Err(RemoteError::Off),
            Admin::Socket(address) => Ok(Address::Tcp(address)),
            Admin::Unix(path) => Ok(Address::Unix(std::path::absolute(&path).unwrap_or(path))),
        },
        Err(errors) => alone(config, errors),
    }
}

/// What of the main file tells the address.
#[derive(Deserialize)]
struct Alone {
    admin: Option<Section>,
    include: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Section {
    address: Option<String>,
}

impl Alone {
    fn address(self) -> Option<String> {
        match self.admin.and_then(|admin| admin.address) {
            None if self.include.is_some() => None, // it may stand there
            said => Some(said.unwrap_or_else(|| DEFAULT.to_owned())),
        }
    }
}

/// What the main file says of the address, whatever else it says.
fn alone(config: &Path, errors: ConfigErrors) -> Result<Address, RemoteError> {
    let said = std::env::var("DOORWARD_ADMIN_ADDRESS").ok().or_else(|| {
        let text = std::fs::read_to_string(config).ok()?;
        toml::from_str::<Alone>(&text).ok()?.address()
    });
    let Some(said) = said else { return Err(RemoteError::Config(errors.into())) };
    if said == "off" {
        return Err(RemoteError::Off);
    }
    match said.strip_prefix("unix:") {
        Some(socket) => {
            let beside = config.parent().unwrap_or(Path::new("")).join(socket);
            Ok(Address::Unix(std::path::absolute(&beside).unwrap_or(beside)))
        }
        None => Ok(said.parse()?),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use super::*;

    /// A listener that answers one request with `status` and `body`.
    pub(in crate::cli) fn answering(status: &str, body: &str) -> Where {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let length = body.len();
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}");
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 4096]).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
        });
        Where { admin: Some(Address::Tcp(address)) }
    }

    fn ask(status: &str, body: &str) -> Result<Value, RemoteError> {
        answering(status, body).ask(Path::new("none.toml"), "POST", "/keys", None)
    }

    #[test]
    fn what_is_refused_is_told_in_the_gateways_words() {
        assert_eq!(ask("204 No Content", "").unwrap(), Value::Null);
        assert_eq!(ask("201 Created", "{\"id\":1}").unwrap()["id"], 1);
        let refused = ask("409 Conflict", "{\"detail\":\"the key is taken\"}").unwrap_err();
        assert_eq!(refused.to_string(), "the key is taken");
        let refused = ask("404 Not Found", "{\"error\":\"not found\"}").unwrap_err();
        assert_eq!(refused.to_string(), "not found");
        assert!(matches!(ask("500 Oh", "x"), Err(RemoteError::Unexpected { status: 500, .. })));
    }

    #[test]
    fn without_a_gateway_it_is_said_that_one_is_needed() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let place = Where { admin: Some(Address::Tcp(listener.local_addr().unwrap())) };
        drop(listener);

        let refused = place.ask(Path::new("none.toml"), "GET", "/keys", None).unwrap_err();

        assert!(refused.to_string().starts_with("this needs a running gateway"), "{refused}");
    }

    #[test]
    fn a_name_is_one_segment_whatever_is_in_it() {
        assert_eq!(segment("a/../b?c d%"), "a%2F%2E%2E%2Fb%3Fc%20d%25");
    }

    fn address_of(text: &str) -> Result<Address, RemoteError> {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("doorward.toml");
        std::fs::write(&config, text).unwrap();
        configured(&config)
    }

    #[test]
    fn the_address_is_the_configured_one() {
        let text = "[listeners.main]\naddress = \"127.0.0.1:0\"\n[admin]\naddress = \"[::1]:9\"\n";

        assert_eq!(address_of(text).unwrap(), "[::1]:9".parse().unwrap());
    }

    #[test]
    fn a_configuration_that_is_broken_elsewhere_still_tells_the_address() {
        let text = "[nonsense]\n[admin]\naddress = \"unix:/run/d.sock\"\n";

        assert_eq!(address_of(text).unwrap(), Address::Unix("/run/d.sock".into()));
    }

    #[test]
    fn the_default_needs_no_word() {
        let good = "[listeners.main]\naddress = \"127.0.0.1:0\"\n";

        for text in [good, "[nonsense]\n", "[admin]\nadress = \"typo\"\n"] {
            assert_eq!(address_of(text).unwrap(), DEFAULT.parse().unwrap(), "{text}");
        }
    }

    #[test]
    fn a_configuration_that_tells_no_address_is_told_itself() {
        for text in ["[nonsense", "include = [\"conf.d/*.toml\"]\n[nonsense]\n"] {
            assert!(matches!(address_of(text), Err(RemoteError::Config(_))), "{text}");
        }
        assert!(matches!(
            address_of("[nonsense]\n[admin]\naddress = \"off\"\n"),
            Err(RemoteError::Off)
        ));
    }
}
