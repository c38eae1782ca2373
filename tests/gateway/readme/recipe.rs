//! A recipe of README.md, and a place to cook it in: the files that it speaks of, the real
//! program, and an upstream that answers with what it received.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;

use super::repository;
use crate::support::PATIENCE;
use crate::support::answer::Answer;
use crate::support::files::TestFiles;
use crate::support::upstream::{Recorded, TestUpstream};

/// What a part of the transcript stands for, whatever it is this time.
const WILDCARD: char = '…';

/// Separates what two commands printed.
const MARK: &str = "----8<----\n";

/// A section of README.md with a configuration.
#[derive(Debug)]
pub(super) struct Recipe {
    pub(super) title: String,
    /// `doorward.toml`: the common tables, and the recipe's own in place of those of the same name.
    pub(super) toml: String,
    /// Each command with what it prints.
    pub(super) transcript: Vec<(String, Vec<String>)>,
}

/// All sections of `readme` with a configuration; the first one's is common to all.
pub(super) fn recipes(readme: &str) -> Vec<Recipe> {
    let mut recipes = Vec::<Recipe>::new();
    let (mut title, mut fence, mut block) = (String::new(), None::<String>, String::new());
    for line in readme.lines() {
        match (&fence, line.strip_prefix("```")) {
            (None, Some(language)) => fence = Some(language.to_owned()),
            (None, None) => {
                if let Some(heading) = line.trim_start_matches('#').strip_prefix(' ')
                    && line.starts_with('#')
                {
                    heading.clone_into(&mut title);
                }
            }
            (Some(language), Some(_)) => {
                add(&mut recipes, &title, language, &block);
                (fence, block) = (None, String::new());
            }
            (Some(_), None) => {
                let _ = writeln!(block, "{line}");
            }
        }
    }
    recipes
}

fn add(recipes: &mut Vec<Recipe>, title: &str, language: &str, block: &str) {
    match language {
        "toml" => {
            let base = recipes.first().map_or("", |base| base.toml.as_str());
            let toml = merged(base, block);
            recipes.push(Recipe { title: title.to_owned(), toml, transcript: Vec::new() });
        }
        "console" => {
            let recipe = recipes.last_mut().filter(|recipe| recipe.title == title);
            recipe.unwrap_or_else(|| panic!("{title} has no configuration")).transcript =
                transcript(block);
        }
        _ => {}
    }
}

/// The tables of `base` that `added` has none of the same name for, then `added`.
fn merged(base: &str, added: &str) -> String {
    let tables = base.split_inclusive("\n\n");
    let name = |table: &str| table.lines().next().unwrap_or_default().to_owned();
    let kept = tables.filter(|table| !added.lines().any(|line| line == name(table)));
    let kept = kept.collect::<String>();
    format!("{}\n\n{added}", kept.trim()).trim_start().to_owned()
}

fn transcript(block: &str) -> Vec<(String, Vec<String>)> {
    let mut commands = Vec::<(String, Vec<String>)>::new();
    for line in block.lines() {
        match (line.strip_prefix("$ "), commands.last_mut()) {
            (Some(command), _) => commands.push((command.to_owned(), Vec::new())),
            (None, Some((_, output))) => output.push(line.to_owned()),
            (None, None) => panic!("{line:?} is printed by no command"),
        }
    }
    commands
}

/// What the upstream of README.md answers.
fn echo(request: &Recorded) -> Answer {
    if request.header("upgrade").is_some() {
        return Answer::raw(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        );
    }
    let mut text = format!("{} {}", request.method, request.target);
    for name in ["X-Forwarded-User", "Remote-User", "Destination", "X-Forwarded-For"] {
        let value = request.header(&name.to_ascii_lowercase());
        if let Some(value) = value.filter(|value| *value != "127.0.0.1") {
            let _ = write!(text, "; {name}: {value}");
        }
    }
    Answer::ok(&format!("{text}\n"))
}

/// Where a recipe is cooked.
pub(super) struct Kitchen {
    files: TestFiles,
    upstream: TestUpstream,
    environment: Vec<(&'static str, String)>,
    gateway: Option<Child>,
}

impl Drop for Kitchen {
    fn drop(&mut self) {
        if let Some(gateway) = &mut self.gateway {
            let _ = gateway.kill();
            let _ = gateway.wait();
        }
    }
}

impl Kitchen {
    /// Lays out the files that a recipe speaks of.
    #[track_caller]
    pub(super) fn prepare(recipe: &Recipe) -> Self {
        let (files, upstream) = (TestFiles::new(), TestUpstream::answering(echo).start());
        for name in ["users.yaml", "htpasswd"] {
            files.write(name, repository(&format!("config/examples/{name}")));
        }
        files.write("doorward.toml", &recipe.toml);
        let root = files.root().display().to_string();
        let environment = vec![("HOME", root)];
        let mut kitchen = Self { files, upstream, environment, gateway: None };
        kitchen.sh("chmod 600 users.yaml htpasswd; doorward key generate --out keys");
        kitchen.sh("doorward key generate --out . --name signing");
        kitchen.sh("umask 077; head -c 32 /dev/urandom > store.secret");
        kitchen.sign_on();
        kitchen.environment.push(("DOORWARD_ADMIN_ADDRESS", format!("unix:{}", kitchen.path("s"))));
        kitchen
    }

