//! What calls itself a gateway and passes everything on: it checks nobody, and identity is what
//! the client says.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;

use base64::engine::general_purpose::STANDARD;

use super::{FAMILIES, Told, Upstream};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Listens, and passes bytes on; what comes by HTTP/2 is written out as HTTP/1.1.
fn start(upstream: String) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let upstream = TcpStream::connect(&upstream).unwrap();
            thread::spawn(move || {
                let mut first = [0; 3];
                let is_http2 = client.peek(&mut first).is_ok() && first == PREFACE[..3];
                // A client that breaks off is none of its concern.
                let _ = if is_http2 { translate(client, upstream) } else { pass(client, upstream) };
            });
        }
    });
    address
}

fn pass(client: TcpStream, upstream: TcpStream) -> io::Result<()> {
    let (mut from, mut to) = (client.try_clone()?, upstream.try_clone()?);
    thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
    let (mut from, mut to) = (upstream, client);
    io::copy(&mut from, &mut to)?;
    to.shutdown(Shutdown::Both)
}

fn translate(mut client: TcpStream, mut upstream: TcpStream) -> io::Result<()> {
    let mut preface = vec![0; PREFACE.len()];
    client.read_exact(&mut preface)?;
    client.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0])?;
    let mut block = Vec::new();
    loop {
        let mut head = [0; 9];
        client.read_exact(&mut head)?;
        let length = usize::from(head[1]) << 8 | usize::from(head[2]);
        let mut payload = vec![0; length];
        client.read_exact(&mut payload)?;
        if matches!(head[3], 1 | 9) {
            block.extend(payload);
            if head[4] & 4 != 0 {
                break;
            }
        }
    }
    let fields = decode(&block);
    let pseudo = |name: &str| {
        let found = fields.iter().filter(|(known, _)| known == name.as_bytes());
        found.map(|(_, value)| value.as_slice()).next_back().unwrap_or_default()
    };
    let mut request = [pseudo(":method"), b" ", pseudo(":path"), b" HTTP/1.1\r\n"].concat();
    request.extend([b"host: ", pseudo(":authority"), b"\r\n"].concat());
    for (name, value) in fields.iter().filter(|(name, _)| !name.starts_with(b":")) {
        request.extend([name, b": ".as_slice(), value, b"\r\n"].concat());
    }
    request.extend(b"\r\n");
    upstream.write_all(&request)?;
    upstream.shutdown(Shutdown::Write)?;
    io::copy(&mut upstream, &mut io::sink())?;
    client.write_all(&[0, 0, 1, 1, 5, 0, 0, 0, 1, 0x88])
}

/// Literals without indexing and Huffman coding, which is all that a probe writes.
fn decode(block: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let (mut fields, mut rest) = (Vec::new(), block);
    while let Some((0, tail)) = rest.split_first() {
        let (name, tail) = text(tail);
        let (value, tail) = text(tail);
        fields.push((name, value));
        rest = tail;
    }
    fields
}

fn text(bytes: &[u8]) -> (Vec<u8>, &[u8]) {
    let (mut length, mut at) = (usize::from(bytes[0]), 1);
    if length == 0x7f {
        let mut shift = 0;
        loop {
            length += usize::from(bytes[at] & 0x7f) << shift;
            (shift, at) = (shift + 7, at + 1);
            if bytes[at - 1] & 0x80 == 0 {
                break;
            }
        }
    }
    (bytes[at..at + length].to_vec(), &bytes[at + length..])
}

#[test]
fn what_checks_nothing_is_caught_by_every_family() {
    let upstream = Upstream::start();
    let gateway = format!("http://{}", start(upstream.address.clone()));
    let recorder = format!("http://{}", upstream.address);

    let told = Told::run(&[
        "--url",
        &gateway,
        "--recorder",
        &recorder,
        "--credential",
        "alice:any",
        "--own",
        "/files/alice/",
        "--theirs",
        "/files/bob/",
        "--parameter",
        "dir",
        "--field",
        "json:files",
        "--field",
        "form:dir",
    ]);

    assert_eq!(told.code, 1);
    assert!(told.number("attacks") >= 400);
    let escaped = told.families("escaped");
    assert_eq!(escaped.keys().collect::<Vec<_>>(), FAMILIES);
    for (family, count) in &escaped {
        assert!(*count >= 10, "{family}: {count} of {escaped:?}");
    }
    let finding = told.findings("escaped")[0];
    assert!(finding["sent_text"].as_str().unwrap().contains("$CREDENTIAL"), "{finding}");
    assert!(!finding["received"].as_array().unwrap().is_empty(), "{finding}");
    let shown = told.json.to_string();
    let head = finding["received"][0].as_str().unwrap();
    let head = super::text(&base64::Engine::decode(&STANDARD, head).unwrap());
    assert!(head.contains("Authorization: $CREDENTIAL"), "{head}");
    assert!(!shown.contains("alice:any"), "the credential is printed");
}

#[test]
fn where_the_recorder_is_not_behind_nothing_is_proved() {
    let (behind, elsewhere) = (Upstream::start(), Upstream::start());
    let gateway = format!("http://{}", start(behind.address.clone()));

    let output = super::probe(&[
        "--url",
        &gateway,
        "--recorder",
        &format!("http://{}", elsewhere.address),
        "--credential",
        "alice:any",
        "--own",
        "/files/alice/",
        "--theirs",
        "/files/bob/",
        "--as",
        "alice",
        "--against",
        "bob",
    ]);

    assert_eq!(output.status.code(), Some(1));
    let err = super::text(&output.stderr);
    assert!(err.contains("what is refused then proves nothing"), "{err}");
}
