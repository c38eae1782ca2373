//! Where a test stores.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use doorward::api_key::{ApiKey, KeyKind, Scope, digest};
use doorward::clock;
use doorward::identity::standing::{Change, Standing, TokenFacts};
use doorward::secret::Secret;
use doorward::store::postgres::Settings;
use doorward::store::{Challenge, Family, Hash, OpenError, Postgres, Sqlite, Store};

use crate::support::postgres::TestPostgres;

/// When the tests take place, in Unix seconds.
pub(super) const NOW: u64 = 1_900_000_000;

/// How long a call may take where nothing is expected to be away.
pub(super) const TIMEOUT: Duration = Duration::from_secs(20);

/// A store, and what its node knows.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) store: Arc<dyn Store>,
    pub(super) standing: Arc<Standing>,
    /// Makes names that nobody else has.
    count: Arc<AtomicU64>,
    born: u128,
}

impl Node {
    pub(super) fn new(store: Arc<dyn Store>, standing: Arc<Standing>) -> Self {
        Self { store, standing, count: Arc::default(), born: clock::since_epoch().as_nanos() }
    }

    pub(super) fn sqlite(path: &Path, timeout: Duration) -> Self {
        Self::try_sqlite(path, timeout).unwrap()
    }

    pub(super) fn try_sqlite(path: &Path, timeout: Duration) -> Result<Self, OpenError> {
        let standing = Standing::new();
        let store = Sqlite::open(path, timeout, Arc::clone(&standing), NOW)?;
        Ok(Self::new(Arc::new(store), standing))
    }

    pub(super) async fn postgres(server: &TestPostgres, timeout: Duration) -> Self {
        Self::try_postgres(&server.address(), None, timeout).await.unwrap()
    }

    pub(super) async fn try_postgres(
        address: &str,
        authorities: Option<&Path>,
        timeout: Duration,
    ) -> Result<Self, OpenError> {
        let standing = Standing::new();
        let settings = Settings {
            address: Secret::from(address.to_owned()),
            authorities: authorities.map(Path::to_owned),
            timeout,
        };
        let store = Postgres::open(&settings, Arc::clone(&standing), NOW).await?;
        Ok(Self::new(Arc::new(store), standing))
    }

    /// A name that nobody else has.
    pub(super) fn name(&self, kind: &str) -> String {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        format!("{kind}-{:x}-{:p}-{count}", self.born, Arc::as_ptr(&self.count))
    }

    /// The hash of a secret that nobody else has.
    pub(super) fn hash(&self) -> Hash {
        digest(&self.name("secret"))
    }

    /// A family of `user`, begun with the token that comes with it.
    pub(super) async fn begin(&self, user: &str) -> (Family, Hash) {
        let (family, token) = (self.family(user), self.hash());
        self.store.begin_family(&family, &token).await.unwrap();
        (family, token)
    }

    pub(super) fn family(&self, user: &str) -> Family {
        Family {
            id: self.name("family").into(),
            user: user.into(),
            key: None,
            began_at: NOW,
            expires_at: NOW + 1_000,
            tokens_until: NOW + 2_000,
            details: r#"{"audience":"ä"}"#.into(),
        }
    }

    pub(super) fn key(&self, owner: &str) -> ApiKey {
        ApiKey {
            id: self.name("key").into(),
            hash: self.hash(),
            owner: owner.into(),
            kind: KeyKind::User,
            label: "ci".into(),
            scope: Scope::default(),
            created_at: NOW,
            expires_at: Some(NOW + 1_000),
        }
    }

    pub(super) fn challenge(&self, user: &str, tries: u32) -> Challenge {
        Challenge {
            id: self.hash(),
            user: user.into(),
            tries,
            expires_at: NOW + 300,
            details: "{}".into(),
        }
    }

    /// Whether this node refuses a token of that family and user, issued now.
    pub(super) fn refuses(&self, family: &str, user: &str) -> bool {
        refuses(&self.standing, family, user)
    }

    /// What a node knows that starts now.
    pub(super) async fn afresh(&self) -> Arc<Standing> {
        let standing = Standing::new();
        standing.replace(self.store.standing(NOW).await.unwrap());
        standing
    }

    /// All that is stored of what nodes are to know.
    pub(super) async fn changes(&self) -> Vec<Change> {
        self.store.standing(NOW).await.unwrap()
    }
}

pub(super) fn refuses(standing: &Standing, family: &str, user: &str) -> bool {
    standing.is_revoked(&TokenFacts {
        token_id: None,
        family: Some(family.into()),
        subject: user.into(),
        issued_at: Some(NOW),
        key: None,
    })
}
