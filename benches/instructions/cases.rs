//! The requests, and the way of each from its head to what is written for it. The steps are those
//! of `gateway::handle`, by the same functions, without connection, log and counters.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use doorward::clock::unix_seconds;
use doorward::config::Config;
use doorward::credential::Credential;
use doorward::forward::fields::{BodyFraming, CredentialFields, Head, PeerFields, Trust};
use doorward::gateway::reason;
use doorward::gateway::rejection::Rejection;
use doorward::gateway::response;
use doorward::home::{Content, Named};
use doorward::identity::standing::Standing;
use doorward::identity::throttle::{Settings, Throttle};
use doorward::identity::{IdentityError, Principal};
use doorward::policy::authorize;
use doorward::resource::{CanonicalHost, CanonicalPath, CanonicalQuery};
use doorward::route::Route;
use doorward::session::Sealer;
use doorward::snapshot::{Keep, Snapshot, SnapshotStore};
use doorward::telemetry::access_log::LogBuffer;
use doorward::telemetry::id::IdSource;
use doorward::telemetry::metrics::{Layout, WorkerMetrics};
use doorward::token::{Algorithm, Keyring, Signer};
use doorward::worker::{Parts, Shared, View, Worker};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde_json::json;

const SECRET: &str = "a secret of the benches, as long as a hash is";
const ISSUER: &str = "https://gateway.example.org";
const PASSWORD: &str = "alice-example";
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

/// Names of the cases: what is asked, and what comes of it.
pub(super) fn names() -> Vec<&'static str> {
    CASES.iter().map(|case| case.name).collect()
}

struct Case {
    name: &'static str,
    path: &'static str,
    query: Option<&'static str>,
    credential: Presented,
    status: StatusCode,
}

#[derive(Clone, Copy, PartialEq)]
enum Presented {
    Nothing,
    /// The same token each time.
    Token,
    /// A token that nobody remembers, though it is the same.
    NewToken,
    /// One that does not verify.
    BadToken,
    Password,
}

const CASES: [Case; 7] = [
    Case {
        name: "anonymous",
        path: "/open/notes/2026/november.txt",
        query: None,
        credential: Presented::Nothing,
        status: StatusCode::OK,
    },
    Case {
        name: "anonymous_re_encoded",
        path: "/open/n%6ftes/a%20name%20with%20%c3%bc.txt",
        query: Some("sort=n%61me&dir=%2fopen%2fnotes"),
        credential: Presented::Nothing,
        status: StatusCode::OK,
    },
    Case {
        name: "token_remembered",
        path: "/files/alice/notes/november.txt",
        query: None,
        credential: Presented::Token,
        status: StatusCode::OK,
    },
    Case {
        name: "token_cold_hs256",
        path: "/files/alice/notes/november.txt",
        query: None,
        credential: Presented::NewToken,
        status: StatusCode::OK,
    },
    Case {
        name: "password_remembered",
        path: "/files/alice/notes/november.txt",
        query: None,
        credential: Presented::Password,
        status: StatusCode::OK,
    },
    Case {
        name: "refused_bad_token",
        path: "/files/alice/notes/november.txt",
        query: None,
        credential: Presented::BadToken,
        status: StatusCode::UNAUTHORIZED,
    },
    Case {
        name: "refused_other_home",
        path: "/files/bob/notes/november.txt",
        query: None,
        credential: Presented::Token,
        status: StatusCode::FORBIDDEN,
    },
];

/// Serves one of the requests so many times.
pub(super) fn run(name: &str, requests: u64) {
    let case = CASES.iter().find(|case| case.name == name).unwrap();
    let scene = Scene::new(case.credential);
    assert_eq!(scene.serve(case), case.status);
    serve_counted(&scene, case, requests);
}

/// What valgrind counts, and nothing else: it knows it by its name.
#[inline(never)]
fn serve_counted(scene: &Scene, case: &Case, requests: u64) {
    for _ in 0..requests {
        black_box(black_box(scene).serve(black_box(case)));
    }
}

/// A worker and what arrives at it.
struct Scene {
    worker: Rc<Worker>,
    fields: HeaderMap,
    peer_fields: PeerFields,
    remembers: bool,
}

