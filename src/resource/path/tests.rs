use proptest::prelude::*;

use super::*;

fn parse(raw: &str) -> Result<String, ResourceError> {
    CanonicalPath::parse(raw).map(|path| path.as_str().to_owned())
}

fn admit(raw: &str, dialect: Dialect) -> Result<String, ResourceError> {
    let path = CanonicalPath::parse(raw)?;
    path.admit(dialect)?;
    Ok(path.as_str().to_owned())
}

#[test]
fn every_path_has_one_spelling() {
    for (raw, canonical) in [
        ("/", "/"),
        ("/a/b/", "/a/b/"),
        ("/%7Euser/%61", "/~user/a"),
        ("/a%2db%5f", "/a-b_"),
        ("/%c3%a9", "/%C3%A9"),
        ("/é", "/%C3%A9"),
        ("/a b\"<>^`{|}[]", "/a%20b%22%3C%3E%5E%60%7B%7C%7D%5B%5D"),
        ("/!$&'()*+,;=:@", "/!$&'()*+,;=:@"),
        ("/%21%24%26%27%28%29%2A%2B%2C%3B%3D%3A%40", "/!$&'()*+,;=:@"),
        ("/C%23/what%3f", "/C%23/what%3F"),
        ("/100%25.txt", "/100%25.txt"),
        ("/100%2525", "/100%2525"),
        ("/a..b/.hidden/..x/x../...y", "/a..b/.hidden/..x/x../...y"),
        ("/a/%20/b%20", "/a/%20/b%20"),
    ] {
        assert_eq!(parse(raw).as_deref(), Ok(canonical), "{raw}");
        assert_eq!(parse(canonical).as_deref(), Ok(canonical), "{canonical}");
    }
}

#[test]
fn canonical_input_is_borrowed() {
    let long = format!("/{}/%C3%A9", "a%20".repeat(200));
    for raw in ["/", "/a/b.txt", "/files/alice/%C3%A9t%C3%A9%20100%25/", "/a;b:c@d/%23", &long] {
        let path = CanonicalPath::parse(raw).unwrap();
        assert!(std::ptr::eq(path.as_str(), raw), "{raw}");
    }
}

#[test]
fn what_is_long_is_read_to_its_end() {
    let raw = format!("/{}%2e%2e", "%41".repeat(400));
    assert_eq!(parse(&raw), Ok(format!("/{}..", "A".repeat(400))));
    let raw = format!("/{}%00", "%41".repeat(400));
    assert_eq!(parse(&raw), Err(ResourceError::ControlByte));
}

#[test]
fn no_dialect_admits_a_dot_segment_in_any_reading() {
    for raw in [
        "/.",
        "/..",
        "/a/../b",
        "/a/./b",
        "/a/..",
        "/%2e%2e/b",
        "/.%2E/",
        "/a/%2e",
        "/a/..;/b",
        "/a/..;a=b/c",
        "/a/%2e%2e%3Bx/c",
        "/a/.;/b",
        "/a/..%23x",
        "/a/..%3Fx/y",
        "/a%2f..%2fb",
        "/a%2F..",
        "/..%2fb",
        "/a\\..\\b",
        "/a/..\\b",
        "/a%5c..%5cb",
        "/a/..%5Cb",
        "/a/%252e%252e/b",
        "/a/%252e./b",
        "/a%252f..%252fb",
        "/a/..%252fb",
        "/a/..%255cb",
        "/a/%25252e%25252e/b",
        "/a/..%2500x/b",
        "/a/.%2500./b",
        "/a/%25u002e%25u002e/b",
        "/a/..%253bx/b",
        "/a/\u{FF0E}\u{FF0E}/b",
        "/a/\u{2025}/b",
        "/a/.\u{200B}./b",
        "/a/..\u{FF0F}b",
        "/a/..%25ef%25bc%258fb",
        "/a/\u{FF05}2e\u{FF05}2e/b",
        "/a/..\u{2105}",
    ] {
        if raw.ends_with('\u{2105}') {
            assert!(admit(raw, Dialect::Posix).is_err());
        } else {
            assert_eq!(parse(raw), Err(ResourceError::DotSegment), "{raw}");
        }
    }
}

#[test]
fn no_dialect_admits_what_is_malformed() {
    use ResourceError::{
        ControlByte, Fragment, InvalidPercent, InvalidUtf8, NestedEncoding, NotAbsolute,
        QueryInPath,
    };
    for (raw, error) in [
        ("", NotAbsolute),
        ("*", NotAbsolute),
        ("files/bob/x", NotAbsolute),
        ("http://localhost/x", NotAbsolute),
        ("\\a", NotAbsolute),
        ("%2Fa", NotAbsolute),
        ("/a\0b", ControlByte),
        ("/a%00", ControlByte),
        ("/a%0d%0aX: y", ControlByte),
        ("/a\tb", ControlByte),
        ("/a%7F", ControlByte),
        ("/a%C2%85", ControlByte),
        ("/x#/../../alice/ok", Fragment),
        ("/x?y", QueryInPath),
        ("/%", InvalidPercent),
        ("/%4", InvalidPercent),
        ("/%zz", InvalidPercent),
        ("/%u002e", InvalidPercent),
        ("/%%32%65%%32%65/", InvalidPercent),
        ("/%+1", InvalidPercent),
        ("/%4é", InvalidPercent),
        ("/%c0%ae%c0%ae/", InvalidUtf8),
        ("/%e0%80%af", InvalidUtf8),
        ("/%f0%80%80%af", InvalidUtf8),
        ("/%fc%80%80%80%80%af", InvalidUtf8),
        ("/%C3", InvalidUtf8),
        ("/%C3/%A9", InvalidUtf8),
        ("/%ed%a0%80", InvalidUtf8),
        ("/a%25c0%25afb", InvalidUtf8),
        ("/%2525252525252541", NestedEncoding),
    ] {
        assert_eq!(parse(raw), Err(error), "{raw:?}");
    }
}

