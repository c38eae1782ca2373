//! API keys.

use std::sync::Arc;

use tokio_postgres::Row;

use super::super::notice::Notice;
use super::super::record::{Hash, key, key_record, readable_key, signed, unsigned};
use super::super::{MAX_KEYS, StoreError, sql};
use super::families::{revoke_ended, tell_ended};
use super::{Postgres, column, first};
use crate::api_key::ApiKey;
use crate::identity::standing::{Change, Revocation, Revoked};

const PUT: &str = "WITH put AS (INSERT INTO api_keys \
     (id, hash, owner, created_at, expires_at, record) VALUES ($1, $2, $3, $4, $5, $6) \
     RETURNING id) SELECT pg_notify('doorward', $7) FROM put";

/// With a row for each family that ends with the key, and one for the key.
const END: &str = concat!(
    "WITH key AS (DELETE FROM api_keys WHERE id = $1 RETURNING id), \
     ended AS (DELETE FROM families WHERE api_key = $1 RETURNING id, tokens_until), ",
    revoke_ended!(),
    " SELECT id, tokens_until, ",
    tell_ended!(),
    " FROM ended UNION ALL SELECT NULL, NULL, pg_notify('doorward', $2) FROM key"
);

impl Postgres {
    pub(super) async fn put(&self, key: &ApiKey) -> Result<(), StoreError> {
        let record = key_record(key)?;
        let mut lease = self.lease().await?;
        let count = lease.rows(sql::COUNT_KEYS, &[&&*key.owner]).await?;
        let count = first(&count).map_or(Ok(0), |row| column::<i64>(row, 0))?;
        if count >= i64::from(MAX_KEYS) {
            return Err(StoreError::Full);
        }
        lease
            .rows(
                PUT,
                &[
                    &&*key.id,
                    &key.hash.as_slice(),
                    &&*key.owner,
                    &signed(key.created_at),
                    &key.expires_at.map(signed),
                    &record,
                    &Notice::key(&key.id).payload(),
                ],
            )
            .await?;
        self.tell([Change::Key(Arc::new(key.clone()))]);
        Ok(())
    }

    pub(super) async fn end(&self, id: &str) -> Result<bool, StoreError> {
        let rows = self.lease().await?.rows(END, &[&id, &Notice::key(id).payload()]).await?;
        let mut changes = Vec::with_capacity(rows.len());
        let mut was_there = false;
        for row in &rows {
            let Some(family) = column::<Option<Box<str>>>(row, 0)? else {
                was_there = true;
                continue;
            };
            let until = column(row, 1).map(unsigned)?;
            changes.push(Change::Revoked(Revocation { what: Revoked::Family(family), until }));
        }
        changes.extend(was_there.then(|| Change::KeyEnded(id.into())));
        self.tell(changes);
        Ok(was_there)
    }

    pub(super) async fn list_keys(
        &self,
        owner: Option<&str>,
        now: u64,
    ) -> Result<Vec<ApiKey>, StoreError> {
        let mut lease = self.lease().await?;
        let rows = match owner {
            Some(owner) => lease.rows(sql::KEYS_OF, &[&signed(now), &owner]).await?,
            None => lease.rows(sql::KEYS, &[&signed(now)]).await?,
        };
        readable(&rows)
    }

    pub(super) async fn find_key(&self, hash: &Hash) -> Result<Option<ApiKey>, StoreError> {
        let rows = self.lease().await?.rows(sql::KEY_BY_HASH, &[&hash.as_slice()]).await?;
        first(&rows).map(|row| key(column::<&str>(row, 0)?)).transpose()
    }
}

/// The keys in `rows`, but for those that cannot be read.
pub(super) fn readable(rows: &[Row]) -> Result<Vec<ApiKey>, StoreError> {
    let records = rows.iter().map(|row| column::<&str>(row, 0)).collect::<Result<Vec<_>, _>>()?;
    Ok(records.into_iter().filter_map(readable_key).collect())
}
