use super::*;
use crate::resource::CanonicalPath;

#[test]
fn the_example_of_every_rule_is_refused_by_the_dialects_it_names_and_no_other() {
    for rule in RULES {
        let path = CanonicalPath::parse(rule.example).unwrap();

        assert!(path.spellings().contains(rule.spelling), "{}", rule.label);
        for dialect in Dialect::ALL {
            let refused = path.admit(dialect).is_err();
            assert_eq!(refused, rule.refused_by.contains(&dialect), "{} {dialect}", rule.label);
        }
    }
}

#[test]
fn every_spelling_is_its_own_row() {
    for rule in RULES {
        assert_eq!(rule.spelling.rule().label, rule.label);
        let same = RULES.iter().filter(|other| other.spelling == rule.spelling).count();
        assert_eq!(same, 1, "{}", rule.label);
    }
}

#[test]
fn a_dialect_reads_back_what_it_writes() {
    for dialect in Dialect::ALL {
        assert_eq!(dialect.as_str().parse(), Ok(dialect));
    }
    assert_eq!("POSIX".parse::<Dialect>(), Err(UnknownDialect));
}

#[test]
fn what_is_refused_in_every_dialect_is() {
    for Always { error, example } in ALWAYS {
        let refused = CanonicalPath::parse(example).err();
        assert_eq!(refused, Some(error), "{example}");
        assert!(error.readings().is_some(), "{example}");
    }
}

#[test]
fn every_spelling_has_two_readings() {
    for rule in RULES {
        let [one, other] = rule.readings;
        assert!(!one.is_empty() && !other.is_empty() && one != other, "{}", rule.label);
        assert_eq!(ResourceError::Spelling(rule.spelling).readings(), Some(rule.readings));
    }
}

/// The tables of `docs/paths.md`, as the code has them.
fn reference() -> String {
    use std::fmt::Write as _;

    let cell = |text: &str| text.replace('|', "\\|");
    let mut text = String::new();
    text.push_str("| spelling | for example | one server reads | another |");
    for dialect in Dialect::ALL {
        write!(text, " `{dialect}` |").unwrap();
    }
    text.push_str(" reason |\n|---|---|---|---|---|---|---|---|---|\n");
    for rule in RULES {
        let [one, other] = rule.readings;
        let (what, example) = (cell(rule.what), cell(rule.example));
        write!(text, "| {what} | `{example}` | {one} | {other} |").unwrap();
        for dialect in Dialect::ALL {
            let is_refused = rule.refused_by.contains(&dialect);
            text.push_str(if is_refused { " refused |" } else { " – |" });
        }
        writeln!(text, " `{}` |", rule.label).unwrap();
    }
    text.push_str(
        "\n| refused everywhere | one server reads | another | reason |\n|---|---|---|---|\n",
    );
    for Always { error, example } in ALWAYS {
        let [one, other] = error.readings().unwrap();
        writeln!(text, "| `{}` | {one} | {other} | `{}` |", cell(example), error.label()).unwrap();
    }
    text
}

/// The document's tables are written anew from the code's: what differs is the document's mistake.
#[test]
fn the_reference_in_the_documents_is_the_table_of_the_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/paths.md");
    let document = std::fs::read_to_string(path).unwrap();
    let (begin, end) = ("<!-- tables: begin -->\n", "<!-- tables: end -->");
    let (_, rest) = document.split_once(begin).unwrap();
    let (tables, _) = rest.split_once(end).unwrap();

    assert_eq!(tables, reference(), "docs/paths.md should have:\n{}", reference());
}
