//! `doorward totp`: second factors of users, in the running gateway.

use std::fs;
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::answer::printable;
use super::remote::{Where, segment};
use super::{Answer, Failure, Verdict};

/// What to do with second factors.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Take the second factor of a user away, who has lost it
    Disable(Named),
    /// Enrol a user who sits beside you: shows the secret, and asks for a code of it
    Enrol(Enrol),
    /// Say whether a user has one
    Show(Named),
}

#[derive(Debug, clap::Args)]
pub(super) struct Named {
    /// The user's name
    name: String,
    #[command(flatten)]
    place: Where,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Enrol {
    #[command(flatten)]
    named: Named,
    /// Write the QR code into this file, as SVG
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// End the enrolment that was begun, with this code
    #[arg(long, value_name = "CODE")]
    code: Option<String>,
}

/// Nobody typed a code.
#[derive(Debug, thiserror::Error)]
#[error("no code was typed: end the enrolment with `doorward totp enrol {0} --code CODE`")]
struct NoCode(String);

pub(super) fn run(command: &Command, config: &Path) -> Result<Answer, Failure> {
    match command {
        Command::Disable(named) => {
            named.place.ask(config, "DELETE", &path(named), None)?;
            named.told(&json!({ "user": named.name, "done": "disabled" }), || {
                format!("`{}` has no second factor any more\n", named.name)
            })
        }
        Command::Enrol(arguments) => enrol(arguments, config),
        Command::Show(named) => {
            let told = named.place.ask(config, "GET", &path(named), None)?;
            named.told(&told, || describe(&named.name, &told))
        }
    }
}

fn path(named: &Named) -> String {
    format!("/users/{}/totp", segment(&named.name))
}

impl Named {
    fn told(&self, told: &Value, text: impl FnOnce() -> String) -> Result<Answer, Failure> {
        if self.json {
            return Answer::json(told, Verdict::Good);
        }
        Ok(Answer::good(printable(&text())))
    }
}

fn enrol(arguments: &Enrol, config: &Path) -> Result<Answer, Failure> {
    let Enrol { named, svg, code } = arguments;
    let code = match code {
        Some(code) => code.clone(),
        None => begin(named, svg.as_deref(), config)?,
    };
    let told = named.place.ask(
        config,
        "POST",
        &format!("{}/confirm", path(named)),
        Some(&json!({ "code": code.trim() })),
    )?;
    named.told(&told, || {
        let codes = told.get("recovery_codes").and_then(Value::as_array);
        let codes = codes.into_iter().flatten().filter_map(Value::as_str);
        let codes = codes.map(|code| ["  ", code, "\n"].concat()).collect::<Vec<_>>().concat();
        format!(
            "`{}` has a second factor now. Recovery codes, each good once, shown this once:\n{codes}",
            named.name
        )
    })
}

/// Shows the secret while the command runs: the code that ends it is made of it.
fn begin(named: &Named, svg: Option<&Path>, config: &Path) -> Result<String, Failure> {
    let told = named.place.ask(config, "POST", &path(named), None)?;
    let text = |name: &str| told.get(name).and_then(Value::as_str).unwrap_or_default();
    if let Some(file) = svg {
        fs::write(file, text("svg"))?;
    }
    let mut out = io::stderr().lock();
    writeln!(out, "secret  {}\nuri     {}", printable(text("secret")), printable(text("uri")))?;
    if io::stdin().is_terminal() {
        write!(out, "code of the app: ")?;
        out.flush()?;
    }
    let mut code = String::new();
    io::stdin().lock().read_line(&mut code)?;
    if code.trim().is_empty() {
        return Err(NoCode(named.name.clone()).into());
    }
    Ok(code)
}

fn describe(name: &str, told: &Value) -> String {
    let is = |key: &str| told.get(key).and_then(Value::as_bool).unwrap_or(false);
    let codes = told.get("recovery_codes").and_then(Value::as_u64).unwrap_or(0);
    if is("enrolled") {
        format!("`{name}` has a second factor, and {codes} recovery codes left\n")
    } else if is("pending") {
        format!("`{name}` has begun to enrol, and not confirmed it\n")
    } else {
        format!("`{name}` has no second factor\n")
    }
}
