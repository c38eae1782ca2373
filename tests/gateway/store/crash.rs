//! `kill -9` at any instant: no acknowledged revocation is lost, and no used refresh token can be
//! used again.

use std::collections::HashMap;
use std::env;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::str::FromStr;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use doorward::api_key::digest;
use doorward::clock;
use doorward::identity::standing::{Change, Revocation, Revoked, TokenFacts};
use doorward::store::{Family, Hash, Rotation, Store};
use rusqlite::Connection;
use tokio::task::JoinSet;
use tokio_postgres::NoTls;

use super::place::{NOW, Node, TIMEOUT};
use crate::support::postgres::{TestPostgres, kill_process};

/// The file that the worker writes to, where this process is one.
const WORKER: &str = "TEST_DOORWARD_STORE_FILE";

/// How often a process that writes to a file is killed.
const KILLS: u64 = 220;

/// How often a server is killed, and how often one of its processes.
const SERVER_KILLS: u64 = 6;

/// What was acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Claim {
    /// This family was ended, as one of its tokens was used twice.
    Ended(String),
    /// This token was revoked.
    Revoked(String),
    /// The refresh token of this number was used.
    Used { family: String, number: u64 },
}

impl std::fmt::Display for Claim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ended(family) => write!(f, "claim ended {family} 0"),
            Self::Revoked(token) => write!(f, "claim revoked {token} 0"),
            Self::Used { family, number } => write!(f, "claim used {family} {number}"),
        }
    }
}

impl FromStr for Claim {
    type Err = ();

    fn from_str(line: &str) -> Result<Self, ()> {
        let words = line.split(' ').collect::<Vec<_>>();
        let ["claim", what, name, number] = words[..] else { return Err(()) };
        let name = name.to_owned();
        match what {
            "ended" => Ok(Self::Ended(name)),
            "revoked" => Ok(Self::Revoked(name)),
            "used" => Ok(Self::Used { family: name, number: number.parse().map_err(drop)? }),
            _ => Err(()),
        }
    }
}

/// Told of everything that was acknowledged.
type Witness = Arc<dyn Fn(Claim) + Send + Sync>;

fn token(family: &str, number: u64) -> Hash {
    digest(&format!("{family}/{number}"))
}

/// Writes, several at a time, for ever; goes on where something fails.
async fn write(store: Arc<dyn Store>, prefix: &str, witness: Witness) {
    let mut writers = JoinSet::new();
    for number in 0..3 {
        let (store, witness) = (Arc::clone(&store), Arc::clone(&witness));
        let prefix = format!("{prefix}-{number}");
        writers.spawn(async move {
            tokio::join!(
                revoke_tokens(&*store, &prefix, &*witness),
                rotate_families(&*store, &prefix, &*witness)
            );
        });
    }
    writers.join_all().await;
}

async fn revoke_tokens(store: &dyn Store, prefix: &str, witness: &(dyn Fn(Claim) + Send + Sync)) {
    for count in 0_u64.. {
        let id = format!("t-{prefix}-{count}");
        let what = Revoked::Token(id.as_str().into());
        match store.revoke(&Revocation { what, until: NOW + 1_000 }).await {
            Ok(()) => witness(Claim::Revoked(id)),
            Err(_) => pause().await,
        }
    }
}

async fn rotate_families(store: &dyn Store, prefix: &str, witness: &(dyn Fn(Claim) + Send + Sync)) {
    for count in 0_u64.. {
        let family = format!("f-{prefix}-{count}");
        if rotate_family(store, &family, witness).await.is_err() {
            pause().await;
        }
    }
}

async fn rotate_family(
    store: &dyn Store,
    id: &str,
    witness: &(dyn Fn(Claim) + Send + Sync),
) -> Result<(), doorward::store::StoreError> {
    let family = Family {
        id: id.into(),
        user: "alice".into(),
        key: None,
        began_at: NOW,
        expires_at: NOW + 1_000,
        tokens_until: NOW + 2_000,
        details: "{}".into(),
    };
    store.begin_family(&family, &token(id, 0)).await?;
    for number in 0..8 {
        let rotation = store.rotate(&token(id, number), &token(id, number + 1), NOW).await?;
        assert_eq!(rotation, Rotation::Rotated(family.clone()));
        witness(Claim::Used { family: id.to_owned(), number });
    }
    let rotation = store.rotate(&token(id, 3), &token(id, 99), NOW).await?;
    assert_eq!(rotation, Rotation::Reused(family));
    witness(Claim::Ended(id.to_owned()));
    Ok(())
}

/// Until it is tried again.
async fn pause() {
    tokio::time::sleep(Duration::from_millis(5)).await;
}

/// Wants everything that was acknowledged to be so.
async fn verify(node: &Node, claims: &[Claim]) {
    let standing = node.afresh().await;
    let mut last = HashMap::new();
    for claim in claims {
        match claim {
            Claim::Ended(family) => {
                let facts = TokenFacts { family: Some(family.as_str().into()), ..facts() };
                assert!(standing.is_revoked(&facts), "lost: {claim}");
            }
            Claim::Revoked(id) => {
                let facts = TokenFacts { token_id: Some(id.as_str().into()), ..facts() };
                assert!(standing.is_revoked(&facts), "lost: {claim}");
            }
            Claim::Used { family, number } => {
                let found = node.store.family_of(&token(family, *number), NOW).await.unwrap();
                assert!(found.is_none_or(|found| !found.is_current), "usable again: {claim}");
                last.insert(family, *number);
            }
        }
    }
    for (family, number) in last {
        let rotation = node.store.rotate(&token(family, number), &node.hash(), NOW).await.unwrap();
        assert!(!matches!(rotation, Rotation::Rotated(_)), "used again: {family} {number}");
    }
}

