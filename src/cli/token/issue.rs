//! `doorward token issue`: a token for a user, signed with an issuer's newest private key.

use std::path::Path;
use std::time::Duration;

use serde_json::json;

use crate::admin::issue::{ExtraClaim, Order};
use crate::cli::status::date;
use crate::cli::{Answer, Failure, Verdict, settings};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// Whom the token speaks for
    #[arg(long, short, value_name = "NAME")]
    user: String,
    /// The issuer that signs [default: the only one that can]
    #[arg(long, value_name = "NAME")]
    issuer: Option<String>,
    /// How long it holds, such as `15m` [default: the issuer's `lifetime`]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    lifetime: Option<Duration>,
    /// A further claim; VALUE is JSON, or else text; NAME may be a path: `realm_access.roles`
    #[arg(long = "claim", value_name = "NAME=VALUE")]
    claims: Vec<ExtraClaim>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments, config: &Path, now: u64) -> Result<Answer, Failure> {
    let (_, snapshot) = settings::snapshot(config)?;
    let order = Order {
        user: &arguments.user,
        issuer: arguments.issuer.as_deref(),
        lifetime: arguments.lifetime,
        claims: &arguments.claims,
    };
    let issued = order.fill(&snapshot, now)?;
    if !arguments.json {
        return Ok(Answer::good(issued.token + "\n"));
    }
    let told = json!({
        "token": issued.token,
        "user": order.user,
        "issuer": issued.issuer,
        "key_id": issued.key_id,
        "expires": issued.expires,
        "expires_at": date(issued.expires),
    });
    Answer::json(&told, Verdict::Good)
}

#[cfg(test)]
pub(super) mod tests;
