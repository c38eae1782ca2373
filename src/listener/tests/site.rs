//! A worker, an upstream that records, and clients, all in the test's own thread.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, LazyLock};
use std::task::Poll;
use std::time::Duration;

use rustls::pki_types::{PrivateKeyDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector, client};
use tokio_util::task::TaskTracker;

use super::super::accept;
use super::super::arrival::{Accepted, Arrival, Open};
use super::super::occupancy::Occupancy;
use super::reading::{Recorded, decode};
use crate::config::Config;
use crate::identity::standing::Standing;
use crate::identity::throttle::{Settings, Throttle};
use crate::session::Sealer;
use crate::snapshot::{Keep, Snapshot, SnapshotStore};
use crate::telemetry::access_log::LogBuffer;
use crate::telemetry::id::IdSource;
use crate::telemetry::metrics::{Layout, WorkerMetrics};
use crate::wire::stream::Stream;
use crate::worker::{Parts, Shared, Worker};

/// How often others get their turn before a moment counts as quiet.
const TURNS: usize = 48;

pub(super) struct Site {
    pub(super) worker: Rc<Worker>,
    pub(super) upstream: Upstream,
    now: Cell<u64>,
    snapshots: Arc<SnapshotStore>,
    config: Config,
    occupancy: Arc<Occupancy>,
    tasks: TaskTracker,
}

/// Runs a test on a site of its own; `limits` go into the configuration.
pub(super) fn within_runtime<T>(limits: &str, test: impl AsyncFnOnce(&Site) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        let site = Site::start(limits).await;
        test(&site).await
    })
}

impl Site {
    async fn start(limits: &str) -> Self {
        let upstream = Upstream::start().await;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("doorward.toml");
        let port = upstream.port;
        let text = format!(
            "[listeners.main]\naddress = \"127.0.0.1:0\"\n[limits]\n{limits}\n\
             [upstreams.files]\nurl = \"http://127.0.0.1:{port}\"\n\
             [routes.open]\npath = \"/open\"\nupstream = \"files\"\naccept = [\"anonymous\"]\n\
             [routes.shut]\npath = \"/shut\"\nupstream = \"files\"\n\
             [passwords]\nworkers = 1\n\
             [issuers.local]\nsecret = \"a secret as long as a hash is, for tests alone\"\n\
             algorithms = [\"HS256\"]\nissuer = \"https://a.test\"\naudience = [\"files\"]\nbound = false\n"
        );
        std::fs::write(&path, text).unwrap();
        let config = Config::load(&path, []).unwrap();
        let snapshot = Snapshot::build(&config, 1, &mut Keep::default()).unwrap();
        let snapshots = SnapshotStore::new(snapshot);
        let layout =
            Layout { reasons: crate::gateway::reason::ALL, listeners: vec!["main".into()] };
        let worker = Worker::new(Parts {
            snapshots: Arc::clone(&snapshots),
            metrics: Arc::new(WorkerMetrics::new(Arc::new(layout))),
            log: LogBuffer::off(),
            shared: Shared {
                standing: Standing::new(),
                throttle: Arc::new(Throttle::new(Settings::default())),
                sealer: Arc::new(Sealer::ephemeral().unwrap()),
            },
            desk: None,
            ids: IdSource::random().unwrap(),
        });
        let (now, occupancy) = (Cell::new(1), Arc::new(Occupancy::new(1)));
        let tasks = TaskTracker::new();
        Self { worker, upstream, now, snapshots, config, occupancy, tasks }
    }

    /// A connection that is served.
    pub(super) async fn connect(&self, is_tls: bool) -> Client {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        client.set_nodelay(true).unwrap();
        let (served, peer) = listener.accept().await.unwrap();
        served.set_nodelay(true).unwrap();
        let limits = self.worker.view().snapshot.listeners[0].limits;
        let place = self.occupancy.enter(peer.ip(), &limits, 0).unwrap();
        let open = Open::new(&self.worker, 0);
        let arrival =
            Arrival { index: 0, name: "main".into(), port: 443, peer, limits, place, open };
        let accepted = Accepted { server_name: None, is_http2: false, is_tls };
        let (served, side) = if is_tls {
            let acceptor = TlsAcceptor::from(Arc::clone(&TLS.0));
            let connector = TlsConnector::from(Arc::clone(&TLS.1));
            let name = ServerName::try_from("files.test").unwrap();
            let (served, side) =
                tokio::join!(acceptor.accept(served), connector.connect(name, client));
            (Stream::Tls(Box::new(served.unwrap())), Side::Tls(Box::new(side.unwrap())))
        } else {
            (Stream::Plain(served), Side::Plain(client))
        };
        accept::serve(Rc::clone(&self.worker), &self.tasks, arrival, served, accepted);
        Client { side, received: Vec::new(), has_ended: false }
    }

    /// Lets everybody do what they can do now.
    pub(super) async fn settle(&self) {
        for _ in 0..TURNS {
            tokio::task::yield_now().await;
        }
    }

    /// Lets time pass, with everything done before and after.
    pub(super) async fn pass(&self, time: Duration) {
        self.settle().await;
        self.now.set(self.now.get() + u64::try_from(time.as_millis()).unwrap());
        self.worker.ticker.advance_to(self.now.get(), Duration::from_secs(1_700_000_000));
        self.settle().await;
    }

