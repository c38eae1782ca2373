//! A table of broken configurations, and what is said about each.

use super::{BASE, load};

/// What follows [`BASE`], or stands alone where it begins with `=`, and the first line said.
const TABLE: &[(&str, &str)] = &[
    ("=", "main.toml:1:1: has no listener: add [listeners.main] with an `address`"),
    ("=[listeners.main", "main.toml:1:16: is not TOML: unclosed table, expected `]`"),
    (
        "=[listeners.main]\naddress = 127.0.0.1",
        "main.toml:2:16: is not TOML: invalid float, expected nothing; text, durations and sizes stand in quotes",
    ),
    ("=a = 1\na = 2", "main.toml:2:1: is not TOML: duplicate key"),
    (
        "=[secrets]\nx = 1",
        "main.toml:1:2: secrets: is unknown; write `admin`, `directories`, `endpoints`, `include`, `issuers`, `limits`, `listeners`, `log`, `passwords`, `roles`, `routes`, `server`, `sessions`, `store`, `throttle`, `tokens`, `totp` or `upstreams`",
    ),
    ("[listener.x]", "main.toml:9:2: listener: is unknown; did you mean `listeners`?"),
    (
        "[listeners.other]",
        "main.toml:9:12: listeners.other.address: is missing: must be a string in quotes",
    ),
    (
        "[listeners.other]\naddress = 8443",
        "main.toml:10:11: listeners.other.address: must be a string in quotes, not an integer",
    ),
    (
        r#"[listeners.other]
address = ":8443""#,
        r#"main.toml:10:11: listeners.other.address: `:8443` is no address with a port: write "0.0.0.0:8443""#,
    ),
    (
        r#"[listeners.other]
address = "localhost:8443""#,
        r#"main.toml:10:11: listeners.other.address: `localhost:8443` is no address with a port: write "127.0.0.1:8443""#,
    ),
    (
        r#"[listeners.other]
address = "8443""#,
        r#"main.toml:10:11: listeners.other.address: `8443` is no address with a port: write "0.0.0.0:8443""#,
    ),
    (
        r#"[listeners.other]
address = "::1""#,
        r#"main.toml:10:11: listeners.other.address: `::1` is no address with a port: write "[::1]:8443""#,
    ),
    (
        r#"[listeners.other]
address = "unix:/run/x.sock""#,
        r#"main.toml:10:11: listeners.other.address: `unix:/run/x.sock` is no address with a port: write "0.0.0.0:8443""#,
    ),
    (
        r#"[listeners.other]
address = "systemd:""#,
        r#"main.toml:10:11: listeners.other.address: names no socket: write the FileDescriptorName= of the socket unit, such as "systemd:doorward.socket""#,
    ),
    (
        r#"[listeners.other]
address = "127.0.0.1:99999""#,
        r#"main.toml:10:11: listeners.other.address: `127.0.0.1:99999` is no address with a port: write "0.0.0.0:8443""#,
    ),
    (
        r#"[listeners.a]
address = "127.0.0.1:8080"
[listeners.b]
address = "127.0.0.1:8080""#,
        "main.toml:12:11: listeners.b.address: `127.0.0.1:8080` is taken by `listeners.a.address` at main.toml:10:11: use another port",
    ),
    (
        r#"[listeners."a b"]
address = "127.0.0.1:0""#,
        r#"main.toml:9:12: listeners."a b": is no name: write up to 64 letters, digits, `-` and `_`, starting with a letter or digit"#,
    ),
    (
        r#"[listeners.other]
address = "127.0.0.1:0"
protocols = ["h2"]"#,
        "main.toml:11:13: listeners.other.protocols: HTTP/2 needs TLS: add `http/1.1`, or a `tls` table",
    ),
    (
        r#"[listeners.other]
address = "127.0.0.1:0"
protocols = ["http1.1"]"#,
        "main.toml:11:14: listeners.other.protocols[0]: `http1.1` is unknown; did you mean `http/1.1`?",
    ),
    (
        r#"[listeners.other]
address = "127.0.0.1:0"
protocols = ["http/1.1", "http/1.1"]"#,
        "main.toml:11:26: listeners.other.protocols[1]: `http/1.1` is named twice",
    ),
    (
        r#"[listeners.other]
address = "127.0.0.1:0"
protocols = []"#,
        r#"main.toml:11:13: listeners.other.protocols: is empty: write ["h2", "http/1.1"]"#,
    ),
    (
        r#"[listeners.other]
address = "127.0.0.1:0"
[listeners.other.tls]"#,
        "main.toml:11:18: listeners.other.tls.certificates: is missing: must be a list of tables in brackets",
    ),
    (
        r#"[listeners.other]
address = "127.0.0.1:0"
[listeners.other.tls]
certificates = []"#,
        r#"main.toml:12:16: listeners.other.tls.certificates: is empty: write [{ chain = "cert.pem", key = "key.pem" }]"#,
    ),
    (
        r#"[listeners.other]
address = "127.0.0.1:0"
[listeners.other.tls]
certificates = [{ chain = "c.pem" }]"#,
        "main.toml:12:17: listeners.other.tls.certificates[0].key: is missing: must be a string in quotes",
    ),
    (
        r#"[listeners.other]
address = "127.0.0.1:0"
[listeners.other.tls]
certificates = [{ chain = "", key = "k" }]"#,
        "main.toml:12:27: listeners.other.tls.certificates[0].chain: is empty: write the name of a file",
    ),
    (
        r#"[listeners.other]
address = "127.0.0.1:0"
[listeners.other.tls]
certificates = "c.pem""#,
        "main.toml:12:16: listeners.other.tls.certificates: must be a list of tables in brackets, not a string",
    ),
    (
        r#"[listeners.other]
address = "127.0.0.1:0"
[listeners.other.tls]
certificates = [{ chain = "c", key = "k" }]
minimum = "1.1""#,
        "main.toml:13:11: listeners.other.tls.minimum: `1.1` is unknown; did you mean `1.2`?",
    ),
    (
        r#"[limits]
header_timout = "10s""#,
        "main.toml:10:1: limits.header_timout: is unknown; did you mean `header_timeout`?",
    ),
    (
        "[limits]\nheader_timeout = 10",
        r#"main.toml:10:18: limits.header_timeout: must be a duration in quotes such as "30s", not an integer"#,
    ),
    (
        r#"[limits]
header_timeout = "10""#,
        r#"main.toml:10:18: limits.header_timeout: `10` has no unit: write "10s" for seconds"#,
    ),
    (
        r#"[limits]
header_timeout = "0s""#,
        r#"main.toml:10:18: limits.header_timeout: must be between "1s" and "1h""#,
    ),
    (
        r#"[limits]
header_timeout = "2h""#,
        r#"main.toml:10:18: limits.header_timeout: must be between "1s" and "1h""#,
    ),
    (
        r#"[limits]
request_line = "8192""#,
        r#"main.toml:10:16: limits.request_line: `8192` has no unit: write "8192B" for bytes"#,
    ),
    (
        r#"[limits]
request_line = "8KiBs""#,
        r#"main.toml:10:16: limits.request_line: `8KiBs` is no size: write one such as "512B", "64KiB", "10MB""#,
    ),
    (
        r#"[limits]
request_line = "2MiB""#,
        r#"main.toml:10:16: limits.request_line: must be between "256B" and "1MiB""#,
    ),
    (
        "[limits]\nconnections = 0",
        "main.toml:10:15: limits.connections: must be between 1 and 10000000",
    ),
    (
        "[limits]\nconnections = -1",
        "main.toml:10:15: limits.connections: must be between 1 and 10000000",
    ),
    (
        "[limits]\nconnections = 1.5",
        "main.toml:10:15: limits.connections: must be a whole number, not a number with a fraction",
    ),
    (
        "[limits]\nconnections = 99999999999999999999",
        "main.toml:10:15: limits.connections: must be between 1 and 10000000",
    ),
    (
        r#"[limits]
h2_resets = "200""#,
        "main.toml:10:13: limits.h2_resets: must be a whole number, not a string",
    ),
    ("[server]\nworkers = 100000", "main.toml:10:11: server.workers: must be between 0 and 1024"),
    (
        r#"[server]
grace = "tomorrow""#,
        r#"main.toml:10:9: server.grace: `tomorrow` is no duration: write one such as "500ms", "30s", "5m""#,
    ),
    (
        "[server]\ngrace = 1979-05-27",
        r#"main.toml:10:9: server.grace: must be a duration in quotes such as "30s", not a date"#,
    ),
    (
        r#"[server]
trusted_proxies = ["10.0.0.0/33"]"#,
        r#"main.toml:10:20: server.trusted_proxies[0]: `10.0.0.0/33` is no network: write one such as "10.0.0.0/8" or "fd00::/8""#,
    ),
    (
        r#"[server]
trusted_proxies = "10.0.0.0/8""#,
        "main.toml:10:19: server.trusted_proxies: must be a list of strings in brackets, not a string",
    ),
    (
        r#"[server]
realm = "a \"b\"""#,
        r#"main.toml:10:9: server.realm: must be 1 to 128 ASCII characters without `"` and `\`"#,
    ),
    ("[upstreams.b]", "main.toml:9:12: upstreams.b.url: is missing: must be a string in quotes"),
    (
        r#"[upstreams.b]
url = "127.0.0.1:9000""#,
        r#"main.toml:10:7: upstreams.b.url: `127.0.0.1:9000` is no URL: write one such as "http://127.0.0.1:9000""#,
    ),
    (
        r#"[upstreams.b]
url = "https://127.0.0.1:9000""#,
        r#"main.toml:10:7: upstreams.b.url: `https` is not spoken to upstreams: write one such as "http://127.0.0.1:9000""#,
    ),
    (
        r#"[upstreams.b]
url = "http://127.0.0.1:9000/api""#,
        r#"main.toml:10:7: upstreams.b.url: takes no path, query or fragment, requests keep their own: write one such as "http://127.0.0.1:9000""#,
    ),
    (
        r#"[upstreams.b]
url = "http://u:p@127.0.0.1:9000""#,
        r#"main.toml:10:7: upstreams.b.url: takes no user name and password: write one such as "http://127.0.0.1:9000""#,
    ),
    (
        r#"[upstreams.b]
url = "http://a b""#,
        r#"main.toml:10:7: upstreams.b.url: `http://a b` has a host that is neither a name nor an address: write one such as "http://127.0.0.1:9000""#,
    ),
    (
        r#"[upstreams.b]
url = "http://h:0""#,
        r#"main.toml:10:7: upstreams.b.url: `http://h:0` has a port that is not a number from 1 to 65535: write one such as "http://127.0.0.1:9000""#,
    ),
    (
        r#"[upstreams.b]
url = "http://h"
pool_size = 0"#,
        "main.toml:11:13: upstreams.b.pool_size: must be between 1 and 65536",
    ),
    (
        r#"[upstreams.b]
url = "http://h"
connect_timeout = "0s""#,
        r#"main.toml:11:19: upstreams.b.connect_timeout: must be between "10ms" and "1day""#,
    ),
    ("[routes.b]", "main.toml:9:9: routes.b.upstream: is missing: must be a string in quotes"),
    (
        r#"[routes.b]
upstream = "fils""#,
        "main.toml:10:12: routes.b.upstream: `fils` is unknown; did you mean `files`?",
    ),
    (
        r#"[routes.b]
upstream = "files""#,
        "main.toml:9:9: routes.b: wants the same requests as `routes.files` at main.toml:5:9: give it another host, path, listener or other methods",
    ),
    (
        r#"[routes.b]
upstream = "files"
hosts = ["b.example.org", "common.example.org"]
[routes.c]
upstream = "files"
hosts = ["c.example.org"]
[routes.d]
upstream = "files"
hosts = ["d.example.org", "c.example.org", "common.example.org"]"#,
        "main.toml:15:9: routes.d: wants the same requests as `routes.b` at main.toml:9:9: give it another host, path, listener or other methods",
    ),
    (
        r#"[routes.b]
upstream = "files"
path = "files""#,
        r#"main.toml:11:8: routes.b.path: `files` does not start with a slash: write one such as "/files""#,
    ),
    (
        r#"[routes.b]
upstream = "files"
path = "/a/../b""#,
        r#"main.toml:11:8: routes.b.path: `/a/../b` has a dot segment: write one such as "/files""#,
    ),
    (
        r#"[routes.b]
upstream = "files"
path = "/a?b""#,
        r#"main.toml:11:8: routes.b.path: `/a?b` has a query where only a path may stand: write one such as "/files""#,
    ),
    (
        r#"[routes.b]
upstream = "files"
path = "/a:b"
paths = "windows""#,
        r#"main.toml:11:8: routes.b.path: `/a:b` has a colon, which names a stream or a drive: write one such as "/files""#,
    ),
    (
        r#"[routes.b]
upstream = "files"
path = "/b"
paths = "dos""#,
        "main.toml:12:9: routes.b.paths: `dos` is unknown; write `posix`, `windows`, `tomcat` or `raw`",
    ),
    (
        r#"[routes.b]
upstream = "files"
hosts = ["a_b..org"]"#,
        r#"main.toml:11:10: routes.b.hosts[0]: `a_b..org` has a host that is neither a name nor an address: write "files.example.org" or "*.example.org""#,
    ),
    (
        r#"[routes.b]
upstream = "files"
hosts = ["a.*.org"]"#,
        r#"main.toml:11:10: routes.b.hosts[0]: `a.*.org` has a host that is neither a name nor an address: write "files.example.org" or "*.example.org""#,
    ),
    (
        r#"[routes.b]
upstream = "files"
hosts = []"#,
        "main.toml:11:9: routes.b.hosts: is empty: name a host, or leave the key out for any host",
    ),
    (
        r#"[routes.b]
upstream = "files"
hosts = ["a.org", "A.org"]"#,
        "main.toml:11:19: routes.b.hosts[1]: `A.org` is named twice",
    ),
    (
        r#"[routes.b]
upstream = "files"
path = "/b"
methods = ["get"]"#,
        r#"main.toml:12:12: routes.b.methods[0]: `get` is no method: write "GET""#,
    ),
    (
        r#"[routes.b]
upstream = "files"
path = "/b"
methods = ["TRACE"]"#,
        "main.toml:12:12: routes.b.methods[0]: `TRACE` is never let through",
    ),
    (
        r#"[routes.b]
upstream = "files"
path = "/b"
methods = ["GET", "GET"]"#,
        "main.toml:12:19: routes.b.methods[1]: `GET` is named twice",
    ),
    (
        r#"[routes.b]
upstream = "files"
path = "/b"
methods = []"#,
        "main.toml:12:11: routes.b.methods: is empty: name a method, or leave the key out",
    ),
    (
        r#"[routes.b]
upstream = "files"
path = "/b"
methods = ["A B"]"#,
        r#"main.toml:12:12: routes.b.methods[0]: `A B` is no method: write one such as "GET""#,
    ),
    (
        r#"[routes.b]
upstream = "files"
path = "/b"
listeners = ["min"]"#,
        "main.toml:12:14: routes.b.listeners[0]: `min` is unknown; did you mean `main`?",
    ),
    (
        r#"[routes.b]
upstream = "files"
path = "/b"
listeners = []"#,
        "main.toml:12:13: routes.b.listeners: is empty: name a listener, or leave the key out for all",
    ),
    (
        r#"[routes.b]
upstream = "files"
path = "/b"
accept = ["bearer"]"#,
        "main.toml:12:11: routes.b.accept[0]: nobody can verify it: add [issuers.NAME]",
    ),
    (
        r#"[routes.b]
upstream = "files"
path = "/b"
accept = ["berer"]"#,
        "main.toml:12:11: routes.b.accept[0]: `berer` is unknown; did you mean `bearer`?",
    ),
    (
        r#"[routes.b]
upstream = "files"
path = "/b"
accept = ["basic", "basic"]"#,
        "main.toml:12:20: routes.b.accept[1]: is named twice",
    ),
    (
        r#"[routes.b]
upstream = "files"
path = "/b"
accept = []"#,
        "main.toml:12:10: routes.b.accept: is empty: name a kind of credential, or leave the key out",
    ),
    (
        r#"[routes.b]
upstream = "files"
path = "/b"
home = { in = ["body"] }"#,
        r#"main.toml:12:16: routes.b.home.in[0]: `body` names no resource: write "path", "query:NAME", "form:NAME", "json:NAME", "header:destination" or "header:if""#,
    ),
    (
        r#"[routes.b]
upstream = "files"
path = "/b"
home = { in = [] }"#,
        r#"main.toml:12:15: routes.b.home.in: is empty: write ["path"]"#,
    ),
    (
        r#"[routes.b]
upstream = "files"
path = "/b"
home = { mode = "jail" }"#,
        "main.toml:12:17: routes.b.home.mode: `jail` is unknown; write `require` or `rewrite`",
    ),
    (
        r#"[routes.b]
upstream = "files"
path = "/b"
home = { root = "/c" }"#,
        r#"main.toml:12:17: routes.b.home.root: `/c` and the route's path `/b` have nothing in common, so that nothing could pass: write "/b""#,
    ),
    (
        r#"[routes.b]
upstream = "files"
path = "/b"
home = { in = ["query:a"], relative = ["query:b"] }"#,
        r#"main.toml:12:39: routes.b.home.relative: goes on from the path, which `in` does not name: add "path" there"#,
    ),
    (
        r#"[routes.b]
upstream = "files"
path = "/b"
home = { relative = ["path"] }"#,
        r#"main.toml:12:22: routes.b.home.relative[0]: `path` goes on from nothing: write "query:NAME", "form:NAME" or "json:NAME""#,
    ),
    (
        r#"[routes.b]
upstream = "files"
path = "/b"
home = { in = ["path", "query:a"], relative = ["query:a"] }"#,
        "main.toml:12:48: routes.b.home.relative[0]: `query:a` is named in `in` as well: it is either or",
    ),
    (
        r#"[routes.b]
upstream = "files"
path = "/b"
home = { in = ["json:a"], inspect_limit = "2MiB" }"#,
        r#"main.toml:12:43: routes.b.home.inspect_limit: must be between "1KiB" and "1MiB""#,
    ),
    (
        r#"[routes.b]
upstream = "files"
path = "/b"
home = { rot = "/b" }"#,
        "main.toml:12:10: routes.b.home.rot: is unknown; did you mean `root`?",
    ),
    (
        r#"[routes.b]
upstream = "files"
path = "/b"
home = "require""#,
        "main.toml:12:8: routes.b.home: must be a table, not a string",
    ),
    (
        r#"[routes.b]
upstream = "files"
path = "/b"
methods = ["GET", "PUT"]
permissions = { GET = "read" }"#,
        r#"main.toml:13:1: routes.b.permissions: says nothing of `PUT`: name them, or add `"*"`, with [] if anybody may"#,
    ),
    (
        r#"[routes.b]
upstream = "files"
path = "/b"
methods = ["GET"]
permissions = { PUT = "write", "*" = [] }"#,
        "main.toml:13:23: routes.b.permissions.PUT: is not among the methods of the route: `GET` or `*`",
    ),
    (
        r#"[routes.b]
upstream = "files"
path = "/b"
permissions = { "*" = "files:*" }"#,
        r#"main.toml:12:23: routes.b.permissions."*": `files:*`: a permission that is demanded can't hold `*`"#,
    ),
    (
        r#"[routes.b]
upstream = "files"
path = "/b"
permissions = { "*" = ["a b"] }"#,
        r#"main.toml:12:24: routes.b.permissions."*"[0]: `a b`: a permission holds only letters, digits, `_`, `.`, `-`, `/` and `:`"#,
    ),
    (
        r#"[routes.b]
upstream = "files"
path = "/b"
permissions = { "*" = 7 }"#,
        r#"main.toml:12:23: routes.b.permissions."*": must be a string in quotes or a list of strings in brackets, not an integer"#,
    ),
    (
        r#"[routes.b]
upstream = "files"
path = "/b"
permissions = "read""#,
        "main.toml:12:15: routes.b.permissions: must be a table, not a string",
    ),
    (
        r#"[routes.b]
upstream = "files"
path = "/b"
roles = []"#,
        "main.toml:12:9: routes.b.roles: is empty, so that nobody has one of them: name one, or leave it out",
    ),
    (
        r#"[routes.b]
upstream = "files"
path = "/b"
credential = "keep""#,
        "main.toml:12:14: routes.b.credential: `keep` is unknown; write `remove` or `forward`",
    ),
    (
        r#"[routes.b]
upstream = "files"
path = "/b"
identity_headers = "forwarded""#,
        "main.toml:12:20: routes.b.identity_headers: `forwarded` is unknown; did you mean `x-forwarded`?",
    ),
    (
        r#"[routes.b]
upstream = "files"
path = "/b"
websocket = "yes""#,
        "main.toml:12:13: routes.b.websocket: must be `true` or `false`, not a string",
    ),
    (
        r#"[routes.b]
upstream = "files"
path = "/b"
body_limit = "10M""#,
        r#"main.toml:12:14: routes.b.body_limit: `10M` is no size: write one such as "512B", "64KiB", "10MB""#,
    ),
    (
        r#"[routes.b]
upstream = "files"
path = "/b"
host = "keep""#,
        "main.toml:12:8: routes.b.host: `keep` is unknown; write `preserve` or `upstream`",
    ),
    (
        "[issuers.a]",
        "main.toml:9:10: issuers.a.audience: is missing: must be a string in quotes or a list of strings in brackets\nmain.toml:9:10: issuers.a.issuer: is missing: must be a string in quotes",
    ),
    (
        r#"[issuers.a]
issuer = "i"
audience = "a""#,
        "main.toml:9:10: issuers.a: has no keys: add `keys` (a folder or file) or `secret` (for HS256, HS384, HS512)",
    ),
    (
        r#"[issuers.a]
issuer = "i"
audience = "a"
keys = "k"
secret = "s""#,
        "main.toml:13:10: issuers.a.secret: stands beside `keys`: remove one of them",
    ),
    (
        r#"[issuers.a]
issuer = "i"
audience = "a"
secret = "0123456789abcdef0123456789abcdef""#,
        r#"main.toml:9:10: issuers.a.algorithms: must name exactly one algorithm beside `secret`: write ["HS256"]"#,
    ),
    (
        r#"[issuers.a]
issuer = "i"
audience = "a"
algorithms = ["HS256"]
secret = "short-and-not-repeated""#,
        "main.toml:13:10: issuers.a.secret: is 22 bytes long; HS256 needs at least 32 (RFC 7518 §3.2)",
    ),
    (
        r#"[issuers.a]
issuer = "i"
audience = "a"
algorithms = ["RS256"]
secret = "0123456789abcdef0123456789abcdef""#,
        r#"main.toml:12:14: issuers.a.algorithms: `RS256` takes no secret: write ["HS256"], or use `keys`"#,
    ),
    (
        r#"[issuers.a]
issuer = "i"
audience = "a"
algorithms = ["HS256"]
secret = "hex:not-repeated""#,
        "main.toml:13:10: issuers.a.secret: is not valid hexadecimal after `hex:`",
    ),
    (
        r#"[issuers.a]
issuer = "i"
audience = "a"
algorithms = ["HS256"]
secret = "env:NOT_THERE""#,
        "main.toml:13:10: issuers.a.secret: environment variable `NOT_THERE` is not set",
    ),
    (
        r#"[issuers.a]
issuer = "i"
audience = "a"
algorithms = ["HS256"]
secret = 12345"#,
        "main.toml:13:10: issuers.a.secret: must be a string in quotes, not an integer",
    ),
    (
        r#"[issuers.a]
issuer = "i"
audience = "a"
keys = "k"
algorithms = ["none"]"#,
        "main.toml:13:15: issuers.a.algorithms[0]: `none` is unknown; write `HS256`, `HS384`, `HS512`, `RS256`, `RS384`, `RS512`, `PS256`, `PS384`, `PS512`, `ES256`, `ES384` or `EdDSA`",
    ),
    (
        r#"[issuers.a]
issuer = "i"
audience = "a"
keys = "k"
algorithms = ["HS256", "RS256"]"#,
        "main.toml:13:14: issuers.a.algorithms: mixes secrets and public keys (RFC 8725 §3.1): write an issuer for each",
    ),
    (
        r#"[issuers.a]
issuer = "i"
audience = "a"
keys = "k"
algorithms = []"#,
        "main.toml:13:14: issuers.a.algorithms: is empty: name an algorithm, or leave the key out",
    ),
    (
        r#"[issuers.a]
issuer = ""
audience = []
keys = "k""#,
        "main.toml:10:10: issuers.a.issuer: is empty: write the `iss` of its tokens\nmain.toml:11:12: issuers.a.audience: is empty: write the `aud` that its tokens carry for you",
    ),
    (
        r#"[issuers.a]
issuer = "i"
audience = "a"
keys = "k"
leeway = "2m""#,
        r#"main.toml:13:10: issuers.a.leeway: must be between "0s" and "1m""#,
    ),
    (
        r#"[issuers.a]
issuer = "i"
audience = "a"
keys = "k"
max_lifetime = "1h"
lifetime = "2h""#,
        "main.toml:14:12: issuers.a.lifetime: is longer than `max_lifetime`: such tokens would be refused",
    ),
    (
        r#"[issuers.a]
issuer = "i"
audience = "a"
keys = "k"
[issuers.a.claims]
roles = "a..b""#,
        r#"main.toml:14:9: issuers.a.claims.roles: a claim path has an empty name: write one such as "realm_access.roles""#,
    ),
    (
        r#"[issuers.a]
issuer = "i"
audience = "a"
keys = "k"
[issuers.b]
issuer = "i"
audience = "b"
keys = "l""#,
        "main.toml:14:10: issuers.b.issuer: is that of `issuers.a.issuer` at main.toml:10:10 as well: put both keys into one issuer",
    ),
    (
        r#"=[listeners.m]
address = "127.0.0.1:0"
[issuers.a]
issuer = "i"
audience = "a"
keys = "k"
bound = true"#,
        "main.toml:7:9: issuers.a.bound: needs a directory to look its users up in: add [directories.NAME], or write `bound = false`",
    ),
    (
        r#"=[listeners.m]
address = "127.0.0.1:0"
[upstreams.u]
url = "http://h"
[routes.r]
upstream = "u""#,
        r#"main.toml:5:9: routes.r: accepts nothing, since there is neither an issuer nor a directory: add [issuers.NAME] or [directories.NAME], or write `accept = ["anonymous"]`"#,
    ),
    (
        "[directories.b]",
        "main.toml:9:14: directories.b.file: is missing: must be a string in quotes",
    ),
    (
        r#"[directories.b]
file = "htpasswd""#,
        r#"main.toml:10:8: directories.b.file: `htpasswd` does not say by its extension how it is written: add `format = "htpasswd"`, or name it .yaml, .json or .toml"#,
    ),
    (
        r#"[directories.b]
file = "u.yaml"
format = "xml""#,
        "main.toml:11:10: directories.b.format: `xml` is unknown; write `yaml`, `json`, `toml` or `htpasswd`",
    ),
    (
        r#"[directories.b]
file = "u.yaml"
default_home = "{name}""#,
        r#"main.toml:11:16: directories.b.default_home: does not start with a slash: write one such as "/{name}""#,
    ),
    (
        r#"[directories.b]
file = "u.yaml"
default_home = "/{user}""#,
        r#"main.toml:11:16: directories.b.default_home: knows only `{name}` in braces: write "/{name}""#,
    ),
    (
        r#"[roles]
reader = "files:read""#,
        "main.toml:10:10: roles.reader: must be a list of strings in brackets, not a string",
    ),
    (
        r#"[roles]
reader = ["files:**"]"#,
        "main.toml:10:11: roles.reader[0]: `files:**`: a `*` stands only at the end of a segment",
    ),
    (
        "[roles]\nreader = [7]",
        "main.toml:10:11: roles.reader[0]: must be a string in quotes, not an integer",
    ),
    (
        "[passwords]\nqueue = 4\nqueue_per_address = 8",
        "main.toml:11:21: passwords.queue_per_address: must not be more than `queue`, which is 4",
    ),
    (
        r#"[passwords]
memory = "1KiB""#,
        r#"main.toml:10:10: passwords.memory: must be between "8MiB" and "64GiB""#,
    ),
    (
        r#"[tokens]
memory = "1PB""#,
        r#"main.toml:10:10: tokens.memory: `1PB` is no size: write one such as "512B", "64KiB", "10MB""#,
    ),
    (
        r#"[log]
level = "warning""#,
        "main.toml:10:9: log.level: `warning` is unknown; did you mean `warn`?",
    ),
    (
        r#"[log]
file = """#,
        r#"main.toml:10:8: log.file: is empty: write "-" or a file's name"#,
    ),
    (
        r#"[admin]
address = "9180""#,
        r#"main.toml:10:11: admin.address: `9180` is no address with a port: write "127.0.0.1:9180", "unix:/run/doorward/admin.sock" or "off""#,
    ),
    (
        r#"[admin]
address = "unix:""#,
        r#"main.toml:10:11: admin.address: names no socket: write "unix:/run/doorward/admin.sock""#,
    ),
    (
        r#"[listeners.b]
address = "127.0.0.1:9180""#,
        "main.toml:1:1: admin.address: `127.0.0.1:9180` is taken by `listeners.b`: use another port",
    ),
];

#[test]
fn what_is_broken_is_refused_with_its_place_and_a_way_out() {
    let mut wrong = Vec::new();
    for (text, expected) in TABLE {
        let whole = match text.strip_prefix('=') {
            Some(alone) => alone.to_owned(),
            None => format!("{BASE}{text}"),
        };
        let said = match load(&whole) {
            Ok(_) => "nothing".to_owned(),
            Err(errors) => errors,
        };
        if said != *expected {
            wrong.push(format!("{text}\n  expected: {expected}\n  said:     {said}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n\n"));
}
