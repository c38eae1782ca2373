//! How an upstream reads paths: asks it directly, in spellings that only some servers take for
//! the same, and looks whether the same file comes back.

use std::io;

use super::dial::Target;
use super::http1::{self, Outcome};
use super::reading::segments;
use crate::resource::Dialect;

/// What a server may fold into one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fold {
    /// `\` is `/`.
    Backslash,
    /// Upper and lower case are the same.
    Case,
    /// `..` is walked.
    DotSegments,
    /// What is decoded is decoded again.
    DoubleDecoding,
    /// `//` is `/`.
    EmptySegments,
    /// `%5C` is `/`.
    EncodedBackslash,
    /// `%2e%2e` is walked.
    EncodedDots,
    /// `%2F` is `/`.
    EncodedSlash,
    /// A full-width slash is `/`.
    FullWidth,
    /// Overlong UTF-8 is decoded.
    Overlong,
    /// `;parameters` are dropped.
    Parameters,
    /// `..;` is walked.
    ParametersOnDots,
    /// `name::$DATA` is `name`.
    Stream,
    /// `name.` is `name`.
    TrailingDot,
    /// `name ` is `name`.
    TrailingSpace,
}

impl Fold {
    /// What it is, for people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Backslash => "a backslash separates",
            Self::Case => "upper and lower case are the same",
            Self::DotSegments => "dot segments are walked",
            Self::DoubleDecoding => "paths are decoded twice",
            Self::EmptySegments => "empty segments are dropped",
            Self::EncodedBackslash => "an encoded backslash separates",
            Self::EncodedDots => "encoded dot segments are walked",
            Self::EncodedSlash => "an encoded slash separates",
            Self::FullWidth => "a full-width slash separates",
            Self::Overlong => "overlong UTF-8 is decoded",
            Self::Parameters => "`;parameters` are dropped",
            Self::ParametersOnDots => "dot segments with `;` are walked",
            Self::Stream => "`::$DATA` is dropped",
            Self::TrailingDot => "a dot at the end of a name is dropped",
            Self::TrailingSpace => "a blank at the end of a name is dropped",
        }
    }
}

/// One spelling, and whether it led to the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// What is folded, if it did.
    pub fold: Fold,
    /// What was asked for.
    pub target: String,
    /// What came of it.
    pub answer: String,
    /// Whether that was the file.
    pub is_folded: bool,
}

/// What an upstream does with paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Echo {
    /// Every spelling that was tried.
    pub observations: Vec<Observation>,
    /// The dialect that covers it; `None`: none does.
    pub dialect: Option<Dialect>,
    /// Whether it takes segments as they are, so that `raw` would do.
    pub may_be_raw: bool,
}

/// Why nothing can be said about an upstream.
#[derive(Debug, thiserror::Error)]
pub enum EchoError {
    /// A canary file did not come back.
    #[error("`{0}` was answered with {1}, not with 200: name two files that are there")]
    Missing(String, String),
    /// Both files are the same, or everything is.
    #[error("`{0}` and `{1}` have the same answer: spellings could not be told apart")]
    Same(String, String),
    /// A path without a folder.
    #[error("`{0}` lies in no folder: name a file in one")]
    Shallow(String),
    /// Nobody answers.
    #[error("cannot connect to {0}")]
    Unreachable(String, #[source] io::Error),
}

/// Asks `upstream` for the first of two files in many spellings. They lie in different folders
/// and differ in content.
///
/// # Errors
///
/// [`EchoError`]: nothing can be concluded.
pub async fn listen(upstream: &Target, host: &str, files: [&str; 2]) -> Result<Echo, EchoError> {
    let ask = |target: String| async move {
        let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let outcome = http1::exchange(upstream, request.as_bytes()).await;
        outcome.map_err(|error| EchoError::Unreachable(upstream.address(), error))
    };
    let mut contents = Vec::new();
    for file in files {
        match ask(file.to_owned()).await? {
            Outcome::Answered { status: 200, body } => contents.push(body),
            outcome @ (Outcome::Answered { .. }
            | Outcome::Closed
            | Outcome::Reset(_)
            | Outcome::Silent) => {
                return Err(EchoError::Missing(file.to_owned(), told(&outcome)));
            }
        }
    }
    let [first, second] = files;
    let missing = ask(format!("{first}-missing")).await?;
    let is_first = |outcome: &Outcome| matches!(outcome, Outcome::Answered { status: 200, body } if Some(body) == contents.first());
    if contents.first() == contents.get(1) || is_first(&missing) {
        return Err(EchoError::Same(first.to_owned(), second.to_owned()));
    }
    let mut observations = Vec::new();
    for (fold, target) in spellings(first, second)? {
        let outcome = ask(target.clone()).await?;
        let (answer, is_folded) = (told(&outcome), is_first(&outcome));
        observations.push(Observation { fold, target, answer, is_folded });
    }
    let folds: Vec<_> =
        observations.iter().filter(|seen| seen.is_folded).map(|seen| seen.fold).collect();
    let (dialect, may_be_raw) = conclude(&folds);
    Ok(Echo { observations, dialect, may_be_raw })
}

fn told(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Answered { status, .. } => status.to_string(),
        Outcome::Closed => "closed".to_owned(),
        Outcome::Reset(how) => how.clone(),
        Outcome::Silent => "no answer".to_owned(),
    }
}

