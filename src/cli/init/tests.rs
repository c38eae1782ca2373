use std::fs;
use std::os::unix::fs::PermissionsExt;

use clap::Parser;

use super::*;
use crate::config::{Config, ListenAddress};
use crate::directory::{self, DirectorySettings};
use crate::password::Limits;
use crate::token::Keyring;
use crate::user::Roles;

#[derive(clap::Parser)]
struct Command {
    #[command(flatten)]
    args: Arguments,
}

fn init(directory: &Path, words: &[&str], may_ask: bool, input: &str) -> Result<String, String> {
    let directory = directory.to_str().unwrap();
    let words = ["init", "--directory", directory].into_iter().chain(words.iter().copied());
    let args = Command::parse_from(words).args;
    let mut out = Vec::new();
    create(&args, may_ask, &mut input.as_bytes(), &mut out).map_err(|error| error.to_string())?;
    Ok(String::from_utf8(out).unwrap())
}

fn password_of(out: &str) -> &str {
    out.lines().find_map(|line| line.split_once(" has the password ")).unwrap().1
}

#[test]
fn what_is_written_works() {
    let folder = tempfile::tempdir().unwrap();

    let out = init(folder.path(), &["--yes"], false, "").unwrap();

    let config = Config::load(&folder.path().join("doorward.toml"), []).unwrap();
    assert_eq!(config.warnings, []);
    assert_eq!(config.listeners[0].address.to_string(), "127.0.0.1:8443");
    assert_eq!(config.issuers[0].issuer, "https://localhost:8443");
    let settings = DirectorySettings::of_file(&config.directories[0].file);
    let limits = Limits::with_memory(config.passwords.memory);
    let mut roles = Roles::default();
    roles.define("user", [] as [&str; 0]).unwrap();
    let (users, warnings) = directory::load(&settings, &roles, limits, None).unwrap();
    assert!(warnings.is_empty(), "{warnings:?}");
    let admin = users.get("admin").unwrap();
    assert!(admin.password.as_ref().unwrap().verify(password_of(&out).as_bytes()));
    assert!(Keyring::load(&folder.path().join("keys")).unwrap().0.can_sign());
    assert!(out.contains("curl --cacert "), "{out}");
}

#[test]
fn secrets_are_for_their_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    init(folder.path(), &["--yes"], false, "").unwrap();

    let mode =
        |name: &str| fs::metadata(folder.path().join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("users.yaml"), mode("keys/main.pem"), mode("cert.key")), {
        (0o600, 0o600, 0o600)
    });
    assert_eq!((mode("keys"), mode("doorward.toml"), mode("cert.pem")), (0o700, 0o644, 0o644));
    let left: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| name.to_str().unwrap().starts_with(".doorward"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn nothing_is_overwritten_unless_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("users.yaml"), "mine").unwrap();

    let error = init(folder.path(), &["--yes"], false, "").unwrap_err();

    assert!(error.ends_with("users.yaml` exists already; --force overwrites"), "{error}");
    assert!(!folder.path().join("doorward.toml").exists());
    init(folder.path(), &["--yes", "--force"], false, "").unwrap();
    assert_ne!(fs::read_to_string(folder.path().join("users.yaml")).unwrap(), "mine");
}

#[test]
fn what_is_not_given_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();

    let out = init(
        folder.path(),
        &["--listen", "127.0.0.1:0"],
        true,
        "http://[::1]:9001\nplain\nalice\n",
    )
    .unwrap();

    assert!(!out.contains("Listen on") && out.contains("URL of the API [http://127.0.0.1:9000]: "));
    let config = Config::load(&folder.path().join("doorward.toml"), []).unwrap();
    assert_eq!((config.upstreams[0].host.as_str(), config.upstreams[0].port), ("::1", 9001));
    assert!(config.listeners[0].tls.is_none());
    assert!(matches!(config.listeners[0].address, ListenAddress::Socket(_)));
    assert!(!folder.path().join("cert.pem").exists());
}

#[test]
fn a_password_may_come_from_standard_input() {
    let folder = tempfile::tempdir().unwrap();

    let out = init(folder.path(), &["--password-stdin"], false, "correct horse\n").unwrap();

    assert!(!out.contains("horse") && !out.contains("has the password"), "{out}");
}

#[test]
fn what_makes_no_configuration_is_refused_and_leaves_nothing() {
    for (words, input, expected) in [
        (&["--upstream", "https://x"][..], "", "`https` is not spoken to upstreams"),
        (&["--listen", "x\"\nevil = 1"], "", "is no address with a port"),
        (&["--user", ""], "", "no user can be called so"),
        (&["--password-stdin"], "\n", "cannot take this password"),
        (&["--host", "a b"], "", "`a b` has a host that is neither a name nor an address"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let words: Vec<_> = ["--yes"].iter().chain(words).copied().collect();

        let error = init(folder.path(), &words, false, input).unwrap_err();

        assert!(error.contains(expected), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "{words:?}");
    }
}
