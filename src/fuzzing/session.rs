//! The cookie of a session: nothing opens but what was sealed, the cookie is found as another
//! reading finds it, and no session outlives its bounds.
//!
//! An input is a line that says what is asked (`open`, `find`, `judge`, `form`), and the rest.

use std::time::Duration;

use super::{Oracle, headed};
use crate::session::cookie::{Ambiguous, CookieName};
use crate::session::{Lifetimes, Sealer, Session, SessionOver};

const SECRET: &[u8] = b"a secret of thirty-two bytes or so";
/// Sealed with the secret above.
const SEALED: &str = include_str!("session/sealed.txt");
const NOW: u64 = 1_800_000_000;
const LIFETIMES: Lifetimes =
    Lifetimes { idle: Duration::from_mins(30), absolute: Duration::from_hours(12) };

pub(super) fn oracle() -> Option<Oracle> {
    let sealer = Sealer::new(SECRET).ok()?;
    sealer.open(SEALED.trim_end()).ok()?; // else this would ask nothing
    Some(Box::new(move |input| ask(&sealer, input)))
}

fn ask(sealer: &Sealer, input: &[u8]) {
    let (head, rest) = headed(input);
    let text = std::str::from_utf8(rest);
    match (head, text) {
        (b"open", Ok(text)) => {
            let opened = sealer.open(text);
            assert_eq!(opened.is_ok(), text == SEALED.trim_end(), "{text}");
        }
        (b"form", Ok(text)) => {
            let (binding, token) = text.split_once('\n').unwrap_or((text, ""));
            let is_token = sealer.form_token(binding) == token;
            assert_eq!(sealer.is_form_token(binding, token), is_token, "{text}");
        }
        (b"judge", Ok(text)) => {
            if let Ok(session) = serde_json::from_str::<Session>(text) {
                ask_session(sealer, &session);
            }
        }
        (b"find", _) => ask_find(rest),
        _ => {}
    }
}

fn ask_session(sealer: &Sealer, session: &Session) {
    let end = session.absolute_end(LIFETIMES);
    let judged = session.judge(LIFETIMES, NOW);
    if judged.is_ok() {
        assert!(end > NOW && session.holds_until(LIFETIMES) >= NOW);
        assert!(session.remaining(LIFETIMES, NOW) <= LIFETIMES.idle.as_secs() + 60);
        let renewed = session.renewed(NOW);
        assert!(renewed.judge(LIFETIMES, NOW).is_ok());
        assert_eq!(renewed.absolute_end(LIFETIMES), end, "a life made longer");
    }
    if end <= NOW && session.created() <= NOW {
        assert!(matches!(judged, Err(SessionOver::Expired | SessionOver::NotYet)), "{judged:?}");
    }
    if let Ok(sealed) = sealer.seal(session) {
        assert_eq!(sealer.open(&sealed).as_ref(), Ok(session));
    }
}

/// Each line is a `Cookie` header.
fn ask_find(rest: &[u8]) {
    for name in [CookieName::Session { secure: true }, CookieName::Session { secure: false }] {
        let found = name.find(rest.split(|byte| *byte == b'\n'));
        let wanted = name.as_str().as_bytes();
        let values: Vec<&[u8]> = rest
            .split(|byte| matches!(byte, b'\n' | b';'))
            .filter_map(|pair| {
                let at = pair.iter().position(|byte| *byte == b'=')?;
                let (name, value) = pair.split_at_checked(at)?;
                let value = value.split_first()?.1;
                (name.trim_ascii() == wanted).then(|| value.trim_ascii())
            })
            .collect();
        match values.as_slice() {
            [] => assert_eq!(found, Ok(None)),
            [only] => assert_eq!(found, Ok(Some(std::str::from_utf8(only).unwrap_or("")))),
            _ => assert_eq!(found, Err(Ambiguous)),
        }
    }
}
