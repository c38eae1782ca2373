"""Keys, tokens and passwords: made here, kept for some days."""
import base64
import json
import secrets
import shutil
import subprocess
import time

from .place import KEYS

# Python's packages are imported where keys are made: sending what is made already needs none.

ISSUER, AUDIENCE = 'https://idp.test', 'doorward'
USER, PASSWORD = 'u00042', 'correct horse battery staple'
OTHER_HOME = '/home/u00043'
LOOKALIKE_HOME = '/home/u000420'  # begins with the user's, and is another's
COUNT = 10_000
DAY = 86_400
ALGORITHMS = {'hs256': 'HS256', 'rs256': 'RS256', 'es256': 'ES256', 'eddsa': 'EdDSA'}
MAKING = {
    'rs256': ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
    'es256': ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
    'eddsa': ['-algorithm', 'ED25519'],
}


def make():
    mark = KEYS / 'made'
    if mark.exists() and time.time() - mark.stat().st_mtime < 3 * DAY:
        return
    shutil.rmtree(KEYS, ignore_errors=True)
    KEYS.mkdir(parents=True)
    certificate()
    write('hs256.secret', secrets.token_hex(32))
    for auth, how in MAKING.items():
        openssl('genpkey', *how, '-out', KEYS / f'{auth}.pem')
        openssl('pkey', '-in', KEYS / f'{auth}.pem', '-pubout', '-out', KEYS / f'{auth}.pub.pem')
    for auth in ALGORITHMS:
        write(f'{auth}.jwks', json.dumps({'keys': [jwk(auth)]}))
        write(f'{auth}.token', token(auth))
    many = [(token('hs256', f'u{number:05}'), f'/home/u{number:05}/1k') for number in range(COUNT)]
    write('many.requests', ''.join(f'{one} {path}\n' for one, path in many))
    write('bad.requests', ''.join(f'{forged(one)} {path}\n' for one, path in many))
    import bcrypt  # every peer reads $2y$
    hash_ = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(10)).decode().replace('$2b$', '$2y$')
    write('basic-bcrypt.hash', hash_)
    write('basic-bcrypt.htpasswd', f'{USER}:{hash_}\n')
    write('made', '')


def certificate():
    openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
            '-keyout', KEYS / 'tls.key', '-out', KEYS / 'tls.crt', '-days', '30',
            '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1',
            '-addext', 'basicConstraints=critical,CA:FALSE')
    write('tls.pem', read('tls.crt') + read('tls.key'))


def openssl(*words):
    subprocess.run(['openssl', *map(str, words)], check=True, capture_output=True, timeout=60)


def write(name, text):
    (KEYS / name).write_text(text)


def read(name):
    return (KEYS / name).read_text()


def jwk(auth):
    if auth == 'hs256':
        octets = base64.urlsafe_b64encode(read('hs256.secret').encode()).rstrip(b'=').decode()
        return {'kty': 'oct', 'alg': 'HS256', 'k': octets}
    import jwt
    from cryptography.hazmat.primitives import serialization
    public = serialization.load_pem_public_key(read(f'{auth}.pub.pem').encode())
    kinds = {'rs256': jwt.algorithms.RSAAlgorithm, 'es256': jwt.algorithms.ECAlgorithm,
             'eddsa': jwt.algorithms.OKPAlgorithm}
    fields = json.loads(kinds[auth].to_jwk(public))
    fields.pop('key_ops', None)
    return {**fields, 'alg': ALGORITHMS[auth]}


def token(auth, user=USER, **changes):
    """`home` ends in a slash for those who can only compare the beginnings of texts."""
    import jwt
    now = int(time.time())
    claims = {'iss': ISSUER, 'aud': AUDIENCE, 'sub': user, 'home': f'/home/{user}/',
              'iat': now, 'exp': now + 7 * DAY, **changes}
    key = read('hs256.secret') if auth == 'hs256' else read(f'{auth}.pem')
    return jwt.encode(claims, key, ALGORITHMS[auth])


def unsigned():
    import jwt
    claims = {'iss': ISSUER, 'aud': AUDIENCE, 'sub': USER, 'home': f'/home/{USER}/',
              'exp': int(time.time()) + DAY}
    return jwt.encode(claims, None, 'none')


def forged(good):
    """The same with another signature."""
    head, payload, signature = good.split('.')
    at = len(signature) // 2
    other = 'A' if signature[at] != 'A' else 'B'
    return '.'.join((head, payload, signature[:at] + other + signature[at + 1:]))


def basic(user, password):
    return 'Basic ' + base64.b64encode(f'{user}:{password}'.encode()).decode()


def credential(scenario):
    """The value of `Authorization`, or None."""
    if scenario.auth == 'none':
        return None
    if scenario.has_token:
        return f'Bearer {read(f"{scenario.auth}.token")}'
    return basic(USER, PASSWORD)
