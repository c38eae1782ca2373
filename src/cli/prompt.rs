//! Passwords from people: typed at the terminal without being shown, or piped in.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal as _, Read, Write as _};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize as _, Zeroizing};

use crate::password::MAX_PASSWORD_BYTES;
use crate::secret::Secret;

/// Why there is no password.
#[derive(Debug, thiserror::Error)]
pub enum PromptError {
    /// The second time something else was typed.
    #[error("the two passwords differ")]
    Differ,
    /// Nothing was typed.
    #[error("an empty password")]
    Empty,
    /// Ctrl-C or Ctrl-D.
    #[error("interrupted")]
    Interrupted,
    /// Terminal or standard input can't be read.
    #[error("cannot read a password")]
    Io(#[from] io::Error),
    /// There is more than one line on standard input.
    #[error("more than one line on standard input")]
    Lines,
    /// Over 1024 bytes.
    #[error("a password of over 1024 bytes")]
    TooLong,
    /// It holds a control character, which no login can present.
    #[error("a password with a control character")]
    Unprintable,
}

/// A password that is to be set: typed twice, or the one line of a standard input that is no
/// terminal.
///
/// # Errors
///
/// [`PromptError`] says why there is none.
pub fn new_password() -> Result<Secret, PromptError> {
    if !io::stdin().is_terminal() {
        return read_piped(&mut io::stdin().lock());
    }
    let first = ask("New password: ")?;
    let second = ask("Again: ")?;
    if bool::from(first.expose().ct_eq(second.expose())) {
        Ok(first)
    } else {
        Err(PromptError::Differ)
    }
}

/// A password typed at the terminal, without being shown.
///
/// # Errors
///
/// [`PromptError`] says why there is none.
pub fn ask(label: &str) -> Result<Secret, PromptError> {
    let mut terminal = Terminal::open()?;
    terminal.file.write_all(label.as_bytes())?;
    let typed = read_typed(&mut terminal.file);
    let _ = terminal.file.write_all(b"\n");
    check(typed?)
}

/// The terminal, which neither shows what is typed nor acts on it, until this is dropped.
struct Terminal {
    file: File,
    before: Termios,
}

impl Terminal {
    fn open() -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
        let before = tcgetattr(&file)?;
        let mut quiet = before.clone();
        // Without ISIG, Ctrl-C comes as a byte, and can't leave the terminal mute.
        quiet.local_modes -= LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
        tcsetattr(&file, OptionalActions::Flush, &quiet)?;
        Ok(Self { file, before })
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = tcsetattr(&self.file, OptionalActions::Flush, &self.before);
    }
}

/// Reads keys up to Enter. Backspace and Ctrl-U do what they do everywhere.
fn read_typed(keys: &mut impl Read) -> Result<Zeroizing<Vec<u8>>, PromptError> {
    // As large as it gets, so that no copy is left behind by growing.
    let mut typed = Zeroizing::new(Vec::with_capacity(MAX_PASSWORD_BYTES + 1));
    loop {
        let mut key = [0];
        if keys.read(&mut key)? == 0 {
            return Err(PromptError::Interrupted);
        }
        match key {
            [b'\r' | b'\n'] => return Ok(typed),
            [0x03 | 0x04] => return Err(PromptError::Interrupted),
            [0x08 | 0x7f] => while typed.pop().is_some_and(is_continuation) {},
            [0x15] => typed.clear(),
            _ if typed.len() > MAX_PASSWORD_BYTES => {}
            [byte] => typed.push(byte),
        }
        key.zeroize();
    }
}

/// Whether a byte is the second or later of a UTF-8 character.
fn is_continuation(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

/// Reads one line, with or without its end.
fn read_piped(input: &mut impl Read) -> Result<Secret, PromptError> {
    let limit = MAX_PASSWORD_BYTES + 3;
    let mut line = Zeroizing::new(Vec::with_capacity(limit));
    input.take(u64::try_from(limit).unwrap_or(u64::MAX)).read_to_end(&mut line)?;
    if line.ends_with(b"\n") {
        line.pop();
        if line.ends_with(b"\r") {
            line.pop();
        }
    }
    if line.contains(&b'\n') {
        return Err(PromptError::Lines);
    }
    check(line)
}

fn check(mut password: Zeroizing<Vec<u8>>) -> Result<Secret, PromptError> {
    if password.is_empty() {
        return Err(PromptError::Empty);
    }
    if password.len() > MAX_PASSWORD_BYTES {
        return Err(PromptError::TooLong);
    }
    if password.iter().any(u8::is_ascii_control) {
        return Err(PromptError::Unprintable);
    }
    Ok(Secret::new(std::mem::take(&mut *password)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn typed(keys: &str, expected: &str) {
        let password = read_typed(&mut keys.as_bytes()).unwrap();
        assert_eq!(std::str::from_utf8(&password), Ok(expected));
    }

    #[test]
    fn keys_edit_what_is_typed() {
        typed("abc\r", "abc");
        typed("abx\u{7f}c\n", "abc");
        typed("aé\u{7f}b\n", "ab");
        typed("wrong\u{15}right\n", "right");
        typed("\u{7f}\u{7f}a\n", "a");
        for keys in ["abc", "abc\u{3}\n", "\u{4}"] {
            let result = read_typed(&mut keys.as_bytes());
            assert!(matches!(result, Err(PromptError::Interrupted)), "{keys:?}");
        }
    }

    #[test]
    fn a_piped_password_is_one_line() {
        for text in ["pass word", "pass word\n", "pass word\r\n"] {
            assert_eq!(read_piped(&mut text.as_bytes()).unwrap().expose(), b"pass word");
        }
        assert!(matches!(read_piped(&mut "a\nb\n".as_bytes()), Err(PromptError::Lines)));
        assert!(matches!(read_piped(&mut "\n".as_bytes()), Err(PromptError::Empty)));
        assert!(matches!(read_piped(&mut "a\tb".as_bytes()), Err(PromptError::Unprintable)));
        let long = "x".repeat(MAX_PASSWORD_BYTES);
        assert!(read_piped(&mut format!("{long}\n").as_bytes()).is_ok());
        let longer = "x".repeat(MAX_PASSWORD_BYTES + 1);
        assert!(matches!(read_piped(&mut longer.as_bytes()), Err(PromptError::TooLong)));
        assert!(read_piped(&mut "x".repeat(100_000).as_bytes()).is_err());
    }
}
