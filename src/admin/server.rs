//! The admin listener's accept loop and its limits.

use std::{convert::Infallible, future::poll_fn, io, sync::Arc, time::Duration};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, UnixListener},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    AdminState,
    address::{Bound, Listener},
    router::{Peer, answer},
};

/// Connections at a time; further ones wait.
const CONNECTIONS: usize = 64;
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
const HEADER_COUNT: usize = 64;
const HEADER_BYTES: usize = 16 * 1024;
/// A connection ends after this, whatever it does.
const LIFETIME: Duration = Duration::from_mins(5);
/// After a failed accept (no file descriptors), this long nothing is tried.
const BACK_OFF: Duration = Duration::from_millis(100);

/// Serves until `shutdown`; connections that are open then may finish the response they are at.
///
/// Runs on any tokio runtime; on the control plane's, it costs the data plane nothing.
///
/// # Errors
///
/// When the listener cannot be registered with the runtime.
pub async fn serve(
    bound: Bound,
    state: Arc<AdminState>,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    // The rest of `bound` lives until the end: it removes the socket's file.
    match &bound.listener {
        Listener::Tcp(listener) => {
            let listener = TcpListener::from_std(listener.try_clone()?)?;
            while let Some(slot) = slot(&slots, &shutdown).await {
                let accepted = poll_fn(|context| listener.poll_accept(context));
                match until(&shutdown, accepted).await {
                    Some(Ok((stream, address))) => {
                        let peer = Peer::Tcp(address.ip());
                        open(stream, peer, slot, Arc::clone(&state), shutdown.clone());
                    }
                    Some(Err(error)) => back_off(&error, &shutdown).await,
                    None => break,
                }
            }
        }
        Listener::Unix(listener) => {
            let listener = UnixListener::from_std(listener.try_clone()?)?;
            while let Some(slot) = slot(&slots, &shutdown).await {
                let accepted = poll_fn(|context| listener.poll_accept(context));
                match until(&shutdown, accepted).await {
                    Some(Ok((stream, _))) => {
                        open(stream, Peer::Unix, slot, Arc::clone(&state), shutdown.clone());
                    }
                    Some(Err(error)) => back_off(&error, &shutdown).await,
                    None => break,
                }
            }
        }
    }
    Ok(())
}

async fn until<T>(shutdown: &CancellationToken, wait: impl Future<Output = T>) -> Option<T> {
    shutdown.run_until_cancelled(wait).await
}

async fn slot(
    slots: &Arc<Semaphore>,
    shutdown: &CancellationToken,
) -> Option<OwnedSemaphorePermit> {
    until(shutdown, Arc::clone(slots).acquire_owned()).await?.ok()
}

async fn back_off(error: &io::Error, shutdown: &CancellationToken) {
    tracing::warn!(error = %error, "Could not accept a connection on the admin listener");
    until(shutdown, sleep(BACK_OFF)).await;
}

/// Serves one connection on a task of its own.
fn open<S>(
    stream: S,
    peer: Peer,
    slot: OwnedSemaphorePermit,
    state: Arc<AdminState>,
    shutdown: CancellationToken,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    tokio::spawn(async move {
        let service = service_fn(move |request| {
            let state = Arc::clone(&state);
            async move { Ok::<_, Infallible>(answer(&state, peer, request).await) }
        });
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT)
            .max_headers(HEADER_COUNT)
            .max_buf_size(HEADER_BYTES);
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        let _ = timeout(LIFETIME, drained(connection, shutdown)).await; // broken ones just end
        drop(slot);
    });
}

async fn drained<C>(connection: C, shutdown: CancellationToken)
where
    C: GracefulConnection,
{
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => {}
        () = shutdown.cancelled() => {
            connection.as_mut().finish();
            let _ = connection.await;
        }
    }
}

/// A connection that can be asked to end after its present response.
trait GracefulConnection: Future<Output = hyper::Result<()>> {
    fn finish(self: std::pin::Pin<&mut Self>);
}

impl<I, S, B> GracefulConnection for http1::Connection<I, S>
where
    I: hyper::rt::Read + hyper::rt::Write + Unpin,
    S: hyper::service::HttpService<hyper::body::Incoming, ResBody = B>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    B: http_body::Body + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    fn finish(self: std::pin::Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

#[cfg(test)]
mod tests;
