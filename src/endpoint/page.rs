//! Pages for people with a browser: log in, look at one's account, log out.
//!
//! No page needs a script or anything from elsewhere, and each says so to the browser (CSP). What
//! changes something is a POST that must come from a page of ours: the browser's word about the
//! sender (`Origin`, `Sec-Fetch-Site`) and a token bound to the session are both asked for. A
//! cookie that holds no session counts as none, since what follows is a login anyway.

mod account;
mod answer;
pub mod clustercockpit;
mod document;
mod fields;
mod login;
mod logout;
pub mod onward;
mod origin;
mod visit;

use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;

pub(in crate::endpoint) use self::document::document;
use crate::service::Call;

/// The paths of the dialect, below its prefix.
pub fn router() -> Router {
    Router::new()
        .route("/login", get(login::show).post(login::log_in))
        .route("/logout", post(logout::here))
        .route("/logout/everywhere", post(logout::everywhere))
        .route("/me", get(account::show))
        .route("/me/tokens", post(account::tokens::issue))
        .route("/me/tokens/revoke", post(account::tokens::revoke))
        .route("/me/keys", post(account::keys::issue))
        .route("/me/keys/revoke", post(account::keys::revoke))
        .route("/me/totp", post(account::factor::begin))
        .route("/me/totp/confirm", post(account::factor::confirm))
        .route("/me/totp/disable", post(account::factor::disable))
        .route("/me/password", post(account::password::change))
        .fallback(absent)
        .method_not_allowed_fallback(wrong_method)
}

async fn absent(call: Call) -> Response {
    answer::message(&call, StatusCode::NOT_FOUND, "Not found", "There is no such page.")
}

async fn wrong_method(call: Call) -> Response {
    answer::message(
        &call,
        StatusCode::METHOD_NOT_ALLOWED,
        "Not so",
        "This page is not used in this way.",
    )
}
