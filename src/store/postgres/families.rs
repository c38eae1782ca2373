//! Families of refresh tokens. Every statement is one transaction, and takes the row of the family
//! first: whoever comes at the same time waits there, and then sees what has become of it.

use tokio_postgres::Row;

use super::super::record::{Family, Found, Hash, Rotation, signed, unsigned};
use super::super::{MAX_FAMILIES, MAX_ROTATIONS, StoreError, sql};
use super::{Postgres, column, first};
use crate::identity::standing::{Change, Revocation, Revoked};

/// The revocations of the families in `ended`, as a step of a statement.
macro_rules! revoke_ended {
    () => {
        "gone AS (INSERT INTO revocations (kind, subject, since_ms, until) \
         SELECT 2, id, 0, tokens_until FROM ended ON CONFLICT (kind, subject) \
         DO UPDATE SET until = greatest(excluded.until, revocations.until))"
    };
}

/// Tells the other nodes of a family in `ended`.
macro_rules! tell_ended {
    () => {
        "pg_notify('doorward', json_build_object('family', \
         json_build_object('id', id, 'until', tokens_until))::text)"
    };
}

pub(super) use {revoke_ended, tell_ended};

/// The columns of a family.
macro_rules! family {
    () => {
        "id, user_name, api_key, began_at, expires_at, tokens_until, details"
    };
}

/// Ends the families that a condition names, and gives them back.
macro_rules! end {
    ($condition:literal) => {
        concat!(
            "WITH ended AS (DELETE FROM families WHERE ",
            $condition,
            " RETURNING ",
            family!(),
            "), ",
            revoke_ended!(),
            " SELECT ",
            family!(),
            ", ",
            tell_ended!(),
            " FROM ended"
        )
    };
}

// Two logins of one user would take the same old ones away, in any order, and wait for each other:
// what another has its hand on is left to it.
const BEGIN: &str = concat!(
    "WITH trimmed AS (DELETE FROM families WHERE id IN (SELECT id FROM families WHERE id IN \
     (SELECT id FROM families WHERE user_name = $2 ORDER BY began_at DESC, id DESC LIMIT 100 \
     OFFSET $9) FOR UPDATE SKIP LOCKED)) \
     INSERT INTO families (",
    family!(),
    ", current_hash, rotations) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0)"
);

const ROTATE: &str = concat!(
    "WITH rotated AS (UPDATE families SET current_hash = $1, rotations = rotations + 1 \
     WHERE current_hash = $2 AND expires_at > $3 AND rotations < $4 RETURNING ",
    family!(),
    "), spent AS (INSERT INTO spent_tokens (hash, family) SELECT $2, id FROM rotated) SELECT ",
    family!(),
    " FROM rotated"
);

const END_REUSED: &str = end!("id = (SELECT family FROM spent_tokens WHERE hash = $1)");
const END_ONE: &str = end!("id = $1");
const END_OF_USER: &str = end!("user_name = $1");

impl Postgres {
    pub(super) async fn begin(&self, family: &Family, token: &Hash) -> Result<(), StoreError> {
        family.check()?;
        let keep = i64::from(MAX_FAMILIES) - 1;
        self.lease()
            .await?
            .changed(
                BEGIN,
                &[
                    &&*family.id,
                    &&*family.user,
                    &family.key.as_deref(),
                    &signed(family.began_at),
                    &signed(family.expires_at),
                    &signed(family.tokens_until),
                    &&*family.details,
                    &token.as_slice(),
                    &keep,
                ],
            )
            .await?;
        Ok(())
    }

    pub(super) async fn exchange(
        &self,
        old: &Hash,
        new: &Hash,
        now: u64,
    ) -> Result<Rotation, StoreError> {
        let mut lease = self.lease().await?;
        let (old, most) = (old.as_slice(), i64::from(MAX_ROTATIONS));
        let rotated = lease.rows(ROTATE, &[&new.as_slice(), &old, &signed(now), &most]).await?;
        if let Some(row) = first(&rotated) {
            return family(row).map(Rotation::Rotated);
        }
        let ended = lease.rows(END_REUSED, &[&old]).await?;
        if let Some(family) = self.ended(&ended)?.pop() {
            return Ok(Rotation::Reused(family));
        }
        let found = lease.rows(sql::IS_CURRENT, &[&old]).await?;
        let is_current = first(&found).map_or(Ok(0), |row| column::<i64>(row, 0))? > 0;
        Ok(if is_current { Rotation::Expired } else { Rotation::Unknown })
    }

    pub(super) async fn find(&self, token: &Hash, now: u64) -> Result<Option<Found>, StoreError> {
        let mut lease = self.lease().await?;
        for (statement, is_current) in
            [(sql::FAMILY_BY_CURRENT, true), (sql::FAMILY_BY_SPENT, false)]
        {
            let rows = lease.rows(statement, &[&token.as_slice(), &signed(now)]).await?;
            if let Some(row) = first(&rows) {
                return Ok(Some(Found { family: family(row)?, is_current }));
            }
        }
        Ok(None)
    }

    pub(super) async fn list(
        &self,
        user: Option<&str>,
        now: u64,
    ) -> Result<Vec<Family>, StoreError> {
        let mut lease = self.lease().await?;
        let rows = match user {
            Some(user) => lease.rows(sql::FAMILIES_OF, &[&signed(now), &user]).await?,
            None => lease.rows(sql::FAMILIES, &[&signed(now)]).await?,
        };
        rows.iter().map(family).collect()
    }

    pub(super) async fn end_one(&self, id: &str) -> Result<bool, StoreError> {
        let rows = self.lease().await?.rows(END_ONE, &[&id]).await?;
        Ok(!self.ended(&rows)?.is_empty())
    }

    pub(super) async fn end_all_of(&self, user: &str) -> Result<u64, StoreError> {
        let rows = self.lease().await?.rows(END_OF_USER, &[&user]).await?;
        Ok(u64::try_from(self.ended(&rows)?.len()).unwrap_or(u64::MAX))
    }

    /// Tells the workers that the families in `rows` were ended.
    fn ended(&self, rows: &[Row]) -> Result<Vec<Family>, StoreError> {
        let families = rows.iter().map(family).collect::<Result<Vec<_>, _>>()?;
        self.tell(families.iter().map(|family| {
            let what = Revoked::Family(family.id.clone());
            Change::Revoked(Revocation { what, until: family.tokens_until })
        }));
        Ok(families)
    }
}

fn family(row: &Row) -> Result<Family, StoreError> {
    Ok(Family {
        id: column(row, 0)?,
        user: column(row, 1)?,
        key: column(row, 2)?,
        began_at: column(row, 3).map(unsigned)?,
        expires_at: column(row, 4).map(unsigned)?,
        tokens_until: column(row, 5).map(unsigned)?,
        details: column(row, 6)?,
    })
}
