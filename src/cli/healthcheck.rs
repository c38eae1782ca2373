//! `doorward healthcheck`: for container probes that have no HTTP client.

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use super::remote::{RemoteError, Where};
use super::{Answer, Failure, Verdict};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    place: Where,
    /// Ask only whether it lives, not whether it is ready for requests
    #[arg(long)]
    live: bool,
    /// How long to wait for an answer
    #[arg(long, value_name = "TIME", default_value = "3s", value_parser = humantime::parse_duration)]
    timeout: Duration,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Deserialize)]
struct Readiness {
    reasons: Vec<String>,
}

pub(super) fn run(arguments: &Arguments, config: &Path) -> Result<Answer, Failure> {
    let client = arguments.place.client(config, arguments.timeout)?;
    let path = if arguments.live { "/healthz" } else { "/readyz" };
    let answer = client.get(path).map_err(RemoteError::from)?;
    let is_good = match answer.status {
        200 => true,
        503 if !arguments.live => false,
        _ => return Err(RemoteError::unexpected(&answer).into()),
    };
    let verdict = Verdict::of(is_good);
    let text = match (arguments.live, arguments.json) {
        (true, false) => "alive\n".to_owned(),
        (true, true) => "{\"alive\":true}\n".to_owned(),
        (false, true) => String::from_utf8_lossy(&answer.body).into_owned(),
        (false, false) => {
            let Readiness { reasons } =
                serde_json::from_slice(&answer.body).map_err(RemoteError::from)?;
            if is_good {
                "ready\n".to_owned()
            } else {
                format!("not ready: {}\n", reasons.join(", "))
            }
        }
    };
    Ok(Answer { text, verdict, ..Answer::default() })
}

#[cfg(test)]
mod tests {
    use super::super::remote::tests::answering;
    use super::*;

    fn ask(status: &str, body: &str, live: bool) -> Result<Answer, Failure> {
        let place = answering(status, body);
        let timeout = Duration::from_secs(10);
        run(&Arguments { place, live, timeout, json: false }, Path::new("unused"))
    }

    #[test]
    fn a_gateway_that_serves_is_ready() {
        let answer = ask("200 OK", "{\"ready\":true,\"reasons\":[]}", false).unwrap();

        assert_eq!(answer, Answer::good("ready\n"));
    }

    #[test]
    fn a_gateway_that_drains_is_not_ready_and_says_so() {
        let body = "{\"ready\":false,\"reasons\":[\"draining\"]}";

        let answer = ask("503 Service Unavailable", body, false).unwrap();

        assert_eq!(answer.text, "not ready: draining\n");
        assert_eq!(answer.verdict, Verdict::Refused);
    }

    #[test]
    fn liveness_asks_for_nothing_else() {
        assert_eq!(ask("200 OK", "ok\n", true).unwrap(), Answer::good("alive\n"));
        assert!(ask("503 Service Unavailable", "", true).is_err());
    }
}
