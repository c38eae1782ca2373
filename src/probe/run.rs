//! Sends the attacks and collects the verdicts.

use std::io;
use std::sync::Arc;

use serde_json::Value;
use tokio::task::JoinSet;

use super::attack::{Attack, Family, Message, Rendered, Sender, generate};
use super::dial::Target;
use super::http1::{self, Outcome};
use super::http2;
use super::record::Record;
use super::recorder::{RECORDS, Recorder};
use super::site::Site;
use super::verdict::{Judge, Verdict};

/// So many attacks are on their way at once.
const AT_ONCE: usize = 8;

/// Whether the upstream still gets what is the attacker's own is asked so often.
const CONTROL_EVERY: usize = 200;

/// What is shown in the place of the credential.
const HIDDEN: &str = "$CREDENTIAL";

/// How it is known what the upstream received.
#[derive(Clone, Debug)]
pub enum Sight {
    /// By the secret that the attacked file holds.
    Canary(Vec<u8>),
    /// The recording upstream runs in this process.
    Here(Recorder),
    /// It runs there.
    There(Target),
}

/// What is to be done.
#[derive(Debug)]
pub struct Plan {
    /// The gateway.
    pub target: Target,
    /// Name and value of the field that proves who attacks.
    pub credential: (String, String),
    /// The families that are sent.
    pub families: Vec<Family>,
    /// Only the attack with this id is sent.
    pub only: Option<String>,
    /// Tells this run's requests from those of others.
    pub run: String,
    /// How it is known what arrived.
    pub sight: Sight,
}

/// One attack and what came of it.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Names the attack, the same every time: `separators-17`.
    pub id: String,
    /// The route.
    pub site: String,
    /// The attack.
    pub attack: Attack,
    /// What was sent, with `$CREDENTIAL` in the place of the credential.
    pub sent: Rendered,
    /// The heads that the upstream received.
    pub received: Vec<Vec<u8>>,
    /// What it has achieved.
    pub verdict: Verdict,
}

/// Everything that came of it.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// In the order of the attacks.
    pub findings: Vec<Finding>,
    /// What was not sent, and why.
    pub left_out: Vec<String>,
}

/// Why nothing can be proved.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The attacker does not even get what is theirs.
    #[error(
        "`{target}` of {user}'s own did not get through ({outcome}): what is refused then proves nothing"
    )]
    Control {
        /// What was asked for.
        target: String,
        /// Who asked.
        user: String,
        /// What came instead.
        outcome: String,
    },
    /// Nobody answers.
    #[error("cannot connect to {address}")]
    Unreachable {
        /// Where.
        address: String,
        /// Why.
        source: io::Error,
    },
    /// What should be the recording upstream isn't.
    #[error("no recording upstream answers at {0}: start one with `doorward probe upstream`")]
    NoRecorder(String),
}

/// Sends all attacks on `site`; `progress` hears how many of how many have come back.
///
/// # Errors
///
/// [`ProbeError`]: the verdicts would mean nothing.
pub async fn run(
    plan: &Arc<Plan>,
    site: &Site,
    mut progress: impl FnMut(usize, usize),
) -> Result<Report, ProbeError> {
    let mut report = Report::default();
    let control = plan.control(site, "control").await?;
    let speaks_http2 = http2::is_spoken(&plan.target).await;
    let attacks = plan.choose(site, speaks_http2, &mut report.left_out);
    let judge = Judge::new(site, control.as_ref());
    let total = attacks.len();
    let mut waiting = attacks.into_iter().enumerate();
    let mut running = JoinSet::new();
    let mut findings = Vec::with_capacity(total);
    loop {
        while running.len() < AT_ONCE
            && let Some((index, (id, attack))) = waiting.next()
        {
            let (plan, site) = (Arc::clone(plan), site.clone());
            running.spawn(async move { plan.attempt(&site, index, id, attack).await });
        }
        let Some(attempt) = running.join_next().await else { break };
        let Ok(attempt) = attempt else { continue };
        let attempt = attempt?;
        findings.push((attempt.index, attempt.judge(&judge, site, plan)));
        progress(findings.len(), total);
        if findings.len() % CONTROL_EVERY == 0 {
            plan.control(site, &format!("control-{}", findings.len())).await?;
        }
    }
    plan.control(site, "control-last").await?;
    findings.sort_by_key(|(index, _)| *index);
    report.findings = findings.into_iter().map(|(_, finding)| finding).collect();
    Ok(report)
}

