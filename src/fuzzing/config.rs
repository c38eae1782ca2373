//! The configuration: any TOML is a configuration whose parts fit each other, or is refused with
//! places that are in it.
//!
//! An input is the file. It must not lead to other files: what lies there is not asked.

use std::collections::HashSet;
use std::fs;

use super::Oracle;
use crate::config::{Config, ConfigErrors, Place};
use crate::resource::PathPrefix;

/// What would make the reading depend on the disk.
const ELSEWHERE: &[&str] = &["include", "\"@", "'@", "\\u", "\\U", "\\x", "env:"];

pub(super) fn oracle() -> Option<Oracle> {
    let folder = tempfile::tempdir().ok()?;
    Some(Box::new(move |input| {
        let text = String::from_utf8_lossy(input);
        let path = folder.path().join("main.toml");
        if ELSEWHERE.iter().any(|it| text.contains(it)) || fs::write(&path, input).is_err() {
            return;
        }
        match Config::load(&path, []) {
            Ok(config) => ask_config(&config),
            Err(errors) => ask_errors(&text, &errors),
        }
    }))
}

fn ask_config(config: &Config) {
    assert!(!config.listeners.is_empty());
    let names: HashSet<_> = config.routes.iter().map(|route| &route.name).collect();
    assert_eq!(names.len(), config.routes.len(), "two routes of one name");
    for route in &config.routes {
        assert!(route.upstream < config.upstreams.len(), "{}", route.name);
        assert!(!route.listeners.is_empty(), "{}", route.name);
        assert!(route.listeners.iter().all(|it| *it < config.listeners.len()), "{}", route.name);
        assert_eq!(route.path.to_string().parse::<PathPrefix>().as_ref(), Ok(&route.path));
        assert!(!route.accept.is_empty(), "{} takes nobody", route.name);
    }
    for upstream in &config.upstreams {
        assert!(!upstream.authority.is_empty() && !upstream.authority.contains(['/', '@']));
    }
    assert_eq!(config.files.len(), 1, "another file was read");
}

fn ask_errors(text: &str, errors: &ConfigErrors) {
    let lines = text.split('\n').count();
    assert!(!errors.as_slice().is_empty(), "refused for nothing");
    for error in errors.as_slice() {
        match &error.place {
            Place::File { line, column, .. } => {
                assert!((1..=lines + 1).contains(line) && *column > 0, "{error}");
            }
            Place::Environment(name) => assert_eq!(name, "none", "{error}"),
        }
        assert!(!error.reason.is_empty());
    }
}
