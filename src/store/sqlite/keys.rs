//! API keys.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Params, Row, params};

use super::super::record::{Hash, signed};
use super::super::{MAX_KEYS, StoreError, sql};
use super::families::end_families;
use super::writer::Outcome;
use super::{away, conflict};
use crate::api_key::ApiKey;
use crate::identity::standing::Change;

pub(super) fn put(connection: &Connection, key: ApiKey, record: &str) -> Outcome<()> {
    let count = connection
        .prepare_cached(sql::COUNT_KEYS)
        .and_then(|mut count| count.query_one([&*key.owner], |row| row.get::<_, i64>(0)))
        .map_err(away)?;
    if count >= i64::from(MAX_KEYS) {
        return Err(StoreError::Full);
    }
    let expires_at = key.expires_at.map(signed);
    connection
        .prepare_cached(sql::PUT_KEY)
        .and_then(|mut put| {
            let created_at = signed(key.created_at);
            put.execute(params![key.id, key.hash, key.owner, created_at, expires_at, record])
        })
        .map_err(conflict)?;
    Ok(((), vec![Change::Key(Arc::new(key))]))
}

pub(super) fn end(connection: &Connection, id: &str) -> Outcome<bool> {
    let ended = connection
        .prepare_cached("DELETE FROM api_keys WHERE id = $1")
        .and_then(|mut end| end.execute([id]))
        .map_err(away)?;
    let mut changes = end_families(connection, "api_key", id)?;
    if ended > 0 {
        changes.push(Change::KeyEnded(id.into()));
    }
    Ok((ended > 0, changes))
}

pub(super) fn all(
    connection: &Connection,
    owner: Option<&str>,
    now: u64,
) -> Result<Vec<ApiKey>, StoreError> {
    let now = signed(now);
    let records = match owner {
        Some(owner) => records(connection, sql::KEYS_OF, params![now, owner]),
        None => records(connection, sql::KEYS, [now]),
    };
    Ok(records?.iter().filter_map(|record| super::super::record::readable_key(record)).collect())
}

pub(super) fn by_hash(connection: &Connection, hash: &Hash) -> Outcome<Option<ApiKey>> {
    let record = connection
        .prepare_cached(sql::KEY_BY_HASH)
        .and_then(|mut find| find.query_row([hash], text).optional())
        .map_err(away)?;
    let key = record.map(|record| super::super::record::key(&record)).transpose()?;
    Ok((key, Vec::new()))
}

fn records(
    connection: &Connection,
    statement: &str,
    parameters: impl Params,
) -> Result<Vec<String>, StoreError> {
    let mut find = connection.prepare_cached(statement).map_err(away)?;
    let records = find.query_map(parameters, text).map_err(away)?;
    records.collect::<rusqlite::Result<_>>().map_err(away)
}

fn text(row: &Row<'_>) -> rusqlite::Result<String> {
    row.get(0)
}
