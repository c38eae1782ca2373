//! A file server that reads paths as it likes.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::thread;

pub(super) const ALICES: &str = "what alice wrote";
pub(super) const BOBS: &str = "what nobody but bob may read";

/// What a server makes of a target.
pub(super) type Resolve = fn(&str) -> Option<&'static str>;

/// What it has.
pub(super) fn file(path: &str) -> Option<&'static str> {
    match path {
        "/files/alice/one.txt" => Some(ALICES),
        "/files/bob/two.txt" => Some(BOBS),
        _ => None,
    }
}

/// Serves what `resolve` makes of a target.
pub(super) fn start(resolve: Resolve) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || -> std::io::Result<()> {
                let mut lines = BufReader::new(client.try_clone()?).split(b'\n');
                let first = lines.next().transpose()?.unwrap_or_default();
                for line in lines.map_while(Result::ok) {
                    if line.trim_ascii().is_empty() {
                        break;
                    }
                }
                let first = String::from_utf8_lossy(&first).into_owned();
                let target = first.split(' ').nth(1).unwrap_or_default();
                let found = resolve(target.split('?').next().unwrap_or_default());
                let (status, body) =
                    found.map_or(("404 Not Found", "none"), |body| ("200 OK", body));
                let length = body.len();
                write!(
                    &client,
                    "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
                )
            });
        }
    });
    address
}

/// Decodes what is UTF-8.
pub(super) fn decoded(path: &str) -> String {
    percent_encoding::percent_decode_str(path).decode_utf8_lossy().into_owned()
}

/// Walks dot segments and drops empty ones.
pub(super) fn walked(path: &str) -> String {
    let mut place = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(place.pop()),
            name => place.push(name),
        }
    }
    format!("/{}", place.join("/"))
}
