//! What all OpenAPI 3.1 documents of this program have in common: what they say of themselves,
//! and the ways in which a client proves who it is. What is in them, the handlers say.

use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, Http, HttpAuthScheme, HttpBuilder, SecurityScheme,
};
use utoipa::openapi::{Info, License, OpenApi, Server};

/// Whose document it is.
#[derive(Clone, Copy, Debug)]
pub struct Cover<'a> {
    /// What it is called behind the program's name.
    pub title: &'a str,
    /// What a reader must know of all of it.
    pub about: &'a str,
    /// Where its paths begin.
    pub server: &'a str,
}

/// The document with its cover, and the ways to prove who one is, each under the name by which
/// the operations ask for it.
#[must_use]
pub fn bind(
    mut document: OpenApi,
    cover: &Cover<'_>,
    schemes: impl IntoIterator<Item = (&'static str, SecurityScheme)>,
) -> OpenApi {
    let title = format!("doorward: {}", cover.title);
    let mut info = Info::new(title, env!("CARGO_PKG_VERSION").to_owned());
    info.description = Some(cover.about.to_owned());
    info.license = Some(License::new("MIT OR Apache-2.0"));
    document.info = info;
    document.servers = Some(vec![Server::new(cover.server)]);
    let mut components = document.components.take().unwrap_or_default();
    for (name, scheme) in schemes {
        components.add_security_scheme(name, scheme);
    }
    document.components = Some(components);
    document
}

/// `Authorization: Bearer`, with a JWT.
#[must_use]
pub fn bearer(about: &str) -> SecurityScheme {
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT");
    SecurityScheme::Http(bearer.description(Some(about)).build())
}

/// `Authorization: Basic`.
#[must_use]
pub fn basic(about: &str) -> SecurityScheme {
    let mut basic = Http::new(HttpAuthScheme::Basic);
    basic.description = Some(about.to_owned());
    SecurityScheme::Http(basic)
}

/// A cookie.
#[must_use]
pub fn cookie(name: &str, about: &str) -> SecurityScheme {
    SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description(name, about)))
}
