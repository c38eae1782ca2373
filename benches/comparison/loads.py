"""What is sent: each load runs for a bounded time and tells how many requests were served, and how
many were not as they should be."""
import json
import os
import re
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from . import keys, place
from .process import run_on

SCRIPT = Path(__file__).with_name('wrk.lua')
SLACK = 40  # seconds beyond its time after which a load is given up


@dataclass
class Load:
    served: int
    errors: int
    seconds: float
    resumed: int = 0


def apply(scenario, port, seconds, processors):
    run = {'wrk': wrk, 'h2load': h2load, 'full': handshakes, 'resumed': handshakes}[scenario.load]
    return run(scenario, port, seconds, processors)


def certificate(scenario):
    return str(place.KEYS / 'tls.crt') if scenario.tls else '-'


def wrk(scenario, port, seconds, processors):
    env = dict(os.environ)
    if scenario.tokens != 'one':
        env['COMPARE_REQUESTS'] = str(place.KEYS / f'{scenario.tokens}.requests')
    if scenario.upload:
        env['COMPARE_BODY'] = str(scenario.upload)
    scheme = 'https' if scenario.tls else 'http'
    words = ['wrk', f'-t{scenario.threads}', f'-c{scenario.connections}', f'-d{seconds}s', '--timeout', '20s',
             '-s', SCRIPT]
    credential = keys.credential(scenario)
    if credential:
        words += ['-H', f'Authorization: {credential}']
    told = run_on([*words, f'{scheme}://127.0.0.1:{port}{scenario.path}'], processors,
                  seconds + SLACK, env=env)
    requests, micros, by_status, broken = map(int, re.search(r'^@ (.*)$', told, re.M)[1].split())
    refused = scenario.status != 200  # wrk counts what is not 2xx or 3xx
    return Load(served=requests, seconds=micros / 1e6,
                errors=broken + (requests - by_status if refused else by_status))


def h2load(scenario, port, seconds, processors):
    told = run_on(['h2load', '-c8', '-m8', '-D', str(seconds), '-H',
                   f'authorization: {keys.credential(scenario)}',
                   f'https://127.0.0.1:{port}{scenario.path}'], processors, seconds + SLACK)
    good, *others = map(int, re.search(
        r'status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx', told).groups())
    is_http2 = 'Application protocol: h2' in told
    return Load(served=good, errors=sum(others) + (not is_http2), seconds=seconds)


def handshakes(scenario, port, seconds, processors):
    told = json.loads(run_on(
        [place.LOAD, 'handshake', f'127.0.0.1:{port}', certificate(scenario), scenario.load,
         str(seconds), str(scenario.connections)], processors, seconds + SLACK))
    wrong = told['requests'] - told['resumed'] if scenario.load == 'resumed' else told['resumed']
    # Each client's first connection has nothing to resume.
    wrong = max(0, wrong - scenario.connections)
    return Load(served=told['requests'], errors=told['errors'] + wrong, seconds=told['seconds'],
                resumed=told['resumed'])


def rate(scenario, port, seconds, processors, path=None):
    """Latencies at a fixed number of requests a second."""
    words = [place.LOAD, 'rate', f'127.0.0.1:{port}', certificate(scenario),
             path or scenario.path, str(scenario.rate), str(seconds), '16']
    credential = keys.credential(scenario)
    if credential:
        words.append(f'Authorization: {credential}')
    return json.loads(run_on(words, processors, seconds + SLACK))


class Idle:
    """Connections that are held open and say nothing; the block ends them."""

    def __init__(self, scenario, port, connections, processors):
        words = [place.LOAD, 'idle', f'127.0.0.1:{port}', certificate(scenario), str(connections)]
        self.child = subprocess.Popen(
            [str(word) for word in words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            preexec_fn=lambda: os.sched_setaffinity(0, processors))
        self.guard = threading.Timer(120, self.child.kill)
        self.guard.start()

    def __enter__(self):
        opened = json.loads(self.child.stdout.readline())
        self.open = opened['open']
        return self

    def are_alive(self):
        """Of some that are asked now, how many answer."""
        self.child.stdin.write('\n')
        self.child.stdin.flush()
        told = json.loads(self.child.stdout.readline())
        return told['alive'], told['asked']

    def __exit__(self, *_):
        self.guard.cancel()
        self.child.kill()
        self.child.wait(10)
        self.child.stdin.close()
        self.child.stdout.close()
        time.sleep(0.2)  # the peer takes note of so many ends
