//! The whole service, over a real store in a file, with a clock that is moved by hand.

mod accounts;
mod claims;
mod codes;
mod keys;
mod logins;
mod refreshes;
mod revocations;

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::*;
use crate::config::Config;
use crate::identity::throttle::Settings;
use crate::secret::Secret;
use crate::snapshot::{Keep, Snapshot};
use crate::store::Sqlite;

/// When every test begins, in Unix seconds; in the middle of a step of one-time codes.
const START: u64 = 1_800_000_010;

const USERS: &str = r#"
- {username: alice, password: alice-secret, home: /alice, roles: [reader, editor], email: Alice@example.org, attributes: {department: physics, user_id: "42"}, cluster-tag: north}
- {username: bob, password: bob-secret, email: shared@example.org}
- {username: carol, password: carol-secret, disabled: true, email: carol@example.org}
- {username: dave, password: dave-secret, email: shared@example.org}
- {username: 3f2c8f0e-4c1e-4b1a-9a53-0c1b6f5f9a01, email: none@example.org}
"#;

const CONFIG: &str = r#"
[listeners.main]
address = "127.0.0.1:0"
[upstreams.files]
url = "http://127.0.0.1:9000"
[routes.files]
upstream = "files"
path = "/files"
[directories.users]
file = "users.yaml"
[roles]
reader = ["files:read"]
editor = ["files:*"]
[passwords]
remember = "0s"
[store]
secret = "a secret of the store, of 32 bytes and more"

[issuers.local]
secret = "a secret of thirty-two bytes or so"
algorithms = ["HS256"]
issuer = "https://gateway.example"
audience = ["doorward", "files"]
leeway = "0s"
[issuers.free]
secret = "another secret of thirty-two bytes"
algorithms = ["HS256"]
issuer = "https://free.example"
audience = ["free"]
bound = false
leeway = "0s"
[issuers.free.claims]
subject = "identifier"
[issuers.ryft]
secret = "the secret of ryft, thirty-two bytes"
algorithms = ["HS256"]
issuer = "https://ryft.example"
audience = ["ryft"]
leeway = "0s"
[issuers.ryft.claims]
subject = "id"

[endpoints.standard]
dialect = "standard"
issuer = "local"
extra_claims = { department = "department", mail = "email" }
[endpoints.other]
dialect = "standard"
issuer = "local"
path = "/other"
[endpoints.appmesh]
dialect = "appmesh"
issuer = "local"
totp_reuse = true
path = "/a"
[endpoints.ryft]
dialect = "ryft"
issuer = "ryft"
path = "/r"
[endpoints.omegaml]
dialect = "omegaml"
issuer = "local"
path = "/o"
omit_claims = ["sub"]
[endpoints.jwthenticator]
dialect = "jwthenticator"
issuer = "free"
path = "/j"
[endpoints.clustercockpit]
dialect = "clustercockpit"
issuer = "local"
path = "/c"
"#;

#[derive(Debug)]
struct ManualClock(AtomicU64);

impl Clock for ManualClock {
    fn now(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }
}

/// What serves, and loads again.
#[derive(Debug)]
struct Loaded {
    config: PathBuf,
    snapshot: Mutex<(Keep, Arc<Snapshot>)>,
    is_broken: AtomicBool,
}

impl Loaded {
    fn load(config: PathBuf) -> Arc<Self> {
        let mut keep = Keep::default();
        let snapshot = build(&config, 1, &mut keep);
        Arc::new(Self {
            config,
            snapshot: Mutex::new((keep, snapshot)),
            is_broken: AtomicBool::new(false),
        })
    }

    fn load_again(&self) {
        let mut loaded = self.snapshot.lock().unwrap();
        let generation = loaded.1.generation + 1;
        loaded.1 = build(&self.config, generation, &mut loaded.0);
    }
}

fn build(config: &std::path::Path, generation: u64, keep: &mut Keep) -> Arc<Snapshot> {
    let config = Config::load(config, std::iter::empty()).unwrap_or_else(|e| panic!("{e}"));
    Arc::new(Snapshot::build(&config, generation, keep).unwrap_or_else(|e| panic!("{e}")))
}

impl Reload for Loaded {
    fn reload(&self) -> Pin<Box<dyn Future<Output = bool> + Send + '_>> {
        if self.is_broken.load(Ordering::Relaxed) {
            return Box::pin(async { false });
        }
        self.load_again();
        Box::pin(async { true })
    }

    fn current(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.lock().unwrap().1)
    }
}

