//! The OpenAPI 3.1 documents of the dialects, each made of the types that its handlers read and
//! write. Each mount serves its own, of what it answers; forward-auth's readers are no proxies, so
//! that one is only printed.

use axum::Json;
use utoipa::openapi::OpenApi;

use super::{dialect, forward_auth, page};
use crate::route::endpoint::Dialect;
use crate::service::Call;
use crate::snapshot::Profile;

/// The document of a dialect, for a gateway that is reached at `server`.
#[must_use]
pub fn document(dialect: Dialect, server: &str) -> OpenApi {
    match dialect {
        Dialect::Appmesh => dialect::appmesh::document(server),
        Dialect::Clustercockpit => page::clustercockpit::document(server),
        Dialect::ForwardAuth => forward_auth::document(server),
        Dialect::Jwthenticator => dialect::jwthenticator::document(server),
        Dialect::Omegaml => dialect::omegaml::document(server),
        Dialect::Page => page::document(server),
        Dialect::Ryft => dialect::ryft::document(server),
        Dialect::Standard => dialect::standard::document(server),
    }
}

/// What a mount says of itself.
pub(super) async fn answer(call: Call) -> Json<OpenApi> {
    let server = format!("{}{}", call.origin(), call.profile.prefix);
    let mut document = document(call.profile.dialect, &server);
    document.paths.paths.retain(|path, _| answers(&call.profile, path));
    Json(document)
}

/// Whether a path of the dialect is one of this mount's, which may leave some out.
fn answers(profile: &Profile, path: &str) -> bool {
    match profile.dialect {
        Dialect::Clustercockpit => page::clustercockpit::answers(profile, path),
        Dialect::Jwthenticator => dialect::jwthenticator::answers(profile.sets, path),
        Dialect::Appmesh
        | Dialect::ForwardAuth
        | Dialect::Omegaml
        | Dialect::Page
        | Dialect::Ryft
        | Dialect::Standard => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn all() -> impl Iterator<Item = (Dialect, Value)> {
        let told = |dialect| document(dialect, "https://gateway.example");
        Dialect::ALL.into_iter().map(move |it| (it, serde_json::to_value(told(it)).unwrap()))
    }

    #[test]
    fn every_path_of_each_dialect_is_in_its_document_and_no_other() {
        for (dialect, document) in all() {
            assert_eq!(document["openapi"], "3.1.0");
            assert_eq!(document["servers"][0]["url"], "https://gateway.example");
            let documented = document["paths"].as_object().unwrap().keys().map(String::as_str);
            let mut documented: Vec<&str> = documented.chain(dialect.document()).collect();
            documented.sort_unstable();
            // OpenAPI has no name for what reaches over several segments.
            let mut answered: Vec<_> =
                dialect.paths().iter().map(|path| path.replace("{*", "{")).collect();
            answered.sort_unstable();
            assert_eq!(documented, answered, "{dialect}");
        }
    }

    #[test]
    fn every_operation_has_a_name_of_its_own_and_says_what_it_is_for() {
        for (dialect, document) in all() {
            let mut names = Vec::new();
            for (path, item) in document["paths"].as_object().unwrap() {
                for (method, operation) in item.as_object().unwrap() {
                    let place = format!("{dialect} {method} {path}");
                    names.push(operation["operationId"].as_str().expect(&place).to_owned());
                    let summary = operation["summary"].as_str().expect(&place);
                    assert!(!summary.is_empty(), "{place}");
                    assert!(!operation["responses"].as_object().unwrap().is_empty(), "{place}");
                    for demand in operation["security"].as_array().into_iter().flatten() {
                        for scheme in demand.as_object().unwrap().keys() {
                            let known = &document["components"]["securitySchemes"][scheme];
                            assert!(known.is_object(), "{place}: {scheme}");
                        }
                    }
                }
            }
            let count = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), count, "{dialect}: {names:?}");
        }
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
        for (dialect, document) in all() {
            let mut found = Vec::new();
            names(&document, &mut found);
            for name in found {
                let place = name.strip_prefix('#').unwrap();
                assert!(document.pointer(place).is_some(), "{dialect}: {name}");
            }
        }
    }
}
