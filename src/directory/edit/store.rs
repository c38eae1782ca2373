//! The replacement of a file in one step.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::EditError;
use crate::directory::file;

/// Replaces the file's text by what `change` makes of it.
pub(super) fn replace(
    path: &Path,
    may_be_missing: bool,
    change: impl FnOnce(&str) -> Result<String, EditError>,
) -> Result<(), EditError> {
    // A link stays a link: what it points to is replaced.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    let _lock = lock(&folder);
    let before = match file::read(&target) {
        Ok(file) => Some(file.text),
        Err(error) if may_be_missing && error.is_missing() => None,
        Err(error) => return Err(error.into()),
    };
    let text = before.as_ref().map_or("", |text| text.as_str());
    let changed = change(text)?;
    if changed == text && before.is_some() {
        return Ok(());
    }
    let unwritable = |source| EditError::Unwritable { file: path.to_owned(), source };
    let new = write(&folder, &target, changed.as_bytes()).map_err(unwritable)?;
    // An editor that knows nothing of the lock may have saved meanwhile.
    let now = file::read(&target).ok().map(|file| file.text);
    if now.as_ref().map(|text| text.as_str()) != before.as_ref().map(|text| text.as_str()) {
        return Err(EditError::Changed(path.to_owned()));
    }
    if before.is_some() {
        new.persist(&target).map_err(|error| unwritable(error.error))?;
    } else {
        new.persist_noclobber(&target).map_err(|error| unwritable(error.error))?;
    }
    // The rename itself must survive a power cut; not every file system knows how.
    let _ = File::open(&folder).and_then(|folder| folder.sync_all());
    Ok(())
}

/// Two of our own edits in one folder wait for each other, where the system can do that.
fn lock(folder: &Path) -> Option<File> {
    let folder = File::open(folder).ok()?;
    folder.lock().ok()?;
    Some(folder)
}

/// A file beside the old one, for nobody else to read until it has the old one's mode.
fn write(folder: &Path, old: &Path, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let mut new = tempfile::Builder::new().prefix(".doorward-").tempfile_in(folder)?;
    new.write_all(bytes)?;
    if let Ok(metadata) = fs::metadata(old) {
        keep_owner(new.as_file(), &metadata);
        new.as_file().set_permissions(metadata.permissions())?;
    }
    new.as_file().sync_all()?;
    Ok(new)
}

/// Only root may give a file away; a group is given by those who are in it.
#[cfg(unix)]
fn keep_owner(new: &File, old: &fs::Metadata) {
    use std::os::unix::fs::{MetadataExt as _, fchown};
    if fchown(new, Some(old.uid()), Some(old.gid())).is_err() {
        let _ = fchown(new, None, Some(old.gid()));
    }
}

#[cfg(not(unix))]
fn keep_owner(_new: &File, _old: &fs::Metadata) {}
