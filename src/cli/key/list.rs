//! `doorward key list`: the signing keys of a folder, a file or an issuer, or else the API keys of
//! the running gateway.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::api;
use crate::cli::answer::printable;
use crate::cli::remote::Where;
use crate::cli::table::columns;
use crate::cli::{Answer, Failure, Verdict, settings};
use crate::snapshot::{self, Summary};
use crate::token::{Algorithm, Key, KeyType, Keyring};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// A folder of signing keys, or one file
    #[arg(conflicts_with_all = ["issuer", "user"])]
    path: Option<PathBuf>,
    /// The signing keys of an issuer of the configuration
    #[arg(long, value_name = "NAME")]
    issuer: Option<String>,
    /// The API keys of this user alone
    #[arg(long, value_name = "NAME", conflicts_with = "issuer")]
    user: Option<String>,
    #[command(flatten)]
    place: Where,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The configuration has no such issuer.
#[derive(Debug, thiserror::Error)]
#[error("the configuration has no issuer `{0}`")]
struct UnknownIssuer(String);

/// A key as it is listed: nothing secret.
#[derive(Debug, Serialize)]
struct Listed {
    key_id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    algorithms: Vec<&'static str>,
    private: bool,
    source: Option<String>,
}

impl Listed {
    fn of(key: &Key) -> Self {
        Self {
            key_id: key.id().to_owned(),
            kind: match key.key_type() {
                KeyType::Ed25519 => "Ed25519",
                KeyType::P256 => "P-256",
                KeyType::P384 => "P-384",
                KeyType::Rsa => "RSA",
                KeyType::Secret => "secret",
            },
            algorithms: key.algorithms().into_iter().map(Algorithm::as_str).collect(),
            private: key.is_private(),
            source: key.source().map(|path| path.display().to_string()),
        }
    }
}

pub(super) fn run(arguments: &Arguments, config: &Path) -> Result<Answer, Failure> {
    let (keyring, warnings) = match (&arguments.path, &arguments.issuer) {
        (Some(path), _) => {
            let (keyring, warnings) = Keyring::load(path)?;
            (keyring, warnings.iter().map(ToString::to_string).collect())
        }
        (None, Some(issuer)) => of_issuer(issuer, config)?,
        (None, None) => {
            return api::list(&arguments.place, arguments.user.as_deref(), arguments.json, config);
        }
    };
    let keys: Vec<Listed> = keyring.keys().map(Listed::of).collect();
    let answer = if arguments.json {
        Answer::json(&keys, Verdict::Good)?
    } else {
        Answer::good(describe(&keys))
    };
    Ok(Answer { warnings, ..answer })
}

fn of_issuer(name: &str, config: &Path) -> Result<(Keyring, Vec<String>), Failure> {
    let config = settings::load(config)?;
    let issuer = config.issuers.iter().find(|issuer| issuer.name == name);
    let issuer = issuer.ok_or_else(|| UnknownIssuer(name.to_owned()))?;
    let mut summary = Summary::default();
    let settings = snapshot::build_issuer(issuer, &mut summary)?;
    Ok((settings.keyring, summary.warnings))
}

fn describe(keys: &[Listed]) -> String {
    let mut rows = vec![["KEY ID", "TYPE", "ALGORITHMS", "PART", "FILE"].map(str::to_owned)];
    rows.extend(keys.iter().map(|key| {
        [
            key.key_id.clone(),
            key.kind.to_owned(),
            key.algorithms.join(" "),
            if key.private { "private" } else { "public" }.to_owned(),
            key.source.clone().unwrap_or_else(|| "-".to_owned()),
        ]
    }));
    printable(&columns(&rows))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::token::generate;

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let key = generate(Algorithm::ES256).unwrap();
        fs::write(folder.path().join("one.pem"), &*key.content).unwrap();
        folder
    }

    fn list(path: &Path, json: bool) -> String {
        let arguments = {
            let place = Where { admin: None };
            Arguments { path: Some(path.to_owned()), issuer: None, user: None, place, json }
        };
        run(&arguments, Path::new("unused")).unwrap().text
    }

    #[test]
    fn keys_are_listed_by_id_type_and_use() {
        let folder = folder();

        let text = list(folder.path(), false);

        let key = text.lines().nth(1).unwrap();
        assert!(key.starts_with("one     P-256  ES256       private  /"), "{text}");
    }

    #[test]
    fn nothing_secret_is_listed() {
        let folder = folder();
        let pem = fs::read_to_string(folder.path().join("one.pem")).unwrap();
        let secret = pem.lines().nth(1).unwrap();

        let json = list(folder.path(), true);

        assert!(json.contains("\"key_id\": \"one\""), "{json}");
        assert!(!json.contains(secret), "{json}");
    }
}
