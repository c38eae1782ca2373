//! The spellings that attacks are made of.

/// What somebody somewhere has read as `..`.
pub(super) const DOTS: &[&str] = &[
    "..",
    "%2e%2e",
    "%2E%2e",
    ".%2e",
    "%2e.",
    "%252e%252e",
    ".%252e",
    "%25252e%25252e",
    "%%32%65%%32%65",
    "%25%32%65%25%32%65",
    "%c0%ae%c0%ae",
    "%c0%ae.",
    "%e0%80%ae%e0%80%ae",
    "%f0%80%80%ae%f0%80%80%ae",
    "%25c0%25ae%25c0%25ae",
    "%u002e%u002e",
    "%uff0e%uff0e",
    "\u{ff0e}\u{ff0e}",
    "%ef%bc%8e%ef%bc%8e",
    ".%00.",
    "..%00",
    "%2e%2e%00",
    "..%09",
    ".%09.",
    "..%0d",
    "..%0a",
    "..%20",
    "%20..",
    "..%23",
    "..%3f",
    ".?",
    "\u{2025}",
    ".\u{200b}.",
    "..%2f..%2f..",
];

/// What somebody somewhere has read as `/`.
pub(super) const SLASHES: &[&str] = &[
    "%2f",
    "%2F",
    "\\",
    "%5c",
    "%5C",
    "%252f",
    "%255c",
    "%25252f",
    "%25%32%66",
    "%%32%66",
    "//",
    "///",
    "/./",
    "/%2e/",
    "\\/",
    "/\\",
    "\\\\",
    "%2f%2f",
    "/%2f",
    "%c0%af",
    "%c1%9c",
    "%e0%80%af",
    "%f0%80%80%af",
    "%25c0%25af",
    "%u002f",
    "%u2215",
    "%uff0f",
    "%ef%bc%8f",
    "\u{ff0f}",
    "\u{2215}",
    "\u{29f5}",
    "%00/",
    "%09/",
    "%0d%0a/",
    "%20/",
    ";/",
    "%3b/",
    "?/",
    "%3f/",
    "#/",
    "%23/",
    ":/",
];

/// What some servers cut from a segment.
pub(super) const PARAMETERS: &[&str] = &[
    ";",
    ";x",
    ";x=y",
    ";x=y,z",
    ";;",
    ";jsessionid=0123456789ABCDEF",
    "%3b",
    "%3Bx=y",
    "%253b",
    ";%2e%2e",
    ";..",
    ";%00",
    ",x",
];

/// Every way in which `text` is written with other octets.
pub(super) fn encodings(text: &str) -> Vec<(&'static str, String)> {
    let each = |write: fn(u8) -> String| text.bytes().map(write).collect::<String>();
    let one = |at: usize, write: fn(u8) -> String| {
        let bytes = text.bytes().enumerate();
        let written =
            bytes.map(
                |(index, byte)| {
                    if index == at { write(byte) } else { char::from(byte).to_string() }
                },
            );
        written.collect::<String>()
    };
    let last = text.len().saturating_sub(1);
    let overlong = |byte: u8| format!("%{:02x}%{:02x}", 0xc0 | byte >> 6, 0x80 | byte & 0x3f);
    vec![
        ("percent-encoded", each(|byte| format!("%{byte:02x}"))),
        ("percent-encoded in upper case", each(|byte| format!("%{byte:02X}"))),
        ("first letter percent-encoded", one(0, |byte| format!("%{byte:02x}"))),
        ("last letter percent-encoded", one(last, |byte| format!("%{byte:02X}"))),
        ("encoded twice", each(|byte| format!("%25{byte:02x}"))),
        ("first letter encoded twice", one(0, |byte| format!("%25{byte:02X}"))),
        ("last letter encoded twice", one(last, |byte| format!("%25{byte:02x}"))),
        ("encoded three times", each(|byte| format!("%2525{byte:02x}"))),
        ("digits encoded", one(0, |byte| format!("%{}", digits(byte)))),
        ("percent and digits encoded", one(0, |byte| format!("%25{}", digits(byte)))),
        ("%u", each(|byte| format!("%u00{byte:02x}"))),
        ("overlong", each(overlong)),
        ("first letter overlong", one(0, overlong)),
        ("full-width", each(|byte| wide(byte).to_string())),
        ("full-width %u", each(|byte| format!("%u{:04x}", u32::from(wide(byte))))),
    ]
}

/// The two hexadecimal digits, each percent-encoded.
fn digits(byte: u8) -> String {
    let digits = format!("{byte:02x}");
    digits.bytes().flat_map(|digit| format!("%{digit:02x}").into_bytes()).map(char::from).collect()
}

fn wide(byte: u8) -> char {
    match byte {
        0x21..=0x7e => char::from_u32(u32::from(byte) + 0xfee0).unwrap_or('\u{ff0e}'),
        _ => char::from(byte),
    }
}

/// Names that are nearly `name`.
pub(super) fn neighbours(name: &str) -> Vec<String> {
    let mut names: Vec<String> = ["2", "-evil", "_", "~1", ".", "..", "...", "%20", "%00", "%09"]
        .into_iter()
        .chain(["%2e", "%2f..", "::$DATA", ":x", "::$INDEX_ALLOCATION", "*", "%0a", "%e2%80%8b"])
        .chain(["%0d", "%ad", "%cc%81", "$", "@", "!", "'", "(", "+", "%2b", ",", "&", "="])
        .map(|tail| format!("{name}{tail}"))
        .collect();
    let (first, rest) = name.split_at_checked(1).unwrap_or((name, ""));
    names.extend([
        name.to_uppercase(),
        format!("{}{rest}", first.to_uppercase()),
        format!("%{:02x}{rest}", first.bytes().next().unwrap_or_default().to_ascii_uppercase()),
        format!(".{name}"),
        format!("%20{name}"),
        format!("~{name}"),
        format!("*{rest}"),
        format!("?{rest}"),
        format!("%3f{rest}"),
        format!("[{first}]{rest}"),
        format!("{{{name},x}}"),
        rest.to_owned(),
        first.to_owned(),
        "*".to_owned(),
        format!("{name}{name}"),
    ]);
    names.retain(|name| !name.is_empty());
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_encoded_in_many_ways() {
        let all = encodings("bob");

        for (rule, written) in [
            ("percent-encoded", "%62%6f%62"),
            ("first letter encoded twice", "%2562ob"),
            ("digits encoded", "%%36%32ob"),
            ("overlong", "%c1%a2%c1%af%c1%a2"),
            ("%u", "%u0062%u006f%u0062"),
        ] {
            assert!(all.contains(&(rule, written.to_owned())), "{rule}: {all:?}");
        }
    }
}
