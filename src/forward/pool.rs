//! The idle connections of one worker to one upstream. No lock: it never leaves its thread.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;

use tokio::net::TcpStream;

use super::ForwardError;
use super::connection::Connection;
use crate::clock::ticker::{Millis, Ticker};
use crate::route::upstream::Upstream;

/// Connections to one origin. The newest rests on top and is used first, so that what is not
/// needed grows old and is closed.
#[derive(Debug)]
pub struct Pool {
    ticker: Rc<Ticker>,
    #[expect(clippy::vec_box, reason = "a connection moves in and out with each request")]
    idle: RefCell<Vec<Box<Connection>>>,
    open: Cell<usize>,
}

/// A place in the pool: counts one connection until it is dropped.
#[derive(Debug)]
pub struct Lease(Rc<Pool>);

impl Drop for Lease {
    fn drop(&mut self) {
        self.0.open.set(self.0.open.get().saturating_sub(1));
    }
}

impl Pool {
    /// An empty pool.
    #[must_use]
    pub fn new(ticker: Rc<Ticker>) -> Rc<Self> {
        Rc::new(Self { ticker, idle: RefCell::default(), open: Cell::new(0) })
    }

    /// The newest idle connection that is still alive.
    pub fn take(self: &Rc<Self>) -> Option<(Box<Connection>, Lease)> {
        let mut idle = self.idle.borrow_mut();
        while let Some(connection) = idle.pop() {
            if connection.is_alive(self.ticker.now()) {
                return Some((connection, self.lease()));
            }
        }
        None
    }

    /// Gives a connection back, whose last exchange ended cleanly.
    pub fn put(&self, mut connection: Box<Connection>, lease: Lease) {
        drop(lease);
        connection.rest(self.ticker.now());
        self.idle.borrow_mut().push(connection);
    }

    /// Closes what has been idle for too long.
    pub fn sweep(&self, pool_idle: Millis) {
        let oldest = self.ticker.now().saturating_sub(pool_idle);
        self.idle.borrow_mut().retain(|connection| connection.idle_since >= oldest);
    }

    /// Opens a connection.
    ///
    /// # Errors
    ///
    /// [`ForwardError::Exhausted`] when the worker has as many as it may,
    /// [`ForwardError::ConnectTimeout`], [`ForwardError::Connect`].
    pub async fn open(
        self: &Rc<Self>,
        upstream: &Upstream,
    ) -> Result<(Box<Connection>, Lease), ForwardError> {
        if self.open.get() + self.idle.borrow().len() >= upstream.connections {
            self.idle.borrow_mut().pop();
            if self.open.get() >= upstream.connections {
                return Err(ForwardError::Exhausted);
            }
        }
        let lease = self.lease();
        let watch = self.ticker.watch();
        watch.set(upstream.times.connect);
        let mut connecting = std::pin::pin!(connect(upstream));
        let stream = std::future::poll_fn(|cx| {
            if let std::task::Poll::Ready(result) = connecting.as_mut().poll(cx) {
                return std::task::Poll::Ready(result.map_err(ForwardError::Connect));
            }
            if watch.poll_expired(cx) {
                return std::task::Poll::Ready(Err(ForwardError::ConnectTimeout));
            }
            std::task::Poll::Pending
        })
        .await?;
        watch.clear();
        Ok((Box::new(Connection::new(stream, watch)), lease))
    }

    /// How many connections are open: in use and idle.
    #[must_use]
    pub fn sizes(&self) -> (usize, usize) {
        (self.open.get(), self.idle.borrow().len())
    }

    fn lease(self: &Rc<Self>) -> Lease {
        self.open.set(self.open.get() + 1);
        Lease(Rc::clone(self))
    }
}

async fn connect(upstream: &Upstream) -> io::Result<TcpStream> {
    let stream = TcpStream::connect((upstream.host.as_ref(), upstream.port)).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::AsyncWriteExt as _;
    use tokio::net::TcpListener;

    use super::*;
    use crate::route::upstream::Times;

    struct Scene {
        ticker: Rc<Ticker>,
        pool: Rc<Pool>,
        listener: TcpListener,
        upstream: Upstream,
    }

    async fn scene(connections: usize) -> Scene {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let second = Duration::from_secs(1);
        let upstream = Upstream {
            name: "files".into(),
            host: "127.0.0.1".into(),
            port: listener.local_addr().unwrap().port(),
            authority: "files".into(),
            times: Times { connect: second, first_byte: second, idle: second, pool_idle: second },
            connections,
        };
        let ticker = Ticker::new(Duration::ZERO);
        let pool = Pool::new(Rc::clone(&ticker));
        Scene { ticker, pool, listener, upstream }
    }

    #[tokio::test]
    async fn each_connection_is_counted_once_wherever_it_is() {
        let Scene { pool, upstream, listener: _listener, .. } = scene(2).await;

        let (first, first_lease) = pool.open(&upstream).await.unwrap();
        let second = pool.open(&upstream).await.unwrap();
        assert_eq!(pool.sizes(), (2, 0));
        assert!(matches!(pool.open(&upstream).await, Err(ForwardError::Exhausted)));

        pool.put(first, first_lease);
        assert_eq!(pool.sizes(), (1, 1));
        let again = pool.take().unwrap();
        assert_eq!(pool.sizes(), (2, 0));
        drop((again, second));
        assert_eq!(pool.sizes(), (0, 0));
    }

    #[tokio::test]
    async fn a_connection_that_failed_to_open_is_not_counted() {
        let Scene { pool, listener, upstream, .. } = scene(2).await;
        drop(listener);

        assert!(matches!(pool.open(&upstream).await, Err(ForwardError::Connect(_))));

        assert_eq!(pool.sizes(), (0, 0));
    }

    #[tokio::test]
    async fn what_was_closed_or_spoke_while_it_rested_is_not_used() {
        let Scene { ticker, pool, listener, upstream } = scene(2).await;
        for speaks in [true, false] {
            let (connection, lease) = pool.open(&upstream).await.unwrap();
            let (mut peer, _) = listener.accept().await.unwrap();
            pool.put(connection, lease);
            if speaks {
                peer.write_all(b"HTTP/1.1 408 Request Timeout\r\n\r\n").await.unwrap();
            } else {
                drop(peer);
            }
            ticker.advance_to(ticker.now() + 600, Duration::ZERO);

            // Without a turn of the event loop: nobody has heard of it yet.
            assert!(pool.take().is_none(), "speaks: {speaks}");
        }
    }

    #[tokio::test]
    async fn what_rests_for_too_long_is_closed() {
        let Scene { ticker, pool, upstream, listener: _listener } = scene(2).await;
        let (connection, lease) = pool.open(&upstream).await.unwrap();
        pool.put(connection, lease);

        ticker.advance_to(900, Duration::ZERO);
        pool.sweep(1_000);
        assert_eq!(pool.sizes(), (0, 1));
        ticker.advance_to(1_100, Duration::ZERO);
        pool.sweep(1_000);

        assert_eq!(pool.sizes(), (0, 0));
    }
}
