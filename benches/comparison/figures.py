"""Samples → figures. A machine's own speed wanders, between minutes by a factor of two; so each
round is divided by how fast the machine was in it, which is the geometric mean of its peers."""
import math
import statistics

HOME = 'doorward'


def of(scenario, found):
    """By peer: `value`, what it takes; `spread`, half the range of the middle half in per cent;
    `ratio`, to doorward."""
    peers = {name: entry for name, entry in found.items() if entry['rounds']}
    if scenario.load == 'idle':
        values = {name: statistics.median(one['kib'] for one in entry['rounds'])
                  for name, entry in peers.items()}
        figures = {name: {'value': round(value, 1), 'spread': None}
                   for name, value in values.items()}
    else:
        figures = normalised(peers)
    for name, figure in figures.items():
        entry = peers[name]
        figure['errors'] = sum(one['errors'] for one in entry['rounds'])
        figure['errors'] += sum(one['errors'] for one in entry['latency'])
        figure['per_second'] = median(entry['rounds'], 'per_second')
        if entry['latency']:
            figure['p50_us'] = median(entry['latency'], 'p50_us')
            figure['p99_us'] = median(entry['latency'], 'p99_us')
        shares = [one['workers'] for one in entry['rounds'] if len(one.get('workers', [])) > 1]
        if shares:
            figure['worker_shares'] = [round(statistics.median(part), 3) for part in zip(*shares)]
        home = figures.get(HOME)
        figure['ratio'] = round(figure['value'] / home['value'], 3) if home else None
    return figures


def normalised(peers):
    if not peers:
        return {}
    rounds = min(len(entry['rounds']) for entry in peers.values())
    costs = {name: [max(one['cpu_us'], 1e-3) for one in entry['rounds'][:rounds]]
             for name, entry in peers.items()}
    speeds = [math.exp(statistics.mean(math.log(cost[number]) for cost in costs.values()))
              for number in range(rounds)]
    # Back to microseconds by the quicker rounds, in which least came between.
    scale = sorted(speeds)[rounds // 4]
    figures = {}
    for name, cost in costs.items():
        relative = sorted(one / speed for one, speed in zip(cost, speeds))
        middle = statistics.median(relative)
        quarter = len(relative) // 4
        spread = (relative[-1 - quarter] - relative[quarter]) / 2 / middle
        figures[name] = {'value': round(middle * scale, 1), 'spread': round(spread * 100, 1)}
    return figures


def median(samples, key):
    values = [one[key] for one in samples if key in one]
    return round(statistics.median(values)) if values else None
