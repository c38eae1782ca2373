"""One file a peer. Each has `start_of(scenario, port, upstream, folder)`, which writes the peer's
configuration into the folder and returns what to run and its environment: one worker (NAME-2: two), TLS 1.3,
unused connections kept for an hour on both sides, no log (doorward alone keeps its own)."""
from . import caddy, doorward, envoy, haproxy, nginx

PEERS = {
    'doorward': doorward.start_of,
    'doorward-2': doorward.two_workers,
    'haproxy': haproxy.start_of,
    'haproxy-2': haproxy.two_workers,
    'nginx': nginx.start_of,
    'nginx-2': nginx.two_workers,
    'nginx-cache': nginx.remembering,
    'envoy': envoy.start_of,
    'caddy': caddy.start_of,
}
