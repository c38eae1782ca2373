//! The account page: who one is, one's tokens and keys, second factor, password.

pub(crate) mod factor;
pub(crate) mod keys;
pub(crate) mod password;
mod time;
pub(crate) mod tokens;

use askama::Template;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::response::Response;
use http::StatusCode;

use self::keys::KeyRow;
use self::time::{Choice, moment};
use super::answer::{self, Frame, Page};
use super::visit::{self, Known, Visit};
use crate::session::How;

const KEY_METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "PROPFIND"];

/// What stands around every page behind the login.
#[derive(Clone, Debug)]
pub(crate) struct Inside {
    /// Who is logged in.
    pub(crate) user: Box<str>,
    /// What the forms carry.
    pub(crate) form_token: String,
}

impl Inside {
    /// That of a session.
    #[must_use]
    pub(crate) fn of(visit: &Visit, known: &Known) -> Self {
        Self { user: known.user.name.clone(), form_token: known.form_token(&visit.call) }
    }
}

/// Whether there is a second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Factor {
    Off,
    On { recovery_codes: u64 },
    Unavailable,
}

#[derive(Debug, Template)]
#[template(path = "account.html")]
struct AccountPage {
    frame: Frame,
    inside: Inside,
    refusal: Option<String>,
    done: Option<&'static str>,
    facts: Vec<(&'static str, String)>,
    token_lifetimes: Vec<Choice>,
    key_lifetimes: Vec<Choice>,
    keys: Option<Vec<KeyRow>>,
    methods: [&'static str; 7],
    totp: Factor,
    min_password: usize,
}

impl Page for AccountPage {
    fn frame(&self) -> &Frame {
        &self.frame
    }
}

/// A secret that is shown once.
#[derive(Debug, Template)]
#[template(path = "shown.html")]
struct ShownPage {
    frame: Frame,
    inside: Inside,
    title: &'static str,
    secret: String,
    facts: Vec<(&'static str, String)>,
}

impl Page for ShownPage {
    fn frame(&self) -> &Frame {
        &self.frame
    }
}

/// What is asked of the account page.
#[derive(Debug, Default, serde::Deserialize)]
pub(crate) struct Asked {
    done: Option<String>,
}

/// The account: who one is, one's keys, the second factor.
#[utoipa::path(
    get,
    path = "/me",
    operation_id = "account_page",
    tag = "account",
    params(("done" = Option<String>, Query, description = "What was done before")),
    security(("session" = [])),
    responses(
        (status = 200, description = "The page", body = String, content_type = "text/html"),
        (status = 303, description = "To the login page: there is no session"),
        (status = 403, description = "This needs HTTPS", body = String, content_type = "text/html"),
    ),
)]
pub(crate) async fn show(visit: Visit, asked: Result<Query<Asked>, QueryRejection>) -> Response {
    let asked = asked.map(|Query(asked)| asked).unwrap_or_default();
    let Some(known) = &visit.known else {
        return visit.ask_to_log_in(Some(&visit.path("/me")));
    };
    let done = match asked.done.as_deref() {
        Some("token") => Some("The token is revoked."),
        Some("key") => Some("The key is revoked."),
        Some("factor") => Some("The second factor is off."),
        Some(_) | None => None,
    };
    visit.keep(render(&visit, known, StatusCode::OK, None, done).await)
}

/// The page once more, with why something was refused.
async fn refused(visit: &Visit, known: &Known, status: StatusCode, refusal: String) -> Response {
    render(visit, known, status, Some(refusal), None).await
}

async fn render(
    visit: &Visit,
    known: &Known,
    status: StatusCode,
    refusal: Option<String>,
    done: Option<&'static str>,
) -> Response {
    let profile = &visit.call.profile;
    let page = AccountPage {
        frame: visit.frame(),
        inside: Inside::of(visit, known),
        refusal,
        done,
        facts: facts(visit, known),
        token_lifetimes: time::choices(profile.lifetime, Some(profile.max_lifetime)),
        key_lifetimes: time::choices(keys::LIFETIME, None),
        keys: keys::rows(visit, known).await,
        methods: KEY_METHODS,
        totp: factor::state(visit, known).await,
        min_password: password::MIN_CHARACTERS,
    };
    answer::told(answer::page(status, &page), Some(&known.user.name), None)
}

fn facts(visit: &Visit, known: &Known) -> Vec<(&'static str, String)> {
    let user = &known.user;
    let how = match known.session.how {
        How::Password => "by password",
        How::Token => "by a token",
        How::Totp => "by password and second factor",
    };
    let session = &known.session;
    let end = session.absolute_end(visit::lifetimes(&visit.call));
    let mut facts = Vec::new();
    for (name, values) in [("Roles", &user.roles), ("Groups", &user.groups)] {
        if !values.is_empty() {
            facts.push((name, values.join(", ")));
        }
    }
    facts.extend(user.email.as_deref().map(|email| ("E-mail", email.to_owned())));
    facts.extend(user.home.as_ref().map(|home| ("Home", home.as_str().to_owned())));
    facts.push(("Logged in", format!("{}, {how}", moment(session.created()))));
    facts.push(("Until", format!("{} at the latest", moment(end))));
    facts
}

/// Answers with a secret that is not shown again.
fn show_once(
    visit: &Visit,
    known: &Known,
    title: &'static str,
    secret: String,
    facts: Vec<(&'static str, String)>,
) -> Response {
    let (frame, inside) = (visit.frame(), Inside::of(visit, known));
    let page = ShownPage { frame, inside, title, secret, facts };
    answer::told(answer::page(StatusCode::OK, &page), Some(&known.user.name), None)
}
