"""The figures as a drawing (SVG) that is readable on light and on dark pages."""
from html import escape

from .scenario import SCENARIOS

# Okabe and Ito's colours, which everybody can tell apart, in tones that stand out from both pages.
COLOURS = {'doorward': '#d55e00', 'haproxy': '#4a90c4', 'nginx': '#2a9d74', 'nginx-cache': '#8cc9b1',
           'envoy': '#b07aa1', 'caddy': '#9a9a9a'}
NAMES = {'doorward': 'doorward', 'haproxy': 'HAProxy', 'nginx': 'nginx',
         'nginx-cache': 'nginx, remembering tokens', 'envoy': 'Envoy', 'caddy': 'Caddy'}
WIDTH, LEFT, RIGHT = 900, 250, 70
BAR, GAP, BETWEEN, TOP = 11, 2, 14, 78
MOST = 5.0  # times doorward; longer bars are cut

STYLE = '''
text { font: 12px system-ui, sans-serif; fill: #24292f }
.title { font-size: 15px; font-weight: 600 }
.value, .tick { font-size: 10px; fill: #57606a }
.line { stroke: #d0d7de; stroke-width: 1 }
.one { stroke: #d55e00; stroke-width: 1; stroke-dasharray: 3 3 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .value, .tick { fill: #9198a1 }
  .line { stroke: #3d444d }
}
'''


def draw(result):
    """All scenarios but those that compare doorward with itself."""
    groups = []
    for scenario in SCENARIOS:
        figures = result['scenarios'].get(scenario.name, {}).get('figures', {})
        bars = [(name, figures[name]) for name in COLOURS
                if name in figures and figures[name]['ratio'] is not None]
        if len(bars) > 1 and scenario.name != 'two-workers':
            groups.append((scenario, bars))
    pieces, y = [], TOP
    for scenario, bars in groups:
        pieces.append(group(scenario, bars, y))
        y += len(bars) * (BAR + GAP) + BETWEEN
    height = y + 16
    shown = [name for name in COLOURS if any(name == one for _, bars in groups for one, _ in bars)]
    return '\n'.join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" role="img" aria-label="CPU time of a request">',
        f'<style>{STYLE}</style>',
        text(16, 24, 'CPU time of a request, doorward = 1; less is better', 'title'),
        legend(shown), axis(height), *pieces, '</svg>', ''])


def x_of(ratio):
    return LEFT + (WIDTH - LEFT - RIGHT) * min(ratio, MOST) / MOST


def axis(height):
    lines = []
    for tick in range(int(MOST) + 1):
        x = x_of(tick)
        kind = 'one' if tick == 1 else 'line'
        lines.append(f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 8}" y2="{height - 18}"/>')
        lines.append(text(x, height - 5, f'{tick}×', 'tick', 'middle'))
    return '\n'.join(lines)


def legend(names):
    pieces, x = [], 16
    for name in names:
        pieces.append(f'<rect x="{x}" y="40" width="12" height="12" fill="{COLOURS[name]}"/>')
        pieces.append(text(x + 17, 50, NAMES[name]))
        x += 40 + len(NAMES[name]) * 7
    return '\n'.join(pieces)


def group(scenario, bars, y):
    middle = y + len(bars) * (BAR + GAP) / 2 + 3
    pieces = [text(LEFT - 12, middle, scenario.title, anchor='end')]
    for number, (name, figure) in enumerate(bars):
        top = y + number * (BAR + GAP)
        end = x_of(figure['ratio'])
        pieces.append(f'<rect x="{LEFT}" y="{top}" width="{end - LEFT:.1f}" height="{BAR}" '
                      f'fill="{COLOURS[name]}"><title>{escape(NAMES[name])}: '
                      f'{figure["value"]:,} {scenario.unit}</title></rect>')
        value = f'{figure["value"]:,.0f}' if figure['value'] >= 100 else f'{figure["value"]:.1f}'
        told = f'{value} {scenario.unit}'
        if figure['ratio'] > MOST:
            told = f'… {figure["ratio"]:,.0f}×'
        pieces.append(text(end + 5, top + BAR - 2, told, 'value'))
    return '\n'.join(pieces)


def text(x, y, words, kind='', anchor='start'):
    return (f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">'
            f'{escape(words)}</text>')
