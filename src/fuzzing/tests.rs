//! The corpora that the fuzzers left, asked once more what must hold. A finding of theirs leaves its
//! input there.

use std::fs;
use std::path::PathBuf;

use super::*;

fn corpora() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus")
}

#[test]
fn every_input_of_the_corpora_keeps_what_must_hold() {
    let mut broken = Vec::new();
    for target in TARGETS {
        let ask = oracle(target).unwrap_or_else(|| panic!("{target} has no oracle"));
        let mut inputs = 0;
        for file in fs::read_dir(corpora().join(target)).unwrap() {
            let file = file.unwrap().path();
            let input = fs::read(&file).unwrap();
            let asked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| ask(&input)));
            broken.extend(asked.err().map(|_| file));
            inputs += 1;
        }
        assert!(inputs > 5, "{target} has {inputs} inputs");
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn there_is_a_corpus_and_a_fuzzer_for_each_target_and_no_other() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let names = |folder: &str| {
        let names = fs::read_dir(root.join(folder)).unwrap().map(|entry| {
            let path = entry.unwrap().path();
            path.file_stem().unwrap().to_string_lossy().into_owned()
        });
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    };
    assert_eq!(names("corpus"), TARGETS);
    assert_eq!(names("targets"), TARGETS);
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let mut programs: Vec<_> = manifest
        .lines()
        .filter_map(|line| line.strip_prefix("path = \"targets/")?.strip_suffix(".rs\""))
        .collect();
    programs.sort_unstable();
    assert_eq!(programs, TARGETS);
    assert!(oracle("nothing").is_none());
}
