//! Where the admin listener is: a TCP address, or a Unix socket that only its owner may use.

use std::{
    fmt, fs, io,
    net::{IpAddr, SocketAddr, TcpListener},
    os::{
        fd::OwnedFd,
        unix::{
            fs::{FileTypeExt, MetadataExt, PermissionsExt},
            net::{UnixListener, UnixStream},
        },
    },
    path::{Path, PathBuf},
    str::FromStr,
};

use socket2::{Domain, SockAddr, Socket, Type};

/// A place to listen at or to connect to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// `127.0.0.1:9180`, `[::1]:9180`, `localhost:9180` (which is 127.0.0.1).
    Tcp(SocketAddr),
    /// `unix:/run/doorward/admin.sock`.
    Unix(PathBuf),
}

impl Address {
    /// Whether only this machine can connect.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match self {
            Self::Tcp(address) => is_loopback(address.ip()),
            Self::Unix(_) => true,
        }
    }
}

pub(super) fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if let Some(path) = text.strip_prefix("unix:") {
            let path = Path::new(path);
            let names_a_file = path.is_absolute() && path.file_name().is_some();
            let socket = names_a_file.then(|| Self::Unix(path.to_owned()));
            return socket.ok_or(AddressError::RelativePath);
        }
        let text = match text.strip_prefix("localhost:") {
            Some(port) => format!("127.0.0.1:{port}"),
            None => text.to_owned(),
        };
        text.parse().map(Self::Tcp).map_err(|_| AddressError::Malformed)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(formatter, "{address}"),
            Self::Unix(path) => write!(formatter, "unix:{}", path.display()),
        }
    }
}

/// Why a text is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Neither form.
    #[error("neither an IP address with a port nor `unix:` and a path")]
    Malformed,
    /// The socket's path depends on the working directory, or names no file.
    #[error("the path behind `unix:` must be absolute and name a file")]
    RelativePath,
}

/// Why the listener cannot be bound.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Another process answers there.
    #[error("another process listens on {0}")]
    InUse(Address),
    /// The system refused.
    #[error("cannot listen on {address}")]
    Io {
        /// Where.
        address: Address,
        /// Why.
        source: io::Error,
    },
    /// A file that is no socket stands at the path; it is left as it is.
    #[error("{0} exists and is not a socket")]
    NotASocket(PathBuf),
}

/// A bound listener. A Unix socket's file is removed when it is dropped.
#[derive(Debug)]
pub struct Bound {
    pub(super) listener: Listener,
    address: Address,
    _file: Option<SocketFile>,
}

#[derive(Debug)]
pub(super) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Bound {
    /// Where it listens; for port 0, with the port that the system chose.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }
}

/// Binds `address`.
///
/// A Unix socket appears under its name only when its mode is 0600 already: it is made in a
/// directory of ours and then moved. A socket that a dead process left is replaced.
///
/// # Errors
///
/// [`BindError`], each with the place.
pub fn bind(address: &Address) -> Result<Bound, BindError> {
    match address {
        Address::Tcp(socket) => bind_tcp(*socket).map_err(|source| {
            let address = address.clone();
            if source.kind() == io::ErrorKind::AddrInUse {
                BindError::InUse(address)
            } else {
                BindError::Io { address, source }
            }
        }),
        Address::Unix(path) => bind_unix(path),
    }
}

fn bind_tcp(address: SocketAddr) -> io::Result<Bound> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let address = Address::Tcp(listener.local_addr()?);
    Ok(Bound { listener: Listener::Tcp(listener), address, _file: None })
}

fn bind_unix(path: &Path) -> Result<Bound, BindError> {
    let address = Address::Unix(path.to_owned());
    match fs::symlink_metadata(path) {
        Ok(metadata) if !metadata.file_type().is_socket() => {
            return Err(BindError::NotASocket(path.to_owned()));
        }
        Ok(_) => match connect_unix(path) {
            Ok(_) => return Err(BindError::InUse(address)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return Err(BindError::InUse(address)); // somebody listens, and is far behind
            }
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {} // left behind
            Err(source) => return Err(BindError::Io { address, source }),
        },
        Err(_) => {} // absent, or making it will tell
    }
    match place_socket(path) {
        Ok((listener, file)) => {
            Ok(Bound { listener: Listener::Unix(listener), address, _file: Some(file) })
        }
        Err(source) => Err(BindError::Io { address, source }),
    }
}

