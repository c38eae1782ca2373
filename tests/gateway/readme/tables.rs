//! The tables of README.md against the code and a running gateway.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use doorward::gateway::reason;
use doorward::resource::{Dialect, RULES};
use doorward::route::endpoint;

use super::repository;
use crate::support::gateway::TestGateway;
use crate::support::upstream::TestUpstream;

/// The cells of each row of the table below a heading.
#[track_caller]
fn rows(heading: &str) -> Vec<Vec<String>> {
    let readme = repository("README.md");
    let (_, section) = readme.split_once(&format!("\n### {heading}\n")).unwrap();
    let lines = section.lines().skip_while(|line| !line.starts_with('|'));
    let rows = lines.take_while(|line| line.starts_with('|')).skip(2).map(|line| {
        let cells = line.trim_matches('|').split('|');
        cells.map(|cell| cell.trim().to_owned()).collect::<Vec<_>>()
    });
    let rows = rows.collect::<Vec<_>>();
    assert!(!rows.is_empty(), "{heading}");
    rows
}

/// What stands between backticks.
fn quoted(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn every_reason_stands_in_the_table_once() {
    let told =
        rows("Statuses and reasons").iter().flat_map(|row| quoted(&row[1])).collect::<Vec<_>>();

    let set = told.iter().map(String::as_str).collect::<BTreeSet<_>>();
    let all = reason::ALL.iter().copied().filter(|label| *label != reason::PERMITTED);
    let differences = set.symmetric_difference(&all.collect()).copied().collect::<Vec<_>>();
    assert!(differences.is_empty(), "{differences:?}");
    assert_eq!(set.len(), told.len(), "one is told twice");
}

#[test]
fn the_table_of_dialects_is_the_codes() {
    let rows = rows("What each path dialect refuses");

    assert_eq!(rows.len(), RULES.len());
    for (row, rule) in rows.iter().zip(RULES) {
        assert_eq!((row[0].as_str(), quoted(&row[1])), (rule.what, vec![rule.example.to_owned()]));
        for (cell, dialect) in row[2..].iter().zip(Dialect::ALL) {
            let is_refused = rule.refused_by.contains(&dialect);
            assert_eq!(cell == "refused", is_refused, "{} {dialect}", rule.what);
        }
    }
}

#[test]
fn the_table_of_documents_is_the_codes() {
    let rows = rows("Documents of the endpoints");

    let told = |dialect: endpoint::Dialect| {
        let path = dialect.document().map_or("printed only".to_owned(), |it| format!("`{it}`"));
        vec![format!("`{dialect}`"), path]
    };
    let mut all: Vec<_> = endpoint::Dialect::ALL.into_iter().map(told).collect();
    all.push(vec!["`admin` (the admin listener)".to_owned(), "`/openapi.json`".to_owned()]);
    assert_eq!(rows, all);
}

#[test]
fn the_table_of_limits_has_the_defaults_of_the_reference() {
    let reference = repository("config/doorward.toml");
    let (_, limits) = reference.split_once("\n[limits]\n").unwrap();
    let (limits, _) = limits.split_once("\n[").unwrap();

    let told =
        rows("Limits").iter().map(|row| (quoted(&row[0]), quoted(&row[1]))).collect::<Vec<_>>();

    let keys = limits.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let keys = keys.map(|line| line.split_once(" = ").unwrap()).collect::<Vec<_>>();
    let told = told.iter().map(|(key, value)| (key[0].as_str(), value[0].as_str()));
    assert_eq!(told.collect::<Vec<_>>(), keys);
}

#[test]
fn headers_that_the_table_calls_removed_do_not_get_through() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).route("accept = [\"anonymous\"]").start();
    let rows = rows("Headers");
    let names = rows
        .iter()
        .filter(|row| ["removed", "overwritten", "end"].iter().any(|word| row[1].starts_with(word)))
        .flat_map(|row| quoted(&row[0]))
        .filter(|name| !["Connection", "TE", "Trailer", "Keep-Alive"].contains(&name.as_str()))
        .filter(|name| !matches!(name.as_str(), "_" | "." | "-"));
    let names = names.collect::<Vec<_>>();
    assert!(names.len() > 20, "{names:?}");

    let mut request = "GET / HTTP/1.1\r\nHost: a\r\n".to_owned();
    for name in &names {
        for name in [name.clone(), name.replace('-', "_")] {
            let _ = write!(request, "{name}: of-the-client\r\n");
        }
    }
    let response = gateway.exchange(format!("{request}\r\n"));

    assert_eq!(response.status, 200);
    let head = String::from_utf8(upstream.only_request().head).unwrap();
    assert!(!head.contains("of-the-client"), "{head}");
}

#[test]
fn every_metric_that_is_named_exists() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();
    let readme = repository("README.md");
    let named = readme.match_indices("doorward_").map(|(at, _)| {
        let rest = &readme[at..];
        rest.split(|c: char| !c.is_ascii_lowercase() && c != '_').next().unwrap()
    });
    let named = named.collect::<BTreeSet<_>>();
    assert!(named.len() > 3, "{named:?}");

    let metrics = gateway.metrics();

    for name in named {
        assert!(metrics.contains(&format!("# TYPE {name} ")), "{name}");
    }
}
