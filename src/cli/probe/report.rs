//! What is told of the attacks.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{is_empty, shape};
use crate::cli::answer::printable;
use crate::cli::table::columns;
use crate::cli::{Answer, Failure, Verdict};
use crate::probe::attack::{Family, Rendered};
use crate::probe::run::{Finding, Report};
use crate::probe::site::Site;

/// So many escapes of a family are shown to people; the others are counted.
const SHOWN: usize = 3;

/// The verdicts in the order of the columns.
const VERDICTS: [&str; 4] = ["refused", "harmless", "escaped", "inconclusive"];

/// What came of all sites.
#[derive(Debug)]
pub(super) struct Told {
    sites: Vec<(Site, Report)>,
    left_out: Vec<String>,
}

impl Told {
    pub(super) fn new(left_out: Vec<String>) -> Self {
        Self { sites: Vec::new(), left_out }
    }

    pub(super) fn add(&mut self, site: Site, mut report: Report) {
        self.left_out.append(&mut report.left_out);
        self.sites.push((site, report));
    }

    fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.sites.iter().flat_map(|(_, report)| &report.findings)
    }

    fn count(&self, verdict: &str) -> usize {
        self.findings().filter(|finding| finding.verdict.label() == verdict).count()
    }

    /// Good if something was judged and nothing has escaped.
    fn verdict(&self) -> Verdict {
        let judged = self.count("refused") + self.count("harmless");
        Verdict::of(self.count("escaped") == 0 && judged > 0)
    }

    pub(super) fn answer(&self, is_json: bool) -> Result<Answer, Failure> {
        if is_json {
            return Answer::json(&self.object(), self.verdict());
        }
        let verdict = self.verdict();
        Ok(Answer { text: printable(&self.text()), verdict, ..Answer::default() })
    }

    fn object(&self) -> Value {
        let sites = self.sites.iter().map(|(site, report)| {
            let families: BTreeMap<_, _> = Family::ALL
                .into_iter()
                .filter_map(|family| Some((family.label(), counts(report, family)?)))
                .map(|(family, counts)| {
                    let counts = VERDICTS.into_iter().zip(counts);
                    (family, counts.collect::<BTreeMap<_, _>>())
                })
                .collect();
            json!({
                "route": site.name,
                "paths": site.dialect.as_str(),
                "mode": if site.is_rewritten { "rewrite" } else { "require" },
                "as": site.own.name,
                "against": site.other.name,
                "attacks": report.findings.len(),
                "families": families,
            })
        });
        json!({
            "isolated": self.verdict() == Verdict::Good,
            "attacks": self.findings().count(),
            "escaped": self.count("escaped"),
            "sites": sites.collect::<Vec<_>>(),
            "findings": self.findings().map(object).collect::<Vec<_>>(),
            "left_out": self.left_out,
        })
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for (site, report) in &self.sites {
            let _ = writeln!(
                text,
                "{} against {}, route {} ({}): {} attacks\n",
                site.own.name,
                site.other.name,
                site.name,
                shape(site.dialect, site.is_rewritten),
                report.findings.len(),
            );
            if !is_empty(report) {
                text.push_str(&table(report));
                text.push('\n');
            }
            escapes(report, &mut text);
        }
        for reason in &self.left_out {
            let _ = writeln!(text, "not sent   {reason}");
        }
        let (escaped, unknown) = (self.count("escaped"), self.count("inconclusive"));
        let judged = self.count("refused") + self.count("harmless");
        let _ = match (escaped, judged) {
            (0, 0) => writeln!(text, "verdict    nothing could be tested"),
            (0, _) if unknown > 0 => {
                writeln!(text, "verdict    no attack has escaped; {unknown} are inconclusive")
            }
            (0, _) => writeln!(text, "verdict    no attack has escaped"),
            (count, _) => writeln!(text, "verdict    {count} ESCAPED"),
        };
        text
    }
}

/// How often each verdict was given in a family; `None`: nothing of it was sent.
fn counts(report: &Report, family: Family) -> Option<[usize; 4]> {
    let of_family = report.findings.iter().filter(|finding| finding.attack.family == family);
    let labels: Vec<_> = of_family.map(|finding| finding.verdict.label()).collect();
    let count = |verdict: &str| labels.iter().filter(|label| **label == verdict).count();
    (!labels.is_empty()).then(|| VERDICTS.map(count))
}

