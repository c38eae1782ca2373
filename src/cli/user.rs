//! `doorward user`: looks into users, and changes them: in a file that is named, else in the
//! running gateway.

mod remote;

use std::io::{self, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::{Value, json};

use super::prompt::{self, PromptError};
use super::remote::{RemoteError, Where};
use crate::directory::edit::{self, Change, EditError, NewUser};
use crate::directory::{self, Directory, DirectoryError, DirectorySettings, Format, Warning};
use crate::password::{self, Limits, PasswordHashError};
use crate::secret::Secret;
use crate::user::{Grant, Roles, User};

/// Look into users, and change them: in a file, or in the running gateway
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What can be done with users.
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
    /// End all tokens, logins and sessions that a user has now, in the running gateway
    Logout(Running),
    /// Give a user another password; it is typed, or piped in as one line
    Passwd(Named),
    /// Remove a user
    Remove(Named),
    /// Show a user
    Show(Named),
    /// Forget the failed logins of a user, or from an address, in the running gateway
    Unlock(Unlock),
}

/// A user of the running gateway.
#[derive(Clone, Debug, clap::Args)]
pub struct Running {
    /// The user's name
    pub name: String,
    #[command(flatten)]
    place: Where,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Whose failed logins are forgotten.
#[derive(Clone, Debug, clap::Args)]
pub struct Unlock {
    /// The user's name, in any spelling
    #[arg(required_unless_present = "address")]
    pub name: Option<String>,
    /// The address, whoever its failures were about
    #[arg(long, value_name = "IP")]
    pub address: Option<IpAddr>,
    #[command(flatten)]
    place: Where,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Which file, and how to speak of it.
#[derive(Clone, Debug, clap::Args)]
pub struct Target {
    /// The file of users; it is made when the first user is added [default: ask the running
    /// gateway]
    #[arg(long, short, value_name = "FILE", conflicts_with = "admin")]
    pub file: Option<PathBuf>,
    /// yaml, json, toml or htpasswd; by default what the file's extension says
    #[arg(long, requires = "file")]
    pub format: Option<Format>,
    #[command(flatten)]
    place: Where,
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
    /// The running gateway.
    #[error(transparent)]
    Remote(Box<dyn std::error::Error + Send + Sync>),
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
pub fn run(
    arguments: &Arguments,
    config: &Path,
    out: &mut dyn Write,
) -> Result<ExitCode, UserError> {
    execute(&arguments.command, config, out, &mut prompt::new_password)
}

/// Where new passwords come from.
type Ask<'a> = &'a mut dyn FnMut() -> Result<Secret, PromptError>;

fn execute(
    command: &Command,
    config: &Path,
    out: &mut dyn Write,
    ask: Ask<'_>,
) -> Result<ExitCode, UserError> {
    match command.target().and_then(Target::place) {
        Some(place) => in_file(command, place, out, ask)?,
        None => remote::execute(command, config, out, ask)?,
    }
    Ok(ExitCode::SUCCESS)
}

impl Command {
    /// Where it is done; `None`: only a running gateway can.
    fn target(&self) -> Option<&Target> {
        match self {
            Self::Add(add) => Some(&add.named.target),
            Self::Disable(named)
            | Self::Enable(named)
            | Self::Passwd(named)
            | Self::Remove(named)
            | Self::Show(named) => Some(&named.target),
            Self::List(target) => Some(target),
            Self::Logout(_) | Self::Unlock(_) => None,
        }
    }
}

/// A file that was named.
#[derive(Clone, Copy, Debug)]
struct Place<'a> {
    file: &'a Path,
    format: Format,
    json: bool,
}

impl Target {
    fn place(&self) -> Option<Place<'_>> {
        let file = self.file.as_deref()?;
        Some(Place { file, format: self.format.unwrap_or(Format::of(file)), json: self.json })
    }
}

fn in_file(
    command: &Command,
    place: Place<'_>,
    out: &mut dyn Write,
    ask: Ask<'_>,
) -> Result<(), UserError> {
    match command {
        Command::Add(add) => add_user(add, place, out, ask),
        Command::Disable(named) => {
            change(named, place, &Change::Disable(named.name.clone()), "disabled", out)
        }
        Command::Enable(named) => {
            change(named, place, &Change::Enable(named.name.clone()), "enabled", out)
        }
        Command::List(_) => list(place, out),
        Command::Passwd(named) => {
            let (directory, _) = load(place)?; // before anybody types for nothing
            find(&directory, &named.name)?;
            let hash = password::hash(ask()?.expose())?;
            let set = Change::SetPassword { name: named.name.clone(), hash };
            change(named, place, &set, "given another password", out)
        }
        Command::Remove(named) => {
            change(named, place, &Change::Remove(named.name.clone()), "removed", out)
        }
        Command::Show(named) => show(named, place, out),
        Command::Logout(_) | Command::Unlock(_) => Ok(()), // have no file
    }
}

fn add_user(
    add: &Add,
    place: Place<'_>,
    out: &mut dyn Write,
    ask: Ask<'_>,
) -> Result<(), UserError> {
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
        edit::check(place.file, place.format, &Change::Add(new.clone()))?;
        new.hash = Some(password::hash(ask()?.expose())?);
    }
    change(&add.named, place, &Change::Add(new), "added", out)
}

