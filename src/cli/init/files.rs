//! The files that `init` writes.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::net::Ipv6Addr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use super::{InitError, TlsChoice};
use crate::cli::certificate;
use crate::config::Config;
use crate::password;
use crate::secret::Secret;
use crate::token::{self, Algorithm};

/// What was decided.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) upstream: String,
    pub(super) listen: String,
    pub(super) tls: TlsChoice,
    pub(super) user: String,
    /// `None`: make one up.
    pub(super) password: Option<Secret>,
    pub(super) hosts: Vec<String>,
}

/// What was written.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) files: Vec<&'static str>,
    pub(super) user: String,
    /// The password that was made up.
    pub(super) password: Option<Secret>,
    pub(super) url: String,
}

impl Made {
    /// What curl needs to trust the certificate.
    pub(super) fn trust(&self, directory: &Path) -> String {
        if self.files.contains(&CHAIN) {
            format!("--cacert {} ", directory.join(CHAIN).display())
        } else {
            String::new()
        }
    }
}

const CONFIG: &str = "doorward.toml";
const USERS: &str = "users.yaml";
const SIGNING_KEY: &str = "keys/main.pem";
const CHAIN: &str = "cert.pem";
const KEY: &str = "cert.key";

impl Plan {
    /// Makes everything beside `directory`, checks it, and moves it into `directory`.
    pub(super) fn write(self, directory: &Path, force: bool) -> Result<Made, InitError> {
        make_folder(directory)?;
        let mut names = vec![CONFIG, USERS, SIGNING_KEY];
        if self.tls == TlsChoice::SelfSigned {
            names.extend([CHAIN, KEY]);
        }
        if !force && let Some(name) = names.iter().find(|name| directory.join(name).exists()) {
            return Err(InitError::Exists(directory.join(name)));
        }
        let staging = tempfile::Builder::new()
            .prefix(".doorward-init-")
            .tempdir_in(directory)
            .map_err(|source| file_error("cannot write into", directory, source))?;
        let (url, password) = self.stage(staging.path())?;
        Config::load(&staging.path().join(CONFIG), [])?;

        make_folder(&directory.join("keys"))?;
        for name in &names {
            let target = directory.join(name);
            fs::rename(staging.path().join(name), &target)
                .map_err(|source| file_error("cannot write", &target, source))?;
        }
        Ok(Made { files: names, user: self.user, password, url })
    }

    /// Writes the files; the URL of the gateway, and the password if it was made up.
    fn stage(&self, folder: &Path) -> Result<(String, Option<Secret>), InitError> {
        let host = match self.hosts.first() {
            Some(address) if address.parse::<Ipv6Addr>().is_ok() => format!("[{address}]"),
            Some(name) => name.clone(),
            None => "localhost".to_owned(),
        };
        let port = self.listen.rsplit_once(':').map_or("8443", |(_, port)| port);
        let scheme = match self.tls {
            TlsChoice::SelfSigned => "https",
            TlsChoice::Plain => "http",
        };
        let url = format!("{scheme}://{host}:{port}");
        write(&folder.join(CONFIG), self.config(&url).as_bytes(), 0o644)?;

        let made_up = if self.password.is_none() { Some(made_up_password()?) } else { None };
        let password = self.password.as_ref().or(made_up.as_ref());
        let hash = password::hash(password.map(Secret::expose).unwrap_or_default())?;
        let users = format!(
            "# Users. `doorward user` adds and changes them.\nusers:\n  - username: {}\n    passhash: {}\n    \
             roles: [user]\n",
            quoted(&self.user),
            quoted(&hash),
        );
        write(&folder.join(USERS), users.as_bytes(), 0o600)?;

        make_folder(&folder.join("keys"))?;
        let key = token::generate(Algorithm::EdDSA)?;
        write(&folder.join(SIGNING_KEY), &key.content, 0o600)?;

        if self.tls == TlsChoice::SelfSigned {
            let mut names = self.hosts.clone();
            names.extend(["127.0.0.1", "::1"].map(str::to_owned));
            let certificate = certificate::self_signed(names).map_err(InitError::Certificate)?;
            write(&folder.join(CHAIN), certificate.chain.as_bytes(), 0o644)?;
            write(&folder.join(KEY), certificate.key.as_bytes(), 0o600)?;
        }
        Ok((url, made_up))
    }

    fn config(&self, url: &str) -> String {
        let tls = match self.tls {
            TlsChoice::SelfSigned => format!(
                "\n# Self-signed, good for 825 days: for trying out, and for clients that are told to trust it.\n\
                 [listeners.main.tls]\ncertificates = [{{ chain = \"{CHAIN}\", key = \"{KEY}\" }}]\n"
            ),
            TlsChoice::Plain => String::new(),
        };
        format!(
            r#"# Written by `doorward init`. `doorward schema` knows every key, `doorward check` what is wrong.

[listeners.main]
address = {listen}
{tls}
[upstreams.main]
url = {upstream}

# Everything below / is for users with the role `user`.
[routes.main]
upstream = "main"
roles = ["user"]

# Tokens that are issued and accepted here; the keys are in {SIGNING_KEY}.
[issuers.local]
keys = "keys"
issuer = {issuer}
audience = ["doorward"]

[directories.users]
file = "{USERS}"

[roles]
user = []
"#,
            listen = quoted(&self.listen),
            upstream = quoted(&self.upstream),
            issuer = quoted(url),
        )
    }
}

/// A string as JSON, which is a string in TOML and YAML as well.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// 120 random bits, as 20 characters that need no quoting.
fn made_up_password() -> Result<Secret, InitError> {
    let mut bytes = Zeroizing::new([0; 15]);
    rand::fill(&mut *bytes).map_err(|_| std::io::Error::other("no randomness"))?;
    Ok(Secret::from(URL_SAFE_NO_PAD.encode(*bytes)))
}

fn make_folder(path: &Path) -> Result<(), InitError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|source| file_error("cannot make the folder", path, source))
}

/// Writes a new file of this mode, whatever the umask.
fn write(path: &Path, content: &[u8], mode: u32) -> Result<(), InitError> {
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
        file.set_permissions(fs::Permissions::from_mode(mode))?;
        file.write_all(content)?;
        file.sync_all()
    };
    write().map_err(|source| file_error("cannot write", path, source))
}

fn file_error(action: &'static str, path: &Path, source: std::io::Error) -> InitError {
    InitError::File { action, path: PathBuf::from(path), source }
}
