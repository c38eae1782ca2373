//! Sockets: bound at start, or passed by the service manager.

use std::io;
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Protocol, SockRef, Socket, Type};

use crate::config::ListenAddress;

const BACKLOG: i32 = 4096;

/// What the kernel takes of a response before it can send it. By itself it takes megabytes: clients
/// that hardly read would fill its memory for sockets, and nobody would see that they stand still.
const UNSENT: u32 = 256 * 1024;

/// A listener whose socket stands.
#[derive(Debug)]
pub struct Bound {
    /// Its name in the configuration.
    pub name: Box<str>,
    /// What it is bound to; port 0 has become a port.
    pub address: SocketAddr,
    socket: TcpListener,
}

/// A socket that does not stand.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The address is taken, or not ours.
    #[error("listener `{name}`: cannot listen on {address}")]
    Bind {
        /// The listener.
        name: String,
        /// Its address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The service manager passed no such socket.
    #[error("listener `{name}`: systemd passed no socket `{socket}`; passed: {passed}")]
    NotPassed {
        /// The listener.
        name: String,
        /// What it was to be called.
        socket: String,
        /// What was passed.
        passed: String,
    },
    /// A passed socket that cannot be used.
    #[error("listener `{name}`: the socket that systemd passed cannot be used")]
    Passed {
        /// The listener.
        name: String,
        /// Why.
        source: io::Error,
    },
}

/// The sockets that the service manager passed, by name and in order.
#[derive(Debug, Default)]
pub struct Passed(Vec<(String, TcpListener)>);

impl Passed {
    /// Takes what was passed to this process (`LISTEN_FDS`).
    #[must_use]
    pub fn take(sockets: Vec<(String, TcpListener)>) -> Self {
        Self(sockets)
    }

    fn find(&self, wanted: &str) -> Option<&TcpListener> {
        let by_name = self.0.iter().find(|(name, _)| name == wanted);
        let by_index = || self.0.get(wanted.parse::<usize>().ok()?);
        by_name.or_else(by_index).map(|(_, socket)| socket)
    }

    fn names(&self) -> String {
        let names: Vec<_> = self.0.iter().map(|(name, _)| name.as_str()).collect();
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    }
}

/// Binds a listener.
///
/// # Errors
///
/// [`BindError`] says which and why.
pub fn bind(name: &str, address: &ListenAddress, passed: &Passed) -> Result<Bound, BindError> {
    let socket = match address {
        ListenAddress::Socket(address) => open(*address).map_err(|source| BindError::Bind {
            name: name.to_owned(),
            address: *address,
            source,
        })?,
        ListenAddress::Systemd(wanted) => {
            let socket = passed.find(wanted).ok_or_else(|| BindError::NotPassed {
                name: name.to_owned(),
                socket: wanted.clone(),
                passed: passed.names(),
            })?;
            let prepared = socket.try_clone().and_then(|socket| {
                socket.set_nonblocking(true)?;
                SockRef::from(&socket).set_tcp_notsent_lowat(UNSENT)?;
                Ok(socket)
            });
            prepared.map_err(|source| BindError::Passed { name: name.to_owned(), source })?
        }
    };
    let address = socket
        .local_addr()
        .map_err(|source| BindError::Passed { name: name.to_owned(), source })?;
    Ok(Bound { name: name.into(), address, socket })
}

fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_notsent_lowat(UNSENT)?; // as every connection inherits it
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

impl Bound {
    /// Another handle to the socket, for one worker.
    ///
    /// # Errors
    ///
    /// No file descriptor is left.
    pub fn handle(&self) -> io::Result<TcpListener> {
        self.socket.try_clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn port_0_becomes_a_port() {
        let any = ListenAddress::Socket("127.0.0.1:0".parse().unwrap());

        let bound = bind("main", &any, &Passed::default()).unwrap();

        assert_ne!(bound.address.port(), 0);
    }

    #[test]
    fn a_socket_that_stands_elsewhere_is_an_error_with_its_name() {
        let any = ListenAddress::Socket("127.0.0.1:0".parse().unwrap());
        let first = bind("first", &any, &Passed::default()).unwrap();

        let taken = ListenAddress::Socket(first.address);
        let error = bind("second", &taken, &Passed::default()).unwrap_err().to_string();

        assert!(
            error.contains("`second`") && error.contains(&first.address.to_string()),
            "{error}"
        );
    }

    #[test]
    fn a_passed_socket_is_found_by_its_name_or_place() {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let passed = Passed::take(vec![("web".to_owned(), socket)]);

        for name in ["web", "0"] {
            let wanted = ListenAddress::Systemd(name.to_owned());
            assert_eq!(bind("main", &wanted, &passed).unwrap().address, address);
        }
        let other = ListenAddress::Systemd("other".to_owned());
        let error = bind("main", &other, &passed).unwrap_err().to_string();
        assert!(error.contains("passed: web"), "{error}");
    }
}
