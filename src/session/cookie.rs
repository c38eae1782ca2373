//! The cookie's name, how it is written, and how it is found among others.
//!
//! Over TLS it is `__Host-doorward`: the prefix makes browsers refuse it from another host, for a
//! part of the site, or without TLS (RFC 6265bis §4.1.3.2). Without TLS there are sessions on
//! loopback only, in a cookie without the prefix.

use std::net::IpAddr;

use cookie::time::Duration;
use cookie::{Cookie, SameSite};

/// Two cookies of one name: which of them counts is anybody's guess, so neither does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("two cookies of one name")]
pub struct Ambiguous;

/// A cookie of ours, as it is named on this connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CookieName {
    /// The binding of a form that is shown before anybody has logged in.
    Form {
        /// Whether the client speaks TLS.
        secure: bool,
    },
    /// The session.
    Session {
        /// Whether the client speaks TLS.
        secure: bool,
    },
}

impl CookieName {
    /// The session's on this connection; `None`: there are no sessions without TLS, but for
    /// clients on the same machine.
    #[must_use]
    pub fn session(secure: bool, client: IpAddr) -> Option<Self> {
        may_hold_cookies(secure, client).then_some(Self::Session { secure })
    }

    /// That of forms before a login, under the same conditions.
    #[must_use]
    pub fn form(secure: bool, client: IpAddr) -> Option<Self> {
        may_hold_cookies(secure, client).then_some(Self::Form { secure })
    }

    /// As it stands in a header.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Form { secure: true } => "__Host-doorward-form",
            Self::Form { secure: false } => "doorward-form",
            Self::Session { secure: true } => "__Host-doorward",
            Self::Session { secure: false } => "doorward",
        }
    }

    const fn is_secure(self) -> bool {
        match self {
            Self::Form { secure } | Self::Session { secure } => secure,
        }
    }

    /// The value of a `Set-Cookie` header for `value`, to be kept for `max_age` seconds.
    #[must_use]
    pub fn set(self, value: &str, max_age: u64) -> String {
        let max_age = Duration::seconds(i64::try_from(max_age).unwrap_or(i64::MAX));
        Cookie::build((self.as_str(), value))
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(self.is_secure())
            .max_age(max_age)
            .to_string()
    }

    /// The value of a `Set-Cookie` header that makes a browser forget it.
    #[must_use]
    pub fn unset(self) -> String {
        self.set("", 0)
    }

    /// Its value in these `Cookie` headers (RFC 6265 §5.4), without any decoding.
    ///
    /// # Errors
    ///
    /// [`Ambiguous`]: it is there twice.
    pub fn find<'h>(
        self,
        headers: impl IntoIterator<Item = &'h [u8]>,
    ) -> Result<Option<&'h str>, Ambiguous> {
        let mut found = None;
        let pairs = headers.into_iter().flat_map(|header| header.split(|byte| *byte == b';'));
        for pair in pairs {
            let mut parts = pair.splitn(2, |byte| *byte == b'=');
            let (Some(name), Some(value)) = (parts.next(), parts.next()) else { continue };
            if name.trim_ascii() != self.as_str().as_bytes() {
                continue;
            }
            // What is not text is none of ours, and is refused as such.
            let value = std::str::from_utf8(value.trim_ascii()).unwrap_or("");
            if found.replace(value).is_some() {
                return Err(Ambiguous);
            }
        }
        Ok(found)
    }
}

fn may_hold_cookies(secure: bool, client: IpAddr) -> bool {
    secure || client.to_canonical().is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECURE: CookieName = CookieName::Session { secure: true };

    fn found<'h>(headers: &[&'h str]) -> Result<Option<&'h str>, Ambiguous> {
        SECURE.find(headers.iter().map(|header| header.as_bytes()))
    }

    #[test]
    fn a_cookie_is_for_this_host_and_hidden_from_scripts() {
        assert_eq!(
            SECURE.set("abc", 60),
            "__Host-doorward=abc; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=60"
        );
        let plain = CookieName::Session { secure: false };
        assert_eq!(
            plain.set("abc", 60),
            "doorward=abc; HttpOnly; SameSite=Lax; Path=/; Max-Age=60"
        );
        assert_eq!(plain.unset(), "doorward=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0");
    }

    #[test]
    fn without_tls_there_are_sessions_on_loopback_only() {
        for client in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            let name = CookieName::session(false, client.parse().unwrap());
            assert_eq!(name.unwrap().as_str(), "doorward", "{client}");
        }
        for client in ["10.0.0.1", "::ffff:10.0.0.1", "2001:db8::1", "0.0.0.0"] {
            let client = client.parse().unwrap();
            assert_eq!(CookieName::session(false, client), None, "{client}");
            assert_eq!(CookieName::form(false, client), None, "{client}");
            assert_eq!(CookieName::session(true, client), Some(SECURE), "{client}");
        }
    }

    #[test]
    fn a_cookie_is_found_among_others_by_its_whole_name() {
        for (headers, value) in [
            (&["__Host-doorward=abc"][..], Some("abc")),
            (&["a=b; __Host-doorward=abc;c=d"], Some("abc")),
            (&["a=b", "x; =; __Host-doorward = abc "], Some("abc")),
            (&["__Host-doorward="], Some("")),
            (&["__Host-doorward=a=b"], Some("a=b")),
            (&["doorward=abc; __host-doorward=abc; __Host-doorward-form=abc"], None),
            (&["__Host-doorward", ""], None),
            (&[], None),
        ] {
            assert_eq!(found(headers), Ok(value), "{headers:?}");
        }
    }

    #[test]
    fn two_cookies_of_one_name_are_worth_nothing() {
        assert_eq!(found(&["__Host-doorward=a; __Host-doorward=a"]), Err(Ambiguous));
        assert_eq!(found(&["__Host-doorward=a", "__Host-doorward=b"]), Err(Ambiguous));
    }

    #[test]
    fn what_is_not_text_is_no_session() {
        let header: &[u8] = b"__Host-doorward=\xff\xfe";
        assert_eq!(SECURE.find([header]), Ok(Some("")));
    }
}
