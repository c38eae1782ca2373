//! What the files of a configuration look like from outside, so that a change is told from an
//! event that changes nothing (a log written beside them, an editor's backup).

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// The outside of every file that matters, links followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint(Vec<(PathBuf, Option<Stamp>)>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Fingerprint {
    /// Looks at every file; of a folder, at what is in it.
    #[must_use]
    pub fn of<'p>(paths: impl IntoIterator<Item = &'p Path>) -> Self {
        let mut seen = Vec::new();
        for path in paths {
            let stamp = stamp(path);
            if let Ok(entries) = fs::read_dir(path) {
                let mut inside: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
                inside.sort();
                seen.push((path.to_owned(), None));
                seen.extend(inside.into_iter().map(|path| {
                    let stamp = self::stamp(&path);
                    (path, stamp)
                }));
            } else {
                seen.push((path.to_owned(), stamp));
            }
        }
        Self(seen)
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = fs::metadata(path).ok()?;
    Some(Stamp {
        device: metadata.dev(),
        inode: metadata.ino(),
        size: metadata.size(),
        modified: (metadata.mtime(), metadata.mtime_nsec()),
        changed: (metadata.ctime(), metadata.ctime_nsec()),
    })
}

/// The folders that must be watched for a path to be seen changing: its own, and that of every
/// link on the way to what it really is. A watch on a file dies with the first rename, and sees
/// nothing of a link that is turned round.
#[must_use]
pub fn folders<'p>(paths: impl IntoIterator<Item = &'p Path>) -> BTreeSet<PathBuf> {
    const MAX_LINKS: usize = 16;
    let mut folders = BTreeSet::new();
    for path in paths {
        let mut pending = vec![std::path::absolute(path).unwrap_or_else(|_| path.to_owned())];
        let mut links = 0;
        while let Some(path) = pending.pop() {
            if path.is_dir() {
                folders.insert(path.clone());
            }
            // A link may stand anywhere on the way, as in `..data/users.yaml`.
            for part in path.ancestors() {
                let Some(parent) = part.parent() else { continue };
                let Ok(target) = fs::read_link(part) else { continue };
                folders.insert(parent.to_owned());
                links += 1;
                if links > MAX_LINKS {
                    break;
                }
                let rest = path.strip_prefix(part).unwrap_or(Path::new(""));
                pending.push(parent.join(target).join(rest));
            }
            if let Some(parent) = path.parent() {
                folders.insert(parent.to_owned());
            }
        }
    }
    folders.retain(|folder| folder.is_dir());
    folders
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn every_link_on_the_way_to_a_file_is_watched() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        fs::create_dir(root.join("..v1")).unwrap();
        fs::write(root.join("..v1/users.yaml"), "").unwrap();
        symlink("..v1", root.join("..data")).unwrap();
        symlink("..data/users.yaml", root.join("users.yaml")).unwrap();

        let folders = folders([root.join("users.yaml").as_path()]);

        assert!(folders.contains(&root));
        assert!(folders.contains(&root.join("..v1")));
    }

    #[test]
    fn a_link_that_leads_to_itself_is_given_up() {
        let root = tempfile::tempdir().unwrap();
        symlink("loop", root.path().join("loop")).unwrap();

        assert!(!folders([root.path().join("loop").as_path()]).is_empty());
    }
}
