//! Issues tokens to those who have logged in.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::claims::{self, Content};
use super::refresh::FamilyDetails;
use super::{Call, How, LoggedIn, Shape, TokenService, Unavailable, away};
use crate::api_key::{ApiKey, Minted, TextKind};
use crate::store::Family;
use crate::token::{IssuerSettings, Signer, token_id};
use crate::user::User;

/// What a client asks of a token.
#[derive(Clone, Debug)]
pub struct Wish {
    /// How long it should live; never longer than the endpoint's `max_lifetime`. `None`: its
    /// `lifetime`.
    pub lifetime: Option<Duration>,
    /// For whom it should be: one of the endpoint's audiences. `None`: all of them.
    pub audience: Option<String>,
    /// Whether a refresh token should come with it.
    pub refresh: bool,
    /// What it should look like.
    pub shape: Shape,
}

impl Wish {
    /// A token of this shape, as the endpoint gives it by default, without a refresh token.
    #[must_use]
    pub fn of(shape: Shape) -> Self {
        Self { lifetime: None, audience: None, refresh: false, shape }
    }
}

/// What is handed out.
#[derive(Clone)]
pub struct Issued {
    /// The token.
    pub access_token: Zeroizing<String>,
    /// What it says.
    pub claims: Map<String, Value>,
    /// Its `iat`.
    pub issued_at: u64,
    /// Its `exp`.
    pub expires_at: u64,
    /// A refresh token, where one was asked for or exchanged.
    pub refresh_token: Option<Zeroizing<String>>,
    /// The family that they belong to: the `sid` claim.
    pub family: Option<Box<str>>,
    /// Whom it speaks for: the subject.
    pub subject: Box<str>,
    /// Its entry in the directory; `None`: an identifier that no directory knows.
    pub user: Option<Arc<User>>,
}

impl Issued {
    /// For how many seconds it holds, from its issue on.
    #[must_use]
    pub fn expires_in(&self) -> u64 {
        self.expires_at.saturating_sub(self.issued_at)
    }
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issued")
            .field("subject", &self.subject)
            .field("issued_at", &self.issued_at)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// Why no token is issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IssueError {
    /// Not one of the endpoint's audiences.
    #[error("the audience is none of the endpoint's")]
    Audience,
    /// The endpoint has no key to sign with, or its claims contradict each other: 500, and a line
    /// for the operator.
    #[error("the endpoint cannot issue tokens of this shape")]
    Impossible,
    /// Not a second.
    #[error("the lifetime is less than a second")]
    Lifetime,
    /// What was logged in with does not entitle to it: the key belongs to another identifier, or
    /// the user was shut out meanwhile.
    #[error("the login does not entitle to this token")]
    Refused,
    /// The store is away.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// A token to be written: for whom, of what line, until when.
#[derive(Debug)]
pub(super) struct Order<'o> {
    /// The subject.
    pub(super) subject: &'o str,
    /// Their entry in the directory.
    pub(super) user: Option<&'o Arc<User>>,
    /// The key that it is exchanged for.
    pub(super) key: Option<&'o ApiKey>,
    /// The family that it belongs to.
    pub(super) family: Option<&'o str>,
    /// When the first token of its line was issued; `None`: this is the first.
    pub(super) origin: Option<u64>,
    /// It holds no longer, in Unix seconds.
    pub(super) not_after: u64,
    /// Now, in Unix seconds.
    pub(super) now: u64,
    /// What the client asks.
    pub(super) wish: &'o Wish,
    /// For whom it is, where that is not asked for.
    pub(super) kept_audience: Option<Value>,
}

impl TokenService {
    /// Issues a token.
    ///
    /// # Errors
    ///
    /// [`IssueError`].
    pub async fn issue(
        &self,
        call: &Call,
        who: &LoggedIn,
        wish: &Wish,
    ) -> Result<Issued, IssueError> {
        let store = self.store()?;
        if who.how == How::Session && !wish.refresh {
            self.require_store().await?; // every other login has asked it
        }
        if let Shape::Jwthenticator { identifier } = &wish.shape
            && **identifier != *who.name()
        {
            return Err(IssueError::Refused);
        }
        let now = self.second_for(who.name()).await?;
        let has_ended = self.standing.has_user_ended(who.name(), who.at_ms);
        if has_ended || !self.is_still_welcome(call, who.name()) {
            return Err(IssueError::Refused); // since the login
        }
        let family = if wish.refresh { Some(begin(call, who, wish, now)?) } else { None };
        let order = Order {
            subject: who.name(),
            user: who.user(),
            key: who.key().map(AsRef::as_ref),
            family: family.as_ref().map(|(family, _)| &*family.id),
            origin: None,
            not_after: u64::MAX,
            now,
            wish,
            kept_audience: None,
        };
        let mut issued = write(call, &order)?;
        if let Some((family, refresh)) = family {
            store.begin_family(&family, &refresh.hash).await.map_err(away)?;
            issued.family = Some(family.id);
            issued.refresh_token = Some(refresh.text);
        }
        Ok(issued)
    }
}

