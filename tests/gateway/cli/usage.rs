//! Exit codes, where the configuration is found, and the commands that only print.

use std::process::Stdio;

use super::{CONFIG, Folder};

#[test]
fn wrong_usage_is_two_and_says_why_on_standard_error() {
    let folder = Folder::new();
    for arguments in [
        &[][..],
        &["fly"],
        &["explain", "GET", "/"],
        &["explain", "--user", "alice", "--anonymous", "GET", "/"],
        &["key", "list", "keys", "--user", "alice"],
        &["key", "generate", "--algorithm", "none", "--out", "x"],
        &["token", "issue", "--user", "alice", "--lifetime", "soon"],
        &["status", "--admin", "nowhere"],
    ] {
        let ran = folder.run(arguments);

        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{arguments:?}: {ran:?}");
        assert!(!ran.err.is_empty(), "{arguments:?}");
    }
}

#[test]
fn help_and_version_are_good() {
    let folder = Folder::new();

    assert!(folder.good(&["--help"]).contains("explain"));
    assert!(folder.good(&["token", "issue", "--help"]).contains("--lifetime"));
    assert!(folder.good(&["--version"]).starts_with("doorward "));
}

#[test]
fn the_configuration_is_named_by_argument_then_environment_then_folder() {
    let folder = Folder::new();
    folder.files.write("broken.toml", "[nonsense]\n");

    let named = folder.refused(&["check", "--config", "broken.toml"]);
    let mut command = folder.command(&["check"]);
    let by_environment = command.env("DOORWARD_CONFIG", "broken.toml").output().unwrap();
    let mut command = folder.command(&["--config", "doorward.toml", "check"]);
    let both = command.env("DOORWARD_CONFIG", "broken.toml").output().unwrap();

    assert!(named.contains("broken.toml:1:2"), "{named}");
    assert_eq!(by_environment.status.code(), Some(1));
    assert_eq!(both.status.code(), Some(0));
    folder.good(&["check"]);
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let folder = Folder::new();
    folder.files.write("doorward.toml", CONFIG.replace("roles: [reader]", ""));
    folder.files.write("users.yaml", "- username: alice\n  hme: /alice\n");

    let told = folder.refused(&["check"]);
    let explained = folder.refused(&["explain", "--user", "alice", "GET", "/"]);

    assert!(told.contains("users.yaml:2:3"), "{told}");
    assert!(explained.contains("users.yaml:2:3"), "{explained}");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let folder = Folder::new();
    for arguments in [&["schema"][..], &["completions", "bash"], &["--help"]] {
        let mut command = folder.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());

        let ended = child.wait_with_output().unwrap();

        assert_eq!(String::from_utf8_lossy(&ended.stderr), "", "{arguments:?}");
        assert_eq!(ended.status.code(), Some(0), "{arguments:?}");
    }
}

#[test]
fn scripts_pages_and_schema_are_printed() {
    let folder = Folder::new();

    folder.good(&["man", "--out", "man"]);

    assert!(folder.files.read("man/doorward-explain.1").contains("explain"));
    assert!(folder.good(&["man"]).contains("doorward"));
    assert!(folder.good(&["completions", "zsh"]).contains("#compdef doorward"));
    assert!(folder.json(&["schema"])["properties"]["listeners"].is_object());
}

#[test]
fn what_init_writes_is_good_and_its_user_gets_in() {
    let folder = Folder::new();

    let told = folder.good(&["init", "--yes", "--directory", "new", "--user", "eve"]);

    assert!(told.contains("user eve has the password"), "{told}");
    folder.good(&["check", "--config", "new/doorward.toml"]);
    let config = ["--config", "new/doorward.toml"];
    let target = ["explain", "--user", "eve", "GET", "/"];
    let explained = folder.good(&[&config[..], &target].concat());
    assert!(explained.contains("ALLOW"), "{explained}");
    let token = folder.good(&[&config[..], &["token", "issue", "--user", "eve"]].concat());
    folder.good(&[&config[..], &["token", "inspect", token.trim()]].concat());
}

#[test]
fn a_gateway_that_does_not_run_is_told_so() {
    let folder = Folder::new();
    for command in ["status", "reload", "healthcheck"] {
        let told = folder.refused(&[command]);

        assert!(told.contains("cannot talk to unix:"), "{told}");
    }
}

#[test]
fn a_start_that_fails_says_why_with_all_causes() {
    let folder = Folder::new();
    folder.files.write("users.yaml", "- { username: alice, hme: x }\n");

    let told = folder.refused(&["serve"]);

    assert!(told.starts_with("error: "), "{told}");
    assert!(told.contains("users.yaml:1:"), "{told}");
}
