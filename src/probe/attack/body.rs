//! Attacks by fields of bodies that name resources, and by bodies that are not what they say.

use std::fmt::Write as _;

use serde_json::Value;

use super::query::{spellings, values};
use super::{Collector, Message};
use crate::probe::site::Field;

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

pub(super) fn body(of: &mut Collector<'_>) {
    let site = of.site;
    for field in &site.fields {
        match field {
            Field::Form(name) => form(of, name),
            Field::Json(name) => json(of, name),
        }
    }
}

/// Adds a request with a body that is declared so.
fn send(of: &mut Collector<'_>, rule: &str, fields: &[&str], body: String) {
    let line = format!("POST {} HTTP/1.1", of.site.body_target());
    let mut lines = vec!["Host: {authority}".to_owned()];
    lines.extend(fields.iter().map(|&field| field.to_owned()));
    let is_framed = |field: &&str| field.to_ascii_lowercase().starts_with("transfer-encoding");
    if !fields.iter().any(is_framed) {
        lines.push(format!("Content-Length: {}", body.len()));
    }
    of.push(rule, Message::Http1 { line, fields: lines, body }, None);
}

fn declared(of: &mut Collector<'_>, rule: &str, media: &str, body: String) {
    send(of, rule, &[&format!("Content-Type: {media}")], body);
}

fn form(of: &mut Collector<'_>, name: &str) {
    let (own, other) = (of.site.own_value(), of.site.other.resource());
    for spelt in spellings(name) {
        let rule = |shape: &str| format!("form `{spelt}` {shape}");
        declared(of, &rule("alone"), FORM, format!("{spelt}={other}"));
        declared(of, &rule("last"), FORM, format!("{name}={own}&{spelt}={other}"));
        declared(of, &rule("first"), FORM, format!("{spelt}={other}&{name}={own}"));
        declared(of, &rule("behind `;`"), FORM, format!("{name}={own};{spelt}={other}"));
    }
    for (rule, value) in values(of.site, name) {
        declared(of, &format!("form {name}: {rule}"), FORM, format!("{name}={value}"));
    }
    wrongly_declared(of, "form", FORM, &format!("{name}={other}"));
}

/// A JSON string, with these characters in it as they are.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn json(of: &mut Collector<'_>, name: &str) {
    let site = of.site;
    let (own, other) = (quoted(&site.own_value()), quoted(&site.other.resource()));
    let mut names: Vec<_> = spellings(name).iter().map(|name| quoted(name)).collect();
    let code = name.bytes().next().unwrap_or_default();
    let rest = name.get(1..).unwrap_or_default();
    names.push(format!("\"\\u{code:04x}{rest}\""));
    names.extend([format!("\"{name}\\u0000\""), format!("\"{name} \""), format!("'{name}'")]);
    for spelt in names {
        let rule = |shape: &str| format!("JSON {spelt} {shape}");
        declared(of, &rule("alone"), JSON, format!("{{{spelt}:{other}}}"));
        declared(of, &rule("last"), JSON, format!("{{\"{name}\":{own},{spelt}:{other}}}"));
        declared(of, &rule("first"), JSON, format!("{{{spelt}:{other},\"{name}\":{own}}}"));
    }
    for (rule, value) in values(site, name) {
        let rule = format!("JSON {name}: {rule}");
        let value = quoted(&value);
        declared(of, &rule, JSON, format!("{{\"{name}\":{value}}}"));
        declared(
            of,
            &format!("{rule}, in a list"),
            JSON,
            format!("{{\"{name}\":[{own},{value}]}}"),
        );
    }
    let mut escaped = String::new();
    for byte in site.other.resource().bytes() {
        let _ = write!(escaped, "\\u{byte:04x}");
    }
    for (rule, body) in [
        ("escaped", format!("{{\"{name}\":\"{escaped}\"}}")),
        ("an escaped slash", format!("{{\"{name}\":{}}}", other.replace('/', "\\/"))),
        ("in a list of lists", format!("{{\"{name}\":[[{other}]]}}")),
        ("in an object", format!("{{\"{name}\":{{\"a\":{other}}}}}")),
        ("a list of both", format!("{{\"{name}\":[{own},{other}]}}")),
        ("a list of objects", format!("{{\"{name}\":[{{\"a\":{other}}}]}}")),
        ("in a list of all", format!("[{{\"{name}\":{other}}}]")),
        ("a comma at the end", format!("{{\"{name}\":{other},}}")),
        ("a comment", format!("{{\"{name}\":{own}/*\"*/,\"{name}\":{other}/*\"*/}}")),
        ("a byte order mark", format!("\u{feff}{{\"{name}\":{other}}}")),
        ("two documents", format!("{{\"{name}\":{own}}}{{\"{name}\":{other}}}")),
        ("a raw line end", format!("{{\"{name}\":\"\n\",\"{name}\":{other}}}")),
        ("a bare name", format!("{{{name}:{other}}}")),
        ("half a pair", format!("{{\"x\":\"\\ud800\",\"{name}\":{other}}}")),
        ("not closed", format!("{{\"{name}\":{other}")),
    ] {
        declared(of, &format!("JSON {name}: {rule}"), JSON, body);
    }
    wrongly_declared(of, "JSON", JSON, &format!("{{\"{name}\":{other}}}"));
}

/// Bodies that a lenient server reads whatever they are called.
fn wrongly_declared(of: &mut Collector<'_>, kind: &str, media: &str, body: &str) {
    let body = || body.to_owned();
    send(of, &format!("{kind} without a type"), &[], body());
    for other in
        ["text/plain", "application/octet-stream", "text/json", "application/vnd.api+json", "", "x"]
    {
        declared(of, &format!("{kind} as `{other}`"), other, body());
    }
    for charset in ["utf-16", "utf-7", "utf-8; charset=utf-16"] {
        let media = format!("{media}; charset={charset}");
        declared(of, &format!("{kind} in {charset}"), &media, body());
    }
    let declared = format!("Content-Type: {media}");
    send(of, &format!("{kind} twice declared"), &[&declared, "Content-Type: text/plain"], body());
    for coding in ["gzip", "identity, gzip", "x"] {
        let coding = format!("Content-Encoding: {coding}");
        send(of, &format!("{kind} coded"), &[&declared, &coding], body());
    }
    let chunks = format!("{:x}\r\n{}\r\n0\r\n\r\n", body().len(), body());
    send(of, &format!("{kind} in chunks"), &[&declared, "Transfer-Encoding: chunked"], chunks);
}
