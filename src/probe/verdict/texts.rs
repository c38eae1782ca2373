//! What a lenient reader finds in a field or a body.

use crate::probe::reading::cut;

/// The resource tags of an `If`: what stands in `<>` outside of parentheses.
pub(super) fn tags(value: &[u8]) -> Vec<&[u8]> {
    let mut tags = Vec::new();
    let mut rest = value;
    while let Some(at) = rest.iter().position(|byte| matches!(byte, b'<' | b'(')) {
        let end = if rest.get(at) == Some(&b'<') { b'>' } else { b')' };
        let inner = cut(rest.get(at + 1..).unwrap_or_default(), end);
        if end == b'>' {
            tags.push(inner);
        }
        rest = rest.get(at + inner.len() + 2..).unwrap_or_default();
    }
    tags
}

/// Whether some server would take a body for JSON, whatever it is called.
pub(super) fn looks_like_json(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body);
    text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}').starts_with(['{', '['])
}

/// The strings of a body that some parser of JSON finds, but for the names of members: unescaped, in
/// either kind of quotes.
pub(super) fn texts(body: &[u8]) -> Vec<Vec<u8>> {
    let mut texts = Vec::new();
    let mut rest = body;
    while let Some(at) = rest.iter().position(|byte| matches!(byte, b'"' | b'\'')) {
        let quote = rest.get(at).copied().unwrap_or_default();
        let mut text = String::new();
        let inner = String::from_utf8_lossy(rest.get(at + 1..).unwrap_or_default()).into_owned();
        let mut characters = inner.char_indices();
        let mut end = inner.len();
        while let Some((index, character)) = characters.next() {
            match character {
                _ if u32::from(character) == u32::from(quote) => {
                    end = index + 1;
                    break;
                }
                '\\' => match characters.next() {
                    Some((index, 'u')) => {
                        let digits = inner.get(index + 1..index + 5).unwrap_or_default();
                        let code = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32);
                        text.extend(code);
                        for _ in 0..digits.len() {
                            characters.next();
                        }
                    }
                    Some((_, escaped)) => text.push(escaped),
                    None => {}
                },
                _ => text.push(character),
            }
        }
        rest = rest.get(at + 1 + end..).unwrap_or_default();
        if !rest.trim_ascii_start().starts_with(b":") && !text.is_empty() {
            texts.push(text.into_bytes());
        }
    }
    texts
}
