//! What a value may become in the hands of a server that takes it for a shell's pattern, or cuts it,
//! or drops what ends it, before it opens a file.
//!
//! There are too many such servers to know them all, and they may follow each other. So this is not
//! a matcher: it asks whether *some* of them could find `.` or `..` in the place of a name, or a
//! separator where none is seen, and errs on the side of yes.

use crate::resource::path::in_any_reading;

/// Where one name ends and another begins, for some server.
const SEPARATORS: [char; 2] = ['/', '\\'];
/// Where some servers end a name, or all there is.
const ENDS: [char; 5] = [';', '?', '#', ':', '|'];
/// What encloses and parts alternatives: `{a,b}`, `@(a|b)`.
const ALTERNATIVES: [char; 6] = ['{', '}', '(', ')', ',', '|'];
/// What matches more than itself, or is dropped, beside a dot or alone.
const WILD: [char; 8] = ['*', '?', '+', '!', '@', '^', ' ', CLASS];
/// Stands for a bracket expression that could match a dot, as no control character is left.
const CLASS: char = '\0';

/// Whether some server could climb with the value, or split it where no separator is seen.
pub(super) fn may_leave(value: &str) -> bool {
    // Some drop control characters or end there; none is left but in what decoding again makes.
    let leaves =
        |text: &str| text.contains(char::is_control) || may_separate(text) || may_climb(text);
    !is_plain(value) && in_any_reading(value, leaves)
}

/// Whether a value holds what a shell, or a library like it, takes for a pattern.
pub(super) fn is_pattern(value: &str) -> bool {
    let holds = |text: &str| text.contains(['*', '?', '[', ']', '{', '}']);
    !is_plain(value) && in_any_reading(value, holds)
}

/// Whether nobody reads anything but its characters in a value.
fn is_plain(value: &str) -> bool {
    value.bytes().all(|byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'-' | b'_' | b'~')
    })
}

/// Whether an alternative could stand for a separator: `{x,/y}`.
fn may_separate(text: &str) -> bool {
    let mut braces = 0_usize;
    text.char_indices().any(|(at, character)| match character {
        '{' => {
            braces += 1;
            false
        }
        '}' => {
            braces = braces.saturating_sub(1);
            false
        }
        '/' | '\\' => braces > 0 && text.get(at..).is_some_and(|rest| rest.contains('}')),
        _ => false,
    })
}

/// Whether a name in it could be `.` or `..`, or match it.
fn may_climb(text: &str) -> bool {
    let Some(text) = without_classes(text) else { return true };
    let has_alternatives = text.contains(['{', '(']);
    text.split(SEPARATORS).any(|name| {
        may_be_parent(name) || has_alternatives && name.split(ALTERNATIVES).any(may_be_dots)
    })
}

/// Whether a name could be `.` or `..`. One dot that is a whole name has been judged before.
fn may_be_parent(name: &str) -> bool {
    name != "." && may_be_dots(name)
}

/// Whether a piece of a name, up to where some server ends it, could be dots: it begins with one and
/// has nothing but dots and what could match one, or be dropped.
///
/// A wildcard does not match the dot that a name begins with; a bracket does in some shells.
fn may_be_dots(piece: &str) -> bool {
    let ordinary = |c: char| c != '.' && !WILD.contains(&c) && !ENDS.contains(&c);
    let lead = piece.split(ordinary).next().unwrap_or_default();
    let is_whole = lead.len() == piece.len();
    lead.starts_with(['.', ' ', '+', CLASS])
        && lead.contains(['.', CLASS])
        && (is_whole || lead.contains(ENDS))
}

/// The text with [`CLASS`] for each bracket expression that could match a dot, and a letter for each
/// that could not. `None`: one could match a separator, or be cut, or is read differently by
/// different shells.
fn without_classes(text: &str) -> Option<String> {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('[') {
        plain.push_str(before);
        let Some((class, after)) = after.split_once(']') else {
            plain.push(CLASS); // a bracket that nothing closes: for some an error, for some a bracket
            rest = after;
            continue;
        };
        if class.is_empty() || class == "!" || class == "^" {
            return None; // the next bracket is the first of what is listed, or closes it
        }
        if class.contains(SEPARATORS)
            || class.contains([';', '#', '?'])
            || ranges_over(class, &SEPARATORS)
        {
            return None;
        }
        let is_broad = class.contains(['.', '!', '^', '[', ':', '=', '{', '}', '(', ')', ',', '|']);
        plain.push(if is_broad || ranges_over(class, &['.']) { CLASS } else { 'x' });
        rest = after;
    }
    plain.push_str(rest);
    Some(plain.replace(']', "\0"))
}

/// Whether a range of a bracket expression holds one of the marks.
fn ranges_over(class: &str, marks: &[char]) -> bool {
    let characters: Vec<char> = class.chars().collect();
    characters.windows(3).any(|range| match range {
        [from, '-', to] => marks.iter().any(|mark| from <= mark && mark <= to),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_patterns_that_stay_where_they_are_may_pass() {
        for value in [
            "alice/notes.txt",
            "alice/.cache/[ab]*",
            "alice/*.{jpg,png}",
            "alice/??.*",
            "alice/disk?.*",
            "alice/*.*",
            "alice/[The Artist] A song, and another (live).mp3",
            "alice/[v1.2] notes",
            "alice/cpu[0-9][!a].total",
            "alice/12:30; what is due?",
            "alice/a+b .txt",
            "alice/J. R. R.",
            "alice/...and more",
            "alice/@home",
            "alice/100%",
        ] {
            assert!(!may_leave(value), "{value}");
        }
    }

    #[test]
    fn what_may_match_a_parent_or_a_separator_is_found() {
        for value in [
            ".*",
            ".?",
            ".[.]",
            ".[!a]",
            "[.][.]",
            "[!a][!a]",
            "[^a]*",
            ".[+-9]",
            "[a/b]",
            "[+-9]x",
            "[a;]x",
            "[]].",
            "[!]",
            "{x,/y}",
            "{x,\\y}",
            "{.,x}{.,y}",
            "{..,x}",
            "@(..|x)",
            ".@(.)",
            ".!(x)",
            ".{,x}.",
            "..;x",
            "..?x",
            "..#x",
            "..:x",
            ".. ",
            "..+",
            " ..",
            ". .",
            ".;.",
            ".?|",
            "[@.ab]*?||",
            ".[.;x",
            ".\u{FF0A}",
            ".%2a",
            ".%253f",
            ".%u002a",
            "\u{FF0E}*",
            "%EF%BC%8E*",
            "\u{FF05}2e*",
            ".*%00",
            ".%2501.",
        ] {
            for value in [value.to_owned(), format!("alice/{value}/b"), format!("alice\\{value}")] {
                assert!(may_leave(&value), "{value}");
            }
        }
    }

    #[test]
    fn a_pattern_is_one_in_any_reading() {
        for pattern in ["*", "a?", "[a]", "{a}", "%2a", "%252a", "\u{FF0A}", "%EF%BC%8A"] {
            assert!(is_pattern(pattern), "{pattern}");
        }
        for name in ["a.b", "a b", "a%20b", "é(1)", "a;b#c"] {
            assert!(!is_pattern(name), "{name}");
        }
    }
}
