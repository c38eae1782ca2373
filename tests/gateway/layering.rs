//! The layers of the code: which module may use which. Lower layers hold the decisions and know
//! nothing of sockets; nothing imports upwards. The table is the one in `ARCHITECTURE.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A row of the table.
#[derive(Debug)]
struct Rule {
    module: String,
    layer: u8,
    /// Modules that it may import.
    allowed: Vec<String>,
    /// Every module of a lower layer as well.
    lower: bool,
}

/// Layers below this one decide, and do nothing else.
const FIRST_WITH_EFFECTS: u8 = 3;

/// Crates of the network and of the log, which a decision has no use for.
const EFFECTS: &[&str] = &["hyper", "hyper_util", "tokio", "tokio_rustls", "tracing", "http_body"];

/// Hashing runs on a pool of its own and is waited for.
const WAITS: &[&str] = &["password"];

/// The table of `ARCHITECTURE.md`.
struct Layers(Vec<Rule>);

impl Layers {
    fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let text = fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
        let rows = text.lines().filter_map(|line| {
            let cells = line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>();
            let [layer, module, _, allowed] = cells[..] else { return None };
            let layer = layer.parse().ok()?;
            let lower = allowed.contains("lower layers");
            let allowed = quoted(allowed);
            Some(Rule { module: quoted(module).remove(0), layer, allowed, lower })
        });
        Self(rows.collect())
    }

    fn rule(&self, module: &str) -> Option<&Rule> {
        self.0.iter().find(|rule| rule.module == module)
    }

    fn may_import(&self, rule: &Rule, target: &str) -> bool {
        let is_lower = || self.rule(target).is_some_and(|target| target.layer < rule.layer);
        target == rule.module
            || rule.allowed.iter().any(|allowed| allowed == target)
            || (rule.lower && is_lower())
    }
}

/// What stands between backticks.
fn quoted(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The source of each top-level module without its tests.
fn sources() -> BTreeMap<String, Vec<(PathBuf, String)>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    let mut modules = BTreeMap::<_, Vec<_>>::new();
    for path in files {
        let relative = path.strip_prefix(&root).unwrap().to_owned();
        let first = relative.components().next().unwrap().as_os_str().to_string_lossy();
        let module = first.trim_end_matches(".rs").to_owned();
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or("").to_owned();
        modules.entry(module).or_default().push((relative, code));
    }
    modules
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let is_test = path.file_stem().is_some_and(|stem| stem == "tests");
        if path.is_dir() && !is_test {
            collect(&path, files);
        } else if !is_test && path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
}

/// Everything that stands after `crate::` in code, in braces as well.
fn imports(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let code = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code = code.collect::<Vec<_>>().join("\n");
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(group) => found.extend(names_in_group(group)),
            None => found.extend([first_word(rest)]),
        }
    }
    found
}

/// The first segments of a brace group, at its outermost level.
fn names_in_group(group: &str) -> Vec<String> {
    let (mut depth, mut names, mut start) = (0, Vec::new(), true);
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => return names,
            '}' => depth -= 1,
            ',' if depth == 0 => start = true,
            _ if start && depth == 0 && character.is_alphabetic() => {
                names.push(first_word(&group[at..]));
                start = false;
            }
            _ => {}
        }
    }
    names
}

fn first_word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// Everything that a file of `src` imports from the top, `super` upon `super` as well.
fn imports_of(path: &Path, code: &str) -> BTreeSet<String> {
    let top = "super::".repeat(path.components().count());
    imports(&code.replace(&top, "crate::"))
}

#[test]
fn no_module_imports_what_its_layer_may_not() {
    let layers = Layers::read();
    let mut violations = Vec::new();

    for (module, files) in sources() {
        let Some(rule) = layers.rule(&module) else { continue };
        for (path, code) in files {
            for target in imports_of(&path, &code) {
                if !layers.may_import(rule, &target) {
                    violations.push(format!("{} imports {target}", path.display()));
                }
            }
        }
    }

    assert!(violations.is_empty(), "{violations:#?}");
}

#[test]
fn the_table_allows_nothing_by_name_that_is_not_needed() {
    let sources = sources();

    for rule in Layers::read().0 {
        let files = sources.get(&rule.module).unwrap_or_else(|| panic!("no {}", rule.module));
        let used = files.iter().flat_map(|(path, code)| imports_of(path, code));
        let used = used.collect::<BTreeSet<_>>();
        let unused = rule.allowed.iter().filter(|allowed| !used.contains(*allowed));
        assert_eq!(unused.collect::<Vec<_>>(), Vec::<&String>::new(), "{}", rule.module);
    }
}

#[test]
fn every_module_has_a_layer() {
    let layers = Layers::read();
    let modules = sources().into_keys().filter(|module| module != "lib" && module != "main");
    let unknown = modules.filter(|module| layers.rule(module).is_none()).collect::<Vec<_>>();

    assert!(unknown.is_empty(), "without a layer: {unknown:?}");
}

#[test]
fn decisions_have_no_effects() {
    let layers = Layers::read();
    let mut violations = Vec::new();

    for (module, files) in sources() {
        let pure = layers.rule(&module).is_some_and(|rule| rule.layer < FIRST_WITH_EFFECTS);
        if !pure || WAITS.contains(&module.as_str()) {
            continue;
        }
        for (path, code) in files {
            for effect in EFFECTS {
                let used = code.lines().any(|line| {
                    let line = line.trim_start();
                    !line.starts_with("//") && line.contains(&format!("{effect}::"))
                });
                if used {
                    violations.push(format!("{} uses {effect}", path.display()));
                }
            }
        }
    }

    assert!(violations.is_empty(), "{violations:#?}");
}

#[test]
fn there_is_no_mod_rs_and_no_global_state() {
    let mut violations = Vec::new();

    for (path, code) in sources().into_values().flatten() {
        if path.file_name().is_some_and(|name| name == "mod.rs") {
            violations.push(format!("{}: name the file after its module", path.display()));
        }
        for state in ["OnceLock", "LazyLock", "static mut", "thread_local!", "lazy_static"] {
            if code.lines().any(|line| !line.trim_start().starts_with("//") && line.contains(state))
            {
                violations.push(format!("{} holds global state: {state}", path.display()));
            }
        }
    }

    assert!(violations.is_empty(), "{violations:#?}");
}

#[test]
fn groups_of_imports_are_read() {
    let code = "use crate::{admin, config::{file, key}, route::Route};\nuse crate::user::User;\n// crate::x";

    let found = imports(code);

    assert_eq!(found.into_iter().collect::<Vec<_>>(), ["admin", "config", "route", "user"]);
}
