//! One worker of the gateway, in a thread of this process.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use doorward::clock::ticker::TICK;
use doorward::identity::standing::Standing;
use doorward::identity::throttle::{Settings, Throttle};
use doorward::listener::accept::Acceptor;
use doorward::listener::occupancy::Occupancy;
use doorward::session::Sealer;
use doorward::telemetry::access_log::{Format, LogWriter, Sink};
use doorward::telemetry::id::IdSource;
use doorward::telemetry::metrics::{Layout, WorkerMetrics};
use doorward::worker::{Parts, Shared, Worker};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::site::Site;

/// It ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Gateway {
    pub(crate) address: SocketAddr,
    pub(crate) site: Site,
    stop: CancellationToken,
    thread: Option<JoinHandle<io::Result<()>>>,
    log: Option<LogWriter>,
}

impl Gateway {
    /// Serves in front of this upstream.
    pub(crate) fn start(upstream: SocketAddr) -> Self {
        let site = Site::new(&format!("http://{upstream}"));
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.set_nonblocking(true).unwrap();
        let address = socket.local_addr().unwrap();
        let sink = Sink::File(PathBuf::from("/dev/null"));
        let log = LogWriter::start(sink, Format::Json, 1 << 20).unwrap();
        let layout =
            Layout { reasons: doorward::gateway::reason::ALL, listeners: vec!["main".into()] };
        let parts = Parts {
            shared: Shared {
                standing: Standing::new(),
                throttle: Arc::new(Throttle::new(Settings::default())),
                sealer: Arc::new(Sealer::ephemeral().unwrap()),
            },
            desk: None,
            snapshots: site.snapshots(),
            metrics: Arc::new(WorkerMetrics::new(Arc::new(layout))),
            log: log.buffer(),
            ids: IdSource::random().unwrap(),
        };
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || work(parts, socket, stopped));
        Self { address, site, stop, thread: Some(thread), log: Some(log) }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // what went wrong there was seen by the client
        }
        if let Some(log) = self.log.take() {
            let _ = log.stop(Duration::from_secs(10)); // nobody reads it
        }
    }
}

/// What a worker's thread does: accept, serve, and move the clock on.
fn work(parts: Parts, socket: TcpListener, stop: CancellationToken) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(tokio::runtime::LocalOptions::default())?;
    let worker = Worker::new(parts);
    runtime.block_on(async {
        let socket = tokio::net::TcpListener::from_std(socket)?;
        let port = socket.local_addr()?.port();
        let name = Rc::from("main");
        let (to_it, passed) = tokio::sync::mpsc::unbounded_channel();
        let acceptor = Acceptor {
            index: 0,
            name,
            port,
            socket,
            occupancy: Arc::new(Occupancy::new(1)),
            worker: 0,
            passed,
            workers: vec![to_it],
        };
        let accepting = acceptor.run(Rc::clone(&worker), TaskTracker::new(), stop);
        let ticking = async {
            let mut ticks = tokio::time::interval(TICK);
            loop {
                ticks.tick().await;
                worker.tick();
            }
        };
        tokio::select! {
            () = accepting => Ok(()),
            () = ticking => Ok(()),
        }
    })
}
