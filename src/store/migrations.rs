//! How the tables came to be what they are. A migration that was released is never changed.

use refinery::error::Kind;
use refinery::{Error, Runner};

use super::OpenError;

mod sqlite {
    refinery::embed_migrations!("src/store/migrations/sqlite");
}

#[cfg(feature = "postgres")]
mod postgres {
    refinery::embed_migrations!("src/store/migrations/postgres");
}

/// For SQLite. In one transaction: by itself each step and the record of it have one each, and who
/// is killed between the two leaves tables that no later start can make sense of.
pub(super) fn for_sqlite() -> Runner {
    sqlite::migrations::runner().set_grouped(true)
}

/// For PostgreSQL, in one transaction as well.
#[cfg(feature = "postgres")]
pub(super) fn for_postgres() -> Runner {
    postgres::migrations::runner().set_grouped(true)
}

/// Why `runner` could not bring the tables up to date.
pub(super) fn refused(runner: &Runner, error: Error) -> OpenError {
    let versions = runner.get_migrations().iter().map(|step| i64::from(step.version()));
    let known = versions.max().unwrap_or_default();
    if let Kind::MissingVersion(step) = error.kind()
        && i64::from(step.version()) > known
    {
        return OpenError::Newer { found: i64::from(step.version()), known };
    }
    OpenError::Migration(Box::new(error))
}

#[cfg(all(test, feature = "postgres"))]
mod tests {
    use super::*;

    #[test]
    fn both_databases_have_the_same_steps() {
        let names = |runner: Runner| {
            runner.get_migrations().iter().map(ToString::to_string).collect::<Vec<_>>()
        };

        assert_eq!(names(for_sqlite()), names(for_postgres()));
    }
}