impl Scene {
    fn new(presented: Presented) -> Self {
        let snapshots = snapshots();
        let worker = worker(&snapshots);
        let mut fields = HeaderMap::new();
        for (name, value) in [
            (header::HOST, "files.example.org"),
            (header::USER_AGENT, "curl/8.5.0"),
            (header::ACCEPT, "*/*"),
            (header::ACCEPT_ENCODING, "gzip, br"),
        ] {
            fields.insert(name, HeaderValue::from_static(value));
        }
        let credential = match presented {
            Presented::Nothing => None,
            Presented::Token | Presented::NewToken => Some(format!("Bearer {}", token(SECRET))),
            Presented::BadToken => Some(format!("Bearer {}", token(&SECRET.replace('a', "b")))),
            Presented::Password => {
                Some(format!("Basic {}", STANDARD.encode(format!("alice:{PASSWORD}"))))
            }
        };
        if let Some(credential) = credential {
            fields.insert(header::AUTHORIZATION, credential.try_into().unwrap());
        }
        let scene = Self {
            worker,
            fields,
            peer_fields: PeerFields::new(CLIENT, "https", 443),
            remembers: presented != Presented::NewToken,
        };
        scene.know_password();
        scene
    }

    /// As if the password had been verified before.
    fn know_password(&self) {
        let view = self.worker.view();
        let snapshot = &view.snapshot;
        let digest = snapshot.digest_key.digest("alice", PASSWORD);
        let alice = Rc::new(snapshot.identities.password_of("alice").proves(false).unwrap());
        let epoch = self.worker.shared.standing.epoch();
        view.passwords.borrow_mut().remember(digest, alice, epoch, u64::MAX);
    }

    fn serve(&self, case: &Case) -> StatusCode {
        let view = self.worker.view();
        let request_id = self.worker.next_id();
        let mut route = None;
        match self.forward(case, &view, request_id.as_bytes(), &mut route) {
            Ok(head) => {
                black_box(head);
                StatusCode::OK
            }
            Err(rejection) => {
                let decision = self.worker.next_id();
                let challenge = rejection.challenge(true);
                let challenges =
                    route.map_or(&[][..], |route: &Route| route.challenges.of(challenge));
                let refusal = response::refusal(rejection, decision.as_bytes(), challenges, None);
                black_box(refusal).status()
            }
        }
    }

    /// The head that the upstream receives.
    fn forward<'v>(
        &self,
        case: &Case,
        view: &'v View,
        request_id: &[u8],
        found: &mut Option<&'v Route>,
    ) -> Result<Vec<u8>, Rejection> {
        let host = self.fields.get(header::HOST).and_then(|host| host.to_str().ok());
        let host = CanonicalHost::parse(host.unwrap_or_default())?;
        let path = CanonicalPath::parse(case.path)?;
        let (_, route) = view
            .snapshot
            .routes
            .find(0, &host, &path, &Method::GET)
            .map_err(|_| Rejection::NoRoute)?;
        *found = Some(route);
        path.admit(route.dialect)?;
        let query = CanonicalQuery::parse(case.query)?;
        let credential = Credential::extract(&self.fields, route.accepted, None)?;
        let principal = self.identify(view, credential)?;
        let named = Named {
            path: &path,
            query: &query,
            destination: None,
            condition: None,
            content: Content::Unread,
        };
        let permit = authorize(&principal, route, &Method::GET, &named, CLIENT)?;
        let head = Head {
            method: &Method::GET,
            target: permit.target(),
            host: None,
            fields: &self.fields,
            credential: CredentialFields {
                passes: route.forwards_credential,
                has_keys: route.accepted.api_key,
                has_sessions: route.accepted.session,
            },
            trust: Trust::Client,
            peer_fields: &self.peer_fields,
            identity: permit.principal().fields(route.identity),
            request_id,
            framing: BodyFraming::None,
            upgrade: None,
            is_read: false,
            client_host: &host,
        };
        let mut out = Vec::new();
        head.write(&mut out);
        Ok(out)
    }

    fn identify(
        &self,
        view: &View,
        credential: Credential<'_>,
    ) -> Result<Rc<Principal>, IdentityError> {
        let standing = &*self.worker.shared.standing;
        let now = self.worker.ticker.unix().as_secs();
        match credential {
            Credential::Anonymous => Ok(Rc::clone(&view.anonymous)),
            Credential::Bearer(token) => {
                if self.remembers
                    && let Some(known) = view.tokens.borrow_mut().recall(token, standing, now)?
                {
                    return Ok(known);
                }
                let epoch = standing.epoch();
                let scratch = &mut view.scratch.borrow_mut();
                let identities = &view.snapshot.identities;
                let (principal, until) =
                    identities.identify_token_with(scratch, standing, token, now)?;
                let principal = Rc::new(principal);
                let mut tokens = view.tokens.borrow_mut();
                tokens.remember(token.into(), Rc::clone(&principal), epoch, until);
                Ok(principal)
            }
            Credential::Basic(basic) => {
                let digest = view.snapshot.digest_key.digest(&basic.user, &basic.password);
                let known = view.passwords.borrow_mut().recall(&digest, standing, now)?;
                known.ok_or(IdentityError::Password)
            }
            Credential::ApiKey { .. } | Credential::Session(_) | Credential::TokenHeader(_) => {
                Err(IdentityError::Password)
            }
        }
    }
}

