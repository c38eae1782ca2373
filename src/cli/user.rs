//! `doorward user`: looks into files of users, and changes them.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::prompt::{self, PromptError};
use crate::directory::edit::{self, Change, EditError, NewUser};
use crate::directory::{self, Directory, DirectoryError, DirectorySettings, Format, Warning};
use crate::password::{self, Limits, PasswordHashError};
use crate::secret::Secret;
use crate::user::{Grant, Roles, User};

/// Look into a file of users, and change it
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What can be done with a file of users.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Command {
    /// Add a user; the password is typed, or piped in as one line
    Add(Add),
    /// Shut a user out
    Disable(Named),
    /// Let a disabled user in again
    Enable(Named),
    /// List the users
    List(Target),
    /// Give a user another password; it is typed, or piped in as one line
    Passwd(Named),
    /// Remove a user
    Remove(Named),
    /// Show a user
    Show(Named),
}

/// Which file, and how to speak of it.
#[derive(Clone, Debug, clap::Args)]
pub struct Target {
    /// The file of users; it is made when the first user is added
    #[arg(long, short, value_name = "FILE")]
    pub file: PathBuf,
    /// yaml, json, toml or htpasswd; by default what the file's extension says
    #[arg(long)]
    pub format: Option<Format>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// A user of a file.
#[derive(Clone, Debug, clap::Args)]
pub struct Named {
    /// The user's name
    pub name: String,
    /// The file.
    #[command(flatten)]
    pub target: Target,
}

/// A user to be added.
#[derive(Clone, Debug, clap::Args)]
pub struct Add {
    /// Whom, and to which file.
    #[command(flatten)]
    pub named: Named,
    /// A role; may be given several times
    #[arg(long = "role", value_name = "ROLE")]
    pub roles: Vec<String>,
    /// A permission; may be given several times
    #[arg(long = "permission", value_name = "PERMISSION")]
    pub permissions: Vec<String>,
    /// A group; may be given several times
    #[arg(long = "group", value_name = "GROUP")]
    pub groups: Vec<String>,
    /// The home, `/` for everything
    #[arg(long)]
    pub home: Option<String>,
    /// The e-mail address
    #[arg(long)]
    pub email: Option<String>,
    /// The cluster tag
    #[arg(long)]
    pub tag: Option<String>,
    /// Ask for no password: the user has none, and logs in by tokens only
    #[arg(long)]
    pub no_password: bool,
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// The file can't be changed so.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// The password can't be hashed.
    #[error(transparent)]
    Hash(#[from] PasswordHashError),
    /// The file can't be read.
    #[error(transparent)]
    Load(#[from] DirectoryError),
    /// There is no password.
    #[error(transparent)]
    Prompt(#[from] PromptError),
    /// No such user.
    #[error("no user `{0}`")]
    Unknown(String),
    /// The answer can't be printed.
    #[error("cannot write the answer")]
    Write(#[from] io::Error),
}

/// Does what was asked for, and says so to `out`.
///
/// # Errors
///
/// [`UserError`] says what was in the way; the file is then as it was.
pub fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<ExitCode, UserError> {
    execute(&arguments.command, out, &mut prompt::new_password)
}

/// Where new passwords come from.
type Ask<'a> = &'a mut dyn FnMut() -> Result<Secret, PromptError>;

fn execute(command: &Command, out: &mut dyn Write, ask: Ask<'_>) -> Result<ExitCode, UserError> {
    match command {
        Command::Add(add) => add_user(add, out, ask)?,
        Command::Disable(named) => {
            change(named, &Change::Disable(named.name.clone()), "disabled", out)?;
        }
        Command::Enable(named) => {
            change(named, &Change::Enable(named.name.clone()), "enabled", out)?;
        }
        Command::List(target) => list(target, out)?,
        Command::Passwd(named) => {
            let (directory, _) = load(&named.target)?; // before anybody types for nothing
            find(&directory, &named.name)?;
            let hash = password::hash(ask()?.expose())?;
            let set = Change::SetPassword { name: named.name.clone(), hash };
            change(named, &set, "given another password", out)?;
        }
        Command::Remove(named) => {
            change(named, &Change::Remove(named.name.clone()), "removed", out)?;
        }
        Command::Show(named) => show(named, out)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn add_user(add: &Add, out: &mut dyn Write, ask: Ask<'_>) -> Result<(), UserError> {
    let mut new = NewUser {
        name: add.named.name.clone(),
        hash: None,
        roles: add.roles.clone(),
        permissions: add.permissions.clone(),
        home: add.home.clone(),
        groups: add.groups.clone(),
        email: add.email.clone(),
        tag: add.tag.clone(),
        ..NewUser::default()
    };
    if !add.no_password {
        let Target { file, format, .. } = &add.named.target;
        edit::check(file, format.unwrap_or(Format::of(file)), &Change::Add(new.clone()))?;
        new.hash = Some(password::hash(ask()?.expose())?);
    }
    change(&add.named, &Change::Add(new), "added", out)
}

fn change(
    named: &Named,
    change: &Change,
    done: &str,
    out: &mut dyn Write,
) -> Result<(), UserError> {
    let Target { file, format, json } = &named.target;
    edit::apply(file, format.unwrap_or(Format::of(file)), change)?;
    if *json {
        let said = json!({ "user": named.name, "file": file.display().to_string(), "done": done });
        writeln!(out, "{said}")?;
    } else {
        writeln!(out, "user `{}` is {done} in {}", named.name, file.display())?;
    }
    Ok(())
}

fn list(target: &Target, out: &mut dyn Write) -> Result<(), UserError> {
    let (directory, warnings) = load(target)?;
    if target.json {
        let users: Vec<Value> = directory.users().map(|user| describe(user)).collect();
        let warnings: Vec<String> = warnings.iter().map(ToString::to_string).collect();
        writeln!(out, "{}", json!({ "users": users, "warnings": warnings }))?;
        return Ok(());
    }
    let width = directory.users().map(|user| user.name.chars().count()).max().unwrap_or_default();
    for user in directory.users() {
        let state = if user.disabled { "disabled" } else { "enabled" };
        let password = user.password.as_ref().map_or("no password", |hash| hash.family().as_str());
        let home = user.home.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
        let roles = user.roles.join(",");
        writeln!(out, "{:width$}  {state:8}  {password:13}  {home}  {roles}", user.name)?;
    }
    for warning in warnings {
        writeln!(out, "warning: {warning}")?;
    }
    Ok(())
}

fn show(named: &Named, out: &mut dyn Write) -> Result<(), UserError> {
    let (directory, warnings) = load(&named.target)?;
    let user = describe(find(&directory, &named.name)?);
    if named.target.json {
        writeln!(out, "{user}")?;
        return Ok(());
    }
    for (key, value) in user.as_object().into_iter().flatten() {
        let text = match value {
            Value::Null => "-".to_owned(),
            Value::String(text) => text.clone(),
            Value::Array(items) => {
                items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
            }
            Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
        };
        writeln!(out, "{key:12} {text}")?;
    }
    for warning in warnings.iter().filter(|it| it.user.as_deref() == Some(named.name.as_str())) {
        writeln!(out, "warning: {warning}")?;
    }
    Ok(())
}

/// The roles of the configuration are not known here, so that they are not missed either.
fn load(target: &Target) -> Result<(Directory, Vec<Warning>), UserError> {
    let mut settings = DirectorySettings::of_file(&target.file);
    settings.format = target.format.unwrap_or(settings.format);
    let (directory, mut warnings) =
        directory::load(&settings, &Roles::default(), Limits::default())?;
    warnings.retain(|warning| !warning.is_unknown_role());
    Ok((directory, warnings))
}

fn find<'d>(directory: &'d Directory, name: &str) -> Result<&'d User, UserError> {
    directory.get(name).map(|user| &**user).ok_or_else(|| UserError::Unknown(name.to_owned()))
}

/// All there is of a user but the hash.
fn describe(user: &User) -> Value {
    json!({
        "name": user.name,
        "disabled": user.disabled,
        "password": user.password.as_ref().map(|hash| hash.family().as_str()),
        "roles": user.roles,
        "permissions": user.permissions.iter().map(Grant::as_str).collect::<Vec<_>>(),
        "home": user.home.as_ref().map(ToString::to_string),
        "tag": user.tag,
        "email": user.email,
        "groups": user.groups,
        "attributes": user.attributes,
    })
}

#[cfg(test)]
mod tests;
