//! The lint over every byte that an upstream receives: canonical HTTP/1.1 (RFC 9112), a path with
//! one reading, and no identity header but ours.
//!
//! Two conventions make it sharp: a value that a client forges contains `forged`, and no test
//! sends that word for anything else.

/// Header families by which upstreams learn who the user is. A name is compared after folding
/// `_` and `.` to `-` and letters to lower case, as CGI-like upstreams do.
const IDENTITY: &[&str] = &[
    "x-forwarded-user",
    "x-forwarded-groups",
    "x-forwarded-email",
    "x-forwarded-roles",
    "x-forwarded-home",
    "x-forwarded-preferred-username",
    "x-forwarded-access-token",
    "x-auth-request-",
    "x-auth-user",
    "x-authenticated-",
    "x-remote-",
    "remote-",
    "x-webauth-",
    "x-user",
    "x-authentik-",
    "x-credential-",
];

/// What the gateway itself may set, in exactly this spelling.
const OURS: &[&str] = &[
    "x-forwarded-user",
    "x-forwarded-groups",
    "x-forwarded-email",
    "x-forwarded-roles",
    "x-forwarded-home",
    "x-auth-request-user",
    "x-auth-request-groups",
    "x-auth-request-email",
    "x-auth-request-roles",
    "x-auth-request-home",
    "remote-user",
    "remote-groups",
    "remote-email",
    "remote-roles",
    "remote-home",
];

/// Headers that belong to one hop, or that let a client override what was decided.
const NEVER: &[&str] = &[
    "keep-alive",
    "proxy-connection",
    "proxy-authorization",
    "te",
    "trailer",
    "http2-settings",
    "x-original-url",
    "x-rewrite-url",
    "x-http-method-override",
    "x-http-method",
    "x-method-override",
];

/// Which readings of a path the upstream is known to have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Strictness {
    /// The path must be canonical for a POSIX file server.
    #[default]
    Canonical,
    /// The route says `paths = "raw"`: only the syntax is looked at.
    SyntaxOnly,
}

/// Everything that is wrong with one request head, each as a sentence.
pub(crate) fn head_violations(head: &[u8], strictness: Strictness) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(bad) = head.iter().find(|&&b| (b < 0x20 && !b"\r\n\t".contains(&b)) || b == 0x7f) {
        found.push(format!("control byte {bad:#04x} in the head"));
    }
    let text = String::from_utf8_lossy(head);
    let body = text.strip_suffix("\r\n\r\n").unwrap_or(&text);
    let lines = body.split("\r\n").collect::<Vec<_>>();
    if lines.iter().any(|line| line.contains(['\r', '\n'])) {
        found.push("bare CR or LF in the head".to_owned());
    }
    request_line(lines[0], strictness, &mut found);
    let headers = lines[1..].iter().filter_map(|line| header(line, &mut found)).collect::<Vec<_>>();
    framing(&headers, &mut found);
    names(&headers, &mut found);
    found
}

fn request_line(line: &str, strictness: Strictness, found: &mut Vec<String>) {
    let parts = line.split(' ').collect::<Vec<_>>();
    let [method, target, "HTTP/1.1"] = parts[..] else {
        return found.push(format!("request line {line:?}"));
    };
    if method.is_empty() || !method.bytes().all(is_token_byte) {
        found.push(format!("method {method:?}"));
    }
    let (path, query) = target.split_once('?').map_or((target, None), |(p, q)| (p, Some(q)));
    if !path.starts_with('/') {
        found.push(format!("target {target:?} is not in origin form"));
    }
    for (part, extra) in [(path, "/"), (query.unwrap_or(""), "/?[]")] {
        if let Err(why) = percent_syntax(part, extra) {
            found.push(format!("target {target:?}: {why}"));
        }
    }
    if strictness == Strictness::Canonical {
        path_readings(path, found);
    }
}

/// RFC 3986 characters, and escapes with upper-case digits that do not hide an unreserved one.
fn percent_syntax(part: &str, extra: &str) -> Result<(), String> {
    let bytes = part.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        if byte == b'%' {
            let digits = part.get(at + 1..at + 3).ok_or("cut escape")?;
            let value = u8::from_str_radix(digits, 16).map_err(|_| "bad escape")?;
            if digits.bytes().any(|b| b.is_ascii_lowercase()) {
                return Err(format!("lower-case escape %{digits}"));
            }
            if value.is_ascii_alphanumeric() || b"-._~".contains(&value) {
                return Err(format!("needless escape %{digits}"));
            }
            at += 3;
            continue;
        }
        let plain = byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte);
        if !plain && !extra.as_bytes().contains(&byte) {
            return Err(format!("byte {byte:#04x}"));
        }
        at += 1;
    }
    Ok(())
}

