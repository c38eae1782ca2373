//! Verifies tokens: the parts, the header, the key, the signature, and then the claims.
//!
//! A token is a JWS in compact form (RFC 7515 §7.1) of at most 16 KiB. Nothing it says is
//! believed before its signature holds, but for `iss` and `kid`, which only choose among the
//! keys that are configured. The key brings the algorithm; the header must name the same.

use super::claims::VerifiedToken;
use super::compact::{Parts, decode_into};
use super::header::Header;
use super::issuer::{IssuerError, IssuerSettings, MAX_LEEWAY};
use super::key_set::KeySet;
use super::payload::{Claim, ClaimTree, FoundClaims};

/// The longest token that is looked at, in bytes.
pub const MAX_TOKEN: usize = 16 * 1024;
/// The longest subject and the longest token id, in bytes.
const MAX_NAME: usize = 256;

/// Why a token is refused: for the log and the metric. It holds nothing of the token's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The key does not serve the algorithm that the header names.
    #[error("the key does not serve the algorithm of the header")]
    AlgorithmNotAllowed,
    /// No key id, and the issuer has several keys for the algorithm.
    #[error("names no key, and several could have signed it")]
    AmbiguousKey,
    /// The signature is not the key's.
    #[error("the signature does not verify")]
    BadSignature,
    /// A text of the claims has a control character.
    #[error("the claim `{0}` has a control character")]
    ControlCharacter(&'static str),
    /// The header has `crit`.
    #[error("demands an extension that is not offered")]
    CriticalExtension,
    /// It has expired.
    #[error("expired at {expires}, now is {now}")]
    Expired {
        /// The `exp` claim.
        expires: u64,
        /// The time it was verified at.
        now: u64,
    },
    /// `iat` lies in the future.
    #[error("issued at {issued_at}, now is {now}")]
    IssuedInFuture {
        /// The `iat` claim.
        issued_at: u64,
        /// The time it was verified at.
        now: u64,
    },
    /// From `iat` to `exp` is longer than the issuer may give.
    #[error("its lifetime of {seconds} s is too long")]
    LifetimeTooLong {
        /// From `iat` to `exp`.
        seconds: u64,
    },
    /// The payload is not one JSON object with each member once.
    #[error("the claims are malformed")]
    MalformedClaims,
    /// The header is not one JSON object with each member once.
    #[error("the header is malformed")]
    MalformedHeader,
    /// A claim that is required is absent.
    #[error("the claim `{0}` is missing")]
    MissingClaim(&'static str),
    /// Not three parts in strict base64url.
    #[error("not a signed token in compact form")]
    NotAToken,
    /// `nbf` lies in the future.
    #[error("not valid before {not_before}, now is {now}")]
    NotYetValid {
        /// The `nbf` claim.
        not_before: u64,
        /// The time it was verified at.
        now: u64,
    },
    /// Longer than [`MAX_TOKEN`], or its header than 4 KiB.
    #[error("too long")]
    TooLong,
    /// `iss` is none of the issuers'.
    #[error("the issuer is unknown")]
    UnknownIssuer,
    /// The issuer has no key with this id, or none of this algorithm.
    #[error("the key is unknown")]
    UnknownKey,
    /// The header names no algorithm that is offered.
    #[error("the algorithm is not offered")]
    UnsupportedAlgorithm,
    /// The header has `b64` or `zip`.
    #[error("the header has a member that changes the payload")]
    UnsupportedHeader,
    /// `aud` names none of the audiences.
    #[error("meant for another audience")]
    WrongAudience,
    /// The subject or the token id is empty or longer than 256 bytes.
    #[error("the claim `{0}` is empty or too long")]
    WrongLength(&'static str),
    /// `typ` says that it is another kind of token.
    #[error("not an access token")]
    WrongTokenType,
    /// A claim has another type than it must have.
    #[error("the claim `{0}` has the wrong type")]
    WrongType(&'static str),
}

impl VerifyError {
    /// Its name in metrics and logs.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::AlgorithmNotAllowed => "algorithm_not_allowed",
            Self::AmbiguousKey => "ambiguous_key",
            Self::BadSignature => "bad_signature",
            Self::ControlCharacter(_) => "control_character",
            Self::CriticalExtension => "critical_extension",
            Self::Expired { .. } => "expired",
            Self::IssuedInFuture { .. } => "issued_in_future",
            Self::LifetimeTooLong { .. } => "lifetime_too_long",
            Self::MalformedClaims => "malformed_claims",
            Self::MalformedHeader => "malformed_header",
            Self::MissingClaim(_) => "missing_claim",
            Self::NotAToken => "not_a_token",
            Self::NotYetValid { .. } => "not_yet_valid",
            Self::TooLong => "too_long",
            Self::UnknownIssuer => "unknown_issuer",
            Self::UnknownKey => "unknown_key",
            Self::UnsupportedAlgorithm => "unsupported_algorithm",
            Self::UnsupportedHeader => "unsupported_header",
            Self::WrongAudience => "wrong_audience",
            Self::WrongLength(_) => "wrong_length",
            Self::WrongTokenType => "wrong_token_type",
            Self::WrongType(_) => "wrong_type",
        }
    }
}

/// What a thread keeps from one verification to the next: room, and the last header, since the
/// tokens of one key share theirs. A header that could not be read is not kept.
#[derive(Debug, Default)]
pub struct Scratch {
    room: Vec<u8>,
    encoded: String,
    header: Option<Header>,
}

impl Scratch {
    fn header_of(&mut self, parts: &Parts<'_>) -> Result<(&Header, &mut [u8]), VerifyError> {
        let room = parts.make_room(&mut self.room);
        let known = self.header.take().filter(|_| self.encoded == parts.header);
        let header = if let Some(header) = known {
            header
        } else {
            let (json, _) = decode_into(parts.header, room)?;
            let header = Header::parse(json)?;
            self.encoded.clear();
            self.encoded.push_str(parts.header);
            header
        };
        Ok((self.header.insert(header), room))
    }
}

/// Verifies the tokens of all issuers.
#[derive(Debug)]
pub struct Verifier {
    issuers: Vec<Issuer>,
    issuer_only: ClaimTree,
}

#[derive(Debug)]
struct Issuer {
    settings: IssuerSettings,
    keys: KeySet,
    claims: ClaimTree,
}

impl Verifier {
    /// Fixes the rules for every issuer. Without issuers, every token is refused.
    ///
    /// # Errors
    ///
    /// See [`IssuerError`].
    pub fn new(settings: Vec<IssuerSettings>) -> Result<Self, IssuerError> {
        let mut issuers: Vec<Issuer> = Vec::with_capacity(settings.len());
        for settings in settings {
            let same = issuers.iter().find(|known| known.settings.issuer == settings.issuer);
            if let Some(known) = same {
                let (first, second) = (known.settings.name.clone(), settings.name);
                return Err(IssuerError::Duplicate { first, second });
            }
            let is_anonymous = |known: &&Issuer| !known.settings.required.issuer;
            if let Some(known) = issuers.iter().find(is_anonymous)
                && !settings.required.issuer
            {
                let (first, second) = (known.settings.name.clone(), settings.name);
                return Err(IssuerError::Anonymous { first, second });
            }
            issuers.push(Issuer::new(settings)?);
        }
        Ok(Self { issuers, issuer_only: ClaimTree::issuer_only() })
    }

    /// Verifies `token` as of `now` in Unix seconds.
    ///
    /// # Errors
    ///
    /// See [`VerifyError`]. The signature is looked at before any claim, `iss` excepted where
    /// several issuers are known.
    pub fn verify(&self, token: &str, now: u64) -> Result<VerifiedToken, VerifyError> {
        self.verify_with(&mut Scratch::default(), token, now)
    }

    /// [`Self::verify`] for who verifies many.
    ///
    /// # Errors
    ///
    /// See [`VerifyError`].
    pub fn verify_with(
        &self,
        scratch: &mut Scratch,
        token: &str,
        now: u64,
    ) -> Result<VerifiedToken, VerifyError> {
        let parts = Parts::split(token)?;
        let (header, room) = scratch.header_of(&parts)?;
        let (signature, room) = decode_into(parts.signature, room)?;
        if let [only] = self.issuers.as_slice() {
            // Its `iss` is judged with the other claims, and nobody else's are worth a look.
            only.keys.verify(header, parts.signed, signature)?;
            let (payload, _) = decode_into(parts.payload, room)?;
            return only.judge(0, &only.claims.read(payload)?, now);
        }
        let (payload, _) = decode_into(parts.payload, room)?;
        let (index, issuer) = self.issuer_of(payload)?;
        issuer.keys.verify(header, parts.signed, signature)?;
        issuer.judge(index, &issuer.claims.read(payload)?, now)
    }

    /// The settings of the issuers, in the order of [`VerifiedToken::issuer`].
    #[must_use]
    pub fn issuers(&self) -> impl ExactSizeIterator<Item = &IssuerSettings> {
        self.issuers.iter().map(|issuer| &issuer.settings)
    }

    /// The settings of one issuer.
    #[must_use]
    pub fn issuer(&self, index: usize) -> Option<&IssuerSettings> {
        self.issuers.get(index).map(|issuer| &issuer.settings)
    }

    fn issuer_of(&self, payload: &[u8]) -> Result<(usize, &Issuer), VerifyError> {
        let claims = self.issuer_only.read(payload)?;
        let mut issuers = self.issuers.iter().enumerate();
        let Some(name) = claims.text(Claim::Issuer)? else {
            let anonymous = issuers.find(|(_, issuer)| !issuer.settings.required.issuer);
            return anonymous.ok_or(VerifyError::MissingClaim("iss"));
        };
        issuers.find(|(_, issuer)| issuer.settings.issuer == name).ok_or(VerifyError::UnknownIssuer)
    }
}

impl Issuer {
    fn new(settings: IssuerSettings) -> Result<Self, IssuerError> {
        let name = || settings.name.clone();
        if settings.issuer.is_empty() {
            return Err(IssuerError::NoIssuer(name()));
        }
        if settings.audience.is_empty() || settings.audience.iter().any(String::is_empty) {
            return Err(IssuerError::NoAudience(name()));
        }
        if settings.leeway > MAX_LEEWAY {
            return Err(IssuerError::LongLeeway(name()));
        }
        let keys = KeySet::of(&settings)?;
        let claims = ClaimTree::new(&settings.claims)
            .map_err(|path| IssuerError::OverlappingClaims { issuer: name(), path })?;
        Ok(Self { settings, keys, claims })
    }

    fn judge(
        &self,
        index: usize,
        claims: &FoundClaims<'_, '_>,
        now: u64,
    ) -> Result<VerifiedToken, VerifyError> {
        let required = self.settings.required;
        match claims.text(Claim::Issuer)? {
            Some(issuer) if issuer != self.settings.issuer => {
                return Err(VerifyError::UnknownIssuer);
            }
            None if required.issuer => return Err(VerifyError::MissingClaim("iss")),
            Some(_) | None => {}
        }
        match claims.names_audience(&self.settings.audience)? {
            Some(false) => return Err(VerifyError::WrongAudience),
            None if required.audience => return Err(VerifyError::MissingClaim("aud")),
            Some(true) | None => {}
        }
        let expires = claims.time(Claim::Expires)?.ok_or(VerifyError::MissingClaim("exp"))?;
        let issued_at = claims.time(Claim::IssuedAt)?;
        self.judge_times(expires, claims.time(Claim::NotBefore)?, issued_at, now)?;
        let subject = claims.text(Claim::Subject)?.ok_or(VerifyError::MissingClaim("subject"))?;
        let token_id = claims.text(Claim::TokenId)?;
        let family = claims.text(Claim::Family)?;
        let client = claims.text(Claim::Client)?;
        for (claim, text) in [
            (Claim::Subject, Some(subject)),
            (Claim::TokenId, token_id),
            (Claim::Family, family),
            (Claim::Client, client),
        ] {
            if text.is_some_and(|text| text.is_empty() || text.len() > MAX_NAME) {
                return Err(VerifyError::WrongLength(claim.name()));
            }
        }
        let owned = |claim| Ok(claims.text(claim)?.map(str::to_owned));
        Ok(VerifiedToken {
            issuer: index,
            subject: subject.to_owned(),
            roles: claims.texts(Claim::Roles)?,
            permissions: claims.texts(Claim::Permissions)?,
            groups: claims.texts(Claim::Groups)?,
            home: owned(Claim::Home)?,
            email: owned(Claim::Email)?,
            tag: owned(Claim::Tag)?,
            expires,
            valid_until: expires.saturating_add(self.settings.leeway.as_secs()).saturating_sub(1),
            issued_at,
            token_id: token_id.map(str::to_owned),
            family: family.map(str::to_owned),
            client: client.map(str::to_owned),
        })
    }

    fn judge_times(
        &self,
        expires: u64,
        not_before: Option<u64>,
        issued_at: Option<u64>,
        now: u64,
    ) -> Result<(), VerifyError> {
        let leeway = self.settings.leeway.as_secs();
        if now >= expires.saturating_add(leeway) {
            return Err(VerifyError::Expired { expires, now });
        }
        let latest = now.saturating_add(leeway);
        if let Some(not_before) = not_before.filter(|not_before| *not_before > latest) {
            return Err(VerifyError::NotYetValid { not_before, now });
        }
        if let Some(issued_at) = issued_at.filter(|issued_at| *issued_at > latest) {
            return Err(VerifyError::IssuedInFuture { issued_at, now });
        }
        if let Some(longest) = self.settings.max_lifetime {
            let issued_at = issued_at.ok_or(VerifyError::MissingClaim("iat"))?;
            let seconds = expires.saturating_sub(issued_at);
            if seconds > longest.as_secs() {
                return Err(VerifyError::LifetimeTooLong { seconds });
            }
        }
        Ok(())
    }
}

/// Verifies a JWS whose payload need not be claims, exactly as [`Verifier::verify`] does.
#[cfg(test)]
fn verify_jws(keyring: &super::Keyring, token: &str) -> Result<Vec<u8>, VerifyError> {
    let parts = Parts::split(token)?;
    let mut scratch = Scratch::default();
    let (header, room) = scratch.header_of(&parts)?;
    let (signature, room) = decode_into(parts.signature, room)?;
    KeySet::new(keyring, None).verify(header, parts.signed, signature)?;
    decode_into(parts.payload, room).map(|(payload, _)| payload.to_vec())
}

#[cfg(test)]
mod corpora;
#[cfg(test)]
mod tests;
