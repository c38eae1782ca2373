"""doorward as an operator runs it: access log in JSON to a file, metrics and limits on. Other
benches start it in the same way (benches/peer.py)."""
import importlib.util
import os

from .. import place


def start_of(scenario, port, upstream, folder, workers=1):
    found = importlib.util.spec_from_file_location('peer', place.BENCHES / 'peer.py')
    peer = importlib.util.module_from_spec(found)
    found.loader.exec_module(peer)
    os.environ.setdefault('DOORWARD_BIN', str(place.DOORWARD))
    asked = {'tls': scenario.tls, 'auth': scenario.auth, 'h2': scenario.http2, 'workers': workers}
    start = peer.doorward(asked, port, str(folder), str(place.KEYS), upstream)
    return start['argv'], start['env']


def two_workers(scenario, port, upstream, folder):
    return start_of(scenario, port, upstream, folder, workers=2)
