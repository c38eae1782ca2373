//! A kept refusal, told: judged again with who it was made by, under the reason that it had.

use std::rc::Rc;

use http::{HeaderMap, HeaderValue, Method, header};

use super::judge::{self, Question, Rejected, Sent, Who};
use super::redact::redact;
use super::report::{Ambiguity, Asked, Decision as Told, Report};
use crate::gateway::incoming::{DESTINATION, IF};
use crate::snapshot::Snapshot;
use crate::worker::Worker;
use crate::worker::decisions::{Decision, Facts, Text};

/// The longest method that is told.
const MAX_METHOD: usize = 32;

/// Tells a kept refusal.
pub(super) fn explain(worker: &Worker, decision: &Decision) -> Report {
    let view = worker.view();
    let snapshot = &*view.snapshot;
    let facts = &decision.facts;
    let is_ours = facts.endpoint.is_some() && !facts.is_asked;
    let mut report = if decision.is_cut || is_ours {
        bare(snapshot, decision)
    } else {
        again(snapshot, decision)
    };
    let rule = report.route.as_ref().and_then(|chosen| {
        let routes = snapshot.routes.routes();
        routes.iter().find(|route| *route.name == *chosen.name)?.home.as_ref()
    });
    redact(&mut report, rule);
    if report.reason.as_deref() != Some(facts.reason) {
        // Judged again it ends elsewhere: a wait is over, a token has expired, a body is gone.
        report.because = None;
    }
    if !facts.is_permitted {
        report.forwarded = None;
    }
    let verdict = if facts.is_permitted { "allow" } else { "deny" };
    verdict.clone_into(&mut report.verdict);
    report.status = Some(facts.status);
    report.reason = Some(facts.reason.to_owned());
    report.ambiguity = facts.readings.map(|readings| Ambiguity {
        part: facts.part.to_owned(),
        readings: readings.map(str::to_owned).to_vec(),
    });
    report.decision = Some(told(snapshot, decision));
    report
}

fn told(snapshot: &Snapshot, decision: &Decision) -> Told {
    let Facts { id, unix, generation, client, credential, endpoint, .. } = &decision.facts;
    let time = std::time::UNIX_EPOCH.checked_add(*unix);
    let claimed = text(decision, Text::Claimed);
    Told {
        id: id.to_string(),
        time: time
            .map(|time| humantime::format_rfc3339_millis(time).to_string())
            .unwrap_or_default(),
        generation: *generation,
        has_changed: *generation != snapshot.generation,
        client: client.to_string(),
        credential: credential.map(str::to_owned),
        claimed: (!claimed.is_empty()).then_some(claimed),
        endpoint: endpoint
            .and_then(|index| snapshot.mounts.all().get(index))
            .map(|mount| mount.name.to_string()),
        is_cut: decision.is_cut,
    }
}

fn text(decision: &Decision, text: Text) -> String {
    String::from_utf8_lossy(decision.text(text)).into_owned()
}

/// The request, and nothing judged.
fn bare(snapshot: &Snapshot, decision: &Decision) -> Report {
    let facts = &decision.facts;
    let listener = snapshot.listeners.get(facts.listener);
    let user = facts.principal.as_ref().and_then(|principal| judge::known(principal));
    Report {
        request: Asked {
            method: text(decision, Text::Method).chars().take(MAX_METHOD).collect(),
            target: text(decision, Text::Target),
            host: text(decision, Text::Host),
            listener: listener.map(|listener| listener.name.to_string()).unwrap_or_default(),
            tls: listener.is_some_and(|listener| listener.tls.is_some()),
        },
        user,
        ..Report::default()
    }
}

/// Judges the request again.
fn again(snapshot: &Snapshot, decision: &Decision) -> Report {
    let facts = &decision.facts;
    let Ok(method) = Method::from_bytes(decision.text(Text::Method)) else {
        return bare(snapshot, decision);
    };
    let mut fields = HeaderMap::new();
    for (name, which) in
        [(&header::HOST, Text::Host), (&DESTINATION, Text::Destination), (&IF, Text::Condition)]
    {
        let value = decision.text(which);
        if !value.is_empty()
            && let Ok(value) = HeaderValue::from_bytes(value)
        {
            fields.append(name, value);
        }
    }
    let who = match &facts.principal {
        Some(principal) => Who::Proved(Rc::clone(principal)),
        None => Who::Refused(Rejected { status: facts.status, reason: facts.reason }),
    };
    let target = text(decision, Text::Target);
    let question = Question {
        listener: facts.listener,
        host: None,
        fields,
        body: Sent::Unknown, // no body is kept
        method: &method,
        target: &target,
        who,
        client: facts.client,
    };
    let mut report = judge::judge(snapshot, question);
    if let Some(user) = &mut report.user {
        let directories = &snapshot.identities.directories;
        let directory = directories.iter().find(|known| known.name() == user.directory);
        user.place = directory.and_then(|directory| directory.place(&user.name));
    }
    report
}
