//! `doorward reload`: lets the running gateway read its files again.

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use super::remote::{RemoteError, Where};
use super::{Answer, Failure, Verdict};

/// Keys and passwords are read and hashed anew: that may take a while.
const PATIENCE: Duration = Duration::from_mins(1);

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    place: Where,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Deserialize)]
struct Loaded {
    generation: u64,
}

#[derive(Deserialize)]
struct Kept {
    error: String,
}

/// The gateway keeps what it has.
#[derive(Debug, thiserror::Error)]
#[error("not reloaded, the last good version stays in service:\n{0}")]
struct NotReloaded(String);

pub(super) fn run(arguments: &Arguments, config: &Path) -> Result<Answer, Failure> {
    let answer = arguments.place.client(config, PATIENCE)?.post("/reload");
    let answer = answer.map_err(RemoteError::from)?;
    let text = || String::from_utf8_lossy(&answer.body).into_owned();
    match answer.status {
        200 if arguments.json => Ok(Answer::good(text())),
        200 => {
            let Loaded { generation } =
                serde_json::from_slice(&answer.body).map_err(RemoteError::from)?;
            Ok(Answer::good(format!("generation {generation} is in service\n")))
        }
        409 if arguments.json => {
            Ok(Answer { text: text(), verdict: Verdict::Refused, ..Answer::default() })
        }
        409 => {
            let Kept { error } = serde_json::from_slice(&answer.body).map_err(RemoteError::from)?;
            Err(NotReloaded(error).into())
        }
        _ => Err(RemoteError::unexpected(&answer).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::remote::tests::answering;
    use super::*;

    fn ask(status: &str, body: &str, json: bool) -> Result<Answer, Failure> {
        run(&Arguments { place: answering(status, body), json }, Path::new("unused"))
    }

    #[test]
    fn the_new_generation_is_told() {
        let answer = ask("200 OK", "{\"generation\":7}\n", false).unwrap();

        assert_eq!(answer, Answer::good("generation 7 is in service\n"));
    }

    #[test]
    fn what_kept_it_from_reloading_is_told_with_its_places() {
        let body = "{\"error\":\"doorward.toml:3:1: unknown key\"}\n";

        let Err(Failure(error)) = ask("409 Conflict", body, false) else { panic!() };
        let json = ask("409 Conflict", body, true).unwrap();

        assert!(error.to_string().ends_with("in service:\ndoorward.toml:3:1: unknown key"));
        assert_eq!((json.text.as_str(), json.verdict), (body, Verdict::Refused));
    }

    #[test]
    fn anything_else_is_an_error() {
        assert!(ask("403 Forbidden", "{\"error\":\"only for local peers\"}", true).is_err());
        assert!(ask("200 OK", "nonsense", false).is_err());
    }
}
