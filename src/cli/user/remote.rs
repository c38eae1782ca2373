//! The same without a file: asked of the running gateway, which changes the file that holds the
//! user, ends what the user has where that is meant, and has loaded everything when it answers.

use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};

use super::{Add, Ask, Command, Named, Running, Unlock, UserError, write_list, write_user};
use crate::cli::remote::{Where, segment};
use crate::secret::Secret;

pub(super) fn execute(
    command: &Command,
    config: &Path,
    out: &mut dyn Write,
    ask: Ask<'_>,
) -> Result<(), UserError> {
    match command {
        Command::Add(add) => add_user(add, config, out, ask),
        Command::Disable(named) => change(named, config, ("POST", "/disable"), "disabled", out),
        Command::Enable(named) => change(named, config, ("POST", "/enable"), "enabled", out),
        Command::List(target) => {
            let told = target.place.ask(config, "GET", "/users", None)?;
            if target.json {
                writeln!(out, "{told}")?;
                return Ok(());
            }
            let users = told.get("users").and_then(Value::as_array);
            Ok(write_list(users.map(Vec::as_slice).unwrap_or_default(), out)?)
        }
        Command::Logout(running) => act(running, config, "/logout", "logged out everywhere", out),
        Command::Passwd(named) => {
            show(named, config)?; // before anybody types for nothing
            let body = json!({ "password": text(&ask()?)? });
            let path = format!("{}/password", path(&named.name));
            named.target.place.ask(config, "PUT", &path, Some(&body))?;
            say(&named.name, "given another password", named.target.json, out)
        }
        Command::Remove(named) => change(named, config, ("DELETE", ""), "removed", out),
        Command::Show(named) => {
            let told = show(named, config)?;
            if named.target.json {
                writeln!(out, "{told}")?;
                return Ok(());
            }
            Ok(write_user(&told, out)?)
        }
        Command::Unlock(what) => unlock(what, config, out),
    }
}

fn add_user(add: &Add, config: &Path, out: &mut dyn Write, ask: Ask<'_>) -> Result<(), UserError> {
    let mut body = json!({
        "name": add.named.name,
        "roles": add.roles,
        "permissions": add.permissions,
        "groups": add.groups,
        "home": add.home,
        "email": add.email,
        "tag": add.tag,
    });
    if !add.no_password
        && let Some(body) = body.as_object_mut()
    {
        body.insert("password".to_owned(), text(&ask()?)?.into());
    }
    add.named.target.place.ask(config, "POST", "/users", Some(&body))?;
    say(&add.named.name, "added", add.named.target.json, out)
}

fn show(named: &Named, config: &Path) -> Result<Value, UserError> {
    Ok(named.target.place.ask(config, "GET", &path(&named.name), None)?)
}

fn change(
    named: &Named,
    config: &Path,
    (method, below): (&str, &str),
    done: &str,
    out: &mut dyn Write,
) -> Result<(), UserError> {
    let path = path(&named.name) + below;
    named.target.place.ask(config, method, &path, None)?;
    say(&named.name, done, named.target.json, out)
}

fn act(
    running: &Running,
    config: &Path,
    below: &str,
    done: &str,
    out: &mut dyn Write,
) -> Result<(), UserError> {
    let place: &Where = &running.place;
    place.ask(config, "POST", &(path(&running.name) + below), None)?;
    say(&running.name, done, running.json, out)
}

/// Forgets failures: of a user from everywhere, and of an address whoever they were about.
fn unlock(what: &Unlock, config: &Path, out: &mut dyn Write) -> Result<(), UserError> {
    let Unlock { name, address, place, json } = what;
    let address = address.as_ref().map(ToString::to_string);
    let kinds = [("user", "users", name), ("address", "addresses", &address)];
    for (kind, section, name) in kinds {
        let Some(name) = name else { continue };
        let path = format!("/{section}/{}/unlock", segment(name));
        let told = place.ask(config, "POST", &path, None)?;
        let had_any = told.get("unlocked").and_then(Value::as_bool).unwrap_or(false);
        if *json {
            writeln!(
                out,
                "{}",
                json!({ kind: name, "done": "unlocked", "had_failures": had_any })
            )?;
        } else if had_any {
            writeln!(out, "{kind} `{name}` is unlocked")?;
        } else {
            writeln!(out, "{kind} `{name}` is unlocked: there were no failures")?;
        }
    }
    Ok(())
}

fn say(name: &str, done: &str, json: bool, out: &mut dyn Write) -> Result<(), UserError> {
    if json {
        writeln!(out, "{}", json!({ "user": name, "done": done }))?;
    } else {
        writeln!(out, "user `{name}` is {done}")?;
    }
    Ok(())
}

fn path(name: &str) -> String {
    format!("/users/{}", segment(name))
}

fn text(password: &Secret) -> Result<&str, UserError> {
    let text = std::str::from_utf8(password.expose());
    text.map_err(|_| UserError::Remote("the password is not UTF-8".into()))
}
