//! `doorward key generate`: a new key in a file of its own, which never replaces another.

use std::fs::{self, DirBuilder};
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::cli::answer::chain;
use crate::cli::{Answer, Failure};
use crate::token::{Algorithm, KeyFault, Keyring, generate};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// What the key will sign with
    #[arg(long, short, default_value = "EdDSA", value_parser = algorithms())]
    algorithm: Algorithm,
    /// The folder to write it into; made if it is not there
    #[arg(long, short, value_name = "DIR")]
    out: PathBuf,
    /// The file's name without extension, which is the key id [default: algorithm and time]
    #[arg(long)]
    name: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Why there is no new key.
#[derive(Debug, thiserror::Error)]
pub(super) enum GenerateError {
    #[error("`{}` is there already, and is left as it is", .0.display())]
    Exists(PathBuf),
    #[error("no key could be made")]
    Key(#[from] KeyFault),
    #[error(
        "`{0}` cannot name a key: use letters, digits, `-`, `_` and `.`, a letter or digit first"
    )]
    Name(String),
    #[error("cannot write `{}`", path.display())]
    Unwritable { path: PathBuf, source: io::Error },
}

pub(super) fn algorithms() -> impl TypedValueParser<Value = Algorithm> {
    PossibleValuesParser::new(Algorithm::ALL.map(Algorithm::as_str))
        .try_map(|name| name.parse::<Algorithm>())
}

pub(super) fn run(arguments: &Arguments, now: Duration) -> Result<Answer, Failure> {
    let Arguments { algorithm, out, name, json } = arguments;
    let name = name.clone().unwrap_or_else(|| default_name(*algorithm, now));
    let path = write(*algorithm, out, &name)?;
    let file = path.display().to_string();
    let mut answer = if *json {
        let key =
            serde_json::json!({ "file": file, "key_id": name, "algorithm": algorithm.as_str() });
        Answer::json(&key, crate::cli::Verdict::Good)?
    } else {
        Answer::good(format!("wrote {file}, an {algorithm} key with the id `{name}`\n"))
    };
    if let Err(error) = Keyring::load(out) {
        let reason = chain(&error);
        answer.warnings.push(format!("this folder cannot serve an issuer as it is: {reason}"));
    }
    Ok(answer)
}

/// A new key of a name that tells algorithm and time.
pub(super) fn place(
    algorithm: Algorithm,
    folder: &Path,
    now: Duration,
) -> Result<(PathBuf, String), GenerateError> {
    let name = default_name(algorithm, now);
    Ok((write(algorithm, folder, &name)?, name))
}

fn default_name(algorithm: Algorithm, now: Duration) -> String {
    let time = humantime::format_rfc3339_seconds(UNIX_EPOCH + now).to_string();
    let digits: String = time.chars().filter(char::is_ascii_digit).collect();
    format!("{}-{digits}", algorithm.as_str().to_ascii_lowercase())
}

/// Writes the key beside, with mode 0600 from its first byte, and then gives it its name, unless
/// that is taken.
fn write(algorithm: Algorithm, folder: &Path, name: &str) -> Result<PathBuf, GenerateError> {
    if !is_name(name) {
        return Err(GenerateError::Name(name.to_owned()));
    }
    let key = generate(algorithm)?;
    let path = folder.join(format!("{name}.{}", key.extension));
    if fs::symlink_metadata(&path).is_ok() {
        return Err(GenerateError::Exists(path)); // checked again below, where it counts
    }
    let unwritable = |source| GenerateError::Unwritable { path: path.clone(), source };
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(unwritable)?;
    let mut file =
        tempfile::Builder::new().prefix(".key-").tempfile_in(folder).map_err(unwritable)?;
    file.write_all(&key.content).and_then(|()| file.as_file().sync_all()).map_err(unwritable)?;
    match file.persist_noclobber(&path) {
        Ok(_) => Ok(path),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
            Err(GenerateError::Exists(path))
        }
        Err(error) => Err(unwritable(error.error)),
    }
}

/// Whether the name stays in its folder, is read by a keyring, and is fit for a key id.
fn is_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=64).contains(&name.len())
        && name.bytes().all(is_plain)
        && name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && !name.starts_with("README")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn arguments(algorithm: Algorithm, out: &Path, name: Option<&str>) -> Arguments {
        let name = name.map(str::to_owned);
        Arguments { algorithm, out: out.to_owned(), name, json: false }
    }

    #[test]
    fn every_algorithm_gets_a_key_that_serves_it_and_that_only_its_owner_reads() {
        let folder = tempfile::tempdir().unwrap();
        for algorithm in Algorithm::ALL {
            let out = folder.path().join(algorithm.as_str());

            let answer = run(&arguments(algorithm, &out, Some("k.1")), Duration::ZERO).unwrap();

            let (keyring, warnings) = Keyring::load(&out).unwrap();
            let key = keyring.key("k.1").unwrap();
            let mode = fs::metadata(key.source().unwrap()).unwrap().permissions().mode();
            assert!(key.is_private() && key.key_type() == algorithm.key_type(), "{algorithm}");
            assert_eq!((mode & 0o777, warnings.len()), (0o600, 0), "{algorithm}");
            assert_eq!(answer.warnings, [""; 0], "{algorithm}");
        }
    }

    #[test]
    fn a_key_is_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let arguments = arguments(Algorithm::EdDSA, folder.path(), Some("k"));
        run(&arguments, Duration::ZERO).unwrap();
        let before = fs::read(folder.path().join("k.pem")).unwrap();

        let Err(Failure(error)) = run(&arguments, Duration::ZERO) else { panic!() };

        assert!(error.to_string().contains("is there already"), "{error}");
        assert_eq!(fs::read(folder.path().join("k.pem")).unwrap(), before);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_name_never_leads_out_of_the_folder_or_past_the_keyring() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["", "../k", "a/b", ".hidden", "README", "-k", "k\n", "ä", &"k".repeat(65)] {
            let made = run(&arguments(Algorithm::EdDSA, folder.path(), Some(name)), Duration::ZERO);

            assert!(made.is_err(), "{name:?}");
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_key_without_a_name_is_named_by_algorithm_and_time() {
        assert_eq!(default_name(Algorithm::PS256, Duration::from_secs(1)), "ps256-19700101000001");
    }

    #[test]
    fn a_secret_beside_a_key_pair_is_warned_of() {
        let folder = tempfile::tempdir().unwrap();
        run(&arguments(Algorithm::EdDSA, folder.path(), None), Duration::ZERO).unwrap();

        let answer =
            run(&arguments(Algorithm::HS256, folder.path(), None), Duration::ZERO).unwrap();

        assert!(answer.warnings[0].contains("both secrets and public keys"), "{answer:?}");
    }
}
