"""How a benchmark of several proxies starts doorward: `doorward(sc, port, d, keys, up)`.

`sc` is the scenario (`tls`, `auth`, `h2`, `body`, `workers`), `port` the port to listen on, `d` a
folder for the configuration, `keys` a folder with `tls.crt`, `tls.key`, `hs256.secret`,
`ALG.pub.pem` and `basic-*.htpasswd`, `up` the upstream's port on loopback. Returns what to run, with
one worker unless `workers` says more, or None where doorward does not take part. `DOORWARD_BIN` names
the binary (default: what `benches/ship` built).
"""
import os

HERE = os.path.dirname(os.path.abspath(__file__))
ALGORITHMS = {'hs256': 'HS256', 'rs256': 'RS256', 'es256': 'ES256', 'eddsa': 'EdDSA'}


def issuer(auth, d, keys):
    """The issuer whose tokens carry `iss`, `aud`, `sub` and `home`."""
    if auth == 'hs256':
        source = f'secret = "@{keys}/hs256.secret"'
    else:
        source = f'keys = "{keys}/{auth}.pub.pem"'
    return f'''
[issuers.bench]
{source}
algorithms = ["{ALGORITHMS[auth]}"]
issuer = "https://idp.test"
audience = ["doorward"]
bound = false
'''


def directory(auth, keys):
    """Users of an htpasswd file, at home in `/home/NAME`."""
    return f'''
[directories.bench]
file = "{keys}/{auth}.htpasswd"
format = "htpasswd"
default_home = "/{{name}}"
'''


def doorward(sc, port, d, keys, up):
    auth = sc['auth']
    route, more = 'accept = ["anonymous"]', ''
    if auth in ALGORITHMS:
        # The home claim is the whole path, `/home/u00042`.
        route = 'accept = ["bearer"]\nhome = { in = ["path"], mode = "require", root = "/" }'
        more = issuer(auth, d, keys)
    elif auth.startswith('basic'):
        route = 'accept = ["basic"]\nhome = { in = ["path"], mode = "require", root = "/home" }'
        more = directory(auth, keys)
    elif auth != 'none':
        return None
    tls = f'''
[listeners.main.tls]
certificates = [{{ chain = "{keys}/tls.crt", key = "{keys}/tls.key" }}]
''' if sc['tls'] else ''
    # Not beside the configuration, whose folder is watched.
    os.makedirs(f'{d}/log', exist_ok=True)
    log = f'{d}/log/access.log'
    if os.path.exists(log):
        os.remove(log)
    with open(f'{d}/doorward.toml', 'w') as file:
        file.write(f'''
[server]
workers = {sc.get('workers', 1)}

[limits]
connections = 20000
connections_per_address = 0
keep_alive_timeout = "1h"

[listeners.main]
address = "127.0.0.1:{port}"
{tls}
[upstreams.bench]
url = "http://127.0.0.1:{up}"

[routes.bench]
upstream = "bench"
{route}
{more}
[log]
format = "json"
file = "{log}"

[admin]
address = "unix:{d}/admin.sock"
''')
    binary = os.environ.get('DOORWARD_BIN', f'{HERE}/../target/shipped/doorward')
    # doorward refuses variables of its own prefix that it does not know: these are the bench's.
    clean = ['env'] + [word for name in os.environ if name.startswith('DOORWARD_') for word in ('-u', name)]
    return dict(argv=[*clean, binary, 'serve', '--config', f'{d}/doorward.toml'], env={})