fn spellings(first: &str, second: &str) -> Result<Vec<(Fold, String)>, EchoError> {
    let shallow = |file: &str| EchoError::Shallow(file.to_owned());
    let (folder, name) = first.rsplit_once('/').ok_or_else(|| shallow(first))?;
    let (elsewhere, _) = second.rsplit_once('/').ok_or_else(|| shallow(second))?;
    if segments(folder.as_bytes()).next().is_none()
        || segments(elsewhere.as_bytes()).next().is_none()
    {
        return Err(shallow(if segments(folder.as_bytes()).next().is_none() {
            first
        } else {
            second
        }));
    }
    let depth = segments(elsewhere.as_bytes()).count();
    let around = |dots: &str| {
        let up = vec![dots; depth].join("/");
        format!("{elsewhere}/{up}{first}")
    };
    let (initial, rest) = name.split_at_checked(1).unwrap_or((name, ""));
    let code = initial.bytes().next().unwrap_or_default();
    let swapped = |text: &str| {
        let swap = |c: char| {
            if c.is_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }
        };
        text.chars().map(swap).collect::<String>()
    };
    let mut all = vec![
        (Fold::Backslash, format!("{folder}\\{name}")),
        (Fold::EncodedBackslash, format!("{folder}%5C{name}")),
        (Fold::EncodedSlash, format!("{folder}%2F{name}")),
        (Fold::DoubleDecoding, format!("{folder}/%25{code:02x}{rest}")),
        (Fold::DoubleDecoding, format!("{folder}%252F{name}")),
        (Fold::EmptySegments, format!("{folder}//{name}")),
        (Fold::DotSegments, around("..")),
        (Fold::DotSegments, format!("{folder}/./{name}")),
        (Fold::EncodedDots, around("%2e%2e")),
        (Fold::TrailingDot, format!("{first}.")),
        (Fold::TrailingDot, format!("{folder}./{name}")),
        (Fold::TrailingSpace, format!("{first}%20")),
        (Fold::Stream, format!("{first}::$DATA")),
        (Fold::Parameters, format!("{first};x=y")),
        (Fold::Parameters, format!("{folder};x=y/{name}")),
        (Fold::ParametersOnDots, around("..;")),
        (Fold::FullWidth, format!("{folder}%EF%BC%8F{name}")),
        (Fold::Overlong, format!("{folder}%C0%AF{name}")),
    ];
    for target in [format!("{folder}/{}", swapped(name)), swapped(first)] {
        if target != first {
            all.push((Fold::Case, target));
        }
    }
    Ok(all)
}

/// The dialect that refuses everything that is folded, and whether nothing is.
fn conclude(folds: &[Fold]) -> (Option<Dialect>, bool) {
    let any = |of: &[Fold]| of.iter().any(|fold| folds.contains(fold));
    let is_windows = any(&[Fold::Case, Fold::Stream, Fold::TrailingDot, Fold::TrailingSpace]);
    let is_tomcat = any(&[Fold::Parameters, Fold::ParametersOnDots]);
    let separates = any(&[
        Fold::Backslash,
        Fold::DoubleDecoding,
        Fold::EmptySegments,
        Fold::EncodedBackslash,
        Fold::EncodedSlash,
        Fold::FullWidth,
    ]);
    let dialect = match (is_windows, is_tomcat) {
        (true, true) => None,
        (true, false) => Some(Dialect::Windows),
        (false, true) => Some(Dialect::Tomcat),
        (false, false) => Some(Dialect::Posix),
    };
    (dialect, dialect == Some(Dialect::Posix) && !separates)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dialect_follows_from_what_is_folded() {
        for (folds, dialect, may_be_raw) in [
            (&[][..], Some(Dialect::Posix), true),
            (&[Fold::DotSegments, Fold::EncodedDots], Some(Dialect::Posix), true),
            (&[Fold::EmptySegments], Some(Dialect::Posix), false),
            (&[Fold::Backslash, Fold::Case], Some(Dialect::Windows), false),
            (&[Fold::TrailingDot], Some(Dialect::Windows), false),
            (&[Fold::Parameters, Fold::EmptySegments], Some(Dialect::Tomcat), false),
            (&[Fold::Parameters, Fold::Case], None, false),
        ] {
            assert_eq!(conclude(folds), (dialect, may_be_raw), "{folds:?}");
        }
    }

    #[test]
    fn every_fold_is_tried() {
        let all = spellings("/files/alice/one.txt", "/files/bob/two.txt").unwrap();

        let find = |fold| &all.iter().find(|(found, _)| *found == fold).unwrap().1;
        assert_eq!(find(Fold::DotSegments), "/files/bob/../../files/alice/one.txt");
        assert_eq!(find(Fold::DoubleDecoding), "/files/alice/%256fne.txt");
        assert_eq!(find(Fold::Case), "/files/alice/ONE.TXT");
        assert!(spellings("/one.txt", "/files/two.txt").is_err());
    }
}
