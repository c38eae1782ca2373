//! The command line as people and scripts meet it: the real binary, real files, exit codes.

mod explain;
mod keys;
mod running;
mod tokens;
mod usage;
mod users;

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use crate::support::files::TestFiles;

/// Homes below `/files`, one user file, one signing issuer.
const CONFIG: &str = r#"
[listeners.main]
address = "127.0.0.1:0"

[upstreams.api]
url = "http://127.0.0.1:9000"

[routes.files]
path = "/files"
upstream = "api"
home = { in = ["path"] }
permissions = { GET = "files:read", "*" = "files:write" }

[roles]
reader = ["files:read"]

[directories.users]
file = "users.yaml"

[issuers.local]
keys = "keys"
issuer = "https://gateway.test"
audience = ["doorward"]

[admin]
address = "unix:admin.sock"
"#;

const USERS: &str = "\
# who may in
- username: alice # the first
  roles: [reader]
  home: /alice
- { username: bob, roles: [reader], home: /bob }
";

/// A folder with `doorward.toml` and everything that it names, and the program in it.
struct Folder {
    files: TestFiles,
}

impl Folder {
    fn new() -> Self {
        let folder = Self { files: TestFiles::new() };
        folder.files.write("doorward.toml", CONFIG);
        folder.files.write("users.yaml", USERS);
        folder.good(&["key", "generate", "--out", "keys", "--name", "first"]);
        folder
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_doorward"));
        command.args(arguments).current_dir(self.files.root()).env_clear().stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        self.command(arguments).output().unwrap().into()
    }

    fn run_with(&self, arguments: &[&str], input: &str) -> Ran {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap().into()
    }

    /// What a command that must succeed prints.
    #[track_caller]
    fn good(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 0, "{arguments:?}: {ran:?}");
        ran.out
    }

    /// What a command that must be refused prints, to both outputs.
    #[track_caller]
    fn refused(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 1, "{arguments:?}: {ran:?}");
        ran.out + &ran.err
    }

    #[track_caller]
    fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let ran = self.run(arguments);
        serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
    }
}

/// How a command ended, and what it printed.
#[derive(Debug)]
struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}
