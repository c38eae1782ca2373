//! Who is at the browser: the session that its cookie holds, if that is worth anything.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse as _, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::answer::{self, Frame, Refusal};
use super::{onward, origin};
use crate::service::{Call, LoggedIn, LoginError};
use crate::session::cookie::CookieName;
use crate::session::{How, Lifetimes, SealError, Session, Upkeep};
use crate::user::User;

/// For how long the binding of a form lasts that is shown before a login, in seconds.
const FORM_SECONDS: u64 = 12 * 3600;

/// A request of a browser.
#[derive(Debug)]
pub(crate) struct Visit {
    /// What it is a request to.
    pub(crate) call: Call,
    /// Its header.
    pub(crate) headers: HeaderMap,
    /// Whoever is logged in.
    pub(crate) known: Option<Known>,
    session_cookie: CookieName,
    form_cookie: CookieName,
}

/// Somebody who is logged in.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// The session.
    pub(crate) session: Session,
    /// Whom the directory knows under its user's name.
    pub(crate) user: Arc<User>,
    /// The proof, for what the service does for those alone who are logged in.
    pub(crate) who: LoggedIn,
    upkeep: Upkeep,
}

impl Known {
    /// What our forms carry for this session.
    #[must_use]
    pub(crate) fn form_token(&self, call: &Call) -> String {
        call.service.secrets().sealer().form_token(&binding(&self.session))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visit {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let call = Call::from_request_parts(parts, state).await;
        let call = call.map_err(axum::response::IntoResponse::into_response)?;
        Self::new(call, parts.headers.clone())
    }
}

impl Visit {
    fn new(call: Call, headers: HeaderMap) -> Result<Self, Refusal> {
        let session_cookie = CookieName::session(call.is_secure, call.client);
        let form_cookie = CookieName::form(call.is_secure, call.client);
        let (Some(session_cookie), Some(form_cookie)) = (session_cookie, form_cookie) else {
            return Err(answer::message(
                &call,
                StatusCode::FORBIDDEN,
                "This needs HTTPS",
                "Passwords and sessions do not travel in the clear: come again by https.",
            )
            .into());
        };
        let mut visit = Self { call, headers, known: None, session_cookie, form_cookie };
        visit.known = visit.recognize()?;
        Ok(visit)
    }

    /// Whose session it is. A cookie that holds none counts as no cookie: its owner logs in.
    fn recognize(&self) -> Result<Option<Known>, Refusal> {
        let Some(sealed) = self.cookie(self.session_cookie)? else { return Ok(None) };
        let Ok(session) = self.call.service.secrets().sealer().open(sealed) else {
            return Ok(None);
        };
        let Ok(upkeep) = session.judge(lifetimes(&self.call), self.now()) else {
            return Ok(None);
        };
        let Ok(who) = resume(&self.call, &session) else { return Ok(None) };
        let Some(user) = who.user().map(Arc::clone) else { return Ok(None) };
        Ok(Some(Known { session, user, who, upkeep }))
    }

    fn cookie(&self, name: CookieName) -> Result<Option<&str>, Refusal> {
        let headers = self.headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes);
        name.find(headers).map_err(|_| {
            answer::message(
                &self.call,
                StatusCode::BAD_REQUEST,
                "Two cookies of one name",
                "Your browser sent two sessions at once. Delete the cookies of this site.",
            )
            .into()
        })
    }

    /// Now, in Unix seconds.
    fn now(&self) -> u64 {
        self.call.service.now().as_secs()
    }

    /// Where the paths of this endpoint are.
    #[must_use]
    pub(crate) fn path(&self, path: &str) -> String {
        format!("{}{path}", self.call.profile.prefix)
    }

    /// The frame of a page.
    #[must_use]
    pub(crate) fn frame(&self) -> Frame {
        Frame::of(&self.call)
    }

    /// Refuses what another site made the browser send.
    ///
    /// # Errors
    ///
    /// The refusal.
    pub(crate) fn refuse_foreign(&self) -> Result<(), Refusal> {
        if origin::is_foreign(&self.call, &self.headers) {
            Err(self.forged().into())
        } else {
            Ok(())
        }
    }

    /// The refusal of a form that does not come from a page of ours.
    #[must_use]
    pub(crate) fn forged(&self) -> Response {
        let response = answer::message_with(
            &self.call,
            StatusCode::FORBIDDEN,
            ("This form can't be taken", "It comes from elsewhere, or was shown too long ago."),
            (&self.path("/login"), "Log in"),
        );
        let user = self.known.as_ref().map(|known| &*known.user.name);
        answer::told(response, user, Some("form_forged"))
    }

    /// Sends whoever did something on to a page that says so.
    #[must_use]
    pub(crate) fn send_on(&self, known: &Known, path: &str) -> Response {
        let response = answer::see(StatusCode::SEE_OTHER, &self.path(path));
        answer::told(response, Some(&known.user.name), None)
    }

