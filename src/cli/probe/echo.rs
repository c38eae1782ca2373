//! `doorward probe --upstream-echo`: which dialect an upstream needs.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::json;

use super::url::plain;
use crate::cli::table::columns;
use crate::cli::{Answer, Failure, Verdict, settings};
use crate::probe::dial::Target;
use crate::probe::echo::{Echo, listen};
use crate::resource::Dialect;

/// Why the upstream is not asked.
#[derive(Debug, thiserror::Error)]
enum UpstreamError {
    #[error("name two files with --file, in different folders")]
    Files,
    #[error("the configuration has {0} upstreams: name one with --upstream, by its URL")]
    Several(usize),
}

pub(super) async fn run(arguments: &super::Arguments, config: &Path) -> Result<Answer, Failure> {
    let [first, second] = arguments.files.as_slice() else {
        return Err(UpstreamError::Files.into());
    };
    let (target, host) = if let Some(url) = &arguments.upstream {
        plain(url, arguments.timeout)?
    } else {
        let config = settings::load(config)?;
        let [upstream] = config.upstreams.as_slice() else {
            return Err(UpstreamError::Several(config.upstreams.len()).into());
        };
        let target = Target::plain(&upstream.host, upstream.port, arguments.timeout);
        (target, upstream.authority.clone())
    };
    let echo = listen(&target, &host, [first, second]).await?;
    let verdict = Verdict::of(echo.dialect.is_some());
    if arguments.json {
        return Answer::json(&object(&echo), verdict);
    }
    Ok(Answer { text: text(&echo), verdict, ..Answer::default() })
}

fn object(echo: &Echo) -> serde_json::Value {
    let observations = echo.observations.iter().map(|seen| {
        json!({
            "meaning": seen.fold.label(),
            "target": seen.target,
            "answer": seen.answer,
            "folded": seen.is_folded,
        })
    });
    json!({
        "paths": echo.dialect.map(Dialect::as_str),
        "raw_would_do": echo.may_be_raw,
        "observations": observations.collect::<Vec<_>>(),
    })
}

fn text(echo: &Echo) -> String {
    let rows: Vec<_> = echo
        .observations
        .iter()
        .map(|seen| {
            let found = if seen.is_folded { "yes" } else { "no" };
            [
                seen.fold.label().to_owned(),
                found.to_owned(),
                seen.answer.clone(),
                seen.target.clone(),
            ]
        })
        .collect();
    let mut text = columns(&rows);
    let _ = match echo.dialect {
        Some(dialect) => writeln!(text, "\npaths = \"{dialect}\""),
        None => writeln!(
            text,
            "\nno dialect covers this: it drops `;parameters` and folds names as Windows does"
        ),
    };
    if echo.may_be_raw {
        text.push_str(
            "It takes segments as they are: \"raw\" would do, for names that hold separators.\n",
        );
    }
    text
}
