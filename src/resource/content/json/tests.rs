use proptest::prelude::*;

use super::*;

fn rewritten(text: &str) -> Result<String, ResourceError> {
    let json = Json::parse(text)?;
    let mut out = String::new();
    json.write(&mut out, |_, value, out| out.push_str(value));
    Ok(out)
}

#[test]
fn an_object_is_written_as_it_was_read() {
    for (text, canonical) in [
        ("{}", "{}"),
        (" { } \n", "{}"),
        (r#"{"a":"b"}"#, r#"{"a":"b"}"#),
        (r#"{ "\u0061" : "\/\u002e\n\"" }"#, r#"{"a":"/.\n\""}"#),
        (r#"{"a":["x", "y"],"b":[]}"#, r#"{"a":["x","y"],"b":[]}"#),
        (
            r#"{"n":[1, -0.50e+10, 123456789012345678901234567890],"t":true,"z":null}"#,
            r#"{"n":[1,-0.50e+10,123456789012345678901234567890],"t":true,"z":null}"#,
        ),
        (r#"{"o":{"a":{"b":[{}, "c"]}}}"#, r#"{"o":{"a":{"b":[{},"c"]}}}"#),
        (r#"{"e":"\ud83d\ude00é"}"#, "{\"e\":\"😀é\"}"),
    ] {
        assert_eq!(rewritten(text).as_deref(), Ok(canonical), "{text}");
        assert_eq!(rewritten(canonical).as_deref(), Ok(canonical));
    }
}

#[test]
fn what_only_lenient_readers_take_is_refused() {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(32), "]".repeat(32));
    let unclosed = "{\"a\":".to_owned() + &"[".repeat(60_000);
    for broken in [
        "",
        "[]",
        "\"a\"",
        "null",
        "{",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{,}",
        "{\"a\":1}{}",
        "{\"a\":1}x",
        "\u{feff}{}",
        "{a:1}",
        "{'a':1}",
        "{\"a\":01}",
        "{\"a\":+1}",
        "{\"a\":.5}",
        "{\"a\":1.}",
        "{\"a\":1e}",
        "{\"a\":0x10}",
        "{\"a\":NaN}",
        "{\"a\":Infinity}",
        "{\"a\":TRUE}",
        "{\"a\":1 /* b */}",
        "// x\n{}",
        "{\"a\":\"b\nc\"}",
        "{\"a\":\"\\x41\"}",
        "{\"a\":\"\\u00g0\"}",
        "{\"a\":\"\\u+041\"}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":\"\\udc00\\ud800\"}",
        "{\"a\":\"\\ud800\\u0041\"}",
        "{\"a\":\"b}",
        "{\"a\":[1,]}",
        "{\"a\":[,1]}",
        "{\"a\":[1 2]}",
        "{\"a\":\u{a0}1}",
        "{\"a\":\u{b}1}",
        &deep,
        &unclosed,
    ] {
        let error = rewritten(broken);
        assert_eq!(error, Err(ResourceError::ContentForm), "{broken:.40}");
    }
}

#[test]
fn no_object_has_two_members_of_one_name() {
    for twice in [
        r#"{"a":1,"a":2}"#,
        r#"{"a":1,"\u0061":2}"#,
        r#"{"b":{"a":1,"x":0,"a":2}}"#,
        r#"{"b":[{"a":1,"a":2}]}"#,
    ] {
        assert_eq!(rewritten(twice), Err(ResourceError::FieldRepeated), "{twice}");
    }
}

#[test]
fn a_rule_cannot_rest_on_a_member_that_has_an_alias() {
    for name in
        ["Files", "FILES", "file\u{17F}", "files[]", " files", "files\\u0000", "files\\u0000x"]
    {
        let text = format!("{{\"files\":[],\"{name}\":[]}}");
        let demanded = Json::parse(&text).unwrap().demand("files");
        assert_eq!(demanded, Err(ResourceError::AliasedParameter), "{name}");
    }
    for name in ["file", "files2", "xfiles", "data"] {
        let text = format!("{{\"files\":[],\"{name}\":[]}}");
        assert_eq!(Json::parse(&text).unwrap().demand("files"), Ok(()), "{name}");
    }
}

proptest! {
    #[test]
    fn what_is_taken_is_json_and_a_fixed_point(
        pieces in proptest::collection::vec(proptest::sample::select(&[
            "{", "}", "[", "]", ":", ",", "\"a\"", "\"b\"", "\"\\u0061\"", "1", "-0.5", "1e5",
            "true", "null", " ", "\\", "\"", "é",
        ][..]), 0..12)
    ) {
        for text in [pieces.concat(), format!("{{\"k\":{}}}", pieces.concat())] {
            if let Ok(canonical) = rewritten(&text) {
                prop_assert_eq!(rewritten(&canonical), Ok(canonical.clone()));
                let ours: serde_json::Value = serde_json::from_str(&canonical).unwrap();
                let theirs: serde_json::Value = serde_json::from_str(&text).unwrap();
                prop_assert_eq!(ours, theirs);
            }
        }
    }
}
