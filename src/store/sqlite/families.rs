//! Families of refresh tokens.

use rusqlite::{Connection, OptionalExtension as _, Params, Row, params};

use super::super::record::{Family, Found, Hash, Rotation, signed, unsigned};
use super::super::{MAX_FAMILIES, MAX_ROTATIONS, StoreError, sql};
use super::standing::revoke_row;
use super::writer::Outcome;
use super::{away, conflict};
use crate::identity::standing::{Change, Revocation, Revoked};

pub(super) fn begin(connection: &Connection, family: &Family, token: &Hash) -> Outcome<()> {
    connection
        .prepare_cached(sql::BEGIN_FAMILY)
        .and_then(|mut begin| {
            begin.execute(params![
                family.id,
                family.user,
                family.key,
                signed(family.began_at),
                signed(family.expires_at),
                signed(family.tokens_until),
                family.details,
                token,
            ])
        })
        .map_err(conflict)?;
    connection
        .prepare_cached(sql::TRIM_FAMILIES)
        .and_then(|mut trim| trim.execute(params![family.user, MAX_FAMILIES]))
        .map_err(away)?;
    Ok(((), Vec::new()))
}

pub(super) fn rotate(
    connection: &Connection,
    old: &Hash,
    new: &Hash,
    now: u64,
) -> Outcome<Rotation> {
    let rotated = connection
        .prepare_cached(
            "UPDATE families SET current_hash = $1, rotations = rotations + 1 \
             WHERE current_hash = $2 AND expires_at > $3 AND rotations < $4 \
             RETURNING id, user_name, api_key, began_at, expires_at, tokens_until, details",
        )
        .and_then(|mut rotate| {
            rotate.query_row(params![new, old, signed(now), MAX_ROTATIONS], family).optional()
        })
        .map_err(conflict)?;
    if let Some(family) = rotated {
        connection
            .prepare_cached("INSERT INTO spent_tokens (hash, family) VALUES ($1, $2)")
            .and_then(|mut spend| spend.execute(params![old, family.id]))
            .map_err(conflict)?;
        return Ok((Rotation::Rotated(family), Vec::new()));
    }
    let (mut reused, changes) = end(
        connection,
        "DELETE FROM families WHERE id = (SELECT family FROM spent_tokens WHERE hash = $1) \
         RETURNING id, user_name, api_key, began_at, expires_at, tokens_until, details",
        [old],
    )?;
    if let Some(family) = reused.pop() {
        return Ok((Rotation::Reused(family), changes));
    }
    let is_current = connection
        .prepare_cached(sql::IS_CURRENT)
        .and_then(|mut find| find.query_one([old], |row| row.get::<_, i64>(0)))
        .map_err(away)?;
    Ok((if is_current > 0 { Rotation::Expired } else { Rotation::Unknown }, changes))
}

pub(super) fn of(connection: &Connection, token: &Hash, now: u64) -> Outcome<Option<Found>> {
    for (statement, is_current) in [(sql::FAMILY_BY_CURRENT, true), (sql::FAMILY_BY_SPENT, false)] {
        let found = connection
            .prepare_cached(statement)
            .and_then(|mut find| find.query_row(params![token, signed(now)], family).optional())
            .map_err(away)?;
        if let Some(family) = found {
            return Ok((Some(Found { family, is_current }), Vec::new()));
        }
    }
    Ok((None, Vec::new()))
}

pub(super) fn all(connection: &Connection, user: Option<&str>, now: u64) -> Outcome<Vec<Family>> {
    let now = signed(now);
    let found = match user {
        Some(user) => families(connection, sql::FAMILIES_OF, params![now, user]),
        None => families(connection, sql::FAMILIES, [now]),
    };
    Ok((found?, Vec::new()))
}

/// Ends the families whose `column` is `value`, and revokes their access tokens.
pub(super) fn end_families(
    connection: &Connection,
    column: &'static str,
    value: &str,
) -> Result<Vec<Change>, StoreError> {
    let statement = format!(
        "DELETE FROM families WHERE {column} = $1 \
         RETURNING id, user_name, api_key, began_at, expires_at, tokens_until, details"
    );
    end(connection, &statement, [value]).map(|(_, changes)| changes)
}

fn end(
    connection: &Connection,
    statement: &str,
    parameters: impl Params,
) -> Result<(Vec<Family>, Vec<Change>), StoreError> {
    let ended = families(connection, statement, parameters)?;
    let mut changes = Vec::with_capacity(ended.len());
    for family in &ended {
        let what = Revoked::Family(family.id.clone());
        let revocation = Revocation { what, until: family.tokens_until };
        revoke_row(connection, &revocation)?;
        changes.push(Change::Revoked(revocation));
    }
    Ok((ended, changes))
}

fn families(
    connection: &Connection,
    statement: &str,
    parameters: impl Params,
) -> Result<Vec<Family>, StoreError> {
    let mut find = connection.prepare_cached(statement).map_err(away)?;
    let found = find.query_map(parameters, family).map_err(away)?;
    found.collect::<rusqlite::Result<_>>().map_err(away)
}

fn family(row: &Row<'_>) -> rusqlite::Result<Family> {
    Ok(Family {
        id: row.get(0)?,
        user: row.get(1)?,
        key: row.get(2)?,
        began_at: row.get(3).map(unsigned)?,
        expires_at: row.get(4).map(unsigned)?,
        tokens_until: row.get(5).map(unsigned)?,
        details: row.get(6)?,
    })
}
