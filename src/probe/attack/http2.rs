//! What only HTTP/2 can carry: pseudo-headers, and fields with any octets.

use super::head::fold;
use super::spelling::DOTS;
use super::{Collector, Message};

/// The pseudo-headers of a good request, to be bent.
struct Block(Vec<(String, String)>);

impl Block {
    fn new(method: &str, path: &str, scheme: &str) -> Self {
        let pairs = [
            (":method", method),
            (":scheme", scheme),
            (":authority", "{authority}"),
            (":path", path),
        ];
        Self(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
    }

    fn set(mut self, name: &str, value: &str) -> Self {
        for (known, old) in &mut self.0 {
            if known == name {
                value.clone_into(old);
            }
        }
        self
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    fn first(mut self, name: &str, value: &str) -> Self {
        self.0.insert(0, (name.to_owned(), value.to_owned()));
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.0.retain(|(known, _)| known != name);
        self
    }

    fn add(self, of: &mut Collector<'_>, rule: &str) {
        of.push(rule, Message::Http2(self.0), None);
    }
}

pub(super) fn http2(of: &mut Collector<'_>) {
    let site = of.site;
    let scheme = if site.is_secure { "https" } else { "http" };
    let (own, other) = (site.own_target(), site.other_target());
    let asking = |path: &str| Block::new(&site.method, path, scheme);
    let by = |dots: &str, slash: &str| {
        format!("{}{}{}", site.own_base(), site.up(dots, slash), site.other_below())
    };
    for dots in DOTS {
        asking(&by(dots, "/")).add(of, &format!("`{dots}` in :path"));
    }
    for slash in ["\\", "%2f", "%5c", "//", "\u{ff0f}"] {
        asking(&by("..", slash)).add(of, &format!("`{slash}` in :path"));
    }
    let (bare, method) = (other.trim_start_matches('/'), &site.method);
    let injected = format!(
        " HTTP/1.1\r\nHost: {{authority}}\r\n\r\n{method} {other} HTTP/1.1\r\n\
         Host: {{authority}}\r\nDoorward-Probe: {{marker}}\r\nX: y"
    );
    for (rule, path) in [
        ("the file", other.clone()),
        ("no slash in front", bare.to_owned()),
        ("a URL", format!("{scheme}://{{authority}}{other}")),
        ("an authority in front", format!("//{{authority}}{other}")),
        ("a fragment", format!("{other}#{own}")),
        ("behind a fragment", format!("{own}#/../..{other}")),
        ("a second request", format!("{own}{injected}")),
        ("a blank", format!("{own} {other}")),
        ("a tab", format!("{own}\t{other}")),
        ("NUL", format!("{other}\0{own}")),
        ("an asterisk", format!("*{other}")),
    ] {
        asking(&path).add(of, &format!(":path with {rule}"));
    }
    asking(&own).with(":path", &other).add(of, "two :path");
    asking(&own).first(":path", &other).add(of, "two :path, the good one last");
    asking(&own).without(":path").with("x-a", "b").with(":path", &other).add(of, "late :path");
    asking(&own).set(":method", &format!("{method} {other} HTTP/1.1\r\nX:")).add(of, ":method");
    asking(&other).set(":method", "CONNECT").add(of, "CONNECT");
    asking(&other).with(":protocol", "websocket").add(of, ":protocol");
    asking(&own).with(":bob", &other).add(of, "an unknown pseudo-header");
    asking(&own).set(":scheme", &format!("http://{{authority}}{other}?")).add(of, ":scheme");
    for authority in [
        "elsewhere.invalid",
        "",
        "{authority}@elsewhere.invalid",
        "{authority}, x",
        "{authority} x",
    ] {
        asking(&other).set(":authority", authority).add(of, &format!(":authority `{authority}`"));
    }
    asking(&own)
        .set(":authority", &format!("{{authority}}{other}?"))
        .add(of, ":authority with a path");
    asking(&other).with("host", "elsewhere.invalid").add(of, "another host");
    asking(&own)
        .with(":authority", "elsewhere.invalid")
        .with("host", "{authority}")
        .add(of, "two authorities");
    fields(of, &own, scheme);
}

/// Fields that HTTP/1.1 could not carry, or not so.
fn fields(of: &mut Collector<'_>, own: &str, scheme: &str) {
    let site = of.site;
    let (name, other) = (site.other.name.clone(), site.other_target());
    let mut forge = |rule: &str, field: &str, value: &str, folded: &str, forged: &str| {
        let block = Block::new(&site.method, own, scheme).with(field, value);
        of.push(rule, Message::Http2(block.0), Some((folded.to_owned(), forged.to_owned())));
    };
    for field in ["x-forwarded-user", "x_forwarded_user", "remote.user", "x-auth-request-user"] {
        forge("forged identity", field, &name, &fold(field), &name);
    }
    let user = "x-forwarded-user";
    forge("upper case", "X-Forwarded-User", &name, user, &name);
    forge("a line in a value", "x-a", &format!("b\r\nX-Forwarded-User: {name}"), user, &name);
    forge("a bare LF in a value", "x-a", &format!("b\nX-Forwarded-User: {name}"), user, &name);
    forge("a line in a name", &format!("X-Forwarded-User: {name}\r\nx-a"), "b", user, &name);
    forge("a colon in a name", "x-forwarded-user:", &name, user, &name);
    forge("a blank in a name", "x-forwarded-user ", &name, user, &name);
    forge("connection", "connection", "x-forwarded-user", user, &name);
    forge("x-original-url", "x-original-url", &other, "x-original-url", &other);
    for (field, value) in [("transfer-encoding", "chunked"), ("upgrade", "h2c"), ("te", "chunked")]
    {
        Block::new(&site.method, own, scheme).with(field, value).add(of, field);
    }
    for to in [other.clone(), format!("{scheme}://{{authority}}{other}")] {
        let block = Block::new("MOVE", own, scheme);
        block.with("destination", &to).add(of, "destination");
        let block = Block::new("MOVE", own, scheme).with("destination", &format!("{own}2"));
        block.with("destination", &to).add(of, "a second destination");
    }
    for parameter in &site.parameters {
        let path = own.split('?').next().unwrap_or_default();
        let value = site.other.resource();
        let query = format!("{path}?{parameter}={value}");
        Block::new(&site.method, &query, scheme).add(of, "a query");
        let query = format!("{path}?{parameter}={}&{parameter}={value}", site.own_value());
        Block::new(&site.method, &query, scheme).add(of, "a second value");
    }
}
