//! `doorward schema`: the JSON Schema of the configuration file, for editors, and the OpenAPI
//! document of the endpoints.

use std::io::{self, Write};

use crate::config;
use crate::endpoint::openapi;

/// Prints the JSON Schema of the configuration file, or the OpenAPI document of the endpoints.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Arguments {
    /// What is described.
    #[arg(value_enum, default_value_t)]
    subject: Subject,
}

#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum Subject {
    /// The configuration file, as JSON Schema.
    #[default]
    Config,
    /// The endpoints of the standard dialect, as OpenAPI 3.1.
    Openapi,
}

/// Prints the schema.
///
/// # Errors
///
/// `out` cannot be written to.
pub fn run(arguments: &Arguments, out: &mut dyn Write) -> io::Result<()> {
    let schema = match arguments.subject {
        Subject::Config => serde_json::to_string_pretty(&config::schema()),
        Subject::Openapi => serde_json::to_string_pretty(&openapi::document("/")),
    };
    writeln!(out, "{}", schema?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_is_json() {
        let mut out = Vec::new();

        run(&Arguments::default(), &mut out).unwrap();

        let schema: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(schema["title"], "doorward.toml");
    }

    #[test]
    fn the_endpoints_are_described_as_well() {
        let mut out = Vec::new();

        run(&Arguments { subject: Subject::Openapi }, &mut out).unwrap();

        let document: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(document["openapi"], "3.1.0");
        assert!(document["paths"]["/oauth2/token"]["post"].is_object());
    }
}
