//! The statements that both databases understand.
//!
//! SQLite counts a parameter where it first appears, PostgreSQL by its number: so each statement
//! names `$1` first, then `$2`, and so on.

macro_rules! family {
    () => {
        "id, user_name, api_key, began_at, expires_at, tokens_until, details"
    };
}

pub(super) const PUT_KEY: &str = "INSERT INTO api_keys (id, hash, owner, created_at, expires_at, record) \
     VALUES ($1, $2, $3, $4, $5, $6)";
pub(super) const COUNT_KEYS: &str = "SELECT count(*) FROM api_keys WHERE owner = $1";
pub(super) const KEYS: &str = "SELECT record FROM api_keys \
     WHERE (expires_at IS NULL OR expires_at > $1) ORDER BY created_at, id";
pub(super) const KEYS_OF: &str = "SELECT record FROM api_keys \
     WHERE (expires_at IS NULL OR expires_at > $1) AND owner = $2 ORDER BY created_at, id";
pub(super) const KEY_BY_HASH: &str = "SELECT record FROM api_keys WHERE hash = $1";

pub(super) const BEGIN_FAMILY: &str = concat!(
    "INSERT INTO families (",
    family!(),
    ", current_hash, rotations) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0)"
);
pub(super) const TRIM_FAMILIES: &str = "DELETE FROM families WHERE id IN (SELECT id FROM families \
     WHERE user_name = $1 ORDER BY began_at DESC, id DESC LIMIT 100 OFFSET $2)";
pub(super) const FAMILIES: &str =
    concat!("SELECT ", family!(), " FROM families WHERE expires_at > $1 ORDER BY began_at, id");
pub(super) const FAMILIES_OF: &str = concat!(
    "SELECT ",
    family!(),
    " FROM families WHERE expires_at > $1 AND user_name = $2 ORDER BY began_at, id"
);
pub(super) const FAMILY_BY_CURRENT: &str =
    concat!("SELECT ", family!(), " FROM families WHERE current_hash = $1 AND expires_at > $2");
pub(super) const FAMILY_BY_SPENT: &str = concat!(
    "SELECT ",
    family!(),
    " FROM families WHERE id = (SELECT family FROM spent_tokens WHERE hash = $1) \
     AND expires_at > $2"
);
pub(super) const IS_CURRENT: &str = "SELECT count(*) FROM families WHERE current_hash = $1";

pub(super) const REVOCATIONS: &str =
    "SELECT kind, subject, since_ms, until FROM revocations WHERE until > $1";
pub(super) const ENROLLED: &str = "SELECT user_name FROM totp WHERE pending_until IS NULL";

pub(super) const TOTP: &str = "SELECT sealed, pending_until, last_step, \
     (SELECT count(*) FROM recovery_codes WHERE recovery_codes.user_name = totp.user_name) \
     FROM totp WHERE user_name = $1 AND (pending_until IS NULL OR pending_until > $2)";
pub(super) const PUT_TOTP: &str = "INSERT INTO totp (user_name, sealed, last_step, pending_until) \
     VALUES ($1, $2, 0, $3) ON CONFLICT (user_name) DO UPDATE SET sealed = excluded.sealed, \
     last_step = 0, pending_until = excluded.pending_until WHERE totp.pending_until IS NOT NULL";
pub(super) const USE_TOTP_STEP: &str = "UPDATE totp SET last_step = $1 \
     WHERE user_name = $2 AND pending_until IS NULL AND last_step < $1";
pub(super) const USE_RECOVERY_CODE: &str =
    "DELETE FROM recovery_codes WHERE user_name = $1 AND hash = $2";

pub(super) const PUT_CHALLENGE: &str = "INSERT INTO challenges (id, user_name, tries, expires_at, details) VALUES ($1, $2, $3, $4, $5)";
pub(super) const TRIM_CHALLENGES: &str = "DELETE FROM challenges WHERE id IN (SELECT id \
     FROM challenges WHERE user_name = $1 ORDER BY expires_at DESC, id DESC LIMIT 100 OFFSET $2)";
pub(super) const TRY_CHALLENGE: &str = "UPDATE challenges SET tries = tries - 1 \
     WHERE id = $1 AND tries > 0 AND expires_at > $2 \
     RETURNING user_name, tries, expires_at, details";
pub(super) const END_CHALLENGE: &str = "DELETE FROM challenges WHERE id = $1";

/// Each forgets what has expired at `$1`, at most `$2` rows of it.
pub(super) const SWEEP: [&str; 5] = [
    "DELETE FROM api_keys WHERE id IN \
     (SELECT id FROM api_keys WHERE expires_at <= $1 LIMIT $2)",
    "DELETE FROM families WHERE id IN \
     (SELECT id FROM families WHERE expires_at <= $1 LIMIT $2)",
    "DELETE FROM revocations WHERE (kind, subject) IN \
     (SELECT kind, subject FROM revocations WHERE until <= $1 LIMIT $2)",
    "DELETE FROM totp WHERE user_name IN \
     (SELECT user_name FROM totp WHERE pending_until <= $1 LIMIT $2)",
    "DELETE FROM challenges WHERE id IN \
     (SELECT id FROM challenges WHERE expires_at <= $1 LIMIT $2)",
];

/// How many rows of a kind one call forgets.
pub(super) const SWEEP_ROWS: i64 = 500;

/// The `kind` of a revocation.
pub(super) const TOKEN: i64 = 1;
/// The `kind` of a revocation.
pub(super) const FAMILY_KIND: i64 = 2;
/// The `kind` of a revocation.
pub(super) const USER: i64 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: &[&str] = &[
        PUT_KEY,
        COUNT_KEYS,
        KEYS,
        KEYS_OF,
        KEY_BY_HASH,
        BEGIN_FAMILY,
        TRIM_FAMILIES,
        FAMILIES,
        FAMILIES_OF,
        FAMILY_BY_CURRENT,
        FAMILY_BY_SPENT,
        IS_CURRENT,
        REVOCATIONS,
        ENROLLED,
        TOTP,
        PUT_TOTP,
        USE_TOTP_STEP,
        USE_RECOVERY_CODE,
        PUT_CHALLENGE,
        TRIM_CHALLENGES,
        TRY_CHALLENGE,
        END_CHALLENGE,
    ];

    /// The numbers of a statement's parameters, each where it first appears.
    fn parameters(statement: &str) -> Vec<u32> {
        let mut found = Vec::new();
        for rest in statement.split('$').skip(1) {
            let digits = rest.chars().take_while(char::is_ascii_digit).collect::<String>();
            let number = digits.parse().unwrap();
            if !found.contains(&number) {
                found.push(number);
            }
        }
        found
    }

    #[test]
    fn parameters_appear_in_the_order_of_their_numbers() {
        for statement in ALL.iter().chain(&SWEEP) {
            let found = parameters(statement);
            let expected = (1..).take(found.len()).collect::<Vec<u32>>();
            assert_eq!(found, expected, "{statement}");
        }
    }
}
