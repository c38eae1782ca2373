//! What the forms of the pages hold and how they are answered, for the document: people read the
//! pages themselves, but a document of the endpoints has these as well.

use utoipa::openapi::OpenApi as Written;
use utoipa::{IntoResponses, OpenApi, ToSchema};

use super::{account, login, logout};
use crate::openapi::{self, Cover};

/// What every form says of where it comes from.
pub(super) const FORM: &str = "application/x-www-form-urlencoded";

/// Name and password, or the second step.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the fields are read one by one; this is what they are")]
pub(super) struct LoginForm {
    /// The first step: who.
    #[schema(nullable = false)]
    username: Option<String>,
    /// The first step: the password.
    #[schema(nullable = false, format = Password)]
    password: Option<String>,
    /// The second step: what the page that asks for the code came with.
    #[schema(nullable = false)]
    challenge: Option<String>,
    /// The second step: a one-time or recovery code.
    #[schema(nullable = false)]
    code: Option<String>,
    /// Where to go afterwards: a path of the same host.
    #[schema(nullable = false)]
    redirect: Option<String>,
    /// What the page that shows the form holds. `ClusterCockpit`'s needs none.
    #[schema(nullable = false)]
    form_token: Option<String>,
}

/// A form with nothing to fill in.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the fields are read one by one; this is what they are")]
pub(super) struct EmptyForm {
    /// What the page that shows the form holds.
    form_token: String,
}

/// How long a token should live.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the fields are read one by one; this is what they are")]
pub(super) struct TokenForm {
    /// What the page that shows the form holds.
    form_token: String,
    /// In seconds.
    lifetime: u64,
}

/// A token that is to end.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the fields are read one by one; this is what they are")]
pub(super) struct RevokeTokenForm {
    /// What the page that shows the form holds.
    form_token: String,
    /// The token itself.
    token: String,
}

/// A key to be issued. What is left empty is not narrowed.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the fields are read one by one; this is what they are")]
pub(super) struct KeyForm {
    /// What the page that shows the form holds.
    form_token: String,
    /// What its owner calls it.
    label: String,
    /// In seconds; `0`: until it is revoked.
    lifetime: u64,
    /// Between blanks or commas.
    #[schema(nullable = false)]
    permissions: Option<String>,
    /// The path below which everything lies that it may name.
    #[schema(nullable = false)]
    path: Option<String>,
    /// Networks, between blanks or commas.
    #[schema(nullable = false)]
    addresses: Option<String>,
    /// The methods it may be used with.
    #[schema(nullable = false)]
    method: Option<Vec<String>>,
}

/// A key that is to end.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the fields are read one by one; this is what they are")]
pub(super) struct RevokeKeyForm {
    /// What the page that shows the form holds.
    form_token: String,
    /// The key's id.
    id: String,
}

/// Who begins to enrol.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the fields are read one by one; this is what they are")]
pub(super) struct EnrolForm {
    /// What the page that shows the form holds.
    form_token: String,
    /// The password once more.
    #[schema(format = Password)]
    password: String,
}

/// The code that ends the enrolment.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the fields are read one by one; this is what they are")]
pub(super) struct CodeForm {
    /// What the page that shows the form holds.
    form_token: String,
    /// What the authenticator shows.
    code: String,
}

/// Both factors.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the fields are read one by one; this is what they are")]
pub(super) struct FactorsForm {
    /// What the page that shows the form holds.
    form_token: String,
    /// The password once more.
    #[schema(format = Password)]
    password: String,
    /// A one-time or recovery code.
    code: String,
}

/// Another password.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the fields are read one by one; this is what they are")]
pub(super) struct PasswordForm {
    /// What the page that shows the form holds.
    form_token: String,
    /// The one until now.
    #[schema(format = Password)]
    old: String,
    /// The one from now on.
    #[schema(format = Password)]
    new: String,
    /// The same again.
    #[schema(format = Password)]
    again: String,
}

/// How whatever is sent by a form may be refused: always with a page that says why.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "the pages are made of templates")]
pub(super) enum Refusals {
    /// To the login page: there is no session
    #[response(status = 303)]
    LoggedOut,
    /// The form is not filled in as it must be
    #[response(status = 400, content_type = "text/html")]
    Bad(String),
    /// The form comes from elsewhere, what proves the user again is wrong, or this needs HTTPS
    #[response(status = 403, content_type = "text/html")]
    Forged(String),
    /// No form
    #[response(status = 415)]
    NoForm,
    /// Too many attempts; see Retry-After
    #[response(status = 429, content_type = "text/html")]
    Throttled(String),
    /// Not now; see Retry-After
    #[response(status = 503, content_type = "text/html")]
    Later(String),
}

/// The document of the page dialect, from the handlers.
pub(in crate::endpoint) fn document(server: &str) -> Written {
    let about = "Pages for people with a browser. What changes something is a form of a page that \
                 was shown to the same session. Answers are pages, or lead to one.";
    let cover = Cover { title: "page dialect", about, server };
    openapi::bind(Document::openapi(), &cover, [("session", session())])
}

/// The session of a browser.
pub(super) fn session() -> utoipa::openapi::security::SecurityScheme {
    let about = "A session, which logging in begins; without TLS, on loopback, it is `doorward`";
    openapi::cookie("__Host-doorward", about)
}

#[derive(Debug, OpenApi)]
#[openapi(paths(
    login::show,
    login::log_in,
    logout::here,
    logout::everywhere,
    account::show,
    account::tokens::issue,
    account::tokens::revoke,
    account::keys::issue,
    account::keys::revoke,
    account::factor::begin,
    account::factor::confirm,
    account::factor::disable,
    account::password::change,
))]
struct Document;
