"""A peer is measured when it has shown that it does the work: good requests come through whole,
all others are refused."""
import http.client
import ssl
import time

from . import keys, upstream

REFUSED = (401, 403)
PATIENCE = 20


def ask(scenario, port, path, credential=None, body=None):
    """Status and body of an answer."""
    if scenario.tls:
        # Who the peer is was decided when its certificate was made.
        context = ssl.create_default_context(cafile=str(keys.KEYS / 'tls.crt'))
        connection = http.client.HTTPSConnection('localhost', port, timeout=PATIENCE, context=context)
    else:
        connection = http.client.HTTPConnection('localhost', port, timeout=PATIENCE)
    try:
        fields = {'Authorization': credential} if credential else {}
        connection.request('POST' if body else 'GET', path, body=body, headers=fields)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def failures(scenario, port):
    """What the peer does wrong; empty if it can be measured."""
    wrong = []
    good = keys.credential(scenario)

    def expect(name, wanted, path, credential, body=None, content=None):
        status, answer = ask(scenario, port, path, credential, body)
        if status not in wanted:
            wrong.append(f'{name}: {status}')
        elif content is not None and answer != content:
            wrong.append(f'{name}: another body ({len(answer)} bytes)')

    if scenario.upload:
        expect('upload', (200,), scenario.path, good, b'z' * scenario.upload, b'ok\n')
        return wrong
    content = b'x' * 102_400 if scenario.path == '/100k' else upstream.BODY.encode()
    expect('good', (200,), scenario.path, good, content=content)
    if scenario.has_token:
        for name, credential in bad_tokens(scenario.auth).items():
            expect(name, REFUSED, scenario.path, credential)
    if scenario.auth == 'basic-bcrypt':
        expect('wrong password', (401,), scenario.path, keys.basic(keys.USER, 'wrong'))
        expect('unknown user', REFUSED, scenario.path, keys.basic('nobody', keys.PASSWORD))
    if scenario.auth != 'none':
        expect('no credential', REFUSED, scenario.path, None)
        expect('home of another', (403,), f'{keys.OTHER_HOME}/1k', good)
        expect('home that begins alike', (403,), f'{keys.LOOKALIKE_HOME}/1k', good)
        expect('no home at all', (403,), '/1k', good)
    if scenario.tokens == 'many':
        line = (keys.KEYS / 'many.requests').read_text().splitlines()[4711]
        token, path = line.split()
        expect('another good token', (200,), path, f'Bearer {token}')
    return wrong


def bad_tokens(auth):
    now = int(time.time())
    tokens = {
        'wrong signature': keys.forged(keys.read(f'{auth}.token')),
        'expired': keys.token(auth, exp=now - 3600),
        'wrong audience': keys.token(auth, aud='another'),
        'wrong issuer': keys.token(auth, iss='https://another.test'),
        'algorithm none': keys.unsigned(),
    }
    return {name: f'Bearer {token}' for name, token in tokens.items()}
