"""Processes: on which processors they run, what they take, and that they end."""
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

PROC = Path('/proc')


def raise_limit():
    """As many open files as we may have, which children inherit."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    for limit in (100_000, hard):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, max(limit, hard)))
            return limit
        except (OSError, ValueError):
            continue
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def end_on_signals():
    """SIGTERM ends a script as an exception does, so that what it has started ends with it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


class Process:
    """A program in a session of its own, on these processors, which ends with the block."""

    def __init__(self, words, processors, log, env=None):
        with open(log, 'ab') as told:
            self.child = subprocess.Popen(
                [str(word) for word in words], stdin=subprocess.DEVNULL, stdout=told, stderr=told,
                env={**os.environ, **(env or {})}, start_new_session=True,
                preexec_fn=lambda: os.sched_setaffinity(0, processors))
        self.log = log

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def wait_for(self, port, patience=20):
        """Waits until it takes connections."""
        end = time.monotonic() + patience
        while time.monotonic() < end and self.child.poll() is None:
            try:
                socket.create_connection(('127.0.0.1', port), 1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise RuntimeError(f'did not start: {Path(self.log).read_text(errors="replace")[-400:]}')

    def stop(self, patience=5):
        """Asks, then insists. The session is ours alone, so nobody else is met."""
        members = self.members()
        if self.child.poll() is None:
            self.child.terminate()
            try:
                self.child.wait(patience)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait(patience)
        for member in members:
            if member != self.child.pid and session_of(member) == self.child.pid:
                os.kill(member, signal.SIGKILL)

    def members(self):
        """It and what it has started."""
        return [pid for pid in map(int, filter(str.isdigit, os.listdir(PROC)))
                if session_of(pid) == self.child.pid]

    def threads(self):
        """CPU nanoseconds of every thread, by process and thread, with its name."""
        spent = {}
        for pid in self.members():
            for task in PROC.glob(f'{pid}/task/*'):
                try:
                    name = (task / 'comm').read_text().strip()
                    taken = int((task / 'schedstat').read_text().split()[0])
                except OSError:
                    continue
                spent[(pid, int(task.name), name)] = taken
        return spent

    def resident_kib(self):
        total = 0
        for pid in self.members():
            try:
                text = (PROC / str(pid) / 'smaps_rollup').read_text()
            except OSError:
                continue
            # What is shared between processes counts once.
            total += int(re.search(r'^Pss:\s+(\d+)', text, re.M)[1])
        return total


def session_of(pid):
    try:
        return os.getsid(pid)
    except OSError:
        return None


def run_on(words, processors, seconds, **more):
    """Runs a program to its end on these processors; what it printed."""
    done = subprocess.run(
        [str(word) for word in words], check=False, capture_output=True, text=True,
        timeout=seconds, preexec_fn=lambda: os.sched_setaffinity(0, processors), **more)
    if done.returncode != 0:
        raise RuntimeError(f'{words[0]}: {done.stderr[-400:]}{done.stdout[-400:]}')
    return done.stdout


def busy(processors):
    """Jiffies that these processors have been busy with anything, and all of them."""
    taken = total = 0
    for line in (PROC / 'stat').read_text().splitlines():
        match = re.match(r'cpu(\d+) (.*)', line)
        if match and int(match[1]) in processors:
            user, nice, system, idle, wait, irq, soft, steal = map(int, match[2].split()[:8])
            taken += user + nice + system + irq + soft + steal
            total += user + nice + system + irq + soft + steal + idle + wait
    return taken, total


def wait_until_quiet(processors, patience=0.6, share=0.15):
    """A moment in which nobody else works, or the end of our patience; the share that was busy."""
    end = time.monotonic() + patience
    while True:
        before = busy(processors)
        time.sleep(0.1)
        after = busy(processors)
        found = (after[0] - before[0]) / max(1, after[1] - before[1])
        if found < share or time.monotonic() > end:
            return round(found, 3)
