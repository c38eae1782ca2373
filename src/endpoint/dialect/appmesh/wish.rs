//! What clients ask of a token, in headers.

use std::time::Duration;

use http::HeaderMap;
use serde_json::Value;

use super::answer::Refusal;
use crate::service::{Call, Shape, Wish};

const EXPIRE: &str = "x-expire-seconds";
const AUDIENCE: &str = "x-audience";
const SET_COOKIE: &str = "x-set-cookie";
const WANTS_REFRESH: &str = "x-refresh-token-request";

/// Audiences of App Mesh itself, for which nobody gets a token by logging in.
const RESERVED: [&str; 2] = ["appmesh-file-service", "appmesh-refresh"];

/// The one value of a header; an empty one is none.
pub(super) fn field<'h>(
    fields: &'h HeaderMap,
    name: &'static str,
) -> Result<Option<&'h str>, Refusal> {
    let mut values = fields.get_all(name).iter();
    let (value, None) = (values.next(), values.next()) else {
        return Err(Refusal::bad(format!("more than one {name}")));
    };
    let text = value.map(|value| value.to_str()).transpose();
    let text = text.map_err(|_| Refusal::bad(format!("a malformed {name}")))?;
    Ok(text.map(str::trim).filter(|text| !text.is_empty()))
}

fn is_on(fields: &HeaderMap, name: &'static str) -> Result<bool, Refusal> {
    Ok(matches!(field(fields, name)?, Some("true" | "1")))
}

/// Whether the token should also come as a cookie.
pub(super) fn wants_cookie(fields: &HeaderMap) -> Result<bool, Refusal> {
    is_on(fields, SET_COOKIE)
}

/// How long a token should live: nothing and zero stand for the default.
fn seconds(text: &str) -> Result<Option<Duration>, Refusal> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = text.parse::<u64>().ok().filter(|_| is_number);
    let seconds = seconds.ok_or(Refusal::bad("Invalid token expire seconds"))?;
    Ok((seconds > 0).then(|| Duration::from_secs(seconds)))
}

/// The same in a body, where clients send a number or a text.
pub(super) fn seconds_of(value: Option<&Value>) -> Result<Option<Duration>, Refusal> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) => seconds(text),
        Some(Value::Number(number)) => seconds(&number.to_string()),
        Some(Value::Array(_) | Value::Bool(_) | Value::Object(_)) => {
            Err(Refusal::bad("Invalid token expire seconds"))
        }
    }
}

/// The audience that is asked for, if it is one of the endpoint's.
fn audience(call: &Call, fields: &HeaderMap) -> Result<Option<String>, Refusal> {
    let Some(audience) = field(fields, AUDIENCE)? else { return Ok(None) };
    if RESERVED.contains(&audience) {
        return Err(Refusal::bad("illegal audience"));
    }
    if !call.profile.audience.iter().any(|known| **known == *audience) {
        return Err(Refusal::audience(audience));
    }
    Ok(Some(audience.to_owned()))
}

/// The audience that a token is to be verified for; without one in the request, the first.
pub(super) fn wanted_audience<'c>(
    call: &'c Call,
    fields: &'c HeaderMap,
) -> Result<Option<&'c str>, Refusal> {
    let first = call.profile.audience.first().map(AsRef::as_ref);
    Ok(field(fields, AUDIENCE)?.or(first))
}

/// A token for a login; a client that names no audience gets the first.
pub(super) fn of_login(call: &Call, fields: &HeaderMap) -> Result<Wish, Refusal> {
    let first = || call.profile.audience.first().map(ToString::to_string);
    let audience = audience(call, fields)?.or_else(first);
    Ok(Wish { audience, ..of_renewal(fields)? })
}

/// A token in the place of another one, whose audience it keeps.
pub(super) fn of_renewal(fields: &HeaderMap) -> Result<Wish, Refusal> {
    let lifetime = field(fields, EXPIRE)?.map(seconds).transpose()?.flatten();
    let refresh = is_on(fields, WANTS_REFRESH)?;
    Ok(Wish { lifetime, audience: None, refresh, shape: Shape::AppMesh })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn seconds_are_read_from_headers_and_bodies() {
        let day = Some(Duration::from_hours(24));
        for (value, expected) in [
            (json!(86400), Ok(day)),
            (json!("86400"), Ok(day)),
            (json!(""), Ok(None)),
            (json!(null), Ok(None)),
            (json!(0), Ok(None)),
            (json!("0"), Ok(None)),
            (json!(-1), Err(())),
            (json!("-1"), Err(())),
            (json!("+1"), Err(())),
            (json!(1.5), Err(())),
            (json!("P1W"), Err(())),
            (json!(true), Err(())),
            (json!([1]), Err(())),
            (json!("99999999999999999999999"), Err(())),
        ] {
            assert_eq!(seconds_of(Some(&value)).map_err(|_| ()), expected, "{value}");
        }
        assert_eq!(seconds_of(None).unwrap(), None);
    }

    #[test]
    fn a_header_that_stands_twice_is_refused() {
        let mut fields = HeaderMap::new();
        fields.append(EXPIRE, "60".parse().unwrap());
        assert_eq!(of_renewal(&fields).unwrap().lifetime, Some(Duration::from_mins(1)));
        fields.append(EXPIRE, "60".parse().unwrap());
        assert!(of_renewal(&fields).is_err());
    }
}