fn change(
    named: &Named,
    place: Place<'_>,
    change: &Change,
    done: &str,
    out: &mut dyn Write,
) -> Result<(), UserError> {
    let Place { file, format, json } = place;
    edit::apply(file, format, change)?;
    if json {
        let said = json!({ "user": named.name, "file": file.display().to_string(), "done": done });
        writeln!(out, "{said}")?;
    } else {
        writeln!(out, "user `{}` is {done} in {}", named.name, file.display())?;
    }
    Ok(())
}

fn list(place: Place<'_>, out: &mut dyn Write) -> Result<(), UserError> {
    let (directory, warnings) = load(place)?;
    let users: Vec<Value> = directory.users().map(|user| describe(user)).collect();
    let warnings: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    if place.json {
        writeln!(out, "{}", json!({ "users": users, "warnings": warnings }))?;
        return Ok(());
    }
    write_list(&users, out)?;
    for warning in warnings {
        writeln!(out, "warning: {warning}")?;
    }
    Ok(())
}

/// Users as [`describe`] says them, or the running gateway.
fn write_list(users: &[Value], out: &mut dyn Write) -> io::Result<()> {
    let text = |user: &Value, key: &str| user.get(key).and_then(Value::as_str).map(str::to_owned);
    let name = |user: &Value| text(user, "name").unwrap_or_default();
    let width = users.iter().map(|user| name(user).chars().count()).max().unwrap_or_default();
    for user in users {
        let is_disabled = user.get("disabled").and_then(Value::as_bool).unwrap_or(false);
        let state = if is_disabled { "disabled" } else { "enabled" };
        let password = text(user, "password").unwrap_or_else(|| "no password".to_owned());
        let home = text(user, "home").unwrap_or_else(|| "-".to_owned());
        let roles = user.get("roles").and_then(Value::as_array).into_iter().flatten();
        let roles = roles.filter_map(Value::as_str).collect::<Vec<_>>().join(",");
        writeln!(out, "{:width$}  {state:8}  {password:13}  {home}  {roles}", name(user))?;
    }
    Ok(())
}

fn show(named: &Named, place: Place<'_>, out: &mut dyn Write) -> Result<(), UserError> {
    let (directory, warnings) = load(place)?;
    let user = describe(find(&directory, &named.name)?);
    if place.json {
        writeln!(out, "{user}")?;
        return Ok(());
    }
    write_user(&user, out)?;
    for warning in warnings.iter().filter(|it| it.user.as_deref() == Some(named.name.as_str())) {
        writeln!(out, "warning: {warning}")?;
    }
    Ok(())
}

fn write_user(user: &Value, out: &mut dyn Write) -> io::Result<()> {
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
    Ok(())
}

/// The roles of the configuration are not known here, so that they are not missed either.
fn load(place: Place<'_>) -> Result<(Directory, Vec<Warning>), UserError> {
    let mut settings = DirectorySettings::of_file(place.file);
    settings.format = place.format;
    let (directory, mut warnings) =
        directory::load(&settings, &Roles::default(), Limits::default(), None)?;
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

impl From<RemoteError> for UserError {
    fn from(error: RemoteError) -> Self {
        Self::Remote(Box::new(error))
    }
}

#[cfg(test)]
mod tests;
