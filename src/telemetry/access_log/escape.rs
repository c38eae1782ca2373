//! Text from the network, made harmless for a line of JSON and for a terminal.
//!
//! Escaped are: what JSON demands; control characters (C0, DEL, C1), among them ESC; the line
//! separators U+2028 and U+2029; and the bidirectional controls, with which a name can be shown
//! as another ("Trojan Source"). Bytes that are not UTF-8 become U+FFFD.

const HEX: &[u8; 16] = b"0123456789abcdef";
/// Stands where a value was cut.
const CUT: &str = "…";

/// Appends `text` in double quotes, as a JSON string. `limit` counts bytes of the input.
pub(super) fn quoted(out: &mut Vec<u8>, text: &[u8], limit: usize) {
    out.push(b'"');
    let (kept, is_cut) = cut(text, limit);
    // Without an early end, so that the compiler can look at many bytes at a time.
    if kept.iter().fold(true, |plain, &byte| plain & is_plain(byte)) {
        out.extend_from_slice(kept); // nearly always
    } else {
        escaped(out, kept);
    }
    if is_cut {
        out.extend_from_slice(CUT.as_bytes());
    }
    out.push(b'"');
}

/// Appends `text` bare where it is one plain word, and quoted otherwise.
pub(super) fn word(out: &mut Vec<u8>, text: &[u8], limit: usize) {
    let is_word = !text.is_empty()
        && text != b"-"
        && text.len() <= limit
        && text.iter().all(|&byte| is_plain(byte) && byte != b' ' && byte != b'=');
    if is_word {
        out.extend_from_slice(text);
    } else {
        quoted(out, text, limit);
    }
}

fn is_plain(byte: u8) -> bool {
    matches!(byte, 0x20..=0x7e) && byte != b'"' && byte != b'\\'
}

/// At most `limit` bytes of `text`, without a split character.
fn cut(text: &[u8], limit: usize) -> (&[u8], bool) {
    let Some(kept) = text.get(..limit).filter(|kept| kept.len() < text.len()) else {
        return (text, false);
    };
    let continued = |byte: Option<&u8>| byte.is_some_and(|byte| byte & 0xc0 == 0x80);
    let mut end = kept.len();
    while end > limit.saturating_sub(3) && continued(text.get(end)) {
        end -= 1;
    }
    (text.get(..end).unwrap_or(kept), true)
}

fn escaped(out: &mut Vec<u8>, text: &[u8]) {
    for chunk in text.utf8_chunks() {
        for character in chunk.valid().chars() {
            escape(out, character);
        }
        if !chunk.invalid().is_empty() {
            out.extend_from_slice("\u{fffd}".as_bytes());
        }
    }
}

fn escape(out: &mut Vec<u8>, character: char) {
    match character {
        '"' => out.extend_from_slice(b"\\\""),
        '\\' => out.extend_from_slice(b"\\\\"),
        '\n' => out.extend_from_slice(b"\\n"),
        '\r' => out.extend_from_slice(b"\\r"),
        '\t' => out.extend_from_slice(b"\\t"),
        _ if is_hidden(character) => unicode(out, character),
        _ => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

/// Whether a character acts on what shows it instead of being shown.
pub(in crate::telemetry) fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{061c}'
            | '\u{200e}' | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}')
}

/// Appends `\uXXXX`; every hidden character lies in the first plane.
fn unicode(out: &mut Vec<u8>, character: char) {
    let code = u32::from(character);
    out.extend_from_slice(b"\\u");
    for shift in [12, 8, 4, 0] {
        let digit = usize::try_from((code >> shift) & 15).unwrap_or_default();
        out.push(HEX.get(digit).copied().unwrap_or(b'0'));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted_text(text: &[u8], limit: usize) -> String {
        let mut out = Vec::new();
        quoted(&mut out, text, limit);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn hostile_text_is_escaped_and_reads_back_the_same() {
        for (text, expected) in [
            ("plain /a/b", r#""plain /a/b""#),
            ("a\"b\\c", r#""a\"b\\c""#),
            ("a\r\nb\tc", r#""a\r\nb\tc""#),
            ("\u{1b}[31mred\u{7f}", "\"\\u001b[31mred\\u007f\""),
            ("nul\0", "\"nul\\u0000\""),
            ("ali\u{202e}ecila", "\"ali\\u202eecila\""),
            ("\u{2066}x\u{2069}\u{2028}\u{2029}", "\"\\u2066x\\u2069\\u2028\\u2029\""),
            ("c1\u{9b}31m", "\"c1\\u009b31m\""),
            ("größe 漢 🚪", "\"größe 漢 🚪\""),
        ] {
            let quoted = quoted_text(text.as_bytes(), 1000);

            assert_eq!(quoted, expected);
            assert_eq!(serde_json::from_str::<String>(&quoted).unwrap(), text);
        }
    }

    #[test]
    fn bytes_that_are_not_text_become_replacement_characters() {
        assert_eq!(quoted_text(b"a\xff\xfeb\xe2\x80", 100), "\"a\u{fffd}\u{fffd}b\u{fffd}\"");
    }

    #[test]
    fn a_long_value_is_cut_between_characters() {
        assert_eq!(quoted_text(b"abcdef", 3), "\"abc…\"");
        assert_eq!(quoted_text(b"abc", 3), "\"abc\"");
        assert_eq!(quoted_text("ab漢字".as_bytes(), 4), "\"ab…\"");
        assert_eq!(quoted_text("ab漢字".as_bytes(), 5), "\"ab漢…\"");
        assert_eq!(quoted_text(b"\x80\x80\x80\x80\x80\x80", 5), "\"\u{fffd}\u{fffd}…\"");
    }

    #[test]
    fn a_word_is_bare_only_if_nobody_can_misread_it() {
        let written = |text: &str| {
            let mut out = Vec::new();
            word(&mut out, text.as_bytes(), 10);
            String::from_utf8(out).unwrap()
        };

        assert_eq!(written("alice"), "alice");
        assert_eq!(written("al ice"), "\"al ice\"");
        assert_eq!(written("a=b"), "\"a=b\"");
        assert_eq!(written("-"), "\"-\"");
        assert_eq!(written(""), "\"\"");
    }

    #[test]
    fn no_byte_sequence_escapes_the_quotes() {
        for first in 0..=255_u8 {
            for second in [0, b'"', b'\\', b'\n', 0x1b, 0x80, 0xe2, 0xff] {
                let quoted = quoted_text(&[first, second, b'x'], 100);

                let inner: String = serde_json::from_str(&quoted).unwrap();
                assert!(inner.ends_with('x') && !quoted.contains(is_hidden));
            }
        }
    }
}
