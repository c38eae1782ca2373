//! The worker threads: one event loop each, and everything that a request needs.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread::JoinHandle;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::service::Service;
use super::{StartError, buffer, ids, occupancies};
use crate::clock::ticker::TICK;
use crate::control::Control;
use crate::gateway::explain::{self, Inbox};
use crate::listener::accept::{Acceptor, Passed};
use crate::listener::occupancy::Occupancy;
use crate::listener::socket::Bound;
use crate::telemetry::access_log::LogWriter;
use crate::telemetry::metrics::WorkerMetrics;
use crate::worker::{Parts, Worker};

/// All workers, not yet at work.
pub(super) struct Crew {
    members: Vec<Member>,
}

struct Member {
    parts: Parts,
    inbox: Inbox,
    sockets: Vec<Socket>,
}

struct Socket {
    index: usize,
    name: Box<str>,
    port: u16,
    handle: std::net::TcpListener,
    occupancy: Arc<Occupancy>,
    passed: UnboundedReceiver<Passed>,
    workers: Vec<UnboundedSender<Passed>>,
}

/// All workers at work.
pub(super) struct Working {
    threads: Vec<JoinHandle<()>>,
    ended: Vec<oneshot::Receiver<()>>,
}

impl Crew {
    pub(super) fn new(
        bound: &[Bound],
        control: &Arc<Control>,
        metrics: Vec<(Arc<WorkerMetrics>, Inbox)>,
        service: &Service,
        access_log: Option<&LogWriter>,
    ) -> Result<Self, StartError> {
        let occupancies = occupancies(bound, metrics.len());
        let ways = || metrics.iter().map(|_| unbounded_channel()).unzip();
        let mut ways: Vec<(Vec<_>, VecDeque<_>)> = bound.iter().map(|_| ways()).collect();
        let mut members = Vec::new();
        for (metrics, inbox) in metrics {
            let mut sockets = Vec::new();
            let shared = bound.iter().zip(&occupancies).zip(&mut ways).enumerate();
            for (index, ((bound, occupancy), (workers, ends))) in shared {
                let Some(passed) = ends.pop_front() else { continue }; // there is one for each
                let handle =
                    bound.handle().map_err(|error| StartError::System("a socket", error))?;
                let occupancy = Arc::clone(occupancy);
                let (name, port) = (bound.name.clone(), bound.address.port());
                let workers = workers.clone();
                sockets.push(Socket { index, name, port, handle, occupancy, passed, workers });
            }
            let parts = Parts {
                snapshots: Arc::clone(control.snapshots()),
                metrics,
                shared: service.shared().clone(),
                desk: Some(service.desk().clone()),
                log: buffer(access_log),
                ids: ids()?,
            };
            members.push(Member { parts, inbox, sockets });
        }
        Ok(Self { members })
    }

    /// Starts the threads. They serve when this returns.
    pub(super) fn start(
        self,
        stop: &CancellationToken,
        cut: &CancellationToken,
    ) -> io::Result<Working> {
        let mut working = Working { threads: Vec::new(), ended: Vec::new() };
        for (number, member) in self.members.into_iter().enumerate() {
            let (stop, cut) = (stop.clone(), cut.clone());
            let (done, ended) = oneshot::channel();
            let (ready, is_ready) = std::sync::mpsc::channel();
            let thread =
                std::thread::Builder::new().name(format!("worker-{number}")).spawn(move || {
                    if let Err(error) = member.run(number, &stop, &cut, &ready) {
                        let _ = ready.send(Err(error));
                    }
                    let _ = done.send(());
                })?;
            working.threads.push(thread);
            working.ended.push(ended);
            is_ready.recv().map_err(io::Error::other)??;
        }
        Ok(working)
    }
}

impl Member {
    fn run(
        self,
        number: usize,
        stop: &CancellationToken,
        cut: &CancellationToken,
        ready: &std::sync::mpsc::Sender<io::Result<()>>,
    ) -> io::Result<()> {
        let Self { parts, inbox, sockets } = self;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build_local(tokio::runtime::LocalOptions::default())?;
        let worker = Worker::new(parts);
        let result = runtime.block_on(async {
            let tasks = TaskTracker::new();
            for socket in sockets {
                let Socket { index, name, port, handle, occupancy, passed, workers } = socket;
                let socket = tokio::net::TcpListener::from_std(handle)?;
                let name: Rc<str> = Rc::from(&*name);
                let acceptor = Acceptor {
                    index,
                    name,
                    port,
                    socket,
                    occupancy,
                    worker: number,
                    passed,
                    workers,
                };
                tasks.spawn_local(acceptor.run(Rc::clone(&worker), tasks.clone(), stop.clone()));
            }
            tokio::task::spawn_local(explain::answer(Rc::clone(&worker), inbox));
            let _ = ready.send(Ok(()));
            work(&worker, &tasks, stop, cut).await;
            Ok(())
        });
        drop(runtime); // cuts what still runs, and so writes it down
        worker.log.borrow_mut().flush();
        result
    }
}

/// Ticks until everything has ended or is cut.
async fn work(
    worker: &Rc<Worker>,
    tasks: &TaskTracker,
    stop: &CancellationToken,
    cut: &CancellationToken,
) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut is_draining = false;
    loop {
        tokio::select! {
            biased;
            () = cut.cancelled() => return,
            () = stop.cancelled(), if !is_draining => {
                is_draining = true;
                tasks.close();
                worker.drain();
            }
            () = tasks.wait(), if is_draining => return,
            _ = ticks.tick() => worker.tick(),
        }
    }
}

impl Working {
    /// Waits until every worker has ended.
    pub(super) async fn ended(&mut self) {
        poll_fn(|cx| if self.poll_fewer(cx) == 0 { Poll::Ready(()) } else { Poll::Pending }).await;
    }

    /// Waits until a worker has ended, which none does unasked but in a panic.
    pub(super) async fn failed(&mut self) {
        let all = self.ended.len();
        poll_fn(|cx| if self.poll_fewer(cx) < all { Poll::Ready(()) } else { Poll::Pending }).await;
    }

    /// How many are at work.
    fn poll_fewer(&mut self, cx: &mut Context<'_>) -> usize {
        self.ended.retain_mut(|ended| Pin::new(ended).poll(cx).is_pending());
        self.ended.len()
    }

    /// Joins the threads, which have ended or are about to.
    pub(super) fn join(self) {
        for thread in self.threads {
            if thread.join().is_err() {
                tracing::error!("A worker ended in a panic");
            }
        }
    }
}
