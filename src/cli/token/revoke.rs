//! `doorward token revoke`: ends a token, a login, or everything of a user, in the running gateway.

use std::path::Path;

use serde_json::json;

use super::inspect::read;
use crate::cli::answer::printable;
use crate::cli::remote::Where;
use crate::cli::{Answer, Failure};

#[derive(Debug, clap::Args)]
#[group(skip)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    what: What,
    #[command(flatten)]
    place: Where,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct What {
    /// The access or refresh token; `-` reads it from standard input
    token: Option<String>,
    /// The token with this `jti` claim
    #[arg(long, value_name = "JTI")]
    id: Option<String>,
    /// The login with this `sid` claim, and all that came of it
    #[arg(long, value_name = "SID")]
    family: Option<String>,
    /// All that this user has until now
    #[arg(long, short, value_name = "NAME")]
    user: Option<String>,
}

pub(super) fn run(arguments: &Arguments, config: &Path) -> Result<Answer, Failure> {
    let What { token, id, family, user } = &arguments.what;
    let (body, done) = match (token, id, family, user) {
        (_, Some(id), _, _) => (json!({ "id": id }), format!("the token {id}")),
        (_, _, Some(family), _) => (json!({ "family": family }), format!("the login {family}")),
        (_, _, _, Some(user)) => (json!({ "user": user }), format!("everything of {user}")),
        (token, None, None, None) => {
            let token = read(token.as_deref().unwrap_or("-"))?;
            (json!({ "token": token }), "the token".to_owned())
        }
    };
    arguments.place.ask(config, "POST", "/tokens/revoke", Some(&body))?;
    Ok(Answer::good(printable(&format!("{done} is ended\n"))))
}