fn worker(snapshots: &Arc<SnapshotStore>) -> Rc<Worker> {
    let layout = Layout { reasons: reason::ALL, listeners: vec!["main".into()] };
    Worker::new(Parts {
        snapshots: Arc::clone(snapshots),
        metrics: Arc::new(WorkerMetrics::new(Arc::new(layout))),
        log: LogBuffer::off(),
        shared: Shared {
            standing: Standing::new(),
            throttle: Arc::new(Throttle::new(Settings::default())),
            sealer: Arc::new(Sealer::ephemeral().unwrap()),
        },
        desk: None,
        ids: IdSource::seeded(1, 1),
    })
}

fn snapshots() -> Arc<SnapshotStore> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("doorward.toml"), configuration()).unwrap();
    // Not hashed here: what is asked is remembered.
    let hash = "$2y$04$Vv1n6h8pZ1kQ3uXb0y5rI.0oZ0Qy8i8mQb0cV9l5Yx6e9b1Z3j1uK";
    let users = format!("alice:{hash}\n");
    std::fs::write(folder.path().join("users.htpasswd"), users).unwrap();
    let config = Config::load(&folder.path().join("doorward.toml"), []).unwrap();
    SnapshotStore::new(Snapshot::build(&config, 1, &mut Keep::default()).unwrap())
}

fn token(secret: &str) -> String {
    let algorithms = [Algorithm::HS256];
    let (keyring, _) = Keyring::from_secret(secret.as_bytes(), &algorithms).unwrap();
    let signer = Signer::newest(&keyring, Some(&algorithms)).unwrap();
    let now = unix_seconds();
    let claims = json!({
        "iss": ISSUER, "aud": ["files"], "sub": "alice", "iat": now, "exp": now + 3600,
        "jti": "01JDAB3G4ZP8N5V0QK2M",
    });
    signer.sign(claims.as_object().unwrap()).unwrap()
}

fn configuration() -> String {
    format!(
        r#"
[listeners.main]
address = "127.0.0.1:0"

[upstreams.files]
url = "http://127.0.0.1:9"

[routes.open]
path = "/open"
upstream = "files"
accept = ["anonymous"]

[routes.files]
path = "/files"
upstream = "files"
accept = ["bearer", "basic"]
home = {{ in = ["path", "query:dir"], mode = "require" }}
permissions = {{ GET = "files:read", "*" = "files:write" }}

[issuers.local]
secret = "{SECRET}"
algorithms = ["HS256"]
issuer = "{ISSUER}"
audience = ["files"]

[directories.users]
file = "users.htpasswd"
format = "htpasswd"
default_home = "/{{name}}"
default_roles = ["editor"]

[roles]
editor = ["files:*"]
"#
    )
}
