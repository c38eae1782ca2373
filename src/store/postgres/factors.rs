//! Second factors, and the challenges for them.

use tokio_postgres::types::ToSql;

use super::super::notice::Notice;
use super::super::record::{Challenge, Hash, Totp, check_details, check_name, signed, unsigned};
use super::super::{MAX_CHALLENGES, StoreError, sql};
use super::{Postgres, column, first};
use crate::identity::standing::Change;

const CONFIRM: &str = "WITH confirmed AS (UPDATE totp SET pending_until = NULL, last_step = $1 \
     WHERE user_name = $2 AND sealed = $3 AND pending_until IS NOT NULL RETURNING user_name), \
     codes AS (INSERT INTO recovery_codes (user_name, hash) \
     SELECT user_name, unnest($4::bytea[]) FROM confirmed ON CONFLICT DO NOTHING) \
     SELECT pg_notify('doorward', $5) FROM confirmed";

const DELETE: &str = "WITH deleted AS (DELETE FROM totp WHERE user_name = $1 RETURNING user_name) \
     SELECT pg_notify('doorward', $2) FROM deleted";

const REPLACE_CODES: &str = "WITH owner AS (SELECT user_name FROM totp \
     WHERE user_name = $1 AND pending_until IS NULL FOR UPDATE), \
     gone AS (DELETE FROM recovery_codes WHERE user_name IN (SELECT user_name FROM owner)), \
     codes AS (INSERT INTO recovery_codes (user_name, hash) \
     SELECT user_name, unnest($2::bytea[]) FROM owner ON CONFLICT DO NOTHING) \
     SELECT user_name FROM owner";

const PUT_CHALLENGE: &str = "WITH trimmed AS (DELETE FROM challenges WHERE id IN (SELECT id \
     FROM challenges WHERE user_name = $2 ORDER BY expires_at DESC, id DESC LIMIT 100 OFFSET $6)) \
     INSERT INTO challenges (id, user_name, tries, expires_at, details) \
     VALUES ($1, $2, $3, $4, $5)";

impl Postgres {
    pub(super) async fn find_totp(&self, user: &str, now: u64) -> Result<Option<Totp>, StoreError> {
        let rows = self.lease().await?.rows(sql::TOTP, &[&user, &signed(now)]).await?;
        let Some(row) = first(&rows) else { return Ok(None) };
        Ok(Some(Totp {
            sealed: column(row, 0)?,
            is_confirmed: column::<Option<i64>>(row, 1)?.is_none(),
            last_step: column(row, 2).map(unsigned)?,
            recovery_codes: column(row, 3).map(unsigned)?,
        }))
    }

    pub(super) async fn begin_totp(
        &self,
        user: &str,
        sealed: &[u8],
        until: u64,
    ) -> Result<(), StoreError> {
        check_name(user)?;
        let parameters: [&(dyn ToSql + Sync); 3] = [&user, &sealed, &signed(until)];
        match self.lease().await?.changed(sql::PUT_TOTP, &parameters).await? {
            0 => Err(StoreError::Conflict),
            _ => Ok(()),
        }
    }

    pub(super) async fn confirm(
        &self,
        user: &str,
        sealed: &[u8],
        step: u64,
        codes: &[Hash],
    ) -> Result<bool, StoreError> {
        let codes = codes.iter().map(Hash::as_slice).collect::<Vec<_>>();
        let notice = Notice::second_factor(user).payload();
        let mut lease = self.lease().await?;
        let rows = lease.rows(CONFIRM, &[&signed(step), &user, &sealed, &codes, &notice]).await?;
        Ok(self.has_second_factor(user, true, !rows.is_empty()))
    }

    pub(super) async fn delete(&self, user: &str) -> Result<bool, StoreError> {
        let notice = Notice::second_factor(user).payload();
        let rows = self.lease().await?.rows(DELETE, &[&user, &notice]).await?;
        Ok(self.has_second_factor(user, false, !rows.is_empty()))
    }

    fn has_second_factor(&self, user: &str, enrolled: bool, is_changed: bool) -> bool {
        let change = Change::SecondFactor { user: user.into(), enrolled };
        self.tell(is_changed.then_some(change));
        is_changed
    }

    pub(super) async fn use_step(&self, user: &str, step: u64) -> Result<bool, StoreError> {
        let mut lease = self.lease().await?;
        Ok(lease.changed(sql::USE_TOTP_STEP, &[&signed(step), &user]).await? > 0)
    }

    pub(super) async fn use_code(&self, user: &str, code: &Hash) -> Result<bool, StoreError> {
        let mut lease = self.lease().await?;
        Ok(lease.changed(sql::USE_RECOVERY_CODE, &[&user, &code.as_slice()]).await? > 0)
    }

    pub(super) async fn replace_codes(
        &self,
        user: &str,
        codes: &[Hash],
    ) -> Result<bool, StoreError> {
        let codes = codes.iter().map(Hash::as_slice).collect::<Vec<_>>();
        let rows = self.lease().await?.rows(REPLACE_CODES, &[&user, &codes]).await?;
        Ok(!rows.is_empty())
    }

    pub(super) async fn challenge(&self, challenge: &Challenge) -> Result<(), StoreError> {
        check_name(&challenge.user)?;
        check_details(&challenge.details)?;
        let (tries, keep) = (i64::from(challenge.tries), i64::from(MAX_CHALLENGES) - 1);
        let expires_at = signed(challenge.expires_at);
        let id = challenge.id.as_slice();
        let (user, details) = (&*challenge.user, &*challenge.details);
        let parameters: [&(dyn ToSql + Sync); 6] =
            [&id, &user, &tries, &expires_at, &details, &keep];
        self.lease().await?.changed(PUT_CHALLENGE, &parameters).await?;
        Ok(())
    }

    pub(super) async fn tried(&self, id: &Hash, now: u64) -> Result<Option<Challenge>, StoreError> {
        let mut lease = self.lease().await?;
        let rows = lease.rows(sql::TRY_CHALLENGE, &[&id.as_slice(), &signed(now)]).await?;
        let Some(row) = first(&rows) else { return Ok(None) };
        Ok(Some(Challenge {
            id: *id,
            user: column(row, 0)?,
            tries: u32::try_from(column::<i64>(row, 1)?).unwrap_or_default(),
            expires_at: column(row, 2).map(unsigned)?,
            details: column(row, 3)?,
        }))
    }

    pub(super) async fn answered(&self, id: &Hash) -> Result<bool, StoreError> {
        Ok(self.lease().await?.changed(sql::END_CHALLENGE, &[&id.as_slice()]).await? > 0)
    }
}