/// Segments under one, two and three decodings, with `\` as a separator and `;` as a cut.
fn path_readings(path: &str, found: &mut Vec<String>) {
    let mut reading = path.as_bytes().to_vec();
    for round in 0..3 {
        if reading.contains(&0) {
            found.push(format!("path {path:?} decodes to NUL in round {round}"));
        }
        if reading.split(|&b| b == b'/').count() != path.split('/').count() {
            found.push(format!("path {path:?} hides a separator in round {round}"));
        }
        let segments = reading.split(|&b| b == b'/' || b == b'\\').skip(1).collect::<Vec<_>>();
        for (index, segment) in segments.iter().enumerate() {
            let cut = segment.split(|&b| b == b';').next().unwrap_or(&[]);
            if cut == b"." || cut == b".." {
                found.push(format!("path {path:?} reads as a dot segment in round {round}"));
            }
            if segment.is_empty() && index + 1 < segments.len() {
                found.push(format!("path {path:?} has an empty segment in round {round}"));
            }
        }
        reading = percent_decode(&reading);
    }
}

/// Decodes once and leniently, as a careless upstream would.
pub(crate) fn percent_decode(raw: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(raw.len());
    let mut at = 0;
    while at < raw.len() {
        let escape = raw.get(at + 1..at + 3).and_then(|digits| std::str::from_utf8(digits).ok());
        let value = escape.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        if let Some(value) = value.filter(|_| raw[at] == b'%') {
            decoded.push(value);
            at += 3;
        } else {
            decoded.push(raw[at]);
            at += 1;
        }
    }
    decoded
}

fn header<'l>(line: &'l str, found: &mut Vec<String>) -> Option<(&'l str, &'l str)> {
    if line.starts_with([' ', '\t']) {
        found.push(format!("obs-fold {line:?}"));
        return None;
    }
    let Some((name, value)) = line.split_once(':') else {
        found.push(format!("line without a colon {line:?}"));
        return None;
    };
    if name.is_empty() || !name.bytes().all(is_token_byte) {
        found.push(format!("header name {name:?}"));
    }
    let Some(value) = value.strip_prefix(' ') else {
        found.push(format!("no space behind the colon in {line:?}"));
        return None;
    };
    if value.trim_matches([' ', '\t']) != value {
        found.push(format!("spaces around the value in {line:?}"));
    }
    Some((name, value))
}

fn framing(headers: &[(&str, &str)], found: &mut Vec<String>) {
    let all = |wanted: &str| -> Vec<&str> {
        headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case(wanted)).map(|(_, v)| *v).collect()
    };
    let hosts = all("host");
    if hosts.len() != 1 || hosts[0].is_empty() || hosts[0].contains([',', '@', ' ', '/', '#', '?'])
    {
        found.push(format!("Host {hosts:?}"));
    }
    let (lengths, codings) = (all("content-length"), all("transfer-encoding"));
    if lengths.len() + codings.len() > 1 {
        found.push(format!("framed twice: {lengths:?} and {codings:?}"));
    }
    if codings.iter().any(|coding| *coding != "chunked") {
        found.push(format!("Transfer-Encoding {codings:?}"));
    }
    if lengths.iter().any(|l| l.parse::<u64>().map_or(true, |length| length.to_string() != *l)) {
        found.push(format!("Content-Length {lengths:?}"));
    }
    let upgrades = all("upgrade");
    for option in all("connection").iter().flat_map(|value| value.split(',')).map(str::trim) {
        let known = ["close", "keep-alive"].iter().any(|k| option.eq_ignore_ascii_case(k));
        let upgrade = option.eq_ignore_ascii_case("upgrade") && !upgrades.is_empty();
        if !known && !upgrade {
            found.push(format!("Connection option {option:?}"));
        }
    }
    if upgrades.iter().any(|upgrade| !upgrade.eq_ignore_ascii_case("websocket")) {
        found.push(format!("Upgrade {upgrades:?}"));
    }
    if all("expect").iter().any(|expect| !expect.eq_ignore_ascii_case("100-continue")) {
        found.push(format!("Expect {:?}", all("expect")));
    }
}

