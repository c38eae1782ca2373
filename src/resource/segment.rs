//! One segment: decoded once, looked at in every reading, encoded again.

use std::borrow::Cow;

use super::{ResourceError, Spelling, Spellings};

/// Decoding again and again ends here; nobody means a name that is encoded more often.
const MAX_DEPTH: u8 = 4;

/// Whether `byte` stands for itself in a segment: `pchar` without `pct-encoded` (RFC 3986 §3.3).
pub(super) const fn is_plain(byte: u8) -> bool {
    is_unreserved(byte)
        || matches!(
            byte,
            b'!' | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b','
                | b';'
                | b'='
                | b':'
                | b'@'
        )
}

/// Whether encoding `byte` changes nothing about its meaning (RFC 3986 §2.3).
pub(super) const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// Encodes a segment: plain bytes as they are, everything else as `%XX`.
pub(super) fn encode(decoded: &[u8]) -> impl Iterator<Item = u8> {
    decoded.iter().copied().flat_map(|byte| {
        let [percent, high, low] = triplet(byte);
        let (first, rest) =
            if is_plain(byte) { (byte, None) } else { (percent, Some([high, low])) };
        std::iter::once(first).chain(rest.into_iter().flatten())
    })
}

/// `%XX`, in upper case (RFC 3986 §2.1).
pub(super) fn triplet(byte: u8) -> [u8; 3] {
    let digit = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'A' + nibble - 10 };
    [b'%', digit(byte >> 4), digit(byte & 15)]
}

/// The octet that two hexadecimal digits stand for.
pub(super) fn octet(high: u8, low: u8) -> Option<u8> {
    let high = char::from(high).to_digit(16)?;
    let low = char::from(low).to_digit(16)?;
    u8::try_from(high << 4 | low).ok()
}

/// Bytes of one decoded segment; on the stack up to the longest file name there is.
pub(super) struct Buffer {
    short: [u8; 256],
    len: usize,
    long: Vec<u8>,
}

impl Buffer {
    pub(super) const fn new() -> Self {
        Self { short: [0; 256], len: 0, long: Vec::new() }
    }

    pub(super) fn push(&mut self, byte: u8) {
        if let Some(slot) = self.short.get_mut(self.len) {
            *slot = byte;
            self.len += 1;
        } else {
            if self.long.is_empty() {
                self.long.extend_from_slice(&self.short);
            }
            self.long.push(byte);
        }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        if self.long.is_empty() {
            self.short.get(..self.len).unwrap_or_default()
        } else {
            &self.long
        }
    }
}

/// Decodes one segment as it came in, once, and records how separators were written.
///
/// # Errors
///
/// [`ResourceError::InvalidPercent`], and what may not stand in a path at all: `#` and `?`.
pub(super) fn decode(raw: &str, into: &mut Buffer) -> Result<Spellings, ResourceError> {
    let mut found = Spellings::NONE;
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        let byte = match byte {
            b'%' => {
                let (Some(high), Some(low)) = (bytes.next(), bytes.next()) else {
                    return Err(ResourceError::InvalidPercent);
                };
                let byte = octet(high, low).ok_or(ResourceError::InvalidPercent)?;
                match byte {
                    b'/' => found.insert(Spelling::EncodedSlash),
                    b'\\' => found.insert(Spelling::EncodedBackslash),
                    _ => {}
                }
                byte
            }
            b'#' => return Err(ResourceError::Fragment),
            b'?' => return Err(ResourceError::QueryInPath),
            b'\\' => {
                found.insert(Spelling::Backslash);
                byte
            }
            _ => byte,
        };
        into.push(byte);
    }
    Ok(found)
}

/// Looks at one decoded segment in every reading that we know of.
///
/// # Errors
///
/// What no dialect admits: control characters, octets that are not UTF-8, a dot segment in
/// any reading, encodings without end.
pub(super) fn inspect(segment: &[u8]) -> Result<Spellings, ResourceError> {
    let text = std::str::from_utf8(segment).map_err(|_| ResourceError::InvalidUtf8)?;
    if text.chars().any(char::is_control) {
        return Err(ResourceError::ControlByte);
    }
    let mut found = name_spellings(text);
    read(segment, 0, &mut found)?;
    Ok(found)
}

/// What the text of a segment shows by itself.
fn name_spellings(segment: &str) -> Spellings {
    let mut found = Spellings::NONE;
    let bytes = segment.as_bytes();
    if memchr::memchr(b';', bytes).is_some() {
        found.insert(Spelling::Parameter);
    }
    if memchr::memchr(b':', bytes).is_some() {
        found.insert(Spelling::Colon);
    }
    if let [.., b'.' | b' '] = bytes {
        found.insert(Spelling::TrailingDotOrSpace);
        if bytes.len() >= 3 && bytes.iter().all(|byte| *byte == b'.') {
            found.insert(Spelling::DotRun);
        }
    }
    if is_device(segment) {
        found.insert(Spelling::DeviceName);
    }
    found
}

