//! The files that the demonstration runs on, in a directory that vanishes with it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::scene::Passwords;
use crate::admin::issue::{IssueError, Order};
use crate::cli::certificate::self_signed;
use crate::cli::settings::{self, SettingsError};
use crate::password::{self, PasswordHashError};
use crate::token::{Algorithm, KeyFault, SignError, generate, token_id};

/// Why there is no demonstration.
#[derive(Debug, thiserror::Error)]
pub(super) enum StageError {
    #[error("the certificate cannot be made")]
    Certificate(#[from] rcgen::Error),
    #[error(transparent)]
    Config(#[from] SettingsError),
    #[error("the key cannot be made")]
    Key(#[from] KeyFault),
    #[error("the passwords cannot be hashed")]
    Password(#[from] PasswordHashError),
    #[error("the passwords cannot be made")]
    Randomness(#[from] SignError),
    #[error("the token cannot be issued")]
    Token(#[from] IssueError),
    #[error("cannot write `{}`", path.display())]
    Write { path: PathBuf, source: io::Error },
}

/// The directory and what is in it.
#[derive(Debug)]
pub(super) struct Stage {
    directory: TempDir,
    pub(super) passwords: Passwords,
}

impl Stage {
    /// Makes the users' files, their hashes, a certificate and a key, and then the directory:
    /// what takes time comes before there is something to remove.
    pub(super) fn new() -> Result<Self, StageError> {
        let passwords = Passwords { alice: token_id()?, bob: token_id()? };
        let users = users(&passwords)?;
        let certificate = self_signed(vec!["localhost".to_owned(), "127.0.0.1".to_owned()])?;
        let key = generate(Algorithm::EdDSA)?;
        let directory = tempfile::Builder::new().prefix("doorward-demo-").tempdir();
        let directory =
            directory.map_err(|source| StageError::Write { path: std::env::temp_dir(), source })?;
        let stage = Self { directory, passwords };
        stage.write("data/files/alice/hello.txt", b"Hello, this is alice's file.\n")?;
        stage.write("data/files/bob/diary.txt", b"Dear diary, nobody but bob may read this.\n")?;
        stage.write("ca.pem", certificate.chain.as_bytes())?;
        stage.write("ca.key", certificate.key.as_bytes())?;
        stage.write("keys/demo.pem", &key.content)?;
        stage.write("users.yaml", users.as_bytes())?;
        Ok(stage)
    }

    /// Writes the configuration of a gateway on `port`, before the file API at `upstream`.
    pub(super) fn write_configuration(
        &self,
        port: u16,
        upstream: SocketAddr,
    ) -> Result<(), StageError> {
        let configuration = format!(
            r#"# The configuration of this demonstration. Change it while it runs: it is read again.

[server]
grace = "1s"

[listeners.main]
address = "127.0.0.1:{port}"
[listeners.main.tls]
certificates = [{{ chain = "ca.pem", key = "ca.key" }}]

[upstreams.files]
url = "http://{upstream}"

# alice sees /files/alice of the file API as /files, and nothing else of it.
[routes.files]
path = "/files"
upstream = "files"
accept = ["bearer", "basic"]
home = {{ in = ["path", "header:destination"], mode = "rewrite" }}
permissions = {{ GET = "files:read", HEAD = "files:read", "*" = "files:write" }}

[directories.users]
file = "users.yaml"

[issuers.demo]
keys = "keys"
issuer = "https://localhost:{port}"
audience = ["demo"]
lifetime = "8h"

[log]
format = "text"
level = "warn"
file = "access.log"

[admin]
address = "unix:admin.sock"
"#
        );
        self.write("doorward.toml", configuration.as_bytes())
    }

    /// A token of alice.
    pub(super) fn token(&self, now: u64) -> Result<String, StageError> {
        let (_, snapshot) = settings::snapshot(&self.path("doorward.toml"))?;
        let order = Order { user: "alice", issuer: None, lifetime: None, claims: &[] };
        Ok(order.fill(&snapshot, now)?.token)
    }

    /// Where a file of it is.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, content: &[u8]) -> Result<(), StageError> {
        let path = self.path(name);
        write(&path, content).map_err(|source| StageError::Write { path, source })
    }
}

fn users(passwords: &Passwords) -> Result<String, StageError> {
    let alice = password::hash(passwords.alice.as_bytes())?;
    let bob = password::hash(passwords.bob.as_bytes())?;
    Ok(format!(
        "\
users:
  - username: alice
    passhash: \"{alice}\"
    roles: [editor]
    home: /alice
  - username: bob
    passhash: \"{bob}\"
    roles: [editor]
    home: /bob
roles:
  editor: [\"files:*\"]
"
    ))
}

/// Writes a new file that only its owner can read.
fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage() -> Stage {
        let stage = Stage::new().unwrap();
        stage.write_configuration(8443, "127.0.0.1:9000".parse().unwrap()).unwrap();
        stage
    }

    #[test]
    fn the_configuration_is_good_and_nothing_in_it_is_warned_of() {
        let stage = stage();

        let (_, snapshot) = settings::snapshot(&stage.path("doorward.toml")).unwrap();

        assert_eq!(snapshot.summary.warnings, [""; 0]);
        assert_eq!(snapshot.summary.users, 2);
    }

    #[test]
    fn the_printed_passwords_and_the_token_prove_their_users() {
        let stage = stage();
        let token = stage.token(1_800_000_000).unwrap();

        let (_, snapshot) = settings::snapshot(&stage.path("doorward.toml")).unwrap();

        let identities = &snapshot.identities;
        let alice = identities.password_of("alice");
        assert!(alice.hash.verify(stage.passwords.alice.as_bytes()));
        assert!(!alice.hash.verify(stage.passwords.bob.as_bytes()));
        let (principal, _) = identities.identify_token(&token, 1_800_000_000).unwrap();
        assert_eq!(principal.name(), Some("alice"));
    }

    #[test]
    fn nothing_is_left_behind() {
        let stage = stage();
        let directory = stage.directory.path().to_owned();

        drop(stage);

        assert!(!directory.exists());
    }
}
