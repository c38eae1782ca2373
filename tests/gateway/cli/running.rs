//! The commands that ask a running gateway: that of the demonstration.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::Folder;

/// A running demonstration.
struct Demo {
    child: Child,
    lines: Vec<String>,
}

impl Demo {
    fn start() -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_doorward"));
        command.args(["demo", "--port", "0"]).env_clear();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut demo = Self { child: command.spawn().unwrap(), lines: Vec::new() };
        for line in BufReader::new(demo.child.stdout.take().unwrap()).lines() {
            demo.lines.push(line.unwrap());
            if demo.lines.last().unwrap().starts_with("Ctrl-C") {
                return demo;
            }
        }
        let mut error = String::new();
        demo.child.stderr.take().unwrap().read_to_string(&mut error).unwrap();
        panic!("the demonstration ended: {:?} {error}", demo.lines);
    }

    fn config(&self) -> PathBuf {
        let line = self.lines.iter().find(|line| line.contains(" --config ")).unwrap();
        line.split_once(" --config ").unwrap().1.split(' ').next().unwrap().into()
    }

    fn ask(&self, arguments: &[&str]) -> String {
        let config = self.config();
        let mut all = vec!["--config", config.to_str().unwrap()];
        all.extend(arguments);
        Folder::new().good(&all)
    }

    /// Ends it as Ctrl-C does.
    fn end(mut self) {
        let folder = self.config().parent().unwrap().to_owned();
        let kill = format!("kill -INT {}", self.child.id());
        Command::new("sh").args(["-c", &kill]).status().unwrap();

        let ended = self.child.wait().unwrap();

        assert_eq!(ended.code(), Some(0));
        assert!(!folder.exists(), "{}", folder.display());
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill(); // where a test failed before `end`
        let _ = self.child.wait();
    }
}

#[test]
fn a_running_gateway_answers_the_command_line() {
    let demo = Demo::start();

    let status = demo.ask(&["status"]);
    let json: serde_json::Value = serde_json::from_str(&demo.ask(&["status", "--json"])).unwrap();
    let health = demo.ask(&["healthcheck"]);
    let reloaded = demo.ask(&["reload"]);

    assert!(status.contains("listener main"), "{status}");
    assert_eq!((&json["users"], &json["generation"]), (&2.into(), &1.into()));
    assert_eq!(health, "ready\n");
    assert_eq!(reloaded, "generation 2 is in service\n");
    demo.end();
}

#[test]
fn a_broken_configuration_is_told_by_reload_and_hides_no_status() {
    let demo = Demo::start();
    let config = demo.config();
    let good = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, good + "\n[nonsense]\n").unwrap();
    let run = |command| {
        let folder = Folder::new();
        folder.run(&["--config", Path::new(&config).to_str().unwrap(), command])
    };

    let (reload, status) = (run("reload"), run("status"));

    assert_eq!(reload.code, 1, "{reload:?}");
    assert!(reload.err.contains("last good version stays in service"), "{reload:?}");
    assert!(reload.err.contains("nonsense"), "{reload:?}");
    assert_eq!(status.code, 0, "{status:?}");
    demo.end();
}
