//! What a command has to say, and how it is said: results on standard output, everything else
//! on standard error, an error with all that caused it.

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use serde::Serialize;

/// Whether a command's news is good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verdict {
    /// Exit code 0.
    #[default]
    Good,
    /// Exit code 1.
    Refused,
}

impl Verdict {
    /// Good if this holds.
    #[must_use]
    pub fn of(is_good: bool) -> Self {
        if is_good { Self::Good } else { Self::Refused }
    }
}

/// What a command has to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// For standard output, with its last newline.
    pub text: String,
    /// For standard error, a line each.
    pub warnings: Vec<String>,
    /// Whether it is good.
    pub verdict: Verdict,
}

impl Answer {
    /// Good news.
    #[must_use]
    pub fn good(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// News as JSON.
    ///
    /// # Errors
    ///
    /// `value` has no form in JSON.
    pub fn json(value: &impl Serialize, verdict: Verdict) -> Result<Self, Failure> {
        let text = serde_json::to_string_pretty(value)? + "\n";
        Ok(Self { text, warnings: Vec::new(), verdict })
    }
}

/// Why a command has no answer: exit code 1.
#[derive(Debug)]
pub struct Failure(pub Box<dyn Error>);

impl<E: Error + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

/// Prints an answer, and says how the process ends. A reader that has seen enough and closed the
/// pipe is no failure.
pub(super) fn finish(answer: &Answer) -> ExitCode {
    let mut errors = io::stderr().lock();
    for warning in &answer.warnings {
        let _ = writeln!(errors, "warning: {}", printable(warning)); // nowhere else to say it
    }
    let mut output = io::stdout().lock();
    match output.write_all(answer.text.as_bytes()).and_then(|()| output.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let _ = writeln!(errors, "error: cannot write to standard output: {error}");
            ExitCode::FAILURE
        }
        Ok(()) | Err(_) => match answer.verdict {
            Verdict::Good => ExitCode::SUCCESS,
            Verdict::Refused => ExitCode::FAILURE,
        },
    }
}

/// Prints why there is no answer, and says how the process ends.
pub(super) fn refuse(Failure(error): &Failure) -> ExitCode {
    let reason = printable(&chain(error.as_ref()));
    let _ = writeln!(io::stderr().lock(), "error: {reason}"); // nowhere else to say it
    ExitCode::FAILURE
}

/// An error and its causes. A cause that the text in front of it ends with already is not said
/// twice.
pub(super) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let reason = cause.to_string();
        if !text.ends_with(&reason) {
            text = format!("{text}: {reason}");
        }
        source = cause.source();
    }
    text
}

/// The text with everything escaped that a terminal would obey or not show: what is printed may
/// come from a token, a user file or another program.
pub(super) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        let is_plain = character == '\n' || !is_obeyed(character);
        if is_plain { shown.push(character) } else { shown.extend(character.escape_unicode()) }
    }
    shown
}

fn is_obeyed(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot open the door")]
    struct Door(#[source] Lock);

    #[derive(Debug, thiserror::Error)]
    #[error("the lock is stuck: {0}")]
    struct Lock(#[source] io::Error);

    #[test]
    fn an_error_is_told_with_all_its_causes_and_none_of_them_twice() {
        let error = Door(Lock(io::Error::other("rust")));

        assert_eq!(chain(&error), "cannot open the door: the lock is stuck: rust");
    }

    #[test]
    fn a_terminal_obeys_nothing_that_is_printed() {
        assert_eq!(printable("a\u{1b}[2Jb\u{202e}c\nd é"), "a\\u{1b}[2Jb\\u{202e}c\nd é");
    }
}
