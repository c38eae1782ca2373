//! The tables of `docs/attacks.md`: no cell is empty, and every test that they name exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The rows of all tables: section, cells.
fn rows() -> Vec<(String, Vec<String>)> {
    let text = fs::read_to_string(root().join("docs/attacks.md")).unwrap();
    let mut section = String::new();
    let mut rows = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("## ") {
            name.clone_into(&mut section);
        }
        let Some(inner) = line.strip_prefix('|').and_then(|line| line.strip_suffix('|')) else {
            continue;
        };
        let cells: Vec<_> = inner.split('|').map(|cell| cell.trim().to_owned()).collect();
        let is_rule = cells.iter().all(|cell| !cell.is_empty() && cell.chars().all(|c| c == '-'));
        let is_heading = cells[0] == "class";
        if !is_rule && !is_heading {
            rows.push((section.clone(), cells));
        }
    }
    rows
}

/// What stands between backticks and looks like the path of a test.
fn tests(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).filter(|name| name.contains("::")).collect()
}

/// The file of a module, below `directory`: of the longest path that is one.
fn file(directory: &Path, modules: &[&str]) -> Option<PathBuf> {
    (1..=modules.len()).rev().find_map(|count| {
        let path =
            modules[..count].iter().fold(directory.to_owned(), |path, module| path.join(module));
        let path = path.with_extension("rs");
        path.is_file().then_some(path)
    })
}

fn exists(test: &str) -> bool {
    let parts: Vec<_> = test.split("::").collect();
    let Some((name, modules)) = parts.split_last() else { return false };
    ["tests/gateway", "src"].iter().any(|directory| {
        let Some(file) = file(&root().join(directory), modules) else { return false };
        let code = fs::read_to_string(file).unwrap();
        code.contains(&format!("fn {name}("))
            && (code.contains("#[test]") || code.contains("::test]"))
    })
}

#[test]
fn no_cell_of_the_catalogue_is_empty() {
    let rows = rows();

    for (section, cells) in &rows {
        assert_eq!(cells.len(), 3, "{section}: {cells:?}");
        assert!(cells.iter().all(|cell| !cell.is_empty()), "{section}: {cells:?}");
        let says = &cells[2];
        let fits = !tests(says).is_empty() || says.len() > 20;
        assert!(fits, "{section}: neither a test nor a reason: {cells:?}");
    }
    for (section, least) in [("P", 31), ("H", 24), ("S", 24), ("R", 20), ("J", 20), ("A", 31)] {
        let count = rows.iter().filter(|(of, _)| of.starts_with(section)).count();
        assert!(count >= least, "{section} has {count} rows");
    }
}

#[test]
fn every_test_that_the_catalogue_names_exists() {
    let rows = rows();
    let named: BTreeSet<_> = rows.iter().flat_map(|(_, cells)| tests(&cells[2])).collect();
    let missing: Vec<_> = named.iter().filter(|test| !exists(test)).collect();

    assert!(missing.is_empty(), "{missing:#?}");
    assert!(named.len() > 40, "{}", named.len());
    assert!(!exists("attacks::catalogue::no_such_test") && !exists("no::such::module"));
}
