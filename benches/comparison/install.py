"""Brings what is needed: Debian's packages, Python's, and doorward as it is shipped."""
import json
import os
import shutil
import subprocess
import sys
import time

from . import place


def everything():
    """Installs and builds what is missing. Returns the seconds that it took."""
    began = time.monotonic()
    place.ROOT.mkdir(parents=True, exist_ok=True)
    debian()
    wheels()
    programs()
    return time.monotonic() - began


def debian():
    missing = [name for name in place.PACKAGES if not is_installed(name)]
    if not missing:
        return
    if os.geteuid() != 0:
        sys.exit(f'these packages are missing, and only root can install them: {" ".join(missing)}')
    print('installing', *missing, flush=True)
    quiet = {'stdout': subprocess.DEVNULL, 'env': {**os.environ, 'DEBIAN_FRONTEND': 'noninteractive'}}
    subprocess.run(['apt-get', '-qq', 'update'], check=True, timeout=300, **quiet)
    install = ['apt-get', '-qq', 'install', '-y', '--no-install-recommends', *missing]
    subprocess.run(install, check=True, timeout=600, **quiet)
    for server in ('haproxy', 'nginx'):
        if server in missing:  # Debian starts what it installs
            subprocess.run(['service', server, 'stop'], check=False, timeout=60, capture_output=True)


def is_installed(package):
    found = subprocess.run(['dpkg-query', '-W', '-f', '${Status}', package],
                           check=False, capture_output=True, text=True)
    return found.stdout.startswith('install ok')


def wheels():
    """Kept as long as the list stays the same."""
    mark, wanted = place.VENV / 'wheels', '\n'.join(place.WHEELS)
    if mark.exists() and mark.read_text() == wanted:
        return
    print('installing', *place.WHEELS, flush=True)
    shutil.rmtree(place.VENV, ignore_errors=True)
    subprocess.run([sys.executable, '-m', 'venv', str(place.VENV)], check=True, timeout=120)
    pip = [str(place.VENV / 'bin' / 'pip'), 'install', '--quiet', '--disable-pip-version-check']
    subprocess.run([*pip, *place.WHEELS], check=True, timeout=600)
    mark.write_text(wanted)


def programs():
    """doorward as it is shipped, and the load beside wrk and h2load."""
    if 'DOORWARD_BIN' not in os.environ:
        print('building doorward (benches/ship)', flush=True)
        ship()
    if 'COMPARE_LOAD' in os.environ:
        found = os.environ['COMPARE_LOAD']
    else:
        print('building the load', flush=True)
        told = ship('bench', '--no-run', '--bench', 'load', '--message-format', 'json')
        built = [json.loads(line) for line in told.splitlines() if line.startswith('{')]
        found = next(one['executable'] for one in built
                     if one.get('reason') == 'compiler-artifact' and one['target']['name'] == 'load')
    place.LOAD.unlink(missing_ok=True)
    place.LOAD.symlink_to(found)


def ship(*words):
    built = subprocess.run([place.BENCHES / 'ship', *words], check=True, timeout=3600, text=True,
                           stdout=subprocess.PIPE)
    return built.stdout


def inside_venv():
    """Goes on inside the virtual environment, where Python's packages are."""
    if os.path.realpath(sys.prefix) != os.path.realpath(place.VENV):
        python = str(place.VENV / 'bin' / 'python')
        os.execv(python, [python, *sys.argv])
