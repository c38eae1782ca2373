//! `doorward schema`: the JSON Schema of the configuration file, for editors.

use std::io::{self, Write};

use crate::config;

/// Prints the JSON Schema of the configuration file.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Arguments {}

/// Prints the schema.
///
/// # Errors
///
/// `out` cannot be written to.
pub fn run(_: &Arguments, out: &mut dyn Write) -> io::Result<()> {
    let schema = serde_json::to_string_pretty(&config::schema())?;
    writeln!(out, "{schema}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_is_json() {
        let mut out = Vec::new();

        run(&Arguments {}, &mut out).unwrap();

        let schema: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(schema["title"], "doorward.toml");
    }
}
