//! `doorward token list`: logins that can be refreshed, as the running gateway knows them.
//!
//! An access token is nobody's to list: it holds for whoever presents it, and is known by its
//! signature alone.

use std::path::Path;

use serde_json::Value;

use crate::cli::answer::printable;
use crate::cli::remote::{RemoteError, Where, segment};
use crate::cli::status::date;
use crate::cli::table::columns;
use crate::cli::{Answer, Failure, Verdict};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// Of this user alone
    #[arg(long, short, value_name = "NAME")]
    user: Option<String>,
    #[command(flatten)]
    place: Where,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments, config: &Path) -> Result<Answer, Failure> {
    let path = match &arguments.user {
        Some(user) => format!("/tokens?user={}", segment(user)),
        None => "/tokens".to_owned(),
    };
    let told = arguments.place.ask(config, "GET", &path, None)?;
    if arguments.json {
        return Answer::json(&told, Verdict::Good);
    }
    let malformed = || RemoteError::Refused("the gateway's answer holds no logins".to_owned());
    let families = told.get("families").and_then(Value::as_array).ok_or_else(malformed)?;
    let mut rows = vec![["LOGIN", "USER", "KEY", "BEGAN", "ENDS"].map(str::to_owned)];
    rows.extend(families.iter().map(|family| {
        let text = |name: &str| family.get(name).and_then(Value::as_str).unwrap_or("-").to_owned();
        let time = |name: &str| {
            let seconds = family.get(name).and_then(Value::as_u64);
            seconds.map_or_else(|| "-".to_owned(), date)
        };
        [text("id"), text("user"), text("key"), time("began_at"), time("expires_at")]
    }));
    Ok(Answer::good(printable(&columns(&rows))))
}
