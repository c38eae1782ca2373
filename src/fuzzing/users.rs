//! Files of users in each format: read whole or refused with a place, every user under a name of
//! their own, every home canonical, and no hash in what is said about it.
//!
//! An input is the file.

use std::collections::HashSet;
use std::path::PathBuf;

use super::Oracle;
use crate::directory::{Directory, DirectoryError, DirectorySettings, Format, Warning, of_text};
use crate::password::Limits;
use crate::resource::{CanonicalPath, PathPrefix};
use crate::user::{Roles, check_name};

pub(super) fn oracle(format: Format) -> Oracle {
    Box::new(move |input| {
        let Ok(text) = std::str::from_utf8(input) else { return };
        match read(text, format) {
            Ok((directory, warnings)) => {
                ask_users(&directory);
                assert!(warnings.len() < 64, "{} warnings", warnings.len());
                let said: Vec<_> = warnings.iter().map(ToString::to_string).collect();
                ask_said(text, format, &said.join("\n"));
            }
            Err(error) => {
                ask_place(text, &error);
                ask_said(text, format, &error.to_string());
            }
        }
    })
}

/// Reads a file as the gateway does when it loads one.
pub(super) fn read(
    text: &str,
    format: Format,
) -> Result<(Directory, Vec<Warning>), DirectoryError> {
    let settings = DirectorySettings {
        name: "users".into(),
        file: PathBuf::from("users"),
        format,
        default_home: Some("/{name}".into()),
        default_roles: Vec::new(),
    };
    of_text(&settings, text, true, &Roles::default(), (Limits::default(), None))
}

fn ask_users(directory: &Directory) {
    let mut names = HashSet::new();
    for user in directory.users() {
        assert!(names.insert(&*user.name), "{} stands twice", user.name);
        assert_eq!(check_name(&user.name), Ok(()));
        let found = directory.get(&user.name);
        assert!(found.is_some_and(|found| std::sync::Arc::ptr_eq(found, user)));
        let Some(home) = &user.home else { continue };
        assert_eq!(home.to_string().parse::<PathPrefix>().as_ref(), Ok(home));
        let path = CanonicalPath::parse(&home.to_string()).map(CanonicalPath::into_owned);
        assert!(path.is_ok_and(|path| home.covers(&path)), "{home}");
    }
    assert_eq!(names.len(), directory.len());
}

fn ask_place(text: &str, error: &DirectoryError) {
    if let DirectoryError::Invalid { place: Some((line, column)), .. } = error {
        let lines = text.split('\n').count();
        assert!((1..=lines + 1).contains(line) && *column > 0, "{line}:{column}");
    }
}

/// What stands behind a name in htpasswd is a hash, and stays unsaid.
fn ask_said(text: &str, format: Format, said: &str) {
    if format != Format::Htpasswd {
        return;
    }
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let Some((_, hash)) = line.split_once(':') else { continue };
        let hash = hash.trim();
        // With a blank in it, it may be words of ours by chance.
        let is_telling = hash.len() >= 16 && !hash.contains(' ') && text.matches(hash).count() == 1;
        assert!(!is_telling || !said.contains(hash), "{said}");
    }
}
