"""HAProxy, by its configuration manual: JWT as in the section on `jwt_verify`, passwords in a
userlist, connections to the server shared by all clients."""
from .. import keys, place

FRAME = '''
global
    nbthread {workers}
    maxconn 9900
    tune.ssl.cachesize 20000

defaults
    mode http
    option forwardfor
    http-reuse always
    timeout connect 5s
    timeout client 1h
    timeout server 1h
{users}
frontend in
    bind 127.0.0.1:{port} backlog 4096{tls}
    http-request set-header X-Forwarded-Proto {scheme}
{rules}
    default_backend out

backend out
    server upstream 127.0.0.1:{upstream}
'''

TOKEN = '''
    http-request set-var(txn.token) http_auth_bearer
    http-request set-var(txn.now) date
    http-request set-var(txn.exp) var(txn.token),jwt_payload_query('$.exp','int')
    http-request set-var(txn.sub) var(txn.token),jwt_payload_query('$.sub')
    acl right_algorithm var(txn.token),jwt_header_query('$.alg') -m str {algorithm}
    acl right_signature var(txn.token),jwt_verify({algorithm},"{key}") -m int 1
    acl right_issuer var(txn.token),jwt_payload_query('$.iss') -m str {issuer}
    acl right_audience var(txn.token),jwt_payload_query('$.aud') -m str {audience}
    acl in_time var(txn.exp),sub(txn.now) -m int gt 0
    http-request deny deny_status 401 unless right_algorithm right_signature
    http-request deny deny_status 401 unless right_issuer right_audience in_time
    http-request deny deny_status 403 unless {{ path_beg /home/ }} {{ path,field(3,/),strcmp(txn.sub) eq 0 }}
    http-request set-header X-Forwarded-User %[var(txn.sub)]
    http-request del-header Authorization
'''

PASSWORD = '''
    http-request auth unless { http_auth(people) }
    http-request set-var(txn.sub) http_auth_user
    http-request deny deny_status 403 unless { path_beg /home/ } { path,field(3,/),strcmp(txn.sub) eq 0 }
    http-request set-header X-Forwarded-User %[var(txn.sub)]
    http-request del-header Authorization
'''


def start_of(scenario, port, upstream, folder, workers=1):
    rules = users = tls = ''
    if scenario.has_token:
        is_secret = scenario.auth == 'hs256'
        key = keys.read('hs256.secret') if is_secret else place.KEYS / f'{scenario.auth}.pub.pem'
        rules = TOKEN.format(algorithm=keys.ALGORITHMS[scenario.auth], key=key,
                             issuer=keys.ISSUER, audience=keys.AUDIENCE)
    elif scenario.auth == 'basic-bcrypt':
        rules = PASSWORD
        users = f'\nuserlist people\n    user {keys.USER} password {keys.read("basic-bcrypt.hash")}\n'
    if scenario.tls:
        protocols = 'h2,http/1.1' if scenario.http2 else 'http/1.1'
        tls = f' ssl crt {place.KEYS}/tls.pem ssl-min-ver TLSv1.3 alpn {protocols}'
    scheme = 'https' if scenario.tls else 'http'
    (folder / 'haproxy.cfg').write_text(FRAME.format(
        users=users, port=port, tls=tls, scheme=scheme, rules=rules, upstream=upstream,
        workers=workers))
    return ['haproxy', '-db', '-f', folder / 'haproxy.cfg'], {}


def two_workers(scenario, port, upstream, folder):
    return start_of(scenario, port, upstream, folder, workers=2)
