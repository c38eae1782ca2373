//! `doorward explain`: what would become of a request, and why; or what became of one that the
//! running gateway refused.
//!
//! The request is read by the code that reads requests and judged by the code that judges them;
//! only who makes it is supposed instead of proved. Nothing is sent.

use std::path::Path;

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};

use super::answer::printable;
use super::remote::{Where, segment};
use super::{Answer, Failure, Verdict, settings};
use crate::credential::X_AUTH_TOKEN;
use crate::gateway::explain::judge::{self, Question, Who};
use crate::gateway::explain::report::Report;
use crate::worker::decisions::NOWHERE;

#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("who").args(["user", "anonymous"])))]
pub(super) struct Arguments {
    /// The user who makes the request, as a directory knows them
    #[arg(long, short, value_name = "NAME", requires = "target")]
    user: Option<String>,
    /// Nobody makes the request: it has no credential
    #[arg(long, requires = "target")]
    anonymous: bool,
    /// The listener that it comes to [default: the first]
    #[arg(long, value_name = "NAME", requires = "target")]
    listener: Option<String>,
    /// The host that it asks for [default: that of TARGET, else localhost]
    #[arg(long, value_name = "HOST", requires = "target")]
    host: Option<String>,
    /// A header field, such as `Destination: /files/b`
    #[arg(
        long = "header",
        short = 'H',
        value_name = "NAME: VALUE",
        value_parser = field,
        requires = "target"
    )]
    fields: Vec<(HeaderName, HeaderValue)>,
    /// The body, where the route looks into one; what it is says `-H 'Content-Type: …'`
    #[arg(long, value_name = "TEXT", requires = "target")]
    data: Option<String>,
    #[command(flatten)]
    place: Where,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// The method, in upper case; or, alone, the id of a decision, which the running gateway is
    /// asked about
    #[arg(value_name = "METHOD|DECISION")]
    what: String,
    /// The path and query, or the whole URL, exactly as a client sends it
    #[arg(requires = "who", conflicts_with = "admin")]
    target: Option<String>,
}

/// Why there is nothing to explain.
#[derive(Debug, thiserror::Error)]
enum ExplainError {
    #[error("`{0}` is no method")]
    Method(String),
    #[error("the configuration has no listener `{0}`")]
    UnknownListener(String),
    #[error("no directory has a user `{0}`")]
    UnknownUser(String),
}

/// Why a text is no header field.
#[derive(Debug, thiserror::Error)]
enum FieldError {
    #[error("credentials are not verified here: say who it is with --user")]
    Credential,
    #[error("write it as `Name: value`")]
    Form,
    #[error(transparent)]
    Name(#[from] header::InvalidHeaderName),
    #[error(transparent)]
    Value(#[from] header::InvalidHeaderValue),
}

fn field(text: &str) -> Result<(HeaderName, HeaderValue), FieldError> {
    let (name, value) = text.split_once(':').ok_or(FieldError::Form)?;
    let name: HeaderName = name.parse()?;
    if name == header::AUTHORIZATION || name == X_AUTH_TOKEN {
        return Err(FieldError::Credential);
    }
    Ok((name, value.trim_matches([' ', '\t']).parse()?))
}

pub(super) fn run(arguments: &Arguments, config: &Path) -> Result<Answer, Failure> {
    let Some(target) = &arguments.target else {
        let path = format!("/decisions/{}", segment(&arguments.what));
        let told = arguments.place.ask(config, "GET", &path, None)?;
        let report: Report = serde_json::from_value(told)?;
        return answer(&report, arguments.json);
    };
    let method = arguments.what.parse::<Method>();
    let method = method.map_err(|_| ExplainError::Method(arguments.what.clone()))?;
    let (_, snapshot) = settings::snapshot(config)?;
    let listener = match &arguments.listener {
        None => Some(0),
        Some(name) => snapshot.listeners.iter().position(|known| *known.name == **name),
    };
    let unknown = || ExplainError::UnknownListener(arguments.listener.clone().unwrap_or_default());
    let listener = listener.ok_or_else(unknown)?;
    let who = match &arguments.user {
        None => Who::Nobody,
        Some(name) => {
            let found = snapshot.identities.find(name);
            let (directory, user) = found.ok_or_else(|| ExplainError::UnknownUser(name.clone()))?;
            Who::User { user, directory }
        }
    };
    let mut fields = HeaderMap::new();
    for (name, value) in &arguments.fields {
        fields.append(name, value.clone());
    }
    let question = Question {
        listener,
        host: arguments.host.as_deref(),
        fields,
        body: match arguments.data.as_deref() {
            None | Some("") => judge::Sent::Nothing,
            Some(body) => judge::Sent::Body(body),
        },
        method: &method,
        target,
        who,
        client: NOWHERE,
    };
    answer(&judge::judge(&snapshot, question), arguments.json)
}

fn answer(report: &Report, json: bool) -> Result<Answer, Failure> {
    let verdict = Verdict::of(report.is_allowed());
    if json {
        return Answer::json(report, verdict);
    }
    Ok(Answer { text: printable(&report.to_string()), verdict, ..Answer::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_field_is_a_name_and_a_value() {
        let (name, value) = field("Destination:  /files/b ").unwrap();

        assert_eq!((name.as_str(), value.as_bytes()), ("destination", &b"/files/b"[..]));
    }

    #[test]
    fn what_is_no_header_field_is_refused() {
        for text in ["", "Destination", "a b: c", "a: b\r\nc: d", ": x"] {
            assert!(field(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_credential_is_not_mistaken_for_a_proof() {
        for text in ["Authorization: Bearer x", "x-auth-token: x"] {
            assert!(matches!(field(text), Err(FieldError::Credential)), "{text}");
        }
    }
}