#[test]
fn posix_refuses_what_servers_read_differently() {
    use Spelling::{
        Backslash, DoubleEncoding, EmptySegment, EncodedBackslash, EncodedSlash, LookAlike,
    };
    for (raw, spelling) in [
        ("//a", EmptySegment),
        ("/a//", EmptySegment),
        ("//", EmptySegment),
        ("/a\\b", Backslash),
        ("/a%5Cb", EncodedBackslash),
        ("/a%2fb", EncodedSlash),
        ("/a%252fb", DoubleEncoding),
        ("/a%255Cb", DoubleEncoding),
        ("/a%252eb", DoubleEncoding),
        ("/a%2500", DoubleEncoding),
        ("/a%250a", DoubleEncoding),
        ("/a%25252f", DoubleEncoding),
        ("/a%25u2215b", DoubleEncoding),
        ("/a\u{2215}b", LookAlike),
        ("/a%EF%BC%BCb", LookAlike),
        ("/\u{2105}", LookAlike),
    ] {
        assert_eq!(admit(raw, Dialect::Posix), Err(ResourceError::Spelling(spelling)), "{raw}");
        assert!(admit(raw, Dialect::Tomcat).is_err() && admit(raw, Dialect::Windows).is_err());
    }
    for raw in
        ["/100%25", "/100%25.txt", "/50%25ab", "/a%2541", "/...", "/a;b", "/a:b", "/a.", "/Wait…"]
    {
        assert!(admit(raw, Dialect::Posix).is_ok(), "{raw}");
    }
}

#[test]
fn windows_refuses_streams_devices_and_what_it_strips() {
    for raw in [
        "/a:b",
        "/a::$DATA",
        "/a%3Ab",
        "/a.",
        "/a%20",
        "/a /b",
        "/...",
        "/NUL",
        "/nul.txt",
        "/Con/x",
        "/aux .h",
        "/com1",
        "/LPT9.log",
        "/com\u{B9}",
        "/conin$",
        "/CONOUT$.x",
    ] {
        assert!(admit(raw, Dialect::Windows).is_err(), "{raw}");
        assert!(admit(raw, Dialect::Posix).is_ok(), "{raw}");
    }
    for raw in
        ["/a;b", "/console", "/comma", "/com", "/com10", "/lpt", "/nully.txt", "/a.con", "/é"]
    {
        assert!(admit(raw, Dialect::Windows).is_ok(), "{raw}");
    }
}

#[test]
fn tomcat_refuses_every_parameter() {
    for raw in ["/a;", "/a;b=c/d", "/;a/b", "/a%3Bb"] {
        assert!(admit(raw, Dialect::Tomcat).is_err(), "{raw}");
        assert!(admit(raw, Dialect::Posix).is_ok(), "{raw}");
    }
}

#[test]
fn raw_keeps_separators_as_bytes_of_a_segment() {
    for (raw, canonical) in [
        ("/a%2fb", "/a%2Fb"),
        ("/a\\b", "/a%5Cb"),
        ("/a%5cb", "/a%5Cb"),
        ("/a//b//", "/a//b//"),
        ("//", "//"),
        ("/a%252fb", "/a%252fb"),
        ("/a／b", "/a%EF%BC%8Fb"),
    ] {
        assert_eq!(admit(raw, Dialect::Raw).as_deref(), Ok(canonical), "{raw}");
        assert_eq!(admit(canonical, Dialect::Raw).as_deref(), Ok(canonical));
    }
}

#[test]
fn segments_are_those_of_the_wire() {
    let segments = |raw: &'static str| {
        let path = CanonicalPath::parse(raw).unwrap();
        path.segments().map(str::to_owned).collect::<Vec<_>>()
    };

    assert_eq!(segments("/"), [""; 0]);
    assert_eq!(segments("/a"), ["a"]);
    assert_eq!(segments("/a/%2F/b c/"), ["a", "%2F", "b%20c"]);
    assert_eq!(segments("/a//b"), ["a", "", "b"]);
}

const TOKENS: &[&str] = &[
    "a", "é", "/", "/", ".", "..", "%2e", "%2F", "%5c", "\\", "%25", "%", "2e", "2f", ";", "%3b",
    "#", "%23", "?", "%3f", "%00", "%c0", "%ae", "%C3%A9", "／", "．", " ", "+", "%20", ":",
    "\u{200B}", "u002e",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_canonical_form_is_a_fixed_point(
        tokens in proptest::collection::vec(proptest::sample::select(TOKENS), 0..10)
    ) {
        let raw = format!("/{}", tokens.concat());
        if let Ok(path) = CanonicalPath::parse(&raw) {
            let again = CanonicalPath::parse(path.as_str()).unwrap();
            prop_assert_eq!(again.as_str(), path.as_str());
            prop_assert!(std::ptr::eq(again.as_str(), path.as_str()));
            for dialect in Dialect::ALL {
                prop_assert!(path.admit(dialect).is_err() || again.admit(dialect).is_ok());
            }
        }
    }

    #[test]
    fn anything_at_all_is_parsed_without_panic(raw in "\\PC{0,40}", bytes in any::<Vec<u8>>()) {
        let _ = CanonicalPath::parse(&raw);
        let encoded = bytes.iter().flat_map(|byte| segment::triplet(*byte)).map(char::from);
        let encoded: String = encoded.collect();
        let _ = CanonicalPath::parse(&format!("/{encoded}"));
    }
}
