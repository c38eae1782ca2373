//! Durations and sizes: what is printed is read as the same again.

use crate::config::unit::{Bytes, Span, duration, size};

pub(super) fn ask(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    if let Ok(span) = duration(text) {
        let printed = Span(span).to_string();
        assert_eq!(duration(&printed), Ok(span), "{text}, printed {printed}");
    }
    if let Ok(bytes) = size(text) {
        let printed = Bytes(bytes).to_string();
        assert_eq!(size(&printed), Ok(bytes), "{text}, printed {printed}");
        let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
        let number: u64 = digits.parse().unwrap_or(u64::MAX);
        assert!(bytes >= number, "{text} is {bytes}");
    }
}
