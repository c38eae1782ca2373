//! What is told about a request, for people and for programs.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::policy::explanation::Finding;

/// The whole explanation. What was not reached is `None`.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Report {
    /// The refusal, where a kept one is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) decision: Option<Decision>,
    pub(crate) request: Asked,
    pub(crate) user: Option<User>,
    pub(crate) canonical: Option<Canonical>,
    pub(crate) route: Option<Chosen>,
    pub(crate) passed_over: Vec<PassedOver>,
    pub(crate) demands: Vec<Demand>,
    pub(crate) verdict: String,
    /// Of the answer, where it is ours.
    pub(crate) status: Option<u16>,
    /// As logs and metrics name it.
    pub(crate) reason: Option<String>,
    pub(crate) because: Option<String>,
    /// What had two readings, and which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ambiguity: Option<Ambiguity>,
    pub(crate) forwarded: Option<Forwarded>,
}

/// A refusal that the gateway remembers.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Decision {
    pub(crate) id: String,
    /// When, in RFC 3339.
    pub(crate) time: String,
    /// Under which version of the configuration.
    pub(crate) generation: u64,
    /// Whether another has come since; the demands told are then those of now.
    pub(crate) has_changed: bool,
    pub(crate) client: String,
    /// The kind of credential that was presented.
    pub(crate) credential: Option<String>,
    /// The name that came with it, proved or not.
    pub(crate) claimed: Option<String>,
    /// The endpoint of the gateway's own that was asked.
    pub(crate) endpoint: Option<String>,
    /// The request was too long to be kept whole.
    pub(crate) is_cut: bool,
}

/// What could be read in two ways.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ambiguity {
    pub(crate) part: String,
    pub(crate) readings: Vec<String>,
}

/// The request as it was given.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) host: String,
    pub(crate) listener: String,
    pub(crate) tls: bool,
}

/// Who is supposed to make it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct User {
    pub(crate) name: String,
    /// The directory or issuer that vouches for it.
    pub(crate) directory: String,
    /// Where its entry stands.
    #[serde(default)]
    pub(crate) place: Option<String>,
    pub(crate) home: Option<String>,
    pub(crate) roles: Vec<String>,
    pub(crate) groups: Vec<String>,
    pub(crate) disabled: bool,
}

/// What it names, in the form that is decided on.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Canonical {
    pub(crate) host: String,
    pub(crate) path: String,
    /// What the path came from.
    pub(crate) path_from: String,
    pub(crate) query: Option<String>,
    /// What the query came from.
    pub(crate) query_from: Option<String>,
    pub(crate) destination: Option<String>,
    /// What the destination came from.
    #[serde(default)]
    pub(crate) destination_from: Option<String>,
    /// The `If` header.
    #[serde(default)]
    pub(crate) condition: Option<String>,
    /// What it came from.
    #[serde(default)]
    pub(crate) condition_from: Option<String>,
}

/// The route that answers.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Chosen {
    pub(crate) name: String,
    pub(crate) place: String,
    pub(crate) because: String,
}

/// A route that covers the path and does not answer.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct PassedOver {
    pub(crate) name: String,
    pub(crate) place: String,
    pub(crate) because: String,
}

/// What a route demands.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Demand {
    #[serde(rename = "demand")]
    pub(crate) what: String,
    #[serde(rename = "met")]
    pub(crate) is_met: bool,
    pub(crate) because: String,
    /// Where it stands in the configuration; empty: nowhere.
    #[serde(default)]
    pub(crate) place: String,
}

impl From<Finding> for Demand {
    fn from(finding: Finding) -> Self {
        let Finding { demand, is_met, because, place } = finding;
        Self { what: demand, is_met, because, place }
    }
}

/// What the upstream would get.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Forwarded {
    pub(crate) upstream: String,
    pub(crate) url: String,
    pub(crate) target: String,
    pub(crate) destination: Option<String>,
    /// The `If` header.
    #[serde(default)]
    pub(crate) condition: Option<String>,
    /// The body, where it was looked into.
    #[serde(default)]
    pub(crate) body: Option<String>,
}

