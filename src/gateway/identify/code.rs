//! The code of a second factor, behind a password.

use std::net::IpAddr;
use std::sync::Arc;

use crate::identity::throttle::Throttled;
use crate::identity::verified::Outcome;
use crate::service::{Call, TotpError};
use crate::snapshot::Snapshot;
use crate::worker::Worker;

/// Whether the code is right, and was not used before. The token service knows; where there is
/// none, nobody can tell.
pub(super) async fn check(
    worker: &Worker,
    snapshot: &Arc<Snapshot>,
    client: IpAddr,
    user: &str,
    code: &str,
) -> Outcome {
    // On a route every code counts once, whatever the clients of some endpoint may.
    let profile = snapshot.profiles.iter().find(|profile| !profile.totp_reuse);
    let (Some(desk), Some(profile)) = (&worker.desk, profile) else { return Outcome::StoreAway };
    let call = Call {
        snapshot: Arc::clone(snapshot),
        profile: Arc::clone(profile),
        client,
        peer: client,
        is_secure: false,
        authority: Box::default(),
        service: Arc::clone(desk.service()),
    };
    match desk.check_code(call, user.to_owned(), code.to_owned()).await {
        Err(_) => Outcome::Overloaded,
        Ok(Ok(())) => Outcome::Right,
        Ok(Err(TotpError::WrongCode)) => Outcome::Wrong,
        Ok(Err(TotpError::Throttled { retry_after })) => Throttled { retry_after }.into(),
        Ok(Err(TotpError::Unavailable(_))) => Outcome::StoreAway,
        // It was taken away meanwhile, or the user was: the next request finds out.
        Ok(Err(_)) => Outcome::FactorMissing,
    }
}
