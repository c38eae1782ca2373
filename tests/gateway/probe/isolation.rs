//! The gateway itself, in each dialect and mode.

use super::{FAMILIES, Told, probe, text};
use crate::support::files::{Authority, TestFiles};

const USERS: &str = "\
- { username: alice, roles: [editor], home: /alice }
- { username: bob, roles: [editor], home: /bob }
- { username: carol, roles: [editor], home: / }
- { username: dora, roles: [editor] }
";

/// A gateway whose routes have homes, in both modes, before an upstream of this dialect.
fn folder(dialect: &str) -> TestFiles {
    let files = TestFiles::new();
    let authority = Authority::new();
    files.certificate(&authority, "cert", &["files.test"]);
    files.write("users.yaml", USERS);
    let route = |name: &str, places: &str, mode: &str| {
        format!(
            "[routes.{name}]\npath = \"/{name}\"\nupstream = \"files\"\npaths = \"{dialect}\"\n\
             home = {{ in = [{places}], mode = \"{mode}\" }}\n\
             permissions = {{ \"*\" = \"files:write\" }}\n\n"
        )
    };
    let all = "\"path\", \"query:dir\", \"header:destination\", \"header:if\"";
    let fields = "\"json:files\", \"form:dir\"";
    let toml = format!(
        "[server]\nworkers = 1\n\n[listeners.main]\naddress = \"127.0.0.1:8443\"\n\n\
         [listeners.main.tls]\ncertificates = [{{ chain = \"cert.pem\", key = \"cert.key\" }}]\n\n\
         [upstreams.files]\nurl = \"http://127.0.0.1:9000\"\n\n{}{}{}{}{}\
         [directories.users]\nfile = \"users.yaml\"\n\n[roles]\neditor = [\"files:*\"]\n\n\
         [issuers.local]\nsecret = \"{}\"\nalgorithms = [\"HS256\"]\n\
         issuer = \"https://gateway.test\"\naudience = [\"files\"]\n",
        route("require", all, "require"),
        route("rewrite", all, "rewrite"),
        route("list", "\"query:dir\"", "require"),
        route("search", fields, "require"),
        route("store", fields, "rewrite"),
        "0123456789abcdef0123456789abcdef",
    );
    files.write("doorward.toml", toml);
    files
}

#[track_caller]
fn assert_isolated(dialect: &str) {
    let files = folder(dialect);
    let config = files.path("doorward.toml");

    let config = config.to_str().unwrap();
    let routes = ["require", "rewrite", "search", "store"].map(|name| ["--route", name]);
    let told = Told::run(&[&["--config", config][..], &routes.concat()[..]].concat());

    let escaped = told.findings("escaped");
    assert!(escaped.is_empty(), "{dialect}: {escaped:#?}");
    assert_eq!(told.code, 0);
    assert!(told.number("attacks") >= 2 * 400, "{}", told.number("attacks"));
    assert!(told.findings("inconclusive").is_empty(), "{:#?}", told.findings("inconclusive"));
    for (family, refused) in told.families("refused") {
        assert!(refused > 0, "{family}");
    }
    assert_eq!(told.families("refused").into_keys().collect::<Vec<_>>(), FAMILIES);
    let left_out = told.json["left_out"].as_array().unwrap();
    assert_eq!(left_out.len(), 2, "{left_out:?}");
    assert!(left_out.iter().all(|one| one.as_str().unwrap().contains("all but body")));
}

#[test]
fn nothing_escapes_before_a_posix_upstream() {
    assert_isolated("posix");
}

#[test]
fn nothing_escapes_before_a_windows_upstream() {
    assert_isolated("windows");
}

#[test]
fn nothing_escapes_before_a_tomcat_upstream() {
    assert_isolated("tomcat");
}

#[test]
fn nothing_escapes_before_a_raw_upstream() {
    assert_isolated("raw");
}

#[test]
fn nothing_escapes_where_a_parameter_alone_names_what_is_somebodys() {
    let files = folder("posix");
    let config = files.path("doorward.toml");

    let told = Told::run(&["--config", config.to_str().unwrap(), "--route", "list"]);

    assert!(told.findings("escaped").is_empty(), "{:#?}", told.findings("escaped"));
    assert!(told.families("refused")["query"] > 100, "{:?}", told.families("refused"));
}

#[test]
fn people_get_a_table() {
    let files = folder("posix");
    let config = files.path("doorward.toml");
    let arguments = ["--config", config.to_str().unwrap(), "--as", "alice", "--against", "bob"];

    let output =
        probe(&[&arguments[..], &["--route", "require", "--family", "separators"]].concat());

    let out = text(&output.stdout);
    assert!(
        out.starts_with("alice against bob, route require (paths posix, mode require)"),
        "{out}"
    );
    assert!(out.lines().any(|line| line.starts_with("separators")), "{out}");
    assert!(out.ends_with("verdict    no attack has escaped\n"), "{out}");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn one_attack_can_be_repeated() {
    let files = folder("posix");
    let config = files.path("doorward.toml");

    let told = Told::run(&["--config", config.to_str().unwrap(), "--attack", "query-7"]);

    assert_eq!(told.number("attacks"), 3);
    assert_eq!(told.findings("refused")[0]["id"], "query-7");
}

#[test]
fn where_nothing_can_be_tested_nothing_is_proved() {
    let files = folder("posix");
    let config = files.path("doorward.toml");
    let config = config.to_str().unwrap();
    for (attacker, victim, reason) in [
        ("alice", "alice", "the same user"),
        ("alice", "nobody", "no directory has a user"),
        ("alice", "dora", "has no home"),
        ("carol", "bob", "holds all of"),
    ] {
        let output = probe(&["--config", config, "--as", attacker, "--against", victim]);
        let err = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{err}");
        assert!(err.contains(reason), "{err}");
    }
    for arguments in
        [&["--as", "alice"][..], &[], &["--as", "a", "--against", "b", "--family", "x"]]
    {
        assert_eq!(probe(arguments).status.code(), Some(2), "{arguments:?}");
    }
    let unknown = ["--as", "alice", "--against", "bob", "--attack", "query-99999"];
    let output = probe(&[&["--config", config][..], &unknown].concat());
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("nothing could be tested"));
}

#[test]
fn a_gateway_that_does_not_start_is_not_probed() {
    let files = folder("posix");
    files.write("cert.key", "no key");
    let config = files.path("doorward.toml");

    let output =
        probe(&["--config", config.to_str().unwrap(), "--as", "alice", "--against", "bob"]);

    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("cert.key"), "{}", text(&output.stderr));
}
