//! Reload: all or nothing, the last good one kept, and no request lost.

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::support::client::{Client, Tls};
use crate::support::configuration::USERS;
use crate::support::gateway::{Signal, TestGateway};
use crate::support::tokens::{SigningKey, Token};
use crate::support::upstream::TestUpstream;

fn status(gateway: &TestGateway, user: &str) -> u16 {
    gateway.get("/x").bearer(user).send().status()
}

#[test]
fn a_user_added_to_the_file_is_known() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();
    assert_eq!(status(&gateway, "erin"), 401);
    let old = gateway.generation();

    let more = format!("{USERS}  - username: erin\n    password: erin-go-bragh-1234\n");
    gateway.files().replace("users.yaml", &more);

    gateway.wait_for_generation_after(old);
    assert_eq!(status(&gateway, "erin"), 200);
    assert_eq!(status(&gateway, "alice"), 200);
}

#[test]
fn a_file_written_in_place_is_seen() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();
    let old = gateway.generation();

    let more = format!("{USERS}  - username: erin\n    password: erin-go-bragh-1234\n");
    gateway.files().write("users.yaml", &more);

    gateway.wait_for_generation_after(old);
    assert_eq!(status(&gateway, "erin"), 200);
}

#[test]
fn what_is_written_beside_the_files_delays_no_reload() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();
    let is_over = AtomicBool::new(false);

    let took = std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0.. {
                if is_over.load(Ordering::Relaxed) {
                    break;
                }
                gateway.files().write("noise.log", format!("line {number}\n"));
                std::thread::park_timeout(Duration::from_millis(10));
            }
        });
        let (old, began) = (gateway.generation(), Instant::now());
        let more = format!("{USERS}  - username: erin\n    password: erin-go-bragh-1234\n");
        gateway.files().write("users.yaml", &more);
        gateway.wait_for_generation_after(old);
        is_over.store(true, Ordering::Relaxed);
        began.elapsed()
    });

    assert!(took < Duration::from_millis(1500), "{took:?}");
}

#[test]
fn a_swapped_symbolic_link_is_seen() {
    let upstream = TestUpstream::start();
    let builder = TestGateway::before(&upstream)
        .file("..first/users.yaml", USERS)
        .section("directories.users", "file = \"users-link.yaml\"");
    // As Kubernetes mounts: users-link.yaml → ..data/users.yaml, and ..data → ..first.
    let root = builder.root();
    symlink("..first", root.join("..data")).unwrap();
    symlink("..data/users.yaml", root.join("users-link.yaml")).unwrap();
    let gateway = builder.start();
    assert_eq!(status(&gateway, "alice"), 200);
    let old = gateway.generation();

    let more = format!("{USERS}  - username: erin\n    password: erin-go-bragh-1234\n");
    gateway.files().write("..second/users.yaml", &more);
    symlink("..second", root.join("..data.new")).unwrap();
    fs::rename(root.join("..data.new"), root.join("..data")).unwrap();

    gateway.wait_for_generation_after(old);
    assert_eq!(status(&gateway, "erin"), 200);
}

#[test]
fn a_hangup_reloads() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();

    gateway.files().replace("users.yaml", USERS.replace("alice", "alicia"));
    gateway.reload();
    gateway.wait("alicia", || status(&gateway, "alicia") == 200);

    assert_eq!(status(&gateway, "alice"), 401);
}

#[test]
fn the_admin_endpoint_reloads() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();

    gateway.files().replace("users.yaml", USERS.replace("alice", "alicia"));
    let response = gateway.admin("POST", "/reload");

    assert_eq!(response.status(), 200);
    assert_eq!(status(&gateway, "alicia"), 200);
    assert_eq!(status(&gateway, "alice"), 401);
}

#[test]
fn routes_are_reloaded() {
    let upstream = TestUpstream::start();
    let mut gateway = TestGateway::before(&upstream).start();
    let old = gateway.generation();

    gateway.rewrite("routes.all", "upstream = \"files\"\npath = \"/moved\"\nmethods = [\"GET\"]");
    gateway.wait_for_generation_after(old);

    assert_eq!(status(&gateway, "alice"), 404);
    assert_eq!(gateway.get("/moved").bearer("alice").send().status(), 200);
}