    pub(super) fn parked(&self) -> u64 {
        self.worker.metrics.connections_parked()
    }

    pub(super) fn open(&self) -> u64 {
        self.worker.metrics.connections()
    }

    /// Another snapshot, which every connection is woken for.
    pub(super) fn reload(&self) {
        let next = Snapshot::build(&self.config, 2, &mut Keep::default()).unwrap();
        drop(self.snapshots.swap(next));
        self.worker.ticker.wake_all();
    }
}

type Tls = (Arc<rustls::ServerConfig>, Arc<rustls::ClientConfig>);

static TLS: LazyLock<Tls> = LazyLock::new(tls);

fn tls() -> Tls {
    let made = rcgen::generate_simple_self_signed(["files.test".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let certificate = made.cert.der().clone();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let server = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let client = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    (Arc::new(server), Arc::new(client))
}

/// The client's side of a connection.
enum Side {
    Plain(TcpStream),
    Tls(Box<client::TlsStream<TcpStream>>),
}

pub(super) struct Client {
    side: Side,
    received: Vec<u8>,
    has_ended: bool,
}

impl Client {
    fn stream(&mut self) -> Pin<&mut (dyn Both + Unpin)> {
        match &mut self.side {
            Side::Plain(stream) => Pin::new(stream),
            Side::Tls(stream) => Pin::new(&mut **stream),
        }
    }

    /// The socket below.
    pub(super) fn below(&mut self) -> &mut TcpStream {
        match &mut self.side {
            Side::Plain(stream) => stream,
            Side::Tls(stream) => stream.get_mut().0,
        }
    }

    /// Sends, as far as the gateway has not hung up.
    pub(super) async fn send(&mut self, bytes: &[u8]) {
        let mut stream = self.stream();
        let _ = stream.write_all(bytes).await;
        let _ = stream.flush().await;
    }

    /// Takes what has come so far, without waiting.
    pub(super) async fn collect(&mut self) {
        std::future::poll_fn(|cx| {
            while !self.has_ended {
                let mut room = [0; 4096];
                let mut read = ReadBuf::new(&mut room);
                match self.stream().poll_read(cx, &mut read) {
                    Poll::Pending => break,
                    Poll::Ready(Ok(())) if !read.filled().is_empty() => {
                        self.received.extend_from_slice(read.filled());
                    }
                    Poll::Ready(_) => self.has_ended = true,
                }
            }
            Poll::Ready(())
        })
        .await;
    }

    /// Sends a request without a body and reads the answer.
    pub(super) async fn ask(&mut self, request: &str) -> String {
        self.send(request.as_bytes()).await;
        let mut room = [0; 4096];
        loop {
            let text = String::from_utf8_lossy(&self.received).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                    self.received.clear();
                    return text;
                }
            }
            let length = self.stream().read(&mut room).await.unwrap();
            assert!(length > 0, "no answer, but {text:?}");
            self.received.extend_from_slice(&room[..length]);
        }
    }

    /// Says that nothing more will be sent.
    pub(super) async fn finish(&mut self) {
        let _ = self.stream().shutdown().await;
    }

    /// Goes without a word.
    pub(super) fn reset(mut self) {
        socket2::SockRef::from(&*self.below()).set_linger(Some(Duration::ZERO)).unwrap();
    }

    /// Everything that still comes. An end without `close_notify` is an error over TLS.
    pub(super) async fn rest(&mut self) -> String {
        let mut rest = std::mem::take(&mut self.received);
        if !self.has_ended {
            self.stream().read_to_end(&mut rest).await.unwrap();
        }
        String::from_utf8(rest).unwrap()
    }

    /// Everything that came, also where it broke off.
    pub(super) async fn everything(mut self) -> Vec<u8> {
        let mut rest = std::mem::take(&mut self.received);
        if !self.has_ended {
            let _ = self.stream().read_to_end(&mut rest).await;
        }
        rest
    }
}

trait Both: AsyncRead + AsyncWrite {}
impl<T: AsyncRead + AsyncWrite> Both for T {}

/// An upstream that writes down what it is sent.
pub(super) struct Upstream {
    port: u16,
    requests: Rc<RefCell<Vec<Recorded>>>,
}

impl Upstream {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Rc::new(RefCell::new(Vec::new()));
        let shared = Rc::clone(&requests);
        tokio::task::spawn_local(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                tokio::task::spawn_local(record(stream, Rc::clone(&shared)));
            }
        });
        Self { port, requests }
    }

    /// What came since this was asked last.
    pub(super) fn take(&self) -> Vec<Recorded> {
        self.requests.take()
    }
}

async fn record(mut stream: TcpStream, requests: Rc<RefCell<Vec<Recorded>>>) {
    let mut bytes = Vec::new();
    let mut is_told = false;
    loop {
        while let Some((request, length)) = decode(&bytes) {
            bytes.drain(..length);
            is_told = false;
            let body = format!("{} {} {}", request.method, request.target, request.body.len());
            let shown = if request.method == "HEAD" { "" } else { &body };
            let answer =
                format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{shown}", body.len());
            requests.borrow_mut().push(request);
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
        let head = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
        if !is_told && head.contains("\r\nexpect: 100-continue\r\n") && head.contains("\r\n\r\n") {
            is_told = true;
            let _ = stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await;
        }
        match stream.read_buf(&mut bytes).await {
            Ok(length) if length > 0 => {}
            _ => return,
        }
    }
}