fn facts() -> TokenFacts {
    TokenFacts { subject: "nobody".into(), issued_at: Some(NOW), ..TokenFacts::default() }
}

/// Instants that nobody has chosen.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

fn chance() -> Chance {
    Chance(u64::try_from(clock::since_epoch().as_nanos()).unwrap() | 1)
}

/// The process that is killed: this program once more, which finds only this test to run.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_writes_until_it_is_killed() {
    let Ok(path) = env::var(WORKER) else { return };
    let node = Node::sqlite(Path::new(&path), TIMEOUT);
    let witness = |claim: Claim| {
        // One call, so that a line is whole or not there.
        let mut out = std::io::stdout().lock();
        out.write_all(format!("{claim}\n").as_bytes()).unwrap();
        out.flush().unwrap();
    };

    write(node.store, &std::process::id().to_string(), Arc::new(witness)).await;
}

/// Starts a worker, kills it at some instant, and gives what it has told by then.
fn work_and_be_killed(path: &Path, chance: &mut Chance) -> Vec<Claim> {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "store::crash::a_worker_writes_until_it_is_killed", "--nocapture"])
        .env(WORKER, path)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let (sender, receiver) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut line = String::new();
        while lines.read_line(&mut line).is_ok_and(|length| length > 0) {
            let claim = line.strip_suffix('\n').and_then(|line| line.parse::<Claim>().ok());
            if let Some(claim) = claim {
                let _ = sender.send(claim);
            }
            line.clear();
        }
    });
    // One in four dies at an instant that has nothing to do with what it does, perhaps before it
    // has begun; the others at some instant after so many writes.
    let writes = if chance.below(4) == 0 { 0 } else { chance.below(120) };
    let patience = Duration::from_micros(chance.below(if writes == 0 { 60_000 } else { 3_000 }));
    let mut claims = (0..writes).map_while(|_| receiver.recv().ok()).collect::<Vec<_>>();
    let deadline = Instant::now() + patience;
    let left = || deadline.saturating_duration_since(Instant::now());
    while let Ok(claim) = receiver.recv_timeout(left()) {
        claims.push(claim);
    }
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().code(), None, "it has ended before it was killed");
    reader.join().unwrap();
    claims.extend(receiver.try_iter());
    claims
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_keeps_what_it_has_acknowledged_however_often_who_writes_is_killed() {
    let mut chance = chance();
    let folder = tempfile::tempdir().unwrap();
    let (mut total, mut path, mut all) = (0, folder.path().join("0.db"), Vec::new());

    for kill in 0..KILLS {
        if kill % 20 == 0 {
            // A new one, so that some die while it is made.
            path = folder.path().join(format!("{kill}.db"));
            all.clear();
        }
        let claims = work_and_be_killed(&path, &mut chance);
        total += claims.len();
        all.extend(claims.iter().filter(|claim| !matches!(claim, Claim::Used { .. })).cloned());
        let node = Node::sqlite(&path, TIMEOUT);
        verify(&node, &claims).await;
        verify(&node, &all).await;
        drop(node);
        let check = Connection::open(&path)
            .unwrap()
            .query_row("PRAGMA quick_check", [], |row| row.get::<_, String>(0));
        assert_eq!(check.unwrap(), "ok");
    }

    assert!(total > 1_000, "only {total} writes were acknowledged");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_keeps_what_it_has_acknowledged_however_often_it_is_killed() {
    let Some(mut server) = TestPostgres::start() else { return };
    let mut chance = chance();
    let node = Node::postgres(&server, TIMEOUT).await;
    let claims = Arc::new(Mutex::new(Vec::new()));
    let witness = {
        let claims = Arc::clone(&claims);
        move |claim| claims.lock().unwrap().push(claim)
    };
    let store = Arc::clone(&node.store);
    let writer = tokio::spawn(async move { write(store, "p", Arc::new(witness)).await });

    for kill in 0..=SERVER_KILLS * 2 {
        let before = claims.lock().unwrap().len();
        let more = 50 + usize::try_from(chance.below(200)).unwrap();
        while claims.lock().unwrap().len() < before + more {
            assert!(!writer.is_finished());
            tokio::time::sleep(Duration::from_micros(chance.below(2_000))).await;
        }
        if kill == SERVER_KILLS * 2 {
            break; // it has come back from the last
        }
        if kill % 2 == 0 {
            server.kill();
            server.start_again();
        } else {
            kill_process(backend(&server).await);
        }
    }
    writer.abort();
    let _ = writer.await;

    let claims = claims.lock().unwrap().clone();
    verify(&node, &claims).await;
    let revoked = |change: &Change| matches!(change, Change::Revoked(_));
    assert!(node.changes().await.iter().filter(|change| revoked(change)).count() > 100);
}

/// A process of the server that does work of the store.
async fn backend(server: &TestPostgres) -> i32 {
    let (client, connection) = tokio_postgres::connect(&server.address(), NoTls).await.unwrap();
    tokio::spawn(connection);
    let find = "SELECT pid FROM pg_stat_activity WHERE application_name = 'doorward' LIMIT 1";
    client.query_one(find, &[]).await.unwrap().get(0)
}
