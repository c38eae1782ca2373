//! `doorward schema`: the JSON Schema of the configuration file, for editors, and the OpenAPI
//! document of the endpoints.

use std::io::{self, Write};

use clap::builder::PossibleValue;

use crate::endpoint::openapi;
use crate::route::endpoint::Dialect;
use crate::{admin, config};

/// Prints the JSON Schema of the configuration file, or the OpenAPI document of the endpoints.
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    /// What is described.
    #[arg(value_enum, default_value_t)]
    subject: Subject,
    /// The endpoints of which dialect, or `admin`: of the admin listener
    #[arg(long, value_enum, default_value_t, value_name = "DIALECT")]
    dialect: Described,
    /// Where these endpoints are reached, prefix included
    #[arg(long, default_value = "/", value_name = "URL")]
    server: String,
}

/// Whose endpoints are described.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Described {
    Admin,
    Of(Dialect),
}

impl Default for Described {
    fn default() -> Self {
        Self::Of(Dialect::Standard)
    }
}

impl clap::ValueEnum for Described {
    fn value_variants<'a>() -> &'a [Self] {
        const ALL: [Described; 9] = [
            Described::Admin,
            Described::Of(Dialect::Appmesh),
            Described::Of(Dialect::Clustercockpit),
            Described::Of(Dialect::ForwardAuth),
            Described::Of(Dialect::Jwthenticator),
            Described::Of(Dialect::Omegaml),
            Described::Of(Dialect::Page),
            Described::Of(Dialect::Ryft),
            Described::Of(Dialect::Standard),
        ];
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(match self {
            Self::Admin => "admin",
            Self::Of(dialect) => dialect.as_str(),
        }))
    }
}

#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum Subject {
    /// The configuration file, as JSON Schema.
    #[default]
    Config,
    /// The endpoints of a dialect, as OpenAPI 3.1.
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
        Subject::Openapi => serde_json::to_string_pretty(&match arguments.dialect {
            Described::Admin => admin::openapi::document(&arguments.server),
            Described::Of(dialect) => openapi::document(dialect, &arguments.server),
        }),
    };
    writeln!(out, "{}", schema?)
}

#[cfg(test)]
mod tests {
    use clap::{Parser, ValueEnum as _};
    use serde_json::Value;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn printed(line: &[&str]) -> Value {
        let line = Line::try_parse_from([&["schema"][..], line].concat()).unwrap();
        let mut out = Vec::new();
        run(&line.arguments, &mut out).unwrap();
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn the_schema_is_json() {
        assert_eq!(printed(&[])["title"], "doorward.toml");
    }

    #[test]
    fn the_endpoints_are_described_as_well() {
        let document = printed(&["openapi"]);
        assert_eq!(document["openapi"], "3.1.0");
        assert!(document["paths"]["/oauth2/token"]["post"].is_object());
    }

    #[test]
    fn every_dialect_has_a_document_and_so_has_the_admin_listener() {
        for described in Described::value_variants() {
            let name = described.to_possible_value().unwrap();
            let line =
                ["openapi", "--dialect", name.get_name(), "--server", "https://gateway.example/x"];
            let document = printed(&line);
            assert_eq!(document["servers"][0]["url"], "https://gateway.example/x");
            let title = document["info"]["title"].as_str().unwrap().to_owned();
            assert!(title.contains(name.get_name()), "{title}");
            if let Described::Of(dialect) = described {
                assert!(Dialect::ALL.contains(dialect));
            }
        }
        assert_eq!(Described::value_variants().len(), Dialect::ALL.len() + 1);
    }
}
