//! The reference, the schema and the program say the same.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value as Json;

use super::{BASE, load};
use crate::config::Config;
use crate::config::file;

const REFERENCE: &str = include_str!("../../../config/doorward.toml");

/// The named tables of the reference with nothing but what they require.
const LEAST: &str = r#"
[listeners.main]
address = "127.0.0.1:8443"
[upstreams.files]
url = "http://127.0.0.1:9000"
[routes.files]
upstream = "files"
[issuers.local]
keys = "keys"
issuer = "https://gateway.example.org"
audience = ["doorward"]
[directories.users]
file = "users.yaml"
[endpoints.login]
dialect = "standard"
issuer = "local"
"#;

/// The reference with the keys that have no default.
fn reference_in_full() -> String {
    let is_key = |line: &str| {
        let rest = line.strip_prefix('#')?;
        rest.starts_with(|c: char| c.is_ascii_lowercase() || c == '[').then(|| rest.to_owned())
    };
    let lines = REFERENCE.lines().map(|line| is_key(line).unwrap_or_else(|| line.to_owned()));
    lines.collect::<Vec<_>>().join("\n")
}

fn parse(text: &str) -> Json {
    serde_json::to_value(toml::from_str::<toml::Table>(text).unwrap()).unwrap()
}

fn load_beside(folder: &Path, text: &str) -> String {
    let path = folder.join("doorward.toml");
    std::fs::write(&path, text).unwrap();
    format!("{:#?}", Config::load(&path, []).unwrap())
}

/// Sees a key: its path, its schema, whether it is required, and what the document says.
type Visit<'a> = dyn FnMut(&str, &Json, bool, Option<&Json>) + 'a;

/// Every key that the schema knows and `document` has, in the order of the schema.
fn walk(schema: &Json, document: Option<&Json>, path: &str, visit: &mut Visit<'_>) {
    if let Some(properties) = schema.get("properties").and_then(Json::as_object) {
        let required = schema.get("required").and_then(Json::as_array);
        for (name, below) in properties {
            let is_required = required.is_some_and(|all| all.iter().any(|one| one == name));
            let path = format!("{path}.{name}");
            let value = document.and_then(|document| document.get(name));
            if path == ".listeners.*.limits" {
                continue; // as [limits]
            }
            if below.get("properties").is_none() && below.get("additionalProperties").is_none() {
                visit(&path, below, is_required, value);
            }
            walk(below, value, &path, visit);
        }
    } else if let Some(below) = schema.get("additionalProperties")
        && below.get("properties").is_some()
    {
        let value = document.and_then(Json::as_object).and_then(|table| table.values().next());
        walk(below, value, &format!("{path}.*"), visit);
    }
}

#[test]
fn the_reference_has_every_key_and_no_other() {
    let document = parse(&reference_in_full());
    let mut missing = Vec::new();
    let mut known = BTreeSet::new();

    walk(&file::schema(true), Some(&document), "", &mut |path, _, _, value| {
        known.insert(path.to_owned());
        if value.is_none() {
            missing.push(path.to_owned());
        }
    });

    assert!(known.len() > 70, "{}", known.len());
    assert_eq!(missing, [] as [&str; 0]);
    // No other: the shape of the file refuses what it does not know, and this whole text has it.
    let error = load(&reference_in_full()).unwrap_err();
    assert!(!error.contains("unknown") && error.contains("remove one of them"), "{error}");
}

#[test]
fn what_the_reference_and_the_schema_call_default_is_what_the_program_does() {
    let document = parse(REFERENCE);
    let mut wrong = Vec::new();
    walk(&file::schema(true), Some(&document), "", &mut |path, schema, is_required, value| {
        let default = schema.get("default");
        let fits = match (default, value) {
            (Some(default), Some(value)) => default == value,
            (None, Some(_)) => {
                is_required || [".issuers.*.keys", ".endpoints.*.issuer"].contains(&path)
            }
            // Of tables that are commented out as a whole, and of `protocols` without TLS.
            (Some(_), None) => {
                path.contains(".tls.") || path.contains(".home.") || path.ends_with(".protocols")
            }
            (None, None) => true,
        };
        if !fits {
            wrong.push(format!("{path}: {default:?} {value:?}"));
        }
    });
    assert_eq!(wrong, [] as [&str; 0]);

    let folder = tempfile::tempdir().unwrap();
    let (said, done) = (load_beside(folder.path(), REFERENCE), load_beside(folder.path(), LEAST));
    assert_eq!(without_places(&said), without_places(&done));
}

/// Warnings stand elsewhere in a longer file.
fn without_places(text: &str) -> String {
    let is_place = |line: &&str| {
        let line = line.trim_start();
        let is_told =
            ["line: ", "column: ", "place: \""].iter().any(|start| line.starts_with(start));
        is_told || line.contains("doorward.toml:")
    };
    text.lines().filter(|line| !is_place(line)).collect::<Vec<_>>().join("\n")
}

#[test]
fn defaults_of_tables_that_the_reference_leaves_out_are_what_the_program_does() {
    let minimum = |more: &str| {
        let tls = format!(
            "[listeners.main.tls]\ncertificates = [{{ chain = \"c\", key = \"k\" }}]\n{more}"
        );
        let config = load(&format!("{BASE}{tls}")).unwrap();
        config.listeners[0].tls.as_ref().unwrap().minimum
    };
    assert_eq!(minimum(""), minimum("minimum = \"1.2\"\n"));
    let home = |home: &str| {
        let text = BASE.replace("[directories", &format!("home = {home}\n[directories"));
        format!("{:?}", load(&text).unwrap().routes[0].home)
    };
    assert_eq!(
        home("{}"),
        home(
            r#"{ in = ["path", "header:destination", "header:if"], relative = [], patterns = true,
                 mode = "require", root = "/", inspect_limit = "64KiB" }"#
        )
    );
    let config = load(&format!(
        "{BASE}[listeners.main.tls]\ncertificates = [{{ chain = \"c\", key = \"k\" }}]\n"
    ));
    let protocols = config.unwrap().listeners[0].protocols.clone();
    assert_eq!(protocols.iter().map(|one| one.as_str()).collect::<Vec<_>>(), ["h2", "http/1.1"]);
}

#[test]
fn the_schema_explains_every_key() {
    let mut silent = Vec::new();
    walk(&file::schema(true), None, "", &mut |path, schema, _, _| {
        if schema.get("description").is_none() {
            silent.push(path.to_owned());
        }
    });
    assert_eq!(silent, [] as [&str; 0]);
}

#[test]
fn the_schema_has_no_null() {
    let text = crate::config::schema().to_string();
    assert!(!text.contains("null"), "{text}");
    assert!(text.contains("https://json-schema.org/draft/2020-12/schema"));
}
