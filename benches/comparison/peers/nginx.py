"""nginx. What it lacks for JWT does LuaJIT with OpenSSL's libcrypto (jwt.lua), verifying each time,
or (`nginx-cache`) remembering what verified, in a cache of Lua's."""
from pathlib import Path

from .. import keys, place
from ..upstream import MODULES, temporary, user

REMEMBERED = 20_000

FRAME = '''
{modules}
daemon off;
{user}
worker_processes {workers};
pid {folder}/pid;
error_log {folder}/error.log error;
events {{ worker_connections 16384; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    {temporary}
    {setup}
    upstream out {{
        server 127.0.0.1:{upstream};
        keepalive 256;
        keepalive_requests 1000000000;
        keepalive_timeout 1h;
    }}
    server {{
        listen 127.0.0.1:{port}{listen} backlog=4096;
        {tls}
        client_max_body_size 0;
        location / {{
            {rules}
            proxy_pass http://out;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $host;
            proxy_set_header X-Real-IP $remote_addr;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_request_buffering off;
            proxy_max_temp_file_size 0;
        }}
    }}
}}
'''

TLS = '''
        ssl_certificate {keys}/tls.crt;
        ssl_certificate_key {keys}/tls.key;
        ssl_protocols TLSv1.3;
        ssl_session_cache shared:tls:20m;
'''

LUA = '''
    lua_package_path "{here}/?.lua;/usr/share/lua/5.1/?.lua;;";
    lua_package_cpath "/usr/lib/x86_64-linux-gnu/lua/5.1/?.so;;";
    init_by_lua_block {{
        require("jwt").setup {{
            algorithm = "{algorithm}", key = "{key}", issuer = "{issuer}",
            audience = "{audience}", remembered = {remembered},
        }}
    }}
'''

PASSWORD = '''
            auth_basic "compare";
            auth_basic_user_file {keys}/basic-bcrypt.htpasswd;
            if ($is_foreign) {{ return 403; }}
            proxy_set_header X-Forwarded-User $remote_user;
            proxy_set_header Authorization "";
'''

# Evaluated when asked for: `if` runs before the password is verified, and then nobody is told more
# than that the path is not that user's.
HOME = '''
    map "$remote_user:$uri" $is_foreign {
        default 1;
        "~^([^:/]+):/home/\\1/" 0;
        "~^:" 0;
    }
'''


def start_of(scenario, port, upstream, folder, remembered=0, workers=1):
    modules = setup = rules = ''
    if scenario.has_token:
        modules = ''.join(f'load_module {MODULES}/{module}.so;\n'
                          for module in ('ndk_http_module', 'ngx_http_lua_module'))
        name = 'hs256.secret' if scenario.auth == 'hs256' else f'{scenario.auth}.pub.pem'
        setup = LUA.format(
            here=Path(__file__).parent, algorithm=keys.ALGORITHMS[scenario.auth],
            key=place.KEYS / name, issuer=keys.ISSUER, audience=keys.AUDIENCE,
            remembered=remembered)
        rules = 'access_by_lua_block { require("jwt").admit() }'
    elif scenario.auth == 'basic-bcrypt':
        setup, rules = HOME, PASSWORD.format(keys=place.KEYS)
    listen = (' ssl' if scenario.tls else '') + (' http2' if scenario.http2 else '')
    (folder / 'nginx.conf').write_text(FRAME.format(
        modules=modules, folder=folder, temporary=temporary(folder), setup=setup,
        upstream=upstream, port=port, listen=listen, rules=rules, user=user(), workers=workers,
        tls=TLS.format(keys=place.KEYS) if scenario.tls else ''))
    return ['nginx', '-p', folder, '-c', folder / 'nginx.conf', '-e', folder / 'error.log'], {}


def remembering(scenario, port, upstream, folder):
    return start_of(scenario, port, upstream, folder, REMEMBERED)


def two_workers(scenario, port, upstream, folder):
    return start_of(scenario, port, upstream, folder, workers=2)
