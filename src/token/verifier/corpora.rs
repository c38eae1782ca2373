//! The JWS vectors of others, through the same path as every token.

use serde_json::Value;

use super::*;
use crate::token::{KeyError, Keyring};

const WYCHEPROOF: &str = include_str!("../../../tests/corpora/wycheproof/jws_flat.jsonl");
const RFC7515: &str = include_str!("../../../tests/corpora/rfc7515/jws.jsonl");

/// Cases where we do not follow the vectors' word, by file and number, and why.
const EXCEPTIONS: &[(&str, u64, &str)] = &[
    ("json_web_signature_test", 346, "the JWK says PS256, the token PS384"),
    ("json_web_signature_test", 347, "ES512 is not offered"),
    ("json_web_signature_test", 350, "the JWK says PS256, the token PS384"),
    ("json_web_signature_test", 351, "ES512 is not offered"),
    ("json_web_signature_test", 367, "byte for byte the token of case 357, which is valid"),
    ("json_web_signature_test", 370, "byte for byte the token of case 357, which is valid"),
    ("json_web_signature_test", 372, "called valid with a `?` in the header's base64url"),
    ("json_web_signature_test", 373, "called valid with a `?` in the payload's base64url"),
];

fn verifies(key: &Value, token: &Value) -> Result<Vec<u8>, String> {
    let keyring = Keyring::from_jwks(key.to_string().as_bytes());
    let (keyring, _) = keyring.map_err(|error: KeyError| error.to_string())?;
    let Value::String(token) = token else { return Err("not in compact form".into()) };
    verify_jws(&keyring, token).map_err(|error| error.to_string())
}

#[test]
fn wycheproof_is_obeyed_but_for_the_listed_cases() {
    let mut seen = 0;
    for line in WYCHEPROOF.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let (source, number) = (case["src"].as_str().unwrap(), case["tcId"].as_u64().unwrap());

        let outcome = verifies(&case["key"], &case["jws"]);

        let is_valid = case["result"] == "valid";
        let is_exception = EXCEPTIONS.iter().any(|(file, id, _)| (*file, *id) == (source, number));
        assert_eq!(outcome.is_ok(), is_valid != is_exception, "{source} {number}: {outcome:?}");
        seen += 1;
    }
    assert_eq!(seen, 476);
}

#[test]
fn the_doubtful_cases_are_twins_of_a_valid_one() {
    let find = |number: u64| {
        let cases = WYCHEPROOF.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        cases
            .filter(|case| case["src"] == "json_web_signature_test")
            .find(|case| case["tcId"] == number)
            .unwrap()
    };
    assert_eq!(find(357)["result"], "valid");
    for twin in [367, 370] {
        assert_eq!(find(357)["jws"], find(twin)["jws"]);
        assert_eq!(find(357)["key"], find(twin)["key"]);
    }
}

#[test]
fn the_examples_of_rfc_7515_verify_if_their_algorithm_is_offered() {
    for line in RFC7515.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let name = case["src"].as_str().unwrap();

        let outcome = verifies(&case["key"], &case["jws"]);

        let is_offered = ["rfc7515-A.1", "rfc7515-A.2", "rfc7515-A.3"].contains(&name);
        assert_eq!(outcome.is_ok(), is_offered, "{name}: {outcome:?}");
    }
}
