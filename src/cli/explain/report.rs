//! What is told about a request, for people and for programs.

use std::fmt;

use serde::Serialize;

use crate::policy::explanation::Finding;

/// The whole explanation. What was not reached is `None`.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) request: Asked,
    pub(super) user: Option<User>,
    pub(super) canonical: Option<Canonical>,
    pub(super) route: Option<Chosen>,
    pub(super) passed_over: Vec<PassedOver>,
    pub(super) demands: Vec<Demand>,
    pub(super) verdict: &'static str,
    /// Of the answer, where it is ours.
    pub(super) status: Option<u16>,
    /// As logs and metrics name it.
    pub(super) reason: Option<&'static str>,
    pub(super) because: Option<String>,
    pub(super) forwarded: Option<Forwarded>,
}

/// The request as it was given.
#[derive(Debug, Serialize)]
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) host: String,
    pub(super) listener: String,
    pub(super) tls: bool,
}

/// Who is supposed to make it.
#[derive(Debug, Serialize)]
pub(super) struct User {
    pub(super) name: String,
    pub(super) directory: String,
    pub(super) home: Option<String>,
    pub(super) roles: Vec<String>,
    pub(super) groups: Vec<String>,
    pub(super) disabled: bool,
}

/// What it names, in the form that is decided on.
#[derive(Debug, Serialize)]
pub(super) struct Canonical {
    pub(super) host: String,
    pub(super) path: String,
    /// What the path came from.
    pub(super) path_from: String,
    pub(super) query: Option<String>,
    /// What the query came from.
    pub(super) query_from: Option<String>,
    pub(super) destination: Option<String>,
}

/// The route that answers.
#[derive(Debug, Serialize)]
pub(super) struct Chosen {
    pub(super) name: String,
    pub(super) place: String,
    pub(super) because: String,
}

/// A route that covers the path and does not answer.
#[derive(Debug, Serialize)]
pub(super) struct PassedOver {
    pub(super) name: String,
    pub(super) place: String,
    pub(super) because: &'static str,
}

/// What a route demands.
#[derive(Debug, Serialize)]
pub(super) struct Demand {
    #[serde(rename = "demand")]
    pub(super) what: String,
    #[serde(rename = "met")]
    pub(super) is_met: bool,
    pub(super) because: String,
}

impl From<Finding> for Demand {
    fn from(finding: Finding) -> Self {
        let Finding { demand, is_met, because } = finding;
        Self { what: demand, is_met, because }
    }
}

/// What the upstream would get.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Forwarded {
    pub(super) upstream: String,
    pub(super) url: String,
    pub(super) target: String,
    pub(super) destination: Option<String>,
}

impl Report {
    pub(super) fn is_allowed(&self) -> bool {
        self.forwarded.is_some()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Asked { method, target, host, listener, tls } = &self.request;
        let tls = if *tls { "TLS" } else { "plain HTTP" };
        let target = target.replace('\n', "\\n"); // one line, whatever it holds
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
        for (index, Demand { what, is_met, because }) in self.demands.iter().enumerate() {
            let title = if index == 0 { "demands" } else { "" };
            let mark = if *is_met { "met    " } else { "NOT MET" };
            writeln!(f, "{title:<10} {mark}  {what}: {because}")?;
        }
        if let Some(Forwarded { upstream, url, target, destination }) = &self.forwarded {
            writeln!(f, "verdict    ALLOW")?;
            writeln!(f, "forwards   {method} {target} to the upstream {upstream}, {url}")?;
            if let Some(destination) = destination {
                writeln!(f, "           with Destination: {destination}")?;
            }
            return Ok(());
        }
        let status = self.status.unwrap_or_default();
        let reason = self.reason.unwrap_or_default();
        writeln!(f, "verdict    DENY, answered with {status}, reason {reason}")?;
        writeln!(f, "           {}", self.because.as_deref().unwrap_or_default())
    }
}

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, directory, home, roles, groups, disabled } = self;
        write!(f, "{name}, of the directory {directory}")?;
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
        let Self { host: _, path, path_from, query, query_from, destination } = self;
        let from = |form: &str, from: &str| {
            if form == from { "as it came".to_owned() } else { format!("from {from}") }
        };
        writeln!(f, "path       {path}, {}", from(path, path_from))?;
        if let (Some(query), Some(query_from)) = (query, query_from) {
            writeln!(f, "query      {query}, {}", from(query, query_from))?;
        }
        match destination {
            Some(destination) => writeln!(f, "           Destination: {destination}"),
            None => Ok(()),
        }
    }
}
