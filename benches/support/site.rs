//! A configuration, its users and its key, in a folder of their own.

use std::sync::Arc;

use doorward::clock::unix_seconds;
use doorward::config::Config;
use doorward::snapshot::{Keep, Snapshot, SnapshotStore};
use doorward::token::{Algorithm, Keyring, Signer};
use serde_json::json;
use tempfile::TempDir;

const SECRET: &str = "a secret of the benches, as long as a hash is";
const ISSUER: &str = "https://gateway.example.org";

/// The files; they go when it is dropped.
#[derive(Debug)]
pub(crate) struct Site {
    folder: TempDir,
    signer: Signer,
}

impl Site {
    /// Writes them, for an upstream at this URL.
    pub(crate) fn new(upstream: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("doorward.toml"), configuration(upstream)).unwrap();
        std::fs::write(folder.path().join("users.yaml"), users()).unwrap();
        let algorithms = [Algorithm::HS256];
        let (keyring, _) = Keyring::from_secret(SECRET.as_bytes(), &algorithms).unwrap();
        let signer = Signer::newest(&keyring, Some(&algorithms)).unwrap();
        Self { folder, signer }
    }

    /// Builds what a gateway that is started on them serves by.
    pub(crate) fn snapshots(&self) -> Arc<SnapshotStore> {
        let config = Config::load(&self.folder.path().join("doorward.toml"), []).unwrap();
        SnapshotStore::new(Snapshot::build(&config, 1, &mut Keep::default()).unwrap())
    }

    /// The one version there is.
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshots().current()
    }

    /// A token of alice; another one for each number.
    pub(crate) fn token(&self, number: u64) -> String {
        let now = unix_seconds();
        let claims = json!({
            "iss": ISSUER, "aud": ["files"], "sub": "alice", "iat": now, "exp": now + 3600,
            "jti": format!("{number:020}"),
        });
        self.signer.sign(claims.as_object().unwrap()).unwrap()
    }
}

fn users() -> String {
    let hash = |password: &str| doorward::password::hash(password.as_bytes()).unwrap();
    let (alice, mallory) = (hash("alice-example"), hash("mallory-example"));
    format!(
        r#"users:
  - {{ username: alice, passhash: "{alice}", roles: [editor], home: /alice, groups: [staff] }}
  - {{ username: mallory, passhash: "{mallory}", roles: [editor], disabled: true }}
"#
    )
}

fn configuration(upstream: &str) -> String {
    format!(
        r#"
[listeners.main]
address = "127.0.0.1:0"

[upstreams.files]
url = "{upstream}"

[routes.open]
path = "/open"
upstream = "files"
accept = ["anonymous"]

[routes.plain]
path = "/plain"
upstream = "files"
permissions = {{ GET = "files:read", "*" = "files:write" }}

[routes.require]
path = "/require"
upstream = "files"
home = {{ in = ["path", "query:dir"], mode = "require" }}
permissions = {{ GET = "files:read", "*" = "files:write" }}

[routes.rewrite]
path = "/rewrite"
upstream = "files"
home = {{ in = ["path"], mode = "rewrite" }}
permissions = {{ GET = "files:read", "*" = "files:write" }}

[issuers.local]
secret = "{SECRET}"
algorithms = ["HS256"]
issuer = "{ISSUER}"
audience = ["files"]

[directories.users]
file = "users.yaml"

[roles]
editor = ["files:*"]
"#
    )
}
