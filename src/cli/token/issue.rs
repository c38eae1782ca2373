//! `doorward token issue`: a token for a user, signed with an issuer's newest private key: with
//! the keys that the configuration names or, where an admin listener is named, by the gateway that
//! runs there.

use std::path::Path;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::admin::issue::{ExtraClaim, Order};
use crate::cli::remote::Where;
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
    #[command(flatten)]
    place: Where,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments, config: &Path, now: u64) -> Result<Answer, Failure> {
    if arguments.place.admin.is_some() {
        return ask(arguments, config);
    }
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

fn ask(arguments: &Arguments, config: &Path) -> Result<Answer, Failure> {
    let Arguments { user, issuer, lifetime, claims, place, json } = arguments;
    let claims: Map<_, _> = claims.iter().map(|claim| (claim.name(), claim.value())).collect();
    let order = json!({
        "user": user,
        "issuer": issuer,
        "lifetime": lifetime.map(|lifetime| lifetime.as_secs()),
        "claims": claims,
    });
    let told = place.ask(config, "POST", "/tokens", Some(&order))?;
    if *json {
        return Answer::json(&told, Verdict::Good);
    }
    let token = told.get("token").and_then(Value::as_str).unwrap_or_default();
    Ok(Answer::good(format!("{token}\n")))
}

#[cfg(test)]
pub(super) mod tests;