#[test]
fn keys_are_rotated() {
    let upstream = TestUpstream::start();
    let (first, second) = (SigningKey::ed25519(), SigningKey::ed25519());
    let issuer = "keys = \"keys\"\nissuer = \"https://gateway.test\"\naudience = [\"doorward\"]\nbound = true";
    let gateway = TestGateway::before(&upstream)
        .section("issuers.local", issuer)
        .file("keys/first.pem", first.public_pem())
        .start();
    let status = |key: &SigningKey, name: &str| {
        let token = Token::of("alice").header("kid", name).signed_with(key);
        gateway.get("/x").token(&token).send().status()
    };
    assert_eq!((status(&first, "first"), status(&second, "second")), (200, 401));

    let old = gateway.generation();
    gateway.files().write("keys/second.pem", second.public_pem());
    gateway.wait_for_generation_after(old);
    assert_eq!((status(&first, "first"), status(&second, "second")), (200, 200));

    let old = gateway.generation();
    fs::remove_file(gateway.files().path("keys/first.pem")).unwrap();
    gateway.wait_for_generation_after(old);
    assert_eq!((status(&first, "first"), status(&second, "second")), (401, 200));
}

#[test]
fn certificates_are_reloaded() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();
    assert!(gateway.handshake(&Tls::new("new.test", &["http/1.1"])).is_err());
    let mut open = gateway.connect_h2();
    assert_eq!(gateway.get("/x").bearer("alice").send_over_h2(&mut open).status(), 200);

    let (chain, key) = gateway.authority().issue(&["files.test", "new.test"]);
    gateway.files().replace("cert.pem", chain);
    gateway.files().replace("cert.key", key);

    gateway.wait("the new certificate", || {
        gateway.handshake(&Tls::new("new.test", &["http/1.1"])).is_ok()
    });
    assert_eq!(gateway.get("/x").bearer("alice").send_over_h2(&mut open).status(), 200);
}

#[test]
fn a_removed_permission_bites_on_open_connections() {
    let upstream = TestUpstream::start();
    let gateway =
        TestGateway::before(&upstream).route("permissions = { \"*\" = \"files:write\" }").start();
    let (mut plain, mut h2) = (gateway.connect(), gateway.connect_h2());
    let token = gateway.get("/x").bearer("alice");
    let password = gateway.get("/x").basic("alice", "wonderland-of-alice");
    for ask in [&token, &password] {
        assert_eq!(ask.send_over(&mut plain).status(), 200);
        assert_eq!(ask.send_over_h2(&mut h2).status(), 200);
    }

    gateway.files().replace("users.yaml", USERS.replacen("[editor]", "[reader]", 1));
    let changed = Instant::now();
    gateway.wait("the refusal", || status(&gateway, "alice") == 403);

    assert!(changed.elapsed() < Duration::from_secs(1), "took {:?}", changed.elapsed());
    let reached = upstream.requests().len();
    for ask in [&token, &password] {
        assert_eq!(ask.send_over(&mut plain).status(), 403);
        assert_eq!(ask.send_over_h2(&mut h2).status(), 403);
    }
    assert_eq!(upstream.requests().len(), reached);
}

#[test]
fn a_removed_or_changed_user_is_refused_at_once() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();
    let mut open = gateway.connect();
    let password = gateway.get("/x").basic("alice", "wonderland-of-alice");
    assert_eq!(password.send_over(&mut open).status(), 200);

    let old = gateway.generation();
    let changed = USERS.replace("wonderland-of-alice", "another-wonderland").replace("bob", "bert");
    gateway.files().replace("users.yaml", changed);
    gateway.wait_for_generation_after(old);

    assert_eq!(password.send_over(&mut open).status(), 401, "remembered for too long");
    assert_eq!(status(&gateway, "bob"), 401);
    assert_eq!(status(&gateway, "alice"), 200);
}

#[test]
fn a_changed_home_holds_for_tokens_that_exist() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream)
        .route("home = { in = [\"path\"], mode = \"require\", root = \"/\" }")
        .start();
    let ask = gateway.get("/alice/x").bearer("alice");
    assert_eq!(ask.send().status(), 200);

    let old = gateway.generation();
    gateway.files().replace("users.yaml", USERS.replace("home: /alice", "home: /moved"));
    gateway.wait_for_generation_after(old);

    assert_eq!(ask.send().status(), 403);
}

