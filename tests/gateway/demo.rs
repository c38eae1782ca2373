//! A newcomer's first minute: every printed line works when pasted, and nothing is left behind.

use std::io::Read as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::support::programs::available;

struct Demo {
    child: Child,
    text: String,
}

impl Demo {
    /// Starts the demonstration and waits for its last printed line.
    fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_doorward"))
            .arg("demo")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut output = child.stdout.take().unwrap();
        let (mut text, mut chunk) = (String::new(), [0; 4096]);
        while !text.contains("Ctrl-C") {
            let count = output.read(&mut chunk).unwrap();
            assert!(count > 0, "the demonstration ended: {text}");
            text.push_str(&String::from_utf8_lossy(&chunk[..count]));
        }
        // What is printed from now on is nobody's concern, but the pipe must not fill up.
        std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
        Self { child, text }
    }

    /// The printed lines that begin with `start`.
    fn lines(&self, start: &str) -> Vec<&str> {
        self.text.lines().filter(|line| line.starts_with(start)).collect()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(None)) {
            return;
        }
        // Asked first, since it has files to remove.
        let interrupt = format!("kill -INT {}", self.child.id());
        let _ = Command::new("sh").args(["-c", &interrupt]).status();
        for _ in 0..200 {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::park_timeout(Duration::from_millis(50));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a shell prints when `line` is pasted into it.
fn pasted(line: &str) -> String {
    let output = Command::new("sh").args(["-c", line]).stdin(Stdio::null()).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn every_printed_line_works_when_pasted() {
    if !available("curl") {
        return;
    }
    let demo = Demo::start();

    let answers = demo.lines("curl ").into_iter().map(pasted).collect::<Vec<_>>();
    assert!(answers.len() >= 4, "{}", demo.text);
    assert!(answers.iter().any(|answer| answer.contains("hello.txt")), "{answers:#?}");
    assert!(!answers.iter().any(|answer| answer.contains("diary.txt")), "{answers:#?}");
    let refused = answers.iter().filter(|answer| answer.contains("\"decision\"")).count();
    assert!(refused >= 2, "{answers:#?}");

    let program = env!("CARGO_BIN_EXE_doorward");
    let explanations = demo.lines(program).into_iter().map(pasted).collect::<Vec<_>>();
    assert!(explanations.iter().any(|text| text.contains("DENY")), "{explanations:#?}");
    assert!(explanations.iter().any(|text| text.contains("ALLOW")), "{explanations:#?}");
}

#[test]
fn nothing_is_left_behind() {
    let mut demo = Demo::start();
    let words = demo.text.split_whitespace();
    let config = words.skip_while(|word| *word != "--config").nth(1).unwrap().to_owned();
    let folder = Path::new(config.trim_matches('\'')).parent().unwrap().to_owned();
    assert!(folder.exists());

    let interrupt = format!("kill -INT {}", demo.child.id());
    assert!(Command::new("sh").args(["-c", &interrupt]).status().unwrap().success());

    assert!(demo.child.wait().unwrap().success());
    assert!(!folder.exists(), "{} is still there", folder.display());
}
