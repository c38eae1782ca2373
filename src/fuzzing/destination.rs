//! The `Destination` header beside the host that was asked: what is taken from it is a path of that
//! host and of no other, as the `http` crate reads it too.
//!
//! An input is two lines: the host that was asked, and the value.

use http::Uri;

use super::lines;
use crate::resource::{CanonicalHost, Destination};

pub(super) fn ask(input: &[u8]) {
    let Some(mut parts) = lines(input) else { return };
    let (asked, value) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
    let Ok(host) = CanonicalHost::parse(asked) else { return };
    for https in [false, true] {
        let Ok(destination) = Destination::parse(value, &host, https) else { continue };
        let path = destination.path().as_str();
        assert!(path.starts_with('/') && !value.starts_with("//"), "{value}");
        let again = Destination::parse(path, &host, https);
        assert_eq!(again.as_ref().map(|again| again.path().as_str()), Ok(path), "{value}");
        if !value.starts_with('/') {
            ask_authority(value, &host);
        }
    }
}

/// Another reader of URIs finds no other host and no other path in it.
fn ask_authority(value: &str, host: &CanonicalHost<'_>) {
    let Ok(uri) = value.parse::<Uri>() else { return };
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    assert!(!authority.contains('@'), "{value}");
    let named = uri.host().unwrap_or("").to_ascii_lowercase();
    let named = named.strip_suffix('.').unwrap_or(&named);
    let is_same = named == host.name()
        || CanonicalHost::parse(named).is_ok_and(|named| named.name() == host.name());
    assert!(is_same, "{value} leads to {named}, and {host} was asked");
}