/// An attack that was sent.
struct Attempt {
    index: usize,
    id: String,
    attack: Attack,
    outcome: Outcome,
    records: Vec<Record>,
    twin: Option<Outcome>,
}

impl Attempt {
    fn judge(self, judge: &Judge<'_>, site: &Site, plan: &Plan) -> Finding {
        let verdict = match &plan.sight {
            Sight::Canary(canary) => judge.answered(canary, &self.outcome, self.twin.as_ref()),
            Sight::Here(_) | Sight::There(_) => {
                judge.received(&self.attack, &self.records, &self.outcome)
            }
        };
        let mut sender = plan.sender(site, &self.id);
        HIDDEN.clone_into(&mut sender.credential.1);
        let secret = plan.credential.1.as_bytes();
        Finding {
            sent: self.attack.message.render(&sender),
            id: self.id,
            site: site.name.clone(),
            attack: self.attack,
            received: self.records.iter().map(|record| hide(&record.raw, secret)).collect(),
            verdict,
        }
    }
}

impl Plan {
    fn sender(&self, site: &Site, id: &str) -> Sender {
        Sender {
            authority: site.authority.clone(),
            credential: self.credential.clone(),
            marker: format!("{}-{}-{id}", self.run, site.name),
        }
    }

    /// The attacks that are sent, with their ids.
    fn choose(
        &self,
        site: &Site,
        speaks_http2: bool,
        left_out: &mut Vec<String>,
    ) -> Vec<(String, Attack)> {
        let mut counts = [0_usize; Family::ALL.len()];
        let (mut unspoken, mut writing) = (0, 0);
        let mut chosen = Vec::new();
        for attack in generate(site) {
            let at = Family::ALL.iter().position(|family| *family == attack.family);
            let Some(count) = at.and_then(|at| counts.get_mut(at)) else { continue };
            *count += 1;
            let id = format!("{}-{count}", attack.family.label());
            if self.only.as_ref().is_some_and(|only| *only != id)
                || !self.families.contains(&attack.family)
            {
                continue;
            }
            if site.is_by_body() && attack.family != Family::Body {
                continue; // whatever names nothing is refused there
            }
            if !speaks_http2 && matches!(attack.message, Message::Http2(_)) {
                unspoken += 1;
            } else if attack.writes && matches!(self.sight, Sight::Canary(_)) {
                writing += 1;
            } else {
                chosen.push((id, attack));
            }
        }
        let name = &site.name;
        if unspoken > 0 {
            left_out.push(format!("{name}: {unspoken} by HTTP/2, which is not spoken there"));
        }
        if writing > 0 {
            left_out.push(format!(
                "{name}: {writing} that could write to a real upstream: they need the recording one"
            ));
        }
        if site.is_by_body() {
            left_out.push(format!("{name}: all but body, which alone names what is somebody's"));
        } else if site.parameters.is_empty() && self.families.contains(&Family::Query) {
            left_out.push(format!("{name}: query, since no parameter of it is guarded"));
        }
        chosen
    }

    /// Asks for what is the attacker's own; gives what the upstream received of it.
    async fn control(&self, site: &Site, id: &str) -> Result<Option<Record>, ProbeError> {
        let (line, more, body) = site.own_message();
        let mut fields = vec!["Host: {authority}".to_owned()];
        fields.extend(more);
        let message = Message::Http1 { line, fields, body };
        let sender = self.sender(site, id);
        let outcome = self.exchange(&message, &sender).await?;
        let records = self.records(&sender.marker).await?;
        let refused = |outcome: &Outcome| ProbeError::Control {
            target: site.own_target(),
            user: site.own.name.clone(),
            outcome: match outcome {
                Outcome::Answered { status, .. } => format!("status {status}"),
                Outcome::Closed => "closed".to_owned(),
                Outcome::Reset(how) => how.clone(),
                Outcome::Silent => "no answer".to_owned(),
            },
        };
        let is_good = matches!(outcome, Outcome::Answered { status: 200..300, .. });
        match (&self.sight, records.into_iter().next()) {
            (Sight::Canary(_), record) if is_good => Ok(record),
            (Sight::Here(_) | Sight::There(_), Some(record)) if is_good => Ok(Some(record)),
            _ => Err(refused(&outcome)),
        }
    }