impl Report {
    pub(crate) fn is_allowed(&self) -> bool {
        self.forwarded.is_some()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Asked { method, target, host, listener, tls } = &self.request;
        let tls = if *tls { "TLS" } else { "plain HTTP" };
        let target = target.replace('\n', "\\n"); // one line, whatever it holds
        if let Some(decision) = &self.decision {
            write!(f, "{decision}")?;
        }
        writeln!(f, "request    {method} {target}")?;
        writeln!(f, "           to {host}, on the listener {listener} ({tls})")?;
        match &self.user {
            Some(user) => writeln!(f, "user       {user}")?,
            None => writeln!(f, "user       nobody")?,
        }
        if let Some(canonical) = &self.canonical {
            write!(f, "{canonical}")?;
        }
        if let Some(Chosen { name, place, because }) = &self.route {
            writeln!(f, "route      {name}, {place}")?;
            writeln!(f, "           {because}")?;
        }
        for PassedOver { name, place, because } in &self.passed_over {
            writeln!(f, "           not {name}, {place}: {because}")?;
        }
        for (index, Demand { what, is_met, because, place }) in self.demands.iter().enumerate() {
            let title = if index == 0 { "demands" } else { "" };
            let mark = if *is_met { "met    " } else { "NOT MET" };
            writeln!(f, "{title:<10} {mark}  {what}: {because}")?;
            if !place.is_empty() {
                writeln!(f, "                    {place}")?;
            }
        }
        if let Some(Forwarded { upstream, url, target, destination, condition, body }) =
            &self.forwarded
        {
            writeln!(f, "verdict    ALLOW")?;
            writeln!(f, "forwards   {method} {target} to the upstream {upstream}, {url}")?;
            if let Some(destination) = destination {
                writeln!(f, "           with Destination: {destination}")?;
            }
            if let Some(condition) = condition {
                writeln!(f, "           with If: {condition}")?;
            }
            if let Some(body) = body {
                writeln!(f, "           with the body {}", body.replace('\n', "\\n"))?;
            }
            return match (self.status, &self.reason) {
                (Some(status), Some(reason)) => {
                    writeln!(f, "           and answered with {status}, reason {reason}")
                }
                _ => Ok(()),
            };
        }
        let status = self.status.unwrap_or_default();
        let reason = self.reason.as_deref().unwrap_or_default();
        let verdict = self.verdict.to_uppercase();
        writeln!(f, "verdict    {verdict}, answered with {status}, reason {reason}")?;
        if let Some(because) = &self.because {
            writeln!(f, "           {because}")?;
        }
        match &self.ambiguity {
            Some(Ambiguity { part, readings }) => {
                writeln!(f, "           the {part} has two readings: {}", readings.join("; or "))
            }
            None => Ok(()),
        }
    }
}

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, directory, place, home, roles, groups, disabled } = self;
        match place {
            Some(place) => write!(f, "{name}, of the directory {directory}, {place}")?,
            None => write!(f, "{name}, of {directory}")?,
        }
        if *disabled {
            f.write_str(", DISABLED")?;
        }
        write!(f, "; home {}", home.as_deref().unwrap_or("none"))?;
        for (kind, names) in [("roles", roles), ("groups", groups)] {
            if !names.is_empty() {
                write!(f, "; {kind} {}", names.join(", "))?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Canonical {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host: _, path, path_from, query, query_from, .. } = self;
        let from = |form: &str, from: &str| {
            if form == from { "as it came".to_owned() } else { format!("from {from}") }
        };
        writeln!(f, "path       {path}, {}", from(path, path_from))?;
        if let (Some(query), Some(query_from)) = (query, query_from) {
            writeln!(f, "query      {query}, {}", from(query, query_from))?;
        }
        for (name, form, origin) in [
            ("Destination", &self.destination, &self.destination_from),
            ("If", &self.condition, &self.condition_from),
        ] {
            match (form, origin) {
                (Some(form), Some(origin)) => {
                    writeln!(f, "           {name}: {form}, {}", from(form, origin))?;
                }
                (Some(form), None) => writeln!(f, "           {name}: {form}")?,
                (None, _) => {}
            }
        }
        Ok(())
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, time, generation, client, credential, claimed, endpoint, .. } = self;
        writeln!(f, "decision   {id}, {time}, generation {generation}")?;
        write!(f, "           from {client}")?;
        if let Some(credential) = credential {
            write!(f, ", with a credential ({credential})")?;
        }
        if let Some(claimed) = claimed {
            write!(f, " for {claimed:?}")?;
        }
        if let Some(endpoint) = endpoint {
            write!(f, ", at the endpoint {endpoint}")?;
        }
        writeln!(f)?;
        if self.has_changed {
            let told = "the configuration has changed since: what follows is told by the new one";
            writeln!(f, "           {told}")?;
        }
        if self.is_cut {
            writeln!(f, "           the request was too long to be kept whole")?;
        }
        Ok(())
    }
}
