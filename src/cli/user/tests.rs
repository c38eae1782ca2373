use std::fs;

use clap::Parser;
use tempfile::TempDir;

use super::*;

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    arguments: Arguments,
}

struct Scene {
    folder: TempDir,
}

impl Scene {
    fn new() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs `user …` on a file, with `password` typed.
    fn run(&self, file: &str, line: &str, password: &str) -> Result<String, String> {
        let path = self.file(file);
        let words = ["user"].into_iter().chain(line.split(' ')).chain(["--file"]);
        let words = words.map(Into::into).chain([path.into_os_string()]);
        let line = Line::try_parse_from(words).map_err(|error| error.to_string())?;
        let mut out = Vec::new();
        let mut ask = || Ok(Secret::from(password.to_owned()));
        execute(&line.arguments.command, Path::new("none"), &mut out, &mut ask)
            .map_err(|error| error.to_string())?;
        let said = String::from_utf8(out).unwrap();
        Ok(said.replace(&format!("{}/", self.folder.path().display()), ""))
    }
}

#[test]
fn a_user_is_added_shown_changed_and_removed_in_every_format() {
    for file in ["users.yaml", "users.json", "users.toml", "users.htpasswd"] {
        let scene = Scene::new();
        let run = |line: &str| scene.run(file, line, "correct horse");

        assert_eq!(run("add alice").unwrap(), format!("user `alice` is added in {file}\n"));
        assert_eq!(run("add alice").unwrap_err(), "user `alice` exists already");
        let shown: Value = serde_json::from_str(&run("show alice --json").unwrap()).unwrap();
        assert_eq!((&shown["name"], &shown["password"]), (&json!("alice"), &json!("argon2id")));
        run("disable alice").unwrap();
        assert!(run("list").unwrap().starts_with("alice  disabled  argon2id"));
        run("enable alice").unwrap();
        let before = fs::read_to_string(scene.file(file)).unwrap();
        run("passwd alice").unwrap();
        assert_ne!(fs::read_to_string(scene.file(file)).unwrap(), before);
        assert_eq!(run("passwd bob").unwrap_err(), "no user `bob`");
        let listed: Value = serde_json::from_str(&run("list --json").unwrap()).unwrap();
        assert_eq!(listed["users"][0]["disabled"], json!(false));
        run("remove alice").unwrap();
        assert_eq!(run("remove alice").unwrap_err(), "no user `alice`");
        assert!(run("list").unwrap().contains("no users"));
    }
}

#[test]
fn all_that_is_given_is_written() {
    let scene = Scene::new();
    let line = "add bob --role reader --role staff --permission files:* --group ops --home /bob \
                --email b@example.org --tag eu --no-password";
    scene.run("u.yaml", line, "unused").unwrap();

    let text = fs::read_to_string(scene.file("u.yaml")).unwrap();
    assert_eq!(
        text,
        "- username: bob\n  roles: [\"reader\", \"staff\"]\n  permissions: [\"files:*\"]\n  home: \"/bob\"\n  groups: [\"ops\"]\n  email: \"b@example.org\"\n  cluster-tag: \"eu\"\n"
    );
    let shown = scene.run("u.yaml", "show bob", "").unwrap();
    assert!(shown.contains("home         /bob\n") && shown.contains("password     -\n"), "{shown}");
    assert!(shown.contains("permissions  files:*\n") && !shown.contains("unknown role"));
}

#[test]
fn nobody_types_a_password_for_nothing() {
    let scene = Scene::new();
    scene.run("u.yaml", "add alice --no-password", "").unwrap();
    for line in ["add alice", "passwd nobody", "add bob --home /a/../b", "add bob --permission *x"]
    {
        let path = scene.file("u.yaml");
        let words = ["user"].into_iter().chain(line.split(' ')).chain(["--file"]);
        let words = words.map(Into::into).chain([path.into_os_string()]);
        let arguments = Line::try_parse_from(words).unwrap().arguments;
        let mut ask = || panic!("asked for a password: {line}");
        assert!(
            execute(&arguments.command, Path::new("none"), &mut Vec::new(), &mut ask).is_err(),
            "{line}"
        );
    }
}

#[test]
fn no_hash_is_ever_shown() {
    let scene = Scene::new();
    scene.run("u.yaml", "add alice", "secret").unwrap();
    for line in ["list", "list --json", "show alice", "show alice --json", "disable alice"] {
        let said = scene.run("u.yaml", line, "").unwrap();
        assert!(!said.contains("$argon2") && !said.contains("secret"), "{said}");
    }
}