/// The family of a login, not stored yet.
fn begin(
    call: &Call,
    who: &LoggedIn,
    wish: &Wish,
    now: u64,
) -> Result<(Family, Minted), IssueError> {
    let profile = &call.profile;
    let end = now.saturating_add(profile.refresh_lifetime.as_secs());
    let end = who.key().and_then(|key| key.expires_at).map_or(end, |until| until.min(end));
    let longest = profile.max_lifetime.max(profile.lifetime).as_secs();
    let details = FamilyDetails {
        endpoint: profile.name.clone(),
        shape: wish.shape.clone(),
        lifetime_seconds: wish.lifetime.map(|lifetime| lifetime.as_secs()),
        audience: wish.audience.clone(),
    };
    let family = Family {
        id: token_id().map_err(|_| Unavailable)?.into(),
        user: who.name().into(),
        key: who.key().map(|key| key.id.clone()),
        began_at: now,
        expires_at: end,
        tokens_until: end.saturating_add(longest),
        details: serde_json::to_string(&details).map_err(|_| IssueError::Impossible)?.into(),
    };
    Ok((family, Minted::new(TextKind::RefreshToken).map_err(|_| Unavailable)?))
}

/// The issuer of an endpoint, and what signs for it.
pub(super) fn issuer(call: &Call) -> Option<(&IssuerSettings, &Signer)> {
    let verifier = call.snapshot.identities.verifier.as_ref()?;
    Some((verifier.issuer(call.profile.issuer?)?, call.profile.signer.as_deref()?))
}

/// Writes and signs a token. Nothing is stored.
pub(super) fn write(call: &Call, order: &Order<'_>) -> Result<Issued, IssueError> {
    let (settings, signer) = issuer(call).ok_or(IssueError::Impossible)?;
    if settings.bound && order.user.is_none() {
        return Err(IssueError::Refused); // nobody would accept it
    }
    let lifetime = lifetime(call, settings, order.wish)?;
    let mut expires_at = order.now.saturating_add(lifetime).min(order.not_after);
    if let Some(until) = order.key.and_then(|key| key.expires_at) {
        expires_at = expires_at.min(until);
    }
    if expires_at <= order.now {
        return Err(IssueError::Refused);
    }
    let content = Content {
        settings,
        profile: &call.profile,
        subject: order.subject,
        user: order.user.map(AsRef::as_ref),
        key: order.key,
        family: order.family,
        origin: order.origin.unwrap_or(order.now),
        issued_at: order.now,
        expires_at,
        audience: audience(call, order)?,
        shape: &order.wish.shape,
    };
    let claims = claims::write(&content)?;
    let token = signer.sign(&claims).map_err(|error| {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            endpoint = &*call.profile.name,
            "A token could not be signed"
        );
        IssueError::Impossible
    })?;
    Ok(Issued {
        access_token: Zeroizing::new(token),
        claims,
        issued_at: order.now,
        expires_at,
        refresh_token: None,
        family: order.family.map(Into::into),
        subject: order.subject.into(),
        user: order.user.cloned(),
    })
}

/// What is asked for, but never more than the endpoint and its issuer give; in seconds.
fn lifetime(call: &Call, settings: &IssuerSettings, wish: &Wish) -> Result<u64, IssueError> {
    let profile = &call.profile;
    let wished = wish.lifetime.unwrap_or(profile.lifetime).min(profile.max_lifetime);
    let given = settings.max_lifetime.map_or(wished, |longest| wished.min(longest)).as_secs();
    if given == 0 { Err(IssueError::Lifetime) } else { Ok(given) }
}

/// The `aud` of a token: what is asked for, else what the old token had, else all of the
/// endpoint's. App Mesh's clients read one name, `JWThenticator`'s a list.
fn audience(call: &Call, order: &Order<'_>) -> Result<Value, IssueError> {
    let offered = &call.profile.audience;
    if let Some(wished) = &order.wish.audience {
        let known = offered.iter().any(|offered| **offered == **wished);
        return if known { Ok(wished.as_str().into()) } else { Err(IssueError::Audience) };
    }
    if let Some(kept) = &order.kept_audience {
        return Ok(kept.clone());
    }
    let texts = || offered.iter().map(AsRef::as_ref);
    Ok(match (&order.wish.shape, offered.as_slice()) {
        (Shape::Jwthenticator { .. }, _) => texts().collect(),
        (Shape::AppMesh, [first, ..]) | (_, [first]) => (&**first).into(),
        _ => texts().collect(),
    })
}