#[test]
fn a_broken_file_changes_nothing_and_is_told() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();
    let good = gateway.files().read("doorward.toml");
    let certificate = gateway.files().read("cert.pem");
    let failures = || gateway.metric("doorward_reloads_total", "failed");
    let broken: Vec<(&str, String)> = vec![
        ("doorward.toml", String::new()),
        ("doorward.toml", good[..good.len() / 2].to_owned()),
        ("doorward.toml", format!("{good}\n[unknown]\nkey = 1\n")),
        (
            "doorward.toml",
            good.replace("[routes.all]\nupstream = \"files\"", "[routes.all]\nupstream = \"none\""),
        ),
        ("doorward.toml", good.replace("grace = \"10s\"", "grace = 10")),
        ("doorward.toml", good.replace("cert.pem", "absent.pem")),
        ("users.yaml", "users:\n  - username: alice\n   password: x\n".to_owned()),
        ("users.yaml", USERS[..USERS.len() / 2].to_owned() + "\"{"),
        ("users.yaml", "\0\0\0".to_owned()),
        (
            "cert.pem",
            "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n".to_owned(),
        ),
        ("cert.pem", String::new()),
        ("cert.key", String::new()),
    ];

    for (number, (name, content)) in broken.into_iter().enumerate() {
        let kept = fs::read(gateway.files().path(name)).unwrap();
        let before = failures();
        gateway.files().replace(name, &content);
        gateway.signal(Signal::Hup);
        gateway.wait(&format!("failure {number} in {name}"), || failures() > before);
        assert_eq!(status(&gateway, "alice"), 200, "after {number} in {name}");
        assert_eq!(gateway.get("/x").bearer("alice").send_h2().status(), 200);
        let last = &gateway.status()["last_reload"];
        assert_eq!(last["succeeded"], false, "{last}");
        let error = last["error"].as_str().unwrap_or("");
        assert!(error.contains(name) || error.contains("absent.pem"), "{number}: {error}");
        gateway.files().replace(name, &kept);
        gateway.admin("POST", "/reload");
    }

    assert_eq!(gateway.files().read("cert.pem"), certificate);
    assert_eq!(status(&gateway, "alice"), 200);
}

#[test]
fn a_new_listener_address_waits_for_a_restart() {
    let upstream = TestUpstream::start();
    let mut gateway = TestGateway::before(&upstream).start();
    let address = gateway.address("main");

    gateway.rewrite("listeners.main", "address = \"127.0.0.1:1\"");
    gateway.signal(Signal::Hup);
    gateway.wait("the reload to be told", || !gateway.status()["last_reload"].is_null());

    let mut client = Client::tcp(address);
    assert_eq!(gateway.get("/x").bearer("alice").send_over(&mut client).status(), 200);
}

#[test]
fn no_request_is_lost_under_reloads() {
    let upstream = TestUpstream::start();
    let key = SigningKey::ed25519();
    let gateway = TestGateway::before(&upstream)
        .route("permissions = { \"*\" = \"files:write\" }")
        .section("log", "level = \"info\"\naccess = false")
        .section(
            "issuers.local",
            "keys = \"keys\"\nissuer = \"https://gateway.test\"\naudience = [\"doorward\"]\nbound = true",
        )
        .file("keys/lasting.pem", key.public_pem())
        .start();
    let config = gateway.files().read("doorward.toml");
    let token = Token::of("alice").header("kid", "lasting").signed_with(&key);
    let (done, served) = (AtomicBool::new(false), AtomicUsize::new(0));
    let old = gateway.generation();

    std::thread::scope(|scope| {
        for number in 0..4 {
            let (gateway, done, served, token) = (&gateway, &done, &served, &token);
            scope.spawn(move || {
                let token = gateway.get("/x").token(token);
                let (mut plain, mut h2) = (gateway.connect(), gateway.connect_h2());
                while !done.load(Ordering::Relaxed) {
                    let status = match number % 4 {
                        0 => token.send_over(&mut plain).status(),
                        1 => token.send_over_h2(&mut h2).status(),
                        2 => token.send().status(),
                        _ => token.send_h2().status(),
                    };
                    assert_eq!(status, 200);
                    served.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for round in 0..20 {
                let users =
                    format!("{USERS}  - username: user{round}\n    password: round-and-round\n");
                gateway.files().replace("users.yaml", users);
                gateway.files().write("keys/passing.pem", SigningKey::ed25519().public_pem());
                let route =
                    format!("\n[routes.round{round}]\nupstream = \"files\"\npath = \"/{round}\"\n");
                gateway.files().replace("doorward.toml", format!("{config}{route}"));
                let (chain, key) = gateway.authority().issue(&["files.test", "localhost"]);
                gateway.files().replace("cert.key", key);
                gateway.files().replace("cert.pem", chain);
                gateway.admin("POST", "/reload");
                let before = served.load(Ordering::Relaxed);
                gateway
                    .wait("requests in between", || served.load(Ordering::Relaxed) > before + 20);
            }
        }));
        done.store(true, Ordering::Relaxed);
        if let Err(panic) = outcome {
            std::panic::resume_unwind(panic);
        }
    });

    assert!(gateway.generation() >= old + 20);
}
