//! An independent WebSocket peer, on either side.

use std::net::TcpStream;

use tokio_tungstenite::tungstenite::client::client;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::http::Uri;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocket};
use tokio_tungstenite::tungstenite::{ClientRequestBuilder, Error};

use super::client::Stream;

/// The answer to a client's `Sec-WebSocket-Key` (RFC 6455 §4.2.2).
pub(crate) fn accept_key(key: &str) -> String {
    derive_accept_key(key.as_bytes())
}

/// Sends every message back until the peer closes.
pub(crate) fn echo(stream: TcpStream, ahead: Vec<u8>) {
    let mut socket = WebSocket::from_partially_read(stream, ahead, Role::Server, None);
    while let Ok(message) = socket.read() {
        if message.is_close() {
            while socket.read().is_ok() {}
            return;
        }
        if (message.is_text() || message.is_binary()) && socket.send(message).is_err() {
            return;
        }
    }
}

/// Opens a WebSocket over `stream`. `Err`: the status of the refusal.
pub(crate) fn open(
    stream: Box<dyn Stream>,
    url: &str,
    headers: &[(&str, &str)],
) -> Result<WebSocket<Box<dyn Stream>>, u16> {
    let mut request = ClientRequestBuilder::new(url.parse::<Uri>().unwrap());
    for (name, value) in headers {
        request = request.with_header(*name, *value);
    }
    match client(request, stream) {
        Ok((socket, _response)) => Ok(socket),
        Err(tokio_tungstenite::tungstenite::HandshakeError::Failure(Error::Http(response))) => {
            Err(response.status().as_u16())
        }
        Err(other) => panic!("the WebSocket handshake broke: {other}"),
    }
}
