//! Edits of files of users: whatever the file, an edit that is made changes what was meant, and
//! nothing else; comments stay, and who is not meant is who they were.
//!
//! An input is a line that names format and change (`yaml disable`), and the file.

use super::headed;
use super::users::read;
use crate::directory::edit::{Change, NewUser, Update, rewrite};
use crate::directory::{Directory, Format};
use crate::resource::PathPrefix;

const HASH: &str = "$2y$04$abcdefghijklmnopqrstuuL7hC0l7vXQHNn6cmOlkYVhE7zJ8cYxe";

pub(super) fn ask(input: &[u8]) {
    let (head, rest) = headed(input);
    let (Ok(head), Ok(text)) = (std::str::from_utf8(head), std::str::from_utf8(rest)) else {
        return;
    };
    let (format, change) = head.split_once(' ').unwrap_or((head, ""));
    let Ok(format) = format.parse::<Format>() else { return };
    let Ok((before, _)) = read(text, format) else { return };
    // One in the middle, if there are so many.
    let Some(user) = before.users().nth(before.len() / 2) else { return };
    let Some(change) = change_of(change, &user.name) else { return };
    let Ok(changed) = rewrite(text, format, &change) else { return };
    let after = read(&changed, format).map(|(directory, _)| directory);
    let after = after.as_ref().map_err(ToString::to_string);
    assert!(after.is_ok(), "cannot be read any more: {after:?}");
    let Ok(after) = after else { return };
    ask_others(&before, after, &change);
    ask_meant(after, &change);
    if matches!(change, Change::Add(_)) {
        assert!(is_within(text.trim_end(), &changed), "an addition that takes away");
    }
    if has_plain_comments(text, format) && !matches!(change, Change::Remove(_)) {
        assert_eq!(comments(text), comments(&changed));
    }
}

fn change_of(name: &str, user: &str) -> Option<Change> {
    let user = user.to_owned();
    Some(match name {
        "add" => Change::Add(NewUser {
            name: "zoe of nowhere".into(),
            hash: Some(HASH.into()),
            ..NewUser::default()
        }),
        "add-all" => Change::Add(NewUser {
            name: "zoe: \"of\" #nowhere".into(),
            roles: vec!["dev".into()],
            home: Some("/zoe".into()),
            email: Some("zoe@example.org".into()),
            disabled: true,
            attributes: [("a b".into(), "c: d".into())].into(),
            ..NewUser::default()
        }),
        "disable" => Change::Disable(user),
        "enable" => Change::Enable(user),
        "remove" => Change::Remove(user),
        "password" => Change::SetPassword { name: user, hash: HASH.into() },
        "role" => Change::SetRole { name: "dev".into(), grants: vec!["files:read".into()] },
        "no-role" => Change::RemoveRole("dev".into()),
        "update" => Change::Update(Update {
            name: user,
            roles: Some(vec!["ops".into(), "dev".into()]),
            home: Some("/elsewhere".into()),
            email: Some(String::new()),
            ..Update::default()
        }),
        _ => return None,
    })
}

/// Whom a change means.
fn meant(change: &Change) -> Option<&str> {
    match change {
        Change::Add(new) => Some(&new.name),
        Change::Disable(name)
        | Change::Enable(name)
        | Change::Remove(name)
        | Change::SetPassword { name, .. } => Some(name),
        Change::Update(update) => Some(&update.name),
        Change::SetRole { .. } | Change::RemoveRole(_) => None,
    }
}

fn ask_others(before: &Directory, after: &Directory, change: &Change) {
    let meant = meant(change);
    let others = |directory: &Directory| -> Vec<String> {
        let users = directory.users().filter(|user| Some(&*user.name) != meant);
        // What a role may do is said of each who has it.
        let is_of_roles = matches!(change, Change::SetRole { .. } | Change::RemoveRole(_));
        let told = users.map(|user| {
            if is_of_roles {
                format!("{} {:?} {:?} {}", user.name, user.home, user.roles, user.disabled)
            } else {
                format!("{user:?}")
            }
        });
        told.collect()
    };
    assert_eq!(others(before), others(after), "somebody else changed");
}

fn ask_meant(after: &Directory, change: &Change) {
    let user = meant(change).and_then(|name| after.get(name));
    match change {
        Change::Add(new) => assert!(user.is_some_and(|user| user.disabled == new.disabled)),
        Change::Disable(_) => assert!(user.is_some_and(|user| user.disabled)),
        Change::Remove(_) => assert!(user.is_none()),
        Change::SetPassword { .. } => assert!(user.is_some_and(|user| user.password.is_some())),
        Change::Update(_) => {
            let home = user.and_then(|user| user.home.as_ref());
            assert_eq!(home.map(PathPrefix::as_str), Some("/elsewhere"));
        }
        Change::SetRole { name, .. } => assert!(after.roles().get(name).is_some()),
        Change::RemoveRole(name) => assert!(after.roles().get(name).is_none()),
        Change::Enable(_) => assert!(user.is_some()), // a damaged hash disables all the same
    }
}

/// Whether all characters of one text stand in another, in order.
fn is_within(part: &str, whole: &str) -> bool {
    let mut whole = whole.chars();
    part.chars().all(|character| whole.any(|other| other == character))
}

/// Whether a line that begins with `#` can be nothing but a comment.
fn has_plain_comments(text: &str, format: Format) -> bool {
    match format {
        Format::Json => false,
        Format::Toml => !text.contains("\"\"\"") && !text.contains("'''"),
        Format::Htpasswd => true,
        Format::Yaml => !text.contains(['|', '>', '"', '\'']),
    }
}

fn comments(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).filter(|line| line.starts_with('#')).collect()
}