/// Whether Windows opens a device for this name, whatever its extension.
pub(super) fn is_device(segment: &str) -> bool {
    let Some(start) = segment.as_bytes().first_chunk::<3>() else { return false };
    let is_numbered = match &start.map(|byte| byte.to_ascii_lowercase()) {
        b"con" | b"prn" | b"aux" | b"nul" => false,
        b"com" | b"lpt" => true,
        _ => return false,
    };
    let stem = segment.split(['.', ':']).next().unwrap_or_default().trim_end_matches(' ');
    let rest = stem.get(start.len()..).unwrap_or_default();
    if is_numbered {
        let mut rest = rest.chars();
        let is_port = |port: char| port.is_ascii_digit() || matches!(port, '¹' | '²' | '³');
        rest.next().is_some_and(is_port) && rest.as_str().is_empty()
    } else {
        rest.is_empty() || ["in$", "out$"].iter().any(|end| rest.eq_ignore_ascii_case(end))
    }
}

/// One reading of a segment, and those that decoding again or folding make of it.
fn read(text: &[u8], depth: u8, found: &mut Spellings) -> Result<(), ResourceError> {
    if has_dot_segment(text) {
        return Err(ResourceError::DotSegment);
    }
    if depth > 0 && has_overlong(text) {
        return Err(ResourceError::InvalidUtf8);
    }
    if let Some(folded) = fold(text) {
        if separators(&folded) > separators(text) {
            found.insert(Spelling::LookAlike);
        }
        if let Ok(name) = std::str::from_utf8(&folded) {
            found.extend(name_spellings(name)); // `；`, `：` and `ＣＯＮ` are what they look like
        }
        read(&folded, depth, found)?;
    }
    let Some(again) = decode_again(text, found) else { return Ok(()) };
    if depth == MAX_DEPTH {
        return Err(ResourceError::NestedEncoding);
    }
    read(&again, depth + 1, found)
}

/// Whether something holds in a reading of `text`, as [`inspect`] goes through them; true beyond the
/// depth at which that ends.
pub(super) fn in_any_reading(text: &[u8], depth: u8, holds: &dyn Fn(&[u8]) -> bool) -> bool {
    if holds(text) || fold(text).is_some_and(|text| in_any_reading(&text, depth, holds)) {
        return true;
    }
    match decode_again(text, &mut Spellings::NONE.clone()) {
        None => false,
        Some(_) if depth == MAX_DEPTH => true,
        Some(again) => in_any_reading(&again, depth + 1, holds),
    }
}

/// Whether a server that splits at `/` or `\` and cuts at `;`, `?`, `#` or NUL sees `.` or `..`.
fn has_dot_segment(text: &[u8]) -> bool {
    text.split(|byte| matches!(byte, b'/' | b'\\')).any(|piece| {
        let cut = piece.split(|byte| matches!(byte, b';' | b'?' | b'#' | 0)).next();
        matches!(cut, Some(b"." | b".."))
    })
}

fn separators(text: &[u8]) -> usize {
    text.iter().filter(|byte| matches!(byte, b'/' | b'\\')).count()
}

/// Whether a careless decoder would find ASCII in octets that are not its shortest form.
pub(super) fn has_overlong(text: &[u8]) -> bool {
    text.iter().any(|byte| matches!(byte, 0xC0 | 0xC1))
        || text.windows(2).any(|pair| {
            matches!(pair, [0xE0, 0x80..=0x9F] | [0xF0, 0x80..=0x8F] | [0xF8..=0xFD, 0x80..=0xFF])
        })
}

