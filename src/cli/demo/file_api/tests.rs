use std::io::{Read as _, Write as _};

use super::*;

struct Served {
    api: FileApi,
    directory: tempfile::TempDir,
}

fn served() -> Served {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("alice")).unwrap();
    std::fs::write(directory.path().join("alice/hello.txt"), "hello").unwrap();
    Served { api: FileApi::start(directory.path().to_owned()).unwrap(), directory }
}

impl Served {
    fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> (u16, String) {
        let mut stream = std::net::TcpStream::connect(self.api.address()).unwrap();
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: files\r\nConnection: close\r\n\
             Content-Length: {length}\r\n{headers}\r\n{body}"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        (answer[9..12].parse().unwrap(), answer)
    }

    fn file(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.directory.path().join(name)).ok()
    }
}

#[test]
fn a_file_is_read_and_listed() {
    let served = served();

    let (status, answer) = served.ask("GET", "/alice/hello.txt", "", "");
    assert_eq!(status, 200);
    assert!(answer.ends_with("\r\n\r\nhello"), "{answer}");

    let (status, answer) = served.ask("GET", "/alice/", "", "");
    assert_eq!(status, 200);
    assert!(answer.contains(r#"{"name":"hello.txt","kind":"file","size":5}"#), "{answer}");
}

#[test]
fn head_answers_without_the_bytes() {
    let (status, answer) = served().ask("HEAD", "/alice/hello.txt", "", "");

    assert_eq!(status, 200);
    assert!(answer.to_lowercase().contains("content-length: 5"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n"), "{answer}");
}

#[test]
fn a_directory_is_spelled_with_a_slash() {
    let (status, answer) = served().ask("GET", "/alice", "", "");

    assert_eq!(status, 301);
    assert!(answer.to_lowercase().contains("location: /alice/\r\n"), "{answer}");
}

#[test]
fn a_file_is_made_replaced_renamed_and_removed() {
    let served = served();

    assert_eq!(served.ask("PUT", "/alice/a%20b", "", "one").0, 201);
    assert_eq!(served.ask("PUT", "/alice/a%20b", "", "two").0, 204);
    assert_eq!(served.file("alice/a b").as_deref(), Some("two"));

    let to = "Destination: http://files/alice/c\r\n";
    assert_eq!(served.ask("MOVE", "/alice/a%20b", to, "").0, 201);
    assert_eq!(served.file("alice/c").as_deref(), Some("two"));

    assert_eq!(served.ask("DELETE", "/alice/c", "", "").0, 204);
    assert_eq!(served.ask("GET", "/alice/c", "", "").0, 404);
}

#[test]
fn a_directory_is_made_once_and_removed_with_all_below() {
    let served = served();

    assert_eq!(served.ask("MKCOL", "/alice/d", "", "").0, 201);
    assert_eq!(served.ask("MKCOL", "/alice/d", "", "").0, 405);
    assert_eq!(served.ask("PUT", "/alice/d/x", "", "x").0, 201);
    assert_eq!(served.ask("DELETE", "/alice/d", "", "").0, 204);
    assert_eq!(served.file("alice/d/x"), None);
}

#[test]
fn nothing_is_overwritten_where_the_client_forbids_it() {
    let served = served();
    served.ask("PUT", "/alice/other", "", "other");

    let headers = "Destination: /alice/hello.txt\r\nOverwrite: F\r\n";
    assert_eq!(served.ask("MOVE", "/alice/other", headers, "").0, 412);
    assert_eq!(served.file("alice/hello.txt").as_deref(), Some("hello"));
}

#[test]
fn a_broken_upload_leaves_nothing() {
    let served = served();

    let mut stream = std::net::TcpStream::connect(served.api.address()).unwrap();
    let head = "PUT /alice/cut HTTP/1.1\r\nHost: files\r\nContent-Length: 10\r\n\r\nhalf";
    stream.write_all(head.as_bytes()).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    stream.read_to_end(&mut Vec::new()).unwrap();

    let names = std::fs::read_dir(served.directory.path().join("alice")).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>();
    assert_eq!(names, ["hello.txt"]);
}

#[test]
fn no_path_leaves_the_directory() {
    let served = served();
    let paths = [
        "/../etc/passwd",
        "/alice/../../etc/passwd",
        "/alice/%2e%2e/alice/hello.txt",
        "/alice/..%2f..%2fetc",
        "/alice%2fhello.txt",
        "/alice/..%5c..",
        "/alice//hello.txt",
        "/alice/hello.txt%00",
        "/alice/%ff",
    ];

    for path in paths {
        assert_eq!(served.ask("GET", path, "", "").0, 400, "{path}");
        let to = format!("Destination: {path}\r\n");
        assert_eq!(served.ask("MOVE", "/alice/hello.txt", &to, "").0, 400, "{path}");
    }
}

#[test]
fn the_root_stays() {
    let served = served();

    assert_eq!(served.ask("DELETE", "/", "", "").0, 403);
    assert_eq!(served.ask("MOVE", "/alice", "Destination: /alice/below\r\n", "").0, 403);
}
