//! Where the configuration is, and how the command line reads it: as start and reload do.

use std::path::{Path, PathBuf};

use crate::config::{Config, ConfigErrors};
use crate::snapshot::{Keep, LoadErrors, Snapshot};

/// Where a configuration is looked for when none is named.
const BESIDE: &str = "doorward.toml";
const INSTALLED: &str = "/etc/doorward/doorward.toml";

/// What no configuration does without; where the environment has one of these and there is no
/// file, it says everything.
const LISTENERS: &str = "DOORWARD_LISTENERS_";

/// The configuration that is meant: the one that is named, else `doorward.toml` in the working
/// directory if it is there, else the installed one. Empty: there is no file, and the environment
/// stands for one. A file that is named and missing is never passed over.
pub(super) fn path(named: Option<PathBuf>) -> PathBuf {
    let has_listener = || environment().any(|(name, _)| name.starts_with(LISTENERS));
    match named {
        Some(named) => named,
        None if Path::new(BESIDE).exists() => BESIDE.into(),
        None if !Path::new(INSTALLED).exists() && has_listener() => PathBuf::new(),
        None => INSTALLED.into(),
    }
}

/// The environment, as far as it is text. A variable of ours that is none is read lossily, and
/// then refused like any other bad value, rather than passed over.
pub(super) fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| {
        let name = name.into_string().ok()?;
        match value.into_string() {
            Ok(value) => Some((name, value)),
            Err(value) if name.starts_with("DOORWARD_") => {
                Some((name, value.to_string_lossy().into_owned()))
            }
            Err(_) => None,
        }
    })
}

/// Reads the configuration alone.
pub(super) fn load(path: &Path) -> Result<Config, ConfigErrors> {
    Config::load(path, environment())
}

/// Why there is no snapshot.
#[derive(Debug, thiserror::Error)]
pub(super) enum SettingsError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    /// What the configuration names.
    #[error(transparent)]
    Load(#[from] LoadErrors),
}

/// Reads the configuration and everything that it names.
pub(super) fn snapshot(path: &Path) -> Result<(Config, Snapshot), SettingsError> {
    let config = load(path)?;
    let snapshot = Snapshot::build(&config, 1, &mut Keep::default())?;
    Ok((config, snapshot))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_configuration_comes_before_every_other() {
        assert_eq!(path(Some("elsewhere.toml".into())), Path::new("elsewhere.toml"));
    }

    #[test]
    fn without_a_name_and_without_a_file_here_the_installed_one_is_meant() {
        assert_eq!(path(None), Path::new(INSTALLED)); // tests run where no doorward.toml lies
    }
}