fn names(headers: &[(&str, &str)], found: &mut Vec<String>) {
    for (index, (name, value)) in headers.iter().enumerate() {
        let lower = name.to_ascii_lowercase();
        let folded = lower.replace(['_', '.'], "-");
        if NEVER.contains(&folded.as_str()) {
            found.push(format!("header {name:?} must not be forwarded"));
        }
        if value.contains("forged") {
            found.push(format!("forged value in {name:?}: {value:?}"));
        }
        let identity = IDENTITY.iter().any(|family| folded.starts_with(family));
        if identity && !OURS.contains(&lower.as_str()) {
            found.push(format!("identity header {name:?} is not ours"));
        }
        if identity && headers[..index].iter().any(|(n, _)| n.eq_ignore_ascii_case(name)) {
            found.push(format!("identity header {name:?} is set twice"));
        }
    }
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(head: &str) -> Vec<String> {
        head_violations(head.as_bytes(), Strictness::Canonical)
    }

    #[test]
    fn a_canonical_head_is_clean() {
        let head = "PUT /files/alice/a%20b?x=1 HTTP/1.1\r\nHost: files.test:80\r\n\
                    Content-Length: 5\r\nX-Forwarded-User: alice\r\n\r\n";

        assert_eq!(verdict(head), Vec::<String>::new());
    }

    #[test]
    fn every_deviation_is_found() {
        let lines = [
            "GET /a#b HTTP/1.1\r\nHost: h",
            "GET /a/../b HTTP/1.1\r\nHost: h",
            "GET /a/%252e%252e/b HTTP/1.1\r\nHost: h",
            "GET /a%2Fb HTTP/1.1\r\nHost: h",
            "GET /a%5C..%5Cb HTTP/1.1\r\nHost: h",
            "GET /a/..;x/b HTTP/1.1\r\nHost: h",
            "GET /%41 HTTP/1.1\r\nHost: h",
            "GET //a HTTP/1.1\r\nHost: h",
            "GET http://h/a HTTP/1.1\r\nHost: h",
            "GET /a HTTP/1.0\r\nHost: h",
            "GET /a HTTP/1.1\r\nHost: h\r\nHost: h",
            "GET /a HTTP/1.1\r\nHost: h\n",
            "GET /a HTTP/1.1\r\nHost: h\r\nX : y",
            "GET /a HTTP/1.1\r\nHost: h\r\n folded",
            "GET /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1",
            "GET /a HTTP/1.1\r\nHost: h\r\nContent-Length: +1",
            "GET /a HTTP/1.1\r\nHost: h\r\nContent-Length: 01",
            "GET /a HTTP/1.1\r\nHost: h\r\nContent-Length: ",
            "GET /a HTTP/1.1\r\nHost: h\r\nX:y",
            "GET /a HTTP/1.1\r\nHost: h\r\nX:  y",
            "GET /a HTTP/1.1\r\nHost: h\r\nX: y ",
            "GET /a HTTP/1.1\r\nHost: h\r\nX: \0",
            "GET  /a HTTP/1.1\r\nHost: h",
            "G(T /a HTTP/1.1\r\nHost: h",
            "GET /a",
            "\r\nGET /a HTTP/1.1\r\nHost: h",
            "GET /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked",
            "GET /a HTTP/1.1\r\nHost: h\r\nX_Forwarded_User: alice",
            "GET /a HTTP/1.1\r\nHost: h\r\nX.Forwarded.User: alice",
            "GET /a HTTP/1.1\r\nHost: h\r\nX-Forwarded-User: a\r\nX-Forwarded-User: b",
            "GET /a HTTP/1.1\r\nHost: h\r\nX-Forwarded-Host: forged.test",
            "GET /a HTTP/1.1\r\nHost: h\r\nKeep-Alive: 5",
            "GET /a HTTP/1.1\r\nHost: h\r\nConnection: x-forwarded-user",
            "GET /a HTTP/1.1\r\nHost: h\r\nUpgrade: h2c",
        ];

        for line in lines {
            let head = format!("{line}\r\n\r\n");
            assert!(!verdict(&head).is_empty(), "not found: {head:?}");
        }
    }
}
