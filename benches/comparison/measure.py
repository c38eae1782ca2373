"""Rounds: every peer of a scenario in each of them, there and back, so that what the machine does
meanwhile meets all of them alike."""
import contextlib
import os
import subprocess
import sys
import time

from . import checks, loads, place
from .peers import PEERS
from .process import Process, free_port, wait_until_quiet

QUIET_IDLE = 12  # seconds of silence before memory is read
LATENCY_SECONDS = 2


class Processors:
    """One for the peer and one for the rest, or where there are more, two and two."""

    def __init__(self):
        all_ = sorted(os.sched_getaffinity(0))
        if len(all_) < 2:
            sys.exit('two processors are needed: one for the peer, one for load and upstream')
        self.peer, self.load = {all_[0]}, {all_[1]}
        self.two_peers = set(all_[:2])
        self.two_loads = set(all_[2:4]) if len(all_) >= 4 else set(all_[:2])

    def of(self, scenario):
        if scenario.name == 'two-workers':
            return self.two_peers, self.two_loads
        return self.peer, self.load


def scenario(scenario, options, processors, upstream):
    """All samples of a scenario, by peer."""
    found = {}
    peer_cpus, load_cpus = processors.of(scenario)
    with contextlib.ExitStack() as running:
        peers = {}
        for name in scenario.peers:
            if options.peers and name not in options.peers:
                continue
            entry = found[name] = {'rounds': [], 'latency': [], 'skipped': None}
            with may_fail(name, entry, peers):
                peers[name] = start(name, scenario, running, peer_cpus, upstream)
                wrong = checks.failures(scenario, peers[name][1])
                if wrong:
                    raise RuntimeError(', '.join(wrong))
        if options.check_only:
            return found
        if scenario.load == 'idle':
            for name, (process, port) in list(peers.items()):
                with may_fail(name, found[name], peers):
                    found[name]['rounds'].append(idle(scenario, process, port, options, load_cpus))
            return found
        for number in range(options.rounds):
            names = list(peers) if number % 2 == 0 else list(peers)[::-1]
            for name in names:
                process, port = peers[name]
                with may_fail(name, found[name], peers):
                    if number == 0:
                        loads.apply(scenario, port, 1, load_cpus)
                    wait_until_quiet(peer_cpus | load_cpus)
                    found[name]['rounds'].append(
                        one(scenario, process, port, options.seconds, load_cpus))
        for _ in range(options.latency if scenario.rate else 0):
            for name, (_, port) in list(peers.items()):
                with may_fail(name, found[name], peers):
                    wait_until_quiet(peer_cpus | load_cpus)
                    found[name]['latency'].append(
                        loads.rate(scenario, port, LATENCY_SECONDS, load_cpus))
    return found


@contextlib.contextmanager
def may_fail(name, entry, peers):
    """A peer that fails is stopped and left out; the others go on."""
    try:
        yield
    except (OSError, RuntimeError, StopIteration, subprocess.SubprocessError) as error:
        why = f'{error}'[-300:] or type(error).__name__
        if isinstance(error, subprocess.TimeoutExpired):  # whose words hold the credential
            why = f'the load did not end within {error.timeout} s'
        entry.update(rounds=[], latency=[], skipped=why)
        print(f'  {name} is left out: {entry["skipped"]}', flush=True)
        if name in peers:
            peers.pop(name)[0].stop()


def start(name, scenario, running, processors, upstream):
    folder = place.RUN / scenario.name / name
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / 'output.log'
    log.write_text('')
    port = free_port()
    words, env = PEERS[name](scenario, port, upstream, folder)
    process = running.enter_context(Process(words, processors, log, env))
    process.wait_for(port)
    return process, port


def one(scenario, process, port, seconds, load_cpus):
    """One sample: what the peer's threads have spent while the load ran."""
    before = process.threads()
    load = loads.apply(scenario, port, seconds, load_cpus)
    spent = {thread: taken - before.get(thread, 0) for thread, taken in process.threads().items()}
    workers = [taken for (_, _, name), taken in spent.items() if name.startswith('worker-')]
    return {
        'cpu_us': sum(spent.values()) / 1e3 / max(1, load.served),
        'per_second': load.served / max(load.seconds, 1e-6),
        'served': load.served,
        'errors': load.errors,
        'workers': [round(taken / max(1, sum(workers)), 3) for taken in workers],
    }


def idle(scenario, process, port, options, load_cpus):
    """Memory for each connection that has been silent for a while."""
    # Whatever grows with the first connections has grown.
    loads.wrk(scenario, port, 1, load_cpus)
    time.sleep(1)
    before = process.resident_kib()
    with loads.Idle(scenario, port, options.idle, load_cpus) as held:
        time.sleep(QUIET_IDLE)
        after = process.resident_kib()
        alive, asked = held.are_alive()
    return {'kib': (after - before) / max(1, held.open), 'open': held.open,
            'alive': alive, 'asked': asked, 'errors': asked - alive, 'base_kib': before}
