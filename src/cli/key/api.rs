//! `doorward key issue`, `register`, `revoke`, and `list` without a file: API keys of the running
//! gateway.

use std::path::Path;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::cli::answer::printable;
use crate::cli::prompt;
use crate::cli::remote::{RemoteError, Where, segment};
use crate::cli::status::date;
use crate::cli::table::columns;
use crate::cli::{Answer, Failure, Verdict};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Issue {
    /// Whose key it will be
    #[arg(long, short, value_name = "NAME")]
    user: String,
    /// What it is called in lists
    #[arg(long, default_value = "")]
    label: String,
    /// A permission that it passes on; may be given several times [default: all of the user's]
    #[arg(long = "permission", value_name = "PERMISSION")]
    permissions: Vec<String>,
    /// The path below which everything lies that it may name
    #[arg(long)]
    path: Option<String>,
    /// A method that it may be used with; may be given several times [default: all]
    #[arg(long = "method", value_name = "METHOD")]
    methods: Vec<String>,
    /// A network that it may be used from; may be given several times [default: all]
    #[arg(long = "source", value_name = "NETWORK")]
    sources: Vec<String>,
    /// How long it holds, such as `90days` [default: until it is revoked]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    lifetime: Option<Duration>,
    #[command(flatten)]
    place: Where,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Register {
    /// The UUID that it stands for
    #[arg(long, value_name = "UUID")]
    identifier: String,
    /// How long it holds [default: 48h]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    lifetime: Option<Duration>,
    #[command(flatten)]
    place: Where,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Revoke {
    /// The key's id, as `doorward key list` shows it
    id: String,
    #[command(flatten)]
    place: Where,
}

pub(super) fn issue(arguments: &Issue, config: &Path) -> Result<Answer, Failure> {
    let Issue { user, label, permissions, path, methods, sources, lifetime, place, json } =
        arguments;
    let mut scope = Map::new();
    let lists = [("permissions", permissions), ("methods", methods), ("sources", sources)];
    for (name, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
        scope.insert(name.to_owned(), json!(list));
    }
    if let Some(path) = path {
        scope.insert("path".to_owned(), path.as_str().into());
    }
    let body = json!({
        "owner": user,
        "label": label,
        "scope": scope,
        "lifetime": lifetime.map(|lifetime| lifetime.as_secs()),
    });
    let told = place.ask(config, "POST", "/keys", Some(&body))?;
    if *json {
        return Answer::json(&told, Verdict::Good);
    }
    // The key alone, so that it can be put into a variable; what else there is, beside.
    let key = told.get("key").and_then(Value::as_str).unwrap_or_default();
    let id = told.get("id").and_then(Value::as_str).unwrap_or_default();
    let mut answer = Answer::good(format!("{key}\n"));
    answer.warnings.push(format!("the key {id} is shown this once"));
    Ok(answer)
}

pub(super) fn register(arguments: &Register, config: &Path) -> Result<Answer, Failure> {
    let Register { identifier, lifetime, place, json } = arguments;
    let key = prompt::new_password()?;
    let body = json!({
        "key": std::str::from_utf8(key.expose())?,
        "identifier": identifier,
        "lifetime": lifetime.map(|lifetime| lifetime.as_secs()),
    });
    let told = place.ask(config, "POST", "/keys/register", Some(&body))?;
    if *json {
        return Answer::json(&told, Verdict::Good);
    }
    let id = told.get("id").and_then(Value::as_str).unwrap_or_default();
    Ok(Answer::good(printable(&format!("the key {id} stands for {identifier}\n"))))
}

pub(super) fn revoke(arguments: &Revoke, config: &Path) -> Result<Answer, Failure> {
    let path = format!("/keys/{}", segment(&arguments.id));
    arguments.place.ask(config, "DELETE", &path, None)?;
    Ok(Answer::good(printable(&format!("the key {} is ended\n", arguments.id))))
}

pub(super) fn list(
    place: &Where,
    user: Option<&str>,
    json: bool,
    config: &Path,
) -> Result<Answer, Failure> {
    let path =
        user.map_or_else(|| "/keys".to_owned(), |user| format!("/keys?owner={}", segment(user)));
    let told = place.ask(config, "GET", &path, None)?;
    if json {
        return Answer::json(&told, Verdict::Good);
    }
    let keys = told.get("keys").and_then(Value::as_array).ok_or_else(malformed)?;
    let mut rows = vec![["ID", "OWNER", "LABEL", "EXPIRES", "SCOPE"].map(str::to_owned)];
    rows.extend(keys.iter().map(|key| {
        let text = |name: &str| key.get(name).and_then(Value::as_str).unwrap_or("-").to_owned();
        let expires = key.get("expires_at").and_then(Value::as_u64);
        let scope =
            key.get("scope").filter(|scope| scope.as_object().is_some_and(|it| !it.is_empty()));
        [
            text("id"),
            text("owner"),
            text("label"),
            expires.map_or_else(|| "-".to_owned(), date),
            scope.map_or_else(|| "-".to_owned(), ToString::to_string),
        ]
    }));
    Ok(Answer::good(printable(&columns(&rows))))
}

fn malformed() -> RemoteError {
    RemoteError::Refused("the gateway's answer holds no keys".to_owned())
}
