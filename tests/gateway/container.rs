//! What an image is made of and how it is run, as far as it can be said without an engine: the
//! environment says everything, and the files that describe the image hold what they promise.

use std::collections::BTreeMap;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::PATIENCE;
use crate::support::client::Client;
use crate::support::files::TestFiles;
use crate::support::tokens::{self, Token, basic};
use crate::support::upstream::TestUpstream;

fn repository(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

fn doorward(
    arguments: &[&str],
    files: &TestFiles,
    environment: &BTreeMap<&str, String>,
) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doorward"));
    command.args(arguments).current_dir(files.root()).env_clear().envs(environment);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A process that ends with its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[test]
fn a_gateway_needs_no_file_but_those_that_its_environment_names() {
    let upstream = TestUpstream::start();
    let files = TestFiles::new();
    files.write("hs.key", tokens::SECRET);
    files.write("users.yaml", "- { username: alice, password: in-the-environment, roles: [r] }\n");
    let (address, admin) = (free_address(), free_address());
    let environment = BTreeMap::from([
        ("DOORWARD_LISTENERS_MAIN_ADDRESS", address.to_string()),
        ("DOORWARD_UPSTREAMS_APP_URL", format!("http://{}", upstream.address())),
        ("DOORWARD_ROUTES_APP_UPSTREAM", "app".to_owned()),
        ("DOORWARD_ROUTES_APP_ACCEPT", "bearer, basic".to_owned()),
        ("DOORWARD_ROUTES_APP_ROLES", "r".to_owned()),
        ("DOORWARD_ROLES_R", "app:read".to_owned()),
        ("DOORWARD_DIRECTORIES_USERS_FILE", "users.yaml".to_owned()),
        // Either alone could belong to an issuer of another name; together they mean one.
        ("DOORWARD_ISSUERS_LOCAL_MAX_LIFETIME", "2h".to_owned()),
        ("DOORWARD_ISSUERS_LOCAL_SECRET_FILE", "hs.key".to_owned()),
        ("DOORWARD_ISSUERS_LOCAL_ISSUER", tokens::ISSUER.to_owned()),
        ("DOORWARD_ISSUERS_LOCAL_AUDIENCE", tokens::AUDIENCE.to_owned()),
        ("DOORWARD_ISSUERS_LOCAL_ALGORITHMS", "HS256".to_owned()),
        ("DOORWARD_ADMIN_ADDRESS", admin.to_string()),
    ]);
    let check = doorward(&["check"], &files, &environment).output().unwrap();
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stdout));
    let mut serve = doorward(&["serve"], &files, &environment);
    let running = Running(serve.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());

    let deadline = Instant::now() + PATIENCE;
    let healthy = || doorward(&["healthcheck"], &files, &environment).status().unwrap().success();
    while !healthy() {
        assert!(Instant::now() < deadline, "never healthy");
        std::thread::park_timeout(Duration::from_millis(20));
    }
    let get = |authorization: &str| {
        let head = format!("GET /x HTTP/1.1\r\nHost: a\r\nAuthorization: {authorization}\r\n\r\n");
        Client::tcp(address).send(head).response().status
    };
    assert_eq!(get(&basic("alice", "in-the-environment")), 200);
    assert_eq!(get(&format!("Bearer {}", Token::of("alice").signed())), 200);
    assert_eq!(get(&basic("alice", "wrong")), 401);
    drop(running);
}

#[test]
fn a_file_that_is_named_and_missing_is_not_made_up_by_the_environment() {
    let files = TestFiles::new();
    let environment = BTreeMap::from([
        ("DOORWARD_LISTENERS_MAIN_ADDRESS", "127.0.0.1:0".to_owned()),
        ("DOORWARD_CONFIG", "missing.toml".to_owned()),
    ]);
    for arguments in [&["check"][..], &["check", "--config", "other.toml"]] {
        assert_eq!(doorward(arguments, &files, &environment).status().unwrap().code(), Some(1));
    }
}

#[test]
fn the_image_runs_as_nobody_and_knows_whether_it_is_well() {
    let text = repository("Dockerfile");
    let (_, last) = text.rsplit_once("\nFROM ").unwrap();
    assert!(last.contains("\nUSER 65532:65532\n"));
    assert!(last.contains("CMD [\"/usr/bin/doorward\", \"healthcheck\"]"));
    assert!(last.contains("\nENTRYPOINT [\"/usr/bin/doorward\"]\nCMD [\"serve\"]\n"));
    assert!(!last.contains("\nRUN "), "there is no shell to run it");
    assert!(text.contains("\nRUN benches/ship\n"), "what is measured is what is shipped");
    let version = repository("rust-toolchain.toml");
    let channel = version.split('"').find(|part| part.starts_with("1.")).unwrap();
    let short = channel.rsplitn(channel.matches('.').count(), '.').last().unwrap();
    assert!(text.contains(&format!("FROM rust:{short}-bookworm AS build")), "{channel}");
}

#[test]
fn the_environment_of_the_compose_file_is_a_configuration() {
    let files = TestFiles::new();
    let text = repository("docker-compose.yml");
    let (_, rest) = text.split_once("environment: &environment\n").unwrap();
    let lines = rest.lines().take_while(|line| line.starts_with("    ")).map(str::trim);
    let root = files.root().display().to_string();
    let environment: BTreeMap<&str, String> = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name, value.trim_matches(['"', '\'']).replace("/run/secrets", &root)))
        .collect();
    files.write("users.yaml", "- { username: alice }\n");
    files.write("database", "postgres://doorward:x@postgres/doorward?sslmode=disable");
    files.write("store", "0123456789abcdef0123456789abcdef");
    let out = ["key", "generate", "--out", &root, "--name", "signing"];
    assert!(doorward(&out, &files, &BTreeMap::new()).status().unwrap().success());

    let check = doorward(&["check"], &files, &environment).output().unwrap();

    assert!(environment.len() > 10);
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stdout));
}
