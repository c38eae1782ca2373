//! Second factors, and the challenges for them.

use rusqlite::{Connection, OptionalExtension as _, Params, params};

use super::super::record::{Challenge, Hash, Totp, signed, unsigned};
use super::super::{MAX_CHALLENGES, StoreError, sql};
use super::writer::Outcome;
use super::{away, conflict};
use crate::identity::standing::Change;

pub(super) fn totp(connection: &Connection, user: &str, now: u64) -> Outcome<Option<Totp>> {
    let found = connection
        .prepare_cached(sql::TOTP)
        .and_then(|mut find| {
            let read = |row: &rusqlite::Row<'_>| {
                Ok(Totp {
                    sealed: row.get(0)?,
                    is_confirmed: row.get::<_, Option<i64>>(1)?.is_none(),
                    last_step: row.get(2).map(unsigned)?,
                    recovery_codes: row.get(3).map(unsigned)?,
                })
            };
            find.query_row(params![user, signed(now)], read).optional()
        })
        .map_err(away)?;
    Ok((found, Vec::new()))
}

pub(super) fn put_totp(
    connection: &Connection,
    user: &str,
    sealed: &[u8],
    until: u64,
) -> Outcome<()> {
    match execute(connection, sql::PUT_TOTP, params![user, sealed, signed(until)])? {
        0 => Err(StoreError::Conflict),
        _ => Ok(((), Vec::new())),
    }
}

pub(super) fn confirm_totp(
    connection: &Connection,
    user: &str,
    sealed: &[u8],
    step: u64,
    recovery_codes: &[Hash],
) -> Outcome<bool> {
    let confirmed = execute(
        connection,
        "UPDATE totp SET pending_until = NULL, last_step = $1 \
         WHERE user_name = $2 AND sealed = $3 AND pending_until IS NOT NULL",
        params![signed(step), user, sealed],
    )?;
    if confirmed == 0 {
        return Ok((false, Vec::new()));
    }
    put_recovery_codes(connection, user, recovery_codes)?;
    Ok((true, vec![Change::SecondFactor { user: user.into(), enrolled: true }]))
}

pub(super) fn delete_totp(connection: &Connection, user: &str) -> Outcome<bool> {
    let deleted = execute(connection, "DELETE FROM totp WHERE user_name = $1", [user])? > 0;
    let change = Change::SecondFactor { user: user.into(), enrolled: false };
    Ok((deleted, if deleted { vec![change] } else { Vec::new() }))
}

pub(super) fn use_totp_step(connection: &Connection, user: &str, step: u64) -> Outcome<bool> {
    let changed = execute(connection, sql::USE_TOTP_STEP, params![signed(step), user])?;
    Ok((changed > 0, Vec::new()))
}

pub(super) fn use_recovery_code(connection: &Connection, user: &str, code: &Hash) -> Outcome<bool> {
    let changed = execute(connection, sql::USE_RECOVERY_CODE, params![user, code])?;
    Ok((changed > 0, Vec::new()))
}

pub(super) fn replace_recovery_codes(
    connection: &Connection,
    user: &str,
    codes: &[Hash],
) -> Outcome<bool> {
    let confirmed = connection
        .prepare_cached("SELECT count(*) FROM totp WHERE user_name = $1 AND pending_until IS NULL")
        .and_then(|mut find| find.query_one([user], |row| row.get::<_, i64>(0)))
        .map_err(away)?;
    if confirmed == 0 {
        return Ok((false, Vec::new()));
    }
    put_recovery_codes(connection, user, codes)?;
    Ok((true, Vec::new()))
}

fn put_recovery_codes(
    connection: &Connection,
    user: &str,
    codes: &[Hash],
) -> Result<(), StoreError> {
    execute(connection, "DELETE FROM recovery_codes WHERE user_name = $1", [user])?;
    for code in codes {
        let put = "INSERT INTO recovery_codes (user_name, hash) VALUES ($1, $2) \
                   ON CONFLICT DO NOTHING";
        execute(connection, put, params![user, code])?;
    }
    Ok(())
}

pub(super) fn put_challenge(connection: &Connection, challenge: &Challenge) -> Outcome<()> {
    connection
        .prepare_cached(sql::PUT_CHALLENGE)
        .and_then(|mut put| {
            put.execute(params![
                challenge.id,
                challenge.user,
                challenge.tries,
                signed(challenge.expires_at),
                challenge.details,
            ])
        })
        .map_err(conflict)?;
    execute(connection, sql::TRIM_CHALLENGES, params![challenge.user, MAX_CHALLENGES])?;
    Ok(((), Vec::new()))
}

pub(super) fn try_challenge(
    connection: &Connection,
    id: &Hash,
    now: u64,
) -> Outcome<Option<Challenge>> {
    let tried = connection
        .prepare_cached(sql::TRY_CHALLENGE)
        .and_then(|mut try_once| {
            let read = |row: &rusqlite::Row<'_>| {
                Ok(Challenge {
                    id: *id,
                    user: row.get(0)?,
                    tries: row.get(1)?,
                    expires_at: row.get(2).map(unsigned)?,
                    details: row.get(3)?,
                })
            };
            try_once.query_row(params![id, signed(now)], read).optional()
        })
        .map_err(away)?;
    Ok((tried, Vec::new()))
}

pub(super) fn end_challenge(connection: &Connection, id: &Hash) -> Outcome<bool> {
    Ok((execute(connection, sql::END_CHALLENGE, [id])? > 0, Vec::new()))
}

fn execute(
    connection: &Connection,
    statement: &str,
    parameters: impl Params,
) -> Result<usize, StoreError> {
    let done = connection.prepare_cached(statement).and_then(|mut run| run.execute(parameters));
    done.map_err(away)
}