    async fn attempt(
        &self,
        site: &Site,
        index: usize,
        id: String,
        attack: Attack,
    ) -> Result<Attempt, ProbeError> {
        let sender = self.sender(site, &id);
        let outcome = self.exchange(&attack.message, &sender).await?;
        let records = self.records(&sender.marker).await?;
        let mut twin = None;
        if matches!(self.sight, Sight::Canary(_))
            && matches!(outcome, Outcome::Answered { status: 200..400, .. })
            && let Some(message) = elsewhere(&attack.message, &site.other.file)
        {
            twin = Some(self.exchange(&message, &sender).await?);
        }
        Ok(Attempt { index, id, attack, outcome, records, twin })
    }

    async fn exchange(&self, message: &Message, sender: &Sender) -> Result<Outcome, ProbeError> {
        let outcome = match message.render(sender) {
            Rendered::Http1(bytes) => http1::exchange(&self.target, &bytes).await,
            Rendered::Http2(fields) => http2::exchange(&self.target, &fields).await,
        };
        let address = self.target.address();
        outcome.map_err(|source| ProbeError::Unreachable { address, source })
    }

    async fn records(&self, marker: &str) -> Result<Vec<Record>, ProbeError> {
        match &self.sight {
            Sight::Canary(_) => Ok(Vec::new()),
            Sight::Here(recorder) => Ok(recorder.records(marker)),
            Sight::There(target) => fetch(target, marker).await,
        }
    }
}

async fn fetch(target: &Target, marker: &str) -> Result<Vec<Record>, ProbeError> {
    let none = || ProbeError::NoRecorder(target.address());
    let request = format!(
        "GET {RECORDS}{marker} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
        target.address()
    );
    let outcome = http1::exchange(target, request.as_bytes()).await.map_err(|_| none())?;
    let Outcome::Answered { status: 200, body } = outcome else { return Err(none()) };
    let records: Vec<Value> = serde_json::from_slice(&body).map_err(|_| none())?;
    records.iter().map(|record| Record::from_json(record).ok_or_else(none)).collect()
}

/// The head with [`HIDDEN`] in the place of the credential: what lets everything through lets
/// that through as well.
fn hide(head: &[u8], secret: &[u8]) -> Vec<u8> {
    let mut shown = Vec::with_capacity(head.len());
    let mut from = 0;
    for at in memchr::memmem::find_iter(head, secret) {
        shown.extend_from_slice(head.get(from..at).unwrap_or_default());
        shown.extend_from_slice(HIDDEN.as_bytes());
        from = at + secret.len();
    }
    shown.extend_from_slice(head.get(from..).unwrap_or_default());
    shown
}

/// The same message for a file that does not exist; `None`: it names no file.
fn elsewhere(message: &Message, file: &str) -> Option<Message> {
    let missing = format!("missing-{file}");
    let rename = |text: &String| text.replace(file, &missing);
    let renamed = match message {
        Message::Http1 { line, fields, body } => Message::Http1 {
            line: rename(line),
            fields: fields.iter().map(rename).collect(),
            body: rename(body),
        },
        Message::Http2(fields) => Message::Http2(
            fields.iter().map(|(name, value)| (name.clone(), rename(value))).collect(),
        ),
    };
    (renamed != *message).then_some(renamed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_that_was_passed_on_is_not_shown() {
        let head = b"GET / HTTP/1.1\r\nAuthorization: Basic YTpi\r\nX: Basic YTpi\r\n\r\n";

        let shown = hide(head, b"Basic YTpi");

        let expected = b"GET / HTTP/1.1\r\nAuthorization: $CREDENTIAL\r\nX: $CREDENTIAL\r\n\r\n";
        assert_eq!(shown, expected);
    }

    #[test]
    fn what_does_not_exist_has_another_name() {
        let message = |target: &str| Message::Http1 {
            line: format!("GET {target} HTTP/1.1"),
            fields: Vec::new(),
            body: String::new(),
        };

        let renamed = elsewhere(&message("/bob/x.txt"), "x.txt");

        assert_eq!(renamed, Some(message("/bob/missing-x.txt")));
        assert_eq!(elsewhere(&message("/bob/"), "x.txt"), None);
    }
}
