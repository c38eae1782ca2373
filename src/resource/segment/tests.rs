use unicode_normalization::UnicodeNormalization as _;

use super::*;

/// What of ASCII can change where a path leads.
const SPECIAL: [char; 7] = ['.', '/', '\\', '%', ';', '?', '#'];

/// Every character of Unicode that NFC or NFKC turns into one that can change where a path
/// leads is known, and folded to at least as much.
#[test]
fn whatever_normalisation_makes_special_is_known() {
    let mut found = 0;
    for character in ('\u{80}'..=char::MAX).filter(|character| !character.is_control()) {
        let normal: String = character.to_string().nfkc().collect();
        // `⒈` is `1.`, and `½` is `1⁄2`: no dot or separator of its own.
        let is_number = normal.chars().any(char::is_numeric);
        let is_letter = normal.starts_with('(') || normal.ends_with(')');
        if is_number || is_letter || !normal.contains(SPECIAL) {
            continue;
        }
        found += 1;
        let folded = folded_character(character).unwrap_or_default();
        let special = |text: &str| text.chars().filter(|part| SPECIAL.contains(part)).collect();
        let (normal, folded): (String, String) = (special(&normal), special(folded));
        assert_eq!(normal, folded, "{character:?} U+{:04X}", u32::from(character));
    }
    assert!(found > 20, "{found}");
}

#[test]
fn what_looks_like_something_special_is_that_to_who_refuses_it() {
    let spellings = |name: &str| inspect(name.as_bytes());
    let has = |name: &str, spelling| spellings(name).is_ok_and(|it| it.contains(spelling));

    for name in ["a\u{37e}b", "a\u{ff1b}b", "a\u{fe54}b"] {
        assert!(has(name, Spelling::Parameter), "{name}");
    }
    for name in ["a\u{ff1a}b", "a\u{fe55}b", "a\u{fe13}b"] {
        assert!(has(name, Spelling::Colon), "{name}");
    }
    for name in ["\u{ff23}\u{ff2f}\u{ff2e}", "nul\u{ff0e}txt", "c\u{200b}on"] {
        assert!(has(name, Spelling::DeviceName), "{name}");
    }
    for name in ["a\u{ff0e}", "a.\u{200b}"] {
        assert!(has(name, Spelling::TrailingDotOrSpace), "{name}");
    }
    for name in ["..\u{37e}b", "\u{ff0e}\u{ff0e}", "\u{2025}", ".\u{ad}.", "\u{2025}\u{ff0f}x"] {
        assert_eq!(spellings(name), Err(ResourceError::DotSegment), "{name}");
    }
    for name in ["\u{ff21}\u{ff22}", "caf\u{e9}", "cafe\u{301}", "\u{3042}\u{ff01}"] {
        assert_eq!(spellings(name), Ok(Spellings::NONE), "{name}");
    }
}
