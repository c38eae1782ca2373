//! What the workers are to know, and revocations.

use std::sync::Arc;

use tokio_postgres::Client;

use super::super::notice::Notice;
use super::super::record::{check_name, key, revocation, revocation_row, signed, unsigned};
use super::super::{StoreError, sql};
use super::families::{revoke_ended, tell_ended};
use super::{Postgres, column, first, keys};
use crate::identity::standing::{Change, Revocation, Revoked};

macro_rules! put {
    ($until:literal) => {
        concat!(
            "put AS (INSERT INTO revocations (kind, subject, since_ms, until) VALUES ($1, $2, $3, ",
            $until,
            ") ON CONFLICT (kind, subject) DO UPDATE SET \
             since_ms = greatest(excluded.since_ms, revocations.since_ms), \
             until = greatest(excluded.until, revocations.until) RETURNING until)"
        )
    };
}

const REVOKE_TOKEN: &str =
    concat!("WITH ", put!("$4"), " SELECT NULL::text, until, pg_notify('doorward', $5) FROM put");

const REVOKE_FAMILY: &str = concat!(
    "WITH ended AS (DELETE FROM families WHERE id = $2 RETURNING tokens_until), ",
    put!("greatest($4, (SELECT tokens_until FROM ended))"),
    " SELECT NULL::text, until, pg_notify('doorward', $5) FROM put"
);

const REVOKE_USER: &str = concat!(
    "WITH ended AS (DELETE FROM families WHERE user_name = $2 RETURNING id, tokens_until), ",
    revoke_ended!(),
    ", ",
    put!("$4"),
    " SELECT id, tokens_until, ",
    tell_ended!(),
    " FROM ended UNION ALL SELECT NULL, until, pg_notify('doorward', $5) FROM put"
);

const KEY_BY_ID: &str = "SELECT record FROM api_keys WHERE id = $1";
const IS_ENROLLED: &str =
    "SELECT count(*) FROM totp WHERE user_name = $1 AND pending_until IS NULL";

impl Postgres {
    pub(super) async fn end_by(&self, revocation: &Revocation) -> Result<(), StoreError> {
        let (kind, subject, since_ms) = revocation_row(&revocation.what);
        check_name(subject)?;
        let statement = match &revocation.what {
            Revoked::Family(_) => REVOKE_FAMILY,
            Revoked::Token(_) => REVOKE_TOKEN,
            Revoked::User { .. } => REVOKE_USER,
        };
        let (until, notice) = (signed(revocation.until), Notice::of(revocation).payload());
        let mut lease = self.lease().await?;
        let rows = lease.rows(statement, &[&kind, &subject, &since_ms, &until, &notice]).await?;
        let mut changes = Vec::with_capacity(rows.len());
        for row in &rows {
            let until = column(row, 1).map(unsigned)?;
            let what = match column::<Option<Box<str>>>(row, 0)? {
                Some(family) => Revoked::Family(family),
                None => revocation.what.clone(),
            };
            changes.push(Change::Revoked(Revocation { what, until }));
        }
        self.tell(changes);
        Ok(())
    }
}

/// All that the workers are to know.
pub(super) async fn all(client: &Client, now: u64) -> Result<Vec<Change>, StoreError> {
    let now = signed(now);
    let rows = client.query(sql::KEYS, &[&now]).await.map_err(StoreError::away)?;
    let found = keys::readable(&rows)?;
    let mut all = found.into_iter().map(|key| Change::Key(Arc::new(key))).collect::<Vec<_>>();
    for row in client.query(sql::REVOCATIONS, &[&now]).await.map_err(StoreError::away)? {
        let (kind, since_ms, until) = (column(&row, 0)?, column(&row, 2)?, column(&row, 3)?);
        all.push(Change::Revoked(revocation(kind, column(&row, 1)?, since_ms, until)?));
    }
    for row in client.query(sql::ENROLLED, &[]).await.map_err(StoreError::away)? {
        all.push(Change::SecondFactor { user: column(&row, 0)?, enrolled: true });
    }
    Ok(all)
}

/// What has become of a key of which somebody else has told.
pub(super) async fn key_now(client: &Client, id: &str) -> Result<Change, StoreError> {
    let rows = client.query(KEY_BY_ID, &[&id]).await.map_err(StoreError::away)?;
    let found = first(&rows).map(|row| key(column::<&str>(row, 0)?)).transpose()?;
    Ok(found.map_or_else(|| Change::KeyEnded(id.into()), |key| Change::Key(Arc::new(key))))
}

/// Whether a user of whom somebody else has told has a second factor.
pub(super) async fn second_factor_now(client: &Client, user: &str) -> Result<Change, StoreError> {
    let rows = client.query(IS_ENROLLED, &[&user]).await.map_err(StoreError::away)?;
    let enrolled = first(&rows).map_or(Ok(0), |row| column::<i64>(row, 0))? > 0;
    Ok(Change::SecondFactor { user: user.into(), enrolled })
}