    /// Whoever sends a form of ours: logged in, and from a page that we showed to them.
    ///
    /// # Errors
    ///
    /// What is answered otherwise: a redirect to the login page, or a refusal.
    pub(crate) fn sender(&self, token: &str) -> Result<&Known, Refusal> {
        self.refuse_foreign()?;
        let Some(known) = &self.known else { return Err(self.ask_to_log_in(None).into()) };
        if self.call.service.secrets().sealer().is_form_token(&binding(&known.session), token) {
            Ok(known)
        } else {
            Err(self.forged().into())
        }
    }

    /// Sends to the login page, and from there to `place`.
    #[must_use]
    pub(crate) fn ask_to_log_in(&self, place: Option<&str>) -> Response {
        let login = self.path("/login");
        let login = match place {
            Some(place) => format!("{login}?{}={}", onward::FIELD, onward::encode(place)),
            None => login,
        };
        let response = answer::see(StatusCode::SEE_OTHER, &login);
        if self.headers.contains_key(header::COOKIE) {
            return answer::with_cookie(response, &self.session_cookie.unset());
        }
        response
    }

    /// The token of a form that is shown before a login, and the cookie that it is bound to,
    /// which is new if the browser has none yet.
    ///
    /// # Errors
    ///
    /// An answer of 500: there is no randomness.
    pub(crate) fn form_before_login(&self) -> Result<(String, String), Refusal> {
        let value = match self.cookie(self.form_cookie)?.filter(|value| is_binding(value)) {
            Some(value) => value.to_owned(),
            None => new_binding().map_err(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())?,
        };
        let token = self.call.service.secrets().sealer().form_token(&format!("form {value}"));
        Ok((token, self.form_cookie.set(&value, FORM_SECONDS)))
    }

    /// Whether a form from before a login carries the token of this browser.
    ///
    /// # Errors
    ///
    /// The refusal of two cookies of one name.
    pub(crate) fn is_form_before_login(&self, token: &str) -> Result<bool, Refusal> {
        let Some(value) = self.cookie(self.form_cookie)? else { return Ok(false) };
        let sealer = self.call.service.secrets().sealer();
        Ok(is_binding(value) && sealer.is_form_token(&format!("form {value}"), token))
    }

    /// Begins a session under a new id, whatever cookie came, and puts it into `response`.
    #[must_use]
    pub(crate) fn begin(
        &self,
        user: &str,
        how: How,
        began: Duration,
        response: Response,
    ) -> Response {
        let session = Session::begin(user, how, &self.call.profile.name, began);
        let session = session.map(|session| session.renewed(self.now()));
        let lifetimes = lifetimes(&self.call);
        let sealed = session.and_then(|session| {
            let remaining = session.remaining(lifetimes, session.seen);
            Ok((self.call.service.secrets().sealer().seal(&session)?, remaining))
        });
        let Ok((sealed, remaining)) = sealed else {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        };
        let response = answer::with_cookie(response, &self.session_cookie.set(&sealed, remaining));
        answer::with_cookie(response, &self.form_cookie.unset())
    }

    /// Takes the session's cookie away.
    #[must_use]
    pub(crate) fn forget(&self, response: Response) -> Response {
        answer::with_cookie(response, &self.session_cookie.unset())
    }

    /// Renews the session's cookie where that is due.
    #[must_use]
    pub(crate) fn keep(&self, response: Response) -> Response {
        let Some(known) = self.known.as_ref().filter(|known| known.upkeep == Upkeep::Renew) else {
            return response;
        };
        let now = self.now();
        let session = known.session.renewed(now);
        let remaining = session.remaining(lifetimes(&self.call), now);
        match self.call.service.secrets().sealer().seal(&session) {
            Ok(sealed) => {
                answer::with_cookie(response, &self.session_cookie.set(&sealed, remaining))
            }
            Err(_) => response, // it holds for a while yet
        }
    }
}

/// What ties the forms of a session to it.
fn binding(session: &Session) -> String {
    format!("session {}", session.id)
}

/// How long sessions last.
#[must_use]
pub(crate) fn lifetimes(call: &Call) -> Lifetimes {
    let sessions = call.snapshot.sessions;
    Lifetimes { idle: sessions.idle_timeout, absolute: sessions.lifetime }
}

/// Goes on with a session: unless it was ended before its time, by a logout or with its user.
fn resume(call: &Call, session: &Session) -> Result<LoggedIn, LoginError> {
    let began = Duration::from_millis(session.created_ms);
    call.service.resume(call, &session.user, &session.id, began)
}

fn new_binding() -> Result<String, SealError> {
    Session::begin("", How::Password, "", Duration::ZERO).map(|session| session.id.into())
}

fn is_binding(value: &str) -> bool {
    value.len() == 22 && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}
