//! `doorward check`: all that a start would find, without starting.

use std::io::{self, Write};
use std::path::PathBuf;

use serde_json::json;

use crate::config::{Config, ConfigError, NamedFile, Place, Warning};

/// Checks the configuration and every file that it names.
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    /// The configuration file.
    #[arg(skip)]
    pub config: PathBuf,
    /// Refuse what would only be warned of.
    #[arg(long)]
    pub strict: bool,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Whether what was checked is good; decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A start would succeed.
    Good,
    /// It would not, or there are warnings and `--strict`.
    Refused,
}

/// What building everything that the configuration names has found: warnings, or what is wrong.
pub type Depth = Result<Vec<String>, Vec<String>>;

/// Checks the configuration under `environment`. `build` loads what it names (keys, users,
/// certificates), as a start would, and is only called on a configuration that is good in itself.
///
/// # Errors
///
/// `out` cannot be written to.
pub fn run(
    args: &Arguments,
    environment: impl IntoIterator<Item = (String, String)>,
    build: impl FnOnce(&Config) -> Depth,
    out: &mut dyn Write,
) -> io::Result<Verdict> {
    let mut report = Report::default();
    match Config::load(&args.config, environment) {
        Ok(config) => {
            report.warnings.extend(config.warnings.iter().map(Finding::from));
            let missing: Vec<_> =
                config.named_files.iter().filter_map(NamedFile::unreadable).collect();
            report.errors.extend(missing.iter().map(Finding::from));
            if missing.is_empty() {
                match build(&config) {
                    Ok(warnings) => {
                        report.warnings.extend(warnings.into_iter().map(Finding::plain));
                    }
                    Err(errors) => report.errors.extend(errors.into_iter().map(Finding::plain)),
                }
            }
            report.summary = summarise(&config);
        }
        Err(errors) => report.errors.extend(errors.as_slice().iter().map(Finding::from)),
    }
    let is_good = report.errors.is_empty() && (report.warnings.is_empty() || !args.strict);
    let verdict = if is_good { Verdict::Good } else { Verdict::Refused };
    if args.json {
        report.write_json(verdict, out)?;
    } else {
        report.write_text(args, verdict, out)?;
    }
    Ok(verdict)
}

/// What is said about a configuration.
#[derive(Debug, Default)]
struct Report {
    errors: Vec<Finding>,
    warnings: Vec<Finding>,
    summary: String,
}

/// One thing that is wrong or odd, with its place where that is known.
#[derive(Debug)]
struct Finding {
    place: Option<Place>,
    key: String,
    message: String,
    text: String,
}

impl Finding {
    fn plain(text: String) -> Self {
        Self { place: None, key: String::new(), message: text.clone(), text }
    }

    fn to_json(&self) -> serde_json::Value {
        let (file, line, column, variable) = match &self.place {
            Some(Place::File { path, line, column }) => {
                (Some(path.display().to_string()), Some(*line), Some(*column), None)
            }
            Some(Place::Environment(name)) => (None, None, None, Some(name)),
            None => (None, None, None, None),
        };
        let key = Some(&self.key).filter(|key| !key.is_empty());
        let mut object = json!({
            "file": file, "line": line, "column": column, "variable": variable, "key": key,
            "message": self.message,
        });
        if let Some(object) = object.as_object_mut() {
            object.retain(|_, value| !value.is_null());
        }
        object
    }
}

impl From<&ConfigError> for Finding {
    fn from(error: &ConfigError) -> Self {
        let text = error.to_string();
        let ConfigError { place, key, reason } = error.clone();
        Self { place: Some(place), key, message: reason, text }
    }
}

impl From<&Warning> for Finding {
    fn from(warning: &Warning) -> Self {
        let text = warning.to_string();
        let Warning { place, key, message } = warning.clone();
        Self { place: Some(place), key, message, text }
    }
}

impl Report {
    fn write_text(
        &self,
        args: &Arguments,
        verdict: Verdict,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        for error in &self.errors {
            writeln!(out, "error: {}", error.text)?;
        }
        for warning in &self.warnings {
            writeln!(out, "warning: {}", warning.text)?;
        }
        let is_named = !args.config.as_os_str().is_empty();
        let file =
            if is_named { args.config.display().to_string() } else { "the environment".into() };
        let warnings = count(self.warnings.len(), "warning");
        match verdict {
            Verdict::Good => writeln!(out, "{file} is good: {}; {warnings}", self.summary),
            Verdict::Refused => {
                let errors = count(self.errors.len(), "error");
                writeln!(out, "{file} is refused: {errors}, {warnings}")
            }
        }
    }

    fn write_json(&self, verdict: Verdict, out: &mut dyn Write) -> io::Result<()> {
        let all = |findings: &[Finding]| findings.iter().map(Finding::to_json).collect::<Vec<_>>();
        let object = json!({
            "good": verdict == Verdict::Good,
            "errors": all(&self.errors),
            "warnings": all(&self.warnings),
        });
        writeln!(out, "{object:#}")
    }
}

fn summarise(config: &Config) -> String {
    let parts = [
        (config.listeners.len(), "listener"),
        (config.routes.len(), "route"),
        (config.upstreams.len(), "upstream"),
        (config.issuers.len(), "issuer"),
    ];
    let mut words: Vec<_> = parts.into_iter().map(|(number, noun)| count(number, noun)).collect();
    words.push(match config.directories.len() {
        1 => "1 directory".to_owned(),
        number => format!("{number} directories"),
    });
    words.join(", ")
}

fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

#[cfg(test)]
mod tests;
