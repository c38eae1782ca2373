//! What the workers are to know, and revocations.

use std::sync::Arc;

use rusqlite::{Connection, params};

use super::super::record::{revocation, revocation_row, signed};
use super::super::{StoreError, sql};
use super::families::end_families;
use super::writer::Outcome;
use super::{away, keys};
use crate::identity::standing::{Change, Revocation, Revoked};

pub(super) fn revoke(connection: &Connection, revocation: Revocation) -> Outcome<()> {
    let mut changes = match &revocation.what {
        Revoked::Family(id) => end_families(connection, "id", id)?,
        Revoked::Token(_) => Vec::new(),
        Revoked::User { name, .. } => end_families(connection, "user_name", name)?,
    };
    revoke_row(connection, &revocation)?;
    changes.push(Change::Revoked(revocation));
    Ok(((), changes))
}

pub(super) fn revoke_row(
    connection: &Connection,
    revocation: &Revocation,
) -> Result<(), StoreError> {
    let (kind, subject, since_ms) = revocation_row(&revocation.what);
    connection
        .prepare_cached(
            "INSERT INTO revocations (kind, subject, since_ms, until) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (kind, subject) DO UPDATE SET \
             since_ms = max(excluded.since_ms, since_ms), until = max(excluded.until, until)",
        )
        .and_then(|mut put| put.execute(params![kind, subject, since_ms, signed(revocation.until)]))
        .map_err(away)?;
    Ok(())
}

/// All that the workers are to know.
pub(super) fn all(connection: &Connection, now: u64) -> Result<Vec<Change>, StoreError> {
    let keys = keys::all(connection, None, now)?;
    let mut all = keys.into_iter().map(|key| Change::Key(Arc::new(key))).collect::<Vec<_>>();
    let mut find = connection.prepare_cached(sql::REVOCATIONS).map_err(away)?;
    let rows = find
        .query_map([signed(now)], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .map_err(away)?;
    for row in rows {
        let (kind, subject, since_ms, until) = row.map_err(away)?;
        all.push(Change::Revoked(revocation(kind, subject, since_ms, until)?));
    }
    let mut find = connection.prepare_cached(sql::ENROLLED).map_err(away)?;
    let users = find.query_map([], |row| row.get(0)).map_err(away)?;
    for user in users {
        all.push(Change::SecondFactor { user: user.map_err(away)?, enrolled: true });
    }
    Ok(all)
}
