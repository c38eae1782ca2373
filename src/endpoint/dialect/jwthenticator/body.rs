//! What requests and answers hold, and how the endpoints refuse, for the document.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Nothing is said.
#[derive(Serialize, ToSchema)]
pub(super) struct Empty {}

/// What a client gets.
#[derive(Serialize, ToSchema)]
pub(super) struct Tokens<'t> {
    /// The access token.
    pub(super) jwt: &'t str,
    /// Good for one more pair, by the same identifier.
    pub(super) refresh_token: Option<&'t str>,
}

/// Whether it is so.
#[derive(Serialize, ToSchema)]
pub(super) struct Outcome {
    /// Whether it is so.
    pub(super) result: bool,
    /// Always `null`.
    pub(super) message: Option<&'static str>,
}

/// A key, and whose it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "`load` reads the fields; this is what they are")]
pub(super) struct KeyOfSomebody {
    /// The key, as a text of any form.
    key: String,
    /// Who has it.
    #[schema(format = "uuid")]
    identifier: String,
}

/// What is refreshed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "`load` reads the fields; this is what they are")]
pub(super) struct Refresh {
    /// Good once.
    pub(super) refresh_token: String,
    /// To whom it was issued.
    #[schema(format = "uuid")]
    identifier: String,
}

/// What is verified.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "`load` reads the field; this is what it is")]
pub(super) struct Validate {
    /// An access token.
    pub(super) jwt: String,
}

/// What is asked for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "`load` reads the field; this is what it is")]
pub(super) struct JustKey {
    /// The key.
    key: String,
}

/// What is wrong, field by field.
#[derive(ToSchema)]
#[expect(dead_code, reason = "tells what `Invalid` writes")]
pub(super) struct Wrong(BTreeMap<String, Vec<String>>);

/// The refusals of whoever sends a body, for the document.
#[derive(utoipa::IntoResponses)]
#[expect(dead_code, reason = "tells what `Refusal` answers")]
pub(super) enum Refusals {
    /// Fields are missing, too many, or not what they must be
    #[response(status = 400)]
    Invalid(#[to_schema] Wrong),
    /// The key or token does not hold
    #[response(status = 401)]
    Unauthorized(#[to_schema] Empty),
    /// Too many failures; see Retry-After
    #[response(status = 429)]
    Throttled(#[to_schema] Empty),
    /// Not now; see Retry-After
    #[response(status = 503)]
    Later(#[to_schema] Empty),
}