    /// Prepares, and starts the gateway.
    #[track_caller]
    pub(super) fn open(recipe: &Recipe) -> Self {
        let mut kitchen = Self::prepare(recipe);
        let url = format!("http://{}", kitchen.upstream.address());
        kitchen.environment.push(("DOORWARD_UPSTREAMS_FILES_URL", url));
        kitchen.environment.push(("DOORWARD_LISTENERS_MAIN_ADDRESS", "127.0.0.1:0".to_owned()));
        let mut serve = kitchen.command(env!("CARGO_BIN_EXE_doorward"));
        serve.arg("serve").stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = serve.spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        kitchen.gateway = Some(child);
        let port = listening_port(log);
        kitchen.shadow_curl(&port);
        kitchen
    }

    /// Runs the transcript and compares.
    #[track_caller]
    pub(super) fn cook(&self, recipe: &Recipe) {
        let commands = recipe.transcript.iter();
        let script = commands.fold("exec 2>&1\n".to_owned(), |script, (command, _)| {
            format!("{script}{command}\nprintf '%s\\n' '----8<----'\n")
        });

        let output = self.sh(&script);

        let mut printed = output.split(MARK);
        for (command, expected) in &recipe.transcript {
            let printed = printed.next().unwrap_or_default().replace("\r\n", "\n");
            let fits = is_like(&expected.join("\n"), printed.trim_end());
            assert!(fits, "{}: {command}\nprinted:\n{printed}", recipe.title);
        }
    }

    /// `doorward check` has nothing to say, but of the old hashes in the htpasswd file.
    #[track_caller]
    pub(super) fn check(&self, recipe: &Recipe) {
        let output = self.sh("doorward check 2>&1");
        let mut warnings = output.lines().filter(|line| line.starts_with("warning: "));
        let is_silent = warnings.all(|line| line.starts_with("warning: htpasswd: "));
        assert!(
            is_silent && output.contains("doorward.toml is good"),
            "{}: {output}",
            recipe.title
        );
    }

    pub(super) fn config(&self) -> PathBuf {
        self.files.path("doorward.toml")
    }

    fn path(&self, name: &str) -> String {
        self.files.path(name).display().to_string()
    }

    /// A single sign-on that gave erin a token, of which the gateway has the public key.
    #[track_caller]
    fn sign_on(&mut self) {
        self.files.write(
            "sso.toml",
            "[listeners.main]\naddress = \"127.0.0.1:0\"\n\
             [upstreams.none]\nurl = \"http://127.0.0.1:9\"\n\
             [routes.none]\nupstream = \"none\"\n\
             [issuers.sso]\nkeys = \"sso\"\nbound = false\naudience = [\"files\"]\n\
             issuer = \"https://sso.example.org/realms/staff\"\n\
             [issuers.sso.claims]\nsubject = \"preferred_username\"\n",
        );
        let token =
            self.sh("set -e; doorward key generate --out sso --name sso --algorithm RS256 >&2
             doorward key show sso --jwks > single-sign-on.jwks.json
             doorward token issue --config sso.toml --user erin \\
               --claim 'realm_access.roles=[\"reader\"]'");
        self.environment.push(("SSO_TOKEN", token.trim().to_owned()));
    }

    /// Lets `curl` of a transcript find this gateway, whatever address is printed.
    fn shadow_curl(&self, port: &str) {
        let curl = self.sh("command -v curl");
        let script = format!(
            "#!/bin/sh\ncase \"$*\" in *127.0.0.1:9180*) set -- --unix-socket '{}' \"$@\";; \
             *) set -- --connect-to '::127.0.0.1:{port}' \"$@\";; esac\n\
             exec {} --silent --show-error \"$@\"\n",
            self.path("s"),
            curl.trim(),
        );
        self.files.write("bin/curl", script);
        self.sh("chmod +x bin/curl");
    }

    fn command(&self, program: &str) -> Command {
        let own = PathBuf::from(env!("CARGO_BIN_EXE_doorward"));
        let path = std::env::var("PATH").unwrap();
        let path = format!("{}:{}:{path}", self.path("bin"), own.parent().unwrap().display());
        let mut command = Command::new(program);
        command.current_dir(self.files.root()).env_clear().env("PATH", path).stdin(Stdio::null());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    #[track_caller]
    fn sh(&self, script: &str) -> String {
        let Output { status, stdout, stderr } =
            self.command("sh").args(["-c", script]).output().unwrap();
        let text = String::from_utf8(stdout).unwrap();
        assert!(status.success(), "{script}\n{text}{}", String::from_utf8_lossy(&stderr));
        text
    }
}

/// The port that the log names first. The rest of the log is read, and forgotten.
fn listening_port(log: BufReader<std::process::ChildStderr>) -> String {
    let (found, port) = mpsc::channel();
    thread::spawn(move || {
        for line in log.lines().map_while(Result::ok) {
            if let Some((_, rest)) = line.split_once("Listening on 127.0.0.1:") {
                let _ = found.send(rest.chars().take_while(char::is_ascii_digit).collect());
            }
        }
    });
    port.recv_timeout(PATIENCE).expect("the gateway does not listen")
}

/// Whether `text` is `pattern`, where each wildcard stands for anything.
pub(super) fn is_like(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split(WILDCARD);
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    true
}

#[test]
fn a_pattern_fits_what_it_is_meant_for() {
    for (pattern, text, fits) in [
        ("a", "a", true),
        ("a", "ab", false),
        ("a…", "ab", true),
        ("a…c", "abc", true),
        ("a…c", "abcd", false),
        ("a…b…c", "a-c-b-c", true),
        ("…", "", true),
    ] {
        assert_eq!(is_like(pattern, text), fits, "{pattern} {text}");
    }
}
