"""Caddy without plugins, which knows no JWT. It remembers right passwords by itself."""
from .. import keys, place

FRAME = '''
{{
    admin off
    auto_https off
    persist_config off
    log {{
        level ERROR
    }}
    servers {{
        timeouts {{
            idle 1h
        }}
        protocols h1 h2
    }}
}}

{scheme}://:{port} {{
    bind 127.0.0.1
    {tls}
    {rules}
    reverse_proxy 127.0.0.1:{upstream} {{
        transport http {{
            keepalive 1h
            keepalive_idle_conns_per_host 256
        }}
    }}
}}
'''

PASSWORD = '''
    basic_auth {{
        {user} {hash}
    }}
    @foreign `!{{http.request.uri.path}}.startsWith("/home/" + {{http.auth.user.id}} + "/")`
    handle @foreign {{
        respond 403
    }}
'''


def start_of(scenario, port, upstream, folder):
    tls = rules = ''
    if scenario.tls:
        tls = f'tls {place.KEYS}/tls.crt {place.KEYS}/tls.key {{\n        protocols tls1.3\n    }}'
    if scenario.auth == 'basic-bcrypt':
        rules = PASSWORD.format(user=keys.USER, hash=keys.read('basic-bcrypt.hash'))
    scheme = 'https' if scenario.tls else 'http'
    file = folder / 'Caddyfile'
    file.write_text(FRAME.format(scheme=scheme, port=port, tls=tls, rules=rules, upstream=upstream))
    words = [place.caddy(), 'run', '--config', file, '--adapter', 'caddyfile']
    # One worker: one processor for the runtime.
    env = {'GOMAXPROCS': '1', 'XDG_DATA_HOME': str(folder), 'XDG_CONFIG_HOME': str(folder)}
    return words, env