/// Connects without waiting for a place in the listener's queue: a listener that hangs would
/// otherwise hang whoever asks whether it does.
pub(super) fn connect_unix(path: &Path) -> io::Result<UnixStream> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.connect(&SockAddr::unix(path)?)?;
    socket.set_nonblocking(false)?;
    Ok(UnixStream::from(OwnedFd::from(socket)))
}

fn place_socket(path: &Path) -> io::Result<(UnixListener, SocketFile)> {
    let parent = path.parent().unwrap_or_else(|| Path::new("/"));
    let private = tempfile::Builder::new().prefix(".d").rand_bytes(4).tempdir_in(parent)?; // 0700
    let first = private.path().join("s");
    let listener = UnixListener::bind(&first)?;
    fs::set_permissions(&first, fs::Permissions::from_mode(0o600))?;
    listener.set_nonblocking(true)?;
    let metadata = fs::symlink_metadata(&first)?;
    fs::rename(&first, path)?;
    let file = SocketFile { path: path.to_owned(), device: metadata.dev(), inode: metadata.ino() };
    Ok((listener, file))
}

/// The file of a socket that we made.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // A successor may have put its own in place; that one stays.
        let is_ours = fs::symlink_metadata(&self.path)
            .is_ok_and(|metadata| (metadata.dev(), metadata.ino()) == (self.device, self.inode));
        if is_ours {
            let _ = fs::remove_file(&self.path); // at worst it stays, and is replaced next time
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_read_and_print() {
        for (text, printed) in [
            ("127.0.0.1:9180", "127.0.0.1:9180"),
            ("localhost:9180", "127.0.0.1:9180"),
            ("[::1]:1", "[::1]:1"),
            ("unix:/run/doorward/admin.sock", "unix:/run/doorward/admin.sock"),
        ] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), printed);
        }
        for bad in ["", "9180", "127.0.0.1", "example.org:80", "unix:", "unix:a", "unix:/"] {
            assert!(bad.parse::<Address>().is_err(), "{bad}");
        }
    }

    #[test]
    fn only_loopback_and_sockets_are_local() {
        for (text, is_local) in [
            ("127.0.0.2:1", true),
            ("[::1]:1", true),
            ("[::ffff:127.0.0.1]:1", true),
            ("0.0.0.0:1", false),
            ("[::]:1", false),
            ("192.0.2.1:1", false),
            ("unix:/a", true),
        ] {
            assert_eq!(text.parse::<Address>().unwrap().is_local(), is_local, "{text}");
        }
    }

    #[test]
    fn port_zero_becomes_a_port() {
        let bound = bind(&"127.0.0.1:0".parse().unwrap()).unwrap();

        let Address::Tcp(address) = bound.address() else { panic!("not TCP") };
        assert_ne!(address.port(), 0);
        assert!(matches!(bind(bound.address()), Err(BindError::InUse(_))));
    }

    #[test]
    fn a_socket_is_its_owners_and_goes_with_the_listener() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("admin.sock");

        let bound = bind(&Address::Unix(path.clone())).unwrap();

        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        assert!(UnixStream::connect(&path).is_ok());
        assert!(matches!(bind(&Address::Unix(path.clone())), Err(BindError::InUse(_))));
        drop(bound);
        assert!(!path.exists());
    }

    #[test]
    fn a_dead_socket_is_replaced_and_any_other_file_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let stale = directory.path().join("stale.sock");
        drop(UnixListener::bind(&stale).unwrap());
        let file = directory.path().join("file");
        fs::write(&file, "precious").unwrap();

        assert!(bind(&Address::Unix(stale)).is_ok());

        assert!(matches!(bind(&Address::Unix(file.clone())), Err(BindError::NotASocket(_))));
        assert_eq!(fs::read_to_string(file).unwrap(), "precious");
    }

    #[test]
    fn a_successors_socket_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("admin.sock");
        let first = bind(&Address::Unix(path.clone())).unwrap();
        fs::remove_file(&path).unwrap();
        let _second = bind(&Address::Unix(path.clone())).unwrap();

        drop(first);

        assert!(path.exists());
    }

    #[test]
    fn a_listener_that_hangs_is_neither_waited_for_nor_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("admin.sock");
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        socket.bind(&SockAddr::unix(&path).unwrap()).unwrap();
        socket.listen(0).unwrap();

        let waiting: Vec<_> = std::iter::repeat_with(|| connect_unix(&path))
            .take(64)
            .take_while(Result::is_ok)
            .collect();

        assert!(waiting.len() < 64);
        assert!(matches!(bind(&Address::Unix(path)), Err(BindError::InUse(_))));
    }
}
