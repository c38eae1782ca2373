"""The server behind all peers: nginx, which answers from memory."""
import os

from . import place
from .process import Process, free_port

BODY = ('doorward-compare-' * 61)[:1024]
MODULES = '/usr/lib/nginx/modules'

CONFIGURATION = '''
load_module {modules}/ndk_http_module.so;
load_module {modules}/ngx_http_lua_module.so;
daemon off;
{user}
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log crit;
events {{ worker_connections 16384; }}
http {{
    access_log off;
    lua_package_path "/usr/share/lua/5.1/?.lua;;";
    default_type application/octet-stream;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    sendfile on;
    tcp_nopush on;
    open_file_cache max=8 inactive=1h;
    {temporary}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        root {folder};
        location / {{ return 200 "{body}"; }}
        location = /100k {{ try_files /100k =404; }}
        location = /sink {{
            client_max_body_size 0;
            client_body_buffer_size 2m;
            content_by_lua_block {{
                ngx.req.read_body()
                ngx.header["Content-Length"] = 3
                ngx.print("ok\\n")
            }}
        }}
    }}
}}
'''


def user():
    """Who reads its files. Debian's own user may not, where the clone is root's."""
    return 'user root;' if os.geteuid() == 0 else ''


def temporary(folder):
    """Where nginx keeps what does not fit its buffers."""
    kinds = ('client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi')
    return ' '.join(f'{kind}_temp_path {folder}/{kind};' for kind in kinds)


def start(processors):
    """The process and its port."""
    folder = place.RUN / 'upstream'
    folder.mkdir(parents=True, exist_ok=True)
    (folder / '100k').write_bytes(b'x' * 102_400)
    port = free_port()
    (folder / 'nginx.conf').write_text(CONFIGURATION.format(
        modules=MODULES, folder=folder, port=port, body=BODY, temporary=temporary(folder),
        user=user()))
    words = ['nginx', '-p', folder, '-c', folder / 'nginx.conf', '-e', folder / 'error.log']
    process = Process(words, processors, folder / 'output.log')
    try:
        process.wait_for(port)
    except BaseException:
        process.stop()
        raise
    return process, port
