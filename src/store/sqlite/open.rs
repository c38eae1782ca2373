//! Opening the file: made on start, readable by its owner alone, never made again while running.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::super::{OpenError, migrations};

/// Marks the file as ours.
const APPLICATION_ID: i32 = 0x6477_6172; // "dwar"

/// Opens the file, makes it where there is none, and brings its tables up to date.
pub(super) fn create(path: &Path, timeout: Duration) -> Result<Connection, OpenError> {
    create_file(path).map_err(|source| OpenError::File { path: path.to_owned(), source })?;
    let mut connection = connect(path, timeout).map_err(|error| unusable(path, error))?;
    let id = connection
        .query_row("PRAGMA application_id", [], |row| row.get::<_, i32>(0))
        .map_err(|error| unusable(path, error))?;
    if id != APPLICATION_ID && !is_blank(&connection).map_err(|error| unusable(path, error))? {
        let source = io::Error::new(io::ErrorKind::InvalidData, "this is another program's file");
        return Err(OpenError::File { path: path.to_owned(), source });
    }
    // First of all: whoever is killed before there are tables leaves a file that is ours.
    connection
        .pragma_update(None, "application_id", APPLICATION_ID)
        .map_err(|error| unusable(path, error))?;
    // Another process may have made the same step meanwhile: one that is being killed, say.
    if migrate(&mut connection).is_err() {
        migrate(&mut connection)?;
    }
    Ok(connection)
}

/// Opens the file again. Where it has gone, an empty one in its place would have forgotten every
/// revocation; so none is made.
pub(super) fn connect(path: &Path, timeout: Duration) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(timeout)?;
    // One writes, and everything it has acknowledged is on the disk.
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "journal_size_limit", 16 * 1024 * 1024)?;
    connection.pragma_update(None, "secure_delete", "fast")?;
    connection.pragma_update(None, "temp_store", "memory")?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

fn unusable(path: &Path, error: rusqlite::Error) -> OpenError {
    OpenError::File { path: path.to_owned(), source: io::Error::other(error) }
}

/// Makes the file with its mode, so that it is never readable by others, not even at first; what
/// SQLite puts beside it takes the same mode.
fn create_file(path: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(file) => {
            file.sync_all()?;
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let mode = std::fs::metadata(path)?.mode();
            if mode & 0o077 != 0 {
                tracing::warn!(
                    file.path = %path.display(),
                    "The store is not for its owner alone: chmod 600 {}",
                    path.display()
                );
            }
            Ok(())
        }
        Err(error) => Err(error),
    }
}

fn is_blank(connection: &Connection) -> rusqlite::Result<bool> {
    let tables = "SELECT count(*) FROM sqlite_schema WHERE name <> 'refinery_schema_history'";
    connection.query_row(tables, [], |row| row.get::<_, i64>(0)).map(|count| count == 0)
}

/// Brings the tables up to date in one transaction, with the record of it.
fn migrate(connection: &mut Connection) -> Result<(), OpenError> {
    let runner = migrations::for_sqlite();
    runner.run(connection).map(drop).map_err(|error| migrations::refused(&runner, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(1);

    #[test]
    fn the_file_is_its_owners_alone_and_so_is_what_lies_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("doorward.db");

        let connection = create(&path, TIMEOUT).unwrap();

        connection.execute("INSERT INTO probe VALUES (1, 1)", []).unwrap();
        for name in ["doorward.db", "doorward.db-wal", "doorward.db-shm"] {
            let mode = std::fs::metadata(directory.path().join(name)).unwrap().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
    }

    #[test]
    fn what_is_acknowledged_is_on_the_disk() {
        let directory = tempfile::tempdir().unwrap();

        let connection = create(&directory.path().join("doorward.db"), TIMEOUT).unwrap();

        let pragma = |name: &str| {
            let query = format!("PRAGMA {name}");
            connection.query_row(&query, [], |row| row.get::<_, rusqlite::types::Value>(0)).unwrap()
        };
        assert_eq!(pragma("journal_mode"), "wal".to_owned().into());
        assert_eq!(pragma("synchronous"), 2.into());
        assert_eq!(pragma("foreign_keys"), 1.into());
    }

    #[test]
    fn tables_stand_only_together_with_the_record_of_them() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("doorward.db");
        let raw = Connection::open(&path).unwrap();
        raw.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
        raw.execute_batch(
            "CREATE TABLE refinery_schema_history(version INT4 PRIMARY KEY, name VARCHAR(255), \
             applied_on VARCHAR(255), checksum VARCHAR(255) CHECK (false))",
        )
        .unwrap();

        let refused = create(&path, TIMEOUT);

        assert!(matches!(refused, Err(OpenError::Migration(_))), "{refused:?}");
        let tables = "SELECT count(*) FROM sqlite_schema WHERE name = 'api_keys'";
        assert_eq!(raw.query_row(tables, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
        raw.execute("DROP TABLE refinery_schema_history", []).unwrap();
        create(&path, TIMEOUT).unwrap();
    }

    #[test]
    fn a_file_that_a_newer_version_has_written_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("doorward.db");
        let newer = "INSERT INTO refinery_schema_history VALUES \
                     (7, 'what_comes', '2030-01-01T00:00:00Z', '1')";
        create(&path, TIMEOUT).unwrap().execute(newer, []).unwrap();

        let refused = create(&path, TIMEOUT);

        assert!(matches!(refused, Err(OpenError::Newer { found: 7, known: 1 })), "{refused:?}");
    }

    #[test]
    fn a_file_that_is_something_else_is_refused_and_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("text.db");
        std::fs::write(&path, "no database, but long enough to be taken for one".repeat(20))
            .unwrap();
        let before = std::fs::read(&path).unwrap();
        let other = directory.path().join("other.db");
        Connection::open(&other).unwrap().execute("CREATE TABLE notes (a)", []).unwrap();

        assert!(matches!(create(&path, TIMEOUT), Err(OpenError::File { .. })));
        assert!(matches!(create(&other, TIMEOUT), Err(OpenError::File { .. })));

        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    #[test]
    fn a_file_that_has_gone_is_not_made_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("doorward.db");

        assert!(connect(&path, TIMEOUT).is_err());

        assert!(!path.exists());
    }
}
