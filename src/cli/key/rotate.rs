//! `doorward key rotate`: a new key beside an issuer's others, which is the newest and so signs
//! from the next load on. The old ones go on verifying until their last token is gone.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::cli::remote::{RemoteError, Where};
use crate::cli::status::date;
use crate::cli::{Answer, Failure, Verdict, settings};
use crate::config::KeySource;
use crate::token::{Algorithm, Keyring, SignError, Signer};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// The issuer
    #[arg(long, value_name = "NAME")]
    issuer: String,
    /// What the new key signs with [default: what the newest one does]
    #[arg(long, short, value_parser = super::generate::algorithms())]
    algorithm: Option<Algorithm>,
    #[command(flatten)]
    place: Where,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Why there is no new key.
#[derive(Debug, thiserror::Error)]
enum RotateError {
    #[error("`issuers.{0}.keys` is one file: only a folder of keys can be rotated")]
    File(String),
    #[error("the issuer `{0}` cannot sign as it is: it holds other people's keys")]
    Foreign(String, #[source] SignError),
    #[error("the issuer `{0}` does not allow {1}: see `issuers.{0}.algorithms`")]
    NotAllowed(String, Algorithm),
    #[error("the issuer `{0}` signs with a secret: change the secret itself")]
    Secret(String),
    #[error("the configuration has no issuer `{0}`")]
    Unknown(String),
}

pub(super) fn run(arguments: &Arguments, config: &Path, now: Duration) -> Result<Answer, Failure> {
    let name = || arguments.issuer.clone();
    let settings = settings::load(config)?;
    let found = settings.issuers.iter().find(|issuer| issuer.name == arguments.issuer);
    let issuer = found.ok_or_else(|| RotateError::Unknown(name()))?;
    let folder = folder(&issuer.keys, &arguments.issuer)?;
    let (keyring, _) = Keyring::load(folder)?;
    let allowed = issuer.algorithms.as_deref();
    let signer =
        Signer::newest(&keyring, allowed).map_err(|error| RotateError::Foreign(name(), error))?;
    let algorithm = arguments.algorithm.unwrap_or(signer.algorithm());
    if allowed.is_some_and(|allowed| !allowed.contains(&algorithm)) {
        return Err(RotateError::NotAllowed(name(), algorithm).into());
    }
    let (file, key_id) = super::generate::place(algorithm, folder, now)?;
    let loaded = reload(&arguments.place, config);
    // No token that an old key has signed outlives this.
    let longest = issuer.max_lifetime.unwrap_or(issuer.lifetime).max(
        settings.endpoints.iter().map(|endpoint| endpoint.max_lifetime).max().unwrap_or_default(),
    );
    let until = now.saturating_add(longest).saturating_add(issuer.leeway).as_secs();
    let mut answer = if arguments.json {
        let told = serde_json::json!({
            "file": file.display().to_string(),
            "key_id": key_id,
            "algorithm": algorithm.as_str(),
            "previous": signer.key_id(),
            "previous_until": until,
            "loaded": loaded.is_ok(),
        });
        Answer::json(&told, Verdict::Good)?
    } else {
        let previous = signer.key_id();
        Answer::good(format!(
            "wrote {}: the key `{key_id}` signs for `{}` now\n`{previous}` goes on verifying; it may be \
             removed after {}\n",
            file.display(),
            arguments.issuer,
            date(until)
        ))
    };
    if let Err(error) = loaded {
        answer.warnings.push(format!("the running gateway was not told: {error}"));
    }
    Ok(answer)
}

fn folder<'c>(keys: &'c KeySource, issuer: &str) -> Result<&'c PathBuf, RotateError> {
    match keys {
        KeySource::Path(path) if path.is_dir() => Ok(path),
        KeySource::Path(_) => Err(RotateError::File(issuer.to_owned())),
        KeySource::Secret(_) => Err(RotateError::Secret(issuer.to_owned())),
    }
}

/// It would see the new file by itself; asked, it answers when it signs with it.
fn reload(place: &Where, config: &Path) -> Result<(), RemoteError> {
    let answer = place.client(config, Duration::from_mins(1))?.post("/reload")?;
    if answer.status == 200 { Ok(()) } else { Err(RemoteError::unexpected(&answer)) }
}
