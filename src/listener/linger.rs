//! How a connection ends on which the client may still be sending.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::wire::Wire;

/// How long, and for how many bytes, a client that was refused is listened to.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 4 * 1024 * 1024;

/// Says that nothing more will be said, and then reads for a while what the client still sends:
/// a connection that is closed upon unread bytes is reset, and the client loses the answer.
pub(super) async fn linger(wire: &Wire) {
    let (mut client, _) = wire.take();
    let watch = wire.watch();
    watch.set(LINGER);
    let mut left = LINGER_BYTES;
    let mut room = vec![0; 8 * 1024];
    let mut reading = std::pin::pin!(async {
        let _ = client.shutdown().await;
        while left > 0 {
            match client.read(&mut room).await {
                Ok(length) if length > 0 => left = left.saturating_sub(length),
                Ok(_) | Err(_) => return,
            }
        }
    });
    poll_fn(|cx| if watch.poll_expired(cx) { Poll::Ready(()) } else { reading.as_mut().poll(cx) })
        .await;
}