/// One node.
struct Fixture {
    folder: TempDir,
    clock: Arc<ManualClock>,
    loaded: Arc<Loaded>,
    service: Arc<TokenService>,
}

impl Fixture {
    fn new() -> Self {
        Self::with(CONFIG, |standing, folder| {
            let path = folder.join("store.db");
            let store = Sqlite::open(&path, Duration::from_secs(5), standing, START).unwrap();
            Some(Arc::new(store) as Arc<dyn Store>)
        })
    }

    fn with(
        config: &str,
        store: impl FnOnce(Arc<Standing>, &std::path::Path) -> Option<Arc<dyn Store>>,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("users.yaml"), USERS).unwrap();
        std::fs::write(folder.path().join("main.toml"), config).unwrap();
        let clock = Arc::new(ManualClock(AtomicU64::new(START * 1000)));
        let loaded = Loaded::load(folder.path().join("main.toml"));
        let standing = Standing::new();
        let secret = Secret::from("a secret of the store, of 32 bytes and more".to_owned());
        let service = Arc::new(TokenService::new(Parts {
            store: store(Arc::clone(&standing), folder.path()),
            standing,
            throttle: Arc::new(Throttle::new(Settings::default())),
            secrets: Secrets::derive(Some(&secret)).unwrap(),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            reload: Some(Arc::clone(&loaded) as Arc<dyn Reload>),
        }));
        Self { folder, clock, loaded, service }
    }

    /// A service whose store answers nothing.
    fn without_store() -> Self {
        Self::with(CONFIG, |_, _| None)
    }

    fn call(&self, endpoint: &str) -> Call {
        let snapshot = self.loaded.current();
        let profile = snapshot.profiles.iter().find(|profile| *profile.name == *endpoint).unwrap();
        Call {
            profile: Arc::clone(profile),
            snapshot: Arc::clone(&snapshot),
            client: "192.0.2.1".parse().unwrap(),
            peer: "192.0.2.1".parse().unwrap(),
            is_secure: true,
            authority: "gateway.example".into(),
            service: Arc::clone(&self.service),
        }
    }

    fn call_from(&self, endpoint: &str, client: &str) -> Call {
        Call { client: client.parse().unwrap(), ..self.call(endpoint) }
    }

    fn now(&self) -> u64 {
        self.clock.now().as_secs()
    }

    fn advance(&self, seconds: u64) {
        self.clock.0.fetch_add(seconds * 1000, Ordering::Relaxed);
    }

    async fn log_in(&self, endpoint: &str, user: &str) -> Result<LoggedIn, LoginError> {
        self.log_in_with(endpoint, user, &format!("{user}-secret"), None).await
    }

    async fn log_in_with(
        &self,
        endpoint: &str,
        user: &str,
        password: &str,
        code: Option<&str>,
    ) -> Result<LoggedIn, LoginError> {
        let password = Secret::from(password.to_owned());
        self.service.login(&self.call(endpoint), user, password, code).await
    }

    /// Logs in and has a token issued, with a refresh token.
    async fn issue(&self, endpoint: &str, user: &str, shape: Shape) -> Issued {
        let who = self.log_in(endpoint, user).await.unwrap();
        let wish = Wish { refresh: true, ..Wish::of(shape) };
        self.service.issue(&self.call(endpoint), &who, &wish).await.unwrap()
    }

    fn holds(&self, endpoint: &str, token: &str) -> bool {
        self.service.verify(&self.call(endpoint), token).is_ok()
    }

    fn write_users(&self, users: &str) {
        std::fs::write(self.folder.path().join("users.yaml"), users).unwrap();
        self.loaded.load_again();
    }

    /// Enrols a user; returns what makes codes, and the recovery codes.
    async fn enrol(&self, user: &str) -> (crate::totp::TotpSecret, Vec<String>) {
        let call = self.call("standard");
        let begun = self.service.totp_begin(&call, user).await.unwrap();
        let secret = crate::totp::TotpSecret::from_base32(&begun.secret_base32).unwrap();
        let code = secret.code(self.now() / 30);
        let recovery = self.service.totp_confirm(&call, user, &code).await.unwrap();
        (secret, recovery.iter().map(|code| code.to_string()).collect())
    }
}

fn claim<'c>(issued: &'c Issued, name: &str) -> &'c Value {
    issued.claims.get(name).unwrap_or(&Value::Null)
}
