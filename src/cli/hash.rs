//! `doorward hash`: a password in, its argon2id hash out, for a file of users.

use std::io::{self, Write};
use std::process::ExitCode;

use super::prompt::{self, PromptError};
use crate::password::{self, PasswordHashError};
use crate::secret::Secret;

/// Hash a password with argon2id, typed at the terminal or piped in as one line
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Arguments {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Why there is no hash.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// It can't be computed.
    #[error(transparent)]
    Hash(#[from] PasswordHashError),
    /// There is no password.
    #[error(transparent)]
    Prompt(#[from] PromptError),
    /// It can't be printed.
    #[error("cannot write the hash")]
    Write(#[from] io::Error),
}

/// Asks for a password and prints its hash.
///
/// # Errors
///
/// [`HashError`] says what was in the way.
pub fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<ExitCode, HashError> {
    print(arguments, &prompt::new_password()?, out)
}

fn print(
    arguments: &Arguments,
    password: &Secret,
    out: &mut dyn Write,
) -> Result<ExitCode, HashError> {
    let hash = password::hash(password.expose())?;
    if arguments.json {
        writeln!(out, "{}", serde_json::json!({ "hash": hash }))?;
    } else {
        writeln!(out, "{hash}")?;
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::password::{Limits, PasswordHash};

    #[test]
    fn the_printed_hash_is_read_again() {
        let secret = Secret::from("correct horse".to_owned());
        let mut out = Vec::new();
        print(&Arguments { json: false }, &secret, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let hash = PasswordHash::parse(text.trim_end(), Limits::default()).unwrap();
        assert!(hash.verify(b"correct horse"));

        let mut out = Vec::new();
        print(&Arguments { json: true }, &secret, &mut out).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert!(json["hash"].as_str().unwrap().starts_with("$argon2id$"));
    }
}