/// What a decoder makes of `text` that takes `%XX` and `%uXXXX`, and leaves the rest alone.
/// `None` where there is nothing to decode.
pub(super) fn decode_again(text: &[u8], found: &mut Spellings) -> Option<Vec<u8>> {
    let start = memchr::memchr(b'%', text)?;
    let is_triplet = |three: &[u8]| match three {
        [b'%', b'u' | b'U', _] => true,
        [b'%', high, low] => octet(*high, *low).is_some(),
        _ => false,
    };
    text.get(start..)?.windows(3).find(|three| is_triplet(three))?;
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    let mut changed = false;
    while let [first, tail @ ..] = rest {
        let (character, tail) = match rest {
            [b'%', high, low, tail @ ..] if octet(*high, *low).is_some() => {
                (octet(*high, *low).map(Decoded::Octet), tail)
            }
            [b'%', b'u' | b'U', a, b, c, d, tail @ ..] => match (octet(*a, *b), octet(*c, *d)) {
                (Some(high), Some(low)) => {
                    let code = u32::from(high) << 8 | u32::from(low);
                    (char::from_u32(code).map(Decoded::Character), tail)
                }
                _ => (None, tail),
            },
            _ => (None, tail),
        };
        let Some(character) = character else {
            decoded.push(*first);
            rest = rest.get(1..).unwrap_or_default();
            continue;
        };
        changed = true;
        if character.is_special() {
            found.insert(Spelling::DoubleEncoding);
        }
        character.push_to(&mut decoded);
        rest = tail;
    }
    changed.then_some(decoded)
}

/// What one `%XX` or `%uXXXX` stands for.
enum Decoded {
    Character(char),
    Octet(u8),
}

impl Decoded {
    /// Whether it can change where a path leads.
    fn is_special(&self) -> bool {
        let character = match *self {
            Self::Character(character) => character,
            Self::Octet(octet) if octet.is_ascii() => char::from(octet),
            Self::Octet(_) => return false,
        };
        let mut folded = [0; 4];
        let folded = folded_character(character).unwrap_or(character.encode_utf8(&mut folded));
        character.is_control()
            || folded.contains(['.', '/', '\\', '%', ';', ':', '?', '#'])
            || folded.is_empty()
    }

    fn push_to(&self, decoded: &mut Vec<u8>) {
        match *self {
            Self::Character(character) => {
                decoded.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            Self::Octet(octet) => decoded.push(octet),
        }
    }
}

/// What a server makes of `text` that maps compatibility characters and drops invisible ones.
/// `None` where that changes nothing.
pub(super) fn fold(text: &[u8]) -> Option<Vec<u8>> {
    if text.iter().all(|byte| matches!(byte, 0x20..=0x7E)) {
        return None;
    }
    let text = String::from_utf8_lossy(text);
    text.chars().find_map(folded_character)?;
    let mut folded = String::with_capacity(text.len());
    for character in text.chars() {
        match folded_character(character) {
            Some(ascii) => folded.push_str(ascii),
            None => folded.push(character),
        }
    }
    Some(folded.into_bytes())
}

/// The ASCII that NFKC, or a best-fit code page, makes of `character`.
fn folded_character(character: char) -> Option<&'static str> {
    const ASCII: &str = "!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`\
                         abcdefghijklmnopqrstuvwxyz{|}~";
    Some(match character {
        '\u{FF01}'..='\u{FF5E}' => {
            let at = usize::try_from(u32::from(character) - 0xFF01).ok()?;
            return ASCII.get(at..=at);
        }
        '\u{2047}' => "??",
        '\u{2048}' => "?!",
        '\u{2049}' => "!?",
        '\u{2024}' | '\u{FE52}' => ".",
        '\u{2025}' | '\u{FE30}' => "..",
        '\u{2026}' | '\u{FE19}' => "...",
        '\u{2044}' | '\u{2215}' | '\u{29F8}' => "/",
        '\u{2216}' | '\u{29F5}' | '\u{29F9}' | '\u{FE68}' => "\\",
        '\u{2100}' => "a/c",
        '\u{2101}' => "a/s",
        '\u{2105}' => "c/o",
        '\u{2106}' => "c/u",
        '\u{33C2}' => "a.m.",
        '\u{33C7}' => "Co.",
        '\u{33D8}' => "p.m.",
        '\u{37E}' | '\u{FE14}' | '\u{FE54}' => ";",
        '\u{FE13}' | '\u{FE55}' => ":",
        '\u{FE16}' | '\u{FE56}' => "?",
        '\u{FE5F}' => "#",
        '\u{FE6A}' => "%",
        // Ignorable: format characters, and controls, which only a second decoding can give.
        '\u{0}'..='\u{1F}'
        | '\u{7F}'..='\u{9F}'
        | '\u{AD}'
        | '\u{200B}'..='\u{200F}'
        | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}'
        | '\u{FE00}'..='\u{FE0F}'
        | '\u{FEFF}' => "",
        _ => return None,
    })
}

/// The canonical form of `segment`, borrowed where it already is.
pub(super) fn canonical<'a>(raw: &'a str, decoded: &[u8]) -> Cow<'a, str> {
    if encode(decoded).eq(raw.bytes()) {
        Cow::Borrowed(raw)
    } else {
        Cow::Owned(encode(decoded).map(char::from).collect())
    }
}

#[cfg(test)]
mod tests;
