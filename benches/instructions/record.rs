//! The counts that are written down, and the surroundings in which they mean something.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::Command;

use serde::Deserialize;

use super::valgrind;

/// Where the counts are written down.
pub(super) const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/instructions.toml");

const HEADER: &str = "\
# Instructions of one request in benches/instructions/cases.rs, written by
#     cargo bench --profile dev --config benches/count.toml --bench instructions -- --record
# Another compiler or another processor (as valgrind shows it) makes other code: there the counts
# are not compared.
";

#[derive(Debug, Deserialize)]
pub(super) struct Record {
    pub(super) machine: Machine,
    pub(super) counts: BTreeMap<String, u64>,
}

/// What the counts depend on beside the source and the lock file.
#[derive(Debug, Default, Deserialize, PartialEq)]
pub(super) struct Machine {
    rustc: String,
    processor: String,
}

impl Machine {
    /// The surroundings of this run, or why there is no counting in them.
    pub(super) fn here() -> Result<Self, String> {
        let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let version = Command::new(compiler).arg("--version").output();
        let version = version.map_err(|error| format!("rustc: {error}"))?;
        let rustc = String::from_utf8_lossy(&version.stdout).trim().to_owned();
        Ok(Self { rustc, processor: valgrind::features()? })
    }

    /// Why counts of one say nothing about the other.
    pub(super) fn difference(&self, here: &Self) -> Option<String> {
        let Self { rustc, processor } = self;
        if rustc.is_empty() {
            return Some(format!("nothing is recorded in {FILE}"));
        }
        if *rustc != here.rustc {
            return Some(format!("recorded with {rustc}, this is {}", here.rustc));
        }
        (*processor != here.processor)
            .then(|| format!("recorded on {processor}, this is {}", here.processor))
    }
}

impl Record {
    pub(super) fn read() -> Self {
        let empty = || Self { machine: Machine::default(), counts: BTreeMap::new() };
        std::fs::read_to_string(FILE)
            .map_or_else(|_| empty(), |text| toml::from_str(&text).unwrap())
    }

    pub(super) fn write(&self) {
        let Machine { rustc, processor } = &self.machine;
        let mut text = format!(
            "{HEADER}\n[machine]\nrustc = \"{rustc}\"\nprocessor = \"{processor}\"\n\n[counts]\n"
        );
        for (name, count) in &self.counts {
            writeln!(text, "{name} = {count}").unwrap();
        }
        std::fs::write(FILE, text).unwrap();
    }
}

/// By what libraries choose their code. Run under valgrind it is what valgrind can do.
#[cfg(target_arch = "x86_64")]
pub(super) fn processor() -> String {
    let mut found = "x86_64".to_owned();
    for (name, is_there) in [
        ("ssse3", is_x86_feature_detected!("ssse3")),
        ("avx", is_x86_feature_detected!("avx")),
        ("avx2", is_x86_feature_detected!("avx2")),
        ("bmi2", is_x86_feature_detected!("bmi2")),
        ("sha", is_x86_feature_detected!("sha")),
        ("avx512f", is_x86_feature_detected!("avx512f")),
    ] {
        if is_there {
            found.push(' ');
            found.push_str(name);
        }
    }
    found
}

/// By what libraries choose their code.
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn processor() -> String {
    std::env::consts::ARCH.to_owned()
}
