"""Figures → a table, a file to work with, and the places where both are shown."""
import json

from . import place, plot
from .scenario import SCENARIOS

PEERS = {'doorward': 'doorward', 'haproxy': 'HAProxy', 'nginx': 'nginx', 'nginx-cache': 'nginx, remembering',
         'envoy': 'Envoy', 'caddy': 'Caddy', 'doorward-2': 'doorward, 2 workers',
         'haproxy-2': 'HAProxy, 2 threads', 'nginx-2': 'nginx, 2 processes'}
COLUMNS = ('doorward', 'haproxy', 'nginx', 'nginx-cache', 'envoy', 'caddy')
BEGIN, END = '<!-- compare: begin -->', '<!-- compare: end -->'


def write(result):
    """The files of a run, and the table on standard output."""
    place.RESULTS.mkdir(exist_ok=True)
    (place.RESULTS / 'compare.json').write_text(json.dumps(result, indent=1) + '\n')
    text = document(result)
    (place.RESULTS / 'compare.md').write_text(text)
    (place.RESULTS / 'compare.svg').write_text(plot.draw(result))
    print('\n' + text)
    print(f'written: {place.RESULTS}/compare.json, .md, .svg')


def latest():
    return json.loads((place.RESULTS / 'compare.json').read_text())


def document(result):
    machine = result['machine']
    parts = [
        '# doorward beside others',
        f'{result["date"]}, {machine["processor"]}, {machine["processors"]} processors, Linux '
        f'{machine["kernel"]}; {", ".join(result["versions"].values())}. {result["rounds"]} rounds '
        f'of {result["seconds"]} s, {result["took_seconds"] // 60} min in all.',
        '## CPU time of a request\nµs on one processor, and in brackets how many times what '
        'doorward takes. `idle`: KiB of memory for each connection.',
        table(result),
        latency(result),
        workers(result),
        left_out(result),
    ]
    return '\n\n'.join(part for part in parts if part) + '\n'


def table(result):
    shown = [name for name in COLUMNS if any(name in figures(result, one.name) for one in SCENARIOS)]
    rows = [['', *(PEERS[name] for name in shown)]]
    for scenario in SCENARIOS:
        found = figures(result, scenario.name)
        if found and scenario.name != 'two-workers':
            rows.append([f'`{scenario.name}` {scenario.title}', *(cell(found.get(name)) for name in shown)])
    return markdown(rows)


def cell(figure):
    if not figure:
        return '–'
    value = number(figure['value'])
    mark = ' !' if figure['errors'] else ''  # not all its answers were right
    if figure['ratio'] in (None, 1.0):
        return value + mark
    return f'{value} ({times(figure["ratio"])}){mark}'


def number(value):
    return f'{value:,.0f}' if value >= 100 else f'{value:.1f}'


def times(ratio):
    return f'{ratio:,.0f}×' if ratio >= 20 else f'{ratio:.2f}×'


def latency(result):
    rows = [['', *(PEERS[name] for name in COLUMNS)]]
    for scenario in SCENARIOS:
        found = figures(result, scenario.name)
        if any('p99_us' in figure for figure in found.values()):
            rows.append([f'`{scenario.name}`', *(
                f'{found[name]["p50_us"]} / {found[name]["p99_us"]}'
                if 'p99_us' in found.get(name, {}) else '–' for name in COLUMNS)])
    if len(rows) == 1:
        return ''
    return f'## Latency at 2,000 requests a second\np50 / p99 in µs.\n\n{markdown(rows)}'


def workers(result):
    found = figures(result, 'two-workers')
    two = found.get('doorward-2')
    if not two or not two.get('worker_shares'):
        return ''
    shares = ' and '.join(f'{share * 100:.0f} %' for share in two['worker_shares'])
    others = ', '.join(
        f'{PEERS[name]} {found[f"{name}-2"]["value"] / found[name]["value"]:.2f} times'
        for name in ('haproxy', 'nginx') if name in found and f'{name}-2' in found)
    return (f'## Two workers\nA request takes {two["ratio"]:.2f} times the CPU time that it takes '
            f'with one; the two share the work {shares}.' + (f' Of others: {others}.' if others else ''))


def left_out(result):
    lines = [f'- `{name}`, {PEERS[peer]}: {entry["skipped"]}'
             for name, scenario in result['scenarios'].items()
             for peer, entry in scenario['samples'].items() if entry.get('skipped')]
    return '## Left out\n' + '\n'.join(lines) if lines else ''


def figures(result, name):
    return result['scenarios'].get(name, {}).get('figures', {})


def markdown(rows):
    head, *rest = (f'| {" | ".join(row)} |' for row in rows)
    return '\n'.join([head, '|---' * len(rows[0]) + '|', *rest])


def write_readme(result):
    """Puts plot and table between the marks in README.md."""
    place.PLOT.write_text(plot.draw(result))
    machine = result['machine']
    between(place.README, (
        f'\n![CPU time of a request, beside other proxies](docs/{place.PLOT.name})\n\n'
        'CPU time of a request in µs on one processor (`idle`: KiB of a connection), and how many '
        f'times what doorward takes; {machine["processor"]}, {result["date"]}, '
        f'{", ".join(result["versions"].values())}. doorward writes its access log and counts, the '
        f'others write none. What is asked of each: [benches](benches/README.md).\n\n'
        f'{table(result)}\n'))
    guide = [f'{machine["processor"]}, {result["date"]}; CPU time and memory are in README.',
             latency(result).removeprefix('## ').replace('\n', '. ', 1),
             workers(result).removeprefix('## ').replace('\n', ': ', 1)]
    between(place.GUIDE, '\n' + '\n\n'.join(part for part in guide if part) + '\n')
    print(f'written: {place.PLOT}, {place.README}, {place.GUIDE}')


def between(file, text):
    """Replaces what stands between the marks of a file."""
    before, rest = file.read_text().split(BEGIN, 1)
    file.write_text(before + BEGIN + text + END + rest.split(END, 1)[1])
