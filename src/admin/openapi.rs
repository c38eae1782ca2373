//! The OpenAPI 3.1 document of the admin listener, from its handlers.

use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Written;

use super::{api, router};
use crate::openapi::{self, Cover};

/// The document, for a listener that is reached at `server`.
#[must_use]
pub fn document(server: &str) -> Written {
    let about = "What an operator\u{2019}s tools ask a running gateway. Users, keys and tokens are \
                 for the owner of the Unix socket, and over TCP for who shows `admin.token`; what \
                 changes something for local peers only.";
    let cover = Cover { title: "admin", about, server };
    let token = openapi::bearer("`admin.token`; over the Unix socket none is needed");
    let mut document = router::Document::openapi();
    document.merge(api::Document::openapi());
    openapi::bind(document, &cover, [("token", token)])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::admin::api::Api;

    #[test]
    fn every_path_is_in_the_document_and_no_other() {
        let document = serde_json::to_value(document("/")).unwrap();
        let documented = document["paths"].as_object().unwrap().keys();
        let documented: BTreeSet<&str> = documented.map(String::as_str).collect();
        let answered: BTreeSet<&str> = router::PATHS.into_iter().chain(Api::PATHS).collect();
        assert_eq!(documented, answered);
        let mut names = BTreeSet::new();
        for item in document["paths"].as_object().unwrap().values() {
            for operation in item.as_object().unwrap().values() {
                assert!(names.insert(operation["operationId"].as_str().unwrap()), "{operation}");
            }
        }
    }
}