fn table(report: &Report) -> String {
    let mut rows = vec![
        ["family", "attacks", "refused", "harmless", "escaped", "inconclusive"].map(str::to_owned),
    ];
    let mut sums = [0; 4];
    let row = |name: &str, counts: [usize; 4]| {
        let [refused, harmless, escaped, inconclusive] = counts.map(|count| count.to_string());
        let all = counts.iter().sum::<usize>().to_string();
        [name.to_owned(), all, refused, harmless, escaped, inconclusive]
    };
    for family in Family::ALL {
        let Some(counts) = counts(report, family) else { continue };
        for (sum, count) in sums.iter_mut().zip(counts) {
            *sum += count;
        }
        rows.push(row(family.label(), counts));
    }
    rows.push(row("all", sums));
    columns(&rows)
}

/// The escapes, each with its bytes and how to repeat it.
fn escapes(report: &Report, text: &mut String) {
    for family in Family::ALL {
        let escaped = report.findings.iter().filter(|finding| {
            finding.attack.family == family && finding.verdict.label() == "escaped"
        });
        let escaped: Vec<_> = escaped.collect();
        for finding in escaped.iter().take(SHOWN) {
            let _ = writeln!(text, "ESCAPED    {}: {}", finding.id, finding.attack.rule);
            let _ = writeln!(text, "how        {}", finding.verdict.detail());
            let _ = writeln!(text, "sent       {}", sent(&finding.sent));
            for head in &finding.received {
                let _ = writeln!(text, "received   {}", head.escape_ascii());
            }
            let _ = writeln!(text, "repeat     {}\n", repeat(finding));
        }
        if let Some(more @ 1..) = escaped.len().checked_sub(SHOWN) {
            let _ = writeln!(text, "           and {more} more of {family}: see --json\n");
        }
    }
}

fn sent(message: &Rendered) -> String {
    match message {
        Rendered::Http1(bytes) => bytes.escape_ascii().to_string(),
        Rendered::Http2(fields) => {
            let field = |(name, value): &(String, String)| {
                format!("{}: {}", name.escape_debug(), value.escape_debug())
            };
            format!("HTTP/2: {}", fields.iter().map(field).collect::<Vec<_>>().join("; "))
        }
    }
}

/// The same command for this attack alone.
fn repeat(finding: &Finding) -> String {
    let quote = |text: String| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,".contains(c);
        if !text.is_empty() && text.chars().all(is_plain) {
            text
        } else {
            format!("'{}'", text.replace('\'', "'\\''"))
        }
    };
    let arguments = without_secret(std::env::args());
    let line = arguments.map(quote).collect::<Vec<_>>().join(" ");
    format!("{line} --attack {}", finding.id)
}

/// The arguments, with `…` in the place of a credential that is written out.
fn without_secret(arguments: impl Iterator<Item = String>) -> impl Iterator<Item = String> {
    let mut is_secret = false;
    arguments.map(move |argument| {
        let is_named = |form: &str| form.starts_with('@') || form.starts_with("env:");
        let hidden = is_secret && !is_named(&argument);
        is_secret = argument == "--credential";
        match argument.strip_prefix("--credential=") {
            Some(form) if !is_named(form) => "--credential=…".to_owned(),
            _ if hidden => "…".to_owned(),
            _ => argument,
        }
    })
}

fn object(finding: &Finding) -> Value {
    let (protocol, bytes) = match &finding.sent {
        Rendered::Http1(bytes) => ("http/1.1", json!(STANDARD.encode(bytes))),
        Rendered::Http2(fields) => ("h2", json!(fields)),
    };
    let received = finding.received.iter().map(|head| STANDARD.encode(head));
    json!({
        "id": finding.id,
        "route": finding.site,
        "family": finding.attack.family.label(),
        "rule": finding.attack.rule,
        "verdict": finding.verdict.label(),
        "detail": finding.verdict.detail(),
        "protocol": protocol,
        "sent": bytes,
        "sent_text": sent(&finding.sent),
        "received": received.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_credential_is_printed() {
        let line = |arguments: &[&str]| {
            let arguments = arguments.iter().map(|&text| text.to_owned());
            without_secret(arguments).collect::<Vec<_>>().join(" ")
        };

        assert_eq!(
            line(&["probe", "--credential", "a:b", "--json"]),
            "probe --credential … --json"
        );
        assert_eq!(line(&["probe", "--credential=a:b"]), "probe --credential=…");
        assert_eq!(line(&["--credential", "env:TOKEN"]), "--credential env:TOKEN");
    }
}
