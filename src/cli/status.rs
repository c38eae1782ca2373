//! `doorward status`: what the running gateway is doing.

use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use super::answer::printable;
use super::remote::{RemoteError, Where};
use super::table::columns;
use super::{Answer, Failure, settings};
use crate::admin::Status;
use crate::admin::status::{ThrottleStatus, WaitStatus};

const PATIENCE: Duration = Duration::from_secs(10);

/// How many of those who wait are shown to people.
const MOST_WAITING: usize = 20;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    place: Where,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments, config: &Path) -> Result<Answer, Failure> {
    // Who may not change anything is told less.
    let token = settings::load(config).ok().and_then(|config| config.admin_token);
    let client = arguments.place.client(config, PATIENCE)?.with_token(token);
    let answer = client.get("/status");
    let answer = answer.map_err(RemoteError::from)?;
    if answer.status != 200 {
        return Err(RemoteError::unexpected(&answer).into());
    }
    let status: Status = serde_json::from_slice(&answer.body).map_err(RemoteError::from)?;
    if arguments.json {
        return Answer::json(&status, super::Verdict::Good);
    }
    Ok(Answer::good(printable(&describe(&status))))
}

fn describe(status: &Status) -> String {
    let mut rows: Vec<[String; 2]> = Vec::new();
    let mut row = |name: &str, value: String| rows.push([name.to_owned(), value]);
    let uptime = humantime::format_duration(Duration::from_secs(status.uptime_seconds));
    let state = if status.draining { "draining" } else { "serving" };
    let Status { version, pid, workers, .. } = status;
    row("doorward", format!("{version}, pid {pid}, {state} for {uptime}, workers {workers}"));
    row("generation", format!("{}, since {}", status.generation, date(status.loaded_at)));
    if let Some(last) = &status.last_reload {
        let outcome = match (&last.error, last.succeeded) {
            (_, true) => "took effect".to_owned(),
            (error, false) => format!("failed: {}", error.as_deref().unwrap_or("no reason given")),
        };
        row("last reload", format!("{}, {outcome}", date(last.at)));
    }
    for listener in &status.listeners {
        let protocol = if listener.tls { "TLS" } else { "plain" };
        let (address, connections) = (&listener.address, listener.connections);
        let name = format!("listener {}", listener.name);
        row(&name, format!("{address}, {protocol}, connections {connections}"));
    }
    let Status { routes, users, keys, connections, requests_active, requests, .. } = status;
    row("loaded", format!("routes {routes}, users {users}, keys {keys}"));
    row("connections", connections.to_string());
    row("requests", format!("{requests}, {requests_active} in progress"));
    let ThrottleStatus { failed, throttled, waiting_now, waiting, .. } = &status.throttle;
    row("logins", format!("{failed} failed, {throttled} told to wait, {waiting_now} waiting now"));
    for wait in waiting.iter().take(MOST_WAITING) {
        let who = wait.user.as_deref().unwrap_or("anybody");
        let from = wait.address.as_deref().unwrap_or("any other address");
        let WaitStatus { failures, seconds, .. } = wait;
        row("waiting", format!("{who} from {from}: {seconds} s, after {failures} failures"));
    }
    if status.log_lines_dropped > 0 {
        row("log", format!("{} lines dropped", status.log_lines_dropped));
    }
    for certificate in &status.certificates {
        let left = certificate.remaining_seconds;
        let left = match u64::try_from(left) {
            Ok(left) => format!("{} days left", left / 86_400),
            Err(_) => "EXPIRED".to_owned(),
        };
        let name = format!("certificate {}", certificate.name);
        row(&name, format!("until {}, {left}", date(certificate.expires)));
    }
    for warning in &status.warnings {
        row("warning", warning.clone());
    }
    columns(&rows)
}

/// A time in Unix seconds as people and logs write it. A time beyond what can be written stays
/// a number.
pub(super) fn date(seconds: u64) -> String {
    match UNIX_EPOCH.checked_add(Duration::from_secs(seconds)) {
        Some(time) if seconds < 253_402_300_800 => {
            humantime::format_rfc3339_seconds(time).to_string()
        }
        _ => seconds.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::remote::tests::answering;
    use super::*;
    use crate::admin::status::{CertificateStatus, LastReload, ListenerStatus};

    fn status() -> Status {
        Status {
            version: "0.1.0".to_owned(),
            pid: 42,
            uptime_seconds: 3661,
            generation: 3,
            loaded_at: 1_800_000_000,
            last_reload: Some(LastReload {
                at: 1_800_000_100,
                succeeded: false,
                error: Some("users.yaml:3:1: \u{1b}[31mno".to_owned()),
            }),
            listeners: vec![ListenerStatus {
                name: "main".to_owned(),
                address: "0.0.0.0:8443".to_owned(),
                tls: true,
                connections: 2,
            }],
            certificates: vec![CertificateStatus {
                name: "gw.example.org".to_owned(),
                expires: 1_700_000_000,
                remaining_seconds: -5,
            }],
            throttle: ThrottleStatus {
                failed: 7,
                throttled: 9,
                waiting_now: 2,
                waiting: vec![
                    WaitStatus {
                        user: Some("al\u{1b}ice".to_owned()),
                        address: None,
                        failures: 6,
                        seconds: 2,
                    },
                    WaitStatus {
                        user: None,
                        address: Some("192.0.2.7".to_owned()),
                        failures: 50,
                        seconds: 1,
                    },
                ],
                ..ThrottleStatus::default()
            },
            ..Status::default()
        }
    }

    fn ask(json: bool) -> String {
        let body = serde_json::to_string(&status()).unwrap();
        let place = answering("200 OK", &body);
        run(&Arguments { place, json }, Path::new("unused")).unwrap().text
    }

    #[test]
    fn people_read_it_in_lines() {
        let text = ask(false);

        assert!(text.contains("0.1.0, pid 42, serving for 1h 1m 1s"), "{text}");
        assert!(
            text.contains("generation                  3, since 2027-01-15T08:00:00Z"),
            "{text}"
        );
        assert!(text.contains("failed: users.yaml:3:1: \\u{1b}[31mno"), "{text}");
        assert!(text.contains("0.0.0.0:8443, TLS, connections 2"), "{text}");
        assert!(text.contains("EXPIRED"), "{text}");
        assert!(text.contains("7 failed, 9 told to wait, 2 waiting now"), "{text}");
        let waits = "al\\u{1b}ice from any other address: 2 s, after 6 failures";
        assert!(text.contains(waits), "{text}");
        assert!(text.contains("anybody from 192.0.2.7: 1 s"), "{text}");
    }

    #[test]
    fn programs_read_it_as_json() {
        let read: Status = serde_json::from_str(&ask(true)).unwrap();

        assert_eq!(read, status());
    }

    #[test]
    fn no_time_is_too_late_to_be_written() {
        assert_eq!(date(u64::MAX), u64::MAX.to_string());
        assert_eq!(date(253_402_300_799), "9999-12-31T23:59:59Z");
    }
}
