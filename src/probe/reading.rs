//! Every reading of a path that a server has been seen to make. Written apart from the code that
//! decides, and without its decoder.

use std::collections::BTreeSet;

use crate::resource::Dialect;

type Text = Vec<u8>;

/// So many transformations may follow each other.
const DEPTH: usize = 3;

/// No path that is worth it has more readings.
const MOST: usize = 4_000;

/// All readings of `text`, itself included.
#[must_use]
pub fn all(text: &[u8], dialect: Dialect) -> BTreeSet<Text> {
    let mut steps: Vec<fn(&[u8]) -> Text> = vec![
        decode,
        decode_unicode,
        decode_overlong,
        |text| replace(text, b'\\', b'/'),
        |text| replace(text, b'+', b' '),
        without_parameters,
        |text| cut(text, 0).to_vec(),
        |text| cut(text, b'?').to_vec(),
        |text| cut(text, b'#').to_vec(),
        without_blanks,
    ];
    if dialect == Dialect::Windows {
        steps.push(as_windows_names);
    }
    let mut all = BTreeSet::from([text.to_vec()]);
    let mut edge = all.clone();
    for _ in 0..DEPTH {
        let mut next = BTreeSet::new();
        for text in &edge {
            let read = steps.iter().map(|step| step(text));
            next.extend(read.filter(|read| !all.contains(read)));
        }
        if next.is_empty() || all.len() > MOST {
            break;
        }
        all.extend(next.iter().cloned());
        edge = next;
    }
    all
}

/// Whether a server matches names against patterns before it opens them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patterns {
    /// It takes names as they are.
    Literal,
    /// It does, as a shell would.
    Matched,
}

/// Where a path leads: dot segments walked, empty segments passed over, `..` above the root
/// staying there.
#[must_use]
pub fn walk(path: &[u8], patterns: Patterns) -> Vec<Text> {
    let mut place = Vec::new();
    for segment in segments(path) {
        if segment == b"." {
            continue;
        }
        let is_pattern = patterns == Patterns::Matched && may_match_parent(segment);
        if segment == b".." || is_pattern {
            place.pop();
        } else {
            place.push(segment.to_vec());
        }
    }
    place
}

/// Whether `place` is `home` or lies below it.
#[must_use]
pub fn is_below(place: &[Text], home: &[Text], dialect: Dialect) -> bool {
    let is_same = |one: &Text, other: &Text| match dialect {
        Dialect::Windows => fold(one) == fold(other),
        Dialect::Posix | Dialect::Raw | Dialect::Tomcat => one == other,
    };
    place.len() >= home.len() && place.iter().zip(home).all(|(one, other)| is_same(one, other))
}

/// The segments that are not empty.
pub fn segments(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|byte| *byte == b'/').filter(|segment| !segment.is_empty())
}

/// What stands in front of the first `mark`.
#[must_use]
pub fn cut(text: &[u8], mark: u8) -> &[u8] {
    text.split(|byte| *byte == mark).next().unwrap_or_default()
}

/// Decodes what can be decoded, once.
#[must_use]
pub fn decode(text: &[u8]) -> Text {
    let mut decoded = Text::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        match rest {
            [b'%', high, low, tail @ ..] if hex(&[*high, *low]).is_some() => {
                decoded.extend(hex(&[*high, *low]).and_then(|code| u8::try_from(code).ok()));
                rest = tail;
            }
            _ => {
                decoded.push(*first);
                rest = tail;
            }
        }
    }
    decoded
}

/// `%u002e` as old Windows servers read it.
fn decode_unicode(text: &[u8]) -> Text {
    let mut decoded = Text::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        if let [b'%', b'u' | b'U', digits @ ..] = rest
            && let Some((digits, tail)) = digits.split_at_checked(4)
            && let Some(character) = hex(digits).and_then(char::from_u32)
        {
            decoded.extend_from_slice(narrow(character).encode_utf8(&mut [0; 4]).as_bytes());
            rest = tail;
        } else {
            decoded.push(*first);
            rest = tail;
        }
    }
    decoded
}

