"""What is compared."""
from dataclasses import dataclass

HOME = '/home/u00042'  # of the user whose credential is sent
NGINX = ('nginx', 'nginx-cache')
ALL = ('doorward', 'haproxy', 'nginx', 'envoy', 'caddy')
TOKENS = ('doorward', 'haproxy', *NGINX, 'envoy')


@dataclass(frozen=True)
class Scenario:
    name: str
    title: str
    peers: tuple
    tls: bool = True
    auth: str = 'none'  # none, hs256, rs256, es256, eddsa, basic-bcrypt
    http2: bool = False
    load: str = 'wrk'  # wrk, h2load, full, resumed, idle
    path: str = '/1k'
    connections: int = 32
    threads: int = 1  # of the load
    tokens: str = 'one'  # one, many, bad
    upload: int = 0  # bytes of each request's body
    status: int = 200
    rate: int = 0  # requests a second at which latency is measured as well
    unit: str = 'µs'

    @property
    def has_token(self):
        return self.auth not in ('none', 'basic-bcrypt')


SCENARIOS = (
    # S0, S1: the way alone
    Scenario('plain', 'HTTP/1.1, no authentication', ALL, tls=False, rate=2000),
    Scenario('tls', 'TLS 1.3, no authentication', ALL, rate=2000),
    # S2 to S5: one token again and again, and the path must lie in its owner's home
    Scenario('jwt-hs256', 'JWT HS256 and home', TOKENS, auth='hs256', path=f'{HOME}/1k', rate=2000),
    Scenario('jwt-rs256', 'JWT RS256 and home', TOKENS, auth='rs256', path=f'{HOME}/1k'),
    Scenario('jwt-es256', 'JWT ES256 and home', TOKENS, auth='es256', path=f'{HOME}/1k'),
    # HAProxy 2.6 knows no EdDSA.
    Scenario('jwt-eddsa', 'JWT EdDSA and home', ('doorward', *NGINX, 'envoy'), auth='eddsa',
             path=f'{HOME}/1k'),
    # S6: Envoy's basic_auth takes SHA-1 alone.
    Scenario('basic-bcrypt', 'Basic, bcrypt of cost 10, and home',
             ('doorward', 'haproxy', 'nginx', 'caddy'), auth='basic-bcrypt', path=f'{HOME}/1k',
             connections=4),
    # S7, S7r: one request a connection
    Scenario('handshake-full', 'TLS 1.3 handshake', ALL, load='full', connections=4),
    Scenario('handshake-resumed', 'TLS 1.3 handshake, resumed', ALL, load='resumed', connections=4),
    # S8
    Scenario('tokens-10000', '10,000 JWTs in turn, HS256', TOKENS, auth='hs256',
             path=f'{HOME}/1k', tokens='many'),
    # S9
    Scenario('idle', 'idle TLS connection', ALL, load='idle', unit='KiB'),
    # S10
    Scenario('download', '100 KiB down', ALL, path='/100k', connections=16),
    Scenario('upload', '1 MiB up', ALL, path='/sink', connections=8, upload=1 << 20),
    # S11: stock Caddy knows no JWT.
    Scenario('http2', 'HTTP/2 and JWT HS256', TOKENS, auth='hs256', path=f'{HOME}/1k',
             http2=True, load='h2load'),
    # S12
    Scenario('rejects', '10,000 wrong signatures in turn', TOKENS, auth='hs256', path=f'{HOME}/1k',
             tokens='bad', status=401),
    # What a second core brings. One thread of load would leave two workers waiting, which then run
    # in short turns.
    Scenario('two-workers', 'JWT HS256 and home, two workers',
             ('doorward', 'doorward-2', 'haproxy', 'haproxy-2', 'nginx', 'nginx-2'), auth='hs256',
             path=f'{HOME}/1k', connections=64, threads=2),
)
NAMES = tuple(scenario.name for scenario in SCENARIOS)


def chosen(names):
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        raise SystemExit(f'no such scenario: {", ".join(unknown)}; there are {", ".join(NAMES)}')
    return [scenario for scenario in SCENARIOS if not names or scenario.name in names]
