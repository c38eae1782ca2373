//! The spellings that attacks are made of: products of small parts, not a list of payloads.

use crate::support::lint::percent_decode;

/// What some decoder somewhere reads as a dot.
const DOT: &[&str] = &[
    ".",
    "%2e",
    "%2E",
    "%252e",
    "%25252e",
    "%%32%65",
    "%25%32%65",
    "%c0%ae",
    "%e0%80%ae",
    "%f0%80%80%ae",
    "%u002e",
    "%uff0e",
    "%ef%bc%8e",
    "\u{ff0e}",
    "%e2%80%a4",
];

/// What some server somewhere takes for a slash.
const SLASH: &[&str] = &[
    "/",
    "//",
    "%2f",
    "%2F",
    "\\",
    "%5c",
    "%5C",
    "%252f",
    "%255c",
    "%25%32%66",
    "%c0%af",
    "%c1%9c",
    "%e0%80%af",
    "%f0%80%80%af",
    "%u002f",
    "%u2215",
    "%ef%bc%8f",
    "\u{ff0f}",
    "\u{2215}",
    "%e2%81%84",
];

/// What some server cuts off a segment, or drops from it.
const TAIL: &[&str] = &[
    ";",
    ";x",
    ";a=b",
    ";;",
    "%3b",
    "%3Ba=b",
    "%253b",
    ";%2e%2e",
    ";..",
    "%00",
    "%00.html",
    "%09",
    "%0a",
    "%0d",
    "%23",
    "%3f",
    "%ad",
    "%e2%80%8b",
];

/// Two dots, each in every spelling.
pub(super) fn dots() -> Vec<String> {
    let pairs = DOT.iter().flat_map(|one| DOT.iter().map(move |two| format!("{one}{two}")));
    pairs.collect()
}

/// Ways from alice's home into bob's: every spelling of dots with plain slashes around them, every
/// slash around plain and encoded dots, every tail on dots.
pub(super) fn climbs() -> Vec<String> {
    let mut climbs = Vec::new();
    for dots in dots() {
        climbs.push(format!("/files/alice/{dots}/bob/x"));
        climbs.push(format!("/files/alice/a/{dots}/{dots}/bob/x"));
    }
    for slash in SLASH {
        for dots in ["..", "%2e%2e", ".%2E", "%252e%252e"] {
            climbs.push(format!("/files/alice{slash}{dots}/bob/x"));
            climbs.push(format!("/files/alice/{dots}{slash}bob/x"));
            climbs.push(format!("/files/alice{slash}{dots}{slash}bob{slash}x"));
        }
    }
    for tail in TAIL {
        for dots in ["..", "%2e%2e", ".%2e"] {
            climbs.push(format!("/files/alice/{dots}{tail}/bob/x"));
            climbs.push(format!("/files/alice{tail}/{dots}/bob/x"));
            climbs.push(format!("/files/alice/{dots}{tail}"));
        }
    }
    for place in ["/./files/alice/../bob", "/x/../files/bob", "/files/./bob/../alice/../bob"] {
        climbs.push(place.to_owned());
        climbs.push(format!("{place}/."));
        climbs.push(format!("{place}/x/.."));
    }
    climbs
}

/// Every slash that is not one, in the places of the slashes of bob's file.
pub(super) fn separators() -> Vec<String> {
    let mut targets = Vec::new();
    for slash in SLASH.iter().filter(|slash| **slash != "/") {
        targets.push(format!("{slash}files/bob/x"));
        targets.push(format!("/files{slash}bob/x"));
        targets.push(format!("/files/alice{slash}..{slash}bob"));
        targets.push(format!("/{slash}files/bob/x"));
    }
    for host in ["alice", "files.test", "alice@files.test", "files.test:80"] {
        targets.push(format!("//{host}/files/bob/x"));
        targets.push(format!("///{host}/files/bob/x"));
    }
    targets
}

/// Names that are nearly `name`, none of which is it.
pub(super) fn neighbours(name: &str) -> Vec<String> {
    let tails =
        ["2", "-evil", "_", ".", "..", "...", "~", "~1", "'", "!", "$", "*", "(", "+", ",", "="];
    let encoded = ["%20", "%2e", "%2e%2e", "%00", "%09", "%cc%81", "%e2%80%8b", "::$DATA", "%3a"];
    let mut names: Vec<_> =
        tails.iter().chain(&encoded).map(|tail| format!("{name}{tail}")).collect();
    names.extend(["x", ".", "%20", "~", "*", "-"].map(|head| format!("{head}{name}")));
    for at in 0..name.len() {
        let (left, right) = name.split_at(at);
        let letter = right[..1].to_uppercase();
        names.push(format!("{left}{letter}{}", &right[1..]));
        names.push(format!("{left}%{:02x}{}", letter.as_bytes()[0], &right[1..]));
        names.push(format!("{left}{}", &right[1..]));
    }
    names
}

/// Every way of writing the letters of `text` in either case, plain or encoded: with what it says.
pub(super) fn cased(text: &str) -> Vec<(String, String)> {
    text.chars().fold(vec![(String::new(), String::new())], |all, letter| {
        let cases = [letter.to_ascii_lowercase(), letter.to_ascii_uppercase()];
        let more = all.iter().flat_map(|(written, meant)| {
            cases.iter().flat_map(move |case| {
                [
                    (format!("{written}{case}"), format!("{meant}{case}")),
                    (format!("{written}%{:02x}", u32::from(*case)), format!("{meant}{case}")),
                ]
            })
        });
        more.collect()
    })
}

/// Whether all readings of a target that we know of stay below `home`.
pub(super) fn stays_below(target: &str, home: &str) -> bool {
    let path = target.split('?').next().unwrap_or_default();
    let mut reading = path.as_bytes().to_vec();
    (0..4).all(|_| {
        let text = String::from_utf8_lossy(&reading).replace('\\', "/");
        let folded: String = text.chars().map(fold).collect();
        let climbs = [&text, &folded].into_iter().any(|text| {
            text.split('/')
                .any(|part| matches!(part.split([';', '\0', '?', '#']).next(), Some("." | "..")))
        });
        let is_below =
            folded.strip_prefix(home).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        reading = percent_decode(&reading);
        is_below && !climbs
    })
}

fn fold(character: char) -> char {
    match character {
        '\u{ff0e}' | '\u{2024}' => '.',
        '\u{ff0f}' | '\u{2215}' | '\u{2044}' => '/',
        other => other,
    }
}

/// Header names that reach some application as `name`: other separators, other letters.
pub(super) fn aliases(name: &str) -> Vec<String> {
    let separators = ["-", "_", ".", "~", "!", "'", "|", "+", "*"];
    let mut names: Vec<_> = separators.iter().map(|it| name.replace('-', it)).collect();
    if let Some((first, rest)) = name.split_once('-') {
        names.extend(["_", "."].map(|it| format!("{first}{it}{rest}")));
        names.extend(["_", "."].map(|it| format!("{first}-{}", rest.replace('-', it))));
    }
    names.extend([name.to_lowercase(), name.to_uppercase(), name.to_uppercase().replace('-', "_")]);
    names.sort_unstable();
    names.dedup();
    names
}
