//! The OpenAPI 3.1 document of the standard dialect, made of the types that its handlers read and
//! write.

use axum::Json;
use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;
use utoipa::openapi::security::{Http, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Info, License, Server};

use super::dialect::standard;
use crate::service::Call;

const ABOUT: &str = "Tokens, second factors and API keys of a doorward gateway. Requests to \
                     `/oauth2/…` are forms; a parameter that comes twice makes them invalid.";

/// The document, for a gateway that is reached at `server`.
#[must_use]
pub fn document(server: &str) -> OpenApi {
    let mut document = standard::Document::openapi();
    let mut info = Info::new("doorward", env!("CARGO_PKG_VERSION"));
    info.description = Some(ABOUT.to_owned());
    info.license = Some(License::new("MIT OR Apache-2.0"));
    document.info = info;
    document.servers = Some(vec![Server::new(server)]);
    let mut components = document.components.take().unwrap_or_default();
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some("An access token of the user, not of an API key"));
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer.build()));
    let mut client = Http::new(HttpAuthScheme::Basic);
    client.description = Some("The id or owner of an API key, and the key".to_owned());
    components.add_security_scheme("client", SecurityScheme::Http(client));
    document.components = Some(components);
    document
}

/// `GET /openapi.json`.
pub(super) async fn answer(call: Call) -> Json<OpenApi> {
    Json(document(&format!("{}{}", call.origin(), call.profile.prefix)))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::route::endpoint::Dialect;

    #[test]
    fn every_path_of_the_dialect_is_in_the_document_and_no_other() {
        let document = serde_json::to_value(document("https://gateway.example")).unwrap();

        assert_eq!(document["openapi"], "3.1.0");
        let documented = document["paths"].as_object().unwrap().keys().map(String::as_str);
        let mut documented: Vec<&str> = documented.chain(["/openapi.json"]).collect();
        documented.sort_unstable();
        let mut answered = Dialect::Standard.paths().to_vec();
        answered.sort_unstable();
        assert_eq!(documented, answered);
    }

    #[test]
    fn every_schema_that_is_named_is_there() {
        fn names(value: &Value, found: &mut Vec<String>) {
            match value {
                Value::Object(object) => {
                    if let Some(Value::String(name)) = object.get("$ref") {
                        found.push(name.clone());
                    }
                    object.values().for_each(|value| names(value, found));
                }
                Value::Array(values) => values.iter().for_each(|value| names(value, found)),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
        }
        let document = serde_json::to_value(document("/")).unwrap();
        let mut found = Vec::new();
        names(&document, &mut found);
        assert!(!found.is_empty());
        for name in found {
            let place = name.strip_prefix('#').unwrap();
            assert!(document.pointer(place).is_some(), "{name}");
        }
    }
}