/// What a careless decoder of UTF-8 makes of it: overlong forms, full-width characters.
fn decode_overlong(text: &[u8]) -> Text {
    let mut decoded = Text::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        let (byte, after) = match rest {
            [lead @ 0xc0..=0xc1, next, after @ ..] => ((lead & 1) << 6 | next & 0x3f, after),
            [0xe0, middle @ 0x80..=0x81, next, after @ ..]
            | [0xf0, 0x80, middle @ 0x80..=0x81, next, after @ ..] => {
                ((middle & 1) << 6 | next & 0x3f, after)
            }
            // U+FF01 to U+FF5E.
            [0xef, 0xbc, next @ 0x81..=0xbf, after @ ..] => (next - 0x60, after),
            [0xef, 0xbd, next @ 0x80..=0x9e, after @ ..] => (next - 0x20, after),
            _ => (*first, tail),
        };
        decoded.push(byte);
        rest = after;
    }
    decoded
}

fn narrow(character: char) -> char {
    match character {
        '\u{ff01}'..='\u{ff5e}' => {
            char::from_u32(u32::from(character) - 0xfee0).unwrap_or(character)
        }
        '\u{2215}' | '\u{2044}' => '/',
        '\u{2216}' => '\\',
        _ => character,
    }
}

fn hex(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |value, digit| Some(value * 16 + char::from(*digit).to_digit(16)?))
}

fn replace(text: &[u8], from: u8, to: u8) -> Text {
    text.iter().map(|byte| if *byte == from { to } else { *byte }).collect()
}

fn each_segment<'t>(text: &'t [u8], read: impl Fn(&'t [u8]) -> &'t [u8]) -> Text {
    text.split(|byte| *byte == b'/').map(read).collect::<Vec<_>>().join(&b'/')
}

fn without_parameters(text: &[u8]) -> Text {
    each_segment(text, |segment| cut(segment, b';'))
}

/// Tabs, line ends and other control characters, which some parsers of URLs drop.
fn without_blanks(text: &[u8]) -> Text {
    text.iter().copied().filter(|byte| !matches!(byte, 1..=31 | 127)).collect()
}

/// No dots and spaces at the end of a name, no stream behind it.
fn as_windows_names(text: &[u8]) -> Text {
    each_segment(text, |segment| {
        if matches!(segment, b"." | b"..") {
            return segment;
        }
        let name = cut(segment, b':');
        let end = name.iter().rposition(|byte| !matches!(byte, b'.' | b' '));
        name.get(..end.map_or(0, |end| end + 1)).unwrap_or_default()
    })
}

fn fold(text: &[u8]) -> String {
    String::from_utf8_lossy(text).to_lowercase()
}

/// Whether a shell's pattern could match `..`: `.?`, `.*`, `.[.]`.
fn may_match_parent(segment: &[u8]) -> bool {
    match segment {
        [b'.', rest @ ..] => {
            !rest.is_empty()
                && rest != b"."
                && rest.iter().all(|byte| matches!(byte, b'.' | b'?' | b'*' | b'[' | b']'))
                && rest.iter().any(|byte| matches!(byte, b'?' | b'*' | b'['))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leads_to_bob(path: &str, dialect: Dialect) -> bool {
        let home = [b"files".to_vec(), b"bob".to_vec()];
        let readings = all(path.as_bytes(), dialect);
        readings.iter().any(|read| is_below(&walk(read, Patterns::Matched), &home, dialect))
    }

    #[test]
    fn known_ways_out_are_found() {
        for path in [
            "/files/alice/../bob",
            "/files/alice/%252e%252e/bob",
            "/files/alice/..%5cbob",
            "/files/alice/..;x/bob",
            "/files/alice/..;/bob",
            "/files/bob%00/x",
            "/files/alice;x/../bob",
            "/files/alice/%c0%ae%c0%ae/bob",
            "/files/alice/%u002e%u002e/bob",
            "/files/alice/\u{ff0e}\u{ff0e}\u{ff0f}bob",
            "/../files//bob",
            "/files/alice/.%09./bob",
            "/files/alice/.?/bob",
        ] {
            assert!(leads_to_bob(path, Dialect::Posix), "{path}");
        }
        for path in ["/files/BOB", "/files/bob./x", "/files/bob%20", "/files/bob::$DATA"] {
            assert!(leads_to_bob(path, Dialect::Windows), "{path}");
            assert!(!leads_to_bob(path, Dialect::Posix), "{path}");
        }
    }

    #[test]
    fn what_stays_inside_is_left_alone() {
        for path in ["/files/alice/bob", "/files/alice/%2e%2e%2e/bob", "/files/bobby", "/bob"] {
            assert!(!leads_to_bob(path, Dialect::Raw), "{path}");
        }
    }

    #[test]
    fn every_reading_is_bounded() {
        let long = "/%2525;x\\%00.%u002e?#".repeat(40);

        assert!(all(long.as_bytes(), Dialect::Windows).len() < 20_000);
    }
}
